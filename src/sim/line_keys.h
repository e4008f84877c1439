/*
 * line_keys.h — six numbers in order, and another in their place; for line.h only.
 *
 * Where a number belongs among others nobody can guess, and a jump that is guessed wrong costs as
 * much as forty instructions. So all six are merged with it each time, two at a time: each is the
 * lesser of what stands there anyhow and the greater of what stood before it and the new one.
 *
 * As doubles this needs no more than SSE2: of positive numbers the order is that of their bits.
 * Keys are from 2^52, or they would be denormal, which some modes of the processor take for 0, to
 * LZ_LINE_KEYS_MOST. They are loaded as they were stored, two at a time, or the processor would
 * wait until they are in its cache.
 *
 * What was slower, in tier3: sorted by insertion (2.6 wrong guesses a request more); the least
 * found among unsorted ones, whoever waits for which then waiting for its handler too.
 */
#ifndef LZ_SIM_LINE_KEYS_H
#define LZ_SIM_LINE_KEYS_H

#include <stdint.h>
#ifdef __x86_64__
#include <emmintrin.h>
#endif

#define LZ_LINE_KEYS 6
#define LZ_LINE_KEYS_MOST 0x7fe0000000000000ull /* 2^1023, as a double */

struct lz_line_keys {
    _Alignas(16) uint64_t all[LZ_LINE_KEYS];
};

#ifdef __x86_64__

static inline __m128d lz_line_keys_load(const struct lz_line_keys *keys, uint32_t pair)
{
    return _mm_load_pd((const double *)(const void *)(keys->all + 2 * pair));
}

static inline void lz_line_keys_store(struct lz_line_keys *keys, uint32_t pair, __m128d two)
{
    _mm_store_pd((double *)(void *)(keys->all + 2 * pair), two);
}

static inline __m128d lz_line_keys_both(uint64_t key)
{
    return _mm_castsi128_pd(_mm_set1_epi64x((long long)key));
}

/* One more; the last is dropped. */
static inline void lz_line_keys_enter(struct lz_line_keys *keys, uint64_t key)
{
    const __m128d k = lz_line_keys_both(key), a = lz_line_keys_load(keys, 0),
                  b = lz_line_keys_load(keys, 1), c = lz_line_keys_load(keys, 2);
    const __m128d before = _mm_unpacklo_pd(_mm_setzero_pd(), a);
    lz_line_keys_store(keys, 0, _mm_min_pd(a, _mm_max_pd(before, k)));
    lz_line_keys_store(keys, 1, _mm_min_pd(b, _mm_max_pd(_mm_shuffle_pd(a, b, 1), k)));
    lz_line_keys_store(keys, 2, _mm_min_pd(c, _mm_max_pd(_mm_shuffle_pd(b, c, 1), k)));
}

/* Another in place of the first. */
static inline void lz_line_keys_change(struct lz_line_keys *keys, uint64_t key)
{
    const __m128d k = lz_line_keys_both(key), a = lz_line_keys_load(keys, 0),
                  b = lz_line_keys_load(keys, 1), c = lz_line_keys_load(keys, 2);
    const __m128d second = _mm_unpackhi_pd(_mm_setzero_pd(), a); // behind nothing
    const __m128d most = lz_line_keys_both(LZ_LINE_KEYS_MOST);
    lz_line_keys_store(keys, 0, _mm_min_pd(_mm_shuffle_pd(a, b, 1), _mm_max_pd(second, k)));
    lz_line_keys_store(keys, 1, _mm_min_pd(_mm_shuffle_pd(b, c, 1), _mm_max_pd(b, k)));
    lz_line_keys_store(keys, 2, _mm_min_pd(_mm_shuffle_pd(c, most, 1), _mm_max_pd(c, k)));
}

#else

static inline void lz_line_keys_enter(struct lz_line_keys *keys, uint64_t key)
{
    for (uint32_t i = 0; i < LZ_LINE_KEYS; i++) {
        uint64_t here = keys->all[i], is_less = 0 - (uint64_t)(key < here);
        keys->all[i] = here ^ ((here ^ key) & is_less);
        key ^= (here ^ key) & is_less;
    }
}

static inline void lz_line_keys_change(struct lz_line_keys *keys, uint64_t key)
{
    for (uint32_t i = 0; i + 1 < LZ_LINE_KEYS; i++)
        keys->all[i] = keys->all[i + 1];
    keys->all[LZ_LINE_KEYS - 1] = LZ_LINE_KEYS_MOST;
    lz_line_keys_enter(keys, key);
}

#endif

#endif
