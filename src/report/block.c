#include "report/block.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/format.h"
#include "report/paint.h"

#define S INT64_C(1000000000)
#define EVENTS_SHOWN 8

static void rule(struct lz_str *out, const struct lz_report_style *style, const char *file,
                 const char *what)
{
    const char *base = strrchr(file, '/');
    char stem[120];
    snprintf(stem, sizeof(stem), "%s", base != NULL ? base + 1 : file);
    char *dot = strrchr(stem, '.');
    if (dot != NULL)
        *dot = '\0';
    const char *line = lz_paint_symbol(style, LZ_SYM_RULE);
    struct lz_str title;
    lz_str_init(&title);
    lz_paint_cut(&title, style, what, style->width - 8 - (int)lz_str_width(stem));
    lz_paint_begin(out, style, LZ_BOLD);
    lz_str_addf(out, "%s%s %s > %s ", line, line, stem, title.text);
    int left = style->width - 7 - (int)lz_str_width(stem) - (int)lz_str_width(title.text);
    lz_str_add_repeat(out, line, (size_t)(left > 0 ? left : 0));
    lz_paint_end(out, style, LZ_BOLD);
    lz_str_add_char(out, '\n');
    lz_str_finish(&title);
}

// A few lines of the scenario from `line` on, as far as the block is indented or closed.
static void excerpt(struct lz_str *out, const struct lz_report_style *style,
                    const struct lz_report_run *run, int64_t line)
{
    lz_str_addf(out, "  %s:%" PRId64 "\n", run->file, line);
    const char *at = run->source;
    for (int64_t n = 1; n < line && at != NULL; n++) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    for (int i = 0; i < 4 && at != NULL && *at != '\0'; i++) {
        const char *end = strchr(at, '\n');
        size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
        char text[200];
        snprintf(text, sizeof(text), "%.*s", (int)len, at);
        if (i > 0 && text[0] == '}')
            break;
        lz_str_addf(out, "  %5" PRId64 " %s ", line + i, lz_paint_symbol(style, LZ_SYM_BAR));
        lz_paint_cut(out, style, text, style->width - 10);
        lz_str_add_char(out, '\n');
        at = end != NULL ? end + 1 : NULL;
    }
}

static void around(struct lz_str *out, const struct lz_report_style *style,
                   const struct lz_report_run *run, int64_t from, int64_t to)
{
    sqlite3_stmt *st = lz_report_ask(
        run, "SELECT at_ns, kind, text, line FROM event WHERE at_ns BETWEEN ? AND ? ORDER BY seq",
        2, (const int64_t[]){from, to});
    int shown = 0;
    while (sqlite3_step(st) == SQLITE_ROW && shown++ < EVENTS_SHOWN) {
        if (shown == 1)
            lz_str_add(out, "\n  around it\n");
        char at[32], text[400];
        lz_format_instant(at, sizeof(at), sqlite3_column_int64(st, 0));
        int64_t line = sqlite3_column_int64(st, 3);
        if (line > 0)
            snprintf(text, sizeof(text), "    %-9s %-13s %s   line %" PRId64, at,
                     lz_report_text(st, 1), lz_report_text(st, 2), line);
        else
            snprintf(text, sizeof(text), "    %-9s %-13s %s", at, lz_report_text(st, 1),
                     lz_report_text(st, 2));
        lz_paint_cut(out, style, text, style->width);
        lz_str_add_char(out, '\n');
    }
    sqlite3_finalize(st);
}

static const char *phase_words(const char *metric, bool is_service)
{
    if (strcmp(metric, "failed.queue") == 0)
        return is_service ? "waiting for a worker in" : "waiting for a connection to";
    if (strcmp(metric, "failed.work") == 0)
        return "being worked on in";
    if (strcmp(metric, "failed.network") == 0)
        return "on the network to and from";
    if (strcmp(metric, "failed.connect") == 0)
        return "connecting to";
    return "waiting to retry";
}

// Where failed requests spent their time, from exact counters; in all and in each part.
static void blame(struct lz_str *out, const struct lz_report_style *style,
                  const struct lz_report_run *run, int64_t from, int64_t to)
{
    const char *sql =
        "SELECT c.name, c.kind, m.name,"
        " coalesce((SELECT value FROM series WHERE metric = m.id AND start_ns < ?2"
        "  ORDER BY start_ns DESC LIMIT 1), 0) -"
        " coalesce((SELECT value FROM series WHERE metric = m.id AND start_ns + width_ns <= ?1"
        "  ORDER BY start_ns DESC LIMIT 1), 0) AS spent"
        " FROM metric m JOIN component c ON c.id = m.component WHERE m.name LIKE 'failed.%'"
        " AND spent > 0 ORDER BY spent DESC, m.id";
    double total = 0.0;
    for (int pass = 0; pass < 2; pass++) {
        sqlite3_stmt *st = lz_report_ask(run, sql, 2, (const int64_t[]){from, to});
        int shown = 0;
        while (sqlite3_step(st) == SQLITE_ROW) {
            double spent = sqlite3_column_double(st, 3);
            if (pass == 0) {
                total += spent;
                continue;
            }
            double share = spent / total * 100.0;
            if (shown == 4 || share < 1.0)
                break;
            if (shown++ == 0) {
                char a[32], b[32], head[120];
                snprintf(head, sizeof(head), "  where failed requests spent their time (%s to %s)",
                         lz_format_instant(a, sizeof(a), from),
                         lz_format_instant(b, sizeof(b), to));
                lz_str_add_char(out, '\n');
                lz_paint_cut(out, style, head, style->width);
                lz_str_add_char(out, '\n');
            }
            bool is_service = strcmp(lz_report_text(st, 1), "database") != 0;
            struct lz_str line;
            lz_str_init(&line);
            lz_str_addf(&line, "    %3.0f %%  %s %s", share,
                        phase_words(lz_report_text(st, 2), is_service), lz_report_text(st, 0));
            lz_paint_cut(out, style, line.text, style->width);
            lz_str_add_char(out, '\n');
            lz_str_finish(&line);
        }
        sqlite3_finalize(st);
        if (!(total > 0.0))
            return;
    }
}

// The command that does it again is never cut: on a narrow terminal it has its own line.
static void again(struct lz_str *out, const struct lz_report_style *style,
                  const struct lz_report_run *run)
{
    bool narrow = style->width < 60;
    lz_str_addf(out, "\n  again%slorenz run %s", narrow ? "\n  " : "         ", run->file);
    if (run->cases[0] != '\0')
        lz_str_addf(out, " --case %s", run->cases);
    lz_str_addf(out, " --seed %s\n", run->seed);
    if (run->path != NULL)
        lz_str_addf(out, "  run file%s%s\n", narrow ? "\n  " : "      ", run->path);
}

static void failed_expectation(struct lz_str *out, const struct lz_report_style *style,
                               const struct lz_report_run *run, const struct lz_report_expect *e)
{
    rule(out, style, run->file, e->name);
    excerpt(out, style, run, e->line);
    struct lz_str text;
    lz_str_init(&text);
    lz_str_addf(&text, "  expected %s", e->expected);
    lz_paint_cut(out, style, text.text, style->width);
    lz_str_clear(&text);
    lz_str_addf(&text, "\n  got      %s%s%s", e->actual, e->spare[0] != '\0' ? ", " : "", e->spare);
    lz_paint_cut(out, style, text.text, style->width);
    lz_str_add_char(out, '\n');
    lz_str_finish(&text);
    if (e->at_ns < 0)
        return;
    int64_t from = e->at_ns - 10 * S, to = e->at_ns + 20 * S;
    if (e->deadline_ns >= 0) {
        from = e->deadline_ns - 30 * S;
        to = (e->at_ns > e->deadline_ns ? e->at_ns : e->deadline_ns) + 15 * S;
    }
    from = from < 0 ? 0 : from;
    to = to > run->virtual_ns ? run->virtual_ns : to;
    if (to <= from)
        return;
    if (e->metric != 0)
        lz_report_plot(out, style, run,
                       &(struct lz_report_plot){.metric = e->metric,
                                                .from_ns = from,
                                                .to_ns = to,
                                                .deadline_ns = e->deadline_ns,
                                                .limit = e->limit});
    around(out, style, run, from, to);
    blame(out, style, run, from, to);
    // The kept failure nearest to the instant that decided.
    int64_t request = lz_report_number(run,
                                       "SELECT id FROM request WHERE kept_as = 'failed' AND end_ns"
                                       " BETWEEN ?1 AND ?2 ORDER BY abs(end_ns - ?3), id LIMIT 1",
                                       3, (const int64_t[]){from, to, e->at_ns}, 0);
    if (request != 0)
        lz_report_waterfall(out, style, run, request);
}

static void say(struct lz_str *out, const struct lz_report_style *style, const char *text)
{
    // Wrapped at words; the first line says what kind of end it is.
    int room = style->width - 2;
    while (*text != '\0') {
        size_t len = strlen(text), cut = len;
        if ((int)lz_str_width(text) > room) {
            cut = (size_t)room < len ? (size_t)room : len;
            while (cut > 1 && text[cut] != ' ')
                cut--;
            if (cut <= 1)
                cut = (size_t)room;
        }
        lz_str_addf(out, "  %.*s\n", (int)cut, text);
        text += cut;
        while (*text == ' ')
            text++;
    }
}

static void inconclusive_parts(struct lz_str *out, const struct lz_report_style *style,
                               const struct lz_report_run *run, const struct lz_report_expect *all,
                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct lz_report_expect *e = &all[i];
        if (strcmp(e->verdict, "inconclusive") != 0)
            continue;
        rule(out, style, run->file, e->name);
        lz_str_addf(out, "  %s:%" PRId64 "\n", run->file, e->line);
        struct lz_str text;
        lz_str_init(&text);
        lz_str_addf(&text, "inconclusive, not a pass: %s", e->why[0] != '\0' ? e->why : e->actual);
        say(out, style, text.text);
        lz_str_finish(&text);
    }
}

void lz_report_block(struct lz_str *out, const struct lz_report_style *style,
                     const struct lz_report_run *run)
{
    if (run->error != NULL) {
        lz_str_addf(out, "%s\n", run->error);
        return;
    }
    size_t count, blocks = 0;
    struct lz_report_expect *all = lz_report_expects(run, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].verdict, "fail") != 0 || strcmp(all[i].severity, "warn") == 0)
            continue;
        failed_expectation(out, style, run, &all[i]);
        blocks++;
    }
    if (strcmp(run->verdict, "inconclusive") == 0) {
        inconclusive_parts(out, style, run, all, count);
        rule(out, style, run->file, run->scenario);
        struct lz_str text;
        lz_str_init(&text);
        lz_str_addf(&text, "inconclusive, not a pass: %s", run->why);
        say(out, style, text.text);
        lz_str_finish(&text);
    } else if (blocks == 0) {
        rule(out, style, run->file, run->scenario);
        say(out, style,
            strcmp(run->verdict, "xpass") == 0
                ? "it passed, and `xfail` says that this case must fail"
                : run->why);
    }
    again(out, style, run);
    lz_str_add_char(out, '\n');
    free(all);
}
