/*
 * lateness.h — how long answers take that are late: a quantile of those of the last stretch of
 * time.
 *
 * A hedge may wait for "p95": as long as 95 % of the answers took, of those that came in the
 * stretch of ten seconds before this one. In the first stretch it is looked at whenever there are
 * twice as many; below 32 answers it says nothing, and nobody hedges.
 */
#ifndef LZ_MODEL_CLIENT_LATENESS_H
#define LZ_MODEL_CLIENT_LATENESS_H

#include "sim/hist.h"
#include "sim/time.h"

struct lz_lateness {
    lz_time late;          /* the quantile, as last looked at; 0: too few answers */
    bool has_past;         /* it is that of a whole stretch of time, the last */
    struct lz_hist recent; /* what answers took in this stretch */
    lz_time recent_from;
};

void lz_lateness_init(struct lz_lateness *l, struct lz_arena *arena);
void lz_lateness_took(struct lz_lateness *l, double quantile, lz_time now, lz_time took);

#endif
