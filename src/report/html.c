// One page of all runs: failing ones first, and of each the verdict, then why.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "check/format.h"
#include "report/formats.h"
#include "report/html_draw.h"
#include "report/page.h"

#define FULL_RUNS 8    // of a page that are shown with all tracks; those that fail are anyway
#define HOLDS_FROM 6   // in the order of badness
#define TRAFFICS_MAX 4 // whose pictures are shown

static int badness(const char *verdict)
{
    static const char *const order[] = {"error",  "diverged",     "fail", "xpass",
                                        "budget", "inconclusive", "xfail"};
    int i = 0;
    while (i < 7 && strcmp(order[i], verdict) != 0)
        i++;
    return i;
}

static const char *sign_of(const char *verdict)
{
    int bad = badness(verdict);
    return bad < 4 ? "&#10007;" : bad < 6 ? "?" : "&#10003;";
}

// ---------------------------------------------------------------- expectations

struct ranked {
    const struct lz_run_expectation *e;
    size_t place;
};

// Failed, inconclusive, then the closest calls; else as they are written.
static int by_need(const void *a, const void *b, void *ctx)
{
    const struct ranked *x = a, *y = b;
    int bad = badness(x->e->verdict) - badness(y->e->verdict);
    (void)ctx;
    if (bad != 0)
        return bad;
    double m = isnan(x->e->margin) ? HUGE_VAL : x->e->margin;
    double n = isnan(y->e->margin) ? HUGE_VAL : y->e->margin;
    return m < n ? -1 : m > n ? 1 : x->place < y->place ? -1 : 1;
}

static struct ranked *rank(const struct lz_report_run *run)
{
    struct ranked *list = lz_mem_alloc((run->expectation_count + 1) * sizeof(*list));
    for (size_t i = 0; i < run->expectation_count; i++)
        list[i] = (struct ranked){&run->expectations[i], i};
    lz_sort(list, run->expectation_count, sizeof(*list), by_need, NULL);
    return list;
}

// How much was to spare, as a bar: to the right what was left, to the left what was lacking.
static void write_margin(struct lz_str *out, double margin)
{
    if (!isfinite(margin))
        return;
    double share = margin > 1.0 ? 1.0 : margin < -1.0 ? -1.0 : margin;
    double wide = fabs(share) * 24.0;
    lz_str_addf(out,
                "<svg width=\"50\" height=\"8\" aria-hidden=\"true\"><path d=\"M25 0v8\""
                " stroke=\"#888\"/><rect x=\"%.1f\" y=\"1\" width=\"%.1f\" height=\"6\""
                " fill=\"%s\" class=\"%s\"/></svg>",
                share < 0.0 ? 25.0 - wide : 25.0, wide, share < 0.0 ? "#cc3311" : "#1a7f37",
                share < 0.0 ? "b" : "g");
}

static void write_row(struct lz_str *out, const struct lz_report_run *run,
                      const struct lz_run_expectation *e)
{
    if (e->at >= 0)
        lz_str_addf(out, "<tr data-at=\"%.9g\">", (double)e->at / 1e9);
    else
        lz_str_add(out, "<tr>");
    lz_str_addf(out, "<td><span class=\"v %s\">%s</span></td><td>", e->verdict,
                sign_of(e->verdict));
    lz_html_text(out, e->name);
    if (strcmp(e->severity, "warn") == 0)
        lz_str_add(out, " <span class=\"quiet\">(warns only)</span>");
    if (e->because[0] != '\0') {
        lz_str_add(out, "<br><span class=\"quiet\">because ");
        lz_html_text(out, e->because);
        lz_str_add(out, "</span>");
    }
    lz_str_add(out, "</td><td>");
    lz_html_text(out, e->expected);
    lz_str_add(out, "</td><td>");
    lz_html_text(out, e->why[0] != '\0' ? e->why : e->actual);
    lz_str_add(out, "</td><td>");
    lz_html_text(out, e->spare);
    write_margin(out, e->margin);
    lz_str_add(out, "</td><td>");
    lz_html_sparkline(out, run, e);
    lz_str_add(out, "</td></tr>\n");
}

static void write_expectations(struct lz_str *out, const struct lz_report_run *run,
                               const struct ranked *list)
{
    if (run->expectation_count == 0)
        return;
    lz_str_add(
        out,
        "<h2>What must hold</h2>\n<table class=\"holds\"><thead><tr><th></th><th>expectation</th>"
        "<th>expected</th><th>got</th><th>spare</th><th></th></tr></thead><tbody>\n");
    for (size_t i = 0; i < run->expectation_count; i++)
        write_row(out, run, list[i].e);
    lz_str_add(out, "</tbody></table>\n");
}

static void write_plots(struct lz_str *out, const struct lz_report_run *run,
                        const struct ranked *list)
{
    size_t shown = 0;
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = list[i].e;
        if (e->metric == 0)
            continue;
        struct lz_str name;
        lz_str_init(&name);
        lz_str_addf(&name, "%s: %s", e->name, e->metric_name);
        if (shown == 0)
            lz_str_add(out, "<h2>How it was judged</h2>\n");
        shown++;
        const struct lz_html_chart chart = {.name = name.text, .metrics = {e->metric}, .e = e};
        if (!lz_html_plot(out, run, &chart)) {
            lz_str_add(out, "<p class=\"quiet\">");
            lz_html_text(out, name.text);
            lz_str_add(out, " has no sample in this run.</p>\n");
        }
        lz_str_finish(&name);
    }
}

// What users see: goodput, errors and latency of traffic.
static void write_traffic(struct lz_str *out, const struct lz_report_run *run, int64_t id,
                          const char *name, size_t *shown)
{
    static const struct {
        const char *title, *sql;
    } charts[] = {
        {"goodput", "select id from metric where component = ? and present and name = 'goodput'"},
        {"errors.ratio",
         "select id from metric where component = ? and present and name = 'errors.ratio'"},
        {"latency", "select id from metric where component = ? and present and name in"
                    " ('latency.p50', 'latency.p95', 'latency.p99') order by name desc"},
        {"in_flight", "select id from metric where component = ? and present and name ="
                      " 'in_flight'"},
    };
    for (size_t i = 0; i < sizeof(charts) / sizeof(charts[0]); i++) {
        char title[220];
        struct lz_html_chart chart = {.name = title};
        sqlite3_stmt *q = lz_run_ask(run, charts[i].sql, id, 0);
        for (size_t k = 0; lz_run_next(&q); k++)
            if (k < LZ_HTML_LINES_MAX)
                chart.metrics[k] = sqlite3_column_int64(q, 0);
        snprintf(title, sizeof(title), "%s.%s", name, charts[i].title);
        *shown += lz_html_plot(out, run, &chart);
        if (strcmp(charts[i].title, "latency") == 0)
            lz_html_heat(out, run, id, name);
    }
}

static void write_tracks(struct lz_str *out, const struct lz_report_run *run)
{
    sqlite3_stmt *q =
        lz_run_ask(run, "select id, name from component where kind = 'traffic' order by id limit ?",
                   TRAFFICS_MAX, 0);
    lz_str_add(out, "<h2>What users saw</h2>\n");
    size_t shown = 0;
    while (lz_run_next(&q)) {
        char name[200];
        snprintf(name, sizeof(name), "%s", lz_run_text(q, 1));
        write_traffic(out, run, sqlite3_column_int64(q, 0), name, &shown);
    }
    if (shown == 0)
        lz_str_add(out, "<p class=\"quiet\">No request was answered.</p>\n");
}

// ---------------------------------------------------------------- a run

// The axis, the faults and the failures once more, for the script.
static void write_about(struct lz_str *out, const struct lz_report_run *run)
{
    size_t shown = 0;
    lz_str_addf(out,
                "<script type=\"application/json\" class=\"about\">{\"end\":%.9g,\"warmup\":%.9g"
                ",\"faults\":[",
                (double)run->virtual_ns / 1e9, (double)run->warmup_ns / 1e9);
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select name, started_ns, ended_ns from fault where started_ns is"
                                 " not null order by started_ns, id limit 200",
                                 0, 0);
    for (; lz_run_next(&q); shown++) {
        lz_time ended = lz_run_time(q, 2);
        lz_str_addf(out, "%s{\"name\":", shown > 0 ? "," : "");
        lz_html_json(out, lz_run_text(q, 0));
        lz_str_addf(out, ",\"from\":%.9g,\"to\":%.9g}", (double)lz_run_time(q, 1) / 1e9,
                    (double)(ended >= 0 ? ended : run->virtual_ns) / 1e9);
    }
    lz_str_add(out, "],\"pins\":[");
    shown = 0;
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        if (e->at < 0 || strcmp(e->verdict, "fail") != 0)
            continue;
        lz_str_addf(out, "%s{\"at\":%.9g,\"name\":", shown++ > 0 ? "," : "", (double)e->at / 1e9);
        lz_html_json(out, e->name);
        lz_str_add(out, "}");
    }
    lz_str_add(out, "]}</script>\n");
}

static void write_head(struct lz_str *out, const struct lz_report_options *options,
                       const struct lz_report_run *run)
{
    char took[40];
    struct lz_str command;
    lz_str_init(&command);
    lz_format_command(&command, run);
    lz_str_addf(out, "<h1><span class=\"v %s\">%s</span> ", run->verdict, sign_of(run->verdict));
    lz_html_text(out, lz_run_title(run));
    lz_str_add(out, "</h1>\n<p class=\"quiet\">");
    lz_html_text(out, run->verdict);
    if (run->case_id[0] != '\0') {
        lz_str_add(out, " &#183; ");
        lz_html_text(out, run->case_id);
    }
    lz_str_addf(out,
                " &#183; seed %" PRIu64 " &#183; %s of virtual time &#183; %" PRId64
                " events &#183; lorenz ",
                run->seed, lz_format_duration(took, sizeof(took), run->virtual_ns), run->events);
    lz_html_text(out, options->version);
    if (run->token[0] != '\0') {
        lz_str_add(out, " &#183; token ");
        lz_html_text(out, run->token);
    }
    lz_str_add(out, "</p>\n");
    if (run->about[0] != '\0') {
        lz_str_add(out, "<p>");
        lz_html_text(out, run->about);
        lz_str_add(out, "</p>\n");
    }
    if (run->why[0] != '\0' && strcmp(run->verdict, "pass") != 0) {
        lz_str_add(out, "<p>");
        lz_html_text(out, run->why);
        lz_str_add(out, "</p>\n");
    }
    lz_str_add(out, "<pre class=\"copy\">");
    lz_html_text(out, command.text);
    lz_str_add(out, "</pre>\n");
    lz_str_finish(&command);
    if (run->error[0] != '\0') {
        lz_str_add(out, "<pre>");
        lz_html_text(out, run->error);
        lz_str_add(out, "</pre>\n");
    }
}

static void write_run(struct lz_str *out, const struct lz_report_options *options,
                      const struct lz_report_run *run, size_t number)
{
    struct ranked *list = rank(run);
    lz_str_addf(out, "<section class=\"run\" id=\"run%zu\" data-end=\"%.9g\">\n", number,
                (double)run->virtual_ns / 1e9);
    write_about(out, run);
    write_head(out, options, run);
    write_expectations(out, run, list);
    if (run->trace_hash[0] != '\0' && run->virtual_ns > 0) {
        lz_str_add(out, "<h2 class=\"when\">When what went wrong</h2>\n");
        lz_html_timeline(out, run);
        write_plots(out, run, list);
        write_tracks(out, run);
        lz_str_add(out, "<h2 class=\"calls\">What calls what</h2>\n");
        lz_html_topology(out, run);
        if (number <= FULL_RUNS || badness(run->verdict) < HOLDS_FROM)
            lz_html_tracks(out, run);
        else
            lz_str_add(out, "<p class=\"quiet\">What each component did is in the page of this run"
                            " alone: lorenz report RUN -o html=FILE</p>\n");
        lz_str_add(out, "<h2>In numbers</h2>\n");
        lz_html_numbers(out, run);
        lz_str_add(out, "<h2>Where requests were</h2>\n");
        lz_html_requests(out, run);
        lz_str_add(out, "<h2>What happened</h2>\n");
        lz_html_events(out, run);
    }
    if (run->source[0] != '\0') {
        lz_str_add(out, "<h2>The scenario</h2>\n");
        lz_html_source(out, run);
    }
    lz_str_add(out, "</section>\n");
    free(list);
}

struct listed {
    const struct lz_report_run *run;
    size_t place;
};

static int by_verdict(const void *a, const void *b, void *ctx)
{
    const struct listed *x = a, *y = b;
    int bad = badness(x->run->verdict) - badness(y->run->verdict);
    (void)ctx;
    return bad != 0 ? bad : x->place < y->place ? -1 : 1;
}

static void write_contents(struct lz_str *out, const struct lz_report_options *options,
                           const struct listed *list, size_t count)
{
    size_t bad = 0;
    for (size_t i = 0; i < count; i++)
        bad += lz_format_is_bad(list[i].run->verdict);
    lz_str_addf(out, "<h1>%zu run%s, %zu %s</h1>\n", count, count == 1 ? "" : "s", bad,
                bad == 1 ? "does not hold" : "do not hold");
    lz_str_add(out, "<table class=\"holds\"><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        struct lz_str what;
        lz_str_init(&what);
        lz_format_case(&what, options, list[i].run);
        lz_str_addf(out, "<tr><td><span class=\"v %s\">%s</span></td><td><a href=\"#run%zu\">",
                    list[i].run->verdict, sign_of(list[i].run->verdict), i + 1);
        lz_html_text(out, lz_run_title(list[i].run));
        lz_str_add(out, "</a></td><td>");
        lz_html_text(out, what.text);
        lz_str_add(out, "</td><td>");
        lz_html_text(out, list[i].run->why);
        lz_str_add(out, "</td></tr>\n");
        lz_str_finish(&what);
    }
    lz_str_add(out, "</tbody></table>\n");
}

// uPlot comes in one piece, so that the page with it is the page without it and this.
void lz_html_scripts(struct lz_str *out, const struct lz_report_options *options)
{
    if (!options->plain && lz_uplot_version[0] != '\0')
        lz_str_addf(out, "<!-- uPlot %s\n\n%s--><style>%s</style><script>%s</script>\n",
                    lz_uplot_version, lz_uplot_licence, lz_uplot_style, lz_uplot_script);
    lz_str_addf(out, "<script>%s</script>\n</body></html>\n", lz_page_script);
}

void lz_html_write(struct lz_str *out, const struct lz_report_options *options,
                   struct lz_report_run *const *runs, size_t count)
{
    struct listed *list = lz_mem_alloc((count + 1) * sizeof(*list));
    for (size_t i = 0; i < count; i++)
        list[i] = (struct listed){runs[i], i};
    lz_sort(list, count, sizeof(*list), by_verdict, NULL);
    lz_str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                    "<title>");
    lz_html_text(out, count == 1 ? lz_run_title(runs[0]) : "lorenz");
    lz_str_addf(out, "</title>\n<style>%s</style></head><body>\n", lz_page_style);
    if (count != 1)
        write_contents(out, options, list, count);
    for (size_t i = 0; i < count; i++)
        write_run(out, options, list[i].run, i + 1);
    lz_html_scripts(out, options);
    free(list);
}
