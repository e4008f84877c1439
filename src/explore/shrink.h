/*
 * shrink.h — a scenario that fails, made smaller while it fails in the same way.
 *
 * A change of the text is kept if the run with the same seed and case still fails, and the same
 * expectation with it (or, of a run that ended in an error, with the same error). In this order:
 * the cases and expectations that are not asked about; duration; faults; other statements; fields
 * and elements of lists; then amounts (times, magnitudes, traffic, replicas) by halving. Once the
 * faults that matter are known, a change after which one of them would not matter is refused: a
 * smaller system that fails for fewer reasons is another failure. Groups are tried before single
 * ones (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28,
 * 2002), and half as large ones next: three of forty take some thirty runs.
 *
 * Because draws are keyed by their owners, leaving something out shifts nobody else's chance.
 *
 * What is tried at once is tried in a fixed number and taken in order, so that the result does not
 * depend on how many workers there are.
 */
#ifndef LZ_EXPLORE_SHRINK_H
#define LZ_EXPLORE_SHRINK_H

#include "explore/brief.h"
#include "explore/cut.h"
#include "explore/worker.h"

#define LZ_SHRINK_RUNS 500 /* default of runs_max */
#define LZ_SHRINK_NOTES_MAX 24

struct lz_shrink_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *params; /* of the case: everything pinned */
    double swarm;                         /* as the run had it */
    struct lz_order_opts order;           /* likewise */
    const char *version;
    uint64_t seed;
    const char *name;    /* the expectation; NULL: the first that fails */
    unsigned workers;    /* at once */
    int64_t timeout_ns;  /* wall clock, for each run */
    uint64_t events_max; /* of each run; 0: ten times what the first took */
    size_t runs_max;     /* that may be tried; 0: LZ_SHRINK_RUNS */
    void *ctx;
    void (*progress)(void *ctx, size_t runs, const char *doing); /* NULL: none */
};

/* "4 → 1", "replicas of service pricing"; or what passes: "timeout = 500ms". */
struct lz_shrink_note {
    char *before, *after, *what;
};

struct lz_shrink {
    char *name; /* what fails */
    char *text; /* the scenario that is left */
    size_t len;
    bool fails;        /* false: the first run did not; nothing was tried then */
    char *verdict;     /* of the first run */
    size_t runs;       /* that took place */
    size_t refused;    /* changes that could not be loaded */
    bool is_cut_short; /* runs_max was reached */
    int signal;        /* what stopped it, or 0; what is left by then fails too */
    size_t faults[2], statements[2], lines[2]; /* before and after */
    struct lz_shrink_note narrowed[LZ_SHRINK_NOTES_MAX];
    size_t narrowed_count;
    struct lz_shrink_note passes[LZ_SHRINK_NOTES_MAX]; /* the same with ... passes */
    size_t passes_count;
};

/* False: no child could be made. */
bool lz_shrink_run(const struct lz_shrink_opts *opts, struct lz_shrink *out,
                   struct lz_err *err) LZ_MUST_CHECK;
void lz_shrink_finish(struct lz_shrink *shrink);

#endif
