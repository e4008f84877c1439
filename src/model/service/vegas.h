/*
 * vegas.h — how many requests to have in flight, learnt from how long they take.
 *
 * TCP Vegas' congestion control for requests, as Netflix' concurrency-limits has it (VegasLimit):
 * with `noload` the shortest time seen, a limit L of which requests take rtt makes a queue of
 *
 *     queue = ceil(L * (1 - noload / rtt))
 *
 * The limit grows while the queue is below alpha = 3 log L, by log L (by beta while it is at
 * most log L), and shrinks by log L when it is above beta = 6 log L. What is in flight must be
 * at least half the limit, or nothing is learnt. Every 15 to 30 limits' worth of answers the
 * shortest time is forgotten and measured anew. log L is the whole part of the decimal logarithm,
 * at least 1.
 */
#ifndef LZ_MODEL_SERVICE_VEGAS_H
#define LZ_MODEL_SERVICE_VEGAS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/time.h"

struct lz_vegas {
    uint32_t limit;
    uint32_t answers; /* since the shortest time was forgotten */
    uint32_t probes;  /* how often it was */
    lz_time noload;   /* 0: not known */
};

/* An answer that took `rtt` with so many in flight; `jitter`, in [0.5, 1], spreads the probes. */
void lz_vegas_sample(struct lz_vegas *v, uint32_t limit_max, lz_time rtt, uint32_t in_flight,
                     double jitter);

#endif
