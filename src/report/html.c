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

#define TRACKS_MAX 12

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

static void write_row(struct lz_str *out, const struct lz_run_expectation *e)
{
    lz_str_addf(out, "<tr><td><span class=\"v %s\">%s</span></td><td>", e->verdict,
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
    lz_str_add(out, "</td></tr>\n");
}

static void write_expectations(struct lz_str *out, const struct lz_report_run *run,
                               const struct ranked *list)
{
    if (run->expectation_count == 0)
        return;
    lz_str_add(out, "<h2>What must hold</h2>\n<table><thead><tr><th></th><th>expectation</th>"
                    "<th>expected</th><th>got</th><th>spare</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < run->expectation_count; i++)
        write_row(out, list[i].e);
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
        if (!lz_html_plot(out, run, e->metric, name.text, e)) {
            lz_str_add(out, "<p class=\"quiet\">");
            lz_html_text(out, name.text);
            lz_str_add(out, " has no sample in this run.</p>\n");
        }
        lz_str_finish(&name);
    }
}

// What users see: rate, errors and latency of traffic.
static void write_tracks(struct lz_str *out, const struct lz_report_run *run)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select m.id, c.name || '.' || m.name from metric m join component"
                                 " c on c.id = m.component where c.kind = 'traffic' and m.present"
                                 " and m.name in ('goodput', 'errors.ratio', 'latency.p99')"
                                 " order by c.id, m.id limit ?",
                                 TRACKS_MAX, 0);
    lz_str_add(out, "<h2>What users saw</h2>\n");
    size_t shown = 0;
    while (lz_run_next(&q)) {
        char name[200];
        snprintf(name, sizeof(name), "%s", lz_run_text(q, 1));
        shown += lz_html_plot(out, run, sqlite3_column_int64(q, 0), name, NULL);
    }
    if (shown == 0)
        lz_str_add(out, "<p class=\"quiet\">No request was answered.</p>\n");
}

// ---------------------------------------------------------------- a run

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
    lz_str_add(out, "<pre>");
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
    write_head(out, options, run);
    write_expectations(out, run, list);
    if (run->trace_hash[0] != '\0' && run->virtual_ns > 0) {
        lz_str_add(out, "<h2>When what went wrong</h2>\n");
        lz_html_timeline(out, run);
        write_plots(out, run, list);
        write_tracks(out, run);
        lz_str_add(out, "<h2>What calls what</h2>\n");
        lz_html_topology(out, run);
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
    lz_str_add(out, "<table><tbody>\n");
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
    lz_str_addf(out, "</title>\n<style>%s</style></head><body>\n", lz_html_style);
    if (count != 1)
        write_contents(out, options, list, count);
    for (size_t i = 0; i < count; i++)
        write_run(out, options, list[i].run, i + 1);
    lz_str_addf(out, "<script>%s</script>\n</body></html>\n", lz_html_script);
    free(list);
}
