/*
 * throttle.h — adaptive client-side throttling (SRE book, ch. 21, "Client-Side Throttling").
 *
 * A caller counts, over the last `over`, its requests and those the callee accepted. Once it asks
 * for more than `k` times what is accepted it rejects requests itself, with probability
 *
 *     max(0, (requests - k accepts) / (requests + 1))
 *
 * so that a callee of capacity C sees about k C at most. Rejected ones count as requests; one
 * that is under way counts when its end is known, since it says nothing before (by the letter,
 * the second request of a run would be rejected with probability 1/2 for want of answers). The
 * time is kept in 60 parts. Defaults are the book's: k = 2, over = 2 min.
 */
#ifndef LZ_MODEL_CLIENT_THROTTLE_H
#define LZ_MODEL_CLIENT_THROTTLE_H

#include <stdbool.h>

#include "sim/time.h"

#define LZ_THROTTLE_PARTS 60

struct lz_throttle_opts {
    bool on;
    double k;
    lz_time over;
};

/* Of one calling instance and edge; zeroed has seen nothing. */
struct lz_throttle {
    uint64_t requests, accepts; /* sums of the parts */
    int64_t newest;             /* number of the latest part: time / width */
    uint32_t parts[LZ_THROTTLE_PARTS][2];
};

/* The probability with which a request is rejected right now. */
double lz_throttle_rejects(struct lz_throttle *t, const struct lz_throttle_opts *opts, lz_time now);

void lz_throttle_asked(struct lz_throttle *t, const struct lz_throttle_opts *opts, lz_time now);
void lz_throttle_accepted(struct lz_throttle *t, const struct lz_throttle_opts *opts, lz_time now);

#endif
