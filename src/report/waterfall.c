#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/format.h"
#include "report/block.h"
#include "report/paint.h"

#define NAME 20
#define SPANS_SHOWN 8

static void bar(struct lz_str *out, const struct lz_report_style *style, int from, int to,
                int queued_to)
{
    lz_str_add_repeat(out, " ", (size_t)from);
    for (int c = from; c < to; c++)
        lz_str_add(out, lz_paint_symbol(style, c < queued_to ? LZ_SYM_LIGHT : LZ_SYM_FULL));
}

// What happened in a span, in a few words: the outcome, and its longest wait.
static void tail(struct lz_str *out, sqlite3_stmt *st)
{
    char took[32], waited[32];
    lz_format_duration(took, sizeof(took),
                       sqlite3_column_int64(st, 3) - sqlite3_column_int64(st, 2));
    lz_str_addf(out, " %s %s", took, lz_report_text(st, 4));
    int64_t queue = sqlite3_column_int64(st, 5), connect = sqlite3_column_int64(st, 6);
    if (queue > 0) {
        lz_format_duration(waited, sizeof(waited), queue);
        lz_str_addf(out, ", %s in queue", waited);
    } else if (connect > 0) {
        lz_format_duration(waited, sizeof(waited), connect);
        lz_str_addf(out, ", %s connecting", waited);
    }
}

static void span_line(struct lz_str *out, const struct lz_report_style *style, sqlite3_stmt *st,
                      int64_t begin, int64_t end)
{
    struct lz_str text;
    lz_str_init(&text);
    int columns = style->width - NAME - 4 - 30;
    if (columns < 10)
        columns = 10;
    int64_t start = sqlite3_column_int64(st, 2), stop = sqlite3_column_int64(st, 3);
    double scale = (double)columns / (double)(end > begin ? end - begin : 1);
    int from = (int)((double)(start - begin) * scale), to = (int)((double)(stop - begin) * scale);
    if (from >= columns)
        from = columns - 1;
    if (to <= from)
        to = from + 1;
    int queued = from + (int)((double)sqlite3_column_int64(st, 5) * scale);
    char name[120];
    int64_t attempt = sqlite3_column_int64(st, 1);
    if (attempt > 1)
        snprintf(name, sizeof(name), "%s #%" PRId64, lz_report_text(st, 0), attempt);
    else
        snprintf(name, sizeof(name), "%s", lz_report_text(st, 0));
    lz_str_add(&text, "    ");
    lz_paint_cell(&text, style, name, NAME);
    bar(&text, style, from, to, queued);
    tail(&text, st);
    lz_paint_cut(out, style, text.text, style->width);
    lz_str_add_char(out, '\n');
    lz_str_finish(&text);
}

void lz_report_waterfall(struct lz_str *out, const struct lz_report_style *style,
                         const struct lz_report_run *run, int64_t request)
{
    sqlite3_stmt *st = lz_report_ask(
        run, "SELECT ordinal, intended_ns, end_ns, outcome, status FROM request WHERE id = ?", 1,
        &request);
    if (sqlite3_step(st) != SQLITE_ROW) {
        sqlite3_finalize(st);
        return;
    }
    int64_t begin = sqlite3_column_int64(st, 1), end = sqlite3_column_int64(st, 2);
    char at[32], took[32];
    lz_format_instant(at, sizeof(at), begin);
    lz_format_duration(took, sizeof(took), end - begin);
    char head[160];
    snprintf(head, sizeof(head), "  one of them   request %lld at %s, %s (%d) after %s",
             (long long)sqlite3_column_int64(st, 0), at, lz_report_text(st, 3),
             sqlite3_column_int(st, 4), took);
    lz_str_add_char(out, '\n');
    lz_paint_cut(out, style, head, style->width);
    lz_str_add_char(out, '\n');
    sqlite3_finalize(st);
    st = lz_report_ask(run,
                       "SELECT c.name, s.attempt, s.start_ns, s.end_ns, s.outcome, s.queue_ns,"
                       " s.connect_ns FROM span s JOIN component c ON c.id = s.component"
                       " WHERE s.request = ? ORDER BY s.start_ns, s.call, s.attempt",
                       1, &request);
    int shown = 0;
    while (sqlite3_step(st) == SQLITE_ROW && shown++ < SPANS_SHOWN)
        span_line(out, style, st, begin, end);
    sqlite3_finalize(st);
}
