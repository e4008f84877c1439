/*
 * view_why.c — where requests went, and what their time went into.
 *
 * Facts of the record, and no guess at a cause: which attempts failed and how, what was broken at
 * the time, what happened around it, and how long requests were in each phase. Of requests, those
 * whose way was kept are known in detail (model/traffic/request.h), any other when its part of the
 * run takes place again (retrace.h); shares of time are exact sums over all that failed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/retrace.h"
#include "repl/view.h"
#include "report/story.h"

#define WHY_SPAN (10 * LZ_S)
#define GROUPS_SHOWN 8
#define ATTEMPTS_SHOWN 40
#define MATCHES_MAX 8

static void add_line(struct lz_pen *pen, int indent, const char *text)
{
    lz_pen_to(pen, indent);
    lz_pen_add(pen, LZ_TINT_NONE, text);
    lz_pen_end(pen);
}

// Faults that were in force at any time of the stretch, and since when.
static void add_in_force(struct lz_pen *pen, const struct lz_report_run *run,
                         const struct lz_stretch *s)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select name, started_ns, ended_ns, effect, effect_unit from fault"
                                 " where firings > 0 and started_ns <= ?2 and (ended_ns is null or"
                                 " ended_ns < started_ns or ended_ns >= ?1) order by started_ns",
                                 s->from, s->to);
    bool any = false;
    while (lz_run_next(&q)) {
        char from[32], to[40] = "", effect[48];
        lz_format_instant(from, sizeof(from), lz_run_time(q, 1));
        if (lz_run_time(q, 2) >= lz_run_time(q, 1)) {
            char end[32];
            snprintf(to, sizeof(to), " until %s",
                     lz_format_instant(end, sizeof(end), lz_run_time(q, 2)));
        }
        lz_format_count(effect, sizeof(effect), (double)sqlite3_column_int64(q, 3));
        if (!any)
            add_line(pen, 2, "in force");
        any = true;
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_BAD, "%s", lz_run_text(q, 0));
        lz_pen_addf(pen, LZ_TINT_NONE, "  since %s%s, %s %s", from, to, effect, lz_run_text(q, 4));
        lz_pen_end(pen);
    }
    if (!any)
        add_line(pen, 2, "no fault was in force");
}

// ---------------------------------------------------------------- a metric

struct about {
    int64_t metric, component; /* 0: all */
    char name[80];
    enum lz_unit unit;
};

// Of each kept request that failed, the deepest attempt that did: what, where, asked by whom.
static int64_t add_failures(struct lz_pen *pen, const struct lz_report_run *run,
                            const struct lz_stretch *s, const struct about *a)
{
    static const char sql[] =
        "select count(*), c.name, s.outcome, s.status, o.name from request r"
        " join span s on s.request = r.id and s.rowid = (select x.rowid from span x where"
        "   x.request = r.id and x.outcome <> 'ok' order by x.call desc, x.attempt desc limit 1)"
        " left join component c on c.id = s.component"
        " left join instance i on i.id = s.client left join component o on o.id = i.component"
        " where r.outcome <> 'ok' and r.kept_as <> 'random' and r.end_ns >= ?1 and r.end_ns <= ?2"
        "%s group by 2, 3, 4, 5 order by 1 desc, 2, 3, 4";
    char of[160] = "", text[sizeof(sql) + sizeof(of)];
    if (a->component > 0)
        snprintf(of, sizeof(of),
                 " and (r.traffic = %" PRId64 " or exists (select 1 from span y where y.request ="
                 " r.id and y.component = %" PRId64 "))",
                 a->component, a->component);
    snprintf(text, sizeof(text), sql, of);
    sqlite3_stmt *q = lz_run_ask(run, text, s->from, s->to);
    int64_t shown = 0;
    while (lz_run_next(&q)) {
        if (shown++ == 0)
            add_line(pen, 2, "the deepest failure of those whose way was kept");
        if (shown > GROUPS_SHOWN)
            continue;
        lz_pen_addf(pen, LZ_TINT_BOLD, "%6lld", (long long)sqlite3_column_int64(q, 0));
        lz_pen_addf(pen, LZ_TINT_NONE, "  %s at %s, asked by %s", lz_run_text(q, 2),
                    lz_run_text(q, 1), lz_run_text(q, 4));
        if (sqlite3_column_int64(q, 3) > 0)
            lz_pen_addf(pen, LZ_TINT_NONE, ", status %s", lz_run_text(q, 3));
        lz_pen_end(pen);
    }
    return shown;
}

static void add_value(struct lz_pen *pen, const struct lz_report_run *run,
                      const struct lz_stretch *s, const struct about *a)
{
    struct lz_run_point *points;
    size_t count = lz_run_points(run, a->metric, s->from, s->to, &points);
    double low = HUGE_VAL, high = -HUGE_VAL;
    int64_t samples = 0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, points[i].value);
        high = fmax(high, points[i].value);
        samples += points[i].count;
    }
    char x[48], y[48], n[48];
    lz_pen_add(pen, LZ_TINT_BOLD, a->name);
    if (count == 0)
        lz_pen_add(pen, LZ_TINT_NONE, "  no sample in the last 10s");
    else
        lz_pen_addf(pen, LZ_TINT_NONE, "  %s to %s in the last 10s",
                    lz_format_value(x, sizeof(x), low, a->unit),
                    lz_format_value(y, sizeof(y), high, a->unit));
    if (samples > 0)
        lz_pen_addf(pen, LZ_TINT_DIM, ", %s samples",
                    lz_format_count(n, sizeof(n), (double)samples));
    lz_pen_end(pen);
    free(points);
}

// Of kept requests that ended in the stretch, the slowest, and the phases of all of them.
static bool add_slowest(struct lz_pen *pen, const struct lz_report_run *run,
                        const struct lz_stretch *s)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select r.id, r.ordinal, c.name, r.end_ns - r.intended_ns"
                                 " from request r join component c on c.id = r.traffic"
                                 " where r.spans > 0 and r.end_ns >= ? and r.end_ns <= ?"
                                 " order by 4 desc, r.id limit 1",
                                 s->from, s->to);
    if (!lz_run_next(&q))
        return false;
    int64_t id = sqlite3_column_int64(q, 0);
    char n[32], took[32];
    lz_pen_addf(pen, LZ_TINT_BOLD, "  the slowest of those whose way was kept");
    lz_pen_addf(pen, LZ_TINT_NONE, "  #%s of %s, %s",
                lz_format_count(n, sizeof(n), (double)sqlite3_column_int64(q, 1)),
                lz_run_text(q, 2), lz_format_duration(took, sizeof(took), lz_run_time(q, 3)));
    lz_pen_end(pen);
    lz_run_stop(&q);
    lz_story_waterfall(pen, run, id, ATTEMPTS_SHOWN);
    return true;
}

static void why_metric(struct lz_repl *r, const struct lz_report_run *run, const struct about *a)
{
    lz_time now = lz_tree_now(&r->tree)->at;
    const struct lz_stretch s = {now > WHY_SPAN ? now - WHY_SPAN : 0, now};
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &r->style);
    if (a->metric > 0)
        add_value(&pen, run, &s, a);
    bool is_latency = a->metric > 0 && a->unit == LZ_UNIT_SECONDS;
    int64_t failures = add_failures(&pen, run, &s, a);
    if (failures == 0)
        add_line(&pen, a->metric > 0 ? 2 : 0, "no request has failed in the last 10s");
    if (failures > 0 || a->metric > 0) {
        add_in_force(&pen, run, &s);
        lz_story_events(&pen, run, &s);
    }
    if (failures > 0)
        lz_story_blame(&pen, run, &s);
    if (is_latency)
        add_slowest(&pen, run, &s);
    else if (failures > 0)
        lz_story_request(&pen, run, &s);
    lz_view_say(r, &text);
    lz_str_finish(&text);
}

// ---------------------------------------------------------------- a request

struct kept {
    int64_t id, ordinal, status;
    lz_time from, to;
    char traffic[64], outcome[16];
};

// What "96204", "#96 204" and "shoppers#12" mean.
struct meant {
    char traffic[64]; // "": of any
    int64_t ordinal;
};

static struct meant read_meant(const char *args)
{
    struct meant m = {.traffic = ""};
    char digits[20] = "";
    const char *mark = strchr(args, '#');
    if (mark != NULL)
        snprintf(m.traffic, sizeof(m.traffic), "%.*s", (int)(mark - args), args);
    size_t n = 0;
    for (const char *c = mark != NULL ? mark + 1 : args; *c != '\0'; c++)
        if (*c >= '0' && *c <= '9' && n + 1 < sizeof(digits))
            digits[n++] = *c;
    digits[n] = '\0';
    m.ordinal = strtoll(digits, NULL, 10);
    return m;
}

// How many kept requests are meant.
static size_t find(const struct lz_report_run *run, const struct meant *m, struct kept *all)
{
    size_t count = 0;
    // One that is kept as failed and as slow is one.
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select min(r.id), r.ordinal, r.status, r.intended_ns, r.end_ns,"
                                 " c.name, r.outcome from request r"
                                 " left join component c on c.id = r.traffic"
                                 " where r.ordinal = ? group by r.traffic order by 1",
                                 m->ordinal, 0);
    while (lz_run_next(&q)) {
        if (count == MATCHES_MAX ||
            (m->traffic[0] != '\0' && strcmp(m->traffic, lz_run_text(q, 5)) != 0))
            continue;
        struct kept *k = &all[count++];
        *k = (struct kept){.id = sqlite3_column_int64(q, 0),
                           .ordinal = sqlite3_column_int64(q, 1),
                           .status = sqlite3_column_int64(q, 2),
                           .from = lz_run_time(q, 3),
                           .to = lz_run_time(q, 4)};
        snprintf(k->traffic, sizeof(k->traffic), "%s", lz_run_text(q, 5));
        snprintf(k->outcome, sizeof(k->outcome), "%s", lz_run_text(q, 6));
    }
    return count;
}

static bool is_request(const char *args)
{
    const char *mark = strchr(args, '#');
    const char *digits = mark != NULL ? mark + 1 : args;
    size_t n = strspn(digits, "0123456789 \xe2\x80\x89"); // thin spaces, as they are printed
    return digits[0] >= '0' && digits[0] <= '9' && digits[n] == '\0';
}

static void add_heading(struct lz_pen *pen, const struct kept *k)
{
    char n[32], at[32], took[32];
    lz_pen_addf(pen, LZ_TINT_BOLD, "#%s", lz_format_count(n, sizeof(n), (double)k->ordinal));
    lz_pen_addf(pen, LZ_TINT_NONE, " of %s at %s, %s", k->traffic,
                lz_format_instant(at, sizeof(at), k->from), k->outcome);
    if (k->status > 0)
        lz_pen_addf(pen, LZ_TINT_NONE, " %lld", (long long)k->status);
    lz_pen_addf(pen, LZ_TINT_NONE, " after %s",
                lz_format_duration(took, sizeof(took), k->to - k->from));
    lz_pen_end(pen);
}

static const char *const phases[] = {"connect", "queue", "work", "network", "retry_wait"};
#define PHASES (sizeof(phases) / sizeof(phases[0]))

// "queue 1.21s, work 2ms": the phases that took time, from column `first` of a row.
static void add_phases(struct lz_pen *pen, sqlite3_stmt *q, int first)
{
    bool any = false;
    for (size_t i = 0; i < PHASES; i++) {
        char text[32];
        lz_time took = lz_run_time(q, first + (int)i);
        if (took <= 0)
            continue;
        lz_pen_addf(pen, LZ_TINT_DIM, "%s%s %s", any ? ", " : "",
                    strcmp(phases[i], "retry_wait") == 0 ? "before it" : phases[i],
                    lz_format_duration(text, sizeof(text), took));
        any = true;
    }
}

// Attempt by attempt.
static void add_attempts(struct lz_pen *pen, const struct lz_report_run *run, const struct kept *k)
{
    bool is_narrow = pen->style->width < 60;
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select s.start_ns, s.end_ns - s.start_ns, c.name, s.op, s.attempt, s.outcome, i.ordinal,"
        " s.connect_ns, s.queue_ns, s.work_ns, s.network_ns, s.retry_wait_ns from span s"
        " left join component c on c.id = s.component left join instance i on i.id = s.server"
        " where s.request = ? order by s.start_ns, s.call, s.attempt limit ?",
        k->id, ATTEMPTS_SHOWN);
    while (lz_run_next(&q)) {
        char at[32], took[32], who[96];
        lz_format_duration(at, sizeof(at), lz_run_time(q, 0) - k->from);
        lz_format_duration(took, sizeof(took), lz_run_time(q, 1));
        int64_t server = sqlite3_column_int64(q, 6);
        if (server > 0)
            snprintf(who, sizeof(who), "%s[%lld]", lz_run_text(q, 2), (long long)server);
        else
            snprintf(who, sizeof(who), "%s", lz_run_text(q, 2));
        lz_pen_to(pen, 9 - lz_pen_width(at));
        lz_pen_addf(pen, LZ_TINT_DIM, "%s", at);
        lz_pen_to(pen, 11);
        lz_pen_fit(pen, LZ_TINT_NONE, who, 20);
        lz_pen_to(pen, is_narrow ? pen->column + 1 : 32);
        lz_pen_addf(pen, LZ_TINT_NONE, "try %lld", (long long)sqlite3_column_int64(q, 4));
        lz_pen_to(pen, is_narrow ? pen->column + 1 : 39);
        bool is_ok = strcmp(lz_run_text(q, 5), "ok") == 0;
        lz_pen_add(pen, is_ok ? LZ_TINT_GOOD : LZ_TINT_BAD, lz_run_text(q, 5));
        lz_pen_to(pen, is_narrow ? pen->column + 1 : 48);
        lz_pen_add(pen, LZ_TINT_NONE, took);
        lz_pen_end(pen);
        lz_pen_to(pen, 13);
        add_phases(pen, q, 7);
        lz_pen_end(pen);
    }
}

// Which phase of which component took most of it, by the exclusive times of its attempts.
static void add_shares(struct lz_pen *pen, const struct lz_report_run *run, const struct kept *k)
{
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select sum(t), p, c.name from (select component, connect_ns t, 'connecting to' p"
        " from span where request = ?1 union all select component, queue_ns,"
        " 'waiting at' from span where request = ?1 union all select component, work_ns,"
        " 'worked on in' from span where request = ?1 union all select component,"
        " network_ns, 'on the network to' from span where request = ?1 union all select"
        " component, retry_wait_ns, 'waiting to try again' from span where request = ?1)"
        " left join component c on c.id = component group by 2, 3 having sum(t) > 0"
        " order by 1 desc, 2, 3 limit ?2",
        k->id, 5);
    bool any = false;
    while (lz_run_next(&q)) {
        char took[32];
        if (!any)
            add_line(pen, 2, "what its time went into");
        any = true;
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_BOLD, "%s",
                    lz_format_duration(took, sizeof(took), lz_run_time(q, 0)));
        lz_pen_to(pen, 13);
        lz_pen_addf(pen, LZ_TINT_NONE, "%s %s", lz_run_text(q, 1), lz_run_text(q, 2));
        lz_pen_end(pen);
    }
}

// Those that are meant and were kept. False: none was.
static bool say_kept(struct lz_repl *r, const struct lz_report_run *run, const struct meant *m,
                     bool is_why)
{
    struct kept all[MATCHES_MAX];
    size_t count = find(run, m, all);
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &r->style);
    for (size_t i = 0; i < count; i++) {
        const struct kept *k = &all[i];
        add_heading(&pen, k);
        lz_story_waterfall(&pen, run, k->id, ATTEMPTS_SHOWN);
        if (!is_why) {
            add_attempts(&pen, run, k);
            continue;
        }
        const struct lz_stretch s = {k->from, k->to > k->from ? k->to : k->from + 1};
        add_shares(&pen, run, k);
        add_in_force(&pen, run, &s);
        lz_story_events(&pen, run, &s);
    }
    if (count > 0)
        lz_view_say(r, &text);
    lz_str_finish(&text);
    return count > 0;
}

// One that was not kept, as it is when the run takes place again.
static void say_again(struct lz_repl *r, const struct meant *m, bool is_why)
{
    struct lz_view_record v = {.run = NULL};
    struct lz_retrace_request what = {m->traffic, (uint64_t)m->ordinal};
    struct lz_err err;
    char n[32];
    lz_str_init(&v.image);
    enum lz_retrace_end end = lz_retrace(&r->tree, &what, &v.image);
    lz_format_count(n, sizeof(n), (double)m->ordinal);
    if (end == LZ_RETRACE_PENDING)
        lz_repl_say(r, "#%s of %s has not ended yet: .run goes on", n, m->traffic);
    else if (end == LZ_RETRACE_FAILED)
        lz_repl_say(r, "error: #%s of %s cannot be seen again: %s", n, m->traffic, v.image.text);
    else if (!lz_report_open((const unsigned char *)v.image.text, v.image.len, &v.run, &err))
        lz_repl_say(r, "error: %s", err.msg);
    else if (say_kept(r, v.run, m, is_why))
        lz_repl_say(r, "  its way was not kept; that part of the run took place again to see it");
    lz_report_close(v.run);
    lz_str_finish(&v.image);
}

// Of every traffic that is meant and has sent so many.
static void say_unkept(struct lz_repl *r, const struct meant *m, bool is_why)
{
    struct lz_retrace_traffic all[LZ_RETRACE_TRAFFICS];
    uint32_t count = lz_retrace_traffics(&r->tree, all), shown = 0, known = 0;
    char n[32], sent[32];
    if (count == UINT32_MAX) {
        lz_repl_gone(r);
        return;
    }
    lz_format_count(n, sizeof(n), (double)m->ordinal);
    for (uint32_t i = 0; i < count; i++) {
        if (m->traffic[0] != '\0' && strcmp(m->traffic, all[i].name) != 0)
            continue;
        known++;
        if (m->ordinal < 1 || all[i].sent < (uint64_t)m->ordinal || shown == MATCHES_MAX)
            continue;
        struct meant one = {.ordinal = m->ordinal};
        snprintf(one.traffic, sizeof(one.traffic), "%s", all[i].name);
        say_again(r, &one, is_why);
        shown++;
    }
    if (known == 0)
        lz_repl_say(r, "error: there is no traffic \"%s\"", m->traffic);
    for (uint32_t i = 0; i < count && shown == 0; i++)
        if (m->traffic[0] == '\0' || strcmp(m->traffic, all[i].name) == 0)
            lz_repl_say(r, "error: there is no request %s: %s has sent %s so far", n, all[i].name,
                        lz_format_count(sent, sizeof(sent), (double)all[i].sent));
}

static void say_request(struct lz_repl *r, const struct lz_report_run *run, const char *args,
                        bool is_why)
{
    const struct meant m = read_meant(args);
    if (!say_kept(r, run, &m, is_why))
        say_unkept(r, &m, is_why);
}

// ---------------------------------------------------------------- commands

// An expression for a metric as the record has it; false: said what is wrong.
static bool resolve(struct lz_repl *r, const char *args, const struct lz_report_run *run,
                    struct about *a)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_str_add(&text, args);
    struct lz_pipe_message m = {.kind = LZ_PIPE_METRIC};
    bool is_alive = lz_tree_ask(&r->tree, &m, &text);
    if (!is_alive)
        lz_repl_gone(r);
    else if (m.kind != LZ_PIPE_OK)
        lz_repl_error(r, text.text);
    lz_str_finish(&text);
    if (!is_alive || m.kind != LZ_PIPE_OK)
        return false;
    sqlite3_stmt *q =
        lz_run_ask(run, "select component, unit from metric where id = ?", (int64_t)m.count, 0);
    a->metric = (int64_t)m.count;
    snprintf(a->name, sizeof(a->name), "%s", args);
    if (lz_run_next(&q)) {
        a->component = sqlite3_column_int64(q, 0);
        a->unit = lz_run_unit(q, 1);
    }
    lz_run_stop(&q);
    return true;
}

void lz_views_why(struct lz_repl *r, const char *args)
{
    struct lz_view_record v;
    struct about a = {0};
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    if (is_request(args))
        say_request(r, v.run, args, true);
    else if (args[0] == '\0' || resolve(r, args, v.run, &a))
        why_metric(r, v.run, &a);
    lz_view_close(&v);
}

void lz_views_trace(struct lz_repl *r, const char *args)
{
    struct lz_view_record v;
    if (!is_request(args)) {
        lz_repl_say(r, "error: .trace N, the number of a request from 1; `requests` lists some");
        return;
    }
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    say_request(r, v.run, args, false);
    lz_view_close(&v);
}
