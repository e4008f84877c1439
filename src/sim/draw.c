#include "sim/draw.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/math.h"
#include "sim/draw_tables.h"

#define PHILOX_ROUNDS 10
#define PHILOX_MUL_0 0xd2511f53u
#define PHILOX_MUL_1 0xcd9e8d57u
#define PHILOX_STEP_0 0x9e3779b9u // the golden ratio
#define PHILOX_STEP_1 0xbb67ae85u // sqrt(3) - 1
#define BLOCKS_MAX 0x10000u       // block numbers have 16 bits

static inline void philox(uint32_t c[4], uint32_t key_0, uint32_t key_1)
{
    for (int i = 0; i < PHILOX_ROUNDS; i++) {
        uint64_t p0 = (uint64_t)PHILOX_MUL_0 * c[0];
        uint64_t p1 = (uint64_t)PHILOX_MUL_1 * c[2];
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ key_0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ key_1;
        c[3] = (uint32_t)p0;
        key_0 += PHILOX_STEP_0;
        key_1 += PHILOX_STEP_1;
    }
}

void lz_draw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    philox(c, key[0], key[1]);
    for (size_t i = 0; i < 4; i++)
        out[i] = c[i];
}

static inline uint64_t next(struct lz_draw *draw)
{
    if (draw->has_ready) {
        draw->has_ready = 0;
        return draw->ready;
    }
    LZ_ASSERT(draw->blocks < BLOCKS_MAX);
    uint64_t tail = draw->tail + draw->blocks++;
    uint32_t c[4] = {(uint32_t)tail, (uint32_t)(tail >> 32), (uint32_t)draw->owner,
                     (uint32_t)(draw->owner >> 32)};
    philox(c, (uint32_t)draw->key, (uint32_t)(draw->key >> 32));
    draw->ready = (uint64_t)c[3] << 32 | c[2];
    draw->has_ready = 1;
    return (uint64_t)c[1] << 32 | c[0];
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

// One u64 is a layer (8 bits), a sign (1 bit) and a place in the layer (53 bits).
static inline uint64_t place_of(uint64_t bits)
{
    return bits >> 11;
}

static inline double unit_of(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

// Whether a random height in the layer lies below the curve, whose height is `curve`.
static bool is_below(struct lz_draw *draw, const struct lz_draw_tables_layer *tables,
                     size_t layer, double curve)
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
        double sign = (bits & 256) != 0 ? -1.0 : 1.0;
        double x = (double)place_of(bits) * tables[layer].width;
        if (place_of(bits) < tables[layer].sure)
            return sign * x;
        if (layer == 0)
            return sign * normal_beyond(draw, tables[1].width * 0x1p53);
        if (is_below(draw, tables, layer, lz_math_exp(-0.5 * x * x)))
            return sign * x;
        bits = next(draw);
    }
}

double lz_draw_normal(struct lz_draw *draw)
{
    uint64_t bits = next(draw);
    const struct lz_draw_tables_layer *at = &lz_draw_tables_normal[bits & 255];
    if (place_of(bits) >= at->sure)
        return normal_slowly(draw, bits);
    double x = (double)place_of(bits) * at->width;
    return (bits & 256) != 0 ? -x : x;
}
