/*
 * A shape must put arrivals where its area says, to the nanosecond, and a Poisson process on it
 * must have the shape's mean in every stretch and the Poisson's variance.
 *
 * Method: instants that arithmetic gives exactly; area and its inverse against each other over
 * many starts; and counts of drawn arrivals by stretch, with a fixed key and four standard
 * deviations of room.
 */
#include "sim/shape.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/draw.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

static struct lz_arena *arena;

static int set_up(void **state)
{
    (void)state;
    struct lz_err err;
    return lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 16 * MIB}, &arena, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

static struct lz_shape pieces(const struct lz_shape_point *points, size_t count, lz_time period)
{
    struct lz_shape s;
    struct lz_err err = {0};
    if (!lz_shape_pieces(&s, arena, points, count, period, &err))
        fail_msg("%s", err.msg);
    return s;
}

static struct lz_shape sine(double mean, double amplitude, lz_time period)
{
    struct lz_shape s;
    struct lz_err err = {0};
    if (!lz_shape_sine(&s, mean, amplitude, period, &err))
        fail_msg("%s", err.msg);
    return s;
}

// 10/s to 30/s within 20 s, then level; bursts of 5 s every 20 s; two minutes of a recording.
static const struct lz_shape_point ramp_points[] = {{0, 10, 1}, {20 * LZ_S, 30, 0}};
static const struct lz_shape_point down_points[] = {{0, 10, -1}, {10 * LZ_S, 0, 0}};
static const struct lz_shape_point burst_points[] = {{0, 50, 0}, {5 * LZ_S, 2, 0}};
static const struct lz_shape_point gap_points[] = {
    {10 * LZ_S, 4, 0}, {20 * LZ_S, 0, 0}, {40 * LZ_S, 1, 0}, {60 * LZ_S, 0, 0}};
static const struct lz_shape_point dip_points[] = {
    {0, 4, 0}, {20 * LZ_S, 0, 0}, {40 * LZ_S, 0, 0.5}, {60 * LZ_S, 10, -0.5}};

static void areas_are_reached_when_arithmetic_says(void **state)
{
    (void)state;
    struct lz_shape ramp = pieces(ramp_points, COUNT(ramp_points), 0);
    struct lz_shape down = pieces(down_points, COUNT(down_points), 0);
    struct lz_shape burst = pieces(burst_points, COUNT(burst_points), 20 * LZ_S);
    struct lz_shape gap = pieces(gap_points, COUNT(gap_points), 0);
    struct lz_shape flat, none;
    struct lz_err err;
    assert_true(lz_shape_constant(&flat, 4, &err) && lz_shape_constant(&none, 0, &err));
    const struct {
        const struct lz_shape *shape;
        lz_time from;
        double area;
        lz_time want;
    } cases[] = {
        {&flat, 3 * LZ_S, 1, 3250 * LZ_MS},
        {&none, 0, 1, LZ_FOREVER},
        {&ramp, 0, 400, 20 * LZ_S}, // (10 + 30) / 2 x 20
        {&ramp, 0, 60, 4832396974}, // -10 + sqrt(100 + 120)
        {&ramp, 10 * LZ_S, 250, 20 * LZ_S},
        {&ramp, 0, 430, 21 * LZ_S},
        {&ramp, 90 * LZ_S, 30, 91 * LZ_S},
        {&down, 0, 50, 10 * LZ_S}, // all there is
        {&down, 0, 42, 6 * LZ_S},  // 10 x 6 - 18
        {&down, 0, 50.001, LZ_FOREVER},
        {&burst, 0, 250, 5 * LZ_S},
        {&burst, 0, 280, 20 * LZ_S}, // a whole turn
        {&burst, 0, 280 * 1000.0 + 100, 20002 * LZ_S},
        {&burst, 19 * LZ_S, 2 + 50, 21 * LZ_S},
        {&gap, 0, 2, 10500 * LZ_MS}, // nothing before the first point
        {&gap, 0, 40, 20 * LZ_S},
        {&gap, 0, 41, 41 * LZ_S}, // over the gap
        {&gap, 0, 61, LZ_FOREVER},
        {&gap, 100 * LZ_S, 1e-9, LZ_FOREVER},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(lz_shape_after(cases[i].shape, cases[i].from, cases[i].area),
                         cases[i].want);
}

// Area and instant are each other's inverse, up to half a nanosecond at the rate there.
static void area_and_instant_undo_each_other(void **state)
{
    (void)state;
    const struct lz_shape shapes[] = {
        pieces(ramp_points, COUNT(ramp_points), 0),
        pieces(burst_points, COUNT(burst_points), 20 * LZ_S),
        pieces(dip_points, COUNT(dip_points), 70 * LZ_S + 1),
        sine(100, 50, 3600 * LZ_S),
        sine(100, 100, 60 * LZ_S), // touches zero
        sine(1e6, 999999, LZ_S),
        sine(0.001, 0.0005, 86400 * LZ_S),
    };
    for (size_t k = 0; k < COUNT(shapes); k++) {
        for (uint64_t i = 0; i < 2000; i++) {
            struct lz_draw draw = lz_draw_begin(7, k, LZ_PURPOSE_ARRIVAL, i);
            lz_time from = (lz_time)(lz_draw_unit(&draw) * 200 * LZ_S);
            double area = lz_draw_exponential(&draw) * (i % 3 == 0 ? 1000 : 1);
            lz_time to = lz_shape_after(&shapes[k], from, area);
            double got = lz_shape_area(&shapes[k], from, to), rate = lz_shape_rate(&shapes[k], to);
            if (!(fabs(got - area) <= 1e-9 * rate + 1e-8 * area + 1e-7))
                fail_msg("shape %zu from %lld: area %.12g, want %.12g", k, (long long)from, got,
                         area);
        }
    }
}

// Counts in stretches of the sine of Eick, Massey and Whitt (1993), many days of it.
static void poisson_arrivals_have_the_mean_and_the_variance_of_the_shape(void **state)
{
    (void)state;
    struct lz_shape shape = sine(100.0 / 60, 50.0 / 60, 3600 * LZ_S);
    enum { PARTS = 12, DAYS = 400 };
    double sum[PARTS] = {0}, squares[PARTS] = {0}, days[PARTS] = {0};
    lz_time now = 0, width = 3600 * LZ_S / PARTS;
    uint64_t arrivals = 0;
    uint32_t counts[PARTS] = {0};
    for (lz_time day = 0; day < DAYS;) {
        struct lz_draw draw = lz_draw_begin(1, 5, LZ_PURPOSE_ARRIVAL, ++arrivals);
        now = lz_shape_after(&shape, now, lz_draw_exponential(&draw));
        for (; now / (3600 * LZ_S) > day && day < DAYS; day++) {
            for (int p = 0; p < PARTS; p++) {
                sum[p] += counts[p];
                squares[p] += (double)counts[p] * counts[p];
                days[p]++;
                counts[p] = 0;
            }
        }
        counts[now % (3600 * LZ_S) / width]++;
    }
    for (int p = 0; p < PARTS; p++) {
        double want = lz_shape_area(&shape, p * width, (p + 1) * width);
        double mean = sum[p] / days[p], variance = squares[p] / days[p] - mean * mean;
        assert_true(fabs(mean - want) <= 4 * sqrt(want / DAYS));
        // The variance of a sample variance of a Poisson count is (m + 2 m^2) / n.
        assert_true(fabs(variance - want) <= 4 * sqrt((want + 2 * want * want) / DAYS));
    }
}

static void rates_are_read_off_the_shape(void **state)
{
    (void)state;
    struct lz_shape ramp = pieces(ramp_points, COUNT(ramp_points), 0);
    struct lz_shape gap = pieces(gap_points, COUNT(gap_points), 0);
    struct lz_shape wave = sine(100, 50, 8 * LZ_S);
    assert_true(lz_shape_rate(&ramp, 5 * LZ_S) == 15 && lz_shape_rate(&ramp, 25 * LZ_S) == 30);
    assert_true(lz_shape_rate(&gap, 9 * LZ_S) == 0 && lz_shape_rate(&gap, 41 * LZ_S) == 1);
    assert_true(lz_shape_rate(&wave, 2 * LZ_S) == 150 && lz_shape_rate(&wave, 8 * LZ_S) == 100);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    const struct {
        struct lz_shape_point points[2];
        size_t count;
        lz_time period;
        const char *says;
    } cases[] = {
        {{{0, 1, 0}}, 0, 0, "from 1 to"},
        {{{0, 2e9, 0}}, 1, 0, "got 2e+09/s"},
        {{{0, -1, 0}}, 1, 0, "got -1/s"},
        {{{0, (double)NAN, 0}}, 1, 0, "a rate must be"},
        {{{0, 1, 1}}, 1, 0, "the last point must be level"},
        {{{0, 1, -1}, {2 * LZ_S, 0, 0}}, 2, 0, "got -1/s"},
        {{{5, 1, 0}, {5, 2, 0}}, 2, 0, "later than the one before"},
        {{{5, 1, 0}}, 1, 10, "begins with a point at 0s"},
        {{{0, 1, 0}, {20, 2, 0}}, 2, 10, "later than the one before"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_shape s;
        struct lz_err err = {0};
        assert_false(
            lz_shape_pieces(&s, arena, cases[i].points, cases[i].count, cases[i].period, &err));
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu says: %s", i, err.msg);
    }
    struct lz_shape s;
    struct lz_err err;
    assert_false(lz_shape_constant(&s, -1, &err));
    assert_false(lz_shape_sine(&s, 10, 11, LZ_S, &err));
    assert_false(lz_shape_sine(&s, 10, 5, 0, &err));
    assert_false(lz_shape_sine(&s, 9e8, 9e8, LZ_S, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_are_reached_when_arithmetic_says),
        cmocka_unit_test(area_and_instant_undo_each_other),
        cmocka_unit_test(poisson_arrivals_have_the_mean_and_the_variance_of_the_shape),
        cmocka_unit_test(rates_are_read_off_the_shape),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
