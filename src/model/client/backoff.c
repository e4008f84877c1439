#include "model/client/backoff.h"

#include "base/check.h"

lz_time lz_backoff_wait(const struct lz_backoff_opts *o, uint32_t k, lz_time before,
                        struct lz_draw *draw)
{
    LZ_ASSERT(k >= 1);
    LZ_ASSERT(o->base > 0 && o->max >= o->base);
    lz_time ceiling = o->base;
    for (uint32_t i = 1; i < k && ceiling < o->max; i++)
        ceiling *= 2;
    if (ceiling > o->max)
        ceiling = o->max;
    switch (o->jitter) {
    case LZ_JITTER_FULL:
        return (lz_time)(lz_draw_unit(draw) * (double)ceiling);
    case LZ_JITTER_NONE:
        return ceiling;
    case LZ_JITTER_EQUAL:
        return ceiling / 2 + (lz_time)(lz_draw_unit(draw) * (double)(ceiling - ceiling / 2));
    case LZ_JITTER_DECORRELATED: {
        lz_time span = 3 * (before > 0 ? before : o->base) - o->base;
        lz_time wait = o->base;
        if (span > 0)
            wait += (lz_time)(lz_draw_unit(draw) * (double)span);
        return wait < o->max ? wait : o->max;
    }
    }
    LZ_UNREACHABLE("every jitter has its case");
}
