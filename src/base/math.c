#include "base/math.h"

#include <math.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/math_log.h"
#include "base/math_tables.h"

// exp, log, pow and their relatives. Method: a table takes the argument to within
// 2^-8 of a point whose function value is known to 106 bits, and a Taylor polynomial does
// the rest. Its terms are so small that their rounding errors cost about 0.01 ulp,
// and the one addition at the end costs 0.5. (Tang, "Table-driven implementation of the
// exponential function", TOMS 15, 1989, and "... of the logarithm function", TOMS 16, 1990.)

_Static_assert(sizeof(double) == 8, "doubles must be IEEE 754 binary64");

#define ROUND 0x1.8p52                     // added and subtracted: rounds to an integer
#define STEPS_PER_ONE 0x1.71547652b82fep+7 // 128 / ln 2
#define STEP_HI 0x1.62e42fef8p-8           // ln 2 / 128, 34 bits: exact times any step number
#define STEP_LO 0x1.1cf79abc9e3b4p-43
#define LN2_HI 0x1.62e42fefa38p-1 // a multiple of 2^-42, as in the table
#define LN2_LO 0x1.ef35793c7673p-45
#define LOG10_2_HI 0x1.34413509f8p-2
#define LOG10_2_LO (-0x1.80433b83b532ap-44)

static const struct lz_dd one_over_ln2 = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
static const struct lz_dd one_over_ln10 = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
#define LN2 0x1.62e42fefa39efp-1

// 2^exponent for normal results.
static inline double power_of_two(int64_t exponent)
{
    return lz_dd_from_bits((uint64_t)(exponent + 1023) << 52);
}

// The nearest integer, as a number in *rounded too. |x| < 2^31.
static inline int64_t nearest(double x, double *rounded)
{
    double shifted = x + ROUND;
    *rounded = shifted - ROUND;
    return (int64_t)(lz_dd_bits(shifted) - lz_dd_bits(ROUND));
}

// exp(r) - 1 for |r| < 0.0028.
static inline double expm1_near_zero(double r)
{
    double z = r * r;
    return r + z * ((0.5 + r * (1.0 / 6)) + z * (1.0 / 24 + r * (1.0 / 120)));
}

// (hi + lo) * 2^exponent where the result may be subnormal, or overflow. The sum must be
// rounded once, at the place where the result's last bit will be: `grid` puts it there.
static double scale_to_the_edge(double hi, double lo, int64_t exponent)
{
    if (exponent >= 1000)
        return (hi + lo) * power_of_two(1000) * power_of_two(exponent - 1000);
    LZ_ASSERT(exponent <= -1000);
    if (exponent >= -1022)
        return (hi + lo) * power_of_two(exponent);
    double grid = power_of_two(52 - 1074 - exponent);
    double sum = grid + hi;
    sum += (grid - sum) + hi + lo;
    return (sum - grid) * power_of_two(-1000) * power_of_two(exponent + 1000);
}

// 2^(step / 128) * exp(r).
static inline double exp_of_step(int64_t step, double r)
{
    const struct lz_dd *at = &lz_math_tables_exp2[step & 127];
    double lo = at->lo + at->hi * expm1_near_zero(r);
    int64_t exponent = step >> 7;
    if (exponent > -1000 && exponent < 1000)
        return (at->hi + lo) * power_of_two(exponent);
    return scale_to_the_edge(at->hi, lo, exponent);
}

// exp(x + tail), |x| < 1000.
static inline double exp_of_sum(double x, double tail)
{
    double rounded;
    int64_t step = nearest(x * STEPS_PER_ONE, &rounded);
    return exp_of_step(step, (x - rounded * STEP_HI) - rounded * STEP_LO + tail);
}

double lz_math_exp(double x)
{
    if (fabs(x) < 690.0)
        return exp_of_sum(x, 0.0);
    if (isnan(x))
        return x;
    if (x > 710.0)
        return (double)INFINITY;
    return x < -746.0 ? 0.0 : exp_of_sum(x, 0.0);
}

double lz_math_exp2(double x)
{
    if (isnan(x))
        return x;
    if (x >= 1024.0)
        return (double)INFINITY;
    if (x < -1076.0)
        return 0.0;
    double rounded;
    int64_t step = nearest(x * 128.0, &rounded);
    return exp_of_step(step, (x - rounded / 128.0) * LN2);
}

// exp(r) - 1 = m + r + m r + (m + 1)(exp(r) - 1 - r) with m = 2^(step / 128) - 1. The
// first two terms are added exactly: near zero they are almost all of the result.
double lz_math_expm1(double x)
{
    if (isnan(x) || fabs(x) < 0x1p-60)
        return x;
    if (x > 40.0)
        return lz_math_exp(x);
    if (x < -38.0)
        return -1.0;
    double rounded;
    int64_t step = nearest(x * STEPS_PER_ONE, &rounded);
    struct lz_dd r = lz_dd_sum(x - rounded * STEP_HI, -(rounded * STEP_LO));
    double tail = 1.0 / 24 + r.hi * (1.0 / 120 + r.hi * (1.0 / 720));
    double curve = r.hi * r.hi * (0.5 + r.hi * (1.0 / 6 + r.hi * tail));
    const struct lz_dd *at = &lz_math_tables_exp2[step & 127];
    double scale = at->hi * power_of_two(step >> 7);
    struct lz_dd m = lz_dd_sum(scale, -1.0);
    struct lz_dd sum = lz_dd_sum(m.hi, r.hi);
    double scale_lo = at->lo * power_of_two(step >> 7);
    double small = scale * (curve + r.lo) + scale_lo * (1.0 + r.hi);
    return sum.hi + (sum.lo + (m.lo + (m.hi * r.hi + small)));
}

struct reduced {
    double r; // x = (1 + r) / inverse * 2^exponent, |r| < 2^-8
    double exponent;
    double hi, lo; // -ln(inverse)
};

// x is finite and greater than 0. r is exact: the high part of z times the nine bits of
// the inverse is exact, so is the low part's, and their sum needs no more than 53 bits.
static inline struct reduced reduce(double x)
{
    uint64_t bits = lz_dd_bits(x);
    int64_t exponent = 0;
    if (bits < 0x0010000000000000ull) { // subnormal
        bits = lz_dd_bits(x * 0x1p52);
        exponent = -52;
    }
    uint64_t from = bits - LZ_MATH_TABLES_LOG_FROM;
    exponent += (int64_t)from >> 52;
    uint64_t z_bits = bits - (from & 0xfff0000000000000ull);
    const struct lz_math_tables_log *at = &lz_math_tables_log[(from >> 44) & 255];
    double z = lz_dd_from_bits(z_bits);
    double z_top = lz_dd_from_bits(z_bits & 0xffffffff00000000ull);
    double r = (z_top * at->inverse - 1.0) + (z - z_top) * at->inverse;
    return (struct reduced){r, (double)exponent, at->hi, at->lo};
}

// ln(1 + r) - r for |r| < 2^-8.
static inline double log1p_less_r(double r)
{
    double z = r * r; // pairs of terms, so that the processor can work on several at once
    double tail = (-1.0 / 6 + r * (1.0 / 7)) - z * (1.0 / 8);
    return z * ((-0.5 + r * (1.0 / 3)) + z * ((-0.25 + r * 0.2) + z * tail));
}

// hi + lo + ln(1 + r). As above, but r^2 / 2 exactly.
static inline struct lz_dd log_of_reduced(double hi, double lo, double r)
{
    double r_top = lz_dd_from_bits(lz_dd_bits(r) & 0xfffffffff8000000ull);
    struct lz_dd first = lz_dd_fast_sum(hi, r);
    struct lz_dd second = lz_dd_fast_sum(first.hi, -0.5 * r_top * r_top);
    double tail = -1.0 / 6 + r * (1.0 / 7 + r * (-1.0 / 8 + r * (1.0 / 9)));
    double cube = r * r * r * (1.0 / 3 + r * (-0.25 + r * (0.2 + r * tail)));
    double rest = (second.lo - 0.5 * (r - r_top) * (r + r_top)) + (first.lo + lo);
    return lz_dd_fast_sum(second.hi, rest + cube);
}

struct lz_dd lz_math_log_dd(double x)
{
    LZ_ASSERT(x > 0.0);
    struct reduced red = reduce(x);
    double hi = red.exponent * LN2_HI + red.hi; // exact: both are multiples of 2^-42
    return log_of_reduced(hi, red.exponent * LN2_LO + red.lo, red.r);
}

// Logarithms of what is not a positive finite number.
static double log_of_rest(double x)
{
    if (x == 0.0)
        return (double)-INFINITY;
    return x > 0.0 || isnan(x) ? x : (double)NAN;
}

static inline bool is_positive_finite(double x)
{
    return lz_dd_bits(x) - 1 < 0x7fefffffffffffffull;
}

double lz_math_log(double x)
{
    if (!is_positive_finite(x))
        return log_of_rest(x);
    struct reduced red = reduce(x);
    double hi = red.exponent * LN2_HI + red.hi;
    double lo = red.exponent * LN2_LO + red.lo;
    struct lz_dd sum = lz_dd_fast_sum(hi, red.r); // |hi| > |r| unless it is 0
    return sum.hi + ((sum.lo + lo) + log1p_less_r(red.r));
}

// x = 2^exponent z with z near 1 where x is, so the sum below does not cancel.
static double log_to_base(double x, struct lz_dd two, struct lz_dd one_over_ln_base)
{
    struct reduced red = reduce(x);
    struct lz_dd ln_z = log_of_reduced(red.hi, red.lo, red.r);
    struct lz_dd log_z = lz_dd_mul(ln_z, one_over_ln_base);
    struct lz_dd whole = {red.exponent * two.hi, red.exponent * two.lo};
    struct lz_dd sum = lz_dd_sum(whole.hi, log_z.hi);
    return sum.hi + (sum.lo + (whole.lo + log_z.lo));
}

double lz_math_log2(double x)
{
    if (!is_positive_finite(x))
        return log_of_rest(x);
    return log_to_base(x, (struct lz_dd){1.0, 0.0}, one_over_ln2);
}

double lz_math_log10(double x)
{
    if (!is_positive_finite(x))
        return log_of_rest(x);
    return log_to_base(x, (struct lz_dd){LOG10_2_HI, LOG10_2_LO}, one_over_ln10);
}

double lz_math_log1p(double x)
{
    if (fabs(x) < 0x1p-60)
        return x;
    if (fabs(x) < 0x1p-9)
        return x + log1p_less_r(x);
    if (!is_positive_finite(1.0 + x))
        return log_of_rest(1.0 + x);
    struct lz_dd sum = lz_dd_sum(1.0, x);
    struct lz_dd ln = lz_math_log_dd(sum.hi);
    return ln.hi + (ln.lo + sum.lo / sum.hi);
}

enum parity { FRACTION, EVEN, ODD };

static enum parity parity_of(double y)
{
    if (fabs(y) >= 0x1p53)
        return EVEN;
    int64_t whole = (int64_t)y;
    if ((double)whole != y)
        return FRACTION;
    return (whole & 1) != 0 ? ODD : EVEN;
}

// |x|^y for finite positive x other than 1 and finite y other than 0.
static double pow_of_magnitude(double x, double y)
{
    if (fabs(y) < 0x1p-70) // too little to see; and no subnormal enters the product
        return 1.0;
    bool grows = (x > 1.0) == (y > 0.0);
    if (fabs(y) > 0x1p65)
        return grows ? (double)INFINITY : 0.0;
    struct lz_dd ln = lz_math_log_dd(x);
    struct lz_dd product = lz_dd_product(y, ln.hi);
    product = lz_dd_fast_sum(product.hi, product.lo + y * ln.lo);
    if (product.hi > 710.0)
        return (double)INFINITY;
    return product.hi < -746.0 ? 0.0 : exp_of_sum(product.hi, product.lo);
}

// The special cases are those of C11 F.10.4.4.
double lz_math_pow(double x, double y)
{
    if (y == 0.0 || x == 1.0)
        return 1.0;
    if (isnan(x) || isnan(y))
        return x + y;
    double size = fabs(x);
    if (isinf(y)) {
        if (size == 1.0)
            return 1.0;
        return (size > 1.0) == (y > 0.0) ? (double)INFINITY : 0.0;
    }
    enum parity parity = parity_of(y);
    double sign = signbit(x) && parity == ODD ? -1.0 : 1.0;
    if (x == 0.0 || isinf(x))
        return (x == 0.0) == (y > 0.0) ? sign * 0.0 : sign * (double)INFINITY;
    if (x < 0.0 && parity == FRACTION)
        return (double)NAN;
    return size == 1.0 ? sign : sign * pow_of_magnitude(size, y);
}
