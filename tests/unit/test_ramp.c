/*
 * While a ramp rises, parameters lie on the straight line from nothing to what was asked for;
 * what has no magnitude, or was not given, stays as it is.
 */
#include "fault/ramp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, add)},
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, ratio)},
    {.name = "factor",
     .type = LZ_PARAM_NUMBER,
     .ramp = LZ_RAMP_FROM_1,
     .offset = offsetof(struct lz_fault_params, factor)},
    {.name = "cores",
     .type = LZ_PARAM_NUMBER,
     .ramp = LZ_RAMP_FROM_MAX,
     .offset = offsetof(struct lz_fault_params, cores)},
    {.name = "load", .type = LZ_PARAM_RATIO, .offset = offsetof(struct lz_fault_params, load)},
    {0},
};
static const struct lz_fault_kind kind = {.name = "test", .params = params};

static void parameters_lie_on_a_straight_line(void **state)
{
    (void)state;
    static const struct {
        double share, ratio, factor, cores, add;
    } rows[] = {
        {0.125, 0.0625, 1.5, 32, 1e6},
        {0.5, 0.25, 3, 8, 4e6},
        {1.0, 0.5, 5, 4, 8e6},
    };
    struct lz_fault_params full = {
        .add = lz_dist_constant(8 * LZ_MS), .ratio = 0.5, .factor = 5, .cores = 4, .load = 0.75};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_fault_params at;
        lz_ramp_at(&kind, &full, rows[i].share, NULL, &at);
        assert_true(at.ratio == rows[i].ratio && at.factor == rows[i].factor);
        assert_true(at.cores == rows[i].cores && at.add.a == rows[i].add);
        assert_true(at.load == 0.75);
    }
}

static void what_was_not_given_does_not_grow(void **state)
{
    (void)state;
    struct lz_fault_params none = {.load = 0.5}, at;
    assert_false(lz_ramp_has(&kind, &none));
    lz_ramp_at(&kind, &none, 0.5, NULL, &at);
    assert_true(at.factor == 0 && at.cores == 0 && at.add.kind == LZ_DIST_NONE && at.load == 0.5);
    none.ratio = 0.25;
    assert_true(lz_ramp_has(&kind, &none));
}

// Two parameters of time scale both, a shape stays; a table is scaled point by point.
static void a_distribution_keeps_its_shape(void **state)
{
    (void)state;
    struct lz_arena *arena;
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 1 << 20}, &arena, &err));
    static const struct {
        enum lz_dist_kind kind;
        double a, b, want_a, want_b;
    } rows[] = {
        {LZ_DIST_UNIFORM, 10, 30, 5, 15},   {LZ_DIST_EXPONENTIAL, 10, 0, 5, 0},
        {LZ_DIST_LOGNORMAL, 10, 90, 5, 45}, {LZ_DIST_PARETO, 10, 3, 5, 3},
        {LZ_DIST_GAMMA, 10, 4, 5, 4},       {LZ_DIST_WEIBULL, 10, 2, 5, 2},
        {LZ_DIST_NORMAL, 10, 1, 5, 0.5},    {LZ_DIST_ZIPF, 10, 1, 10, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_dist full, half;
        assert_true(lz_dist_make(&full, rows[i].kind, rows[i].a, rows[i].b, &err));
        lz_dist_scale(&half, &full, 0.5, arena);
        assert_true(half.a == rows[i].want_a && half.b == rows[i].want_b);
    }
    static const struct lz_dist_point points[] = {{0.5, 20}, {1.0, 60}};
    struct lz_dist full, half;
    assert_true(lz_dist_make_table(&full, LZ_DIST_EMPIRICAL, arena, points, 2, &err));
    lz_dist_scale(&half, &full, 0.5, arena);
    assert_true(half.points[1].at == 1.0 && half.points[1].value == 30 &&
                full.points[1].value == 60);
    lz_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_lie_on_a_straight_line),
        cmocka_unit_test(what_was_not_given_does_not_grow),
        cmocka_unit_test(a_distribution_keeps_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
