/*
 * cover.h — what a sweep has tried: faults by kind and target, and how far they got; and what was
 * to happen sometimes.
 *
 * A fault that never came, or never touched anything, in a whole sweep has tested nothing, whatever
 * the verdicts say. `sometimes` is reached if one seed of its case has reached it.
 */
#ifndef LZ_EXPLORE_COVER_H
#define LZ_EXPLORE_COVER_H

#include "explore/brief.h"

#define LZ_COVER_ROWS_MAX 1000 /* kinds of each; more are not told apart */

/* A kind of fault and its target, in one scenario. */
struct lz_cover_fault {
    size_t scenario; /* index of the suite's */
    char *kind, *target;
    uint64_t runs;            /* in which it came */
    uint64_t came, bit, over; /* how often */
    uint64_t absent;          /* how often it might have come */
};

struct lz_cover_sometimes {
    size_t run; /* a case: index of the suite's runs */
    char *name;
    uint64_t runs, reached;
};

struct lz_cover {
    struct lz_cover_fault *faults;
    size_t fault_count;
    struct lz_cover_sometimes *sometimes;
    size_t sometimes_count;
};

/* Count a run of a case. */
void lz_cover_add(struct lz_cover *cover, size_t scenario, size_t run, const struct lz_brief *b);

/* Whether all that was to happen sometimes did, in a case of which a run took place. */
bool lz_cover_is_whole(const struct lz_cover *cover);

void lz_cover_finish(struct lz_cover *cover);

#endif
