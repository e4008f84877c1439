#include "sim/draw.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/dd.h"
#include "base/math.h"
#include "sim/draw_tables.h"
#include "sim/philox.h"

#define BLOCKS_MAX 0x10000u // block numbers have 16 bits

// Vectors of three operands need no copies. Where they are is asked each time, which is guessed.
#ifdef __x86_64__
#define WIDER __attribute__((target("avx2")))
static inline bool is_wider(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
#define WIDER
static inline bool is_wider(void)
{
    return false;
}
#endif

static WIDER __attribute__((noinline)) struct lz_philox block_wider(uint64_t low, uint64_t high,
                                                                    uint64_t key)
{
    return lz_philox_block(low, high, key);
}

static inline struct lz_philox block(uint64_t low, uint64_t high, uint64_t key)
{
    return is_wider() ? block_wider(low, high, key) : lz_philox_block(low, high, key);
}

void lz_draw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    struct lz_philox b =
        block((uint64_t)counter[1] << 32 | counter[0], (uint64_t)counter[3] << 32 | counter[2],
              (uint64_t)key[1] << 32 | key[0]);
    out[0] = (uint32_t)b.first;
    out[1] = (uint32_t)(b.first >> 32);
    out[2] = (uint32_t)b.second;
    out[3] = (uint32_t)(b.second >> 32);
}

static inline uint64_t next_plain(struct lz_draw *draw)
{
    if (draw->has_ready) {
        draw->has_ready = 0;
        return draw->ready;
    }
    LZ_ASSERT(draw->blocks < BLOCKS_MAX);
    struct lz_philox b = block(draw->tail + draw->blocks++, draw->owner, draw->key);
    draw->ready = b.second;
    draw->has_ready = 1;
    return b.first;
}

static __attribute__((noinline, cold)) uint64_t next_watched(struct lz_draw *draw)
{
    const struct lz_draw_watch *watch = lz_draw_watch_now;
    const struct lz_draw_watch_id id = {.owner = draw->owner,
                                        .counter = (draw->tail << 8) >> 24,
                                        .purpose = (unsigned)(draw->tail >> 56)};
    if (draw->blocks == 0)
        draw->key = watch->key(watch->ctx, &id, draw->key);
    uint64_t bits = next_plain(draw);
    if (watch->number != NULL)
        watch->number(watch->ctx, &id, bits);
    return bits;
}

static inline uint64_t next(struct lz_draw *draw)
{
    return lz_draw_watch_is_on() ? next_watched(draw) : next_plain(draw);
}

uint64_t lz_draw_u64(struct lz_draw *draw)
{
    return next(draw);
}

// Lemire, "Fast random integer generation in an interval", 2019: the high half of a product
// is the result; the low half says, almost always without a division, that it is fair.
uint64_t lz_draw_below(struct lz_draw *draw, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    LZ_ASSERT(n > 0);
    u128 product = (u128)next(draw) * n;
    if ((uint64_t)product < n) {
        uint64_t unfair = (0 - n) % n;
        while ((uint64_t)product < unfair)
            product = (u128)next(draw) * n;
    }
    return (uint64_t)(product >> 64);
}

// One u64 is a layer (8 bits), a sign (bit 8) and a place in the layer (the top 53 bits).
static inline int64_t place_of(uint64_t bits)
{
    return (int64_t)(bits >> 11);
}

static inline double unit_of(uint64_t bits)
{
    return (double)place_of(bits) * 0x1p-53;
}

// x or -x. Not by a branch, which would be guessed wrong every second time.
static inline double with_sign_of(uint64_t bits, double x)
{
    return lz_dd_from_bits(lz_dd_bits(x) ^ (bits & 256) << 55);
}

// Whether a random height in the layer lies below the curve, whose height is `curve`.
static bool is_below(struct lz_draw *draw, const struct lz_draw_tables_layer *tables, size_t layer,
                     double curve)
{
    LZ_ASSERT(layer > 0);
    double floor = tables[layer].floor;
    double ceiling = layer + 1 < LZ_DRAW_TABLES_LEN ? tables[layer + 1].floor : 1.0;
    return floor + unit_of(next(draw)) * (ceiling - floor) < curve;
}

// The one draw in 90 that is not in the sure part of its layer. Beyond the last layer
// the exponential distribution looks as it does from zero: begin again from there.
static double exponential_slowly(struct lz_draw *draw, uint64_t bits)
{
    const struct lz_draw_tables_layer *tables = lz_draw_tables_exponential;
    const double tail_from = tables[1].width * 0x1p53;
    double from = 0.0;
    for (;;) {
        size_t layer = bits & 255;
        double x = (double)place_of(bits) * tables[layer].width;
        if (place_of(bits) < tables[layer].sure)
            return from + x;
        if (layer == 0)
            from += tail_from;
        else if (is_below(draw, tables, layer, lz_math_exp(-x)))
            return from + x;
        bits = next(draw);
    }
}

double lz_draw_exponential(struct lz_draw *draw)
{
    uint64_t bits = next(draw);
    const struct lz_draw_tables_layer *at = &lz_draw_tables_exponential[bits & 255];
    if (place_of(bits) < at->sure)
        return (double)place_of(bits) * at->width;
    return exponential_slowly(draw, bits);
}

__attribute__((always_inline)) static inline double
exponential_once(uint64_t key, uint64_t owner, enum lz_purpose purpose, uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(key, owner, purpose, counter);
    struct lz_philox b = lz_philox_block(draw.tail, owner, key);
    const struct lz_draw_tables_layer *at = &lz_draw_tables_exponential[b.first & 255];
    if (place_of(b.first) < at->sure)
        return (double)place_of(b.first) * at->width;
    draw.blocks = draw.has_ready = 1;
    draw.ready = b.second;
    return exponential_slowly(&draw, b.first);
}

static WIDER __attribute__((noinline)) double
exponential_once_wider(uint64_t key, uint64_t owner, enum lz_purpose purpose, uint64_t counter)
{
    return exponential_once(key, owner, purpose, counter);
}

static __attribute__((noinline)) double
exponential_watched(uint64_t key, uint64_t owner, enum lz_purpose purpose, uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(key, owner, purpose, counter);
    return lz_draw_exponential(&draw);
}

double lz_draw_exponential_once(uint64_t run_key, uint64_t owner, enum lz_purpose purpose,
                                uint64_t counter)
{
    if (lz_draw_watch_is_on())
        return exponential_watched(run_key, owner, purpose, counter);
    if (is_wider())
        return exponential_once_wider(run_key, owner, purpose, counter);
    return exponential_once(run_key, owner, purpose, counter);
}

uint64_t lz_draw_u64_once(uint64_t run_key, uint64_t owner, enum lz_purpose purpose,
                          uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(run_key, owner, purpose, counter);
    if (lz_draw_watch_is_on())
        return next_watched(&draw);
    return block(draw.tail, owner, run_key).first;
}

// Marsaglia, "Generating a variable from the tail of the normal distribution", 1964.
static double normal_beyond(struct lz_draw *draw, double from)
{
    for (;;) {
        double x = lz_draw_exponential(draw) / from;
        double y = lz_draw_exponential(draw);
        if (2.0 * y > x * x)
            return from + x;
    }
}

static double normal_slowly(struct lz_draw *draw, uint64_t bits)
{
    const struct lz_draw_tables_layer *tables = lz_draw_tables_normal;
    for (;;) {
        size_t layer = bits & 255;
        double x = (double)place_of(bits) * tables[layer].width;
        if (place_of(bits) < tables[layer].sure)
            return with_sign_of(bits, x);
        if (layer == 0)
            return with_sign_of(bits, normal_beyond(draw, tables[1].width * 0x1p53));
        if (is_below(draw, tables, layer, lz_math_exp(-0.5 * x * x)))
            return with_sign_of(bits, x);
        bits = next(draw);
    }
}

double lz_draw_normal(struct lz_draw *draw)
{
    uint64_t bits = next(draw);
    const struct lz_draw_tables_layer *at = &lz_draw_tables_normal[bits & 255];
    if (place_of(bits) >= at->sure)
        return normal_slowly(draw, bits);
    return with_sign_of(bits, (double)place_of(bits) * at->width);
}
