#include "cli/live_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/run.h"

#define NAME_WIDTH 34
#define VALUE_WIDTH 20
#define RUNS_MAX 1000

// What is compared, in this order.
static const char *const metrics[] = {"latency.p50",  "latency.p90", "latency.p99",
                                      "errors.ratio", "rate",        "goodput"};

struct side {
    double values[RUNS_MAX];
    size_t count;
};

struct row {
    char name[200];
    enum lz_unit unit;
    struct side simulated, live;
};

// Two-sided 95 % points of Student's t, by degrees of freedom from 1 (NIST/SEMATECH e-Handbook of
// Statistical Methods, 1.3.6.7.2); beyond, the normal distribution's.
static double t95(size_t degrees)
{
    static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                   2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                   2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
    size_t count = sizeof(table) / sizeof(table[0]);
    LZ_ASSERT(degrees >= 1);
    return degrees <= count ? table[degrees - 1] : 1.960;
}

void lz_live_compare_interval(const double *values, size_t count, double *mean, double *half)
{
    double sum = 0.0, squares = 0.0;
    LZ_ASSERT(count > 0);
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - *mean) * (values[i] - *mean);
    *half = count < 2 ? 0.0 : t95(count - 1) * sqrt(squares / (double)(count - 1) / (double)count);
}

static void add_value(struct side *side, double value)
{
    if (side->count < RUNS_MAX)
        side->values[side->count++] = value;
}

// The whole-run value of "web.latency.p99", if it was measured.
static bool read_metric(const struct lz_report_run *run, const char *component, const char *metric,
                        double *value, enum lz_unit *unit)
{
    bool found = false;
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select c.name, m.name, m.whole, m.unit from metric m join "
                                 "component c on c.id = m.component where m.present = 1",
                                 0, 0);
    while (lz_run_next(&q)) {
        if (strcmp(lz_run_text(q, 0), component) != 0 || strcmp(lz_run_text(q, 1), metric) != 0)
            continue;
        const char *text = lz_run_text(q, 3);
        *value = lz_run_real(q, 2);
        *unit = strcmp(text, "s") == 0       ? LZ_UNIT_SECONDS
                : strcmp(text, "ratio") == 0 ? LZ_UNIT_RATIO
                : strcmp(text, "/s") == 0    ? LZ_UNIT_RATE
                                             : LZ_UNIT_COUNT;
        found = true;
    }
    lz_run_stop(&q);
    return found;
}

// How long after its anchor an `eventually` came true, in seconds.
static bool read_recovery(const struct lz_report_run *run, size_t i, double *value)
{
    if (i >= run->expectation_count)
        return false;
    const struct lz_run_expectation *e = &run->expectations[i];
    if (strcmp(e->temporal, "eventually") != 0 || strcmp(e->verdict, "pass") != 0 || e->at < 0)
        return false;
    *value = (double)(e->at - (e->deadline - e->within)) / 1e9;
    return true;
}

static void show(const struct side *side, enum lz_unit unit, char *out, size_t size)
{
    char value[40], spread[40];
    double mean, half;
    if (side->count == 0) {
        snprintf(out, size, "-");
        return;
    }
    lz_live_compare_interval(side->values, side->count, &mean, &half);
    lz_format_value(value, sizeof(value), mean, unit);
    lz_format_value(spread, sizeof(spread), half, unit);
    if (side->count > 1)
        snprintf(out, size, "%s +- %s", value, spread);
    else
        snprintf(out, size, "%s", value);
}

// Beyond both intervals, or with one run each by how much.
static void judge(const struct row *r, char *out, size_t size)
{
    double a, b, ha, hb;
    if (r->simulated.count == 0 || r->live.count == 0) {
        snprintf(out, size, "only %s", r->live.count > 0 ? "live" : "simulated");
        return;
    }
    lz_live_compare_interval(r->simulated.values, r->simulated.count, &a, &ha);
    lz_live_compare_interval(r->live.values, r->live.count, &b, &hb);
    bool is_alike = r->simulated.count > 1 && r->live.count > 1 && fabs(a - b) <= ha + hb;
    if (a > 0.0)
        snprintf(out, size, "%+.0f %%%s", (b / a - 1.0) * 100.0, is_alike ? ", within both" : "");
    else
        snprintf(out, size, "%s", b > 0.0 ? "not in the model" : "equal");
}

static void write_row(const struct row *r, struct lz_str *out)
{
    char simulated[90], live[90], difference[60];
    show(&r->simulated, r->unit, simulated, sizeof(simulated));
    show(&r->live, r->unit, live, sizeof(live));
    judge(r, difference, sizeof(difference));
    lz_str_addf(out, "  %-*s %-*s %-*s %s\n", NAME_WIDTH, r->name, VALUE_WIDTH, simulated,
                VALUE_WIDTH, live, difference);
}

static void compare_metric(const struct lz_live_compare *c, const char *component,
                           const char *metric, struct lz_str *out)
{
    struct row *r = lz_mem_alloc(sizeof(*r));
    double value;
    *r = (struct row){.unit = LZ_UNIT_COUNT};
    snprintf(r->name, sizeof(r->name), "%s.%s", component, metric);
    for (size_t i = 0; i < c->simulated_count; i++)
        if (read_metric(c->simulated[i], component, metric, &value, &r->unit))
            add_value(&r->simulated, value);
    for (size_t i = 0; i < c->live_count; i++)
        if (read_metric(c->live[i], component, metric, &value, &r->unit))
            add_value(&r->live, value);
    if (r->simulated.count > 0 && r->live.count > 0)
        write_row(r, out);
    free(r);
}

static void compare_recovery(const struct lz_live_compare *c, size_t i, struct lz_str *out)
{
    const struct lz_run_expectation *e = &c->live[0]->expectations[i];
    struct row *r = lz_mem_alloc(sizeof(*r));
    double value;
    *r = (struct row){.unit = LZ_UNIT_SECONDS};
    snprintf(r->name, sizeof(r->name), "%s", e->name);
    for (size_t k = 0; k < c->simulated_count; k++)
        if (read_recovery(c->simulated[k], i, &value))
            add_value(&r->simulated, value);
    for (size_t k = 0; k < c->live_count; k++)
        if (read_recovery(c->live[k], i, &value))
            add_value(&r->live, value);
    if (r->simulated.count + r->live.count > 0) {
        lz_str_addf(out, "  %s\n", r->name);
        snprintf(r->name, sizeof(r->name), "  recovery time");
        write_row(r, out);
    }
    free(r);
}

void lz_live_compare_write(const struct lz_live_compare *c, struct lz_str *out)
{
    LZ_ASSERT(c->simulated_count > 0 && c->live_count > 0);
    lz_str_addf(out, "\nModel and reality, of %zu simulated and %zu live %s\n\n",
                c->simulated_count, c->live_count,
                c->simulated_count + c->live_count == 2 ? "run" : "runs");
    lz_str_addf(out, "  %-*s %-*s %-*s %s\n", NAME_WIDTH, "", VALUE_WIDTH, "simulated", VALUE_WIDTH,
                "live", "difference");
    sqlite3_stmt *q = lz_run_ask(c->live[0], "select name from component order by id", 0, 0);
    while (lz_run_next(&q)) {
        char name[200];
        snprintf(name, sizeof(name), "%s", lz_run_text(q, 0));
        for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++)
            compare_metric(c, name, metrics[m], out);
    }
    lz_run_stop(&q);
    for (size_t i = 0; i < c->live[0]->expectation_count; i++)
        if (strcmp(c->live[0]->expectations[i].temporal, "eventually") == 0)
            compare_recovery(c, i, out);
}
