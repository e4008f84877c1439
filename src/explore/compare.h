/*
 * compare.h — two systems under the same seeds: what is better, what is worse, and how sure.
 *
 * Both sides of a seed draw the same chance for what is the same in both (draws are keyed), so
 * they are pairs, and pairs are compared:
 *
 *   An expectation: of the seeds in which one side failed it and the other did not, half would be
 *   each way by chance. McNemar's test, exact: the probability of a split at least as uneven
 *   (Psychometrika 12, 1947). It has changed if that is below 1 - confidence.
 *
 *   A metric: the mean of the differences with Student's interval, as many pairs as have both.
 *
 * With one seed there is nothing to be sure of: what differs, differs. Then the first event that
 * differs is found too, by running both side by side (twin.h).
 */
#ifndef LZ_EXPLORE_COMPARE_H
#define LZ_EXPLORE_COMPARE_H

#include "explore/brief.h"
#include "explore/worker.h"

struct lz_compare_side {
    struct lz_worker_source source;
    const struct lz_select_pairs *params;
};

struct lz_compare_opts {
    struct lz_compare_side sides[2];
    uint64_t first, last; /* seeds */
    double confidence;
    const char *version;
    unsigned workers;
    int64_t timeout_ns;
    uint64_t events_max;
};

enum lz_compare_change {
    LZ_COMPARE_SAME,
    LZ_COMPARE_BETTER, /* the second is */
    LZ_COMPARE_WORSE,
    LZ_COMPARE_ONLY_FIRST, /* the other does not have it */
    LZ_COMPARE_ONLY_SECOND,
};

struct lz_compare_expectation {
    char *name;
    char *actual[2]; /* of the last seed */
    uint64_t runs[2], failed[2];
    uint64_t better, worse; /* pairs that changed */
    double p;               /* of so uneven a split by chance */
    enum lz_compare_change change;
};

struct lz_compare_metric {
    char *name, *unit;
    uint64_t pairs, seen[2];
    double mean[2];      /* of the pairs; of what was seen if there are none */
    double low, high;    /* of the difference, second minus first */
    double sum, squares; /* of the differences */
    double paired[2], all[2];
    bool differs; /* 0 is not in the interval */
};

struct lz_compare_result {
    uint64_t seeds;
    uint64_t failed[2]; /* runs that failed, were wrong or used up a budget */
    uint64_t equal;     /* pairs with one trace */
    bool is_broken[2];  /* a side did not load or crashed: `why` */
    char *why[2];
    char *first_event; /* of a single seed; NULL: none differs, or many seeds */
    struct lz_compare_expectation *expectations;
    size_t expectation_count;
    struct lz_compare_metric *metrics;
    size_t metric_count;
    int signal;
};

/* False: no child could be made. */
bool lz_compare_run(const struct lz_compare_opts *opts, struct lz_compare_result *out,
                    struct lz_err *err) LZ_MUST_CHECK;
void lz_compare_finish(struct lz_compare_result *compare);

/* Exact two-sided: n fair coins, k of them heads, or a split at least as uneven. */
double lz_compare_split(uint64_t n, uint64_t k);

#endif
