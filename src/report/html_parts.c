// Parts of a page: what went wrong when, what calls what, where requests were, what happened.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/html_draw.h"

#define ROW 20         // height of a line of a picture
#define FAULTS_MAX 60  // lines of the timeline
#define NODES_MAX 120  // of the topology
#define REQUESTS_MAX 6 // that are shown with their spans
#define SPANS_MAX 40   // of each
#define EVENTS_MAX 500 // of the journal
#define MARKS_MAX 100  // on the timeline
#define BOX_WIDTH 150
#define BOX_HEIGHT 38
#define BOX_GAP 20

// ---------------------------------------------------------------- timeline

static size_t count_rows(const struct lz_report_run *run, const char *sql)
{
    size_t n = 0;
    sqlite3_stmt *q = lz_run_ask(run, sql, 0, 0);
    while (lz_run_next(&q))
        n = (size_t)sqlite3_column_int64(q, 0);
    return n;
}

static void write_span(struct lz_str *out, const struct lz_report_run *run, sqlite3_stmt *q, int y)
{
    char from[40], to[40];
    lz_time begun = lz_run_time(q, 1), ended = lz_run_time(q, 2);
    bool has_begun = begun >= 0, is_bare = sqlite3_column_int64(q, 4) == 0;
    begun = has_begun ? begun : lz_run_time(q, 3);
    double x = lz_html_x(run, begun);
    double wide = lz_html_x(run, ended >= 0 ? ended : run->virtual_ns) - x;
    wide = has_begun && wide > 3.0 ? wide : 3.0;
    lz_str_addf(out,
                "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"%s\""
                " fill-opacity=\"0.75\"/>",
                x, y + 3, wide, ROW - 6, has_begun && !is_bare ? "#d55e00" : "#999999");
    // Behind the bar, before it, or on it, wherever there is room.
    bool is_behind = x + wide < LZ_HTML_WIDTH * 0.6, is_before = !is_behind && x > 380;
    lz_str_addf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\" fill=\"#222\" class=\"t\">",
                is_behind   ? x + wide + 6
                : is_before ? x - 6
                            : x + 6,
                y + 14, is_before ? "end" : "start");
    lz_html_text(out, lz_run_text(q, 0));
    bool is_on = !is_behind && !is_before; // grey could not be read on the bar
    lz_str_addf(out, " <tspan fill=\"%s\" class=\"%s\">%s", is_on ? "#222" : "#777",
                is_on ? "t" : "q", lz_format_instant(from, sizeof(from), begun));
    if (has_begun && ended >= 0)
        lz_str_addf(out, " to %s", lz_format_instant(to, sizeof(to), ended));
    lz_str_add(out, !has_begun ? ", never began" : is_bare ? ", touched nothing" : "");
    lz_str_add(out, "</tspan></text>");
}

// Where expectations failed, above the faults.
static void write_pins(struct lz_str *out, const struct lz_report_run *run, int bottom)
{
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        if (e->at < 0 || strcmp(e->verdict, "fail") != 0)
            continue;
        double x = lz_html_x(run, e->at);
        lz_str_addf(out,
                    "<path d=\"M%.1f 16V%d\" stroke=\"#cc3311\" class=\"l\"/><text x=\"%.1f\""
                    " y=\"12\" text-anchor=\"middle\" fill=\"#cc3311\" class=\"b\">&#10007;"
                    "<title>",
                    x, bottom, x);
        lz_html_text(out, e->name);
        lz_str_add(out, "</title></text>");
    }
}

// What the scenario itself said: marks and lines of its log.
static void write_marks(struct lz_str *out, const struct lz_report_run *run, int bottom)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select at_ns, text from event where kind in ('mark', 'log')"
                                 " order by seq limit ?",
                                 MARKS_MAX, 0);
    while (lz_run_next(&q)) {
        double x = lz_html_x(run, lz_run_time(q, 0));
        lz_str_addf(out, "<path d=\"M%.1f %dl-4 7h8z\" fill=\"#0072b2\"><title>", x, bottom - 7);
        lz_html_text(out, lz_run_text(q, 1));
        lz_str_add(out, "</title></path>");
    }
}

void lz_html_timeline(struct lz_str *out, const struct lz_report_run *run)
{
    size_t count = count_rows(run, "select count(*) from fault");
    size_t shown = count < FAULTS_MAX ? count : FAULTS_MAX;
    int y = 20, bottom = 20 + (int)(shown > 0 ? shown : 1) * ROW;
    lz_html_svg_begin(out, bottom + 28, "when which fault was active");
    if (run->warmup_ns > 0)
        lz_str_addf(out,
                    "<rect x=\"%d\" y=\"16\" width=\"%.1f\" height=\"%d\" fill=\"#999\""
                    " fill-opacity=\"0.15\"><title>warm-up: nothing is judged</title></rect>",
                    LZ_HTML_LEFT, lz_html_x(run, run->warmup_ns) - LZ_HTML_LEFT, bottom - 16);
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select name, started_ns, ended_ns, at_ns, effect from fault"
                                 " order by coalesce(started_ns, at_ns), id limit ?",
                                 FAULTS_MAX, 0);
    for (; lz_run_next(&q); y += ROW)
        write_span(out, run, q, y);
    if (count == 0)
        lz_str_addf(out,
                    "<text x=\"%d\" y=\"34\" fill=\"#777\" class=\"q\">nothing was broken: no "
                    "fault was declared</text>",
                    LZ_HTML_LEFT + 6);
    write_pins(out, run, bottom);
    write_marks(out, run, bottom);
    lz_html_ruler(out, run, bottom);
    lz_html_svg_end(out);
    if (count > shown)
        lz_str_addf(out, "<p class=\"quiet\">and %zu more faults</p>\n", count - shown);
}

// ---------------------------------------------------------------- topology

struct node {
    int64_t id, instances;
    char name[64], kind[24];
    int layer, row;
    bool is_hit;
};

struct graph {
    struct node nodes[NODES_MAX];
    size_t count;
    int layers, rows;
};

static size_t node_of(const struct graph *g, int64_t id)
{
    size_t i = 0;
    while (i < g->count && g->nodes[i].id != id)
        i++;
    return i;
}

static void read_nodes(struct graph *g, const struct lz_report_run *run)
{
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select id, name, kind, instances, exists (select 1 from fault f where f.effect > 0 and"
        " (f.target = c.name or f.target like c.name || '.%' or f.target like c.name || '[%'))"
        " from component c where kind <> 'link' order by id limit ?",
        NODES_MAX, 0);
    while (lz_run_next(&q)) {
        struct node *n = &g->nodes[g->count++];
        *n = (struct node){.id = sqlite3_column_int64(q, 0),
                           .instances = sqlite3_column_int64(q, 3),
                           .is_hit = sqlite3_column_int64(q, 4) != 0};
        snprintf(n->name, sizeof(n->name), "%s", lz_run_text(q, 1));
        snprintf(n->kind, sizeof(n->kind), "%s", lz_run_text(q, 2));
    }
}

// A server stands right of who calls it; circles end after as many rounds as there are nodes.
static void place_nodes(struct graph *g, const struct lz_report_run *run)
{
    bool has_changed = true;
    for (size_t round = 0; has_changed && round < g->count; round++) {
        has_changed = false;
        sqlite3_stmt *q =
            lz_run_ask(run, "select distinct client, server from edge order by 1, 2", 0, 0);
        while (lz_run_next(&q)) {
            size_t from = node_of(g, sqlite3_column_int64(q, 0));
            size_t to = node_of(g, sqlite3_column_int64(q, 1));
            if (from == g->count || to == g->count || from == to ||
                g->nodes[to].layer > g->nodes[from].layer || g->nodes[from].layer >= 4)
                continue;
            g->nodes[to].layer = g->nodes[from].layer + 1;
            has_changed = true;
        }
    }
    int used[8] = {0};
    for (size_t i = 0; i < g->count; i++) {
        struct node *n = &g->nodes[i];
        LZ_ASSERT(n->layer < 8);
        n->row = used[n->layer]++;
        g->rows = used[n->layer] > g->rows ? used[n->layer] : g->rows;
        g->layers = n->layer + 1 > g->layers ? n->layer + 1 : g->layers;
    }
}

static double box_x(const struct graph *g, const struct node *n)
{
    double room = (double)(LZ_HTML_WIDTH - 40 - BOX_WIDTH);
    return 20.0 + (g->layers > 1 ? room * n->layer / (g->layers - 1) : room / 2);
}

static double box_y(const struct node *n)
{
    return 18.0 + n->row * (BOX_HEIGHT + BOX_GAP);
}

static void write_edge(struct lz_str *out, const struct graph *g, sqlite3_stmt *q)
{
    size_t a = node_of(g, sqlite3_column_int64(q, 0)), b = node_of(g, sqlite3_column_int64(q, 1));
    if (a == g->count || b == g->count || a == b)
        return;
    const struct node *from = &g->nodes[a], *to = &g->nodes[b];
    bool is_back = to->layer <= from->layer;
    double x1 = box_x(g, from) + (is_back ? 0 : BOX_WIDTH), y1 = box_y(from) + BOX_HEIGHT / 2.0;
    double x2 = box_x(g, to) + (is_back ? BOX_WIDTH : 0), y2 = box_y(to) + BOX_HEIGHT / 2.0;
    double bend = (x2 - x1) / 2;
    lz_str_addf(out,
                "<path d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\" fill=\"none\""
                " stroke=\"#888\" stroke-width=\"1.3\" marker-end=\"url(#arrow)\"><title>",
                x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2);
    lz_html_text(out, lz_run_text(q, 2));
    lz_str_add(out, "</title></path>");
}

static void write_node(struct lz_str *out, const struct graph *g, const struct node *n)
{
    double x = box_x(g, n), y = box_y(n);
    lz_str_add(out, "<g class=\"node\" data-of=\"");
    lz_html_text(out, n->name);
    lz_str_addf(out,
                "\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"#fff\""
                " stroke=\"%s\" stroke-width=\"%s\" class=\"%s\"/>",
                x, y, BOX_WIDTH, BOX_HEIGHT, strcmp(n->kind, "traffic") == 0 ? 19 : 5,
                n->is_hit ? "#d55e00" : "#888", n->is_hit ? "2.5" : "1", n->is_hit ? "h" : "n");
    lz_str_addf(out,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"13\""
                " fill=\"#222\" class=\"t\">",
                x + BOX_WIDTH / 2.0, y + 16);
    lz_html_text(out, n->name);
    lz_str_addf(out,
                "</text><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"#777\""
                " class=\"q\">",
                x + BOX_WIDTH / 2.0, y + 31);
    lz_html_text(out, n->kind);
    if (n->instances > 1)
        lz_str_addf(out, " &#215; %" PRId64, n->instances);
    lz_str_addf(out,
                "%s</text><text class=\"state b\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\""
                " fill=\"#cc3311\"></text></g>",
                n->is_hit ? ", hit" : "", x + BOX_WIDTH / 2.0, y - 3);
}

void lz_html_topology(struct lz_str *out, const struct lz_report_run *run)
{
    struct graph *g = lz_mem_alloc(sizeof(*g));
    *g = (struct graph){0};
    read_nodes(g, run);
    place_nodes(g, run);
    if (g->count > 0) {
        lz_html_svg_begin(out, 22 + g->rows * (BOX_HEIGHT + BOX_GAP), "what calls what");
        lz_str_add(out, "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\""
                        " markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 "
                        "4L0 8z\" fill=\"#888\"/></marker></defs>");
        sqlite3_stmt *q = lz_run_ask(run,
                                     "select client, server, coalesce(group_concat(distinct op),"
                                     " '') from edge group by client, server order by min(id)",
                                     0, 0);
        while (lz_run_next(&q))
            write_edge(out, g, q);
        for (size_t i = 0; i < g->count; i++)
            write_node(out, g, &g->nodes[i]);
        lz_html_svg_end(out);
    }
    free(g);
}

// ---------------------------------------------------------------- requests

// Waiting, connecting, the network and work of a span, in the order in which they mostly come.
static void write_phases(struct lz_str *out, sqlite3_stmt *q, double x, double per_ns, int y)
{
    static const struct {
        int column;
        const char *colour, *name;
    } phases[] = {{5, "#e69f00", "connecting"},
                  {7, "#cc79a7", "network"},
                  {4, "#999999", "in a queue"},
                  {6, "#009e73", "working"}};
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        lz_time took = lz_run_time(q, phases[i].column);
        if (took <= 0)
            continue;
        char text[40];
        double wide = (double)took * per_ns;
        lz_str_addf(out,
                    "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>%s "
                    "%s</title></rect>",
                    x, y + 4, wide > 0.6 ? wide : 0.6, ROW - 8, phases[i].colour,
                    lz_format_duration(text, sizeof(text), took), phases[i].name);
        x += wide;
    }
}

static void write_request_span(struct lz_str *out, sqlite3_stmt *q, lz_time from, lz_time to, int y)
{
    char took[40];
    lz_time begun = lz_run_time(q, 2), ended = lz_run_time(q, 3);
    ended = ended >= begun ? ended : to;
    const double left = 170.0, room = LZ_HTML_WIDTH - left - 150.0;
    double per_ns = to > from ? room / (double)(to - from) : 0.0;
    double x = left + (double)(begun - from) * per_ns;
    const char *outcome = lz_run_text(q, 1);
    bool is_odd = strcmp(outcome, "ok") != 0;
    lz_str_addf(out, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"end\" fill=\"#222\" class=\"t\">",
                left - 8, y + 14);
    lz_html_text(out, lz_run_text(q, 0));
    double wide = (double)(ended - begun) * per_ns;
    lz_str_addf(out,
                "</text><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#56b4e9\""
                " fill-opacity=\"0.35\" stroke=\"%s\" stroke-width=\"0.8\"/>",
                x, y + 2, wide > 1.0 ? wide : 1.0, ROW - 4, is_odd ? "#cc3311" : "#56b4e9");
    write_phases(out, q, x, per_ns, y);
    lz_str_addf(out, "<text x=\"%.1f\" y=\"%d\" fill=\"%s\" class=\"%s\">%s ", x + wide + 5, y + 14,
                is_odd ? "#cc3311" : "#777", is_odd ? "b" : "q",
                lz_format_duration(took, sizeof(took), ended - begun));
    lz_html_text(out, is_odd ? outcome : "");
    lz_str_add(out, "</text>");
}

static void write_request(struct lz_str *out, const struct lz_report_run *run, sqlite3_stmt *r)
{
    char at[40], took[40];
    int64_t id = sqlite3_column_int64(r, 0);
    lz_time from = lz_run_time(r, 2), to = lz_run_time(r, 3);
    size_t spans = (size_t)sqlite3_column_int64(r, 6);
    sqlite3_stmt *m = lz_run_ask(
        run, "select count(*), coalesce(max(end_ns), 0) from message where request = ?", id, 0);
    if (lz_run_next(&m)) {
        spans += (size_t)sqlite3_column_int64(m, 0);
        to = lz_run_time(m, 1) > to ? lz_run_time(m, 1) : to;
        lz_run_stop(&m);
    }
    spans = spans < SPANS_MAX ? spans : SPANS_MAX;
    lz_str_addf(out, "<figure><figcaption>request %" PRId64 " of ",
                (int64_t)sqlite3_column_int64(r, 1));
    lz_html_text(out, lz_run_text(r, 4));
    lz_str_addf(out, " at %s: ", lz_format_instant(at, sizeof(at), from));
    lz_html_text(out, lz_run_text(r, 5));
    lz_str_addf(out, " after %s</figcaption>",
                lz_format_duration(took, sizeof(took), lz_run_time(r, 3) - from));
    lz_html_svg_begin(out, 12 + (int)spans * ROW, "where a request was");
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select coalesce(c.name, ''), outcome, start_ns, end_ns, queue_ns,"
                                 " connect_ns, work_ns, network_ns, call, attempt from span s left"
                                 " join component c on c.id = s.component where request = ?1"
                                 " union all select coalesce(c.name, '') || ' ' || m.kind, outcome,"
                                 " start_ns, end_ns, 0, 0, end_ns - start_ns, 0, call, 1000 +"
                                 " m.rowid from message m left join component c on c.id ="
                                 " m.component where request = ?1 order by 3, 9, 10 limit ?2",
                                 id, SPANS_MAX);
    for (int y = 6; lz_run_next(&q); y += ROW)
        write_request_span(out, q, from, to, y);
    lz_html_svg_end(out);
    lz_str_add(out, "</figure>\n");
}

void lz_html_requests(struct lz_str *out, const struct lz_report_run *run)
{
    size_t shown = 0;
    sqlite3_stmt *q =
        lz_run_ask(run,
                   "select r.id, ordinal, intended_ns, end_ns, coalesce(c.name, ''), outcome, spans"
                   " from request r left join component c on c.id = r.traffic where spans > 0 and"
                   " end_ns >= intended_ns order by outcome = 'ok', kept_as = 'random',"
                   " end_ns - intended_ns desc, r.id limit ?",
                   REQUESTS_MAX, 0);
    for (; lz_run_next(&q); shown++)
        write_request(out, run, q);
    if (shown == 0)
        lz_str_add(out, "<p class=\"quiet\">No request was kept with its spans.</p>\n");
    else
        lz_str_add(out, "<p class=\"quiet\">grey: in a queue, green: working, yellow: connecting, "
                        "violet: network; a red frame: it did not end well</p>\n");
}

// ---------------------------------------------------------------- events, source

void lz_html_events(struct lz_str *out, const struct lz_report_run *run)
{
    size_t count = count_rows(run, "select count(*) from event");
    if (count == 0) {
        lz_str_add(out, "<p class=\"quiet\">The journal is empty.</p>\n");
        return;
    }
    lz_str_addf(out,
                "<details><summary>%zu event%s</summary><input type=\"search\""
                " class=\"events\" hidden placeholder=\"filter\" aria-label=\"filter "
                "events\"><table class=\"events\">"
                "<thead><tr><th>at</th><th>what</th><th></th><th>line</th></tr></thead><tbody>\n",
                count, count == 1 ? "" : "s");
    sqlite3_stmt *q = lz_run_ask(
        run, "select at_ns, kind, text, line from event order by seq limit ?", EVENTS_MAX, 0);
    while (lz_run_next(&q)) {
        char at[40];
        lz_str_addf(out, "<tr data-at=\"%.9g\"><td>%s</td><td>", (double)lz_run_time(q, 0) / 1e9,
                    lz_format_instant(at, sizeof(at), lz_run_time(q, 0)));
        lz_html_text(out, lz_run_text(q, 1));
        lz_str_add(out, "</td><td>");
        lz_html_text(out, lz_run_text(q, 2));
        lz_str_add(out, "</td><td>");
        if (sqlite3_column_int64(q, 3) > 0)
            lz_str_addf(out, "%" PRId64, (int64_t)sqlite3_column_int64(q, 3));
        lz_str_add(out, "</td></tr>\n");
    }
    lz_str_add(out, "</tbody></table>");
    if (count > EVENTS_MAX)
        lz_str_addf(out,
                    "<p class=\"quiet\">and %zu more: lorenz sql RUN \"select * from "
                    "event\"</p>",
                    count - EVENTS_MAX);
    lz_str_add(out, "</details>\n");
}

static bool is_failed_line(const struct lz_report_run *run, int64_t line)
{
    for (size_t i = 0; i < run->expectation_count; i++)
        if (run->expectations[i].line == line && strcmp(run->expectations[i].verdict, "fail") == 0)
            return true;
    return false;
}

static bool is_fault_line(const struct lz_report_run *run, int64_t line)
{
    bool found = false;
    sqlite3_stmt *q = lz_run_ask(run, "select 1 from fault where line = ? limit 1", line, 0);
    while (lz_run_next(&q))
        found = true;
    return found;
}

static void write_params(struct lz_str *out, const struct lz_report_run *run)
{
    size_t shown = 0;
    sqlite3_stmt *q = lz_run_ask(run, "select name, value from param order by rowid", 0, 0);
    for (; lz_run_next(&q); shown++) {
        lz_str_add(out, shown == 0 ? "<p>with " : ", ");
        lz_html_text(out, lz_run_text(q, 0));
        lz_str_add(out, " = ");
        lz_html_text(out, lz_run_text(q, 1));
    }
    if (shown > 0)
        lz_str_add(out, "</p>\n");
}

void lz_html_source(struct lz_str *out, const struct lz_report_run *run)
{
    const char *text;
    size_t len;
    write_params(out, run);
    lz_str_add(out, "<details><summary>");
    lz_html_text(out, run->file);
    lz_str_add(out, "</summary><pre class=\"src\">");
    for (int64_t line = 1; lz_run_source_line(run, line, &text, &len); line++) {
        bool is_marked = is_failed_line(run, line);
        struct lz_str copy;
        lz_str_init(&copy);
        lz_str_add_n(&copy, text, len);
        lz_str_addf(out, "<%s><i>%" PRId64 "</i>",
                    is_marked                  ? "b"
                    : is_fault_line(run, line) ? "span class=\"f\""
                                               : "span",
                    line);
        lz_html_text(out, copy.text);
        lz_str_addf(out, "</%s>", is_marked ? "b" : "span");
        lz_str_finish(&copy);
    }
    lz_str_add(out, "</pre></details>\n");
}
