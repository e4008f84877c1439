#include "report/block.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "report/plot.h"
#include "report/story.h"

#define INDENT 2
#define LABEL_WIDTH 10 // "run file  "
#define SOURCE_LINES 5
#define TAB 4

// "1_db_failover" of "scenarios/1_db_failover.lua".
static void add_stem(struct lz_pen *pen, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    lz_pen_add_n(pen, LZ_TINT_NONE, name, dot != NULL ? (size_t)(dot - name) : strlen(name));
}

static void write_rule(struct lz_pen *pen, const struct lz_report_run *run, enum lz_tint tint,
                       const char *name)
{
    lz_pen_draw(pen, tint, LZ_GLYPH_RULE, 2);
    lz_pen_draw(pen, tint, LZ_GLYPH_BLANK, 1);
    add_stem(pen, run->file);
    lz_pen_draw(pen, tint, LZ_GLYPH_BLANK, 1);
    lz_pen_draw(pen, tint, LZ_GLYPH_PART, 1);
    lz_pen_draw(pen, tint, LZ_GLYPH_BLANK, 1);
    lz_pen_add(pen, LZ_TINT_BOLD, name);
    lz_pen_draw(pen, tint, LZ_GLYPH_BLANK, 1);
    lz_pen_draw(pen, tint, LZ_GLYPH_RULE, pen->style->width);
    lz_pen_end(pen);
}

static void write_place(struct lz_pen *pen, const struct lz_report_run *run, int64_t line)
{
    lz_pen_to(pen, INDENT);
    if (line > 0)
        lz_pen_addf(pen, LZ_TINT_NONE, "%s:%" PRId64, run->file, line);
    else
        lz_pen_add(pen, LZ_TINT_NONE, run->file);
    if (run->case_id[0] != '\0') {
        if (lz_pen_width(run->case_id) + 3 > lz_pen_room(pen)) {
            lz_pen_end(pen);
            lz_pen_to(pen, INDENT);
        } else {
            lz_pen_draw(pen, LZ_TINT_NONE, LZ_GLYPH_BLANK, 3);
        }
        lz_pen_add(pen, LZ_TINT_BOLD, run->case_id);
    }
    lz_pen_end(pen);
}

static void add_source(struct lz_pen *pen, const char *text, size_t len)
{
    int start = pen->column + pen->blanks;
    for (size_t i = 0; i < len;) {
        size_t n = strcspn(text + i, "\t\n");
        n = n < len - i ? n : len - i;
        lz_pen_add_n(pen, LZ_TINT_NONE, text + i, n);
        i += n;
        if (i < len && text[i] == '\t') {
            int past = (pen->column + pen->blanks - start) % TAB;
            lz_pen_draw(pen, LZ_TINT_NONE, LZ_GLYPH_BLANK, TAB - past);
            i++;
        }
    }
}

// The block as it was written: from its first line to the brace that closes it.
static void write_source(struct lz_pen *pen, const struct lz_report_run *run, int64_t line)
{
    const char *text;
    size_t len;
    for (int64_t n = line; n < line + SOURCE_LINES; n++) {
        if (!lz_run_source_line(run, n, &text, &len))
            return;
        lz_pen_to(pen, INDENT);
        lz_pen_addf(pen, LZ_TINT_DIM, "%5" PRId64 " ", n);
        lz_pen_draw(pen, LZ_TINT_DIM, LZ_GLYPH_MARGIN, 1);
        lz_pen_draw(pen, LZ_TINT_NONE, LZ_GLYPH_BLANK, 1);
        add_source(pen, text, len);
        lz_pen_end(pen);
        bool is_closed = (n > line && len > 0 && text[0] == '}') ||
                         (n == line && memchr(text, '}', len) != NULL);
        if (is_closed)
            return;
    }
}

static void write_labelled(struct lz_pen *pen, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    lz_pen_to(pen, INDENT);
    lz_pen_add(pen, LZ_TINT_DIM, label);
    if (lz_pen_width(text) > pen->style->width - INDENT - LABEL_WIDTH) {
        lz_pen_end(pen);
        lz_pen_wrap(pen, LZ_TINT_NONE, text, INDENT + 2);
        return;
    }
    lz_pen_to(pen, INDENT + LABEL_WIDTH);
    lz_pen_add(pen, LZ_TINT_NONE, text);
    lz_pen_end(pen);
}

static void write_wanted(struct lz_pen *pen, const struct lz_run_expectation *e)
{
    struct lz_str text;
    lz_str_init(&text);
    // An SLO is said as a share of successes, its metric is one of errors.
    bool has_metric = e->metric_name[0] != '\0' && strcmp(e->temporal, "slo") != 0;
    lz_str_addf(&text, "%s%s%s", has_metric ? e->metric_name : "", has_metric ? " " : "",
                e->expected);
    write_labelled(pen, "expected", text.text);
    lz_str_clear(&text);
    lz_str_addf(&text, "%s%s%s", e->actual, e->spare[0] != '\0' ? ", " : "", e->spare);
    write_labelled(pen, "got", text.text);
    write_labelled(pen, "because", e->because);
    lz_str_finish(&text);
}

// Operations that cannot be, a line each.
static void write_details(struct lz_pen *pen, const struct lz_run_expectation *e)
{
    struct lz_str line;
    lz_str_init(&line);
    for (const char *at = e->details; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        lz_str_clear(&line);
        lz_str_add_n(&line, at, n);
        size_t indent = strspn(line.text, " ");
        lz_pen_wrap(pen, LZ_TINT_NONE, line.text + indent, INDENT + (int)(indent > 8 ? 8 : indent));
        at += n + (at[n] == '\n');
    }
    if (e->details[0] != '\0')
        lz_pen_end(pen);
    lz_str_finish(&line);
}

// What a shell takes as one word.
static void add_quoted(struct lz_str *out, const char *word)
{
    static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_-./=,:+@%^";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        lz_str_add(out, word);
        return;
    }
    lz_str_add(out, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            lz_str_add(out, "'\\''");
        else
            lz_str_add_char(out, *word);
    }
    lz_str_add(out, "'");
}

// A command is copied by people, so it is broken where a shell lets it be and never cut.
static void write_command(struct lz_pen *pen, const struct lz_report_run *run)
{
    char seed[24];
    bool is_live = lz_run_is_live(run);
    snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
    const char *const words[] = {"lorenz",
                                 is_live ? "live" : "run",
                                 is_live ? "--allow-run" : NULL,
                                 run->file,
                                 run->case_id[0] != '\0' ? "--case" : NULL,
                                 run->case_id[0] != '\0' ? run->case_id : NULL,
                                 run->is_swarm ? "--swarm" : NULL,
                                 run->order[0] != '\0' ? "--order" : NULL,
                                 run->order[0] != '\0' ? run->order : NULL,
                                 "--seed",
                                 seed};
    struct lz_str word;
    lz_str_init(&word);
    lz_pen_to(pen, INDENT);
    lz_pen_add(pen, LZ_TINT_DIM, "again");
    lz_pen_to(pen, INDENT + LABEL_WIDTH - 1);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i] == NULL)
            continue;
        lz_str_clear(&word);
        add_quoted(&word, words[i]);
        bool is_last = i + 1 == sizeof(words) / sizeof(words[0]);
        if (lz_pen_width(word.text) + 1 + (is_last ? 0 : 2) > lz_pen_room(pen)) {
            lz_pen_add(pen, LZ_TINT_NONE, " \\");
            lz_pen_end(pen);
            lz_pen_to(pen, INDENT + 1);
        }
        lz_pen_draw(pen, LZ_TINT_NONE, LZ_GLYPH_BLANK, 1);
        lz_pen_add(pen, LZ_TINT_NONE, word.text);
    }
    lz_pen_end(pen);
    lz_str_finish(&word);
}

// By its name, where it was kept in the usual place; from where the first expectation failed.
static void write_look(struct lz_pen *pen, const struct lz_report_run *run)
{
    static const char usual[] = ".lorenz/runs/", ending[] = ".lzrun";
    const char *name = run->path;
    size_t len = strlen(name);
    bool is_usual = strncmp(name, usual, sizeof(usual) - 1) == 0 && len > sizeof(ending) &&
                    strcmp(name + len - (sizeof(ending) - 1), ending) == 0;
    if (is_usual) {
        name += sizeof(usual) - 1;
        len = strlen(name) - (sizeof(ending) - 1);
    }
    struct lz_str text, word;
    char at[32];
    lz_str_init(&text);
    lz_str_init(&word);
    lz_str_add_n(&word, name, len);
    lz_str_add(&text, "lorenz replay ");
    add_quoted(&text, word.text);
    for (size_t i = 0; i < run->expectation_count; i++) {
        if (strcmp(run->expectations[i].verdict, "fail") != 0 || run->expectations[i].at < 0)
            continue;
        lz_str_addf(&text, " --at %s", lz_format_instant(at, sizeof(at), run->expectations[i].at));
        break;
    }
    write_labelled(pen, "explore", text.text);
    lz_str_finish(&word);
    lz_str_finish(&text);
}

// What raises the budget that was used up.
static void write_more(struct lz_pen *pen, const struct lz_report_run *run)
{
    static const char *const budgets[][2] = {
        {"wall", "--timeout DURATION gives it longer"},
        {"events", "--max-events N gives it more"},
        {"memory", "a run may hold 1 GiB, what its Lua keeps included; fewer users at once, or a "
                   "lower rate, need less"},
    };
    for (size_t i = 0; run->stop != NULL && i < sizeof(budgets) / sizeof(budgets[0]); i++)
        if (strcmp(run->stop, budgets[i][0]) == 0)
            write_labelled(pen, "budget", budgets[i][1]);
}

static void write_closing(struct lz_pen *pen, const struct lz_report_run *run)
{
    write_more(pen, run);
    write_command(pen, run);
    if (run->path != NULL && !lz_run_is_live(run))
        write_look(pen, run);
    if (run->path != NULL)
        write_labelled(pen, "run file", run->path);
    lz_pen_end(pen);
}

// What happened to the system is told once, and of what failed at another time what happened then.
static void tell_story(struct lz_pen *pen, const struct lz_report_run *run,
                       const struct lz_stretch *s, struct lz_stretch *told)
{
    bool is_first = told->to == 0;
    if (!is_first && s->from < told->to && told->from < s->to)
        return;
    lz_story_events(pen, run, s);
    if (is_first) {
        lz_story_blame(pen, run, s);
        lz_story_request(pen, run, s);
    }
    told->from = is_first || s->from < told->from ? s->from : told->from;
    told->to = s->to > told->to ? s->to : told->to;
}

static void write_failed(struct lz_pen *pen, const struct lz_report_run *run,
                         const struct lz_run_expectation *e, struct lz_stretch *told)
{
    struct lz_stretch s = lz_stretch_of(run, e);
    write_rule(pen, run, LZ_TINT_BAD, e->name);
    write_place(pen, run, e->line);
    write_source(pen, run, e->line);
    lz_pen_end(pen);
    write_wanted(pen, e);
    lz_pen_end(pen);
    write_details(pen, e);
    lz_plot_draw(pen, run, e);
    tell_story(pen, run, &s, told);
    write_closing(pen, run);
}

static bool is_judged(const struct lz_run_expectation *e, const char *verdict)
{
    return strcmp(e->verdict, verdict) == 0 && strcmp(e->severity, "warn") != 0;
}

void lz_block_failed(struct lz_pen *pen, const struct lz_report_run *run)
{
    LZ_ASSERT(pen->column == 0);
    if (strcmp(run->verdict, "xpass") == 0) {
        write_rule(pen, run, LZ_TINT_BAD, "passes, but is declared to fail");
        write_place(pen, run, 0);
        lz_pen_wrap(pen, LZ_TINT_NONE,
                    "everything held in a case that `xfail` names: take the case out of `xfail`, "
                    "or find out what no longer breaks.",
                    INDENT);
        lz_pen_end(pen);
        write_closing(pen, run);
        return;
    }
    struct lz_stretch told = {0};
    for (size_t i = 0; i < run->expectation_count; i++)
        if (is_judged(&run->expectations[i], "fail"))
            write_failed(pen, run, &run->expectations[i], &told);
}

// A sentence of the record, as a sentence.
static void write_reason(struct lz_pen *pen, const char *opening, const char *why)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_str_addf(&text, "%s%s.", opening, why[0] != '\0' ? why : "nothing is known of it");
    lz_pen_wrap(pen, LZ_TINT_NONE, text.text, INDENT);
    lz_str_finish(&text);
}

void lz_block_inconclusive(struct lz_pen *pen, const struct lz_report_run *run)
{
    LZ_ASSERT(pen->column == 0);
    bool is_budget = strcmp(run->verdict, "budget") == 0;
    size_t told = 0;
    for (size_t i = 0; i < run->expectation_count && !is_budget; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        if (!is_judged(e, "inconclusive"))
            continue;
        write_rule(pen, run, LZ_TINT_DOUBT, e->name);
        write_place(pen, run, e->line);
        write_reason(pen, "inconclusive, not a pass: ", e->why);
        lz_pen_end(pen);
        told++;
    }
    if (told == 0) {
        write_rule(pen, run, LZ_TINT_DOUBT, lz_run_title(run));
        write_place(pen, run, 0);
        write_reason(pen,
                     is_budget ? "stopped, not a pass: " : "inconclusive, not a pass: ", run->why);
        lz_pen_end(pen);
    }
    write_closing(pen, run);
}
