/*
 * mutate.h — expectations held against systems that are worse on purpose.
 *
 * An expectation that passes whatever becomes of the system says nothing. So the system is weakened
 * in one way after another, each a change of the scenario's text, and it is seen which expectations
 * do not pass any more (mutation testing; DeMillo, Lipton and Sayward, "Hints on test data
 * selection", Computer 11, 1978; here the system is mutated and the expectations are the tests):
 *
 *   taken away   retries, timeouts, budgets, breakers, hedges, fallbacks, caches asked first,
 * limits, shedding, autoscaling, health checks, failover, replication, fences fewer replicas,
 * nodes: one slower       service and query times, latencies of links: ten times more traffic: four
 * times broken       each component stopped, or twenty times slower, from the middle of the run on
 *
 * A change that the loader refuses is none. The same seed is used for all.
 */
#ifndef LZ_EXPLORE_MUTATE_H
#define LZ_EXPLORE_MUTATE_H

#include "explore/brief.h"
#include "explore/worker.h"

#define LZ_MUTATE_MAX 200 /* mutants of one scenario, unless it is said */

struct lz_mutate_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *params; /* of the case: everything pinned */
    struct lz_order_opts order;
    const char *version;
    uint64_t seed;
    int64_t duration; /* virtual, of a run */
    unsigned workers;
    int64_t timeout_ns;
    uint64_t events_max;
    size_t mutants_max; /* 0: LZ_MUTATE_MAX */
    void *ctx;
    void (*progress)(void *ctx, size_t done, size_t total); /* NULL: none */
};

struct lz_mutate_mutant {
    char *what; /* "no retries of service web" */
    uint32_t line;
    bool is_run;    /* the loader took it */
    bool is_killed; /* an expectation noticed */
};

struct lz_mutate_expectation {
    char *name;
    enum lz_verdict verdict; /* of the system as it is */
    size_t noticed;          /* how many mutants */
    size_t first;            /* index of the first of them */
};

struct lz_mutate {
    struct lz_mutate_mutant *mutants;
    size_t count, run;
    size_t dropped; /* that were too many */
    char *verdict;  /* of the system as it is: only of one that passes is anything said */
    char *why;
    struct lz_mutate_expectation *expectations;
    size_t expectation_count;
    int signal;
};

/* False: no child could be made. */
bool lz_mutate_run(const struct lz_mutate_opts *opts, struct lz_mutate *out,
                   struct lz_err *err) LZ_MUST_CHECK;
void lz_mutate_finish(struct lz_mutate *mutate);

#endif
