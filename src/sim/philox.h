/*
 * philox.h — a block of Philox4x32-10 from a key that no other block shares; for draw.c and
 * draw_row.c only.
 *
 * Ten rounds wait for one another, so that what a block costs beside its latency is how much of the
 * processor it holds meanwhile. By itself it is 135 instructions on whole registers, which are more
 * than wait for their operands at a time: nothing that follows begins. On both halves of a vector,
 * a round is one instruction for both products, one that puts the four words where they go, and two
 * that add the key: 58 to 90, and what does not need the number goes on. Rows of eight blocks
 * (draw_row.c) fill wider ones.
 */
#ifndef LZ_SIM_PHILOX_H
#define LZ_SIM_PHILOX_H

#include <stdint.h>

#ifdef __x86_64__
#include <emmintrin.h>
#endif

#define LZ_PHILOX_MUL_0 0xd2511f53u
#define LZ_PHILOX_MUL_1 0xcd9e8d57u
#define LZ_PHILOX_STEP_0 0x9e3779b9u /* the golden ratio */
#define LZ_PHILOX_STEP_1 0xbb67ae85u /* sqrt(3) - 1 */

struct lz_philox {
    uint64_t first, second;
};

struct lz_philox_words {
    uint32_t c0, c1, c2, c3;
};

static inline struct lz_philox_words lz_philox_round(struct lz_philox_words s, uint64_t key,
                                                     uint32_t round)
{
    uint64_t p0 = (uint64_t)LZ_PHILOX_MUL_0 * s.c0;
    uint64_t p1 = (uint64_t)LZ_PHILOX_MUL_1 * s.c2;
    uint32_t key_0 = (uint32_t)key + round * LZ_PHILOX_STEP_0;
    uint32_t key_1 = (uint32_t)(key >> 32) + round * LZ_PHILOX_STEP_1;
    return (struct lz_philox_words){(uint32_t)(p1 >> 32) ^ (s.c1 ^ key_0), (uint32_t)p1,
                                    (uint32_t)(p0 >> 32) ^ (s.c3 ^ key_1), (uint32_t)p0};
}

/* By whole registers. `low` and `high` are the counter's halves. */
static inline struct lz_philox lz_philox_plain(uint64_t low, uint64_t high, uint64_t key)
{
    struct lz_philox_words s = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high,
                                (uint32_t)(high >> 32)};
    for (uint32_t round = 0; round < 10; round++)
        s = lz_philox_round(s, key, round);
    return (struct lz_philox){(uint64_t)s.c1 << 32 | s.c0, (uint64_t)s.c3 << 32 | s.c2};
}

#ifdef __x86_64__

/* Products are of the words c0 and c2, each the lower half of what the vector is of. */
__attribute__((always_inline)) static inline struct lz_philox
lz_philox_block(uint64_t low, uint64_t high, uint64_t key)
{
    const __m128i by = _mm_set_epi64x(LZ_PHILOX_MUL_1, LZ_PHILOX_MUL_0);
    const __m128i step = _mm_set_epi64x(LZ_PHILOX_STEP_1, LZ_PHILOX_STEP_0);
    __m128i keys = _mm_set_epi64x((int64_t)(key >> 32), (int64_t)(uint32_t)key);
    __m128i s = _mm_set_epi64x((int64_t)high, (int64_t)low);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        __m128i odd = _mm_xor_si128(_mm_srli_epi64(s, 32), keys);
        s = _mm_xor_si128(odd, _mm_shuffle_epi32(_mm_mul_epu32(s, by), _MM_SHUFFLE(0, 1, 2, 3)));
        keys = _mm_add_epi32(keys, step);
    }
    return (struct lz_philox){(uint64_t)_mm_cvtsi128_si64(s),
                              (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(s, s))};
}

#else

static inline struct lz_philox lz_philox_block(uint64_t low, uint64_t high, uint64_t key)
{
    return lz_philox_plain(low, high, key);
}

#endif

#endif
