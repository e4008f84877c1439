#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "report/block.h"
#include "report/paint.h"
#include "report/run.h"

struct look {
    const char *verdict, *word;
    enum lz_colour colour;
};

static const struct look looks[] = {
    {"pass", "PASS ", LZ_GREEN},          {"fail", "FAIL ", LZ_RED},
    {"inconclusive", "INCON", LZ_YELLOW}, {"xfail", "XFAIL", LZ_GREEN},
    {"xpass", "XPASS", LZ_RED},           {"error", "ERROR", LZ_RED},
    {"budget", "STOP ", LZ_YELLOW},
};

static const struct look *look_of(const char *verdict)
{
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (strcmp(looks[i].verdict, verdict) == 0)
            return &looks[i];
    return &looks[1];
}

static void plural(struct lz_str *out, size_t n, const char *what)
{
    lz_str_addf(out, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

void lz_report_text_head(struct lz_str *out, const struct lz_report_style *style, uint64_t seed,
                         size_t scenarios, size_t cases)
{
    if (style->quiet)
        return;
    lz_paint(out, style, LZ_BOLD, "lorenz " LZ_VERSION);
    lz_str_addf(out, "   seed %" PRIu64 "   ", seed);
    plural(out, scenarios, "scenario");
    if (cases != scenarios) {
        lz_str_add(out, ", ");
        plural(out, cases, "case");
    }
    lz_str_add(out, "\n\n");
}

// "PASS  the sentence                10m virtual"
static void head_line(struct lz_str *out, const struct lz_report_style *style,
                      const struct look *look, const char *name, const char *right)
{
    lz_paint(out, style, look->colour, look->word);
    lz_str_add_char(out, ' ');
    int room = style->width - 6 - (int)lz_str_width(right) - 1;
    lz_paint_begin(out, style, LZ_BOLD);
    lz_paint_cell(out, style, name, room > 10 ? room : 10);
    lz_paint_end(out, style, LZ_BOLD);
    lz_str_addf(out, " %s\n", right);
}

static void expect_line(struct lz_str *out, const struct lz_report_style *style,
                        const struct lz_report_expect *e)
{
    enum lz_symbol symbol = LZ_SYM_TICK;
    enum lz_colour colour = LZ_GREEN;
    if (strcmp(e->verdict, "fail") == 0) {
        bool warns = strcmp(e->severity, "warn") == 0;
        symbol = warns ? LZ_SYM_WARN : LZ_SYM_CROSS;
        colour = warns ? LZ_YELLOW : LZ_RED;
    } else if (strcmp(e->verdict, "inconclusive") == 0) {
        symbol = LZ_SYM_QUESTION;
        colour = LZ_YELLOW;
    }
    lz_str_add(out, "  ");
    lz_paint(out, style, colour, lz_paint_symbol(style, symbol));
    lz_str_add_char(out, ' ');
    // Sentence, what was seen, what is left; a narrow terminal shows the sentence alone.
    int room = style->width - 4;
    if (style->width < 60) {
        lz_paint_cut(out, style, e->name, room);
        lz_str_add_char(out, '\n');
        return;
    }
    int spare = e->spare[0] != '\0' ? 16 : 0;
    int actual = 24;
    if (spare == 0 && (int)lz_str_width(e->actual) > actual)
        actual = 40;
    lz_paint_cell(out, style, e->name, room - actual - spare - (spare > 0 ? 2 : 1));
    lz_str_add_char(out, ' ');
    if (spare == 0) {
        lz_paint_cut(out, style, e->actual, actual);
    } else {
        lz_paint_cell(out, style, e->actual, actual);
        lz_str_add_char(out, ' ');
        lz_paint_cut(out, style, e->spare, spare);
    }
    lz_str_add_char(out, '\n');
}

static void one_run(struct lz_str *out, const struct lz_report_style *style,
                    const struct lz_report_run *run, bool show_case)
{
    char right[80], span[32];
    lz_format_duration(span, sizeof(span), run->virtual_ns);
    snprintf(right, sizeof(right), "%s virtual", span);
    if (run->error != NULL && run->virtual_ns == 0)
        snprintf(right, sizeof(right), "did not load");
    char name[400];
    const char *title = run->scenario[0] != '\0' ? run->scenario : run->file;
    if (show_case && run->cases[0] != '\0')
        snprintf(name, sizeof(name), "[%s] %s", run->cases, title);
    else
        snprintf(name, sizeof(name), "%s", title);
    head_line(out, style, look_of(run->verdict), name, right);
    if (style->quiet || run->error != NULL)
        return;
    size_t count;
    struct lz_report_expect *all = lz_report_expects(run, &count);
    for (size_t i = 0; i < count; i++)
        expect_line(out, style, &all[i]);
    free(all);
    if (style->verbose > 0)
        lz_str_addf(out,
                    "  %" PRId64 " events   trace %s   %" PRId64 " in flight at most   %.1f MiB\n",
                    run->events, run->trace_hash, run->in_flight_max,
                    (double)run->memory_bytes / 1048576.0);
}

static size_t count_of(struct lz_report_run *const *runs, size_t count, const char *verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += strcmp(runs[i]->verdict, verdict) == 0;
    return n;
}

// The cases of one scenario: those that passed are one line, the others are shown.
static void many_cases(struct lz_str *out, const struct lz_report_style *style,
                       struct lz_report_run *const *runs, size_t count)
{
    char right[80];
    size_t passed = count_of(runs, count, "pass");
    if (passed > 0) {
        snprintf(right, sizeof(right), "%zu of %zu cases", passed, count);
        head_line(out, style, look_of("pass"), runs[0]->scenario, right);
        for (size_t i = 0; i < count && !style->quiet; i++) {
            if (strcmp(runs[i]->verdict, "pass") != 0)
                continue;
            lz_str_add(out, "      ");
            lz_paint_cut(out, style, runs[i]->cases, style->width - 6);
            lz_str_add_char(out, '\n');
        }
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(runs[i]->verdict, "pass") != 0)
            one_run(out, style, runs[i], true);
}

void lz_report_text_runs(struct lz_str *out, const struct lz_report_style *style,
                         struct lz_report_run *const *runs, size_t count)
{
    LZ_ASSERT(count > 0);
    if (count == 1)
        one_run(out, style, runs[0], true);
    else
        many_cases(out, style, runs, count);
}

static void add_count(struct lz_str *out, const struct lz_report_style *style, size_t n,
                      const char *what, enum lz_colour colour, bool *first)
{
    if (n == 0)
        return;
    if (!*first)
        lz_str_add(out, ", ");
    *first = false;
    lz_paint_begin(out, style, colour);
    lz_str_addf(out, "%zu %s", n, what);
    lz_paint_end(out, style, colour);
}

// "13 passed, 1 failed, 1 inconclusive   seed 1   exit 1"
static void summary(struct lz_str *out, const struct lz_report_style *style,
                    struct lz_report_run *const *runs, size_t count, int exit_code)
{
    bool first = true;
    size_t xfailed = count_of(runs, count, "xfail");
    add_count(out, style, count_of(runs, count, "pass") + xfailed, "passed", LZ_GREEN, &first);
    if (xfailed > 0)
        lz_str_addf(out, " (%zu as expected: xfail)", xfailed);
    add_count(out, style, count_of(runs, count, "fail") + count_of(runs, count, "xpass"), "failed",
              LZ_RED, &first);
    add_count(out, style, count_of(runs, count, "error"), "wrong", LZ_RED, &first);
    add_count(out, style, count_of(runs, count, "inconclusive"), "inconclusive", LZ_YELLOW, &first);
    add_count(out, style, count_of(runs, count, "budget"), "stopped", LZ_YELLOW, &first);
    if (first)
        lz_str_add(out, "nothing ran");
    if (count > 0)
        lz_str_addf(out, "   seed %s", runs[0]->seed);
    if (exit_code != 0)
        lz_str_addf(out, "   exit %d", exit_code);
    lz_str_add_char(out, '\n');
}

void lz_report_text_end(struct lz_str *out, const struct lz_report_style *style,
                        struct lz_report_run *const *runs, size_t count, int exit_code)
{
    lz_str_add_char(out, '\n');
    for (size_t i = 0; i < count && !style->quiet; i++) {
        if (lz_report_is_failure(runs[i]) || strcmp(runs[i]->verdict, "inconclusive") == 0)
            lz_report_block(out, style, runs[i]);
    }
    summary(out, style, runs, count, exit_code);
}
