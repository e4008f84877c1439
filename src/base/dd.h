/*
 * dd.h — sums and products of doubles together with their rounding error.
 *
 * A `struct lz_dd` is the unevaluated sum hi + lo of two doubles, about 106 bits: what
 * the elementary functions carry where 53 bits would lose the last place. The steps are
 * Dekker's and Knuth's; they need round-to-nearest doubles without contraction, which
 * the build asks for.
 *
 * Invariant of every result here: hi is hi + lo rounded, so |lo| <= ulp(hi) / 2.
 */
#ifndef LZ_BASE_DD_H
#define LZ_BASE_DD_H

#include <stdint.h>
#include <string.h>

struct lz_dd {
    double hi, lo;
};

static inline uint64_t lz_dd_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline double lz_dd_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* a + b exactly. */
static inline struct lz_dd lz_dd_sum(double a, double b)
{
    double hi = a + b;
    double from_b = hi - a;
    return (struct lz_dd){hi, (a - (hi - from_b)) + (b - from_b)};
}

/* a + b exactly, where a is 0 or |a| >= |b|. */
static inline struct lz_dd lz_dd_fast_sum(double a, double b)
{
    double hi = a + b;
    return (struct lz_dd){hi, (a - hi) + b};
}

/* a * b exactly, where nothing leaves the range from 2^-960 to 2^990. */
static inline struct lz_dd lz_dd_product(double a, double b)
{
    double a_wide = a * 0x8000001p0, b_wide = b * 0x8000001p0; // 2^27 + 1 splits 53 bits in two
    double a_top = a_wide - (a_wide - a), b_top = b_wide - (b_wide - b);
    double a_low = a - a_top, b_low = b - b_top;
    double hi = a * b;
    double lo = ((a_top * b_top - hi) + a_top * b_low + a_low * b_top) + a_low * b_low;
    return (struct lz_dd){hi, lo};
}

/* a + b to about 100 bits. */
static inline struct lz_dd lz_dd_add(struct lz_dd a, struct lz_dd b)
{
    struct lz_dd sum = lz_dd_sum(a.hi, b.hi);
    return lz_dd_fast_sum(sum.hi, sum.lo + (a.lo + b.lo));
}

/* a * b to about 100 bits. */
static inline struct lz_dd lz_dd_mul(struct lz_dd a, struct lz_dd b)
{
    struct lz_dd p = lz_dd_product(a.hi, b.hi);
    return lz_dd_fast_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* a / b to about 100 bits; b is not 0. */
static inline struct lz_dd lz_dd_div(struct lz_dd a, struct lz_dd b)
{
    double q = a.hi / b.hi;
    struct lz_dd back = lz_dd_product(q, b.hi);
    double rest = (((a.hi - back.hi) - back.lo) + a.lo) - q * b.lo;
    return lz_dd_fast_sum(q, rest / b.hi);
}

static inline struct lz_dd lz_dd_negate(struct lz_dd a)
{
    return (struct lz_dd){-a.hi, -a.lo};
}

#endif
