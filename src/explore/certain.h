/*
 * certain.h — how sure a number of runs makes, about a rate of failure.
 *
 * After n runs of which k failed:
 *
 *   The interval is Clopper and Pearson's (Biometrika 26, 1934), exact for a binomial: it
 *   covers the true rate with at least the confidence asked for. With no failure it is
 *   one-sided, from 0 to 1 - (1 - confidence)^(1/n): for 95 % and 500 runs 0.6 %, the "rule
 *   of three" (3/n).
 *
 *   The decision may be asked for after every run, and runs stop with it. Looking again and
 *   again makes an interval wrong more often than it says; so the decision compares
 *   likelihoods and not intervals. Against "the rate is r" stands a mixture of rates below
 *   it (half of it on 0, half uniform), or above it (uniform). While the rate is not on that
 *   side, the ratio is a supermartingale, and by Ville's inequality (1939) it ever reaches
 *   1 / (1 - confidence) with a probability of at most 1 - confidence. See Robbins (Ann.
 *   Math. Statist. 41, 1970).
 */
#ifndef LZ_EXPLORE_CERTAIN_H
#define LZ_EXPLORE_CERTAIN_H

#include <stdint.h>

struct lz_certain_interval {
    double low, high; /* rates, 0 to 1 */
};

/* n > 0, k <= n, 0 < confidence < 1. */
struct lz_certain_interval lz_certain_interval(uint64_t n, uint64_t k, double confidence);

enum lz_certain_decision { LZ_CERTAIN_OPEN, LZ_CERTAIN_BELOW, LZ_CERTAIN_ABOVE };

/* Is the rate below or above `rate` (0 < rate < 1)? May be asked after every run. */
enum lz_certain_decision lz_certain_decide(uint64_t n, uint64_t k, double rate, double confidence);

/* Runs without a failure that decide for "below". */
uint64_t lz_certain_runs(double rate, double confidence);

#endif
