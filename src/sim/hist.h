/*
 * hist.h — log-linear histograms with integer counts.
 *
 * Values below 128 have a bucket each; above, every power of two is split into 128
 * buckets, so that a bucket's middle is within 0.4 % of anything in it (the idea of
 * HdrHistogram, Tene 2012). Counts are kept only for the span of buckets in use.
 * Packed, a histogram is a string of varint pairs (distance to the next used bucket,
 * count): about three bytes per used bucket, and two can be merged exactly.
 *
 * Values are 0 .. 2^63 - 1, at most 2^64 of them; the sum is exact. An empty histogram has no
 * array, a full one 57 KiB. Invariant: the counts add up to `facts.count`. The arena owns all.
 */
#ifndef LZ_SIM_HIST_H
#define LZ_SIM_HIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"

#define LZ_HIST_SUB_BITS 7
#define LZ_HIST_SUBS (1u << LZ_HIST_SUB_BITS)

/* Everything but the counts. */
struct lz_hist_facts {
    uint64_t count;
    int64_t min, max;           /* if count > 0; else of those that are to come */
    uint64_t sum_low, sum_high; /* one number of 128 bits */
};

struct lz_hist {
    struct lz_hist_facts facts;
    struct lz_arena *arena;
    uint64_t *counts;
    uint32_t first; /* bucket of counts[0]; a multiple of LZ_HIST_SUBS */
    uint32_t cap;
};

static inline uint32_t lz_hist_bucket(int64_t value)
{
    uint64_t v = (uint64_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(v | LZ_HIST_SUBS) - LZ_HIST_SUB_BITS;
    return (shift << LZ_HIST_SUB_BITS) + (uint32_t)(v >> shift);
}

/* The middle of a bucket. */
double lz_hist_value(uint32_t bucket);

void lz_hist_init(struct lz_hist *h, struct lz_arena *arena);
void lz_hist_clear(struct lz_hist *h);
void lz_hist_widen(struct lz_hist *h, uint32_t bucket);
void lz_hist_merge(struct lz_hist *h, const struct lz_hist *from);

static inline void lz_hist_add(struct lz_hist *h, int64_t value)
{
    LZ_ASSERT(value >= 0);
    struct lz_hist_facts *f = &h->facts;
    uint32_t b = lz_hist_bucket(value);
    if (b - h->first >= h->cap)
        lz_hist_widen(h, b);
    h->counts[b - h->first]++;
    f->count++;
    if (value < f->min)
        f->min = value;
    if (value > f->max)
        f->max = value;
    f->sum_low += (uint64_t)value;
    f->sum_high += f->sum_low < (uint64_t)value;
}

/* Many at once: in as many places as there are values, which so are waited for together. */
void lz_hist_add_all(struct lz_hist *h, const int64_t *values, size_t count);

/* The same value `times` times. */
void lz_hist_add_many(struct lz_hist *h, int64_t value, uint64_t times);

/* The mean, rounded once. count > 0. */
double lz_hist_mean(const struct lz_hist *h);

/* The q-quantile (nearest rank), within 1 %; the extremes are exact. count > 0. */
double lz_hist_quantile(const struct lz_hist *h, double q);

/* How many are at most `value`: up to the end of the bucket that it falls into. */
uint64_t lz_hist_at_most(const struct lz_hist *h, int64_t value);

/* Pack into the arena; the caller owns `*size` bytes there. NULL if there is nothing. */
unsigned char *lz_hist_pack(const struct lz_hist *h, uint32_t *size);

/* lz_hist_pack, and what was packed is added to `whole` and cleared: one walk where three were. */
unsigned char *lz_hist_pack_away(struct lz_hist *h, struct lz_hist *whole, uint32_t *size);
void lz_hist_merge_packed(struct lz_hist *h, const struct lz_hist_facts *facts,
                          const unsigned char *packed, uint32_t size);

#endif
