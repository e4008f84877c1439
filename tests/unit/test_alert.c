/*
 * What a rule knows of a metric must be what PromQL would say of its samples, and a page must be
 * as late as scrapes, evaluations, `for` and group_wait make it.
 *
 * Method: a component with a level and two counters, which the test moves at exact times; samples
 * are taken at exact times too, and what is read from them is computed by hand from promql's
 * extrapolatedRate. For whole alerts the level crosses its limit and marks are looked for; phases
 * are those of many runs.
 */
#include "model/alert/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/journal.h"
#include "model/service/platform.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id of;
    lz_series level, some, all;
    lz_metric is, count, rate, ratio, share, state, p99;
    lz_kind kind;
};

static lz_metric define(struct stage *s, const char *name, enum lz_view view, enum lz_unit unit,
                        lz_series a, lz_series b)
{
    return lz_metrics_define(
        s->w->metrics, s->of,
        &(struct lz_metric_def){.name = name, .view = view, .unit = unit, .a = a, .b = b});
}

static void on_level(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    const struct stage *s = ctx;
    lz_metrics_set(s->w->metrics, s->level, lz_sim_now(s->w->sim), entity);
}

static void init(struct stage *s, uint64_t key, lz_time end)
{
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(&(struct lz_world_opts){.arena = s->arena, .run_key = key, .end = end});
    assert_true(lz_world_add(s->w, "it", LZ_COMPONENT_LINK, 1, &s->of, &err));
    s->level = lz_metrics_gauge(s->w->metrics, 0.0);
    s->some = lz_metrics_counter(s->w->metrics);
    s->all = lz_metrics_counter(s->w->metrics);
    s->is = define(s, "is", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, s->level, 0);
    s->count = define(s, "count", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, s->some, 0);
    s->rate = define(s, "rate", LZ_VIEW_RATE, LZ_UNIT_RATE, s->some, 0);
    s->share = define(s, "cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, s->level, 0);
    s->state = define(s, "has_leader", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, s->level, 0);
    s->p99 = define(s, "p99", LZ_VIEW_MAX, LZ_UNIT_SECONDS, lz_metrics_hist(s->w->metrics), 0);
    s->ratio = define(s, "ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, s->some, s->all);
    s->kind = lz_sim_kind(s->w->sim, "level", on_level, s);
}

// ---------------------------------------------------------------- samples

enum what { LEVEL, TOTAL, RATE, RATIO, SHARE, STATE };

static const struct {
    const char *name;
    enum what what;
    int over; // seconds; 0: the last sample
    struct {
        int at, some, all; // at `at` the counters stand there and the level is `some`
    } samples[6];
    int read;
    bool is_absent;
    double value;
} reads[] = {
    {"a level is what it last was", LEVEL, 0, {{5, 3, 0}, {20, 4, 0}}, 34, .value = 4},
    {"up to 5 min ago", LEVEL, 0, {{5, 3, 0}}, 304, .value = 3},
    {"and no longer", LEVEL, 0, {{5, 3, 0}}, 305, .is_absent = true},
    // 0 until 5 s, then 1 until 20 s and 0 until 32 s; each sample is of what was before it.
    {"a share is the mean since the scrape before",
     SHARE,
     0,
     {{5, 1, 0}, {20, 0, 0}},
     20,
     .value = 1},
    {"whatever it is at that instant",
     SHARE,
     0,
     {{5, 1, 0}, {20, 0, 0}, {32, 1, 0}},
     34,
     .value = 0.2},
    {"and over a time the mean of these", SHARE, 60, {{5, 1, 0}, {20, 0, 0}}, 34, .value = 0.5},
    {"a ratio that is a state is what it last was",
     STATE,
     0,
     {{5, 1, 0}, {20, 0, 0}, {32, 1, 0}},
     34,
     .value = 1},
    {"over a time it is the mean of samples",
     LEVEL,
     60,
     {{5, 9, 0}, {20, 3, 0}, {35, 6, 0}},
     70,
     .value = 4.5},
    {"a count as well is what it last was", TOTAL, 0, {{5, 3, 0}, {20, 4, 0}}, 30, .value = 4},
    // 45 in 45 s; 10 s before the first and 5 s after the last belong to the range.
    {"a count over a time is its increase",
     TOTAL,
     60,
     {{5, 5, 0}, {20, 20, 0}, {35, 35, 0}, {50, 50, 0}, {65, 65, 0}},
     70,
     .value = 60},
    {"and a rate that by the time",
     RATE,
     60,
     {{5, 5, 0}, {20, 20, 0}, {35, 35, 0}, {50, 50, 0}, {65, 65, 0}},
     70,
     .value = 1},
    // It was 0 at the first sample: nothing is added before that. 10 (45 + 5) / 45.
    {"a counter that begins",
     TOTAL,
     60,
     {{5, 0, 0}, {20, 0, 0}, {35, 10, 0}, {50, 10, 0}, {65, 10, 0}},
     70,
     .value = 100.0 / 9},
    // 20 and 35 of (10, 70]: half a scrape is added at the end. 15 (15 + 10 + 7.5) / 15.
    {"lost samples are not made up for", TOTAL, 60, {{20, 20, 0}, {35, 35, 0}}, 70, .value = 32.5},
    {"one sample is no rate", RATE, 60, {{5, 5, 0}, {20, 20, 0}}, 70, .is_absent = true},
    // 15 (45 + 10 + 5) / 45 of 600 (45 + 7.5 + 5) / 45: the second was 0 at most 7.5 s before.
    {"a ratio is of the two increases",
     RATIO,
     60,
     {{20, 40, 100}, {35, 40, 400}, {50, 49, 500}, {65, 55, 700}},
     70,
     .value = 3.0 / 115},
    {"and there is none of nothing",
     RATIO,
     60,
     {{20, 1, 9}, {35, 1, 9}, {50, 1, 9}},
     60,
     .is_absent = true},
};

static void sample(struct stage *s, struct lz_alert_scrape *scrape, int at, int some, int all)
{
    struct lz_metrics *m = s->w->metrics;
    lz_world_run_until(s->w, at * LZ_S);
    lz_metrics_set(m, s->level, at * LZ_S, some);
    lz_metrics_add(m, s->some, (uint64_t)some - lz_metrics_total(m, s->some));
    lz_metrics_add(m, s->all, (uint64_t)all - lz_metrics_total(m, s->all));
    lz_alert_scrape_take(s->w, scrape);
}

static void a_rule_reads_what_promql_would(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct stage s;
        struct lz_alert_scrape scrape;
        struct lz_err err;
        init(&s, 1, 1000 * LZ_S);
        const lz_metric metrics[] = {s.is, s.count, s.rate, s.ratio, s.share, s.state};
        assert_true(lz_alert_scrape_init(s.w, &scrape, metrics[reads[i].what], reads[i].over * LZ_S,
                                         15 * LZ_S, &err));
        for (size_t k = 0; k < COUNT(reads[i].samples) && reads[i].samples[k].at > 0; k++)
            sample(&s, &scrape, reads[i].samples[k].at, reads[i].samples[k].some,
                   reads[i].samples[k].all);
        lz_world_run_until(s.w, reads[i].read * LZ_S);
        struct lz_sample got = lz_alert_scrape_read(s.w, &scrape);
        double off = got.value - reads[i].value;
        if (got.present == reads[i].is_absent || (got.present && (off > 1e-9 || off < -1e-9)))
            fail_msg("%s: %g, not %g", reads[i].name, got.value, reads[i].value);
        lz_arena_destroy(s.arena);
    }
}

static void a_range_must_hold_two_samples(void **state)
{
    (void)state;
    struct stage s;
    struct lz_alert_scrape scrape;
    struct lz_err err;
    init(&s, 1, LZ_S);
    assert_false(lz_alert_scrape_init(s.w, &scrape, s.rate, 29 * LZ_S, 15 * LZ_S, &err));
    assert_string_equal(err.msg, "`over` of rate must be at least 2 scrapes (30s), or it may hold "
                                 "no two samples, got 29s");
    assert_true(lz_alert_scrape_init(s.w, &scrape, s.rate, 30 * LZ_S, 15 * LZ_S, &err));
    assert_false(lz_alert_scrape_init(s.w, &scrape, s.rate, 31 * 86400 * LZ_S, LZ_S, &err));
    assert_string_equal(err.msg, "`over` of rate must be at most 720h, got 744h");
    assert_false(lz_alert_scrape_init(s.w, &scrape, s.rate, 86400 * LZ_S, LZ_MS, &err));
    assert_string_equal(err.msg,
                        "`over` of rate may hold 262144 samples, and 86400s hold 86400000");
    lz_arena_destroy(s.arena);
}

static void what_nobody_wrote_is_not_refused(void **state)
{
    (void)state;
    struct stage s;
    struct lz_alert_scrape scrape;
    struct lz_err err;
    init(&s, 1, LZ_S);
    const lz_metric metrics[] = {s.rate, s.ratio, s.p99};
    const lz_time hours[] = {0, 1, 24};
    for (size_t i = 0; i < COUNT(metrics); i++)
        for (size_t k = 0; k < COUNT(hours); k++) {
            lz_time interval = hours[k] > 0 ? hours[k] * 3600 * LZ_S : LZ_MS;
            lz_time over = lz_alert_scrape_preset(s.w, metrics[i], interval);
            if (!lz_alert_scrape_init(s.w, &scrape, metrics[i], over, interval, &err))
                fail_msg("%s", err.msg);
        }
    assert_int_equal(lz_alert_scrape_preset(s.w, s.p99, 3600 * LZ_S), 3600 * LZ_S);
    assert_int_equal(lz_alert_scrape_preset(s.w, s.p99, 15 * LZ_S), 60 * LZ_S);
    lz_arena_destroy(s.arena);
}

// ---------------------------------------------------------------- whole alerts

static bool is_above_half(const struct lz_world *w, const void *limit, const struct lz_sample *v)
{
    (void)w;
    (void)limit;
    return v->value > 0.5;
}

static lz_component_id alert(struct stage *s, const char *name, lz_time pending)
{
    struct lz_err err;
    lz_component_id id = 0;
    const struct lz_alert_condition c = {.metric = s->is, .of = s->of};
    assert_true(lz_alert_create(s->w,
                                &(struct lz_alert_opts){.name = name,
                                                        .pending = pending,
                                                        .conditions = &c,
                                                        .condition_count = 1,
                                                        .judge = is_above_half},
                                &id, &err));
    return id;
}

static double total(const struct stage *s, lz_component_id id, const char *name)
{
    return lz_metrics_whole(s->w->metrics, lz_world_metric(s->w, id, name)).value;
}

// Scraped and evaluated every 15 s, for 1m, group_wait 30 s: from 90 to 120 s, 105 on average.
static void a_page_is_as_late_as_published(void **state)
{
    (void)state;
    enum { RUNS = 4000 };
    double sum = 0.0, least = 1e9, most = 0.0;
    for (uint64_t key = 1; key <= RUNS; key++) {
        struct stage s;
        init(&s, key, 600 * LZ_S);
        lz_component_id page = alert(&s, "page", 60 * LZ_S);
        lz_sim_at(s.w->sim, 300 * LZ_S, s.kind, 1, 0);
        lz_world_run(s.w);
        double late = (double)(lz_journal_marked(s.w, "page notified") - 300 * LZ_S) / 1e9;
        assert_true(lz_journal_marked(s.w, "page fired") >= 360 * LZ_S);
        assert_true(total(&s, page, "notifications") == 1.0);
        sum += late;
        least = late < least ? late : least;
        most = late > most ? late : most;
        lz_arena_destroy(s.arena);
    }
    assert_true(least >= 90.0 && least < 91.0);
    assert_true(most <= 120.0 && most > 119.0);
    assert_true(sum / RUNS > 105.0 * 0.98 && sum / RUNS < 105.0 * 1.02);
}

// High from 100 to 200 s and from 400 to 500 s.
static void what_fires_again_is_marked_again(void **state)
{
    (void)state;
    struct stage s;
    init(&s, 1, 600 * LZ_S);
    alert(&s, "page", 0);
    for (int at = 100; at < 600; at += 100)
        lz_sim_at(s.w->sim, at * LZ_S, s.kind, at == 100 || at == 400, 0);
    lz_world_run(s.w);
    static const struct {
        const char *mark;
        int from, after, until; // the first one not before `from` lies there; 0: there is none
    } marks[] = {
        {"page fired", 0, 100, 130},    {"page fired", 101, 101, 130},
        {"page fired", 200, 400, 430},  {"page fired", 431, 0, 0},
        {"page resolved", 0, 200, 230}, {"page resolved", 231, 500, 530},
        {"page resolved", 531, 0, 0},
    };
    for (size_t i = 0; i < COUNT(marks); i++) {
        lz_time at = lz_journal_marked_from(s.w, marks[i].mark, marks[i].from * LZ_S);
        bool is_there = at >= marks[i].after * LZ_S && at <= marks[i].until * LZ_S;
        if (marks[i].after == 0 ? at != -1 : !is_there)
            fail_msg("%s from %d s: at %g s", marks[i].mark, marks[i].from, (double)at / 1e9);
    }
    lz_arena_destroy(s.arena);
}

// Past the most that are kept, those in between are forgotten; a time of them is not made up.
static void of_too_many_instants_first_and_last_are_kept(void **state)
{
    (void)state;
    struct stage s;
    struct lz_err err;
    const int most = LZ_JOURNAL_INSTANTS_MAX;
    init(&s, 1, 2 * most * LZ_S);
    for (int i = 1; i <= most + 10; i++) {
        lz_world_run_until(s.w, i * LZ_S);
        assert_true(lz_journal_mark(s.w, "m", 0, &err));
        assert_true(lz_journal_mark(s.w, "m", 0, &err)); // one instant is one
    }
    assert_int_equal(lz_journal_marked(s.w, "m"), LZ_S);
    assert_int_equal(lz_journal_marked_from(s.w, "m", (most - 1) * LZ_S), (most - 1) * LZ_S);
    assert_int_equal(lz_journal_marked_from(s.w, "m", most * LZ_S), (most + 10) * LZ_S);
    assert_int_equal(lz_journal_marked_from(s.w, "m", (most + 11) * LZ_S), -1);
    lz_arena_destroy(s.arena);
}

// ---------------------------------------------------------------- what faults do to it

static const struct {
    const char *name;
    unsigned part;
    lz_time from, until, late; // of the fault
    bool is_on_alert;          // what it hits
    double notified, touched;
    lz_time least, most; // from 300 s on; the level is high from there for 200 s
} faults[] = {
    {"nothing is wrong", 0, 0, 0, 0, false, 1, 0, 90, 120},
    {"the pager is slow", LZ_PLATFORM_ALERT, 0, 900, 45, false, 1, 2, 135, 165},
    {"for this alert", LZ_PLATFORM_ALERT, 0, 900, 45, true, 1, 2, 135, 165},
    {"samples are lost meanwhile", LZ_PLATFORM_SCRAPE, 200, 900, 0, false, 0, 46, 0, 0},
    {"and come back", LZ_PLATFORM_SCRAPE, 200, 400, 0, false, 1, 13, 190, 220},
    // Without a sample it is not true: what was pending is forgotten.
    {"what is lost is stale at once", LZ_PLATFORM_SCRAPE, 330, 900, 0, false, 0, 38, 0, 0},
};

static void fault(struct stage *s, size_t i, const struct lz_target *target, uint64_t *touched)
{
    if (faults[i].part == 0) {
        lz_world_run(s->w);
        return;
    }
    lz_world_run_until(s->w, faults[i].from * LZ_S);
    uint32_t id = lz_platform_add(
        s->w, &(struct lz_platform_effect){
                  .target = target,
                  .parts = faults[i].part,
                  .ratio = 1.0,
                  .add = {.kind = LZ_DIST_CONSTANT, .a = (double)(faults[i].late * LZ_S)},
                  .touched = touched});
    lz_world_run_until(s->w, faults[i].until * LZ_S);
    lz_platform_remove(s->w, id);
    lz_world_run(s->w);
}

static void faults_lose_samples_and_delay_what_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct stage s;
        uint64_t touched = 0;
        init(&s, 7, 900 * LZ_S);
        lz_component_id page = alert(&s, "page", 60 * LZ_S);
        const struct lz_target target = {.kind = LZ_TARGET_COMPONENT,
                                         .id = faults[i].is_on_alert ? page : s.of};
        lz_sim_at(s.w->sim, 300 * LZ_S, s.kind, 1, 0);
        lz_sim_at(s.w->sim, 500 * LZ_S, s.kind, 0, 0);
        fault(&s, i, &target, &touched);
        lz_time at = lz_journal_marked(s.w, "page notified") / LZ_S - 300;
        if (total(&s, page, "notifications") != faults[i].notified)
            fail_msg("%s: %g notifications", faults[i].name, total(&s, page, "notifications"));
        if (faults[i].notified > 0 && (at < faults[i].least || at > faults[i].most))
            fail_msg("%s: after %d s", faults[i].name, (int)at);
        if ((double)touched != faults[i].touched)
            fail_msg("%s: %d touched", faults[i].name, (int)touched);
        lz_arena_destroy(s.arena);
    }
}

// Both look at one component, and a fault about that makes the pager slow: notices of their own are
// late by draws of their own, one about both comes at once, and touches once.
static void each_notice_is_late_by_a_draw_of_its_own(void **state)
{
    (void)state;
    for (int is_each = 0; is_each <= 1; is_each++) {
        struct stage s;
        struct lz_err err;
        uint64_t touched = 0;
        init(&s, 7, 900 * LZ_S);
        const struct lz_alert_route route = {.is_each = is_each != 0,
                                             .group_wait = 0,
                                             .group_interval = 300 * LZ_S,
                                             .repeat_interval = 9000 * LZ_S};
        assert_true(lz_alerts_monitor(
            s.w, &(struct lz_alerts_opts){.routes = &route, .route_count = 1}, &err));
        lz_component_id a = alert(&s, "a", 0), b = alert(&s, "b", 0);
        const struct lz_target target = {.kind = LZ_TARGET_COMPONENT, .id = s.of};
        lz_sim_at(s.w->sim, 300 * LZ_S, s.kind, 1, 0);
        lz_platform_add(s.w, &(struct lz_platform_effect){
                                 .target = &target,
                                 .parts = LZ_PLATFORM_ALERT,
                                 .add = {.kind = LZ_DIST_EXPONENTIAL, .a = (double)(60 * LZ_S)},
                                 .touched = &touched});
        lz_world_run(s.w);
        assert_true(total(&s, a, "notifications") == 1.0 && total(&s, b, "notifications") == 1.0);
        lz_time first = lz_journal_marked(s.w, "a notified");
        lz_time second = lz_journal_marked(s.w, "b notified");
        assert_true((first == second) == (is_each == 0));
        assert_int_equal(touched, is_each + 1);
        lz_arena_destroy(s.arena);
    }
}

// Its own ALERTS a Prometheus has without a scrape.
static void an_alert_on_an_alert_fires_with_it(void **state)
{
    (void)state;
    for (uint64_t key = 1; key <= 20; key++) {
        struct stage s;
        struct lz_err err;
        lz_component_id id = 0;
        init(&s, key, 600 * LZ_S);
        lz_component_id page = alert(&s, "page", 0);
        const struct lz_alert_condition c = {.metric = lz_world_metric(s.w, page, "firing"),
                                             .of = page};
        assert_true(lz_alert_create(
            s.w,
            &(struct lz_alert_opts){
                .name = "too", .conditions = &c, .condition_count = 1, .judge = is_above_half},
            &id, &err));
        lz_sim_at(s.w->sim, 300 * LZ_S, s.kind, 1, 0);
        lz_world_run(s.w);
        assert_true(lz_journal_marked(s.w, "page fired") >= 300 * LZ_S);
        assert_int_equal(lz_journal_marked(s.w, "page fired"), lz_journal_marked(s.w, "too fired"));
        lz_arena_destroy(s.arena);
    }
}

static void a_long_name_has_its_marks(void **state)
{
    (void)state;
    struct stage s;
    char name[201], mark[220];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    init(&s, 1, 600 * LZ_S);
    alert(&s, name, 0);
    lz_sim_at(s.w->sim, 300 * LZ_S, s.kind, 1, 0);
    lz_world_run(s.w);
    snprintf(mark, sizeof(mark), "%s fired", name);
    assert_true(lz_journal_marked(s.w, mark) >= 300 * LZ_S);
    lz_arena_destroy(s.arena);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct stage s;
    struct lz_err err;
    lz_component_id id;
    init(&s, 1, LZ_S);
    struct lz_alert_opts o = {.name = "page", .judge = is_above_half};
    assert_false(lz_alert_create(s.w, &o, &id, &err));
    assert_string_equal(err.msg, "1 to 16 conditions, got 0");
    const struct lz_alert_condition c = {.metric = s.is, .of = s.of};
    o.conditions = &c;
    o.condition_count = 1;
    o.pending = -1;
    assert_false(lz_alert_create(s.w, &o, &id, &err));
    o.pending = 0;
    assert_true(lz_alert_create(s.w, &o, &id, &err));
    assert_false(lz_alert_create(s.w, &o, &id, &err));
    assert_string_equal(err.msg, "the name \"page\" is taken by the alert of line 0");
    lz_arena_destroy(s.arena);
    static const struct {
        lz_time scrape, evaluation, wait, interval, repeat;
        const char *message;
    } wrong[] = {
        {0, 0, 0, 0, LZ_S, "group_interval must be from 0.001s to 720h, got 0s"},
        {0, 0, 0, LZ_S, 0, "repeat_interval must be from 0.001s to 720h, got 0s"},
        {0, 0, -LZ_S, LZ_S, LZ_S, "group_wait must be from 0s to 720h, got -1s"},
        {0, 0, LZ_FOREVER / 2, LZ_S, LZ_S, "group_wait must be from 0s to 720h, got 4.61169e+09s"},
        {1, 0, 0, LZ_S, LZ_S, "scrape_interval must be from 0.001s to 24h, got 1e-09s"},
        {0, LZ_FOREVER / 2, 0, LZ_S, LZ_S,
         "evaluation_interval must be from 0.001s to 24h, got 4.61169e+09s"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        init(&s, 1, LZ_S);
        const struct lz_alert_route route = {.group_wait = wrong[i].wait,
                                             .group_interval = wrong[i].interval,
                                             .repeat_interval = wrong[i].repeat};
        const struct lz_alerts_opts opts = {.scrape_interval = wrong[i].scrape,
                                            .evaluation_interval = wrong[i].evaluation,
                                            .routes = &route,
                                            .route_count = 1};
        assert_false(lz_alerts_monitor(s.w, &opts, &err));
        assert_string_equal(err.msg, wrong[i].message);
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_reads_what_promql_would),
        cmocka_unit_test(a_range_must_hold_two_samples),
        cmocka_unit_test(what_nobody_wrote_is_not_refused),
        cmocka_unit_test(a_page_is_as_late_as_published),
        cmocka_unit_test(what_fires_again_is_marked_again),
        cmocka_unit_test(of_too_many_instants_first_and_last_are_kept),
        cmocka_unit_test(faults_lose_samples_and_delay_what_is_told),
        cmocka_unit_test(each_notice_is_late_by_a_draw_of_its_own),
        cmocka_unit_test(an_alert_on_an_alert_fires_with_it),
        cmocka_unit_test(a_long_name_has_its_marks),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
