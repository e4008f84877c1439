/*
 * lfu.h — Redis' counter of uses, of 8 bits; for model/cache/ only.
 *
 * It is 5 when a key is put that was not there, which is no use of it; each use raises it with
 * chance 1 / (10 * (counter - 5) + 1), and it loses 1 for each minute since it was looked at last
 * (evict.c: LFUGetTimeInMinutes, LFULogIncr, LFUDecrAndReturn; lfu-log-factor 10, lfu-decay-time
 * 1).
 */
#ifndef LZ_MODEL_CACHE_LFU_H
#define LZ_MODEL_CACHE_LFU_H

#include <stdint.h>

#include "sim/time.h"

#define LZ_LFU_INIT 5u /* LFU_INIT_VAL */
#define LZ_LFU_MAX 255u

static inline uint32_t lz_lfu_minute(lz_time now)
{
    return (uint32_t)(now / (60 * LZ_S));
}

/* What is left of a counter that was looked at in that minute. */
static inline uint64_t lz_lfu_decay(uint64_t counter, uint32_t minute, lz_time now)
{
    uint64_t idle = lz_lfu_minute(now) - minute;
    return counter > idle ? counter - idle : 0;
}

static inline double lz_lfu_chance(uint64_t counter)
{
    double base = counter > LZ_LFU_INIT ? (double)(counter - LZ_LFU_INIT) : 0.0;
    return counter < LZ_LFU_MAX ? 1.0 / (base * 10.0 + 1.0) : 0.0;
}

#endif
