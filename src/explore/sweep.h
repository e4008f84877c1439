/*
 * sweep.h — each case of each scenario under many seeds, and what they come to.
 *
 * Seeds that failed before and were kept are run first and counted apart: a statistic over
 * seeds that were chosen says nothing. Then come the seeds in order, each through all cases.
 * Results are taken in that order, so that nothing depends on how many workers there are: not
 * the counts, nor when a decision (certain.h) ends the sweep. Once a case is decided its later
 * runs do not count.
 *
 * A run leaves a brief. What failed alike is one failure: the same scenario and the same
 * expectations, or the same error. The first seed of each can be run again and recorded.
 *
 * A case that is meant to fail (xfail) and fails has passed; one that never did, in a whole
 * sweep, has not. Passing now and then is what a chance of failing means.
 */
#ifndef LZ_EXPLORE_SWEEP_H
#define LZ_EXPLORE_SWEEP_H

#include "explore/brief.h"
#include "explore/certain.h"
#include "explore/cover.h"
#include "explore/subset.h"
#include "explore/suite.h"

#define LZ_SWEEP_CLOSEST 5         /* narrow passes that are kept */
#define LZ_SWEEP_FAILURES_MAX 1000 /* kinds; more are counted, not told apart */
#define LZ_SWEEP_KEPT_MAX 10000    /* failing seeds that are remembered */

/* A seed that failed, and its case: an index of the suite's runs. */
struct lz_sweep_seed {
    uint64_t seed;
    size_t run;
    size_t failure;  /* index */
    bool is_cut_off; /* this machine ended it: none to keep */
};

/* What came of a run, in the words of its worker. */
struct lz_sweep_kept {
    uint64_t seed;
    size_t run; /* index of the suite's runs */
    bool is_saved;
    struct lz_manner manner; /* of a saved one */
    const struct lz_str *brief;
};

struct lz_sweep_opts {
    struct lz_suite *suite; /* listed */
    uint64_t first, last;   /* seeds */
    uint32_t shard, shards; /* from 1: only every `shards`-th of them; 0, 0: all */
    const struct lz_subset_saved *saved;
    size_t saved_count;
    double confidence; /* 0 to 1 */
    double max_rate;   /* 0: run all seeds; else stop when each case is decided */
    size_t fail_max;   /* stop after so many failed runs; 0: never */
    void *ctx;
    /* After each run, in order. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total, uint64_t failed);
    /* Told of each run that counts, before it is counted; NULL: nobody keeps them. */
    void *kept_ctx;
    void (*kept)(void *ctx, const struct lz_sweep_kept *kept);
};

struct lz_sweep_case {
    size_t run;                                          /* index of the suite's runs */
    uint64_t runs, passed, failed, inconclusive, broken; /* broken: error, budget, crash */
    bool xfail;
    enum lz_certain_decision decision;
    uint64_t decided_after;
};

struct lz_sweep_failure {
    size_t run;              /* of the first */
    struct lz_manner manner; /* likewise */
    char *key;               /* what makes it this one */
    char *name;              /* the first expectation that failed; an error's first line */
    char *actual;            /* of the first seed */
    uint64_t count, seed;
    size_t others; /* expectations that failed with it */
    bool is_xfail, is_inconclusive;
    bool is_cut_off; /* this machine ended it */
    enum lz_exit code;
};

struct lz_sweep_close {
    size_t run;
    uint64_t seed;
    char *name, *spare;
    double margin;
};

struct lz_sweep {
    struct lz_sweep_opts opts;
    struct lz_sweep_case *cases;
    size_t case_count;
    struct lz_sweep_failure *failures;
    size_t failure_count;
    struct lz_sweep_seed *failing; /* in order; the first LZ_SWEEP_KEPT_MAX */
    size_t failing_count;
    struct lz_sweep_close closest[LZ_SWEEP_CLOSEST]; /* narrowest first */
    size_t closest_count;
    struct lz_cover cover;
    uint64_t saved_failed; /* of the saved seeds, still */
    uint64_t done, total;  /* runs */
    uint64_t failed;
    uint64_t events;
    uint64_t trace; /* of the trace hashes of all runs, in order */
    bool decided;   /* all cases: it stopped early */
    int signal;     /* what stopped it, or 0 */
    struct lz_exit_set codes;
};

/* Run. What was finished is in `out` whatever stopped it. False: no child could be made. */
bool lz_sweep_run(const struct lz_sweep_opts *opts, struct lz_sweep *out,
                  struct lz_err *err) LZ_MUST_CHECK;
/*
 * The same of runs that took place elsewhere: begin, add each in the order of a sweep (saved seeds,
 * then seed by seed all cases), end. What is added has a brief that lz_brief_read takes. Adding
 * answers false once everything is decided.
 */
void lz_sweep_begin(const struct lz_sweep_opts *opts, struct lz_sweep *out);
bool lz_sweep_add(struct lz_sweep *sweep, const struct lz_sweep_kept *kept);
void lz_sweep_end(struct lz_sweep *sweep);

void lz_sweep_finish(struct lz_sweep *sweep);

/*
 * Run the first seed of each failure again and hand over its record, in order: at most `max`,
 * those that are meant first left out. `save` may keep the bytes only while it is called.
 */
typedef void lz_sweep_save_fn(void *ctx, const struct lz_sweep_failure *failure,
                              const struct lz_worker_record *record);
bool lz_sweep_record(const struct lz_sweep *sweep, size_t max, lz_sweep_save_fn *save, void *ctx,
                     struct lz_err *err) LZ_MUST_CHECK;

#endif
