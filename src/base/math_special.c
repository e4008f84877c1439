#include "base/math.h"

#include <math.h>
#include <stddef.h>

#include "base/check.h"
#include "base/math_log.h"

// (zeta(k) - 1) / k for k = 3, 4, ...: the Taylor coefficients of lgamma at 2, but for sign.
static const double zeta_terms[] = {
    0x1.13e001a557607p-4,  0x1.51322ac7d8483p-6,  0x1.e404fc218f5f2p-8,  0x1.7add6eadb6c3p-9,
    0x1.38ac5c2bf8e08p-10, 0x1.0b36af86396e9p-11, 0x1.d3fd4c76d2fc8p-13, 0x1.a127b0f17d65ap-14,
    0x1.78de5bd7c81efp-15, 0x1.580dcee66eb02p-16, 0x1.3cbc963ce2243p-17, 0x1.2597a39f34aacp-18,
    0x1.11b2eb7679541p-19, 0x1.0064cdeb22f0fp-20, 0x1.e2600d93cfd2fp-22, 0x1.c76bbb3f07a4dp-23,
    0x1.af5a6cbbf8a97p-24, 0x1.99b93c2070b0fp-25, 0x1.862c734df3eacp-26, 0x1.7469daccfadcdp-27,
    0x1.6434a8447aeadp-28, 0x1.555a877ffd2c3p-29, 0x1.47b1679258d0ep-30, 0x1.3b15d2b2fc10cp-31,
    0x1.2f69a9fabe3ep-32,  0x1.24932a337434cp-33, 0x1.1a7c26ec2523cp-34, 0x1.11116e693ed98p-35,
};
#define ZETA_TERMS_LEN (sizeof(zeta_terms) / sizeof(zeta_terms[0]))

static const struct lz_dd slope_at_2 = {0x1.b0ee6072093cep-2, 0x1.6cb90701fbfabp-58};
static const struct lz_dd curve_at_2 = {0x1.4a34cc4a60fa6p-2, 0x1.1873d8912200cp-56};
static const struct lz_dd half_ln_2pi_less_half = {0x1.acfe390c97d69p-2, 0x1.3494bc9001442p-56};

// lgamma(2 + z) for |z| <= 1/2: (1 - gamma) z + (zeta(2) - 1) z^2 / 2 - ...
static struct lz_dd lgamma_near_2(double z)
{
    LZ_ASSERT(fabs(z) <= 0.5);
    double tail = 0.0;
    for (size_t i = ZETA_TERMS_LEN; i-- > 0;)
        tail = zeta_terms[i] - z * tail;
    struct lz_dd variable = {z, 0.0};
    struct lz_dd curve = lz_dd_add(curve_at_2, (struct lz_dd){-z * tail, 0.0});
    return lz_dd_mul(lz_dd_add(slope_at_2, lz_dd_mul(curve, variable)), variable);
}

static struct lz_dd log_of_product(struct lz_dd x)
{
    return lz_dd_add(lz_math_log_dd(x.hi), (struct lz_dd){x.lo / x.hi, 0.0});
}

// Stirling's series, for x >= 8: (x - 1/2) (ln x - 1) + (ln 2 pi - 1) / 2 + 1 / (12 x) - ...
static double lgamma_far(double x)
{
    double down = x > 0x1p100 ? 0x1p-100 : 1.0; // keeps the products in range
    double y = 1.0 / (x * x);
    double tail = 1.0 / 156 - y * (3617.0 / 122400 - y * (43867.0 / 244188));
    tail = 1.0 / 1680 - y * (1.0 / 1188 - y * (691.0 / 360360 - y * tail));
    tail = (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * tail))) / x;
    struct lz_dd log_less_1 = lz_dd_add(lz_math_log_dd(x), (struct lz_dd){-1.0, 0.0});
    struct lz_dd main_part = lz_dd_mul(lz_dd_sum(x * down, -0.5 * down), log_less_1);
    struct lz_dd rest = lz_dd_add(half_ln_2pi_less_half, (struct lz_dd){tail, 0.0});
    rest.hi *= down;
    rest.lo *= down;
    return lz_dd_add(main_part, rest).hi / down;
}

// Everything is led back to z in [-1/2, 1/2] by lgamma(x + 1) = lgamma(x) + ln x. Sums are
// carried as pairs, because lgamma has zeros at 1 and 2 and must be exact near them.
double lz_math_lgamma(double x)
{
    if (isnan(x) || isinf(x))
        return x;
    LZ_ASSERT(x > 0.0);
    if (x >= 8.0)
        return lgamma_far(x);
    if (x < 0.5) {
        struct lz_dd log_sum = log_of_product(lz_dd_sum(1.0, x));
        log_sum = lz_dd_add(log_sum, lz_math_log_dd(x));
        return lz_dd_add(lgamma_near_2(x), lz_dd_negate(log_sum)).hi;
    }
    if (x < 1.5)
        return lz_dd_add(lgamma_near_2(x - 1.0), lz_dd_negate(lz_math_log_dd(x))).hi;
    struct lz_dd product = {1.0, 0.0};
    for (; x > 2.5; x -= 1.0)
        product = lz_dd_mul(product, (struct lz_dd){x - 1.0, 0.0});
    return lz_dd_add(lgamma_near_2(x - 2.0), log_of_product(product)).hi;
}

static double ratio(const double up[8], const double down[8], double x)
{
    double a = up[7], b = down[7];
    for (int i = 6; i >= 0; i--) {
        a = a * x + up[i];
        b = b * x + down[i];
    }
    return a / b;
}

// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution",
// Applied Statistics 37, 1988; PPND16, about 1 part in 10^16.
double lz_math_normal_quantile(double p)
{
    static const double middle_up[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                        1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                        4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                        3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double middle_down[8] = {1.0,
                                          4.2313330701600911252e+1,
                                          6.8718700749205790830e+2,
                                          5.3941960214247511077e+3,
                                          2.1213794301586595867e+4,
                                          3.9307895800092710610e+4,
                                          2.8729085735721942674e+4,
                                          5.2264952788528545610e+3};
    static const double tail_up[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                      5.76949722146069140550e0,  3.64784832476320460504e0,
                                      1.27045825245236838258e0,  2.41780725177450611770e-1,
                                      2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double tail_down[8] = {1.0,
                                        2.05319162663775882187e0,
                                        1.67638483018380384940e0,
                                        6.89767334985100004550e-1,
                                        1.48103976427480074590e-1,
                                        1.51986665636164571966e-2,
                                        5.47593808499534494600e-4,
                                        1.05075007164441684324e-9};
    static const double far_up[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                     1.78482653991729133580e0,  2.96560571828504891230e-1,
                                     2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                     2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double far_down[8] = {1.0,
                                       5.99832206555887937690e-1,
                                       1.36929880922735805310e-1,
                                       1.48753612908506148525e-2,
                                       7.86869131145613259100e-4,
                                       1.84631831751005468180e-5,
                                       1.42151175831644588870e-7,
                                       2.04426310338993978564e-15};
    LZ_ASSERT(p > 0.0);
    LZ_ASSERT(p < 1.0);
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(middle_up, middle_down, 0.180625 - q * q);
    double r = sqrt(-lz_math_log(q < 0.0 ? p : 1.0 - p));
    double size = r <= 5.0 ? ratio(tail_up, tail_down, r - 1.6) : ratio(far_up, far_down, r - 5.0);
    return q < 0.0 ? -size : size;
}
