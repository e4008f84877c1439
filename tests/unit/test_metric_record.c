/*
 * The record of metrics, and several windows judged as one. Values are exact: counts and times are
 * chosen so that every mean, rate and ratio is a number that binary fractions hold.
 *
 * Method: a rig feeds one counter pair, one gauge and one histogram; `second` closes windows.
 * The record is compared with what was fed, second by second, at every width.
 */
#include "sim/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"

enum { RATE, RATIO, TOTAL, LEVEL, MEAN, MAX, P50, VIEWS };

struct rig {
    struct lz_arena *arena;
    struct lz_metrics *m;
    lz_series done, failed, gauge, hist;
    lz_metric id[VIEWS];
    lz_time now;
};

static int make(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.slot = 0}, &r->arena, &err));
    r->m = lz_metrics_create(r->arena);
    r->done = lz_metrics_counter(r->m);
    r->failed = lz_metrics_counter(r->m);
    r->gauge = lz_metrics_gauge(r->m, 4.0);
    r->hist = lz_metrics_hist(r->m);
    const struct lz_metric_def defs[VIEWS] = {
        {.name = "rate", .view = LZ_VIEW_RATE, .unit = LZ_UNIT_RATE, .a = r->done},
        {.name = "ratio",
         .view = LZ_VIEW_RATIO,
         .unit = LZ_UNIT_RATIO,
         .a = r->failed,
         .b = r->done},
        {.name = "total", .view = LZ_VIEW_TOTAL, .a = r->done},
        {.name = "level", .view = LZ_VIEW_LEVEL, .a = r->gauge},
        {.name = "mean", .view = LZ_VIEW_MEAN, .unit = LZ_UNIT_SECONDS, .a = r->hist},
        {.name = "max", .view = LZ_VIEW_MAX, .unit = LZ_UNIT_SECONDS, .a = r->hist},
        {.name = "p50", .view = LZ_VIEW_QUANTILE, .a = r->hist, .q = 0.5},
    };
    for (int i = 0; i < VIEWS; i++)
        r->id[i] = lz_metrics_define(r->m, 1, &defs[i]);
    *state = r;
    return 0;
}

static int unmake(void **state)
{
    struct rig *r = *state;
    lz_arena_destroy(r->arena);
    free(r);
    return 0;
}

static void second(struct rig *r)
{
    r->now += LZ_S;
    lz_metrics_roll(r->m, r->now);
}

static void seconds(struct rig *r, int n)
{
    while (n-- > 0)
        second(r);
}

static void keep(struct rig *r, uint32_t windows)
{
    for (int i = 0; i < VIEWS; i++)
        lz_metrics_keep(r->m, r->id[i], windows);
}

static void expect(struct lz_sample s, double value, uint64_t count)
{
    assert_true(s.present);
    assert_true(s.value == value);
    assert_true(s.low == value && s.high == value);
    assert_int_equal(s.count, count);
}

static void expect_level(struct lz_sample s, double value, double low, double high)
{
    assert_true(s.present);
    assert_true(s.value == value);
    assert_true(s.low == low);
    assert_true(s.high == high);
}

static struct lz_sample window(const struct rig *r, int view, uint32_t over)
{
    return lz_metrics_window(r->m, r->id[view], over);
}

static struct lz_sample whole(const struct rig *r, int view)
{
    return lz_metrics_whole(r->m, r->id[view]);
}

static struct lz_sample stored(const struct rig *r, int view, size_t i)
{
    return lz_metrics_stored(r->m, r->id[view], i);
}

static void several_windows_are_judged_as_one(void **state)
{
    struct rig *r = *state;
    keep(r, 4);
    static const uint64_t done[] = {8, 0, 24, 16, 0, 0};
    static const double rate[] = {8, 4, 32.0 / 3, 12, 10, 10};
    static const uint64_t over_four[] = {8, 8, 32, 48, 40, 40};
    for (size_t i = 0; i < 6; i++) {
        lz_metrics_add(r->m, r->done, done[i]);
        lz_metrics_add(r->m, r->failed, done[i] / 8);
        for (uint64_t n = 0; n < done[i]; n++)
            lz_metrics_observe(r->m, r->hist, (int64_t)(10 * i + n));
        lz_metrics_set(r->m, r->gauge, r->now, (double)done[i]);
        second(r);
        expect(window(r, RATE, 4), rate[i], over_four[i]);
        expect(window(r, RATIO, 4), 0.125, over_four[i]);
        assert_int_equal(window(r, MEAN, 4).count, over_four[i]);
    }
    expect(window(r, MAX, 4), 45.0 / 1e9, 40); // of the fourth second: 30 .. 45
    expect(window(r, P50, 4), 34.0, 40);       // 20 .. 43 and 30 .. 45
    expect_level(window(r, LEVEL, 4), 10.0, 0.0, 24.0);
    second(r);
    expect(window(r, RATE, 4), 4.0, 16);
    expect(window(r, P50, 4), 37.0, 16);
    expect_level(window(r, LEVEL, 4), 4.0, 0.0, 24.0); // it stood at 24 when the first began
    seconds(r, 3);
    expect(window(r, RATE, 4), 0.0, 0);
    assert_false(window(r, RATIO, 4).present);
    assert_false(window(r, P50, 4).present);
    expect_level(window(r, LEVEL, 4), 0.0, 0.0, 0.0);
}

static void whole_run_values_end_at_the_last_roll(void **state)
{
    struct rig *r = *state;
    lz_metrics_add(r->m, r->done, 8);
    seconds(r, 8);
    lz_metrics_set(r->m, r->gauge, r->now, 400.0); // after a long rest
    lz_metrics_add(r->m, r->done, 100);
    lz_metrics_add(r->m, r->failed, 100);
    lz_metrics_observe(r->m, r->hist, 1);
    expect_level(whole(r, LEVEL), 4.0, 4.0, 4.0);
    expect(whole(r, RATE), 1.0, 8);
    expect(whole(r, RATIO), 0.0, 8);
    expect(whole(r, TOTAL), 108.0, 1); // up to now
    assert_int_equal(lz_metrics_total(r->m, r->done), 108);
    assert_false(whole(r, P50).present);
    second(r);
    expect_level(whole(r, LEVEL), (8 * 4.0 + 400.0) / 9, 4.0, 400.0);
}

static void a_series_made_late_counts_as_if_it_had_been_there(void **state)
{
    struct rig *r = *state;
    seconds(r, 2);
    lz_metrics_begin(r->m, r->now);
    seconds(r, 2);
    lz_series late = lz_metrics_gauge(r->m, 1.0);
    lz_metric id = lz_metrics_define(
        r->m, 2, &(struct lz_metric_def){.name = "level", .view = LZ_VIEW_LEVEL, .a = late});
    seconds(r, 2);
    expect_level(lz_metrics_whole(r->m, id), 1.0, 1.0, 1.0);
    lz_metrics_set(r->m, late, r->now, 5.0);
    seconds(r, 4);
    expect_level(lz_metrics_whole(r->m, id), 3.0, 1.0, 5.0);
    expect_level(lz_metrics_stored(r->m, id, 0), 1.0, 1.0, 1.0);
}

#define FED 20000

// What was fed in a second, from its number alone; most seconds are idle.
static uint64_t fed(uint32_t second_number)
{
    uint64_t r = lz_hash_mix(5, second_number);
    return second_number % 97 < 60 || r % 3 == 0 ? 0 : r >> 8 & 15;
}

static void feed(struct rig *r, uint32_t i)
{
    uint64_t n = fed(i);
    if (n == 0)
        return;
    lz_metrics_add(r->m, r->done, n);
    lz_metrics_add(r->m, r->failed, n / 4);
    for (uint64_t k = 0; k < n; k++)
        lz_metrics_observe(r->m, r->hist, (int64_t)(n * 8 + k));
    lz_metrics_set(r->m, r->gauge, r->now + LZ_S / 2, (double)n);
}

// A window of the record must be what was fed in the seconds from .. to - 1.
static void check_stored(const struct rig *r, size_t i, uint32_t from, uint32_t to)
{
    double level = 4.0, sum = 0.0, low, high;
    uint64_t before = 0, done = 0, failed = 0, max = 0;
    for (uint32_t s = 0; s < from; s++) {
        before += fed(s);
        level = fed(s) != 0 ? (double)fed(s) : level;
    }
    low = high = level;
    for (uint32_t s = from; s < to; s++) {
        uint64_t n = fed(s);
        done += n;
        failed += n / 4;
        max = n != 0 && n * 8 + n - 1 > max ? n * 8 + n - 1 : max;
        double next = n != 0 ? (double)n : level;
        sum += (level + next) / 2;
        level = next;
        low = level < low ? level : low;
        high = level > high ? level : high;
    }
    expect(stored(r, TOTAL, i), (double)(before + done), 1);
    expect(stored(r, RATE, i), (double)done / (double)(to - from), done);
    assert_int_equal(stored(r, RATIO, i).present, done > 0);
    assert_int_equal(stored(r, MAX, i).present, done > 0);
    if (done > 0) {
        expect(stored(r, RATIO, i), (double)failed / (double)done, done);
        expect(stored(r, MAX, i), (double)max / 1e9, done);
    }
    struct lz_sample s = stored(r, LEVEL, i);
    double mean = sum / (double)(to - from);
    assert_true(s.value >= mean - 1e-9 && s.value <= mean + 1e-9);
    assert_true(s.low == low && s.high == high);
}

static void check_record(const struct rig *r, uint32_t closed)
{
    size_t windows = lz_metrics_windows(r->m, r->id[RATE]);
    uint32_t width = (uint32_t)(lz_metrics_width(r->m) / LZ_S);
    assert_true(windows <= LZ_METRIC_WINDOWS_MAX);
    assert_int_equal(windows, (closed + width - 1) / width);
    for (size_t i = 0; i < windows; i += i + 50 < windows ? 37 : 1) {
        uint32_t from = (uint32_t)i * width, to = from + width;
        check_stored(r, i, from, to < closed ? to : closed);
    }
}

static void the_record_doubles_its_width_and_loses_nothing(void **state)
{
    struct rig *r = *state;
    static const uint32_t stops[] = {1, 100, 4096, 4097, 4098, 8192, 8193, 9001, 16385, 16387, FED};
    static const uint32_t widths[] = {1, 1, 1, 2, 2, 2, 4, 4, 8, 8, 8};
    uint32_t i = 0;
    for (size_t k = 0; k < sizeof(stops) / sizeof(stops[0]); k++) {
        for (; i < stops[k]; i++) {
            feed(r, i);
            second(r);
        }
        assert_int_equal(lz_metrics_width(r->m), widths[k] * LZ_S);
        check_record(r, i);
    }
    assert_int_equal(whole(r, P50).count, lz_metrics_total(r->m, r->done));
}

static void a_long_run_takes_no_more_memory_than_a_short_one(void **state)
{
    struct rig *r = *state;
    size_t used = 0;
    for (uint32_t i = 0; i < 4 * LZ_METRIC_WINDOWS_MAX; i++) {
        lz_metrics_add(r->m, r->done, 1);
        lz_metrics_set(r->m, r->gauge, r->now, (double)(i % 7));
        lz_metrics_observe(r->m, r->hist, (int64_t)(i % 5));
        second(r);
        if (i + 1 == LZ_METRIC_WINDOWS_MAX)
            used = lz_arena_used(r->arena);
    }
    assert_in_range(lz_arena_used(r->arena), 0, used + 2048); // and a place to add up
}

static void idle_series_cost_nothing(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 1000; i++) {
        lz_metrics_counter(r->m);
        lz_metrics_gauge(r->m, 1.0);
        lz_metrics_hist(r->m);
    }
    size_t used = lz_arena_used(r->arena);
    seconds(r, 4000);
    assert_int_equal(lz_arena_used(r->arena), used);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        TEST(several_windows_are_judged_as_one),
        TEST(whole_run_values_end_at_the_last_roll),
        TEST(a_series_made_late_counts_as_if_it_had_been_there),
        TEST(the_record_doubles_its_width_and_loses_nothing),
        TEST(a_long_run_takes_no_more_memory_than_a_short_one),
        TEST(idle_series_cost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
