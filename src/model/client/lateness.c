#include "model/client/lateness.h"

#include "base/check.h"

#define STRETCH (10 * LZ_S) // of time, whose answers a quantile is taken of
#define ANSWERS_MIN 32      // below which it says nothing, and nobody hedges

void lz_lateness_init(struct lz_lateness *l, struct lz_arena *arena)
{
    *l = (struct lz_lateness){0};
    lz_hist_init(&l->recent, arena);
}

void lz_lateness_took(struct lz_lateness *l, double quantile, lz_time now, lz_time took)
{
    LZ_ASSERT(quantile > 0.0 && quantile < 1.0);
    LZ_ASSERT(took >= 0);
    if (now - l->recent_from >= STRETCH) {
        if (l->recent.facts.count >= ANSWERS_MIN)
            l->late = (lz_time)lz_hist_quantile(&l->recent, quantile);
        l->has_past = l->late > 0;
        lz_hist_clear(&l->recent);
        l->recent_from = now;
    }
    lz_hist_add(&l->recent, took);
    // The first stretch cannot wait for its end: a look whenever there are twice as many.
    uint64_t count = l->recent.facts.count;
    if (!l->has_past && count >= ANSWERS_MIN && (count & (count - 1)) == 0)
        l->late = (lz_time)lz_hist_quantile(&l->recent, quantile);
}
