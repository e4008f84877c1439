/*
 * view_plot.c — a metric over time, and what is drawn in place while a run goes on.
 *
 * `.plot METRIC while .run to 10m` and `.top while .run to 10m`: on a terminal the picture is drawn
 * anew some times a second where it stands; elsewhere once, at the end, so that what is piped is
 * the same at each run. What takes long and draws nothing says how far it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/view.h"
#include "report/plot.h"

#define FRAME_NS (LZ_S / 10)
#define SILENT_NS (LZ_S / 2) /* of a run, before it says how far it is */

// ---------------------------------------------------------------- a plot

struct span {
    lz_time from, to;
};

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

static void draw(struct lz_repl *r, const struct lz_str *answer, const struct span *span,
                 enum lz_unit unit, struct lz_str *out)
{
    size_t count = answer->len / sizeof(struct lz_pipe_point);
    struct lz_run_point *points = lz_mem_alloc((count + 1) * sizeof(points[0]));
    for (size_t i = 0; i < count; i++) {
        struct lz_pipe_point p;
        memcpy(&p, answer->text + i * sizeof(p), sizeof(p));
        points[i] =
            (struct lz_run_point){p.start, p.width, p.value, p.low, p.high, (int64_t)p.count};
    }
    struct lz_pen pen = lz_pen_begin(out, &r->style);
    const struct lz_plot_line line = {.title = "",
                                      .unit = unit,
                                      .from = span->from,
                                      .to = span->to,
                                      .points = points,
                                      .count = count};
    if (!lz_plot_points(&pen, &line))
        lz_str_add(out, count == 0 ? "no sample in that time" : "one sample is no line");
    free(points);
}

// False: what is wrong has been said, or is in `out`.
static bool plot(struct lz_repl *r, const char *args, struct lz_str *out)
{
    struct span span;
    char *copy = strdup(args);
    LZ_ASSERT(copy != NULL);
    struct lz_str text;
    lz_str_init(&text);
    bool ok = cut_span(r, copy, &span);
    struct lz_pipe_message m = {
        .kind = LZ_PIPE_SERIES, .at = span.from, .count = (uint64_t)span.to};
    lz_str_add(&text, copy);
    free(copy);
    if (ok && !lz_tree_ask(&r->tree, &m, &text)) {
        lz_repl_gone(r);
        ok = false;
    } else if (ok && m.kind != LZ_PIPE_OK) {
        lz_repl_error(r, text.text);
        ok = false;
    } else if (ok && span.to <= span.from) {
        lz_str_add(out, "no sample yet");
    } else if (ok) {
        draw(r, &text, &span, (enum lz_unit)m.count, out);
    }
    lz_str_finish(&text);
    return ok;
}

// ---------------------------------------------------------------- in place

static int64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * LZ_S + t.tv_nsec;
}

struct lz_live {
    struct lz_repl *r;
    const char *plot; // an expression; NULL: all components, or nothing
    bool is_top;
    int64_t begun, drawn; // wall
    lz_time from;
    double speed; // virtual seconds per second of wall time; 0: as fast as it goes
    int rows;     // of the picture on the screen
    bool is_wrong;
};

static void add_head(const struct lz_live *l, struct lz_str *out)
{
    const struct lz_tree_branch *b = lz_tree_now(&l->r->tree);
    char at[32], events[48];
    lz_str_addf(out, "%s   %s events\n", lz_format_instant(at, sizeof(at), b->at),
                lz_format_count(events, sizeof(events), (double)b->events));
}

static bool top(struct lz_repl *r, struct lz_str *out)
{
    struct lz_str text;
    struct lz_pipe_message m = {.kind = LZ_PIPE_TOP, .count = r->tree.look};
    lz_str_init(&text);
    bool is_alive = lz_tree_ask(&r->tree, &m, &text);
    bool ok = is_alive && m.kind == LZ_PIPE_OK;
    if (ok)
        lz_str_add(out, text.text);
    else if (is_alive)
        lz_repl_error(r, text.text);
    lz_str_finish(&text);
    return ok;
}

static bool picture(struct lz_live *l, struct lz_str *out)
{
    if (l->is_top || (l->plot != NULL && l->r->live != NULL))
        add_head(l, out);
    bool ok = l->is_top ? top(l->r, out) : l->plot == NULL || plot(l->r, l->plot, out);
    while (out->len > 0 && out->text[out->len - 1] == '\n')
        out->text[--out->len] = '\0';
    return ok;
}

// Over the picture before it, line by line, so that nothing flickers.
static void redraw(struct lz_live *l, const struct lz_str *text)
{
    struct lz_str out;
    lz_str_init(&out);
    int rows = 0;
    if (l->rows > 0)
        lz_str_addf(&out, "\x1b[%dA", l->rows);
    lz_str_add(&out, "\r");
    for (const char *line = text->text; *line != '\0'; rows++) {
        size_t n = strcspn(line, "\n");
        lz_str_add_n(&out, line, n);
        lz_str_add(&out, "\x1b[K\n");
        line += n + (line[n] == '\n');
    }
    lz_str_add(&out, "\x1b[J");
    l->rows = rows;
    l->r->opts->put(l->r->opts->put_ctx, out.text);
    lz_str_finish(&out);
}

// A run at a given speed waits for the wall's clock, unless somebody has enough of it.
static void keep_pace(const struct lz_live *l)
{
    if (l->speed <= 0.0)
        return;
    double virtual_ns = (double)(lz_tree_now(&l->r->tree)->at - l->from);
    int64_t due = l->begun + (int64_t)(virtual_ns / l->speed);
    for (int64_t left = due - wall_ns(); left > 0 && !lz_tree_is_interrupted();
         left = due - wall_ns()) {
        const struct timespec t = {.tv_sec = left / LZ_S, .tv_nsec = left % LZ_S};
        nanosleep(&t, NULL); // a signal ends it early
    }
}

static void between(void *ctx)
{
    struct lz_live *l = ctx;
    int64_t now = wall_ns();
    bool is_picture = l->is_top || l->plot != NULL;
    bool is_due = now - l->drawn >= FRAME_NS && (is_picture || now - l->begun >= SILENT_NS);
    if (l->r->line != NULL && is_due && !l->is_wrong) {
        struct lz_str text;
        lz_str_init(&text);
        if (is_picture)
            l->is_wrong = !picture(l, &text);
        else
            add_head(l, &text);
        if (!l->is_wrong)
            redraw(l, &text);
        l->drawn = now;
        lz_str_finish(&text);
    }
    keep_pace(l);
}

// " at 60x" at the end of a command; it is cut off.
static bool cut_speed(struct lz_repl *r, char *text, double *speed)
{
    *speed = 0.0;
    char *at = strstr(text, " at ");
    if (at == NULL)
        return true;
    char *end;
    *speed = strtod(at + strlen(" at "), &end);
    bool ok = end != at + strlen(" at ") && strcmp(end, "x") == 0 && *speed > 0.0 && *speed <= 1e6;
    if (!ok)
        lz_repl_say(r, "error: a speed is written 60x, from above 0 to 1000000x, got \"%s\"",
                    at + strlen(" at "));
    *at = '\0';
    return ok;
}

// Carry out `command` with a picture of `l`, which is left standing as it is at the end.
static void watch(struct lz_live *l, const char *command)
{
    struct lz_repl *r = l->r;
    struct lz_tree *t = &r->tree;
    char *copy = strdup(command);
    LZ_ASSERT(copy != NULL);
    if (cut_speed(r, copy, &l->speed)) {
        l->begun = wall_ns();
        l->from = lz_tree_now(t)->at;
        t->between = between;
        t->between_ctx = l;
        t->stride = l->speed > 0.0 ? (lz_time)(l->speed * (double)FRAME_NS) : 0;
        r->live = l;
        lz_dots_do(r, copy + (copy[0] == '.'));
        r->live = NULL;
        t->between = NULL;
        t->stride = 0;
    }
    free(copy);
}

void lz_views_ended(struct lz_repl *r)
{
    struct lz_live *l = r->live;
    if (l == NULL)
        return;
    struct lz_str text;
    lz_str_init(&text);
    bool ok = !l->is_wrong && picture(l, &text);
    if (l->rows > 0)
        redraw(l, &text);
    else if (ok && text.len > 0)
        lz_repl_say(r, "%s", text.text);
    l->rows = 0;
    l->is_wrong = true; // nothing more is drawn over what follows
    lz_str_finish(&text);
}

void lz_views_run(struct lz_repl *r, const char *command)
{
    LZ_ASSERT(r->live == NULL);
    struct lz_live l = {.r = r};
    watch(&l, command);
}

static bool cut_while(struct lz_repl *r, char *text, const char **command)
{
    *command = NULL;
    char *at = strncmp(text, "while ", 6) == 0 ? text : strstr(text, " while ");
    if (at == NULL)
        return true;
    *command = at + (at[0] == ' ') + strlen("while ");
    *at = '\0';
    bool ok = false;
    static const char *const known[] = {".run", ".continue", ".next", ".goto"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = strlen(known[i]);
        ok |= strncmp(*command, known[i], n) == 0 && strchr(" ", (*command)[n]) != NULL;
    }
    if (!ok)
        lz_repl_say(r, "error: after while stands .run, .continue, .next or .goto, got \"%s\"",
                    *command);
    return ok;
}

static void show(struct lz_repl *r, const char *args, bool is_top)
{
    const char *command;
    char *copy = strdup(args);
    LZ_ASSERT(copy != NULL);
    if (cut_while(r, copy, &command)) {
        struct lz_str text;
        lz_str_init(&text);
        struct lz_live l = {.r = r, .is_top = is_top, .plot = is_top ? NULL : copy};
        // What is not measured is said before anything runs.
        if (command == NULL ? picture(&l, &text) : is_top || plot(r, copy, &text)) {
            if (command != NULL)
                watch(&l, command);
            else
                lz_view_say(r, &text);
        }
        lz_str_finish(&text);
    }
    free(copy);
}

void lz_views_top(struct lz_repl *r, const char *args)
{
    if (args[0] != '\0' && strncmp(args, "while ", 6) != 0)
        lz_repl_say(r, "error: .top, or .top while .run to 10m at 60x");
    else
        show(r, args, true);
}

void lz_views_plot(struct lz_repl *r, const char *args)
{
    if (args[0] == '\0' || strncmp(args, "while ", 6) == 0)
        lz_repl_say(r, "error: .plot METRIC [from A to B] [while .run ...], such as .plot "
                       "web.latency.p99");
    else
        show(r, args, false);
}
