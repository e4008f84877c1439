#include "sim/draw.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/dd.h"
#include "base/math.h"
#include "sim/draw_tables.h"

#define PHILOX_MUL_0 0xd2511f53u
#define PHILOX_MUL_1 0xcd9e8d57u
#define PHILOX_STEP_0 0x9e3779b9u // the golden ratio
#define PHILOX_STEP_1 0xbb67ae85u // sqrt(3) - 1
#define BLOCKS_MAX 0x10000u       // block numbers have 16 bits

struct state {
    uint32_t c0, c1, c2, c3;
};

static inline struct state philox_round(struct state s, uint64_t key, uint32_t round)
{
    uint64_t p0 = (uint64_t)PHILOX_MUL_0 * s.c0;
    uint64_t p1 = (uint64_t)PHILOX_MUL_1 * s.c2;
    uint32_t key_0 = (uint32_t)key + round * PHILOX_STEP_0;
    uint32_t key_1 = (uint32_t)(key >> 32) + round * PHILOX_STEP_1;
    return (struct state){(uint32_t)(p1 >> 32) ^ (s.c1 ^ key_0), (uint32_t)p1,
                          (uint32_t)(p0 >> 32) ^ (s.c3 ^ key_1), (uint32_t)p0};
}

struct block {
    uint64_t first, second;
};

// Ten rounds written out, on plain numbers: gcc -O2 makes a loop or vectors of anything else,
// and that takes up to twice as long.
static inline struct block philox(uint64_t low, uint64_t high, uint64_t key)
{
    struct state s = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)};
    s = philox_round(s, key, 0);
    s = philox_round(s, key, 1);
    s = philox_round(s, key, 2);
    s = philox_round(s, key, 3);
    s = philox_round(s, key, 4);
    s = philox_round(s, key, 5);
    s = philox_round(s, key, 6);
    s = philox_round(s, key, 7);
    s = philox_round(s, key, 8);
    s = philox_round(s, key, 9);
    return (struct block){(uint64_t)s.c1 << 32 | s.c0, (uint64_t)s.c3 << 32 | s.c2};
}

void lz_draw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    struct block b =
        philox((uint64_t)counter[1] << 32 | counter[0], (uint64_t)counter[3] << 32 | counter[2],
               (uint64_t)key[1] << 32 | key[0]);
    out[0] = (uint32_t)b.first;
    out[1] = (uint32_t)(b.first >> 32);
    out[2] = (uint32_t)b.second;
    out[3] = (uint32_t)(b.second >> 32);
}

static inline uint64_t next(struct lz_draw *draw)
{
    if (draw->has_ready) {
        draw->has_ready = 0;
        return draw->ready;
    }
    LZ_ASSERT(draw->blocks < BLOCKS_MAX);
    struct block b = philox(draw->tail + draw->blocks++, draw->owner, draw->key);
    draw->ready = b.second;
    draw->has_ready = 1;
    return b.first;
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

double lz_draw_exponential_once(uint64_t run_key, uint64_t owner, enum lz_purpose purpose,
                                uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(run_key, owner, purpose, counter);
    struct block b = philox(draw.tail, owner, run_key);
    const struct lz_draw_tables_layer *at = &lz_draw_tables_exponential[b.first & 255];
    if (place_of(b.first) < at->sure)
        return (double)place_of(b.first) * at->width;
    draw.blocks = draw.has_ready = 1;
    draw.ready = b.second;
    return exponential_slowly(&draw, b.first);
}

#ifdef __SSE2__ // which every x86-64 has

/*
 * Four blocks side by side: two in each vector, a word in the lower half of each lane. What is in
 * the upper halves does not matter until the end, for products are of lower halves alone.
 */
struct lanes {
    __m128i c0, c1, c2, c3;
};

static inline struct lanes lanes_round(struct lanes s, __m128i key_0, __m128i key_1)
{
    __m128i p0 = _mm_mul_epu32(s.c0, _mm_set1_epi64x(PHILOX_MUL_0));
    __m128i p1 = _mm_mul_epu32(s.c2, _mm_set1_epi64x(PHILOX_MUL_1));
    return (struct lanes){
        .c0 = _mm_xor_si128(_mm_srli_epi64(p1, 32), _mm_xor_si128(s.c1, key_0)),
        .c1 = p1,
        .c2 = _mm_xor_si128(_mm_srli_epi64(p0, 32), _mm_xor_si128(s.c3, key_1)),
        .c3 = p0,
    };
}

static inline __m128i joined(__m128i low, __m128i high)
{
    return _mm_or_si128(_mm_and_si128(low, _mm_set1_epi64x(UINT32_MAX)), _mm_slli_epi64(high, 32));
}

static struct lanes lanes_of(const struct lz_draw_row *row, uint64_t counter)
{
    uint64_t one = lz_draw_begin(0, 0, row->purpose, counter).tail;
    uint64_t two = lz_draw_begin(0, 0, row->purpose, counter + 1).tail;
    __m128i tail = _mm_set_epi64x((int64_t)two, (int64_t)one);
    return (struct lanes){.c0 = tail,
                          .c1 = _mm_srli_epi64(tail, 32),
                          .c2 = _mm_set1_epi64x((int64_t)row->owner),
                          .c3 = _mm_set1_epi64x((int64_t)(row->owner >> 32))};
}

static void make_blocks(struct lz_draw_row *row, uint64_t key, uint64_t from)
{
    struct lanes a = lanes_of(row, from), b = lanes_of(row, from + 2);
    __m128i key_0 = _mm_set1_epi64x((int64_t)key), key_1 = _mm_srli_epi64(key_0, 32);
    for (int round = 0; round < 10; round++) {
        a = lanes_round(a, key_0, key_1);
        b = lanes_round(b, key_0, key_1);
        key_0 = _mm_add_epi32(key_0, _mm_set1_epi64x(PHILOX_STEP_0));
        key_1 = _mm_add_epi32(key_1, _mm_set1_epi64x(PHILOX_STEP_1));
    }
    __m128i *first = (__m128i *)(void *)row->bits[0], *second = (__m128i *)(void *)row->bits[1];
    _mm_storeu_si128(first, joined(a.c0, a.c1));
    _mm_storeu_si128(first + 1, joined(b.c0, b.c1));
    _mm_storeu_si128(second, joined(a.c2, a.c3));
    _mm_storeu_si128(second + 1, joined(b.c2, b.c3));
}

#else

static void make_blocks(struct lz_draw_row *row, uint64_t key, uint64_t from)
{
    for (uint64_t i = 0; i < LZ_DRAW_ROW; i++) {
        uint64_t tail = lz_draw_begin(key, row->owner, row->purpose, from + i).tail;
        struct block b = philox(tail, row->owner, key);
        row->bits[0][i] = b.first;
        row->bits[1][i] = b.second;
    }
}

#endif

static __attribute__((noinline)) void make_row(struct lz_draw_row *row, uint64_t key, uint64_t from)
{
    make_blocks(row, key, from);
    row->key = key;
    row->from = from;
    row->is_made = true;
}

static __attribute__((noinline)) struct lz_draw_pair pair_slowly(const struct lz_draw_row *row,
                                                                 uint64_t key, uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(key, row->owner, row->purpose, counter);
    double first = lz_draw_exponential(&draw);
    return (struct lz_draw_pair){.first = first, .second = lz_draw_exponential(&draw)};
}

struct lz_draw_pair lz_draw_exponential_pair(struct lz_draw_row *row, uint64_t run_key,
                                             uint64_t counter)
{
    uint64_t i = counter % LZ_DRAW_ROW;
    if (row->from != counter - i || row->key != run_key || !row->is_made)
        make_row(row, run_key, counter - i);
    uint64_t one = row->bits[0][i], two = row->bits[1][i];
    const struct lz_draw_tables_layer *of_one = &lz_draw_tables_exponential[one & 255];
    const struct lz_draw_tables_layer *of_two = &lz_draw_tables_exponential[two & 255];
    if (place_of(one) >= of_one->sure || place_of(two) >= of_two->sure)
        return pair_slowly(row, run_key, counter);
    return (struct lz_draw_pair){.first = (double)place_of(one) * of_one->width,
                                 .second = (double)place_of(two) * of_two->width};
}

uint64_t lz_draw_u64_once(uint64_t run_key, uint64_t owner, enum lz_purpose purpose,
                          uint64_t counter)
{
    return philox(lz_draw_begin(run_key, owner, purpose, counter).tail, owner, run_key).first;
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
