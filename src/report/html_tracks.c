// What every component did, one below the other, and the numbers of the whole run.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check/format.h"
#include "report/html_draw.h"

#define COMPONENTS_MAX 40 // that are shown with their tracks
#define TRACKS_MAX 12     // of each
#define FLAT_SIZE 48

// In this order; what a component does not have, or did not record, is left out.
static const char chosen[] =
    "select m.id, m.name from metric m join (select column1 name, column2 place from (values"
    " ('rate', 1), ('errors.ratio', 2), ('latency.p99', 3), ('latency.mean', 4), ('in_flight', 5),"
    " ('queue.length', 6), ('busy', 7), ('cpu', 8), ('memory', 9), ('connections', 10),"
    " ('pool.waiting', 11), ('replicas.up', 12), ('lag.time', 13), ('lag.records', 14),"
    " ('primaries', 15), ('leader_changes', 16), ('isr', 17), ('hit_ratio', 18),"
    " ('throttled', 19), ('shed.ratio', 20))) w on w.name = m.name"
    " where m.component = ? and m.present order by w.place limit ?";

static void write_track(struct lz_str *out, const struct lz_report_run *run, int64_t id)
{
    struct lz_str quiet;
    lz_str_init(&quiet);
    sqlite3_stmt *q = lz_run_ask(run, chosen, id, TRACKS_MAX);
    while (lz_run_next(&q)) {
        char flat[FLAT_SIZE] = "";
        const struct lz_html_chart chart = {.name = lz_run_text(q, 1),
                                            .metrics = {sqlite3_column_int64(q, 0)},
                                            .flat = flat,
                                            .flat_size = sizeof(flat)};
        if (!lz_html_plot(out, run, &chart) && flat[0] != '\0')
            lz_str_addf(&quiet, "%s%s %s", quiet.len > 0 ? ", " : "", lz_run_text(q, 1), flat);
    }
    if (quiet.len > 0) {
        lz_str_add(out, "<p class=\"quiet\">stayed at: ");
        lz_html_text(out, quiet.text);
        lz_str_add(out, "</p>\n");
    }
    lz_str_finish(&quiet);
}

void lz_html_tracks(struct lz_str *out, const struct lz_report_run *run)
{
    size_t shown = 0;
    lz_str_add(out,
               "<h2>What each component did</h2>\n<input type=\"search\" class=\"tracks\" hidden"
               " placeholder=\"find a component or a metric\" aria-label=\"filter tracks\">\n");
    sqlite3_stmt *q =
        lz_run_ask(run,
                   "select id, name, kind, instances, exists (select 1 from fault f where f.effect"
                   " > 0 and (f.target = c.name or f.target like c.name || '.%' or f.target like"
                   " c.name || '[%')) from component c where kind not in ('traffic', 'link') and"
                   " exists (select 1 from metric m where m.component = c.id and m.present)"
                   " order by id limit ?",
                   COMPONENTS_MAX + 1, 0);
    for (; lz_run_next(&q); shown++) {
        char name[200];
        if (shown == COMPONENTS_MAX) {
            lz_str_addf(out,
                        "<p class=\"quiet\">and more; these are the first %d: lorenz sql RUN"
                        " \"select * from component\"</p>\n",
                        COMPONENTS_MAX);
            lz_run_stop(&q);
            break;
        }
        snprintf(name, sizeof(name), "%s", lz_run_text(q, 1));
        lz_str_add(out, "<details class=\"track\" data-of=\"");
        lz_html_text(out, name);
        lz_str_add(out, "\"><summary>");
        lz_html_text(out, name);
        lz_str_add(out, " <span class=\"quiet\">");
        lz_html_text(out, lz_run_text(q, 2));
        if (sqlite3_column_int64(q, 3) > 1)
            lz_str_addf(out, " &#215; %" PRId64, (int64_t)sqlite3_column_int64(q, 3));
        lz_str_add(out, sqlite3_column_int64(q, 4) != 0 ? ", hit</span></summary>\n"
                                                        : "</span></summary>\n");
        write_track(out, run, sqlite3_column_int64(q, 0));
        lz_str_add(out, "</details>\n");
    }
    if (shown == 0)
        lz_str_add(out, "<p class=\"quiet\">No component was recorded.</p>\n");
}

// ---------------------------------------------------------------- numbers

static void write_cell(struct lz_str *out, double value, enum lz_unit unit)
{
    char text[40];
    lz_str_addf(out, "<td>%s</td>",
                isfinite(value) ? lz_format_value(text, sizeof(text), value, unit) : "&#8211;");
}

void lz_html_numbers(struct lz_str *out, const struct lz_report_run *run)
{
    static const enum lz_unit units[] = {LZ_UNIT_RATE,    LZ_UNIT_RATIO,   LZ_UNIT_SECONDS,
                                         LZ_UNIT_SECONDS, LZ_UNIT_SECONDS, LZ_UNIT_RATIO,
                                         LZ_UNIT_COUNT};
    enum { COUNT = sizeof(units) / sizeof(units[0]), FIRST = 2 };
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select name, kind, rate, errors, p50, p99, w, busy, l from (select c.id, c.name, c.kind,"
        " max(case m.name when 'rate' then whole end) rate,"
        " max(case m.name when 'errors.ratio' then whole end) errors,"
        " max(case m.name when 'latency.p50' then whole end) p50,"
        " max(case m.name when 'latency.p99' then whole end) p99,"
        " max(case m.name when 'latency.mean' then whole end) w,"
        " max(case m.name when 'busy' then whole end) busy,"
        " max(case m.name when 'in_flight' then whole end) l"
        " from component c join metric m on m.component = c.id where m.present group by c.id)"
        " where rate is not null order by id limit ?",
        COMPONENTS_MAX * 2, 0);
    lz_str_add(out, "<div class=\"wide\"><table><thead><tr><th>over the whole run</th><th>rate</th>"
                    "<th>errors</th><th>p50</th><th>p99</th><th>mean latency W</th><th>busy</th>"
                    "<th>in flight L</th><th>rate &#215; W</th></tr></thead><tbody>\n");
    while (lz_run_next(&q)) {
        lz_str_add(out, "<tr><td>");
        lz_html_text(out, lz_run_text(q, 0));
        lz_str_add(out, "</td>");
        for (int i = 0; i < COUNT; i++)
            write_cell(out, lz_run_real(q, FIRST + i), units[i]);
        write_cell(out, lz_run_real(q, FIRST) * lz_run_real(q, FIRST + 4), LZ_UNIT_COUNT);
        lz_str_add(out, "</tr>\n");
    }
    lz_str_add(out,
               "</tbody></table></div>\n<p class=\"quiet\">Little&#39;s law: what is in flight "
               "is the rate times the mean time, L = &#955;W. Where the two differ, requests"
               " were lost on the way or are still there.</p>\n");
}
