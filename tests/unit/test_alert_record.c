/*
 * Rules must see what rules write, as in Prometheus: recorded series, ALERTS, ALERTS_FOR_STATE.
 *
 * Method: the stage of rule_stage.h; a few rules that record, in the order of their declaration, an
 * alert A with a condition of its own, and an alert P that reads what they write and is written
 * down after each step. Sources: rules/group.go (an evaluation writes in a row, a marker ends what
 * is no longer there), rules/recording.go and rules/alerting.go (sample, forStateSample), restated.
 */
#include "rule_stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define RULES_MAX 3
#define STEPS RULE_STAGE_STEPS
#define MINUTE (60 * LZ_S)

struct rule {
    const char *record, *expr;
    struct lz_alert_label label;
    lz_time every;
};

struct row {
    const char *what;
    lz_time evaluation;
    struct rule rules[RULES_MAX];
    const char *a;
    lz_time a_pending;
    bool a_is_last; /* A is declared behind P */
    const char *p;
    const char *seen[STEPS];
};

static const struct row rows[] = {
    {"a series is what its expression was",
     MINUTE,
     {{"x:sum", "sum(lorenz_in_flight)", {0}, 0}},
     NULL,
     0,
     false,
     "x:sum > 200",
     {"0/0", "0/0", "0/0", "0/1", "0/1", "0/1", "0/1"}},
    {"a number is a series without labels",
     MINUTE,
     {{"x:seven", "7", {0}, 0}},
     NULL,
     0,
     false,
     "x:seven == 7 and on () x:seven",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"a rule sees what those before it have just recorded",
     MINUTE,
     {{"x:now", "vector(time())", {0}, 0}, {"x:copy", "x:now", {0}, 0}},
     NULL,
     0,
     false,
     "time() - x:copy == 0",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"and of those behind it what they recorded the last time",
     MINUTE,
     {{"x:copy", "x:now", {0}, 0}, {"x:now", "vector(time())", {0}, 0}},
     NULL,
     0,
     false,
     "time() - x:copy == 60",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"and of itself, too: a count of its own evaluations",
     RULE_STAGE_STEP - LZ_MS,
     {{"x:n", "x:n + 1 or vector(1)", {0}, 0}},
     NULL,
     0,
     false,
     "x:n > 3",
     {"0/0", "0/0", "0/0", "0/1", "0/1", "0/1", "0/1"}},
    {"elements keep their labels, and what is no longer there ends at once",
     MINUTE,
     {{"x:busy", "lorenz_in_flight > 100", {0}, 0}},
     NULL,
     0,
     false,
     "count by (component) (x:busy)",
     {"0/0", "0/0", "0/0", "0/2", "0/2", "0/1", "0/1"}},
    {"nothing at all is absent",
     MINUTE,
     {{"x:busy", "lorenz_in_flight > 100", {0}, 0}},
     NULL,
     0,
     false,
     "absent(x:busy)",
     {"0/1", "0/1", "0/1", "0/0", "0/0", "0/0", "0/0"}},
    {"the rule's labels lie over the element's, and an empty one takes a label away",
     MINUTE,
     {{"x:b", "lorenz_in_flight{component=\"b\"}", {"component", "c"}, 0},
      {"x:bare", "lorenz_in_flight{component=\"b\"}", {"component", ""}, 0}},
     NULL,
     0,
     false,
     "x:b{component=\"c\"} == on () x:bare{component=\"\"}",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"rules share a name if their labels differ; of one series the first rule's sample stands",
     MINUTE,
     {{"x:v", "vector(1)", {"of", "one"}, 0},
      {"x:v", "vector(2)", {"of", "two"}, 0},
      {"x:v", "vector(3)", {"of", "one"}, 0}},
     NULL,
     0,
     false,
     "sum(x:v) == 3",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"the last minute of 35, a sample each second",
     LZ_S,
     {{"x:now", "vector(time())", {0}, 0}},
     NULL,
     0,
     false,
     "round(max_over_time(x:now[1m]) - min_over_time(x:now[1m])) == 59 and "
     "count_over_time(x:now[1m]) == 60 and abs((x:now offset 30s) - (time() - 30)) < 0.001",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"a rule with `every` keeps its own time",
     RULE_STAGE_STEP,
     {{"x:often", "vector(time())", {0}, 30 * LZ_S}},
     NULL,
     0,
     false,
     "count_over_time(x:often[4m]) == 8",
     {"0/1", "0/1", "0/1", "0/1", "0/1", "0/1", "0/1"}},
    {"two rules that write one series: as much is kept as the more frequent of them writes",
     MINUTE,
     {{"x:r", "vector(1)", {0}, RULE_STAGE_STEP},
      {"x:r", "vector(1) and on () vector(time()) > 400", {0}, 15 * LZ_S}},
     NULL,
     0,
     false,
     "count_over_time(x:r[20m]) >= 75",
     {"0/0", "0/0", "0/0", "0/0", "0/1", "0/1", "0/1"}},
    {"whichever of them is the first",
     MINUTE,
     {{"x:r", "vector(1)", {0}, 15 * LZ_S},
      {"x:r", "vector(1) and on () vector(time()) > 400", {0}, RULE_STAGE_STEP}},
     NULL,
     0,
     false,
     "count_over_time(x:r[20m]) >= 75",
     {"0/0", "0/0", "0/0", "0/1", "0/1", "0/1", "0/1"}},
    // S08's own alert: 2/0, 0/2, 0/1, 0/0, 0/0, 1/0, 0/1
    {"alerts that are pending",
     RULE_STAGE_STEP,
     {{0}},
     "lorenz_in_flight < 100",
     MINUTE,
     false,
     "ALERTS{alertname=\"A\", alertstate=\"pending\"}",
     {"0/2", "0/0", "0/0", "0/0", "0/0", "0/1", "0/0"}},
    {"alerts that fire, with the labels of their element and of their rule",
     RULE_STAGE_STEP,
     {{0}},
     "lorenz_in_flight < 100",
     MINUTE,
     false,
     "ALERTS{alertname=\"A\", alertstate=\"firing\", team=\"shop\", component=~\"a|b\"} == 1",
     {"0/0", "0/2", "0/1", "0/0", "0/0", "0/0", "0/1"}},
    {"what an alert was no longer is has ended, as long as anybody looks back",
     MINUTE,
     {{0}},
     "lorenz_in_flight < 100",
     MINUTE,
     false,
     "count(ALERTS{alertname=\"A\"})",
     {"0/1", "0/1", "0/1", "0/0", "0/0", "0/1", "0/1"}},
    {"an alert that is declared behind is seen as it was the last time",
     MINUTE,
     {{0}},
     "lorenz_in_flight{component=\"a\"} < 100",
     RULE_STAGE_STEP - MINUTE,
     true,
     "ALERTS{alertname=\"A\", alertstate=\"pending\"}",
     {"0/1", "0/0", "0/0", "0/0", "0/0", "0/1", "0/0"}},
    {"since when it is active",
     RULE_STAGE_STEP,
     {{0}},
     "lorenz_in_flight < 100",
     MINUTE,
     false,
     "scalar(floor(vector(time()))) - ALERTS_FOR_STATE{alertname=\"A\"} == 300",
     {"0/0", "0/2", "0/0", "0/0", "0/0", "0/0", "0/1"}},
    {"a rule that records what alerts are",
     MINUTE,
     {{"x:firing", "count(ALERTS{alertstate=\"firing\", alertname!=\"P\"}) or vector(0)", {0}, 0}},
     "lorenz_in_flight > 100",
     0,
     false,
     "x:firing == 2",
     {"0/0", "0/0", "0/0", "0/1", "0/1", "0/0", "0/0"}},
};

static void declare(struct rule_stage *s, const struct row *row)
{
    static const char *const names[RULES_MAX] = {"r1", "r2", "r3"};
    static const struct lz_alert_label shop = {"team", "shop"};
    struct lz_err err;
    lz_component_id id = 0;
    rule_stage_init(s, 1, row->evaluation);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < RULES_MAX && row->rules[i].record != NULL; i++) {
            const struct rule *r = &row->rules[i];
            const struct lz_alert_record_opts o = {
                .name = names[i],
                .record = r->record,
                .expr = r->expr,
                .every = r->every,
                .labels = {&r->label, r->label.name != NULL ? 1 : 0}};
            if (pass == 0 ? !lz_alert_record_promise(s->w, r->record, r->every, &err)
                          : !lz_alert_record_create(s->w, &o, &id, &err))
                fail_msg("%s: %s", row->what, err.msg);
        }
    const struct lz_alert_opts a = {
        .name = "A", .expr = row->a, .pending = row->a_pending, .labels = {&shop, 1}};
    if (row->a != NULL && !row->a_is_last)
        assert_true(lz_alert_create(s->w, &a, &id, &err));
    if (!rule_stage_alert(s, row->p, 0, &err))
        fail_msg("%s: %s", row->what, err.msg);
    if (row->a_is_last)
        assert_true(lz_alert_create(s->w, &a, &id, &err));
}

static void rules_see_what_rules_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rule_stage s;
        declare(&s, &rows[i]);
        lz_world_run(s.w);
        for (int k = 0; k < STEPS; k++)
            if (strcmp(s.seen[k], rows[i].seen[k]) != 0)
                fail_msg("%s, step %d: %s, and must be %s", rows[i].what, k, s.seen[k],
                         rows[i].seen[k]);
        assert_int_equal(rule_stage_told(&s, "not evaluated"), 0);
        rule_stage_finish(&s);
    }
}

static bool is_two(const struct lz_world *w, const void *limit, const struct lz_sample *sample)
{
    (void)w;
    (void)limit;
    return sample->value > 1.5;
}

// The condition of an alert that is no PromQL writes ALERTS too.
static void alerts_with_conditions_are_in_alerts(void **state)
{
    (void)state;
    static const char *const want[STEPS] = {"0/0", "0/0", "0/0", "0/1", "0/1", "0/0", "0/0"};
    struct rule_stage s;
    struct lz_err err;
    lz_component_id id = 0;
    rule_stage_init(&s, 1, MINUTE);
    assert_true(lz_alert_create(
        s.w, &(struct lz_alert_opts){.name = "A", .expr = "lorenz_in_flight > 100"}, &id, &err));
    // A fires with two elements: its own level is known at once
    lz_metric firing = lz_world_metric(s.w, id, "firing");
    struct lz_alert_condition two = {.metric = firing, .of = id, .limit = &two};
    assert_true(lz_alert_create(
        s.w,
        &(struct lz_alert_opts){
            .name = "two", .conditions = &two, .condition_count = 1, .judge = is_two},
        &id, &err));
    assert_true(rule_stage_alert(&s, "ALERTS{alertname=\"two\"}", 0, &err));
    lz_world_run(s.w);
    for (int k = 0; k < STEPS; k++)
        assert_string_equal(s.seen[k], want[k]);
    rule_stage_finish(&s);
}

static double level_of(const struct rule_stage *s, const char *rule, const char *metric)
{
    lz_component_id of = 0;
    for (uint32_t i = 0; i < s->w->alerts->record_count; i++)
        if (strcmp(s->w->alerts->records[i].opts.name, rule) == 0)
            of = s->w->alerts->records[i].id;
    lz_metric id = lz_world_metric(s->w, of, metric);
    return lz_metrics_is_hidden(s->w->metrics, id)
               ? -1.0
               : lz_metrics_level(s->w->metrics, lz_metrics_def(s->w->metrics, id)->a);
}

static void a_rule_measures_what_it_finds(void **state)
{
    static const struct {
        const char *expr;
        double value, elements; // at the end; -1: none
    } found[] = {
        {"lorenz_in_flight", 140, 2},       {"-lorenz_in_flight", -85, 2},
        {"lorenz_in_flight > 1000", -1, 0}, {"lorenz_in_flight / 0", -1, 2},
        {"lorenz_in_flight > 100", 140, 1}, {"3.5", 3.5, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(found); i++) {
        struct rule_stage s;
        const struct row row = {.what = found[i].expr,
                                .evaluation = MINUTE,
                                .rules = {{"x:y", found[i].expr, {0}, 0}},
                                .p = "lorenz_in_flight > 1e9"};
        declare(&s, &row);
        lz_world_run(s.w);
        assert_true(fabs(level_of(&s, "r1", "value") - found[i].value) < 1e-9);
        assert_true(fabs(level_of(&s, "r1", "elements") - found[i].elements) < 1e-9);
        rule_stage_finish(&s);
    }
}

static void what_cannot_be_recorded_says_so_and_so_does_who_reads_it(void **state)
{
    (void)state;
    struct rule_stage s;
    struct lz_alert_failure why;
    const struct row row = {.what = "one series of two",
                            .evaluation = MINUTE,
                            .rules = {{"x:two", "lorenz_in_flight", {"component", "c"}, 0},
                                      {"x:read", "x:two + 1", {0}, 0},
                                      {"x:other", "vector(1)", {0}, 0}},
                            .a = "x:other > 0",
                            .p = "x:read > 0"};
    declare(&s, &row);
    assert_false(lz_alerts_has_failed(s.w, s.alert, NULL, &why));
    lz_world_run(s.w);
    assert_int_equal(
        rule_stage_told(&s, "r1 is not evaluated: two elements are the same series once they "
                            "have the rule's labels"),
        1);
    assert_true(lz_alerts_has_failed(s.w, s.alert, NULL, &why));
    assert_string_equal(why.name, "P");
    assert_non_null(strstr(why.why, "it reads x:read, which is not evaluated: it reads x:two"));
    assert_true(lz_alerts_has_failed(s.w, 0, "P fired", &why));
    assert_false(lz_alerts_has_failed(s.w, 0, "A fired", &why)); // it rests on none of these
    rule_stage_finish(&s);
}

// Whatever else a selector asks for, a pattern of names says which rules it can read.
static void a_pattern_of_names_doubts_what_it_matches(void **state)
{
    (void)state;
    static const struct {
        const char *selector;
        bool doubts;
    } patterns[] = {
        {"{__name__=~\"lorenz_in_.*\"}", false},
        {"{__name__=~\"lorenz_in_.*|x:t.o\"}", true},
        {"{__name__=~\".*flight\", __name__!=\"x:two\"}", false},
        {"{__name__!~\"x:.*\", component=\"a\"}", false},
        {"{__name__!=\"x:three\", component=\"a\"}", true},
        {"{component=\"a\"}", true},
        {"lorenz_in_flight or {__name__=~\"x:.*\"}", true},
    };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct rule_stage s;
        struct lz_alert_failure why;
        char p[200];
        snprintf(p, sizeof(p), "count(%s) > 1000", patterns[i].selector);
        const struct row row = {.what = patterns[i].selector,
                                .evaluation = MINUTE,
                                .rules = {{"x:two", "lorenz_in_flight", {"component", "c"}, 0}},
                                .p = p};
        declare(&s, &row);
        lz_world_run(s.w);
        assert_int_equal(rule_stage_told(&s, "r1 is not evaluated"), 1);
        if (lz_alerts_has_failed(s.w, s.alert, NULL, &why) != patterns[i].doubts)
            fail_msg("%s: it is %s doubted", p, patterns[i].doubts ? "not" : "");
        rule_stage_finish(&s);
    }
}

static const struct {
    const char *record, *p, *why;
    lz_time every;
} refused[] = {
    {"x:sum", "x:sun > 1", "`expr`: no component has the metric x:sun; the nearest is x:sum, and",
     0},
    {"x:sum", "ALERT > 1", "the nearest is ALERTS, and", 0},
    {"x:sum", "max_over_time(x:sum[7d]) > 1",
     "`expr` looks back 604800s, which holds 604802 scrapes; 262144 are allowed", LZ_S},
    {"x:sum", "x:sum > 1", "every must be from 0.001s to 24h, got 172800s", 2 * 86400 * LZ_S},
};

static void what_no_rule_can_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct rule_stage s;
        struct lz_err err;
        lz_component_id id;
        rule_stage_init(&s, 1, MINUTE);
        const struct lz_alert_record_opts o = {.name = "r",
                                               .record = refused[i].record,
                                               .expr = "sum(lorenz_in_flight)",
                                               .every = refused[i].every};
        bool ok = lz_alert_record_promise(s.w, o.record, o.every, &err) &&
                  lz_alert_record_create(s.w, &o, &id, &err) &&
                  rule_stage_alert(&s, refused[i].p, 0, &err);
        assert_false(ok);
        if (strstr(err.msg, refused[i].why) == NULL)
            fail_msg("%s\n  says     %s\n  and must %s", refused[i].p, err.msg, refused[i].why);
        rule_stage_finish(&s);
    }
}

// A series for each evaluation: what nobody looks back to any more is forgotten.
static void series_that_have_ended_are_forgotten(void **state)
{
    (void)state;
    struct rule_stage s;
    const struct row row = {.what = "a label that changes all the time",
                            .evaluation = LZ_S,
                            .rules = {{"x:t", "count_values(\"t\", vector(time()))", {0}, 0}},
                            .p = "count(count_over_time(x:t[5m])) == 300"};
    declare(&s, &row);
    lz_world_run(s.w);
    for (int k = 1; k < STEPS; k++)
        assert_string_equal(s.seen[k], "0/1");
    const struct lz_promql_store *samples = lz_alert_store_samples(s.w->alerts->store);
    assert_in_range(samples->count(samples->ctx), 300, 300 + 2 * LZ_ALERT_TIDY / LZ_S);
    rule_stage_finish(&s);
}

static uint32_t ends_of(const struct rule_stage *s, const char *name)
{
    const struct lz_promql_store *all = lz_alert_store_samples(s->w->alerts->store);
    uint32_t ends = 0, count = 0;
    for (uint32_t i = 0; i < all->count(all->ctx); i++) {
        struct lz_promql_labels l = all->labels(all->ctx, i);
        if (strcmp(lz_promql_labels_get(&l, LZ_PROMQL_NAME), name) != 0)
            continue;
        const struct lz_promql_point *points =
            all->samples(all->ctx, i, -1, RULE_STAGE_STEPS * RULE_STAGE_STEP / LZ_MS, NULL, &count);
        assert_true(count > 1000);
        for (uint32_t k = 0; k < count; k++)
            ends += isnan(points[k].value) ? 1u : 0u;
    }
    return ends;
}

// Both write it until 900 s; the first comes by much later, when there is z:z in its place.
static void a_series_of_two_rules_is_forgotten_when_both_have_ended_it(void **state)
{
    (void)state;
    const char *expr = "vector(1) and on () vector(time()) < 900";
    const struct row row = {.what = "a series of two rules",
                            .evaluation = LZ_S,
                            .rules = {{"x:x", expr, {0}, 600 * LZ_S},
                                      {"x:x", expr, {0}, 0},
                                      {"z:z", "vector(2) and on () vector(time()) > 960", {0}, 0}},
                            .p = "count_over_time(x:x[1s]) > 0 and count_over_time(z:z[1h]) > 0"};
    struct rule_stage s;
    declare(&s, &row);
    lz_world_run(s.w);
    assert_int_equal(ends_of(&s, "z:z"), 0);
    rule_stage_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_see_what_rules_write),
        cmocka_unit_test(alerts_with_conditions_are_in_alerts),
        cmocka_unit_test(a_rule_measures_what_it_finds),
        cmocka_unit_test(what_cannot_be_recorded_says_so_and_so_does_who_reads_it),
        cmocka_unit_test(a_pattern_of_names_doubts_what_it_matches),
        cmocka_unit_test(what_no_rule_can_be_is_refused),
        cmocka_unit_test(series_that_have_ended_are_forgotten),
        cmocka_unit_test(a_series_of_two_rules_is_forgotten_when_both_have_ended_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
