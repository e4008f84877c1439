/*
 * The elementary functions must be right to 1 ulp, and the same bits with every compiler.
 *
 * Method: right is checked against the C library's long double functions where those have
 * more digits (x87), over ranges where something changes: reduction, table, polynomial,
 * subnormals. The same is checked by hashes of results for fixed arguments, below.
 */
#include "base/math.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/dd.h"
#include "base/hash.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define POINTS 20000
#define INF ((double)INFINITY)

typedef double fn_1(double x);
typedef long double fn_1_long(long double x);
typedef double fn_2(double x, double y);
typedef long double fn_2_long(long double x, long double y);

// The i-th of the arguments from `from` to `to`, evenly but not regularly spread.
static double spread(unsigned i, double from, double to)
{
    double unit = (double)(lz_hash_mix(i, 77) >> 11) * 0x1p-53;
    return from + (to - from) * unit;
}

// |got - want| in units of the last place of `want`.
static double ulps(double got, long double want)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0.0 : INF;
    if ((double)want == got)
        return 0.0; // also both infinite
    if (isinf((double)want) || isinf(got))
        return INF;
    int exponent;
    frexpl(want, &exponent);
    if (exponent < DBL_MIN_EXP)
        exponent = DBL_MIN_EXP;
    return (double)(fabsl((long double)got - want) / ldexpl(1.0L, exponent - DBL_MANT_DIG));
}

// cmocka's own skip() is a failure to who reads its TAP.
static bool has_more_digits(void)
{
    if (LDBL_MANT_DIG < 64)
        print_message("# skipped: long double has no more digits than double here\n");
    return LDBL_MANT_DIG >= 64;
}

// POWERS: the arguments are 2^from to 2^to, of both signs.
enum scale { LINEAR, POWERS };

static const struct {
    const char *name;
    fn_1 *ours;
    fn_1_long *theirs;
    enum scale scale;
    double from, to;
} cases[] = {
    {"exp", lz_math_exp, expl, LINEAR, -745.2, 709.7},
    {"exp near 0", lz_math_exp, expl, LINEAR, -1, 1},
    {"exp to subnormal", lz_math_exp, expl, LINEAR, -745.2, -708},
    {"exp2", lz_math_exp2, exp2l, LINEAR, -1074, 1024},
    {"exp2 to subnormal", lz_math_exp2, exp2l, LINEAR, -1075, -1021},
    {"expm1", lz_math_expm1, expm1l, LINEAR, -40, 40},
    {"expm1 near 0", lz_math_expm1, expm1l, LINEAR, -0.01, 0.01},
    {"expm1 of powers", lz_math_expm1, expm1l, POWERS, -70, 9},
    {"log", lz_math_log, logl, LINEAR, 0, 1000},
    {"log near 1", lz_math_log, logl, LINEAR, 0.99, 1.01},
    {"log2", lz_math_log2, log2l, LINEAR, 0, 1000},
    {"log2 near 1", lz_math_log2, log2l, LINEAR, 0.99, 1.01},
    {"log10", lz_math_log10, log10l, LINEAR, 0, 1000},
    {"log10 near 1", lz_math_log10, log10l, LINEAR, 0.99, 1.01},
    {"log1p", lz_math_log1p, log1pl, LINEAR, -1, 3},
    {"log1p near 0", lz_math_log1p, log1pl, LINEAR, -0.01, 0.01},
    {"sin", lz_math_sin, sinl, LINEAR, -20, 20},
    {"sin of powers", lz_math_sin, sinl, POWERS, -40, 1023},
    {"cos", lz_math_cos, cosl, LINEAR, -20, 20},
    {"cos of powers", lz_math_cos, cosl, POWERS, -40, 1023},
    {"tan", lz_math_tan, tanl, LINEAR, -20, 20},
    {"tan of powers", lz_math_tan, tanl, POWERS, -40, 1023},
    {"asin", lz_math_asin, asinl, LINEAR, -1, 1},
    {"asin near 1", lz_math_asin, asinl, LINEAR, 0.9999, 1},
    {"acos", lz_math_acos, acosl, LINEAR, -1, 1},
    {"acos near 1", lz_math_acos, acosl, LINEAR, 0.9999, 1},
    {"atan", lz_math_atan, atanl, LINEAR, -4, 4},
    {"atan of powers", lz_math_atan, atanl, POWERS, -80, 80},
    {"lgamma", lz_math_lgamma, lgammal, LINEAR, 0, 20},
    {"lgamma near 1", lz_math_lgamma, lgammal, LINEAR, 0.999, 1.001},
    {"lgamma near 2", lz_math_lgamma, lgammal, LINEAR, 1.999, 2.001},
};

static double argument(size_t c, unsigned i)
{
    double x = spread(i, cases[c].from, cases[c].to);
    if (cases[c].scale == LINEAR)
        return x;
    return (i % 2 == 0 ? 1.0 : -1.0) * exp2(x);
}

static void functions_of_one_argument_are_right_to_one_ulp(void **state)
{
    (void)state;
    if (!has_more_digits())
        return;
    for (size_t c = 0; c < COUNT(cases); c++) {
        for (unsigned i = 0; i < POINTS; i++) {
            double x = argument(c, i);
            double off = ulps(cases[c].ours(x), cases[c].theirs((long double)x));
            if (!(off < 1.0))
                fail_msg("%s is off by %.2f ulp at %a", cases[c].name, off, x);
        }
    }
}

static void logarithms_of_all_magnitudes_are_right_to_one_ulp(void **state)
{
    (void)state;
    if (!has_more_digits())
        return;
    for (unsigned i = 0; i < POINTS; i++) {
        double x = ldexp(spread(i, 0.5, 1), (int)(i % 2098) - 1073);
        assert_true(ulps(lz_math_log(x), logl((long double)x)) < 1.0);
        assert_true(ulps(lz_math_log2(x), log2l((long double)x)) < 1.0);
        assert_true(ulps(lz_math_log10(x), log10l((long double)x)) < 1.0);
        assert_true(ulps(lz_math_log1p(x), log1pl((long double)x)) < 1.0);
    }
}

static void pow_is_right_to_one_ulp(void **state)
{
    (void)state;
    if (!has_more_digits())
        return;
    for (unsigned i = 0; i < POINTS; i++) {
        double x = exp(spread(i, -20, 20)), y = spread(i + POINTS, -30, 30);
        double near = 1.0 + spread(i, -1, 1) * exp2(-(double)(i % 40));
        double far = spread(i + POINTS, -1, 1) * 700.0 / (log(near) + 1e-300);
        assert_true(ulps(lz_math_pow(x, y), powl((long double)x, (long double)y)) < 1.0);
        // powl itself loses digits where the exponent is large.
        assert_true(ulps(lz_math_pow(near, far), powl((long double)near, (long double)far)) < 1.1);
    }
}

static void atan2_is_right_to_one_ulp(void **state)
{
    (void)state;
    if (!has_more_digits())
        return;
    for (unsigned i = 0; i < POINTS; i++) {
        double y = ldexp(spread(i, -1, 1), (int)(i % 90) - 45);
        double x = ldexp(spread(i + POINTS, -1, 1), (int)(i % 70) - 35);
        assert_true(ulps(lz_math_atan2(y, x), atan2l((long double)y, (long double)x)) < 1.0);
    }
}

static void assert_same(double got, double want)
{
    if (isnan(want))
        assert_true(isnan(got));
    else if (lz_dd_bits(got) != lz_dd_bits(want))
        fail_msg("got %a instead of %a", got, want);
}

static void functions_of_one_argument_keep_to_the_standard_at_the_edges(void **state)
{
    (void)state;
    const double none = (double)NAN, half_pi = 0x1.921fb54442d18p+0;
    const struct {
        fn_1 *fn;
        double at_zero, at_minus_zero, at_inf, at_minus_inf, at_two;
    } edges[] = {
        {lz_math_exp, 1, 1, INF, 0, 0x1.d8e64b8d4ddaep+2},
        {lz_math_exp2, 1, 1, INF, 0, 4},
        {lz_math_expm1, 0, -0.0, INF, -1, 0x1.98e64b8d4ddaep+2},
        {lz_math_log, -INF, -INF, INF, none, 0x1.62e42fefa39efp-1},
        {lz_math_log2, -INF, -INF, INF, none, 1},
        {lz_math_log10, -INF, -INF, INF, none, 0x1.34413509f79ffp-2},
        {lz_math_log1p, 0, -0.0, INF, none, 0x1.193ea7aad030bp+0},
        {lz_math_sin, 0, -0.0, none, none, 0x1.d18f6ead1b446p-1},
        {lz_math_cos, 1, 1, none, none, -0x1.aa22657537205p-2},
        {lz_math_tan, 0, -0.0, none, none, -0x1.17af62e0950f8p+1},
        {lz_math_asin, 0, -0.0, none, none, none},
        {lz_math_acos, half_pi, half_pi, none, none, none},
        {lz_math_atan, 0, -0.0, half_pi, -half_pi, 0x1.1b6e192ebbe44p+0},
    };
    for (size_t i = 0; i < COUNT(edges); i++) {
        assert_same(edges[i].fn(0.0), edges[i].at_zero);
        assert_same(edges[i].fn(-0.0), edges[i].at_minus_zero);
        assert_same(edges[i].fn(INF), edges[i].at_inf);
        assert_same(edges[i].fn(-INF), edges[i].at_minus_inf);
        assert_same(edges[i].fn(2.0), edges[i].at_two);
        assert_same(edges[i].fn(none), none);
    }
    assert_same(lz_math_exp(710.0), INF);
    assert_same(lz_math_exp(-746.0), 0.0);
    assert_same(lz_math_exp2(-1074.0), 0x1p-1074);
    assert_same(lz_math_log1p(-1.0), -INF);
    assert_same(lz_math_lgamma(1.0), 0.0);
    assert_same(lz_math_lgamma(2.0), 0.0);
    assert_same(lz_math_acos(-1.0), 2.0 * half_pi);
}

// Every pair of these; what the standard says is what the C library does here.
static const double edge_values[] = {
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    -1.0,
    2.0,
    -2.0,
    3.0,
    -3.0,
    1e300,
    -1e300,
    1e-300,
    -1e-300,
    0x1p-1074,
    -0x1p-1074,
    INF,
    -INF,
    0x1p53,
    0x1.fffffffffffffp52,
    -0x1.fffffffffffffp52,
    (double)NAN,
};

static void functions_of_two_arguments_keep_to_the_standard_at_the_edges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(edge_values); i++) {
        for (size_t j = 0; j < COUNT(edge_values); j++) {
            double x = edge_values[i], y = edge_values[j];
            assert_true(ulps(lz_math_pow(x, y), (long double)pow(x, y)) <= 1.0);
            assert_true(ulps(lz_math_atan2(x, y), (long double)atan2(x, y)) <= 1.0);
            assert_int_equal(signbit(lz_math_atan2(x, y)) != 0 && !isnan(x) && !isnan(y),
                             signbit(atan2(x, y)) != 0 && !isnan(x) && !isnan(y));
            if (!isnan(pow(x, y)))
                assert_int_equal(signbit(lz_math_pow(x, y)) != 0, signbit(pow(x, y)) != 0);
        }
    }
}

static void exact_results_are_exact(void **state)
{
    (void)state;
    double ten = 1.0;
    for (int i = 0; i <= 22; i++, ten *= 10.0) {
        assert_same(lz_math_pow(10.0, i), ten);
        assert_same(lz_math_log10(ten), i);
    }
    for (int i = -1074; i < 1024; i++) {
        assert_same(lz_math_exp2(i), ldexp(1.0, i));
        assert_same(lz_math_pow(2.0, i), ldexp(1.0, i));
        assert_same(lz_math_log2(ldexp(1.0, i)), i);
    }
    for (int i = 1; i < 1000; i++) {
        assert_same(lz_math_pow(i, 2.0), (double)i * i);
        assert_same(lz_math_pow((double)i * i, 0.5), i);
    }
}

static void the_normal_quantile_undoes_known_probabilities(void **state)
{
    (void)state;
    const struct {
        double p, x;
    } known[] = {
        {0.5, 0.0},
        {0.84134474606854293, 1.0},
        {0.975, 1.959963984540054},
        {0.99, 2.3263478740408408},
        {0.999, 3.0902323061678132},
        {1e-10, -6.3613409024040562},
        {1e-300, -37.047096299361199},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        double got = lz_math_normal_quantile(known[i].p);
        assert_true(fabs(got - known[i].x) <= 4e-16 * fabs(known[i].x));
    }
}

// The results for 1000 arguments of each case, hashed. If one of these differs, runs differ.
static const uint64_t hashes[COUNT(cases)] = {
    0xd1b4ad3bc02d7c4cu, 0x9933b85701392f96u, 0xb63a5842c605b876u, 0xf8f2c7796c353d01u,
    0xdc570436b87ebe05u, 0xdef8d5e4de015ed6u, 0xa495731e4e001cdau, 0xb043d5e29e48026fu,
    0x71ba41842acf8031u, 0x8f2554788e6d1f5fu, 0x0e20d770b9473c8du, 0x1770b875db4ae6d3u,
    0x75e3eb7ed5d9fcc4u, 0xc45ecd3b74925625u, 0xfe16841725bd1e8cu, 0x4b711b47d377c535u,
    0x5b99c9f12a52f36fu, 0xca41f15383c64957u, 0xec1ccb38a3fdf773u, 0xc2cf150a367d8bc5u,
    0x8289b3751171d4a0u, 0x2591ae475e2731adu, 0xe0b3f6f9227c1805u, 0x299e4f8b237dad70u,
    0x906e27fda5efcb36u, 0xb30b57f3a9f9f453u, 0x6f887f6bfee45585u, 0x2982fecfd2707f76u,
    0x2cd51f97cd608162u, 0xb54bb481b14b148bu, 0x8d2adbbead5beaecu,
};

static void every_machine_and_compiler_gets_the_same_bits(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        uint64_t hash = 0;
        for (unsigned i = 0; i < 1000; i++) {
            // Not argument(): exp2 is the C library's, which is what we do without.
            double x = spread(i, cases[c].from, cases[c].to);
            if (cases[c].scale == POWERS)
                x = ldexp(i % 2 == 0 ? 1.0 : -1.0, (int)x) * spread(i + 1000, 1, 2);
            hash = lz_hash_mix(hash, lz_dd_bits(cases[c].ours(x)));
        }
        if (hash != hashes[c])
            fail_msg("%s: 0x%016jx", cases[c].name, (uintmax_t)hash);
    }
}

static void pow_and_atan2_get_the_same_bits_everywhere(void **state)
{
    (void)state;
    uint64_t pows = 0, angles = 0;
    for (unsigned i = 0; i < 1000; i++) {
        double x = spread(i, 0, 100), y = spread(i + 1000, -100, 100);
        pows = lz_hash_mix(pows, lz_dd_bits(lz_math_pow(x, y)));
        angles = lz_hash_mix(angles, lz_dd_bits(lz_math_atan2(y, x - 50.0)));
    }
    assert_int_equal(pows, 0x1e2a2f2c5426698cu);
    assert_int_equal(angles, 0xcde0a93371067b48u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_argument_are_right_to_one_ulp),
        cmocka_unit_test(logarithms_of_all_magnitudes_are_right_to_one_ulp),
        cmocka_unit_test(pow_is_right_to_one_ulp),
        cmocka_unit_test(atan2_is_right_to_one_ulp),
        cmocka_unit_test(functions_of_one_argument_keep_to_the_standard_at_the_edges),
        cmocka_unit_test(functions_of_two_arguments_keep_to_the_standard_at_the_edges),
        cmocka_unit_test(exact_results_are_exact),
        cmocka_unit_test(the_normal_quantile_undoes_known_probabilities),
        cmocka_unit_test(every_machine_and_compiler_gets_the_same_bits),
        cmocka_unit_test(pow_and_atan2_get_the_same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
