/*
 * keys.h — short rows of numbers sorted without a guess.
 *
 * Times that are about to come are in no order, so a jump that depends on which of two is sooner is
 * guessed wrong every second time, at twenty cycles. Sixteen at a time are sorted by Green's
 * network of 60 exchanges (Knuth, The Art of Computer Programming, vol. 3, 5.3.4), each a minimum
 * and a maximum; longer rows are sixteens that are merged from both ends at once, so that no end of
 * a half has to be looked for.
 *
 * A key is a number below LZ_KEYS_END, kept as the double of the same bits: doubles above 0 are in
 * the order of their bits, and of two doubles the smaller is one instruction where of two integers
 * it is three, if the compiler does not jump. The bit above makes each a normal double, for
 * smaller ones are taken for 0 where somebody has told the processor so.
 */
#ifndef LZ_SIM_KEYS_H
#define LZ_SIM_KEYS_H

#include <stdint.h>
#include <string.h>

#include "base/dd.h"

#define LZ_KEYS_MAX 128 /* a power of two */
#define LZ_KEYS_END (1ull << 61)
#define LZ_KEYS_LAST 0x1p1000 /* after all keys */

static inline double lz_keys_of(uint64_t key)
{
    return lz_dd_from_bits(key | 1ull << 62);
}

static inline uint64_t lz_keys_to(double key)
{
    return lz_dd_bits(key) & ~(1ull << 62);
}

/* The smaller one first. */
static inline void lz_keys_exchange(double *a, double *b)
{
    double x = *a, y = *b;
    *a = x < y ? x : y;
    *b = x > y ? x : y; // of the same condition the compiler would make one jump
}

/* Each line is a layer: its exchanges do not wait for each other. */
static inline void lz_keys_sort_sixteen(double keys[16])
{
    double k[16];
    memcpy(k, keys, sizeof(k));
#define SORT(i, j) lz_keys_exchange(&k[i], &k[j])
    // clang-format off
    SORT(0, 1), SORT(2, 3), SORT(4, 5), SORT(6, 7), SORT(8, 9), SORT(10, 11), SORT(12, 13),
        SORT(14, 15);
    SORT(0, 2), SORT(1, 3), SORT(4, 6), SORT(5, 7), SORT(8, 10), SORT(9, 11), SORT(12, 14),
        SORT(13, 15);
    SORT(0, 4), SORT(1, 5), SORT(2, 6), SORT(3, 7), SORT(8, 12), SORT(9, 13), SORT(10, 14),
        SORT(11, 15);
    SORT(0, 8), SORT(1, 9), SORT(2, 10), SORT(3, 11), SORT(4, 12), SORT(5, 13), SORT(6, 14),
        SORT(7, 15);
    SORT(5, 10), SORT(6, 9), SORT(3, 12), SORT(13, 14), SORT(4, 8), SORT(7, 11), SORT(1, 2);
    SORT(1, 4), SORT(7, 13), SORT(2, 8), SORT(11, 14);
    SORT(2, 4), SORT(5, 6), SORT(9, 10), SORT(11, 13), SORT(3, 8), SORT(7, 12);
    SORT(6, 8), SORT(10, 12), SORT(3, 5), SORT(7, 9);
    SORT(3, 4), SORT(5, 6), SORT(7, 8), SORT(9, 10), SORT(11, 12);
    SORT(6, 7), SORT(8, 9);
    // clang-format on
#undef SORT
    memcpy(keys, k, sizeof(k));
}

/* The first `count` of `keys`, which have room for LZ_KEYS_MAX; what follows is overwritten. */
void lz_keys_sort(double *keys, uint32_t count);

#endif
