/*
 * A share is counted in whole things and given as a part of so many. Its windows must be those of
 * a gauge that is told each level.
 *
 * Method: a script of moves, each in the short form of a row, is fed to a share and, as levels, to
 * a gauge beside it. Levels are binary fractions of few digits, so that both sums are exact and
 * equality needs no tolerance; where they are any numbers, the last digits may differ.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "sim/metric.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MS ((int64_t)1000000)

enum how { END, ENTER, LEAVE, BE, MOVE, WHOLE, SET };

struct move {
    int64_t at; // ms
    enum how how;
    double by;
};

struct pair {
    struct lz_arena *arena;
    struct lz_metrics *m;
    lz_series share, gauge;
    lz_metric share_id, gauge_id;
    double there, whole;
};

static lz_metric define(struct lz_metrics *m, const char *name, lz_series s)
{
    lz_metric id =
        lz_metrics_define(m, 1,
                          &(struct lz_metric_def){
                              .name = name, .view = LZ_VIEW_LEVEL, .unit = LZ_UNIT_RATIO, .a = s});
    lz_metrics_keep(m, id, 3);
    return id;
}

static struct pair make(double whole)
{
    struct pair p = {.whole = whole};
    struct lz_err err = {0};
    if (!lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 64 << 20}, &p.arena, &err))
        fail_msg("%s", err.msg);
    p.m = lz_metrics_create(p.arena);
    p.share = lz_metrics_share(p.m, whole);
    p.gauge = lz_metrics_gauge(p.m, 0.0);
    p.share_id = define(p.m, "share", p.share);
    p.gauge_id = define(p.m, "gauge", p.gauge);
    return p;
}

static void apply(struct pair *p, const struct move *move)
{
    lz_time now = move->at * MS;
    struct lz_series_face *face = lz_metrics_series(p->m, p->share, LZ_WINDOW_GAUGE);
    switch (move->how) {
    case ENTER:
        lz_metrics_enter_on(p->m, face, now, (uint32_t)move->by);
        p->there += move->by;
        break;
    case LEAVE:
        lz_metrics_leave_on(p->m, face, now, (uint32_t)move->by);
        p->there -= move->by;
        break;
    case BE:
        lz_metrics_count_on(p->m, face, now, (int64_t)move->by);
        p->there = move->by;
        break;
    case MOVE:
        lz_metrics_move_share(p->m, p->share, now, move->by);
        p->there += move->by;
        break;
    case WHOLE:
        lz_metrics_set_whole(p->m, p->share, now, move->by);
        p->whole = move->by;
        break;
    case SET:
        lz_metrics_set(p->m, p->share, now, move->by);
        p->there = move->by * p->whole;
        break;
    case END:
        break;
    }
    lz_metrics_set(p->m, p->gauge, now, p->there / p->whole);
}

static void assert_same(struct lz_sample a, struct lz_sample b)
{
    assert_int_equal(a.present, b.present);
    assert_true(a.value == b.value);
    assert_true(a.low == b.low);
    assert_true(a.high == b.high);
}

static const struct {
    double whole;
    struct move moves[12];
    double mean[3], low[3], high[3]; // of its seconds
} rows[] = {
    // Whole things that come and go.
    {4,
     {{250, ENTER, 2}, {750, LEAVE, 1}, {1500, ENTER, 3}, {2000, BE, 2}, {2250, BE, 2}},
     {0.3125, 0.625, 0.5},
     {0, 0.25, 0.5},
     {0.5, 1, 1}},
    // A part of one, which becomes a whole thing, and is gone with it.
    {2,
     {{250, MOVE, 0.5}, {500, ENTER, 1}, {1000, MOVE, 0.5}, {1500, LEAVE, 1}, {2500, MOVE, -1}},
     {0.4375, 0.75, 0.25},
     {0, 0.5, 0},
     {0.75, 1, 0.5}},
    // There are twice as many places, then fewer.
    {2,
     {{0, ENTER, 1}, {500, WHOLE, 4}, {1250, ENTER, 1}, {1500, WHOLE, 2}, {2000, LEAVE, 2}},
     {0.375, 0.6875, 0},
     {0, 0.25, 0},
     {0.5, 1, 1}},
    // Measured by somebody else: a level is set.
    {1,
     {{0, SET, 0.375}, {500, SET, 2.5}, {1000, SET, 0}, {1500, SET, 0.25}, {2500, SET, 0.25}},
     {1.4375, 0.125, 0.25},
     {0, 0, 0.25},
     {2.5, 2.5, 0.25}},
    // The whole things and what is beside them change together: neither is counted without the
    // other.
    {4,
     {{0, MOVE, 3}, {1250, MOVE, 0.5}, {1500, MOVE, -0.75}, {1750, MOVE, 0.75}, {2500, SET, 0.625}},
     {0.75, 0.796875, 0.75},
     {0, 0.6875, 0.625},
     {0.75, 0.875, 0.875}},
};

static void a_share_has_the_windows_of_a_gauge(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct pair p = make(rows[r].whole);
        const struct move *move = rows[r].moves;
        for (int64_t second = 0; second < 3; second++) {
            for (; move->how != END && move->at < 1000 * (second + 1); move++)
                apply(&p, move);
            lz_metrics_roll(p.m, (second + 1) * LZ_S);
            struct lz_sample s = lz_metrics_window(p.m, p.share_id, 1);
            assert_same(s, lz_metrics_window(p.m, p.gauge_id, 1));
            assert_true(s.value == rows[r].mean[second]);
            assert_true(s.low == rows[r].low[second]);
            assert_true(s.high == rows[r].high[second]);
        }
        assert_same(lz_metrics_window(p.m, p.share_id, 3), lz_metrics_window(p.m, p.gauge_id, 3));
        assert_same(lz_metrics_whole(p.m, p.share_id), lz_metrics_whole(p.m, p.gauge_id));
        assert_true(lz_metrics_level(p.m, p.share) == p.there / p.whole);
        lz_arena_destroy(p.arena);
    }
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12;
}

// Parts of any size come and go, whole things too, and what they are a share of changes.
static void move_at_random(struct pair *p, uint64_t seed, lz_time now)
{
    struct lz_series_face *face = lz_metrics_series(p->m, p->share, LZ_WINDOW_GAUGE);
    double part = (double)(lz_hash_mix(seed, 1) % 1000) / 300.0;
    switch (lz_hash_mix(seed, 2) % 5) {
    case 0:
        lz_metrics_enter_on(p->m, face, now, 2);
        p->there += 2;
        break;
    case 1:
        if (p->there >= 1) {
            lz_metrics_leave_on(p->m, face, now, 1);
            p->there -= 1;
        }
        break;
    case 2:
        part = part < p->there ? part : p->there;
        lz_metrics_move_share(p->m, p->share, now, -part);
        p->there -= part;
        break;
    case 3:
        lz_metrics_move_share(p->m, p->share, now, part);
        p->there += part;
        break;
    default:
        p->whole = 1 + part;
        lz_metrics_set_whole(p->m, p->share, now, p->whole);
    }
    lz_metrics_set(p->m, p->gauge, now, p->there / p->whole);
}

static void whatever_moves_it_a_share_has_the_extremes_of_a_gauge(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct pair p = make(4.0);
        for (uint64_t second = 0; second < 50; second++) {
            lz_time now = (lz_time)second * LZ_S;
            for (uint64_t i = 0; i < lz_hash_mix(seed, second) % 9; i++) {
                move_at_random(&p, lz_hash_mix(seed, second << 8 | i), now);
                now += (lz_time)(lz_hash_mix((uint64_t)now, seed) % 3) * 50 *
                       MS; // two may be of an instant
            }
            lz_metrics_roll(p.m, (lz_time)(second + 1) * LZ_S);
            struct lz_sample a = lz_metrics_window(p.m, p.share_id, 1);
            struct lz_sample b = lz_metrics_window(p.m, p.gauge_id, 1);
            assert_true(is_near(a.low, b.low) && is_near(a.high, b.high));
            assert_true(is_near(a.value, b.value));
        }
        lz_arena_destroy(p.arena);
    }
}

// A level that is shown by its first reading is of whole things and parts, as any other.
static void a_share_may_begin_with_a_reading(void **state)
{
    (void)state;
    struct pair p = make(4.0);
    struct lz_series_face *face = lz_metrics_series(p.m, p.share, LZ_WINDOW_GAUGE);
    lz_metrics_hide(p.m, p.share_id);
    lz_metrics_hide(p.m, p.gauge_id);
    lz_metrics_show(p.m, p.share_id, 500 * MS, 0.875);
    lz_metrics_show(p.m, p.gauge_id, 500 * MS, 0.875);
    lz_metrics_leave_on(p.m, face, 750 * MS, 3);
    lz_metrics_set(p.m, p.gauge, 750 * MS, 0.125);
    lz_metrics_roll(p.m, LZ_S);
    struct lz_sample s = lz_metrics_window(p.m, p.share_id, 1);
    assert_same(s, lz_metrics_window(p.m, p.gauge_id, 1));
    assert_true(s.value == 0.6875 && s.low == 0.125 && s.high == 0.875);
    lz_arena_destroy(p.arena);
}

// 0.1 and 0.2 are not 0.3: what is left of them is nothing, and no more is there than nothing.
static void dust_of_differences_is_nothing(void **state)
{
    (void)state;
    struct pair p = make(1.0);
    static const double by[] = {0.1, 0.2, -0.3, 0.7, 0.3, -1.0};
    for (size_t i = 0; i < COUNT(by); i++)
        lz_metrics_move_share(p.m, p.share, (lz_time)i * MS, by[i]);
    assert_true(lz_metrics_level(p.m, p.share) == 0.0);
    lz_arena_destroy(p.arena);
}

static void one_that_nobody_keeps_forgets_what_it_is_told(void **state)
{
    (void)state;
    struct pair p = make(1.0);
    lz_series deaf = lz_metrics_share(p.m, 2.0);
    struct lz_series_face *face = lz_metrics_series(p.m, deaf, LZ_WINDOW_GAUGE);
    lz_metrics_attend(p.m);
    lz_metrics_enter_on(p.m, face, 0, 1);
    lz_metrics_count_on(p.m, face, 0, 5);
    lz_metrics_move_share(p.m, deaf, 0, 0.5);
    lz_metrics_set_whole(p.m, deaf, 0, 4.0);
    lz_metrics_roll(p.m, LZ_S);
    assert_false(lz_metrics_missed(p.m));
    assert_true(lz_metrics_level(p.m, deaf) == 0.0);
    assert_true(lz_metrics_missed(p.m));
    lz_arena_destroy(p.arena);
}

// Waits of nothing are counted beside the histogram, and are in it when the window is closed.
static void values_of_nothing_are_in_the_window(void **state)
{
    (void)state;
    struct pair p = make(1.0);
    lz_series waits = lz_metrics_hist(p.m);
    struct lz_metric_def def = {
        .name = "wait", .view = LZ_VIEW_MEAN, .unit = LZ_UNIT_COUNT, .a = waits};
    lz_metric mean = lz_metrics_define(p.m, 1, &def);
    lz_metrics_keep(p.m, mean, 1);
    struct lz_series_face *face = lz_metrics_series(p.m, waits, LZ_WINDOW_HIST);
    for (int second = 1; second <= 2; second++) {
        for (int i = 0; i < 3 * second; i++)
            lz_metrics_observe_none_on(p.m, face);
        lz_metrics_observe_on(p.m, face, 12);
        lz_metrics_roll(p.m, second * LZ_S);
        struct lz_sample s = lz_metrics_window(p.m, mean, 1);
        assert_int_equal(s.count, 3 * second + 1);
        assert_true(s.value == 12.0 / (3 * second + 1));
    }
    assert_int_equal(lz_metrics_whole(p.m, mean).count, 11);
    lz_arena_destroy(p.arena);
}

// A histogram counts a row of values at a time, which nobody who looks can tell.
static void what_has_been_observed_is_seen_at_once(void **state)
{
    (void)state;
    struct pair p = make(1.0);
    lz_series waits = lz_metrics_hist(p.m);
    struct lz_metric_def def = {
        .name = "most", .view = LZ_VIEW_MAX, .unit = LZ_UNIT_COUNT, .a = waits};
    lz_metric most = lz_metrics_define(p.m, 1, &def);
    lz_metrics_keep(p.m, most, 1);
    uint64_t seen = 0;
    for (int second = 1; second <= 3; second++) {
        uint64_t times = 3 * LZ_SERIES_ROW / (uint64_t)second + 1, sum = 0;
        for (uint64_t i = 1; i <= times; i++) {
            lz_metrics_observe(p.m, waits, (int64_t)i);
            if (i % 7 == 0)
                assert_int_equal(lz_metrics_seen(p.m, waits), seen + i);
            sum += i;
        }
        seen += times;
        assert_int_equal(lz_metrics_seen(p.m, waits), seen);
        assert_int_equal(lz_metrics_at_most(p.m, waits, 3), 3 * second);
        assert_true(lz_metrics_sum(p.m, waits) >= (double)sum);
        lz_metrics_roll(p.m, second * LZ_S);
        assert_int_equal(lz_metrics_window(p.m, most, 1).count, times);
        assert_true(lz_metrics_window(p.m, most, 1).value == (double)times);
        assert_int_equal(lz_metrics_seen(p.m, waits), seen);
    }
    lz_metrics_begin(p.m, 3 * LZ_S);
    assert_int_equal(lz_metrics_seen(p.m, waits), 0);
    lz_arena_destroy(p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_has_the_windows_of_a_gauge),
        cmocka_unit_test(whatever_moves_it_a_share_has_the_extremes_of_a_gauge),
        cmocka_unit_test(a_share_may_begin_with_a_reading),
        cmocka_unit_test(dust_of_differences_is_nothing),
        cmocka_unit_test(one_that_nobody_keeps_forgets_what_it_is_told),
        cmocka_unit_test(values_of_nothing_are_in_the_window),
        cmocka_unit_test(what_has_been_observed_is_seen_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
