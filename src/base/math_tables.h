/*
 * math_tables.h — the constants that math*.c look up; for those files only.
 *
 * Each number was computed with 400 bits and rounded once. A pair hi + lo is a value
 * to about 106 bits.
 */
#ifndef LZ_BASE_MATH_TABLES_H
#define LZ_BASE_MATH_TABLES_H

#include <stdint.h>

#include "base/dd.h"

#define LZ_MATH_TABLES_EXP2_LEN 128
#define LZ_MATH_TABLES_LOG_LEN 256
#define LZ_MATH_TABLES_ATAN_LEN 129

/* 2^(i/128). */
extern const struct lz_dd lz_math_tables_exp2[LZ_MATH_TABLES_EXP2_LEN];

/*
 * For z in the i-th of 256 equal steps of the bit pattern from LZ_MATH_TABLES_LOG_FROM
 * (0.7037...) to twice that: `inverse` is 1/z to nine bits, a multiple of 2^-8 (z < 1) or
 * 2^-9, so that |z * inverse - 1| < 2^-8 is a double exactly. hi + lo is -ln(inverse), and
 * hi is a multiple of 2^-42. The step around 1 has inverse 1 and logarithm 0, so
 * arguments near 1 lose nothing.
 */
#define LZ_MATH_TABLES_LOG_FROM 0x3fe6855500000000ull
struct lz_math_tables_log {
    double inverse, hi, lo;
};
extern const struct lz_math_tables_log lz_math_tables_log[LZ_MATH_TABLES_LOG_LEN];

/* atan(i/128). */
extern const struct lz_dd lz_math_tables_atan[LZ_MATH_TABLES_ATAN_LEN];

/* The first 1280 bits of 2/pi, most significant first. */
extern const uint64_t lz_math_tables_two_over_pi[20];

#endif
