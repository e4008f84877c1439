/*
 * Windows must hold exactly what happened in them, whole-run values what happened since
 * warm-up, and neither may change when the record's windows widen.
 *
 * Method: one of each series under every view. Short scripts have their values written out;
 * long ones are compared with plain arrays of what was fed, second by second.
 */
#include "sim/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define MS ((int64_t)1000000)
#define KEEP 5

enum { RATE, RATIO, TOTAL, LEVEL, MEAN, MAX, P50, VIEWS };

struct bench {
    struct lz_arena *arena;
    struct lz_metrics *m;
    lz_series all, bad, gauge, hist;
    lz_metric id[VIEWS];
    lz_time now;
};

static struct bench make(double level)
{
    struct bench b = {0};
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 256 * MIB};
    if (!lz_arena_create(&opts, &b.arena, &err))
        fail_msg("%s", err.msg);
    b.m = lz_metrics_create(b.arena);
    b.all = lz_metrics_counter(b.m);
    b.bad = lz_metrics_counter(b.m);
    b.gauge = lz_metrics_gauge(b.m, level);
    b.hist = lz_metrics_hist(b.m);
    const struct lz_metric_def defs[VIEWS] = {
        [RATE] = {.name = "rate", .view = LZ_VIEW_RATE, .unit = LZ_UNIT_RATE, .a = b.all},
        [RATIO] =
            {.name = "bad", .view = LZ_VIEW_RATIO, .unit = LZ_UNIT_RATIO, .a = b.bad, .b = b.all},
        [TOTAL] = {.name = "total", .view = LZ_VIEW_TOTAL, .unit = LZ_UNIT_COUNT, .a = b.all},
        [LEVEL] = {.name = "level", .view = LZ_VIEW_LEVEL, .unit = LZ_UNIT_COUNT, .a = b.gauge},
        [MEAN] = {.name = "latency", .view = LZ_VIEW_MEAN, .unit = LZ_UNIT_SECONDS, .a = b.hist},
        [MAX] = {.name = "max", .view = LZ_VIEW_MAX, .unit = LZ_UNIT_SECONDS, .a = b.hist},
        [P50] = {.name = "p50",
                 .view = LZ_VIEW_QUANTILE,
                 .unit = LZ_UNIT_SECONDS,
                 .a = b.hist,
                 .q = 0.5},
    };
    for (size_t i = 0; i < VIEWS; i++) {
        b.id[i] = lz_metrics_define(b.m, 7, &defs[i]);
        lz_metrics_keep(b.m, b.id[i], KEEP);
    }
    return b;
}

static void roll(struct bench *b)
{
    b->now += LZ_S;
    lz_metrics_roll(b->m, b->now);
}

#define ABSENT (-1.0)

static void assert_value(struct lz_sample s, double value)
{
    assert_int_equal(s.present, value >= 0);
    if (value >= 0 && s.value != value)
        fail_msg("%.17g, not %.17g", s.value, value);
}

static void assert_gauge(struct lz_sample s, double value, double low, double high)
{
    assert_value(s, value);
    if (s.low != low || s.high != high)
        fail_msg("%g .. %g, not %g .. %g", s.low, s.high, low, high);
}

// One second of traffic and what every view says of it and of the last three.
static const struct second {
    uint64_t all, bad;
    int64_t latencies[3]; // ms
    double values[VIEWS], over3[VIEWS];
} seconds[] = {
    // rate, ratio, total, (level), mean, max, p50
    {0,
     0,
     {0},
     {0, ABSENT, 0, 1, ABSENT, ABSENT, ABSENT},
     {0, ABSENT, 0, 1, ABSENT, ABSENT, ABSENT}},
    {4, 1, {8}, {4, 0.25, 4, 1, 0.008, 0.008, 0.008}, {2, 0.25, 4, 1, 0.008, 0.008, 0.008}},
    {2, 2, {2, 4}, {2, 1, 6, 1, 0.003, 0.004, 0.002}, {2, 0.5, 6, 1, 14e-3 / 3, 0.008, 0.004}},
    {0, 0, {0}, {0, ABSENT, 6, 1, ABSENT, ABSENT, ABSENT}, {2, 0.5, 6, 1, 14e-3 / 3, 0.008, 0.004}},
    {0, 0, {0}, {0, ABSENT, 6, 1, ABSENT, ABSENT, ABSENT}, {2.0 / 3, 1, 6, 1, 0.003, 0.004, 0.002}},
    {0,
     0,
     {0},
     {0, ABSENT, 6, 1, ABSENT, ABSENT, ABSENT},
     {0, ABSENT, 6, 1, ABSENT, ABSENT, ABSENT}},
    {9, 0, {5}, {9, 0, 15, 1, 0.005, 0.005, 0.005}, {3, 0, 15, 1, 0.005, 0.005, 0.005}},
    {1, 1, {7}, {1, 1, 16, 1, 0.007, 0.007, 0.007}, {10.0 / 3, 0.1, 16, 1, 0.006, 0.007, 0.005}},
};

static void feed(struct bench *b, const struct second *s)
{
    if (s->all > 0)
        lz_metrics_add(b->m, b->all, s->all);
    if (s->bad > 0)
        lz_metrics_add(b->m, b->bad, s->bad);
    for (size_t i = 0; i < COUNT(s->latencies) && s->latencies[i] > 0; i++)
        lz_metrics_observe(b->m, b->hist, s->latencies[i] * MS);
    roll(b);
}

static void assert_close(struct lz_sample s, size_t view, double value)
{
    if (view < P50) {
        assert_int_equal(s.present, value >= 0);
        assert_true(value < 0 || fabs(s.value - value) <= 1e-15 * value);
    } else if (value < 0) {
        assert_false(s.present);
    } else {
        assert_true(s.present && fabs(s.value - value) <= 0.01 * value); // log-linear
    }
}

static void a_window_holds_what_happened_in_it(void **state)
{
    (void)state;
    struct bench b = make(1);
    for (size_t i = 0; i < COUNT(seconds); i++) {
        feed(&b, &seconds[i]);
        for (size_t v = 0; v < VIEWS; v++) {
            assert_close(lz_metrics_window(b.m, b.id[v], 1), v, seconds[i].values[v]);
            assert_close(lz_metrics_window(b.m, b.id[v], 3), v, seconds[i].over3[v]);
        }
    }
    assert_int_equal(lz_metrics_width(b.m), LZ_S);
    for (size_t v = 0; v < VIEWS; v++) { // the record says the same
        assert_int_equal(lz_metrics_windows(b.m, b.id[v]), COUNT(seconds));
        for (size_t i = 0; i < COUNT(seconds); i++)
            assert_close(lz_metrics_stored(b.m, b.id[v], i), v, seconds[i].values[v]);
    }
    lz_arena_destroy(b.arena);
}

static void without_a_window_there_is_no_sample(void **state)
{
    (void)state;
    struct bench b = make(1);
    lz_metrics_add(b.m, b.all, 1);
    for (size_t v = 0; v < VIEWS; v++) {
        assert_false(lz_metrics_window(b.m, b.id[v], 1).present);
        assert_int_equal(lz_metrics_windows(b.m, b.id[v]), 0);
    }
    lz_metrics_roll(b.m, 0); // at the start there is nothing to close
    assert_int_equal(lz_metrics_windows(b.m, b.id[RATE]), 0);
    lz_arena_destroy(b.arena);
}

static void whole_run_values_begin_after_warm_up(void **state)
{
    (void)state;
    static const struct {
        size_t warmup;
        double whole[VIEWS];
    } rows[] = {
        {0, {2, 0.25, 16, 1, 0.0052, 0.008, 0.005}}, // 26 ms of 5
        {2, {2, 0.25, 16, 1, 0.0045, 0.007, 0.004}},
        {3, {2, 0.1, 16, 1, 0.006, 0.007, 0.005}},
        {6, {5, 0.1, 16, 1, 0.006, 0.007, 0.005}},
        {8, {0, ABSENT, 16, 1, ABSENT, ABSENT, ABSENT}}, // it has only just begun
    };
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct bench b = make(1);
        for (size_t i = 0; i < COUNT(seconds); i++) {
            if (i == rows[r].warmup)
                lz_metrics_begin(b.m, b.now);
            feed(&b, &seconds[i]);
        }
        if (rows[r].warmup == COUNT(seconds))
            lz_metrics_begin(b.m, b.now);
        for (size_t v = 0; v < VIEWS; v++)
            assert_close(lz_metrics_whole(b.m, b.id[v]), v, rows[r].whole[v]);
        lz_arena_destroy(b.arena);
    }
}

// A level's changes, at ms, and what is said of it at the end of each of four seconds.
static void a_gauge_is_weighted_by_time_and_keeps_its_level(void **state)
{
    (void)state;
    static const struct {
        struct {
            int64_t at;
            double level;
        } sets[5];
        double mean[4], low[4], high[4];
        double over4, over4_low, over4_high;
        double whole, whole_low, whole_high; // since 1 s
    } rows[] = {
        {{{0}}, {6, 6, 6, 6}, {6, 6, 6, 6}, {6, 6, 6, 6}, 6, 6, 6, 6, 6, 6},
        {{{500, 2}}, {4, 2, 2, 2}, {2, 2, 2, 2}, {6, 2, 2, 2}, 2.5, 2, 6, 2, 2, 2},
        {{{2250, 2}}, {6, 6, 3, 2}, {6, 6, 2, 2}, {6, 6, 6, 2}, 4.25, 2, 6, 11.0 / 3, 2, 6},
        {{{3250, 2}, {3500, 10}, {3750, 6}},
         {6, 6, 6, 6},
         {6, 6, 6, 2},
         {6, 6, 6, 10},
         6,
         2,
         10,
         6,
         2,
         10},
        {{{250, 10}, {250, 0}, {250, 6}, {1000, 4}, {3000, 8}}, // a level for no time at all
         {6, 4, 4, 8},
         {0, 4, 4, 4}, // where it stood as the window began counts
         {10, 6, 4, 8},
         5.5,
         0,
         10,
         16.0 / 3,
         4,
         8},
    };
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct bench b = make(6);
        size_t next = 0;
        for (size_t i = 0; i < 4; i++) {
            if (i == 1)
                lz_metrics_begin(b.m, b.now);
            while (next < COUNT(rows[r].sets) && rows[r].sets[next].at * MS < b.now + LZ_S) {
                if (rows[r].sets[next].at > 0)
                    lz_metrics_set(b.m, b.gauge, rows[r].sets[next].at * MS,
                                   rows[r].sets[next].level);
                next++;
            }
            roll(&b);
            assert_gauge(lz_metrics_window(b.m, b.id[LEVEL], 1), rows[r].mean[i], rows[r].low[i],
                         rows[r].high[i]);
        }
        assert_gauge(lz_metrics_window(b.m, b.id[LEVEL], 4), rows[r].over4, rows[r].over4_low,
                     rows[r].over4_high);
        for (size_t i = 0; i < 4; i++)
            assert_gauge(lz_metrics_stored(b.m, b.id[LEVEL], i), rows[r].mean[i], rows[r].low[i],
                         rows[r].high[i]);
        struct lz_sample whole = lz_metrics_whole(b.m, b.id[LEVEL]);
        assert_gauge(whole, whole.value, rows[r].whole_low, rows[r].whole_high);
        assert_true(fabs(whole.value - rows[r].whole) <= 1e-15 * whole.value);
        lz_arena_destroy(b.arena);
    }
}

static void a_level_is_known_and_moves(void **state)
{
    (void)state;
    struct bench b = make(3);
    lz_metrics_move(b.m, b.gauge, 250 * MS, 4);
    lz_metrics_move(b.m, b.gauge, 750 * MS, -7);
    assert_true(lz_metrics_level(b.m, b.gauge) == 0);
    roll(&b);
    assert_gauge(lz_metrics_window(b.m, b.id[LEVEL], 1), 4.25, 0, 7);
    lz_metrics_add(b.m, b.all, 5);
    assert_int_equal(lz_metrics_total(b.m, b.all), 5); // the open window counts
    lz_arena_destroy(b.arena);
}

// Events at the last instant belong to a window that is never closed.
static void what_follows_the_last_roll_is_not_in_a_whole_run_level(void **state)
{
    (void)state;
    for (int warmup = 0; warmup < 2; warmup++) {
        for (int first = 0; first < 2; first++) {
            struct bench b = make(6);
            if (first == 1) // an entry to look back to
                lz_metrics_set(b.m, b.gauge, 0, 4);
            for (int i = 0; i < 8; i++) {
                if (i == 5 * warmup)
                    lz_metrics_begin(b.m, b.now);
                roll(&b);
            }
            lz_metrics_set(b.m, b.gauge, b.now, 100);
            assert_value(lz_metrics_whole(b.m, b.id[LEVEL]), first == 1 ? 4 : 6);
            lz_arena_destroy(b.arena);
        }
    }
}

static void a_metric_is_found_by_component_and_name(void **state)
{
    (void)state;
    struct bench b = make(0);
    static char names[1000][8];
    for (size_t i = 0; i < COUNT(names); i++) {
        names[i][0] = (char)('a' + i % 10);
        names[i][1] = (char)('a' + i / 10 % 10);
        names[i][2] = (char)('a' + i / 100);
        for (uint32_t c = 1; c <= 2; c++)
            lz_metrics_define(
                b.m, c,
                &(struct lz_metric_def){
                    .name = names[i], .view = LZ_VIEW_RATE, .unit = LZ_UNIT_RATE, .a = b.all});
    }
    assert_int_equal(lz_metrics_count(b.m), VIEWS + 2 * COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        for (uint32_t c = 1; c <= 2; c++) {
            lz_metric id = lz_metrics_find(b.m, c, names[i]);
            assert_int_equal(id, VIEWS + 2 * i + c);
            assert_int_equal(lz_metrics_component(b.m, id), c);
            assert_string_equal(lz_metrics_def(b.m, id)->name, names[i]);
        }
        assert_int_equal(lz_metrics_find(b.m, 3, names[i]), 0);
    }
    assert_int_equal(lz_metrics_find(b.m, 7, "p50"), b.id[P50]);
    assert_int_equal(lz_metrics_find(b.m, 7, "p51"), 0);
    lz_arena_destroy(b.arena);
}

// What was fed in each second of a long run.
#define LONG 17000
static struct fed {
    uint64_t all, bad, count; // of latencies
    int64_t sum, max;
    double mean, low, high;
} fed[LONG];

static uint32_t dice(uint64_t *lcg, uint32_t sides)
{
    *lcg = *lcg * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*lcg >> 33) % sides;
}

// `share` of 100 seconds have anything in them, each series for itself.
static void feed_long(struct bench *b, struct fed *f, uint32_t share, uint64_t *lcg)
{
    *f = (struct fed){0};
    if (dice(lcg, 100) < share) {
        lz_metrics_add(b->m, b->all, f->all = 1 + dice(lcg, 9));
        if (dice(lcg, 2) == 0)
            lz_metrics_add(b->m, b->bad, f->bad = 1);
    }
    f->mean = f->low = f->high = lz_metrics_level(b->m, b->gauge);
    if (dice(lcg, 100) < share) {
        double level = dice(lcg, 64);
        lz_metrics_set(b->m, b->gauge, b->now + LZ_S / 2, level);
        f->mean = (f->mean + level) / 2;
        f->low = level < f->low ? level : f->low;
        f->high = level > f->high ? level : f->high;
    }
    if (dice(lcg, 100) < share) {
        for (f->count = 0; f->count < 3; f->count++) {
            int64_t v = 1 + dice(lcg, 1000000);
            lz_metrics_observe(b->m, b->hist, v);
            f->sum += v;
            f->max = v > f->max ? v : f->max;
        }
    }
    roll(b);
}

static struct fed add_up(size_t from, size_t to)
{
    struct fed f = fed[from];
    for (size_t i = from + 1; i < to; i++) {
        f.all += fed[i].all;
        f.bad += fed[i].bad;
        f.count += fed[i].count;
        f.sum += fed[i].sum;
        f.max = fed[i].max > f.max ? fed[i].max : f.max;
        f.mean += fed[i].mean;
        f.low = fed[i].low < f.low ? fed[i].low : f.low;
        f.high = fed[i].high > f.high ? fed[i].high : f.high;
    }
    f.mean /= (double)(to - from);
    return f;
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9))
        fail_msg("%.17g, not %.17g", value, expected);
}

static void assert_stored(const struct bench *b, size_t i, size_t from, size_t to, bool is_full)
{
    struct fed f = add_up(from, to);
    struct lz_sample s = lz_metrics_stored(b->m, b->id[RATE], i);
    assert_int_equal(s.count, f.all);
    assert_near(s.value, (double)f.all / (double)(to - from));
    s = lz_metrics_stored(b->m, b->id[RATIO], i);
    assert_int_equal(s.present, f.all > 0);
    if (s.present)
        assert_near(s.value, (double)f.bad / (double)f.all);
    s = lz_metrics_stored(b->m, b->id[LEVEL], i);
    if (is_full) // until then its mean is as if the rest of it stood still
        assert_near(s.value, f.mean);
    assert_near(s.low, f.low);
    assert_near(s.high, f.high);
    s = lz_metrics_stored(b->m, b->id[MEAN], i);
    assert_int_equal(s.present, f.count > 0);
    assert_int_equal(s.count, f.count);
    if (s.present) {
        assert_near(s.value, (double)f.sum / 1e9 / (double)f.count);
        assert_near(lz_metrics_stored(b->m, b->id[MAX], i).value, (double)f.max / 1e9);
    }
}

static void the_record_widens_and_keeps_every_total(void **state)
{
    (void)state;
    static const struct {
        size_t run, width;
        uint32_t share;
    } rows[] = {{4096, 1, 50}, {4097, 2, 50}, {4098, 2, 5},   {5001, 2, 90},
                {8192, 2, 1},  {8193, 4, 50}, {8200, 4, 2},   {16383, 4, 30},
                {LONG, 8, 60}, {LONG, 8, 1},  {LONG, 8, 100}, {LONG, 8, 0}};
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct bench b = make(6);
        uint64_t lcg = r + 1;
        for (size_t i = 0; i < rows[r].run; i++) {
            feed_long(&b, &fed[i], rows[r].share, &lcg);
            size_t over = i < KEEP ? i + 1 : KEEP;
            struct fed f = add_up(i + 1 - over, i + 1);
            assert_near(lz_metrics_window(b.m, b.id[RATE], KEEP).value,
                        (double)f.all / (double)over);
            struct lz_sample level = lz_metrics_window(b.m, b.id[LEVEL], KEEP);
            assert_gauge(level, level.value, f.low, f.high);
            assert_near(level.value, f.mean);
        }
        size_t width = rows[r].width, run = rows[r].run;
        assert_int_equal(lz_metrics_width(b.m), (lz_time)width * LZ_S);
        size_t windows = lz_metrics_windows(b.m, b.id[RATE]);
        assert_int_equal(windows, (run + width - 1) / width);
        for (size_t i = 0; i < windows; i++) {
            bool is_full = (i + 1) * width <= run;
            assert_stored(&b, i, i * width, is_full ? (i + 1) * width : run, is_full);
        }
        struct fed f = add_up(0, run);
        assert_near(lz_metrics_whole(b.m, b.id[TOTAL]).value, (double)f.all);
        assert_near(lz_metrics_whole(b.m, b.id[RATE]).value, (double)f.all / (double)run);
        assert_near(lz_metrics_whole(b.m, b.id[LEVEL]).value, f.mean);
        assert_int_equal(lz_metrics_whole(b.m, b.id[MEAN]).count, f.count);
        lz_arena_destroy(b.arena);
    }
}

static void what_nobody_keeps_is_deaf_and_what_is_kept_is_as_ever(void **state)
{
    (void)state;
    struct bench b = make(3);
    lz_series other = lz_metrics_counter(b.m), level = lz_metrics_gauge(b.m, 2);
    const struct lz_metric_def defs[] = {
        {.name = "other", .view = LZ_VIEW_RATE, .unit = LZ_UNIT_RATE, .a = other},
        {.name = "share", .view = LZ_VIEW_RATIO, .unit = LZ_UNIT_RATIO, .a = b.bad, .b = other},
        {.name = "height", .view = LZ_VIEW_LEVEL, .unit = LZ_UNIT_COUNT, .a = level}};
    for (size_t i = 0; i < COUNT(defs); i++)
        (void)lz_metrics_define(b.m, 7, &defs[i]);
    lz_metrics_attend(b.m);
    lz_metrics_add(b.m, b.all, 4);
    lz_metrics_add(b.m, other, 4);
    lz_metrics_set(b.m, level, LZ_S / 2, 9);
    lz_metrics_set(b.m, b.gauge, LZ_S / 2, 5);
    roll(&b);

    // What is kept is as it would be without.
    assert_near(lz_metrics_window(b.m, b.id[RATE], 1).value, 4);
    assert_near(lz_metrics_whole(b.m, b.id[LEVEL]).value, 4);
    assert_int_equal(lz_metrics_total(b.m, b.all), 4);
    assert_false(lz_metrics_missed(b.m));

    assert_true(lz_metrics_is_deaf(lz_metrics_series(b.m, other, LZ_WINDOW_COUNTER)));
    lz_arena_destroy(b.arena);
}

static void read_whole(struct bench *b, lz_metric id)
{
    (void)lz_metrics_whole(b->m, id);
}

static void read_window(struct bench *b, lz_metric id)
{
    (void)lz_metrics_window(b->m, id, 1);
}

static void read_stored(struct bench *b, lz_metric id)
{
    (void)lz_metrics_stored(b->m, id, 0);
}

static void read_level(struct bench *b, lz_metric id)
{
    (void)lz_metrics_level(b->m, lz_metrics_def(b->m, id)->a);
}

static void read_total(struct bench *b, lz_metric id)
{
    (void)lz_metrics_total(b->m, lz_metrics_def(b->m, id)->a);
}

static void whoever_reads_a_deaf_series_is_noticed(void **state)
{
    (void)state;
    static const struct {
        void (*read)(struct bench *, lz_metric);
        int kept; // of the bench
    } rows[] = {{read_whole, TOTAL},
                {read_window, TOTAL},
                {read_stored, TOTAL},
                {read_total, TOTAL},
                {read_level, LEVEL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b = make(3);
        struct lz_metric_def def = *lz_metrics_def(b.m, b.id[rows[i].kept]);
        bool is_level = def.view == LZ_VIEW_LEVEL;
        def.name = "other";
        def.a = is_level ? lz_metrics_gauge(b.m, 2) : lz_metrics_counter(b.m);
        lz_metric other = lz_metrics_define(b.m, 7, &def);
        def.name = "heeded";
        def.a = is_level ? lz_metrics_gauge(b.m, 2) : lz_metrics_counter(b.m);
        lz_metric heeded = lz_metrics_define(b.m, 7, &def);
        lz_metrics_heed(b.m, def.a);
        lz_metrics_attend(b.m);
        roll(&b);
        rows[i].read(&b, b.id[rows[i].kept]);
        rows[i].read(&b, heeded);
        assert_false(lz_metrics_missed(b.m));
        rows[i].read(&b, other);
        assert_true(lz_metrics_missed(b.m));
        lz_arena_destroy(b.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_holds_what_happened_in_it),
        cmocka_unit_test(without_a_window_there_is_no_sample),
        cmocka_unit_test(whole_run_values_begin_after_warm_up),
        cmocka_unit_test(a_gauge_is_weighted_by_time_and_keeps_its_level),
        cmocka_unit_test(a_level_is_known_and_moves),
        cmocka_unit_test(what_follows_the_last_roll_is_not_in_a_whole_run_level),
        cmocka_unit_test(a_metric_is_found_by_component_and_name),
        cmocka_unit_test(the_record_widens_and_keeps_every_total),
        cmocka_unit_test(what_nobody_keeps_is_deaf_and_what_is_kept_is_as_ever),
        cmocka_unit_test(whoever_reads_a_deaf_series_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
