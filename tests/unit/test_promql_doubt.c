/*
 * Labels that nothing has must be doubted, and nothing else.
 *
 * Method: six series, a name that a rule makes, and an expression a row; what is doubted of it, in
 * order: "!metric", "label=value [values there are]", "!together", "by label [labels there are]".
 */
#include "promql_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "promql/doubt.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SERIES(...)                                                                                \
    {                                                                                              \
        .all = (const struct lz_promql_label[]){__VA_ARGS__},                                      \
        .count = COUNT(((const struct lz_promql_label[]){__VA_ARGS__}))                            \
    }

static const struct lz_promql_labels series[] = {
    SERIES({"__name__", "bad"}, {"component", "web"}),
    SERIES({"__name__", "bad"}, {"component", "db"}),
    SERIES({"__name__", "ends"}, {"component", "web"}, {"outcome", "ok"}),
    SERIES({"__name__", "ends"}, {"component", "db"}, {"outcome", "failed"}),
    SERIES({"__name__", "time"}, {"component", "web"}, {"le", "0.5"}),
    SERIES({"__name__", "up"}, {"component", "web"}, {"instance", "web[1]"}),
};

static const struct lz_promql_known known = {
    .series = series,
    .count = COUNT(series),
    .open = {(const char *const[]){"web:bad:rate5m"}, 1},
};

static const struct {
    const char *expr, *want;
} rows[] = {
    {"bad > 1", ""},
    {"bad{component=\"web\"}", ""},
    {"bad{component=\"weeb\"}", "component=weeb [web db]"},
    {"ends{component=\"weeb\", outcome=\"fialed\"}",
     "component=weeb [web db], outcome=fialed [ok failed]"},
    {"time{le=\"0.3\"} / on (component) bad", "le=0.3 [0.5]"},
    {"bad{component=~\"w.*|x\"}", ""},
    {"bad{component=~\"x|y\"}", "component=x|y [web db]"},
    {"ends{component=\"web\", outcome=\"failed\"}", "!together"},
    {"rate(ends{outcome=\"okay\"}[5m])", "outcome=okay [ok failed]"},
    // what must be empty, or must not be something
    {"bad{job=\"\"}", ""},
    {"bad{component!=\"weeb\"}", ""},
    {"bad{component!~\"weeb|x\"}", ""},
    {"bad{component!=\"\"}", ""},
    {"bad{component!~\".*\"}", "component=.* [web db]"}, // nothing at all is like that
    {"absent(bad{component=\"weeb\"})", ""},
    {"absent_over_time(bad{component=\"weeb\"}[5m])", ""},
    // names by a pattern
    {"{__name__=~\"b.d|up\", component=\"db\"}", ""},
    {"{__name__=~\"b.d\", component=\"dbb\"}", "component=dbb [web db]"},
    {"{__name__=~\"b.d|up\", job=\"a\"}", "job=a []"},
    {"{__name__=~\"lorenz.*\"}", "!metric"},
    {"{component=\"weeb\", __name__!=\"web:bad:rate5m\"}", "component=weeb [web db]"},
    // of what rules make nobody knows the labels
    {"web:bad:rate5m{job=\"a\"}", ""},
    {"sum by (job) (web:bad:rate5m)", ""},
    {"{__name__=~\"web:.*|bad\", job=\"a\"}", ""},
    {"sum by (job) (web:bad:rate5m or bad)", ""},
    // groupings
    {"sum by (component) (bad)", ""},
    {"sum by (component, job) (bad)", "by job [__name__ component]"},
    {"sum without (job) (bad)", "by job [__name__ component]"},
    {"sum by (__name__) (bad)", ""},
    {"sum by (le) (rate(time[5m]))", ""},
    {"sum by (component) (sum by (le) (time))", "by component [le]"},
    {"sum by (component) (sum without (component) (ends))", "by component [__name__ outcome]"},
    {"sum by (le) (topk by (component) (1, time))", ""},
    {"topk by (job) (1, time)", "by job [__name__ component le]"},
    {"sum by (version) (count_values(\"version\", bad))", ""},
    {"sum by (x) (label_replace(bad, \"x\", \"$1\", \"component\", \"(.*)\"))", ""},
    {"sum by (x) (label_join(bad, \"x\", \"-\", \"component\"))", ""},
    {"bad / on (component) ends", ""},
    {"bad / on (job) ends", "by job [__name__ component outcome]"},
    {"ends / ignoring (outcome) bad", ""},
    {"ends / ignoring (code) bad", "by code [__name__ component outcome]"},
    {"ends / on (component) group_left (le) time", ""},
    {"ends / on (component) group_left (job) time", "by job [__name__ component outcome le]"},
    {"bad and on () vector(1)", ""},
    {"sum by (job) (vector(1))", "by job []"},
    {"sum by (job) (bad{component=\"weeb\"})",
     "component=weeb [web db], by job [__name__ component]"},
};

static const char *show(const char *expr)
{
    static char text[1000];
    const struct lz_promql_query *q = NULL;
    const struct lz_promql_doubt *all = NULL;
    struct lz_promql_fault fault;
    struct lz_str out;
    if (!lz_promql_parse(&promql_stage.scratch, expr, &q, &fault))
        fail_msg("%s: %s", expr, fault.err.msg);
    uint32_t count = lz_promql_doubts(q, &known, &promql_stage.scratch, &all);
    lz_str_init(&out);
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_promql_doubt *d = &all[i];
        lz_str_addf(&out, "%s", i > 0 ? ", " : "");
        if (d->kind == LZ_PROMQL_DOUBT_METRIC || d->kind == LZ_PROMQL_DOUBT_TOGETHER) {
            lz_str_addf(&out, d->kind == LZ_PROMQL_DOUBT_METRIC ? "!metric" : "!together");
            continue;
        }
        if (d->kind == LZ_PROMQL_DOUBT_VALUE)
            lz_str_addf(&out, "%s=%s [", d->label, d->value);
        else
            lz_str_addf(&out, "by %s [", d->label);
        for (uint32_t k = 0; k < d->others.count; k++)
            lz_str_addf(&out, "%s%s", k > 0 ? " " : "", d->others.all[k]);
        lz_str_addf(&out, "]");
    }
    snprintf(text, sizeof(text), "%s", out.text);
    lz_str_finish(&out);
    return text;
}

static void labels_that_nothing_has_are_doubted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(show(rows[i].expr), rows[i].want) != 0)
            fail_msg("%s: \"%s\", and must be \"%s\"", rows[i].expr, show(rows[i].expr),
                     rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_that_nothing_has_are_doubted),
    };
    return cmocka_run_group_tests(tests, promql_stage_begin, promql_stage_end);
}
