/*
 * Each distribution must have the mean and the quantiles of its formula, and refuse
 * parameters that make no sense.
 *
 * Method: 100,000 draws with a fixed key, so nothing here is random. Shares below closed-form
 * quantiles may be off by four standard deviations; means, by four standard errors.
 */
#include "sim/dist.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define DRAWS 100000

static struct lz_dist make(enum lz_dist_kind kind, double a, double b)
{
    struct lz_dist dist;
    struct lz_err err = {0};
    if (!lz_dist_make(&dist, kind, a, b, &err))
        fail_msg("%s", err.msg);
    return dist;
}

static double draw_value(const struct lz_dist *dist, uint64_t i)
{
    struct lz_draw draw = lz_draw_begin(1, (uint64_t)dist->kind, LZ_PURPOSE_SERVICE, i);
    return lz_dist_value(dist, &draw);
}

static void assert_share_below(const struct lz_dist *dist, double limit, double share)
{
    double below = 0;
    for (uint64_t i = 0; i < DRAWS; i++)
        below += draw_value(dist, i) < limit;
    double off = fabs(below - DRAWS * share);
    if (!(off <= 4 * sqrt(DRAWS * share * (1 - share))))
        fail_msg("%s: share below %g is %g, not %g", lz_dist_name(dist->kind), limit, below / DRAWS,
                 share);
}

static void assert_mean_is_drawn(const struct lz_dist *dist)
{
    double sum = 0, squares = 0, mean = lz_dist_mean(dist);
    for (uint64_t i = 0; i < DRAWS; i++) {
        double x = draw_value(dist, i);
        assert_true(x >= 0);
        sum += x;
        squares += (x - mean) * (x - mean);
    }
    double error = sqrt(squares) / DRAWS;
    if (!(fabs(sum / DRAWS - mean) <= 4 * error + 1e-9 * mean))
        fail_msg("%s: mean of draws is %g, not %g", lz_dist_name(dist->kind), sum / DRAWS, mean);
}

static void shares_below_quantiles_are_right(void **state)
{
    (void)state;
    const struct {
        enum lz_dist_kind kind;
        double a, b, limit, share;
    } cases[] = {
        {LZ_DIST_UNIFORM, 10, 30, 15, 0.25},
        {LZ_DIST_EXPONENTIAL, 100, 0, 69.314718, 0.5},
        {LZ_DIST_EXPONENTIAL, 100, 0, 460.517019, 0.99},
        {LZ_DIST_NORMAL, 100, 10, 110, 0.841345},
        {LZ_DIST_NORMAL, 0, 10, 6.744898, 0.5}, // half of a normal: cut at zero
        {LZ_DIST_LOGNORMAL, 5, 80, 5, 0.5},
        {LZ_DIST_LOGNORMAL, 5, 80, 80, 0.99},
        {LZ_DIST_PARETO, 2, 1.5, 4, 0.646447},     // 1 - 2^-1.5
        {LZ_DIST_PARETO, 2, 1.5, 43.088694, 0.99}, // 2 * 100^(2/3)
        {LZ_DIST_WEIBULL, 10, 2, 10, 0.632121},
        {LZ_DIST_WEIBULL, 10, 0.5, 4.804530, 0.5}, // 10 * (ln 2)^2
        {LZ_DIST_GAMMA, 10, 1, 10, 0.632121},      // shape 1 is exponential
        {LZ_DIST_GAMMA, 20, 2, 20, 0.593994},      // 1 - 3 exp(-2)
        {LZ_DIST_GAMMA, 10, 0.5, 10, 0.682689},    // chi squared: P(|N| < 1)
        {LZ_DIST_ZIPF, 3, 1, 1.5, 0.545455},       // 1 : 1/2 : 1/3
        {LZ_DIST_ZIPF, 3, 1, 2.5, 0.818182},
        {LZ_DIST_ZIPF, 4, 0, 2.5, 0.5},            // no skew is uniform
        {LZ_DIST_ZIPF, 1000000, 2, 1.5, 0.607928}, // 6 / pi^2
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_dist dist = make(cases[i].kind, cases[i].a, cases[i].b);
        assert_share_below(&dist, cases[i].limit, cases[i].share);
    }
}

static void means_are_those_of_the_formula_and_of_the_draws(void **state)
{
    (void)state;
    const struct {
        enum lz_dist_kind kind;
        double a, b, mean;
    } cases[] = {
        {LZ_DIST_CONSTANT, 7, 0, 7},
        {LZ_DIST_UNIFORM, 10, 30, 20},
        {LZ_DIST_EXPONENTIAL, 100, 0, 100},
        {LZ_DIST_NORMAL, 100, 10, 100},
        {LZ_DIST_NORMAL, 0, 10, 7.978845608028654},
        {LZ_DIST_NORMAL, 10, 10, 12.876}, // 10 + 10 phi(1) / Phi(1)
        {LZ_DIST_LOGNORMAL, 5, 20, 5.971},
        {LZ_DIST_PARETO, 2, 3, 3},
        {LZ_DIST_WEIBULL, 10, 2, 8.862269254527580},
        {LZ_DIST_WEIBULL, 10, 0.5, 20},
        {LZ_DIST_GAMMA, 10, 0.5, 10},
        {LZ_DIST_GAMMA, 10, 20, 10},
        {LZ_DIST_ZIPF, 3, 1, 1.636363636},
        {LZ_DIST_ZIPF, 1e6, 0, 500000.5},
        {LZ_DIST_ZIPF, 1e6, 1, 69481.62},
        {LZ_DIST_ZIPF, 1, 3, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_dist dist = make(cases[i].kind, cases[i].a, cases[i].b);
        double mean = lz_dist_mean(&dist);
        if (!(fabs(mean - cases[i].mean) < 1e-3 * cases[i].mean))
            fail_msg("%s: mean is %.10g, not %.10g", lz_dist_name(dist.kind), mean, cases[i].mean);
        assert_mean_is_drawn(&dist);
    }
    struct lz_dist heavy = make(LZ_DIST_PARETO, 1, 1);
    assert_true(isinf(lz_dist_mean(&heavy)));
}

static struct lz_arena *make_arena(void)
{
    struct lz_arena *arena = NULL;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 1 << 20};
    if (!lz_arena_create(&opts, &arena, &err))
        fail_msg("%s", err.msg);
    return arena;
}

static void an_empirical_distribution_is_linear_between_its_points(void **state)
{
    (void)state;
    struct lz_arena *arena = make_arena();
    struct lz_err err = {0};
    struct lz_dist dist;
    const struct lz_dist_point points[] = {{0.1, 20}, {0.5, 40}, {0.9, 40}, {0.95, 240}};
    assert_true(lz_dist_make_table(&dist, LZ_DIST_EMPIRICAL, arena, points, 4, &err));
    double mean = 0.1 * 20 + 0.4 * 30 + 0.4 * 40 + 0.05 * 140 + 0.05 * 240;
    assert_true(fabs(lz_dist_mean(&dist) - mean) < 1e-9);
    assert_mean_is_drawn(&dist);
    assert_share_below(&dist, 20, 0);
    assert_share_below(&dist, 20.0001, 0.1);
    assert_share_below(&dist, 30, 0.3);
    assert_share_below(&dist, 40.0001, 0.9);
    assert_share_below(&dist, 140, 0.925);
    assert_share_below(&dist, 240, 0.95);
    assert_share_below(&dist, 240.0001, 1);
    lz_arena_destroy(arena);
}

static void a_hyperexponential_distribution_mixes_by_shares(void **state)
{
    (void)state;
    struct lz_arena *arena = make_arena();
    struct lz_err err = {0};
    struct lz_dist dist;
    const struct lz_dist_point points[] = {{0.9, 10}, {0.1, 1000}};
    assert_true(lz_dist_make_table(&dist, LZ_DIST_HYPEREXPONENTIAL, arena, points, 2, &err));
    assert_true(fabs(lz_dist_mean(&dist) - 109) < 1e-9);
    assert_mean_is_drawn(&dist);
    assert_share_below(&dist, 100, 0.9 * (1 - exp(-10)) + 0.1 * (1 - exp(-0.1)));
    lz_arena_destroy(arena);
}

static void bad_parameters_are_refused_with_their_value_and_limit(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const struct {
        enum lz_dist_kind kind;
        double a, b;
        const char *msg;
    } cases[] = {
        {LZ_DIST_CONSTANT, -1, 0, "constant: value must be at least 0, got -1"},
        {LZ_DIST_CONSTANT, 2e18, 0, "constant: value must be at most 1e+18, got 2e+18"},
        {LZ_DIST_UNIFORM, 5, 4, "uniform: to must be at least from (5), got 4"},
        {LZ_DIST_UNIFORM, -5, 4, "uniform: from must be at least 0, got -5"},
        {LZ_DIST_EXPONENTIAL, -2, 0, "exponential: mean must be at least 0, got -2"},
        {LZ_DIST_EXPONENTIAL, none, 0, "exponential: mean must be at least 0, got nan"},
        {LZ_DIST_NORMAL, -1, 1, "normal: mean must be at least 0, got -1"},
        {LZ_DIST_NORMAL, 1, -1, "normal: sd must be at least 0, got -1"},
        {LZ_DIST_LOGNORMAL, 0, 1, "lognormal: p50 must be greater than 0, got 0"},
        {LZ_DIST_LOGNORMAL, 5, 4, "lognormal: p99 must be at least p50 (5), got 4"},
        {LZ_DIST_PARETO, 0, 2, "pareto: min must be greater than 0, got 0"},
        {LZ_DIST_PARETO, 1, 0, "pareto: alpha must be from 0.1 to 1e+06, got 0"},
        {LZ_DIST_WEIBULL, 1, 2e6, "weibull: shape must be from 0.1 to 1e+06, got 2e+06"},
        {LZ_DIST_GAMMA, 1, none, "gamma: shape must be from 0.1 to 1e+06, got nan"},
        {LZ_DIST_ZIPF, 0, 1, "zipf: n must be a whole number from 1 to 1e+15, got 0"},
        {LZ_DIST_ZIPF, 2.5, 1, "zipf: n must be a whole number from 1 to 1e+15, got 2.5"},
        {LZ_DIST_ZIPF, 5, -1, "zipf: skew must be from 0 to 20, got -1"},
        {LZ_DIST_EMPIRICAL, 0, 0, "empirical takes a table"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_dist dist = {.kind = LZ_DIST_NONE};
        struct lz_err err = {0};
        assert_false(lz_dist_make(&dist, cases[i].kind, cases[i].a, cases[i].b, &err));
        assert_string_equal(err.msg, cases[i].msg);
        assert_int_equal(dist.kind, LZ_DIST_NONE);
    }
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    const struct {
        enum lz_dist_kind kind;
        size_t count;
        struct lz_dist_point points[2];
        const char *msg;
    } cases[] = {
        {LZ_DIST_EMPIRICAL, 1, {{0.5, 1}}, "empirical: needs at least 2 points, got 1"},
        {LZ_DIST_EMPIRICAL,
         LZ_DIST_POINTS_MAX + 1,
         {{0.5, 1}},
         "empirical: takes at most 65536 points, got 65537"},
        {LZ_DIST_EMPIRICAL,
         2,
         {{0.5, 1}, {1.5, 2}},
         "empirical: quantile must be from 0 to 1, got 1.5"},
        {LZ_DIST_EMPIRICAL,
         2,
         {{0.5, 1}, {0.5, 2}},
         "empirical: quantiles must rise, got 0.5 after 0.5"},
        {LZ_DIST_EMPIRICAL,
         2,
         {{0.5, 2}, {0.9, 1}},
         "empirical: values must not fall, got 1 after 2"},
        {LZ_DIST_EMPIRICAL,
         2,
         {{0.5, -2}, {0.9, 1}},
         "empirical: value must be at least 0, got -2"},
        {LZ_DIST_HYPEREXPONENTIAL, 0, {{0, 0}}, "hyperexponential: needs at least 1 points, got 0"},
        {LZ_DIST_HYPEREXPONENTIAL,
         2,
         {{0.5, 1}, {0.4, 2}},
         "hyperexponential: shares must add up to 1, got 0.9"},
        {LZ_DIST_HYPEREXPONENTIAL,
         2,
         {{1.5, 1}, {-0.5, 2}},
         "hyperexponential: share must be greater than 0, got -0.5"},
        {LZ_DIST_HYPEREXPONENTIAL,
         1,
         {{1, -1}},
         "hyperexponential: mean must be at least 0, got -1"},
    };
    struct lz_arena *arena = make_arena();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_dist dist = {.kind = LZ_DIST_NONE};
        struct lz_err err = {0};
        assert_false(
            lz_dist_make_table(&dist, cases[i].kind, arena, cases[i].points, cases[i].count, &err));
        assert_string_equal(err.msg, cases[i].msg);
        assert_int_equal(dist.kind, LZ_DIST_NONE);
    }
    assert_int_equal(lz_arena_used(arena), 0);
    lz_arena_destroy(arena);
}

static void times_are_rounded_half_up(void **state)
{
    (void)state;
    const struct {
        double value;
        lz_time time;
    } cases[] = {
        {0, 0},
        {0.49999999999999994, 0},
        {0.5, 1},
        {1.5, 2},
        {2.5, 3},
        {2.4, 2},
        {4503599627370497.5, 4503599627370498},
        {9007199254740993.0, 9007199254740992},
        {1e18, 1000000000000000000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_dist dist = make(LZ_DIST_CONSTANT, cases[i].value, 0);
        struct lz_draw draw = lz_draw_begin(1, 2, LZ_PURPOSE_SERVICE, 3);
        assert_int_equal(lz_dist_time(&dist, &draw), cases[i].time);
        assert_int_equal(draw.blocks, 0); // a constant takes no randomness
    }
}

static void durations_beyond_all_reason_are_cut(void **state)
{
    (void)state;
    struct lz_dist dist = make(LZ_DIST_PARETO, 1e18, 0.1);
    for (uint64_t i = 0; i < 100; i++) {
        struct lz_draw draw = lz_draw_begin(1, 2, LZ_PURPOSE_SERVICE, i);
        lz_time time = lz_dist_time(&dist, &draw);
        assert_true(time >= 1000000000000000000 && time <= LZ_DIST_TIME_MAX);
    }
}

static void every_machine_and_compiler_draws_the_same(void **state)
{
    (void)state;
    const struct lz_dist dists[] = {
        make(LZ_DIST_UNIFORM, 10, 3e9), make(LZ_DIST_EXPONENTIAL, 1e6, 0),
        make(LZ_DIST_NORMAL, 1e6, 8e5), make(LZ_DIST_LOGNORMAL, 1e6, 1e8),
        make(LZ_DIST_PARETO, 1e6, 1.2), make(LZ_DIST_WEIBULL, 1e6, 0.7),
        make(LZ_DIST_GAMMA, 1e6, 0.3),  make(LZ_DIST_GAMMA, 1e6, 30),
        make(LZ_DIST_ZIPF, 1e9, 0.99),  make(LZ_DIST_ZIPF, 1e4, 1),
    };
    uint64_t hash = 0;
    for (size_t i = 0; i < COUNT(dists); i++) {
        for (uint64_t j = 0; j < 10000; j++) {
            struct lz_draw draw = lz_draw_begin(7, i, LZ_PURPOSE_SERVICE, j);
            hash = lz_hash_mix(hash, (uint64_t)lz_dist_time(&dists[i], &draw));
        }
    }
    assert_int_equal(hash, 0xc5566569b9cf0c7cu);
}

// The short way of one draw is the long one; one in ninety is drawn slowly, and one in a few
// hundred beyond the last layer.
static void a_draw_in_one_go_is_the_same_draw(void **state)
{
    (void)state;
    const struct lz_dist dists[] = {make(LZ_DIST_EXPONENTIAL, 4e6, 0), make(LZ_DIST_GAMMA, 4e6, 2),
                                    lz_dist_constant(7), make(LZ_DIST_PARETO, 1e6, 1.5)};
    uint64_t slow = 0;
    for (size_t d = 0; d < COUNT(dists); d++)
        for (uint64_t i = 0; i < DRAWS / 10; i++) {
            struct lz_draw draw = lz_draw_begin(3, d, LZ_PURPOSE_SERVICE, i);
            lz_time time = lz_dist_time(&dists[d], &draw);
            assert_int_equal(lz_dist_time_once(&dists[d], 3, d, LZ_PURPOSE_SERVICE, i), time);
            slow += d == 0 && (draw.blocks > 1 || !draw.has_ready);
        }
    assert_true(slow > 50);
}

static void names_are_those_of_scenarios(void **state)
{
    (void)state;
    assert_string_equal(lz_dist_name(LZ_DIST_LOGNORMAL), "lognormal");
    assert_string_equal(lz_dist_name(LZ_DIST_EMPIRICAL), "empirical");
    struct lz_dist dist = lz_dist_constant(5 * LZ_MS);
    assert_true(lz_dist_mean(&dist) == 5e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_below_quantiles_are_right),
        cmocka_unit_test(means_are_those_of_the_formula_and_of_the_draws),
        cmocka_unit_test(an_empirical_distribution_is_linear_between_its_points),
        cmocka_unit_test(a_hyperexponential_distribution_mixes_by_shares),
        cmocka_unit_test(bad_parameters_are_refused_with_their_value_and_limit),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(times_are_rounded_half_up),
        cmocka_unit_test(durations_beyond_all_reason_are_cut),
        cmocka_unit_test(every_machine_and_compiler_draws_the_same),
        cmocka_unit_test(a_draw_in_one_go_is_the_same_draw),
        cmocka_unit_test(names_are_those_of_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
