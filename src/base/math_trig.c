#include "base/math.h"

#include <math.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/math_tables.h"

// sin, cos, tan and their inverses, carried as hi + lo so that one rounding at the end is
// all that shows. Plain Taylor polynomials: two terms more than the best possible ones, and
// nobody has to wonder where the coefficients come from.

#define TWO_OVER_PI 0x1.45f306dc9c883p-1
#define ROUND 0x1.8p52 // added and subtracted: rounds to an integer

// pi/2 in four parts; the first three have 33 bits, so 20-bit multiples are exact.
#define HALF_PI_1 0x1.921fb544p+0
#define HALF_PI_2 0x1.0b4611a6p-34
#define HALF_PI_3 0x1.3198a2ep-69
#define HALF_PI_4 0x1.b839a252049c1p-104
#define NEAR_MAX 0x1p20

static const struct lz_dd half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
static const struct lz_dd pi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};

// x = quadrant * pi/2 + angle, |angle| <= pi/4; quadrants count modulo 4.
struct turned {
    unsigned quadrant;
    struct lz_dd angle;
};

// Cody and Waite's reduction, for |x| < NEAR_MAX.
static struct turned turn_near(double x)
{
    double shifted = x * TWO_OVER_PI + ROUND;
    double n = shifted - ROUND;
    struct lz_dd first = lz_dd_sum(x - n * HALF_PI_1, -(n * HALF_PI_2));
    struct lz_dd second = lz_dd_sum(first.hi, -(n * HALF_PI_3));
    double lo = (first.lo + second.lo) - n * HALF_PI_4;
    return (struct turned){(unsigned)(lz_dd_bits(shifted) & 3), lz_dd_fast_sum(second.hi, lo)};
}

// The 64 bits of 2/pi from bit `first`; bit 0 is worth 1/2, bits before it are zero.
static uint64_t two_over_pi_from(int first)
{
    LZ_ASSERT(first > -64);
    LZ_ASSERT(first < 64 * 18);
    const uint64_t *words = lz_math_tables_two_over_pi;
    if (first < 0)
        return words[0] >> -first;
    int word = first / 64, shift = first % 64;
    uint64_t bits = words[word] << shift;
    return shift == 0 ? bits : bits | words[word + 1] >> (64 - shift);
}

// Payne and Hanek's: multiply the integer x / 2^exponent by those 192 bits of 2/pi that
// decide the result modulo 4. ("Radian reduction for trigonometric functions", SIGNUM 1983.)
static struct turned turn_far(double x)
{
    __extension__ typedef unsigned __int128 u128;
    uint64_t bits = lz_dd_bits(x);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1075;
    uint64_t m = (bits & 0x000fffffffffffffull) | 0x0010000000000000ull;
    LZ_ASSERT(exponent >= 20 - 52);

    int first = exponent - 2; // this bit times 2^exponent is worth 2
    u128 low = (u128)m * two_over_pi_from(first + 128);
    u128 middle = (u128)m * two_over_pi_from(first + 64) + (uint64_t)(low >> 64);
    uint64_t top = m * two_over_pi_from(first) + (uint64_t)(middle >> 64);
    uint64_t quadrant = top >> 62;
    u128 turns = (u128)(top << 2 | (uint64_t)middle >> 62) << 64;
    turns |= (uint64_t)middle << 2 | (uint64_t)low >> 62;

    bool below = turns >> 127 != 0; // past the middle: count back from the next quadrant
    if (below)
        turns = -turns;
    int zeros = 0;
    while (turns != 0 && turns >> 127 == 0) {
        turns <<= 1;
        zeros++;
    }
    double unit = lz_dd_from_bits((uint64_t)(1023 - 64 - zeros) << 52); // of the top 64 bits
    double hi = (double)(uint64_t)(turns >> 75) * 0x1p11 * unit;
    double lo = (double)(uint64_t)(turns >> 22 & 0x1fffffffffffffull) * 0x1p-42 * unit;
    struct lz_dd angle = lz_dd_mul(lz_dd_fast_sum(hi, lo), half_pi);
    if (below != (x < 0.0))
        angle = lz_dd_negate(angle);
    quadrant += below;
    return (struct turned){(unsigned)(x < 0.0 ? -quadrant : quadrant) & 3, angle};
}

static struct turned turn(double x)
{
    if (fabs(x) <= 0.78)
        return (struct turned){0, {x, 0.0}};
    return fabs(x) < NEAR_MAX ? turn_near(x) : turn_far(x);
}

static struct lz_dd sin_of(struct lz_dd a)
{
    double z = a.hi * a.hi;
    double tail = 1.0 / 6227020800 - z * (1.0 / 1307674368000 - z * (1.0 / 355687428096000));
    tail = 1.0 / 362880 - z * (1.0 / 39916800 - z * tail);
    tail = z * (-1.0 / 6 + z * (1.0 / 120 - z * (1.0 / 5040 - z * tail)));
    return lz_dd_fast_sum(a.hi, a.hi * tail + a.lo * (1.0 - 0.5 * z));
}

static struct lz_dd cos_of(struct lz_dd a)
{
    struct lz_dd z = lz_dd_product(a.hi, a.hi);
    double y = z.hi;
    double tail = 1.0 / 479001600 - y * (1.0 / 87178291200 - y * (1.0 / 20922789888000));
    tail = 1.0 / 24 - y * (1.0 / 720 - y * (1.0 / 40320 - y * (1.0 / 3628800 - y * tail)));
    struct lz_dd first = lz_dd_fast_sum(1.0, -0.5 * y);
    double rest = y * y * tail - (0.5 * z.lo + a.hi * a.lo);
    return lz_dd_fast_sum(first.hi, first.lo + rest);
}

double lz_math_sin(double x)
{
    if (!isfinite(x))
        return (double)NAN;
    if (fabs(x) < 0x1p-27)
        return x;
    struct turned t = turn(x);
    double size = ((t.quadrant & 1) != 0 ? cos_of(t.angle) : sin_of(t.angle)).hi;
    return t.quadrant >= 2 ? -size : size;
}

double lz_math_cos(double x)
{
    if (!isfinite(x))
        return (double)NAN;
    if (fabs(x) < 0x1p-27)
        return 1.0;
    struct turned t = turn(x);
    double size = ((t.quadrant & 1) != 0 ? sin_of(t.angle) : cos_of(t.angle)).hi;
    return t.quadrant == 1 || t.quadrant == 2 ? -size : size;
}

double lz_math_tan(double x)
{
    if (!isfinite(x))
        return (double)NAN;
    if (fabs(x) < 0x1p-27)
        return x;
    struct turned t = turn(x);
    struct lz_dd s = sin_of(t.angle), c = cos_of(t.angle);
    return (t.quadrant & 1) == 0 ? lz_dd_div(s, c).hi : -lz_dd_div(c, s).hi;
}

// atan(y / x) for 0 <= y <= x, neither very small: with c = i/128 the nearest to y / x,
// atan(c) + atan((y - c x) / (x + c y)).
static struct lz_dd angle_of_low(struct lz_dd y, struct lz_dd x)
{
    LZ_ASSERT(y.hi >= 0.0);
    LZ_ASSERT(y.hi <= x.hi);
    int i = (int)(y.hi / x.hi * 128.0 + 0.5);
    double c = i / 128.0;
    struct lz_dd cx = lz_dd_product(c, x.hi), cy = lz_dd_product(c, y.hi);
    struct lz_dd over = lz_dd_sum(y.hi - cx.hi, y.lo - cx.lo - c * x.lo);
    struct lz_dd under = lz_dd_sum(x.hi, cy.hi);
    under.lo += x.lo + cy.lo + c * y.lo;
    struct lz_dd q = lz_dd_div(over, under);
    double z = q.hi * q.hi;
    q.lo += q.hi * z * (-1.0 / 3 + z * (0.2 - z * (1.0 / 7)));
    return lz_dd_add(lz_math_tables_atan[i], q);
}

// The angle of the point (x, y) in the first quadrant.
static struct lz_dd angle_of(struct lz_dd y, struct lz_dd x)
{
    if (y.hi <= x.hi)
        return angle_of_low(y, x);
    return lz_dd_add(half_pi, lz_dd_negate(angle_of_low(x, y)));
}

double lz_math_atan(double x)
{
    if (isnan(x) || fabs(x) < 0x1p-27)
        return x;
    if (fabs(x) > 0x1p60)
        return copysign(half_pi.hi, x);
    struct lz_dd angle = angle_of((struct lz_dd){fabs(x), 0.0}, (struct lz_dd){1.0, 0.0});
    return copysign(angle.hi, x);
}

// One of the two is zero or infinite.
static double atan2_at_the_edge(double y, double x)
{
    bool left = signbit(x) != 0;
    if (isinf(y) && isinf(x))
        return copysign(left ? 0.75 * pi.hi : 0.5 * half_pi.hi, y);
    if (y == 0.0 || isinf(x))
        return copysign(left ? pi.hi : 0.0, y);
    return copysign(half_pi.hi, y);
}

// The special cases are those of C11 F.10.1.4.
double lz_math_atan2(double y, double x)
{
    if (isnan(x) || isnan(y))
        return x + y;
    if (x == 0.0 || y == 0.0 || isinf(x) || isinf(y))
        return atan2_at_the_edge(y, x);
    int x_exponent, y_exponent;
    double x_part = frexp(fabs(x), &x_exponent), y_part = frexp(fabs(y), &y_exponent);
    int above = y_exponent - x_exponent;
    if (above > 62)
        return copysign(half_pi.hi, y);
    if (above < -62)
        return x > 0.0 ? y / x : copysign(pi.hi, y);
    struct lz_dd high = {ldexp(y_part, above), 0.0}, wide = {x_part, 0.0};
    struct lz_dd angle = angle_of(high, wide);
    if (x < 0.0)
        angle = lz_dd_add(pi, lz_dd_negate(angle));
    return copysign(angle.hi, y);
}

// sqrt(1 - x^2) for |x| < 1.
static struct lz_dd other_leg(double x)
{
    struct lz_dd w = lz_dd_mul(lz_dd_sum(1.0, -x), lz_dd_sum(1.0, x));
    double root = sqrt(w.hi);
    struct lz_dd square = lz_dd_product(root, root);
    double rest = ((w.hi - square.hi) - square.lo) + w.lo;
    return lz_dd_fast_sum(root, rest / (2.0 * root));
}

double lz_math_asin(double x)
{
    if (!(fabs(x) <= 1.0))
        return (double)NAN;
    if (fabs(x) < 0x1p-27)
        return x;
    if (fabs(x) == 1.0)
        return copysign(half_pi.hi, x);
    return copysign(angle_of((struct lz_dd){fabs(x), 0.0}, other_leg(x)).hi, x);
}

double lz_math_acos(double x)
{
    if (!(fabs(x) <= 1.0))
        return (double)NAN;
    if (fabs(x) == 1.0)
        return x > 0.0 ? 0.0 : pi.hi;
    if (fabs(x) < 0x1p-60)
        return half_pi.hi;
    struct lz_dd angle = angle_of(other_leg(x), (struct lz_dd){fabs(x), 0.0});
    return (x > 0.0 ? angle : lz_dd_add(pi, lz_dd_negate(angle))).hi;
}
