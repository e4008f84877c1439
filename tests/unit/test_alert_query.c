/*
 * A rule in PromQL must fire element by element, from what was scraped, as Prometheus' would.
 *
 * Method: a stage (rule_stage.h) with two components, scraped every second; after each evaluation
 * the alert's own levels say how many elements are pending and how many fire. The first table is
 * S08, TestAlertingRule of prometheus rules/manager_test.go (Apache-2.0, restated), by its own
 * expression.
 */
#include "rule_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/journal.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define STEP RULE_STAGE_STEP

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
    {"lorenz_in_flight{job!=\"a\", zone=~\"|x\"} < 76", // which have none of them
     0,
     {"0/1", "0/0", "0/0", "0/0", "0/0", "0/0", "0/0"}},
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
            struct rule_stage s;
            struct lz_err err;
            rule_stage_init(&s, key, STEP);
            if (!rule_stage_alert(&s, rules[i].expr, rules[i].pending, &err))
                fail_msg("%s: %s", rules[i].expr, err.msg);
            lz_world_run(s.w);
            for (int k = 0; k < 7; k++)
                if (strcmp(s.seen[k], rules[i].seen[k]) != 0)
                    fail_msg("%s, step %d: %s, and must be %s", rules[i].expr, k, s.seen[k],
                             rules[i].seen[k]);
            rule_stage_finish(&s);
        }
}

// A rule that selects by a pattern sees what is declared behind it, and itself, whether or not
// somebody else asks for that too.
static void the_order_of_rules_does_not_matter(void **state)
{
    (void)state;
    static const char *const expr = "count({__name__=~\"lorenz_firing.*\"}) == 2";
    for (int named = 0; named < 2; named++) {
        struct rule_stage s;
        struct lz_err err;
        lz_component_id id;
        rule_stage_init(&s, 1, STEP);
        assert_true(rule_stage_alert(&s, expr, 0, &err));
        struct lz_alert_opts second = {
            .name = "second", .expr = named ? "lorenz_firing > 5" : "lorenz_in_flight > 1e9"};
        assert_true(lz_alert_create(s.w, &second, &id, &err));
        lz_world_run(s.w);
        assert_string_equal(s.seen[3], "0/1");
        rule_stage_finish(&s);
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
    {"lorenz_in_flight{job=\"a\"} > 1", "`expr`: lorenz_in_flight has no label job; it has "
                                        "component"},
    {"rate(lorenz_outcomes_total{component=\"a\", code=~\"5..\"}[5m]) > 1",
     "`expr`: lorenz_outcomes_total has no label code; it has component, outcome"},
    {"max_over_time(lorenz_in_flight[30d])", "`expr` looks back 2.592e+06s, which holds 2592002 "
                                             "scrapes; 262144 are allowed"},
};

static void what_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct rule_stage s;
        struct lz_err err;
        rule_stage_init(&s, 1, STEP);
        assert_false(rule_stage_alert(&s, refused[i].expr, 0, &err));
        assert_string_equal(err.msg, refused[i].why);
        rule_stage_finish(&s);
    }
}

// It is at each evaluation, and told once.
static void an_expression_that_fails_says_so_and_changes_nothing(void **state)
{
    (void)state;
    struct rule_stage s;
    struct lz_err err;
    rule_stage_init(&s, 1, STEP);
    assert_true(rule_stage_alert(&s, "lorenz_in_flight / on() lorenz_in_flight", 0, &err));
    lz_world_run(s.w);
    assert_string_equal(s.seen[6], "0/0");
    assert_int_equal(
        rule_stage_told(&s, "P is not evaluated: two elements on the right side match {}"), 1);
    rule_stage_finish(&s);
    rule_stage_init(&s, 1, STEP);
    assert_true(
        rule_stage_alert(&s,
                         "label_replace(lorenz_in_flight, \"severity\", \"$1\", \"component\", "
                         "\"(.*)\") unless lorenz_rate_per_second > 1e9",
                         0, &err));
    lz_world_run(s.w);
    assert_string_equal(s.seen[6], "0/2"); // component still tells them apart
    rule_stage_finish(&s);
    rule_stage_init(&s, 1, STEP);
    assert_true(rule_stage_alert(&s,
                                 "sum by (severity) (label_replace(lorenz_in_flight, \"severity\", "
                                 "\"$1\", \"component\", \"(.*)\"))",
                                 0, &err));
    lz_world_run(s.w);
    assert_string_equal(s.seen[6], "0/0"); // the rule's own severity makes them one
    assert_int_equal(rule_stage_told(&s, "two elements are the same alert"), 1);
    rule_stage_finish(&s);
}

static void marks_are_of_the_first_and_the_last_element(void **state)
{
    (void)state;
    struct rule_stage s;
    struct lz_err err;
    rule_stage_init(&s, 1, STEP);
    assert_true(rule_stage_alert(&s, "lorenz_in_flight < 100", 0, &err));
    lz_world_run(s.w);
    assert_true(lz_journal_marked(s.w, "P fired") < STEP);
    assert_true(lz_journal_marked(s.w, "P resolved") > 3 * STEP);
    assert_true(lz_journal_marked(s.w, "P resolved") < 4 * STEP);
    assert_true(lz_journal_marked(s.w, "P notified") < 2 * STEP);
    assert_true(rule_stage_told(&s, "P: to default, because it must not") > 0);
    rule_stage_finish(&s);
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
