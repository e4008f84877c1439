/*
 * A rule in PromQL must fire element by element, from what was scraped, as Prometheus' would.
 *
 * Method: two components whose levels and counters the test moves at exact times, scraped every
 * second; after each evaluation the alert's own levels say how many elements are pending and how
 * many fire. The first table is S08, TestAlertingRule of prometheus rules/manager_test.go
 * (Apache-2.0, restated), by its own expression.
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

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define STEP (300 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id of[2], alert;
    lz_series level[2], some[2], all[2], good[2], late[2], spread[2];
    lz_kind kind;
    char seen[16][8]; // pending and firing, after each step
};

static const double levels[2][7] = {{75, 85, 95, 105, 105, 95, 85},
                                    {80, 90, 100, 110, 120, 130, 140}};

static void on_step(void *ctx, uint32_t step, uint64_t payload)
{
    struct stage *s = ctx;
    struct lz_metrics *m = s->w->metrics;
    if (payload == 1) { // before the next step
        lz_metric p = lz_world_metric(s->w, s->alert, "pending");
        lz_metric f = lz_world_metric(s->w, s->alert, "firing");
        snprintf(s->seen[step], sizeof(s->seen[step]), "%g/%g",
                 lz_metrics_level(m, lz_metrics_def(m, p)->a),
                 lz_metrics_level(m, lz_metrics_def(m, f)->a));
        return;
    }
    for (int i = 0; i < 2; i++) {
        lz_metrics_set(m, s->level[i], lz_sim_now(s->w->sim), levels[i][step]);
        lz_metrics_add(m, s->some[i], i == 0 ? 3 : 30);
        lz_metrics_add(m, s->late[i], 1);
        lz_metrics_add(m, s->good[i], i == 0 ? 97 : 70);
        lz_metrics_add(m, s->all[i], 100);
        for (int k = 0; k < 10; k++)
            lz_metrics_observe(m, s->spread[i], k < 9 ? 20 * LZ_MS : 2 * LZ_S);
    }
}

static void define(struct stage *s, int i, const char *name, enum lz_view view, enum lz_unit unit,
                   lz_series a)
{
    lz_metrics_define(s->w->metrics, s->of[i],
                      &(struct lz_metric_def){.name = name,
                                              .view = view,
                                              .unit = unit,
                                              .a = a,
                                              .b = view == LZ_VIEW_RATIO ? s->all[i] : 0});
}

static void init(struct stage *s, uint64_t key)
{
    struct lz_err err;
    *s = (struct stage){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){0}, &s->arena, &err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .run_key = key, .end = 7 * STEP});
    for (int i = 0; i < 2; i++) {
        assert_true(lz_world_add(s->w, i == 0 ? "a" : "b", LZ_COMPONENT_LINK, 1, &s->of[i], &err));
        s->level[i] = lz_metrics_gauge(s->w->metrics, 0.0);
        s->some[i] = lz_metrics_counter(s->w->metrics);
        s->all[i] = lz_metrics_counter(s->w->metrics);
        s->good[i] = lz_metrics_counter(s->w->metrics);
        s->late[i] = lz_metrics_counter(s->w->metrics);
        s->spread[i] = lz_metrics_hist(s->w->metrics);
        define(s, i, "in_flight", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, s->level[i]);
        define(s, i, "errors.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, s->some[i]);
        define(s, i, "success.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, s->good[i]);
        define(s, i, "timeouts.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, s->late[i]);
        define(s, i, "rate", LZ_VIEW_RATE, LZ_UNIT_RATE, s->all[i]);
        define(s, i, "latency.p99", LZ_VIEW_MAX, LZ_UNIT_SECONDS, s->spread[i]);
    }
    s->kind = lz_sim_kind(s->w->sim, "step", on_step, s);
    for (uint32_t k = 0; k < 7; k++) {
        lz_sim_at(s->w->sim, k * STEP, s->kind, k, 0);
        lz_sim_at(s->w->sim, (k + 1) * STEP - LZ_MS, s->kind, k, 1);
    }
    assert_true(lz_alerts_monitor(
        s->w, &(struct lz_alerts_opts){.scrape_interval = LZ_S, .evaluation_interval = STEP},
        &err));
}

static bool create(struct stage *s, const char *expr, lz_time pending, struct lz_err *err)
{
    static const struct lz_alert_label page = {"severity", "page"};
    return lz_alert_create(s->w,
                           &(struct lz_alert_opts){.name = "P",
                                                   .expr = expr,
                                                   .pending = pending,
                                                   .because = "it must not",
                                                   .labels = {&page, 1}},
                           &s->alert, err);
}

static const struct {
    const char *expr;
    lz_time pending;
    const char *seen[7];
} rules[] = {
    {"lorenz_in_flight < 100", 60 * LZ_S, {"2/0", "0/2", "0/1", "0/0", "0/0", "1/0", "0/1"}},
    {"sum(lorenz_in_flight) > 200", 0, {"0/0", "0/0", "0/0", "0/1", "0/1", "0/1", "0/1"}},
    {"lorenz_in_flight{component=\"b\"} > 100",
     0,
     {"0/0", "0/0", "0/0", "0/1", "0/1", "0/1", "0/1"}},
    // 3 % and 30 % of what came in the last two steps
    {"rate(lorenz_errors_total[10m]) / rate(lorenz_errors_of_total[10m]) > 0.1",
     0,
     {"0/0", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"increase(lorenz_requests_total[10m]) > 50 unless on() lorenz_in_flight > 104",
     0,
     {"0/0", "0/2", "0/2", "0/0", "0/0", "0/0", "0/0"}},
    // the usual rule; of 3 and 30 that failed one each timed out, and nobody counts refusals
    {"sum by (component) (rate(lorenz_outcomes_total{outcome!=\"ok\"}[10m]))"
     " / sum by (component) (rate(lorenz_outcomes_total[10m])) > 0.1",
     0,
     {"0/0", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"lorenz_outcomes_total{outcome=\"failed\"} == 2 or lorenz_outcomes_total{outcome=\"failed\"} "
     "== 29",
     0,
     {"0/2", "0/0", "0/0", "0/0", "0/0", "0/0", "0/0"}},
    {"lorenz_outcomes_total{outcome=~\"refused|timeout\"} > 1",
     0,
     {"0/0", "0/2", "0/2", "0/2", "0/2", "0/2", "0/2"}},
    {"sum without (outcome) (lorenz_outcomes_total) == on (component) lorenz_errors_of_total",
     0,
     {"0/2", "0/2", "0/2", "0/2", "0/2", "0/2", "0/2"}},
    // nine of ten are in (10 ms, 25 ms], one in (1 s, 2.5 s]
    {"histogram_quantile(0.95, sum by (le) (lorenz_latency_seconds_bucket)) > 1.7",
     0,
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"histogram_quantile(0.89, sum by (le) (lorenz_latency_seconds_bucket)) > 0.025",
     0,
     {"0/0", "0/0", "0/0", "0/0", "0/0", "0/0", "0/0"}},
    {"lorenz_latency_seconds_sum / lorenz_latency_seconds_count > 0.21 < 0.22",
     0,
     {"0/2", "0/2", "0/2", "0/2", "0/2", "0/2", "0/2"}},
    {"time() > bool 900", 0, {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}}, // a scalar
    // a step each evaluation, as Prometheus' global.evaluation_interval says
    {"count_over_time(vector(1)[30m:]) == 6", 0, {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    // from the second step to the end, though nothing else looks back that far
    {"lorenz_in_flight @ 310 == 85 and lorenz_in_flight > 90",
     0,
     {"0/0", "0/0", "0/1", "0/1", "0/1", "0/1", "0/0"}},
    {"absent(lorenz_in_flight{component=\"c\"})",
     300 * LZ_S,
     {"1/0", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
};

static void each_element_is_an_alert_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++)
        for (uint64_t key = 1; key <= 3; key++) {
            struct stage s;
            struct lz_err err;
            init(&s, key);
            if (!create(&s, rules[i].expr, rules[i].pending, &err))
                fail_msg("%s: %s", rules[i].expr, err.msg);
            lz_world_run(s.w);
            for (int k = 0; k < 7; k++)
                if (strcmp(s.seen[k], rules[i].seen[k]) != 0)
                    fail_msg("%s, step %d: %s, and must be %s", rules[i].expr, k, s.seen[k],
                             rules[i].seen[k]);
            lz_arena_destroy(s.arena);
        }
}

// A rule that selects by a pattern sees what is declared behind it, and itself, whether or not
// somebody else asks for that too.
static void the_order_of_rules_does_not_matter(void **state)
{
    (void)state;
    static const char *const expr = "count({__name__=~\"lorenz_firing.*\"}) == 2";
    for (int named = 0; named < 2; named++) {
        struct stage s;
        struct lz_err err;
        lz_component_id id;
        init(&s, 1);
        assert_true(create(&s, expr, 0, &err));
        struct lz_alert_opts second = {
            .name = "second", .expr = named ? "lorenz_firing > 5" : "lorenz_in_flight > 1e9"};
        assert_true(lz_alert_create(s.w, &second, &id, &err));
        lz_world_run(s.w);
        assert_string_equal(s.seen[3], "0/1");
        lz_arena_destroy(s.arena);
    }
}

static const struct {
    const char *expr, *why;
} refused[] = {
    {"sum(", "`expr` is no PromQL, at byte 5: expected a metric, a number or a function, and here "
             "it ends"},
    {"lorenz_in_flight[5m]", "`expr` must be an instant vector or a scalar, and is a range vector"},
    {"lorenz_in_fligth > 1", "`expr`: no component has the metric lorenz_in_fligth; the nearest is "
                             "lorenz_in_flight, and `lorenz explain alert` says how metrics are "
                             "called"},
    {"max_over_time(lorenz_in_flight[30d])", "`expr` looks back 2.592e+06s, which holds 2592002 "
                                             "scrapes; 262144 are allowed"},
};

static void what_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct stage s;
        struct lz_err err;
        init(&s, 1);
        assert_false(create(&s, refused[i].expr, 0, &err));
        assert_string_equal(err.msg, refused[i].why);
        lz_arena_destroy(s.arena);
    }
}

static uint32_t told(const struct stage *s, const char *part)
{
    uint32_t count = 0;
    for (size_t i = 0; i < lz_journal_count(s->w); i++)
        count += strstr(lz_journal_get(s->w, i)->text, part) != NULL;
    return count;
}

// It is at each evaluation, and told once.
static void an_expression_that_fails_says_so_and_changes_nothing(void **state)
{
    (void)state;
    struct stage s;
    struct lz_err err;
    init(&s, 1);
    assert_true(create(&s, "lorenz_in_flight / on() lorenz_in_flight", 0, &err));
    lz_world_run(s.w);
    assert_string_equal(s.seen[6], "0/0");
    assert_int_equal(told(&s, "P is not evaluated: two elements on the right side match {}"), 1);
    lz_arena_destroy(s.arena);
    init(&s, 1);
    assert_true(create(&s,
                       "label_replace(lorenz_in_flight, \"severity\", \"$1\", \"component\", "
                       "\"(.*)\") unless lorenz_rate_per_second > 1e9",
                       0, &err));
    lz_world_run(s.w);
    assert_string_equal(s.seen[6], "0/2"); // component still tells them apart
    lz_arena_destroy(s.arena);
    init(&s, 1);
    assert_true(create(&s,
                       "sum by (severity) (label_replace(lorenz_in_flight, \"severity\", "
                       "\"$1\", \"component\", \"(.*)\"))",
                       0, &err));
    lz_world_run(s.w);
    assert_string_equal(s.seen[6], "0/0"); // the rule's own severity makes them one
    assert_int_equal(told(&s, "two elements are the same alert"), 1);
    lz_arena_destroy(s.arena);
}

static void marks_are_of_the_first_and_the_last_element(void **state)
{
    (void)state;
    struct stage s;
    struct lz_err err;
    init(&s, 1);
    assert_true(create(&s, "lorenz_in_flight < 100", 0, &err));
    lz_world_run(s.w);
    assert_true(lz_journal_marked(s.w, "P fired") < STEP);
    assert_true(lz_journal_marked(s.w, "P resolved") > 3 * STEP);
    assert_true(lz_journal_marked(s.w, "P resolved") < 4 * STEP);
    assert_true(lz_journal_marked(s.w, "P notified") < 2 * STEP);
    assert_true(told(&s, "P: to default, because it must not") > 0);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_element_is_an_alert_of_its_own),
        cmocka_unit_test(the_order_of_rules_does_not_matter),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(an_expression_that_fails_says_so_and_changes_nothing),
        cmocka_unit_test(marks_are_of_the_first_and_the_last_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
