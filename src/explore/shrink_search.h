/*
 * shrink_search.h — inside explore/: the state of shrinking, and its parts.
 *
 *   shrink_try.c      texts are run, a few at once, and what came of them is told apart
 *   shrink_begin.c    the case, what a chaos brings, and what it is that fails
 *   shrink_amounts.c  times, magnitudes, traffic and replicas are made smaller; what matters
 *   shrink.c          leaving out, and the order of it all
 */
#ifndef LZ_EXPLORE_SHRINK_SEARCH_H
#define LZ_EXPLORE_SHRINK_SEARCH_H

#include "explore/shrink.h"

#define LZ_SHRINK_BATCH 4 /* tried at once, whatever the number of workers */

enum lz_shrink_outcome {
    LZ_SHRINK_UNTRIED,
    LZ_SHRINK_LIKE,
    LZ_SHRINK_PASSES,
    LZ_SHRINK_OTHER,
    LZ_SHRINK_UNLOADABLE
};

struct lz_shrink_search {
    const struct lz_shrink_opts *opts;
    struct lz_shrink *out;
    struct lz_cut cut;
    struct lz_str pinned; // what is cut: the text, with what a chaos brings
    char *error;          // what it ended with; NULL: an expectation failed
    uint64_t events_max;
    const char *doing;
    struct lz_str texts[LZ_SHRINK_BATCH]; // what is being tried
    enum lz_shrink_outcome outcomes[LZ_SHRINK_BATCH];
    struct lz_brief first; // of the first run
    struct lz_err *err;
    size_t *guarded; // faults, each of which is needed
    size_t guarded_count;
    enum lz_shrink_outcome wanted; // ends a batch
    bool is_over;                  // stopped, out of runs, or no child could be made
    bool is_broken;
};

/* The first of so many texts whose outcome is the wanted one, or `count`. */
size_t lz_shrink_try(struct lz_shrink_search *s, size_t count);

/* In a child: run the text of that number. */
void lz_shrink_try_work(void *ctx, size_t job, struct lz_str *message);
bool lz_shrink_try_is_failure(const struct lz_brief *b, const struct lz_brief_expectation *e);

/* The cut as it is, as the text of that number. */
void lz_shrink_write_text(struct lz_shrink_search *s, size_t at);

/* Whether each of the faults that are guarded is needed. */
bool lz_shrink_needs_all(struct lz_shrink_search *s);

/* Times, magnitudes, traffic, replicas: smaller. True: something was changed. */
bool lz_shrink_narrow_all(struct lz_shrink_search *s, bool only_duration);

/* What half of it, or twice as much, would make pass. */
void lz_shrink_try_knobs(struct lz_shrink_search *s);
void lz_shrink_add_note(struct lz_shrink_note *notes, size_t *count, const struct lz_atom *a,
                        const char *before, const char *after);

/* The text with the faults that its chaos brings in the place of it; false: no child. */
bool lz_shrink_pin_chaos(struct lz_shrink_search *s);

/* Params as the case has them. */
void lz_shrink_pin_case(struct lz_shrink_search *s);

/* Run it as it is. False: it does not fail, or not in what was asked for. */
bool lz_shrink_run_first(struct lz_shrink_search *s);

#endif
