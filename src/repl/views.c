/*
 * views.c — what is shown of a world: of a record of it as if its run ended now.
 *
 * The record is made by a copy of the world (tree.c), so looking changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/view.h"

#define EVENTS_SHOWN 20

bool lz_view_open(struct lz_repl *r, uint32_t branch, struct lz_view_record *v)
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

void lz_view_close(struct lz_view_record *v)
{
    lz_report_close(v->run);
    lz_str_finish(&v->image);
}

void lz_view_say(struct lz_repl *r, struct lz_str *text)
{
    while (text->len > 0 && text->text[text->len - 1] == '\n')
        text->text[--text->len] = '\0';
    lz_repl_say(r, "%s", text->text);
}

// ---------------------------------------------------------------- events, faults, expectations

// "4m09s  promoted  orders-db[2] leads   line 43", whatever fits.
static void add_event(struct lz_pen *pen, const char *at, const char *kind, sqlite3_stmt *q)
{
    int instant = pen->style->width < 60 ? 8 : 12;
    lz_pen_to(pen, instant > lz_pen_width(at) ? instant - lz_pen_width(at) : 0);
    lz_pen_add(pen, LZ_TINT_DIM, at);
    lz_pen_to(pen, instant + 2);
    lz_pen_add(pen, LZ_TINT_BOLD, kind);
    lz_pen_to(pen, instant + 13);
    lz_pen_add(pen, LZ_TINT_NONE, lz_run_text(q, 2));
    if (sqlite3_column_int64(q, 3) > 0)
        lz_pen_addf(pen, LZ_TINT_DIM, "   line %lld", (long long)sqlite3_column_int64(q, 3));
    lz_pen_end(pen);
}

// Rows of (instant, kind, text, line); what to say where there are none.
static void say_events(struct lz_repl *r, sqlite3_stmt *q, const char *none)
{
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &r->style);
    while (lz_run_next(&q)) {
        char at[32];
        lz_format_instant(at, sizeof(at), lz_run_time(q, 0));
        add_event(&pen, at, lz_run_text(q, 1), q);
    }
    if (text.len == 0)
        lz_str_add(&text, none);
    lz_view_say(r, &text);
    lz_str_finish(&text);
}

void lz_views_events(struct lz_repl *r, const char *args)
{
    char *end = NULL;
    long count = args[0] != '\0' ? strtol(args, &end, 10) : EVENTS_SHOWN;
    struct lz_view_record v;
    if (count <= 0 || count > 100000 || (end != NULL && *end != '\0')) {
        lz_repl_say(r, "error: .events takes a number from 1 to 100000, got \"%s\"", args);
        return;
    }
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    say_events(r,
               lz_run_ask(v.run,
                          "select at_ns, kind, text, line from (select seq, at_ns, kind, text, line"
                          " from event order by seq desc limit ?) order by seq",
                          count, 0),
               "nothing has happened yet");
    lz_view_close(&v);
}

// What has been, from the journal; what is to come, from the faults that wait.
void lz_views_timeline(struct lz_repl *r, const char *args)
{
    (void)args;
    struct lz_view_record v;
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    say_events(
        r,
        lz_run_ask(v.run,
                   "select at_ns, kind, text, line, 0 from event where kind in ('fault',"
                   " 'fault_end', 'mark', 'log')"
                   " union all select at_ns, 'to come', kind || ' ' || target, line, 1 from fault"
                   " where firings = 0 and at_ns >= 0 order by 5, 1",
                   0, 0),
        "no faults, no marks");
    lz_view_close(&v);
}

static const char *stage_of(lz_time now, lz_time started, lz_time ended, int64_t firings)
{
    if (firings == 0)
        return "waiting";
    return ended >= started && ended <= now && ended >= 0 ? "over" : "active";
}

static void add_fault(struct lz_pen *pen, lz_time now, sqlite3_stmt *q)
{
    char at[32], effect[48];
    int64_t firings = sqlite3_column_int64(q, 6);
    lz_time started = lz_run_time(q, 4);
    const char *stage = stage_of(now, started, lz_run_time(q, 5), firings);
    bool is_narrow = pen->style->width < 60;
    lz_format_instant(at, sizeof(at), started >= 0 ? started : lz_run_time(q, 1));
    lz_pen_addf(pen, LZ_TINT_DIM, "%3lld ", (long long)sqlite3_column_int64(q, 0));
    lz_pen_to(pen, is_narrow ? 5 : 15 - lz_pen_width(at));
    lz_pen_addf(pen, LZ_TINT_NONE, "%s  ", at);
    lz_pen_fit(pen, LZ_TINT_BOLD, lz_run_text(q, 2), 18);
    lz_pen_to(pen, is_narrow ? pen->column + 1 : 34);
    lz_pen_fit(pen, LZ_TINT_NONE, lz_run_text(q, 3), is_narrow ? 20 : 28);
    lz_pen_to(pen, is_narrow ? pen->column + 1 : 63);
    lz_pen_add(pen, strcmp(stage, "active") == 0 ? LZ_TINT_BAD : LZ_TINT_NONE, stage);
    lz_pen_end(pen);
    bool is_typed = sqlite3_column_int64(q, 9) == 0;
    lz_format_count(effect, sizeof(effect), (double)sqlite3_column_int64(q, 7));
    if (firings == 0 && !is_typed)
        return;
    lz_pen_to(pen, is_narrow ? 5 : 34);
    if (firings > 0)
        lz_pen_addf(pen, LZ_TINT_DIM, "%s %s%s", effect, lz_run_text(q, 8), is_typed ? ", " : "");
    if (is_typed)
        lz_pen_add(pen, LZ_TINT_DIM, "typed here");
    lz_pen_end(pen);
}

void lz_views_faults(struct lz_repl *r, const char *args)
{
    (void)args;
    struct lz_view_record v;
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &r->style);
    sqlite3_stmt *q = lz_run_ask(v.run,
                                 "select id, at_ns, kind, target, started_ns, ended_ns, firings, "
                                 "effect, effect_unit, line from fault order by id",
                                 0, 0);
    while (lz_run_next(&q))
        add_fault(&pen, lz_tree_now(&r->tree)->at, q);
    if (text.len == 0)
        lz_str_add(&text, "no faults");
    lz_view_say(r, &text);
    lz_str_finish(&text);
    lz_view_close(&v);
}

void lz_views_expect(struct lz_repl *r, const char *args)
{
    (void)args;
    struct lz_view_record v;
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    struct lz_str text;
    lz_str_init(&text);
    lz_report_text_runs(&text, &r->style, &v.run, 1);
    lz_view_say(r, &text);
    if (!lz_tree_now(&r->tree)->is_over)
        lz_repl_say(r, "as if the run ended now");
    lz_str_finish(&text);
    lz_view_close(&v);
}
