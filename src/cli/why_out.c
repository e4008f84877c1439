#include "cli/why_out.h"

#include <inttypes.h>
#include <string.h>

#include "check/format.h"
#include "explore/certain.h"
#include "report/json.h"

#define BAR_WIDTH 30
#define AROUND_NS INT64_C(1000000000) // events that are told lie this close to the step

static void write_points(struct lz_pen *pen, const struct lz_why *w)
{
    lz_pen_to(pen, 2);
    lz_pen_add(pen, LZ_TINT_BOLD, "another future from   fails");
    lz_pen_end(pen);
    for (size_t i = 0; i < w->count; i++) {
        const struct lz_why_point *p = &w->points[i];
        char at[40];
        if (p->futures == 0)
            continue;
        double share = (double)p->failed / (double)p->futures;
        lz_pen_to(pen, 2);
        lz_pen_addf(pen, LZ_TINT_NONE, "%19s   %4.0f %%  ",
                    lz_format_instant(at, sizeof(at), p->at), 100.0 * share);
        lz_pen_draw(pen, share < LZ_WHY_CERTAIN ? LZ_TINT_NONE : LZ_TINT_BAD, LZ_GLYPH_BUSY,
                    (int)(share * BAR_WIDTH + 0.5));
        lz_pen_end(pen);
    }
}

static void write_events(struct lz_pen *pen, const struct lz_report_run *run,
                         const struct lz_why *w)
{
    int64_t from = w->open, to = w->decided;
    bool has_draw = w->together == 1;
    size_t shown = 0;
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select at_ns, text, line from event where at_ns >= ? and"
                                 " at_ns <= ? order by seq limit 12",
                                 from - AROUND_NS, to + AROUND_NS);
    while (lz_run_next(&q)) {
        char at[40];
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_NONE, "%-12s  %s",
                    lz_format_instant(at, sizeof(at), lz_run_time(q, 0)), lz_run_text(q, 1));
        if (sqlite3_column_int64(q, 2) > 0)
            lz_pen_addf(pen, LZ_TINT_DIM, "   line %" PRId64, (int64_t)sqlite3_column_int64(q, 2));
        lz_pen_end(pen);
        shown++;
    }
    if (shown > 0 || has_draw)
        return;
    lz_pen_to(pen, 4);
    lz_pen_add(pen, LZ_TINT_NONE,
               "nothing is in the journal then: it was requests' own chance "
               "(arrivals, work, losses)");
    lz_pen_end(pen);
}

// "the draw users/1508/users>web/1 whether it is an error #0 = 0.0004"
static void write_draw(struct lz_pen *pen, const struct lz_why *w)
{
    const struct lz_why_draw *d = &w->draw;
    if (w->draws == 0)
        return;
    lz_pen_to(pen, 4);
    if (w->together != 1) {
        if (w->together > 0)
            lz_pen_addf(pen, LZ_TINT_NONE, "%zu of the %zu draws made then decided it together",
                        w->together, w->draws);
        else
            lz_pen_addf(pen, LZ_TINT_NONE, "not one of the %zu draws made then", w->draws);
        lz_pen_end(pen);
        return;
    }
    struct lz_str text;
    lz_str_init(&text);
    lz_str_addf(&text, "the draw %s %s #%" PRIu64, d->owner, d->purpose, d->counter);
    if (d->value[0] != '\0')
        lz_str_addf(&text, " = %s", d->value);
    lz_pen_wrap(pen, LZ_TINT_BOLD, text.text, 4);
    lz_str_clear(&text);
    lz_str_addf(&text,
                "drawn anew by itself, all before it as it was: %" PRIu64 " of %" PRIu64 " fail",
                d->anew.failed, d->anew.futures);
    lz_pen_wrap(pen, LZ_TINT_NONE, text.text, 4);
    lz_str_finish(&text);
}

// "decided at 4m11.203118s by answer at db[2]"
static void write_moment(struct lz_pen *pen, const struct lz_why *w)
{
    if (!w->has_moment)
        return;
    lz_pen_to(pen, 2);
    lz_pen_addf(pen, LZ_TINT_BOLD, "decided at %.9gs by", (double)w->moment / 1e9);
    for (size_t i = 0; i < w->fired_count; i++)
        lz_pen_addf(pen, LZ_TINT_NONE, "%s %s%s%s", i > 0 ? "," : "", w->fired[i].kind,
                    w->fired[i].where[0] != '\0' ? " at " : "", w->fired[i].where);
    if (w->fired_total > w->fired_count)
        lz_pen_addf(pen, LZ_TINT_DIM, " and %zu more", w->fired_total - w->fired_count);
    lz_pen_end(pen);
    write_draw(pen, w);
}

// "without latency web -> db at 2s (line 5)   0 of 20 fail", of those that change it.
static size_t write_faults(struct lz_pen *pen, const struct lz_report_run *run,
                           const struct lz_why *w)
{
    size_t i = 0, shown = 0;
    sqlite3_stmt *q = lz_run_ask(run, "select name, at_ns, line from fault order by id", 0, 0);
    while (lz_run_next(&q)) {
        const struct lz_why_point *p = i < w->without_count ? &w->without[i] : NULL;
        char at[40];
        i++;
        if (p == NULL || p->futures == 0 ||
            (double)p->failed >= LZ_WHY_CERTAIN * (double)p->futures)
            continue;
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_NONE, "without %s at %s, line %" PRId64, lz_run_text(q, 0),
                    lz_format_instant(at, sizeof(at), lz_run_time(q, 1)),
                    (int64_t)sqlite3_column_int64(q, 2));
        lz_pen_addf(pen, LZ_TINT_BOLD, ": %" PRIu64 " of %" PRIu64 " fail", p->failed, p->futures);
        lz_pen_end(pen);
        shown++;
    }
    return shown;
}

// Of a run that was never open.
static void write_start(struct lz_pen *pen, const struct lz_report_run *run, const struct lz_why *w)
{
    if (w->has_moment) {
        lz_pen_wrap(pen, LZ_TINT_BOLD,
                    "It was decided as the world was built, before anything happened.", 2);
        write_draw(pen, w);
        return;
    }
    lz_pen_wrap(pen, LZ_TINT_BOLD,
                "It was bound to happen from the start: no chance decides it. What is scheduled "
                "does.",
                2);
    if (write_faults(pen, run, w) > 0)
        return;
    lz_pen_to(pen, 2);
    if (w->without_count > 0)
        lz_pen_wrap(pen, LZ_TINT_NONE,
                    "Without any one of the faults it fails too; `lorenz shrink` says which of "
                    "all it takes.",
                    2);
    else
        lz_pen_wrap(pen, LZ_TINT_NONE,
                    "There is no fault: it is what the system does by itself; `lorenz shrink` says "
                    "what of it takes part.",
                    2);
}

void lz_why_out_text(struct lz_pen *pen, const struct lz_report_run *run, const struct lz_why *why)
{
    char from[40], to[40];
    write_points(pen, why);
    lz_pen_end(pen);
    lz_pen_to(pen, 2);
    if (!why->has_step) {
        write_start(pen, run, why);
        return;
    }
    lz_pen_addf(pen, LZ_TINT_BOLD, "bound to happen after %s, still open at %s",
                lz_format_instant(to, sizeof(to), why->decided),
                lz_format_instant(from, sizeof(from), why->open));
    lz_pen_end(pen);
    write_moment(pen, why);
    write_events(pen, run, why);
}

static void add_draw(const struct lz_why *w, struct lz_str *out)
{
    const struct lz_why_draw *d = &w->draw;
    lz_str_addf(out, ",\"draws\":%zu,\"together\":%zu,\"draw\":", w->draws, w->together);
    if (w->together != 1) {
        lz_str_add(out, "null");
        return;
    }
    lz_str_add(out, "{\"owner\":");
    lz_json_string(out, d->owner);
    lz_str_add(out, ",\"purpose\":");
    lz_json_string(out, d->purpose);
    lz_str_addf(out, ",\"counter\":%" PRIu64 ",\"value\":", d->counter);
    lz_json_string(out, d->value);
    lz_str_addf(out, ",\"futures\":%" PRIu64 ",\"failed\":%" PRIu64 "}", d->anew.futures,
                d->anew.failed);
}

static void add_faults(const struct lz_report_run *run, const struct lz_why *w, struct lz_str *out)
{
    size_t i = 0;
    lz_str_add(out, ",\"without\":[");
    sqlite3_stmt *q = lz_run_ask(run, "select name, at_ns, line from fault order by id", 0, 0);
    while (lz_run_next(&q)) {
        if (i == w->without_count)
            continue;
        lz_str_add(out, i > 0 ? ",{\"fault\":" : "{\"fault\":");
        lz_json_string(out, lz_run_text(q, 0));
        lz_str_addf(out,
                    ",\"at_ns\":%" PRId64 ",\"line\":%" PRId64 ",\"futures\":%" PRIu64
                    ",\"failed\":%" PRIu64 "}",
                    lz_run_time(q, 1), (int64_t)sqlite3_column_int64(q, 2), w->without[i].futures,
                    w->without[i].failed);
        i++;
    }
    lz_str_add(out, "]");
}

static void add_curve(const struct lz_why *w, struct lz_str *out)
{
    lz_str_add(out, ",\"curve\":[");
    for (size_t i = 0; i < w->count; i++) {
        const struct lz_why_point *p = &w->points[i];
        struct lz_certain_interval in = {0.0, 1.0};
        if (p->futures > 0)
            in = lz_certain_interval(p->futures, p->failed, 0.95);
        lz_str_addf(out,
                    "%s\n{\"at_ns\":%" PRId64 ",\"futures\":%" PRIu64 ",\"failed\":%" PRIu64
                    ",\"low\":",
                    i > 0 ? "," : "", p->at, p->futures, p->failed);
        lz_json_number(out, in.low);
        lz_str_add(out, ",\"high\":");
        lz_json_number(out, in.high);
        lz_str_add(out, "}");
    }
    lz_str_add(out, "\n]}\n");
}

void lz_why_out_json(const struct lz_report_run *run, const struct lz_run_expectation *e,
                     const struct lz_why *w, struct lz_str *out)
{
    lz_str_add(out, "{\"schema\":\"lorenz.why/1\",\"file\":");
    lz_json_string(out, run->file);
    lz_str_addf(out, ",\"seed\":%" PRIu64 ",\"expectation\":", run->seed);
    lz_json_string(out, e->name);
    lz_str_add(out, ",\"open_ns\":");
    lz_json_number(out, w->has_step ? (double)w->open : (double)0);
    lz_str_addf(out, ",\"decided_ns\":%" PRId64 ",\"has_step\":%s,\"moment_ns\":",
                w->has_step ? w->decided : 0, w->has_step ? "true" : "false");
    if (w->has_moment)
        lz_str_addf(out, "%" PRId64, w->moment);
    else
        lz_str_add(out, "null");
    add_draw(w, out);
    add_faults(run, w, out);
    add_curve(w, out);
}
