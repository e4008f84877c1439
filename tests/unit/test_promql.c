/*
 * PromQL must give what Prometheus' documentation says, and refuse the rest where it is wrong.
 *
 * Method: a few series of samples every 60 s; an expression is evaluated at 600 s and written as
 * text, elements in the order of their labels. Rows are ours, made by hand from Prometheus'
 * documentation: querying/basics (selectors, offset, @, staleness), querying/operators (matching,
 * sets, aggregations, precedence) and querying/functions, with the extrapolation of rates computed
 * on paper. Prometheus' own cases are played by tests/fidelity/s06_promql.lua, where they are.
 */
#include "promql_stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sort.h"
#include "promql/promql.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NOW 600000
#define STEP 60000
#define POINTS 11

struct series {
    struct lz_promql_label labels[6];
    uint32_t count;
    double first, step; // at 0, and how much more each minute
    uint32_t from, until;
    bool ends; // by a staleness marker
};

#define L(n, v)                                                                                    \
    {                                                                                              \
        n, v                                                                                       \
    }
static const struct series all[] = {
    {{L("__name__", "errors"), L("code", "500"), L("method", "get")}, 3, 0, 24, 0, 10, false},
    {{L("__name__", "errors"), L("code", "404"), L("method", "get")}, 3, 0, 30, 0, 10, false},
    {{L("__name__", "errors"), L("code", "404"), L("method", "put")}, 3, 0, 3, 0, 10, false},
    {{L("__name__", "errors"), L("code", "500"), L("method", "post")}, 3, 0, 6, 0, 10, false},
    {{L("__name__", "requests"), L("method", "get")}, 2, 0, 600, 0, 10, false},
    {{L("__name__", "requests"), L("method", "del")}, 2, 0, 34, 0, 10, false},
    {{L("__name__", "requests"), L("method", "post")}, 2, 0, 120, 0, 10, false},
    {{L("__name__", "old"), L("job", "a")}, 2, 7, 0, 0, 4, false},  // last at 240 s: too old
    {{L("__name__", "late"), L("job", "a")}, 2, 7, 0, 0, 6, false}, // last at 360 s: not yet
    {{L("__name__", "gone"), L("job", "a")}, 2, 7, 0, 0, 9, true},
    {{L("__name__", "temp"), L("room", "x")}, 2, 20, 1, 0, 10, false},
    {{L("__name__", "temp"), L("room", "y")}, 2, 25, -1, 0, 10, false},
    {{L("__name__", "lat_bucket"), L("le", "0.1")}, 2, 0, 50, 0, 10, false},
    {{L("__name__", "lat_bucket"), L("le", "0.2")}, 2, 0, 90, 0, 10, false},
    {{L("__name__", "lat_bucket"), L("le", "+Inf")}, 2, 0, 100, 0, 10, false},
};

static uint32_t store_count(void *ctx)
{
    (void)ctx;
    return COUNT(all);
}

static struct lz_promql_labels store_labels(void *ctx, uint32_t i)
{
    (void)ctx;
    return (struct lz_promql_labels){all[i].labels, all[i].count};
}

static const struct lz_promql_point *store_samples(void *ctx, uint32_t i, int64_t after,
                                                   int64_t until, struct lz_promql_scratch *s,
                                                   uint32_t *count)
{
    (void)ctx;
    struct lz_promql_point *p = lz_promql_scratch_alloc(s, POINTS * sizeof(*p));
    *count = 0;
    for (uint32_t k = all[i].from; k <= all[i].until; k++) {
        int64_t t = (int64_t)k * STEP;
        bool is_marker = all[i].ends && k == all[i].until;
        if (t > after && t <= until)
            p[(*count)++] = (struct lz_promql_point){
                t, is_marker ? lz_promql_stale() : all[i].first + all[i].step * (double)k};
    }
    return p;
}

static const struct lz_promql_store store = {
    .count = store_count, .labels = store_labels, .samples = store_samples};

static int by_labels(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return lz_promql_labels_compare(&((const struct lz_promql_series *)a)->labels,
                                    &((const struct lz_promql_series *)b)->labels);
}

static char text[4000];
static bool was_accepted, drops_late;

static void write_value(struct lz_promql_value *v, bool is_sorted)
{
    size_t len = 0;
    text[0] = '\0';
    if (v->type == LZ_PROMQL_SCALAR) {
        snprintf(text, sizeof(text), "%.6g", v->scalar);
        return;
    }
    if (!is_sorted && v->count > 0)
        lz_sort(v->all, v->count, sizeof(*v->all), by_labels, NULL);
    for (uint32_t i = 0; i < v->count && len < sizeof(text); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %.6g", i > 0 ? "; " : "",
                                lz_promql_labels_show(&promql_stage.scratch, &v->all[i].labels),
                                v->all[i].value);
}

static const char *evaluated(const char *expr)
{
    const struct lz_promql_query *q = NULL;
    struct lz_promql_fault fault;
    struct lz_promql_value v;
    struct lz_promql_eval_opts opts = {
        .store = &store, .at_ms = NOW, .drops_names_late = drops_late};
    lz_promql_scratch_reset(&promql_stage.scratch);
    was_accepted = lz_promql_parse(&promql_stage.scratch, expr, &q, &fault) &&
                   lz_promql_eval(q, &opts, &promql_stage.scratch, &v, &fault);
    if (was_accepted)
        write_value(&v, strncmp(expr, "sort", 4) == 0 || strncmp(expr, "topk", 4) == 0);
    else
        snprintf(text, sizeof(text), "%zu+%zu: %s", fault.at, fault.len, fault.err.msg);
    return text;
}

struct row {
    const char *expr, *want;
};

static const struct row rows[] = {
    // selectors
    {"requests", "requests{method=\"del\"} 340; requests{method=\"get\"} 6000; "
                 "requests{method=\"post\"} 1200"},
    {"requests{method=\"get\"}", "requests{method=\"get\"} 6000"},
    {"requests{method!='get'}", "requests{method=\"del\"} 340; requests{method=\"post\"} 1200"},
    {"requests{method=~`g.*|post`}",
     "requests{method=\"get\"} 6000; requests{method=\"post\"} 1200"},
    {"requests{method!~\"g.*|post\"}", "requests{method=\"del\"} 340"},
    {"{__name__=~\"te.p\",room='x'}", "temp{room=\"x\"} 30"},
    {"{\"temp\", room='x'}", "temp{room=\"x\"} 30"},
    {"requests{nothere=\"\",method='del'}", "requests{method=\"del\"} 340"},
    {"old", ""}, // more than 5 min ago
    {"late", "late{job=\"a\"} 7"},
    {"gone", ""}, // marked stale
    {"last_over_time(gone[10m])", "gone{job=\"a\"} 7"},
    {"temp{room='x'} offset 2m", "temp{room=\"x\"} 28"},
    {"temp{room='x'} @ 120", "temp{room=\"x\"} 22"},
    {"temp{room='x'} @ end() offset 1m", "temp{room=\"x\"} 29"},
    {"count_over_time(temp{room='x'}[5m])", "{room=\"x\"} 5"}, // (300 s, 600 s]
    // arithmetic, precedence
    {"2 ^ 3 ^ 2", "512"},
    {"-2 ^ 2", "-4"},
    {"2 * 3 % 2", "0"},
    {"1 + 2 * 3 - 4 / 2", "5"},
    {"1 > bool 2", "0"},
    {"1 / 0", "inf"},
    {"-7 % 3", "-1"},
    {"5m + 1", "301"},
    {"0x1F + 1_000", "1031"},
    {"0755", "493"}, // parse_test.go has this row
    {"0_755 + 089 + 0.5 + 00", "582.5"},
    {"temp{room='x'} * 2", "{room=\"x\"} 60"},
    {"temp > 20", "temp{room=\"x\"} 30"},
    {"20 < temp", "temp{room=\"x\"} 30"},
    {"temp > bool 20", "{room=\"x\"} 1; {room=\"y\"} 0"},
    // matching: the examples of querying/operators
    {"errors{code=\"500\"} / ignoring(code) requests",
     "{method=\"get\"} 0.04; {method=\"post\"} 0.05"},
    {"errors / ignoring(code) group_left requests",
     "{code=\"404\", method=\"get\"} 0.05; {code=\"500\", method=\"get\"} 0.04; "
     "{code=\"500\", method=\"post\"} 0.05"},
    {"requests * on(method) group_right() errors{code=\"404\"}",
     "{code=\"404\", method=\"get\"} 1.8e+06"},
    {"temp and on(room) temp{room='x'}", "temp{room=\"x\"} 30"},
    {"temp unless temp{room='x'}", "temp{room=\"y\"} 15"},
    {"temp{room='x'} or temp", "temp{room=\"x\"} 30; temp{room=\"y\"} 15"},
    {"temp or vector(1)", "{} 1; temp{room=\"x\"} 30; temp{room=\"y\"} 15"},
    {"temp{room='x'} + on() vector(1)", "{} 31"},
    {"temp{room='x'} + fill(0) temp{room='y'}", "{room=\"x\"} 30; {room=\"y\"} 15"},
    // of several on the left, what a comparison drops is not there: no many to one
    {"errors > ignoring(code) (requests * 0 + 250)", "errors{method=\"get\"} 300"},
    {"errors > on(method) requests", ""},
    // aggregations
    {"sum(errors)", "{} 630"},
    {"sum by (method) (errors)", "{method=\"get\"} 540; {method=\"post\"} 60; {method=\"put\"} 30"},
    {"sum(errors) without (code)",
     "{method=\"get\"} 540; {method=\"post\"} 60; {method=\"put\"} 30"},
    {"avg(temp)", "{} 22.5"},
    {"max(temp) - min(temp)", "{} 15"},
    {"count(errors) by (code)", "{code=\"404\"} 2; {code=\"500\"} 2"},
    {"group(errors)", "{} 1"},
    {"stddev(temp)", "{} 7.5"},
    {"stdvar(temp)", "{} 56.25"},
    {"quantile(0.5, errors)", "{} 150"},
    {"topk(2, errors)",
     "errors{code=\"404\", method=\"get\"} 300; errors{code=\"500\", method=\"get\"} 240"},
    {"bottomk(1, errors)", "errors{code=\"404\", method=\"put\"} 30"},
    {"count_values(\"v\", temp * 0.1)", "{v=\"1.5\"} 1; {v=\"3\"} 1"},
    // functions
    {"rate(requests{method='get'}[5m])", "{method=\"get\"} 10"},
    {"increase(requests{method='get'}[5m])", "{method=\"get\"} 3000"},
    // 4 min of samples; 60 s to the beginning are less than 66: all 5 min
    {"delta(temp[5m])", "{room=\"x\"} 5; {room=\"y\"} -5"},
    {"irate(requests{method='get'}[5m])", "{method=\"get\"} 10"},
    {"deriv(temp[5m]) * 60", "{room=\"x\"} 1; {room=\"y\"} -1"},
    {"predict_linear(temp[5m], 600)", "{room=\"x\"} 40; {room=\"y\"} 5"},
    {"resets(temp[5m])", "{room=\"x\"} 0; {room=\"y\"} 4"},
    {"changes(temp[5m])", "{room=\"x\"} 4; {room=\"y\"} 4"},
    {"avg_over_time(temp[5m])", "{room=\"x\"} 28; {room=\"y\"} 17"},
    {"max_over_time(temp[5m:1m])", "{room=\"x\"} 30; {room=\"y\"} 19"},
    {"quantile_over_time(0.5, temp[5m])", "{room=\"x\"} 28; {room=\"y\"} 17"},
    {"max_over_time(sum(temp)[5m:1m])", "{} 45"},
    // half of 100 lies at the end of the first bucket; 0.7: half way through the second
    {"histogram_quantile(0.5, lat_bucket)", "{} 0.1"},
    {"histogram_quantile(0.7, rate(lat_bucket[5m]))", "{} 0.15"},
    {"histogram_quantile(0.99, lat_bucket)", "{} 0.2"}, // in the last: its lower end
    {"histogram_fraction(0, 0.15, lat_bucket)", "{} 0.7"},
    {"absent(nothing{job=\"a\",x=~\"b\"})", "{job=\"a\"} 1"},
    {"absent(temp)", ""},
    {"label_replace(temp{room='x'}, \"where\", \"room-$1\", \"room\", \"(.*)\")",
     "temp{room=\"x\", where=\"room-x\"} 30"},
    {"label_join(temp{room='x'}, \"j\", \"-\", \"room\", \"room\")",
     "temp{j=\"x-x\", room=\"x\"} 30"},
    {"sort_desc(temp)", "temp{room=\"x\"} 30; temp{room=\"y\"} 15"},
    {"clamp(temp, 16, 29)", "{room=\"x\"} 29; {room=\"y\"} 16"},
    {"round(temp / 4, 0.5)", "{room=\"x\"} 7.5; {room=\"y\"} 4"},
    {"scalar(temp{room='x'}) + 1", "31"},
    {"scalar(temp)", "nan"},
    {"time()", "600"},
    {"timestamp(late)", "{job=\"a\"} 360"},
    {"hour(vector(3600 * 30))", "{} 6"},
    {"day_of_week(vector(1709164800))", "{} 4"}, // 29 February 2024, a Thursday
    {"days_in_month(vector(1709164800))", "{} 29"},
    // far off, computed by hand: 400 years have 146,097 days, wherever they begin
    {"year(vector(1e15))", "{} 3.16907e+07"},
    {"year(vector(1e15)) - 31690708", "{} 0"},
    {"year(vector(-1e15)) + 31686769", "{} 0"},
    {"year(vector(9223372036854774784)) - 292277026596", "{} 0"}, // the last that a float has
    {"hour(vector(-9223372036854775808))", "{} 8"},
    {"day_of_week(vector(-9223372036854775808))", "{} 0"},
    {"year(vector(9223372036854775808))", "{} nan"}, // 64 bits do not hold it
    {"hour(vector(NaN))", "{} nan"},
    {"month(vector(-Inf))", "{} nan"},
    {"sum(rate(errors{code=~\"5..\"}[5m])) / sum(rate(requests[5m])) > 0.02 # a rule",
     "{} 0.0397878"},
};

static void expressions_are_evaluated_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = evaluated(rows[i].expr);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s\n  is       %s\n  and must %s", rows[i].expr, got, rows[i].want);
    }
}

// What is left of a name: dropped at once, as Prometheus does, and with its feature flag
// promql-delayed-name-removal (querying/operators, feature_flags: "the removal of __name__ is
// deferred to the last step of the query evaluation"). Of the latter promqltest has
// name_label_dropping.test; the former are ours.
static const struct {
    const char *expr, *at_once, *late;
} names[] = {
    {"rate(requests{method='get'}[5m])", "{method=\"get\"} 10", "{method=\"get\"} 10"},
    {"sum by (__name__) (rate(requests[5m]))", "{} 12.5667", "{} 12.5667"},
    {"sum by (__name__) (requests)", "requests 7540", "requests 7540"},
    {"label_replace(rate(requests{method='get'}[5m]), \"of\", \"$1\", \"__name__\", \"(.+)\")",
     "{method=\"get\"} 10", "{method=\"get\", of=\"requests\"} 10"},
    {"label_join(-temp{room='x'}, \"of\", \"-\", \"__name__\", \"room\")",
     "{of=\"-x\", room=\"x\"} -30", "{of=\"temp-x\", room=\"x\"} -30"},
    {"label_replace(abs(temp{room='x'}), \"__name__\", \"hot\", \"room\", \"x\")",
     "hot{room=\"x\"} 30", "hot{room=\"x\"} 30"},
    // two metrics with the same labels
    {"{__name__=~\"old|gone\"} offset 3m * 2",
     "0+36: two elements of the result are called {job=\"a\"}",
     "0+36: two elements of the result are called {job=\"a\"}"},
    {"sum by (__name__) (rate({__name__=~\"requests|errors\"}[5m]))", "{} 13.6167",
     "0+59: two elements of the result are called {}"},
    {"count(-{__name__=~\"old|gone\"} offset 3m)",
     "6+33: two elements of the result are called {job=\"a\"}", "{} 2"},
    {"count({__name__=~\"old|gone\"} offset 3m > bool 1)",
     "6+41: two elements of the result are called {job=\"a\"}", "{} 2"},
    {"count({__name__=~\"old|gone\"} offset 3m > 1)", "{} 2", "{} 2"}, // keeps it
    {"count(last_over_time({__name__=~\"old|gone\"}[10m]))", "{} 2", "{} 2"},
    {"count(max_over_time((-{__name__=~\"old|gone\"})[6m:1m] offset 3m))",
     "21+23: two elements of the result are called {job=\"a\"}", "{} 2"},
    // how rules tell metrics apart by `or`: by all labels but the name
    {"count(temp * 1 or on(__name__) temp)", "{} 4", "{} 2"},
    {"count(rate(temp[5m]) or temp)", "{} 2", "{} 2"},
};

static void names_are_dropped_at_once_unless_asked_for_late(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        for (int late = 0; late < 2; late++) {
            const char *want = late ? names[i].late : names[i].at_once;
            drops_late = late == 1;
            const char *got = evaluated(names[i].expr);
            drops_late = false;
            if (strcmp(got, want) != 0)
                fail_msg("%s, %s\n  is       %s\n  and must %s", names[i].expr,
                         late ? "late" : "at once", got, want);
        }
}

// Where, how many bytes, and what is said.
static const struct row refused[] = {
    {"", "0+1: expected a metric, a number or a function, and here it ends"},
    {"sum(rate(x[5m])", "15+1: expected , or ), and here it ends"},
    {"rate(x)", "5+1: rate needs a range vector here, got an instant vector: say over which time, "
                "as in x[5m]"},
    {"rat(x[5m])", "0+3: no function `rat`; the nearest is `rate`"},
    {"x[5]] ", "4+1: expected an operator or the end, got `]`"},
    {"x{a=b}", "4+1: expected a text in quotes, got `b`"},
    {"x{a~\"b\"}", "3+1: not a sign of PromQL"},
    {"x{a=~\"b(\"}", "7+1: regular expression: ( without a )"},
    {"x{a=\"b}", "4+3: a text whose quote is not closed"},
    {"{a=\"\"}", "0+6: a selector needs a name or a matcher that something without labels does not "
                 "match"},
    {"x{__name__=\"y\"}", "0+15: the metric has a name already: x"},
    {"{__name__=\"y\",\"z\"}", "14+3: the metric has a name already: y"},
    {"0xffffffffffffffffff", "0+20: a hexadecimal number must be at most 0x7fffffffffffffff"},
    {"sum(temp, )", "8+1: a comma behind the last argument"},
    {"rate(temp[5m],)", "13+1: a comma behind the last argument"},
    {"label_replace(temp, \"a\", \"b\", \"room\", (\"x(\"))",
     "39+4: regular expression: ( without a )"},
    {"1 > 2", "0+5: a comparison of two scalars needs bool, as in 1 > bool 2"},
    {"x + bool y", "0+10: bool belongs to comparisons only"},
    {"x and 1", "0+7: and, or and unless join instant vectors, not scalars"},
    {"x && y", "2+1: not a sign of PromQL; sets are joined by and, or, unless"},
    {"x[5m] + 1", "0+5: an operator takes scalars and instant vectors, got a range vector: "
                  "rate(x[5m]) makes one of it"},
    {"x[5min]", "2+4: not a number, and not a duration such as 5m or 1h30m"},
    {"x[1m1h]", "2+4: a duration is such as 1h30m: numbers with y, w, d, h, m, s, ms, the larger "
                "before the smaller"},
    {"x[0s]", "2+2: a range must be above 0"},
    {"(x + y)[5m]", "0+11: a range is of a selector; of anything else it is a subquery, as in (x + "
                    "y)[1h:1m]"},
    {"x offset 1m offset 2m", "0+11: two offsets; one is allowed"},
    {"sum(x) offset 1m", "0+6: offset is for a selector, a range or a subquery"},
    {"x offset 1m[5m]", "0+15: offset and @ stand behind the range"},
    {"topk(x)", "0+7: topk takes 2 arguments, got 1"},
    {"round()", "0+7: round takes up to 2 arguments, got 0"},
    {"label_replace(x, \"a\")", "0+21: label_replace takes 5 arguments, got 2"},
    {"x / on(a) group_left(a) y", "0+25: a label cannot be in on (...) and in group_left (...) at "
                                  "once"},
    {"x and on(a) group_left() y", "0+26: and, or and unless know no group_left and group_right"},
    {"info(x)", "0+4: info is not supported: native histograms, info and limit_ratio are left out"},
    {"x{a=\"\\q\"}", "5+2: no such escape; a backslash is written \\\\, or the text in `...`"},
    // at evaluation
    {"errors / requests", ""},
    {"errors{code=\"404\"} + on() temp", "0+30: two elements on the right side match {}; more "
                                         "labels in on (...), or group_right where the right side "
                                         "has many"},
    {"requests / ignoring(code) errors",
     "0+32: two elements on the right side match "
     "{method=\"get\"}; more labels in on (...), or group_right "
     "where the right side has many"},
    {"errors / ignoring(code) requests", "0+32: several elements on the left match "
                                         "{method=\"get\"}: group_left, if many are meant to match "
                                         "one"},
    {"{__name__=~\"old|temp\"} + on(room) group_left() vector(1)", ""},
    {"errors >= bool ignoring(code) requests", "0+38: several elements on the left match "
                                               "{method=\"get\"}: group_left, if many are meant to "
                                               "match one"},
    {"label_replace(temp, \"room\", \"z\", \"room\", \".*\")",
     "0+46: two elements of the result are called temp{room=\"z\"}"},
    {"double_exponential_smoothing(temp[5m], 2, 0.5)",
     "39+1: a smoothing factor is between 0 and 1, got 2"},
    {"sum_over_time(temp[1y:1s])", "14+11: a subquery of more than 11000 steps: a shorter range or "
                                   "a longer step"},
    {"topk(NaN, temp)", "5+3: how many topk takes must be a whole number of 64 bits, got nan"},
};

static void what_is_wrong_is_refused_where_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *got = evaluated(refused[i].expr);
        if (strcmp(got, refused[i].want) != 0)
            fail_msg("%s\n  is       %s\n  and must %s", refused[i].expr, got, refused[i].want);
    }
}

static void depth_and_length_are_limited(void **state)
{
    (void)state;
    char *deep = malloc(LZ_PROMQL_TEXT_MAX + 2);
    memset(deep, '(', LZ_PROMQL_TEXT_MAX + 1);
    deep[LZ_PROMQL_TEXT_MAX + 1] = '\0';
    assert_non_null(strstr(evaluated(deep), "16385 bytes, 16384 are allowed"));
    deep[LZ_PROMQL_TEXT_MAX] = '\0';
    assert_string_equal(evaluated(deep), "100+1: nested more than 100 deep");
    memset(deep, '-', LZ_PROMQL_TEXT_MAX);
    assert_string_equal(evaluated(deep), "100+1: nested more than 100 deep");
    for (size_t i = 0; i < LZ_PROMQL_TEXT_MAX; i++)
        deep[i] = i % 2 == 0 ? '1' : '+';
    assert_string_equal(evaluated(deep), "2001+1: more than 1000 operators in a row");
    // ten rows of 150 in each other are as deep as one of 1500
    size_t len = 10;
    memset(deep, '(', len);
    for (uint32_t row = 0; row < 10; row++) {
        for (uint32_t i = 0; i < 150; i++)
            len += (size_t)snprintf(deep + len, 4, i == 0 && row == 0 ? "1" : "+1");
        deep[len++] = ')';
    }
    deep[len] = '\0';
    assert_non_null(
        strstr(evaluated(deep), ": more than 1000 calls, operators and brackets in each other"));
    free(deep);
}

static void a_fault_is_shown_with_a_caret(void **state)
{
    (void)state;
    const struct lz_promql_query *q = NULL;
    struct lz_promql_fault fault;
    struct lz_str out;
    const char *expr = "sum(\n  rat(x[5m])\n)";
    lz_str_init(&out);
    assert_false(lz_promql_parse(&promql_stage.scratch, expr, &q, &fault));
    lz_promql_fault_show(&out, expr, &fault);
    assert_string_equal(out.text,
                        "    rat(x[5m])\n    ^^^ no function `rat`; the nearest is `rate`\n");
    lz_str_finish(&out);
}

static void numbers_are_written_as_go_writes_them(void **state)
{
    static const struct {
        double value;
        const char *want;
    } numbers[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {0.1, "0.1"},
        {1e21, "1000000000000000000000"},
        {1e23, "100000000000000000000000"},
        {1234.5, "1234.5"},
        {1e-7, "0.0000001"},
        {1.25e-3, "0.00125"},
        {-2.5, "-2.5"},
        {0.30000000000000004, "0.30000000000000004"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_string_equal(lz_promql_number(&promql_stage.scratch, numbers[i].value),
                            numbers[i].want);
}

static void a_query_says_what_it_is_about(void **state)
{
    (void)state;
    const struct lz_promql_query *q = NULL;
    const struct lz_promql_wanted *w = NULL;
    struct lz_promql_fault fault;
    assert_true(lz_promql_parse(&promql_stage.scratch,
                                "a{x=\"1\"} / on() rate({__name__=~\"b.*\"}[10m] offset 1h)", &q,
                                &fault));
    assert_int_equal(lz_promql_query_wanted(q, &promql_stage.scratch, &w), 2);
    assert_string_equal(w[0].name, "a");
    assert_null(w[1].name);
    assert_int_equal(lz_promql_query_reach(q).back_ms, (3600 + 600) * 1000);
    assert_int_equal(lz_promql_query_reach(q).from_ms, INT64_MAX);
    const struct lz_promql_label la[] = {{"__name__", "a"}, {"x", "1"}},
                                 lb[] = {{"__name__", "bc"}};
    assert_true(lz_promql_query_wants(q, &(struct lz_promql_labels){la, 2}));
    assert_false(lz_promql_query_wants(q, &(struct lz_promql_labels){la, 1}));
    assert_true(lz_promql_query_wants(q, &(struct lz_promql_labels){lb, 1}));
}

static void a_query_says_how_far_it_looks_back(void **state)
{
    (void)state;
    static const struct {
        const char *expr;
        int64_t back_s, from_s; // -1: by no @
    } reaches[] = {
        {"a", 300, -1},
        {"rate(a[10m])", 600, -1},
        {"max_over_time(a[1h:1m])", 3900, -1},
        {"max_over_time(a[1h:1m]) + rate(b[2h])", 7200, -1},
        {"a @ end() offset 1m", 360, -1},
        {"a @ 900", 0, 600},
        {"a - a @ 900 offset 1m", 300, 540},
        {"a @ 5000 + rate(b[10m] @ 900)", 0, 300},
        {"max_over_time((a @ 900)[1h:1m])", 3600, 600},
        {"max_over_time(a[1h:1m] @ 9000)", 0, 5100},
    };
    for (size_t i = 0; i < COUNT(reaches); i++) {
        const struct lz_promql_query *q = NULL;
        struct lz_promql_fault fault;
        assert_true(lz_promql_parse(&promql_stage.scratch, reaches[i].expr, &q, &fault));
        struct lz_promql_reach r = lz_promql_query_reach(q);
        if (r.back_ms != reaches[i].back_s * 1000 ||
            r.from_ms != (reaches[i].from_s < 0 ? INT64_MAX : reaches[i].from_s * 1000))
            fail_msg("%s: %lld ms back, from %lld ms on", reaches[i].expr, (long long)r.back_ms,
                     (long long)r.from_ms);
    }
}

// An evaluation that needs a little more each time must not leave behind what the last one took,
// and one that needs too much says so.
static void memory_is_given_back(void **state)
{
    (void)state;
    size_t most = 0;
    struct lz_promql_scratch own;
    lz_promql_scratch_init(&own, promql_stage.arena);
    for (uint32_t i = 1; i <= 2000; i++) {
        lz_promql_scratch_reset(&own);
        for (uint32_t k = 0; k < 4; k++)
            (void)lz_promql_scratch_alloc(&own, 16 * (size_t)i + 16384);
        most = own.total > most ? own.total : most;
    }
    assert_true(most < 2 * 4 * (2000 * 16 + 16384));
    (void)lz_promql_scratch_alloc(&own, LZ_PROMQL_SCRATCH_KEPT);
    lz_promql_scratch_reset(&own);
    assert_int_equal(own.total, 0);
    lz_promql_scratch_finish(&own);
    const char *got = evaluated("max_over_time(max_over_time(vector(1)[3h:1s])[3h:1s])");
    assert_string_equal(got, "28+16: more than 256 MiB of memory taken: shorter ranges, longer "
                             "steps or fewer series");
}

// Pieces of the rows above, put together by chance: none may crash, hang or read where it must not.
static void texts_by_chance_are_evaluated_or_refused(void **state)
{
    (void)state;
    uint64_t seed = 1;
    uint32_t accepted = 0;
    char expr[400];
    for (uint32_t n = 0; n < 20000; n++) {
        size_t len = 0;
        for (uint32_t part = 0; part < 2 + n % 3; part++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            const char *from = (seed >> 33) % 3 > 0 ? rows[(seed >> 40) % COUNT(rows)].expr
                                                    : refused[(seed >> 40) % COUNT(refused)].expr;
            size_t all_of_it = strlen(from) + 1, at = (seed >> 20) % all_of_it;
            size_t some = part == 0 ? all_of_it - 1 : (seed >> 8) % 12;
            at = part == 0 ? 0 : at;
            some = some < all_of_it - 1 - at ? some : all_of_it - 1 - at;
            // Later parts go over the first one, anywhere.
            size_t to = part == 0 ? 0 : (seed >> 50) % (len + 1);
            memcpy(expr + to, from + at, some);
            len = to + some > len ? to + some : len;
        }
        expr[len] = '\0';
        evaluated(expr);
        accepted += was_accepted;
    }
    if (accepted < 500)
        fail_msg("%u of 20000 were accepted: that tests the parser only", accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_evaluated_as_documented),
        cmocka_unit_test(names_are_dropped_at_once_unless_asked_for_late),
        cmocka_unit_test(what_is_wrong_is_refused_where_it_stands),
        cmocka_unit_test(depth_and_length_are_limited),
        cmocka_unit_test(a_fault_is_shown_with_a_caret),
        cmocka_unit_test(numbers_are_written_as_go_writes_them),
        cmocka_unit_test(a_query_says_what_it_is_about),
        cmocka_unit_test(a_query_says_how_far_it_looks_back),
        cmocka_unit_test(memory_is_given_back),
        cmocka_unit_test(texts_by_chance_are_evaluated_or_refused),
    };
    return cmocka_run_group_tests(tests, promql_stage_begin, promql_stage_end);
}
