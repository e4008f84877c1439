/*
 * views.c — what is shown of a world: of a record of it as if its run ended now.
 *
 * The record is made by a copy of the world (tree.c), so looking changes nothing.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/repl.h"
#include "report/run.h"

#define EVENTS_SHOWN 20
#define ROWS_SHOWN 200
#define WHY_SPAN (10 * LZ_S)
#define PLOT_ROWS 6
#define PLOT_COLUMNS 60

struct view {
    struct lz_str image;
    struct lz_report_run *run;
};

static bool open_view(struct lz_repl *r, uint32_t branch, struct view *v)
{
    struct lz_err err;
    lz_str_init(&v->image);
    v->run = NULL;
    if (!lz_tree_record(&r->tree, branch, &v->image)) {
        lz_repl_say(r, "error: %s",
                    v->image.len > 0 ? v->image.text : "the world's process is gone");
    } else if (!lz_report_open((const unsigned char *)v->image.text, v->image.len, &v->run, &err)) {
        lz_repl_say(r, "error: %s", err.msg);
        v->run = NULL;
    }
    if (v->run == NULL)
        lz_str_finish(&v->image);
    return v->run != NULL;
}

static void close_view(struct view *v)
{
    lz_report_close(v->run);
    lz_str_finish(&v->image);
}

// ---------------------------------------------------------------- events, faults, expectations

void lz_views_events(struct lz_repl *r, const char *args)
{
    long count = args[0] != '\0' ? strtol(args, NULL, 10) : EVENTS_SHOWN;
    struct view v;
    if (count <= 0 || count > 100000) {
        lz_repl_say(r, "error: .events takes a number from 1 to 100000, got \"%s\"", args);
        return;
    }
    if (!open_view(r, r->tree.current, &v))
        return;
    sqlite3_stmt *q = lz_run_ask(
        v.run,
        "select at_ns, kind, text, line from (select seq, at_ns, kind, text, line from event"
        " order by seq desc limit ?) order by seq",
        count, 0);
    int64_t shown = 0;
    while (lz_run_next(&q)) {
        char at[32], line[32] = "";
        if (sqlite3_column_int64(q, 3) > 0)
            snprintf(line, sizeof(line), "   line %lld", (long long)sqlite3_column_int64(q, 3));
        lz_repl_say(r, "%12s  %-8s %s%s", lz_format_instant(at, sizeof(at), lz_run_time(q, 0)),
                    lz_run_text(q, 1), lz_run_text(q, 2), line);
        shown++;
    }
    if (shown == 0)
        lz_repl_say(r, "nothing has happened yet");
    close_view(&v);
}

// What has been, from the journal; what is to come, from the faults that wait.
void lz_views_timeline(struct lz_repl *r, const char *args)
{
    (void)args;
    struct view v;
    if (!open_view(r, r->tree.current, &v))
        return;
    sqlite3_stmt *q = lz_run_ask(
        v.run,
        "select at_ns, kind, text, line, 0 from event where kind in ('fault', 'mark', 'log')"
        " union all select at_ns, 'to come', kind || ' ' || target, line, 1 from fault"
        " where firings = 0 and at_ns >= 0 order by 5, 1",
        0, 0);
    int64_t shown = 0;
    while (lz_run_next(&q)) {
        char at[32];
        lz_repl_say(r, "%12s  %-8s %s   line %lld",
                    lz_format_instant(at, sizeof(at), lz_run_time(q, 0)), lz_run_text(q, 1),
                    lz_run_text(q, 2), (long long)sqlite3_column_int64(q, 3));
        shown++;
    }
    if (shown == 0)
        lz_repl_say(r, "no faults, no marks");
    close_view(&v);
}

static const char *stage_of(lz_time now, lz_time started, lz_time ended, int64_t firings)
{
    if (firings == 0)
        return "waiting";
    return ended >= started && ended <= now && ended >= 0 ? "over" : "active";
}

void lz_views_faults(struct lz_repl *r, const char *args)
{
    (void)args;
    struct view v;
    if (!open_view(r, r->tree.current, &v))
        return;
    lz_time now = lz_tree_now(&r->tree)->at;
    sqlite3_stmt *q = lz_run_ask(v.run,
                                 "select id, at_ns, kind, target, started_ns, ended_ns, firings, "
                                 "effect, effect_unit, line from fault order by id",
                                 0, 0);
    int64_t shown = 0;
    while (lz_run_next(&q)) {
        char at[32], effect[48];
        int64_t firings = sqlite3_column_int64(q, 6);
        lz_time started = lz_run_time(q, 4);
        lz_format_count(effect, sizeof(effect), (double)sqlite3_column_int64(q, 7));
        char did[80] = "";
        if (firings > 0)
            snprintf(did, sizeof(did), "   %s %s", effect, lz_run_text(q, 8));
        lz_repl_say(r, "%3lld  %10s  %-18s %-28s %s%s", (long long)sqlite3_column_int64(q, 0),
                    lz_format_instant(at, sizeof(at), started >= 0 ? started : lz_run_time(q, 1)),
                    lz_run_text(q, 2), lz_run_text(q, 3),
                    stage_of(now, started, lz_run_time(q, 5), firings), did);
        shown++;
    }
    if (shown == 0)
        lz_repl_say(r, "no faults");
    close_view(&v);
}

void lz_views_expect(struct lz_repl *r, const char *args)
{
    (void)args;
    struct view v;
    if (!open_view(r, r->tree.current, &v))
        return;
    struct lz_str text;
    lz_str_init(&text);
    lz_report_text_runs(&text, &r->opts->style, &v.run, 1);
    lz_repl_say(r, "%.*s", (int)(text.len > 0 ? text.len - 1 : 0), text.text);
    if (!lz_tree_now(&r->tree)->is_over)
        lz_repl_say(r, "as if the run ended now");
    lz_str_finish(&text);
    close_view(&v);
}

// ---------------------------------------------------------------- a metric over time

struct span {
    lz_time from, to;
};

static void draw(struct lz_repl *r, const struct lz_run_point *points, size_t count,
                 struct span span, enum lz_unit unit)
{
    double columns[PLOT_COLUMNS], low = HUGE_VAL, high = -HUGE_VAL;
    for (int c = 0; c < PLOT_COLUMNS; c++)
        columns[c] = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        double share = (double)(points[i].start - span.from) / (double)(span.to - span.from);
        int c = (int)(share * PLOT_COLUMNS);
        if (c < 0 || c >= PLOT_COLUMNS || isnan(points[i].value))
            continue;
        if (isnan(columns[c]) || points[i].high > columns[c])
            columns[c] = points[i].high;
        low = fmin(low, points[i].high);
        high = fmax(high, points[i].high);
    }
    if (!(low <= high)) {
        lz_repl_say(r, "no sample in that time");
        return;
    }
    low = low > 0.0 && low > high * 0.5 ? low : fmin(low, 0.0);
    double step = high > low ? (high - low) / (PLOT_ROWS - 1) : 1.0;
    bool ascii = r->opts->style.ascii;
    for (int row = PLOT_ROWS - 1; row >= 0; row--) {
        char label[32];
        struct lz_str line;
        lz_str_init(&line);
        lz_format_value(label, sizeof(label), low + step * row, unit);
        for (int c = 0; c < PLOT_COLUMNS; c++) {
            bool is_here = !isnan(columns[c]) && (int)((columns[c] - low) / step + 0.5) == row;
            lz_str_add(&line, is_here ? (ascii ? "*" : "•") : " ");
        }
        while (line.len > 0 && line.text[line.len - 1] == ' ')
            line.text[--line.len] = '\0';
        lz_repl_say(r, "%10s %s%s", label, ascii ? "|" : "┤", line.text);
        lz_str_finish(&line);
    }
    char from[32], to[32];
    lz_format_instant(from, sizeof(from), span.from);
    lz_format_instant(to, sizeof(to), span.to);
    lz_repl_say(r, "%10s  %-*s%s", "", PLOT_COLUMNS - (int)strlen(to), from, to);
}

// "METRIC from A to B", cut into its parts; the metric is what is left in `text`.
static bool cut_span(struct lz_repl *r, char *text, struct span *span)
{
    *span = (struct span){0, lz_tree_now(&r->tree)->at};
    char *from = strstr(text, " from ");
    if (from == NULL)
        return true;
    char *to = strstr(from, " to ");
    *from = '\0';
    if (to != NULL)
        *to = '\0';
    return lz_repl_time(r, from + strlen(" from "), &span->from) &&
           (to == NULL || lz_repl_time(r, to + strlen(" to "), &span->to));
}

void lz_views_plot(struct lz_repl *r, const char *args)
{
    struct span span;
    struct view v;
    struct lz_str text;
    if (args[0] == '\0') {
        lz_repl_say(r, "error: .plot METRIC [from A to B], such as .plot web.latency.p99");
        return;
    }
    char *copy = strdup(args);
    LZ_ASSERT(copy != NULL);
    lz_str_init(&text);
    struct lz_pipe_message m = {.kind = LZ_PIPE_METRIC};
    bool ok = cut_span(r, copy, &span);
    if (ok) {
        lz_str_add(&text, copy);
        ok = lz_tree_ask(&r->tree, &m, &text);
    }
    free(copy);
    if (ok && m.kind != LZ_PIPE_OK)
        lz_repl_error(r, text.text);
    else if (ok && span.to <= span.from)
        lz_repl_say(r, "error: there is no time between the two");
    else if (ok && open_view(r, r->tree.current, &v)) {
        struct lz_run_point *points = NULL;
        size_t count = lz_run_points(v.run, (int64_t)m.count, span.from, span.to, &points);
        sqlite3_stmt *q =
            lz_run_ask(v.run, "select unit from metric where id = ?", (int64_t)m.count, 0);
        enum lz_unit unit = LZ_UNIT_COUNT;
        if (lz_run_next(&q))
            unit = lz_run_unit(q, 0);
        lz_run_stop(&q);
        draw(r, points, count, span, unit);
        free(points);
        close_view(&v);
    }
    lz_str_finish(&text);
}

// ---------------------------------------------------------------- requests

void lz_views_why(struct lz_repl *r, const char *args)
{
    (void)args;
    struct view v;
    if (!open_view(r, r->tree.current, &v))
        return;
    lz_time now = lz_tree_now(&r->tree)->at, from = now > WHY_SPAN ? now - WHY_SPAN : 0;
    // The deepest attempt that failed, of each request that did.
    sqlite3_stmt *q = lz_run_ask(
        v.run,
        "select count(*), c.name, s.outcome, s.status, o.name from request r"
        " join span s on s.request = r.id and s.rowid = (select x.rowid from span x where"
        "   x.request = r.id and x.outcome <> 'ok' order by x.call desc, x.attempt desc limit 1)"
        " left join component c on c.id = s.component"
        " left join instance i on i.id = s.client left join component o on o.id = i.component"
        " where r.outcome <> 'ok' and r.end_ns >= ? and r.end_ns <= ?"
        " group by 2, 3, 4, 5 order by 1 desc, 2, 3, 4 limit 10",
        from, now);
    int64_t shown = 0;
    while (lz_run_next(&q)) {
        if (shown++ == 0)
            lz_repl_say(r, "of the failed requests that were kept in the last 10s, the deepest "
                           "failure:");
        lz_repl_say(r, "%6lld  %s at %s, asked by %s%s%s", (long long)sqlite3_column_int64(q, 0),
                    lz_run_text(q, 2), lz_run_text(q, 1), lz_run_text(q, 4),
                    sqlite3_column_int64(q, 3) > 0 ? ", status " : "",
                    sqlite3_column_int64(q, 3) > 0 ? lz_run_text(q, 3) : "");
    }
    if (shown == 0)
        lz_repl_say(r, "no request has failed in the last 10s");
    close_view(&v);
}

void lz_views_trace(struct lz_repl *r, const char *args)
{
    char *end;
    long long ordinal = strtoll(args[0] == '#' ? args + 1 : args, &end, 10);
    struct view v;
    if (args[0] == '\0' || *end != '\0') {
        lz_repl_say(r,
                    "error: .trace N, the number of a request; .sql select ordinal from request");
        return;
    }
    if (!open_view(r, r->tree.current, &v))
        return;
    sqlite3_stmt *q = lz_run_ask(
        v.run,
        "select s.start_ns - r.intended_ns, s.end_ns - s.start_ns, c.name, s.op, s.attempt,"
        " s.outcome, s.queue_ns, s.work_ns, s.network_ns, s.connect_ns from request r"
        " join span s on s.request = r.id left join component c on c.id = s.component"
        " where r.ordinal = ? order by s.start_ns, s.call, s.attempt",
        ordinal, 0);
    int64_t shown = 0;
    while (lz_run_next(&q)) {
        char at[32], took[32], queue[32], work[32], net[32];
        lz_repl_say(r, "%10s  %-18s %-16.16s try %lld  %-8s %9s   queue %s, work %s, network %s",
                    lz_format_duration(at, sizeof(at), lz_run_time(q, 0)), lz_run_text(q, 2),
                    lz_run_text(q, 3), (long long)sqlite3_column_int64(q, 4), lz_run_text(q, 5),
                    lz_format_duration(took, sizeof(took), lz_run_time(q, 1)),
                    lz_format_duration(queue, sizeof(queue), lz_run_time(q, 6)),
                    lz_format_duration(work, sizeof(work), lz_run_time(q, 7)),
                    lz_format_duration(net, sizeof(net), lz_run_time(q, 8)));
        shown++;
    }
    if (shown == 0)
        lz_repl_say(r,
                    "of request %lld no attempts were kept: failed and slowest ones are, and a "
                    "sample",
                    ordinal);
    close_view(&v);
}

// ---------------------------------------------------------------- questions

static void say_rows(struct lz_repl *r, sqlite3_stmt *q)
{
    int columns = sqlite3_column_count(q), rows = 0, rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW && rows < ROWS_SHOWN) {
        struct lz_str line;
        lz_str_init(&line);
        for (int c = 0; c < columns; c++) {
            const char *text = (const char *)sqlite3_column_text(q, c);
            lz_str_addf(&line, "%s%s", c > 0 ? "  " : "", text != NULL ? text : "");
        }
        lz_repl_say(r, "%s", line.text);
        lz_str_finish(&line);
        rows++;
    }
    if (rc == SQLITE_ROW)
        lz_repl_say(r, "... more than %d rows: say limit", ROWS_SHOWN);
    else if (rc != SQLITE_DONE)
        lz_repl_say(r, "error: %s", sqlite3_errmsg(sqlite3_db_handle(q)));
    else if (rows == 0)
        lz_repl_say(r, "no rows");
}

static int only_reads(void *ctx, int action, const char *a, const char *b, const char *c,
                      const char *d)
{
    (void)ctx;
    (void)a;
    (void)c;
    (void)d;
    bool is_file = b != NULL && (strcmp(b, "load_extension") == 0 || strcmp(b, "writefile") == 0 ||
                                 strcmp(b, "readfile") == 0);
    bool reads = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ||
                 action == SQLITE_FUNCTION;
    return reads && !is_file ? SQLITE_OK : SQLITE_DENY;
}

void lz_views_sql(struct lz_repl *r, const char *args)
{
    struct view v;
    if (args[0] == '\0') {
        lz_repl_say(r,
                    "error: .sql QUERY; tables: run component instance metric series event fault "
                    "expectation request span");
        return;
    }
    if (!open_view(r, r->tree.current, &v))
        return;
    sqlite3_stmt *q = NULL;
    sqlite3_set_authorizer(v.run->db, only_reads, NULL);
    if (sqlite3_prepare_v2(v.run->db, args, -1, &q, NULL) != SQLITE_OK || q == NULL)
        lz_repl_say(r, "error: %s",
                    q == NULL && sqlite3_errcode(v.run->db) == SQLITE_OK
                        ? "there is no question"
                        : sqlite3_errmsg(v.run->db));
    else
        say_rows(r, q);
    sqlite3_finalize(q);
    sqlite3_set_authorizer(v.run->db, NULL, NULL);
    close_view(&v);
}

// ---------------------------------------------------------------- two branches

static uint32_t branch_named(const struct lz_repl *r, const char *name)
{
    uint32_t i = 0;
    while (i < r->tree.branch_count && strcmp(r->tree.branches[i].name, name) != 0)
        i++;
    return i;
}

static const char *mark_of(const struct lz_repl *r, const struct lz_run_expectation *e)
{
    bool ascii = r->opts->style.ascii;
    if (strcmp(e->verdict, "pass") == 0)
        return ascii ? "+" : "✓";
    return strcmp(e->verdict, "fail") == 0 ? (ascii ? "x" : "✗") : "?";
}

// Columns, not bytes: values have thin spaces and micro signs in them.
static void add_cell(struct lz_str *out, const char *text, size_t columns)
{
    size_t width = lz_str_width(text), len = strlen(text);
    struct lz_str cut;
    lz_str_init(&cut);
    while (width > columns && len > 0) {
        len--;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        lz_str_clear(&cut);
        lz_str_add_n(&cut, text, len);
        width = lz_str_width(cut.text);
    }
    lz_str_add_n(out, text, len);
    lz_str_add_repeat(out, " ", columns - width);
    lz_str_finish(&cut);
}

static void say_difference(struct lz_repl *r, const struct lz_report_run *a,
                           const struct lz_report_run *b)
{
    for (size_t i = 0; i < a->expectation_count && i < b->expectation_count; i++) {
        const struct lz_run_expectation *x = &a->expectations[i], *y = &b->expectations[i];
        bool same = strcmp(x->actual, y->actual) == 0 && strcmp(x->verdict, y->verdict) == 0;
        struct lz_str line;
        lz_str_init(&line);
        lz_str_add(&line, same ? "  " : "* ");
        add_cell(&line, x->name, 31);
        lz_str_addf(&line, " %s ", mark_of(r, x));
        add_cell(&line, x->actual, 20);
        lz_str_addf(&line, " %s ", mark_of(r, y));
        add_cell(&line, y->actual, 20);
        while (line.len > 0 && line.text[line.len - 1] == ' ')
            line.text[--line.len] = '\0';
        lz_repl_say(r, "%s", line.text);
        lz_str_finish(&line);
    }
}

void lz_views_diff(struct lz_repl *r, const char *args)
{
    uint32_t other = branch_named(r, args[0] != '\0' ? args : "main");
    struct view a, b;
    if (other == r->tree.branch_count) {
        lz_repl_say(r, "error: there is no fork \"%s\"; .forks lists them", args);
        return;
    }
    if (!open_view(r, other, &a))
        return;
    if (open_view(r, r->tree.current, &b)) {
        const struct lz_tree_branch *x = &r->tree.branches[other], *y = lz_tree_now(&r->tree);
        char at[32], at_b[32];
        lz_repl_say(r, "  %-31s   %-20s   %s", "", x->name, y->name);
        lz_repl_say(r, "  %-31s   %-20s   %s", "stands at",
                    lz_format_instant(at, sizeof(at), x->at),
                    lz_format_instant(at_b, sizeof(at_b), y->at));
        say_difference(r, a.run, b.run);
        close_view(&b);
    }
    close_view(&a);
}
