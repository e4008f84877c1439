// "one of them": where one failed request was, attempt by attempt. A bar stands under
// the time it took of its request's life; it is shaded if most of it was waiting.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/story.h"

#define ROWS_MAX 9
#define NAME_MAX 18
#define NOTE_ROOM 18
#define BARS_MAX 46
#define BARS_MIN 8

struct bar {
    char name[64], outcome[16];
    int64_t status;
    lz_time start, end, queue;
};

struct kept {
    int64_t id, ordinal, status;
    lz_time intended, end;
    char traffic[64], outcome[16];
};

// The one that took longest of those that ended in the stretch: it has most to tell.
static bool find_kept(const struct lz_report_run *run, const struct lz_stretch *s, struct kept *k)
{
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select r.id, ordinal, status, intended_ns, end_ns, c.name, outcome from request r"
        " left join component c on c.id = r.traffic"
        " where kept_as <> 'random' and outcome <> 'ok' and end_ns >= ? and end_ns < ? and spans > "
        "0"
        " order by end_ns - intended_ns desc, end_ns, r.id limit 1",
        s->from, s->to);
    if (!lz_run_next(&q))
        return false;
    *k = (struct kept){
        .id = sqlite3_column_int64(q, 0),
        .ordinal = sqlite3_column_int64(q, 1),
        .status = sqlite3_column_int64(q, 2),
        .intended = lz_run_time(q, 3),
        .end = lz_run_time(q, 4),
    };
    snprintf(k->traffic, sizeof(k->traffic), "%s", lz_run_text(q, 5));
    snprintf(k->outcome, sizeof(k->outcome), "%s", lz_run_text(q, 6));
    lz_run_stop(&q);
    return k->end >= k->intended && k->intended >= 0;
}

static size_t read_bars(const struct lz_report_run *run, const struct kept *k, struct bar *bars,
                        size_t rows, size_t *total)
{
    size_t count = 0;
    *total = 0;
    sqlite3_stmt *q =
        lz_run_ask(run,
                   "select c.name, outcome, status, start_ns, end_ns, queue_ns, call, attempt"
                   " from span s left join component c on c.id = s.component where request = ?1"
                   " union all select c.name || ' ' || m.kind, outcome, 0, start_ns, end_ns, 0,"
                   " call, 1000 + m.rowid from message m left join component c on c.id ="
                   " m.component where request = ?1 order by 4, 7, 8",
                   k->id, 0);
    while (lz_run_next(&q)) {
        if ((*total)++ >= rows)
            continue;
        struct bar *b = &bars[count++];
        *b = (struct bar){
            .status = sqlite3_column_int64(q, 2),
            .start = lz_run_time(q, 3),
            .end = lz_run_time(q, 4),
            .queue = lz_run_time(q, 5),
        };
        snprintf(b->name, sizeof(b->name), "%s", lz_run_text(q, 0));
        snprintf(b->outcome, sizeof(b->outcome), "%s", lz_run_text(q, 1));
    }
    return count;
}

// What others did with what it has written may have ended later than itself.
static lz_time last_end(const struct lz_report_run *run, const struct kept *k)
{
    sqlite3_stmt *q =
        lz_run_ask(run, "select max(end_ns) from message where request = ?", k->id, 0);
    lz_time last = lz_run_next(&q) ? lz_run_time(q, 0) : 0;
    lz_run_stop(&q);
    return last > k->end ? last : k->end;
}

static void write_heading(struct lz_pen *pen, const struct kept *k)
{
    char n[32], at[32], after[32];
    lz_format_count(n, sizeof(n), (double)k->ordinal);
    lz_format_instant(at, sizeof(at), k->intended);
    lz_format_duration(after, sizeof(after), k->end - k->intended);
    lz_pen_to(pen, LZ_STORY_INDENT - 2);
    lz_pen_add(pen, LZ_TINT_BOLD, "one of them");
    lz_pen_addf(pen, LZ_TINT_NONE, "  #%s of %s at %s, %s", n, k->traffic, at, k->outcome);
    if (k->status > 0)
        lz_pen_addf(pen, LZ_TINT_NONE, " %lld", (long long)k->status);
    lz_pen_addf(pen, LZ_TINT_NONE, " after %s", after);
    lz_pen_end(pen);
}

// "2s timeout", "1.21s in queue", "12ms".
static void write_note(struct lz_pen *pen, const struct bar *b)
{
    char took[32];
    bool waited = b->queue * 2 > b->end - b->start;
    bool is_odd = strcmp(b->outcome, "ok") != 0 && strcmp(b->outcome, "pending") != 0;
    lz_format_duration(took, sizeof(took), waited && !is_odd ? b->queue : b->end - b->start);
    lz_pen_addf(pen, LZ_TINT_NONE, " %s", took);
    if (is_odd && strcmp(b->outcome, "error") == 0 && b->status > 0)
        lz_pen_addf(pen, LZ_TINT_BAD, " error %lld", (long long)b->status);
    else if (is_odd)
        lz_pen_addf(pen, LZ_TINT_BAD, " %s", b->outcome);
    else if (waited)
        lz_pen_add(pen, LZ_TINT_NONE, " in queue");
    else if (strcmp(b->outcome, "pending") == 0)
        lz_pen_add(pen, LZ_TINT_DIM, " given up on");
}

static void write_bar(struct lz_pen *pen, const struct kept *k, const struct bar *b, int name_width,
                      int room)
{
    LZ_ASSERT(room >= BARS_MIN);
    double life = (double)(k->end > k->intended ? k->end - k->intended : 1);
    int first = (int)((double)(b->start - k->intended) / life * room);
    int last = (int)((double)(b->end - k->intended) / life * room + 0.5);
    first = first < 0 ? 0 : first > room - 1 ? room - 1 : first;
    last = last > room ? room : last <= first ? first + 1 : last;
    bool waited = b->queue * 2 > b->end - b->start;
    int at = LZ_STORY_INDENT + name_width + 1;
    lz_pen_to(pen, LZ_STORY_INDENT);
    lz_pen_fit(pen, LZ_TINT_NONE, b->name, name_width);
    lz_pen_to(pen, at + first);
    lz_pen_draw(pen, LZ_TINT_DIM, LZ_GLYPH_BAR_OPEN, 1);
    lz_pen_draw(pen, waited ? LZ_TINT_DOUBT : LZ_TINT_NONE,
                waited ? LZ_GLYPH_WAITING : LZ_GLYPH_BUSY, last - first);
    lz_pen_draw(pen, LZ_TINT_DIM, LZ_GLYPH_BAR_CLOSE, 1);
    write_note(pen, b);
    lz_pen_end(pen);
}

static void write_bars(struct lz_pen *pen, const struct lz_report_run *run, const struct kept *k,
                       size_t rows)
{
    size_t total;
    struct bar *bars = lz_mem_alloc(rows * sizeof(bars[0]));
    size_t count = read_bars(run, k, bars, rows, &total);
    int name_width = 0;
    for (size_t i = 0; i < count; i++) {
        int width = lz_pen_width(bars[i].name);
        name_width = width > name_width ? width : name_width;
    }
    int widest = pen->style->width < 60 ? NAME_MAX / 2 : NAME_MAX;
    name_width = name_width < widest ? name_width : widest;
    int room = pen->style->width - LZ_STORY_INDENT - name_width - 3 - NOTE_ROOM;
    room = room > BARS_MAX ? BARS_MAX : room < BARS_MIN ? BARS_MIN : room;
    for (size_t i = 0; i < count; i++)
        write_bar(pen, k, &bars[i], name_width, room);
    if (count < total) {
        lz_pen_to(pen, LZ_STORY_INDENT);
        lz_pen_addf(pen, LZ_TINT_DIM, "and %zu more attempts", total - count);
        lz_pen_end(pen);
    }
    free(bars);
}

void lz_story_request(struct lz_pen *pen, const struct lz_report_run *run,
                      const struct lz_stretch *s)
{
    LZ_ASSERT(pen->column == 0);
    struct kept k;
    if (!find_kept(run, s, &k))
        return;
    write_heading(pen, &k);
    k.end = last_end(run, &k);
    write_bars(pen, run, &k, ROWS_MAX);
    lz_pen_end(pen);
}

void lz_story_waterfall(struct lz_pen *pen, const struct lz_report_run *run, int64_t id,
                        size_t rows)
{
    LZ_ASSERT(pen->column == 0 && rows > 0);
    sqlite3_stmt *q =
        lz_run_ask(run, "select intended_ns, end_ns from request where id = ?", id, 0);
    if (!lz_run_next(&q))
        return;
    struct kept k = {.id = id, .intended = lz_run_time(q, 0), .end = lz_run_time(q, 1)};
    lz_run_stop(&q);
    k.end = last_end(run, &k);
    if (k.end >= k.intended && k.intended >= 0)
        write_bars(pen, run, &k, rows);
}
