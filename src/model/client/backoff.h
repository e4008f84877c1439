/*
 * backoff.h — how long to wait before an attempt is made again.
 *
 * Exponential: the ceiling before the k-th retry is base 2^(k-1), at most `max`. Jitter spreads
 * the callers (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015):
 *
 *   full          uniform between nothing and the ceiling (also gRPC A6)
 *   none          the ceiling
 *   equal         half of the ceiling, and uniform up to the other half
 *   decorrelated  uniform between the base and three times the wait before, at most `max`
 */
#ifndef LZ_MODEL_CLIENT_BACKOFF_H
#define LZ_MODEL_CLIENT_BACKOFF_H

#include "sim/draw.h"
#include "sim/time.h"

#define LZ_BACKOFF_MAX (10 * LZ_S) /* unless the edge says otherwise */

enum lz_jitter { LZ_JITTER_FULL, LZ_JITTER_NONE, LZ_JITTER_EQUAL, LZ_JITTER_DECORRELATED };

struct lz_backoff_opts {
    lz_time base, max;
    enum lz_jitter jitter;
};

/* Before retry `k`, from 1; `before` is the wait that came before it, 0 if none did. */
lz_time lz_backoff_wait(const struct lz_backoff_opts *opts, uint32_t k, lz_time before,
                        struct lz_draw *draw);

#endif
