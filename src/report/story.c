#include "report/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/format.h"

#define EVENTS_SHOWN 8
#define EVENTS_READ 4000
#define BEFORE (10 * LZ_S) // what led to it
#define ALIKE_WITHIN LZ_S  // the same again so soon is one line
#define WHO_MAX 20
#define BLAME_SHOWN 4
#define TEXT_MAX 160

struct happening {
    lz_time at;
    char kind[24], who[64], text[TEXT_MAX];
    int64_t line;
    int rank;  // the lower the more telling
    int alike; // how many it stands for
    size_t order;
};

// What a reader looks for first. Faults and what the system decided, then what broke,
// then who was thought alive.
static int rank_of(const char *kind)
{
    static const char *const telling[] = {
        "fault", "fault_end", "declared_dead", "promoted", "lost_acks", "mark", "log"};
    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
        if (strcmp(kind, telling[i]) == 0)
            return 0;
    return strcmp(kind, "out") == 0 || strcmp(kind, "in") == 0 ? 2 : 1;
}

// The journal's texts begin with who; here that is a column of its own.
static void read_happening(sqlite3_stmt *q, struct happening *h)
{
    const char *component = lz_run_text(q, 3), *text = lz_run_text(q, 2);
    size_t len = strlen(component);
    *h = (struct happening){.at = lz_run_time(q, 0), .alike = 1};
    snprintf(h->kind, sizeof(h->kind), "%s", lz_run_text(q, 1));
    bool has_who =
        len > 0 && strncmp(text, component, len) == 0 && (text[len] == ' ' || text[len] == '[');
    if (has_who) {
        size_t who = len + strcspn(text + len, " ");
        snprintf(h->who, sizeof(h->who), "%.*s", (int)who, text);
        text += who + strspn(text + who, " ");
    } else {
        bool is_fault = strncmp(h->kind, "fault", 5) == 0;
        snprintf(h->who, sizeof(h->who), "%s", len > 0 ? component : is_fault ? "fault" : h->kind);
    }
    snprintf(h->text, sizeof(h->text), "%s", text);
    h->line = sqlite3_column_int64(q, 4);
    h->rank = rank_of(h->kind);
}

// "web[1]" and "web[2]" are the same component.
static bool is_alike(const struct happening *a, const struct happening *b)
{
    size_t len = strcspn(a->who, "[");
    return b->at - a->at < ALIKE_WITHIN && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->text, b->text) == 0 && strncmp(a->who, b->who, len) == 0 &&
           strcspn(b->who, "[") == len;
}

static size_t read_happenings(const struct lz_report_run *run, lz_time from, lz_time to,
                              struct happening *all)
{
    size_t count = 0;
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select at_ns, e.kind, text, c.name, e.line from event e"
                                 " left join component c on c.id = e.component"
                                 " where at_ns >= ? and at_ns <= ? order by seq",
                                 from, to);
    while (lz_run_next(&q)) {
        struct happening h;
        read_happening(q, &h);
        size_t i = count;
        while (i > 0 && h.at - all[i - 1].at < ALIKE_WITHIN && !is_alike(&all[i - 1], &h))
            i--;
        if (i > 0 && is_alike(&all[i - 1], &h)) {
            all[i - 1].alike++;
            all[i - 1].who[strcspn(all[i - 1].who, "[")] = '\0';
            continue;
        }
        h.order = count;
        all[count++] = h;
        if (count == EVENTS_READ)
            lz_run_stop(&q);
    }
    return count;
}

static int by_rank(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return ((const struct happening *)a)->rank - ((const struct happening *)b)->rank;
}

static int by_order(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    size_t x = ((const struct happening *)a)->order, y = ((const struct happening *)b)->order;
    return x < y ? -1 : x > y;
}

// "4m00.130s": instants under each other have the same number of places.
static void write_instant(char *out, size_t size, lz_time t)
{
    long long ms = t / LZ_MS, minutes = ms / 60000;
    if (minutes >= 60)
        snprintf(out, size, "%lldh%02lldm%02lld.%03llds", minutes / 60, minutes % 60,
                 ms % 60000 / 1000, ms % 1000);
    else if (minutes > 0)
        snprintf(out, size, "%lldm%02lld.%03llds", minutes, ms % 60000 / 1000, ms % 1000);
    else
        snprintf(out, size, "%lld.%03llds", ms / 1000, ms % 1000);
}

static void write_happening(struct lz_pen *pen, const struct happening *h, int at_width,
                            int who_width)
{
    char at[32], line[32] = "";
    write_instant(at, sizeof(at), h->at);
    if (h->line > 0)
        snprintf(line, sizeof(line), "line %lld", (long long)h->line);
    lz_pen_to(pen, LZ_STORY_INDENT + at_width - (int)strlen(at));
    lz_pen_add(pen, LZ_TINT_DIM, at);
    int who_at = LZ_STORY_INDENT + at_width + 2;
    lz_pen_to(pen, who_at);
    lz_pen_fit(pen, h->rank == 0 ? LZ_TINT_BOLD : LZ_TINT_NONE, h->who, who_width);
    lz_pen_to(pen, who_at + who_width + 2);

    int room = lz_pen_room(pen);
    int line_at = pen->style->width - (int)strlen(line);
    bool has_line = line[0] != '\0' && room > 24;
    char text[TEXT_MAX + 32];
    if (h->alike > 1)
        snprintf(text, sizeof(text), "%s (%d times)", h->text, h->alike);
    else
        snprintf(text, sizeof(text), "%s", h->text);
    lz_pen_fit(pen, LZ_TINT_NONE, text, has_line ? room - (int)strlen(line) - 2 : room);
    if (has_line) {
        lz_pen_to(pen, line_at);
        lz_pen_add(pen, LZ_TINT_DIM, line);
    }
    lz_pen_end(pen);
}

static void write_heading(struct lz_pen *pen, const char *text)
{
    lz_pen_to(pen, LZ_STORY_INDENT - 2);
    lz_pen_add(pen, LZ_TINT_BOLD, text);
}

void lz_story_events(struct lz_pen *pen, const struct lz_report_run *run,
                     const struct lz_stretch *s)
{
    LZ_ASSERT(pen->column == 0);
    struct happening *all = lz_mem_alloc(EVENTS_READ * sizeof(*all));
    lz_time from = s->from > BEFORE ? s->from - BEFORE : 0;
    size_t count = read_happenings(run, from, s->to, all), shown = count;
    if (count > EVENTS_SHOWN) {
        lz_sort(all, count, sizeof(*all), by_rank, NULL);
        shown = EVENTS_SHOWN;
        lz_sort(all, shown, sizeof(*all), by_order, NULL);
    }
    int at_width = 0, who_width = 0;
    for (size_t i = 0; i < shown; i++) {
        char at[32];
        write_instant(at, sizeof(at), all[i].at);
        at_width = (int)strlen(at) > at_width ? (int)strlen(at) : at_width;
        who_width = lz_pen_width(all[i].who) > who_width ? lz_pen_width(all[i].who) : who_width;
    }
    who_width = who_width < WHO_MAX ? who_width : WHO_MAX;
    if (count > 0) {
        write_heading(pen, "around it");
        if (shown < count)
            lz_pen_addf(pen, LZ_TINT_DIM, " (%zu of %zu events)", shown, count);
        lz_pen_end(pen);
    }
    for (size_t i = 0; i < shown; i++)
        write_happening(pen, &all[i], at_width, who_width);
    if (count > 0)
        lz_pen_end(pen);
    free(all);
}

struct blame {
    char component[64], kind[24], phase[24];
    double ns;
};

// A counter's growth over the windows that begin in the stretch, from what it was before.
static double growth(const struct lz_report_run *run, int64_t metric, const struct lz_stretch *s)
{
    struct lz_run_point *points;
    size_t count = lz_run_points(run, metric, 0, s->to, &points);
    double before = 0.0, after = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (points[i].start + points[i].width <= s->from)
            before = points[i].value;
        after = points[i].value;
    }
    free(points);
    return after - before;
}

static size_t read_blame(const struct lz_report_run *run, const struct lz_stretch *s,
                         struct blame *all, size_t max, double *total)
{
    size_t count = 0;
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select m.id, substr(m.name, 8), c.name, c.kind from metric m"
        " join component c on c.id = m.component where m.name like 'failed.%' order by m.id",
        0, 0);
    while (lz_run_next(&q)) {
        struct blame b = {.ns = growth(run, sqlite3_column_int64(q, 0), s)};
        if (!(b.ns > 0.0))
            continue;
        snprintf(b.phase, sizeof(b.phase), "%s", lz_run_text(q, 1));
        snprintf(b.component, sizeof(b.component), "%s", lz_run_text(q, 2));
        snprintf(b.kind, sizeof(b.kind), "%s", lz_run_text(q, 3));
        *total += b.ns;
        size_t at = count < max ? count++ : max;
        while (at > 0 && all[at - 1].ns < b.ns) { // the largest first
            if (at < max)
                all[at] = all[at - 1];
            at--;
        }
        if (at < max)
            all[at] = b;
    }
    return count;
}

static void write_blame(struct lz_pen *pen, const struct blame *b, double total)
{
    static const struct {
        const char *phase, *text;
    } phases[] = {
        {"connect", "connecting to %s"},       {"queue", "waiting for a worker in %s"},
        {"work", "being worked on in %s"},     {"network", "on the network to %s"},
        {"retry_wait", "waiting to retry %s"},
    };
    double percent = b->ns / total * 100.0;
    lz_pen_to(pen, LZ_STORY_INDENT);
    lz_pen_addf(pen, LZ_TINT_BOLD, "%3.0f %%", percent);
    lz_pen_to(pen, LZ_STORY_INDENT + 7);
    if (strcmp(b->phase, "queue") == 0 && strcmp(b->kind, "database") == 0) {
        lz_pen_addf(pen, LZ_TINT_NONE, "waiting for a connection to %s", b->component);
    } else {
        for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
            const char *at = strstr(phases[i].text, "%s");
            if (strcmp(b->phase, phases[i].phase) == 0)
                lz_pen_addf(pen, LZ_TINT_NONE, "%.*s%s", (int)(at - phases[i].text), phases[i].text,
                            b->component);
        }
    }
    lz_pen_end(pen);
}

// Requests that failed, as their users saw it.
static int64_t failed_in(const struct lz_report_run *run, const struct lz_stretch *s)
{
    int64_t failed = 0;
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select m.id from metric m join component c on c.id = m.component"
                                 " where c.kind = 'traffic' and m.name = 'errors.rate'",
                                 0, 0);
    while (lz_run_next(&q)) {
        struct lz_run_point *points;
        size_t count = lz_run_points(run, sqlite3_column_int64(q, 0), 0, s->to, &points);
        for (size_t i = 0; i < count; i++)
            if (points[i].start + points[i].width > s->from)
                failed += points[i].count;
        free(points);
    }
    return failed;
}

void lz_story_blame(struct lz_pen *pen, const struct lz_report_run *run, const struct lz_stretch *s)
{
    LZ_ASSERT(pen->column == 0);
    struct blame all[BLAME_SHOWN];
    double total = 0.0;
    size_t count = read_blame(run, s, all, BLAME_SHOWN, &total);
    int64_t failed = failed_in(run, s);
    if (count == 0)
        return;
    char n[32], from[32], to[32];
    lz_format_count(n, sizeof(n), (double)failed);
    write_heading(pen, "where failed requests spent their time");
    if (failed > 0)
        lz_pen_addf(pen, LZ_TINT_DIM, " (%s %s, %s to %s)", n, failed == 1 ? "request" : "requests",
                    lz_format_instant(from, sizeof(from), s->from),
                    lz_format_instant(to, sizeof(to), s->to));
    lz_pen_end(pen);
    for (size_t i = 0; i < count; i++)
        if (all[i].ns >= total * 0.005) // "0 %" says nothing
            write_blame(pen, &all[i], total);
    lz_pen_end(pen);
}
