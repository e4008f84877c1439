/* view_diff.c — two branches side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/view.h"

#define STEP_WIDTH 20 // of "  6.2s less", and what is between columns
#define ALIKE 0.02    // a share by which a metric may differ and is not worth a line

static uint32_t branch_named(const struct lz_repl *r, const char *name)
{
    uint32_t i = 0;
    while (i < r->tree.branch_count && strcmp(r->tree.branches[i].name, name) != 0)
        i++;
    return i;
}

static const char *mark_of(const struct lz_repl *r, const struct lz_run_expectation *e)
{
    bool ascii = r->style.ascii;
    if (strcmp(e->verdict, "pass") == 0)
        return ascii ? "+" : "✓";
    return strcmp(e->verdict, "fail") == 0 ? (ascii ? "x" : "✗") : "?";
}

// Columns, not bytes: values have thin spaces and micro signs in them. What was cut off shows.
static void add_cell(const struct lz_repl *r, struct lz_str *out, const char *text, size_t columns)
{
    size_t width = lz_str_width(text), len = strlen(text);
    const char *more = r->style.ascii ? ">" : "…";
    size_t room = width <= columns ? columns : columns - lz_str_width(more);
    bool is_cut = width > columns;
    struct lz_str cut;
    lz_str_init(&cut);
    while (width > room && len > 0) {
        len--;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        lz_str_clear(&cut);
        lz_str_add_n(&cut, text, len);
        width = lz_str_width(cut.text);
    }
    lz_str_add_n(out, text, len);
    lz_str_add(out, is_cut ? more : "");
    lz_str_add_repeat(out, " ", room - width);
    lz_str_finish(&cut);
}

// "6.2s less": how far one value is from another.
static void add_step(struct lz_str *out, double from, double to, enum lz_unit unit)
{
    char text[48];
    if (!isfinite(from) || !isfinite(to) || !(fabs(to - from) > 0.0))
        return;
    lz_format_value(text, sizeof(text), fabs(to - from), unit);
    lz_str_addf(out, "  %s %s", text, to > from ? "more" : "less");
}

struct widths {
    size_t name, value; // columns
};

static struct widths widths_of(const struct lz_repl *r)
{
    size_t width = (size_t)r->style.width;
    if (width < 60)
        return (struct widths){width - 2 * 11 - 4, 10};
    if (width < 100)
        return (struct widths){26, 17};
    size_t left = width - 2 * 22 - STEP_WIDTH;
    return (struct widths){left < 44 ? left : 44, 22};
}

static void say_row(struct lz_repl *r, struct lz_str *row)
{
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &r->style);
    lz_pen_add(&pen, LZ_TINT_NONE, row->text);
    lz_pen_end(&pen);
    while (text.len > 1 && (text.text[text.len - 1] == '\n' || text.text[text.len - 1] == ' '))
        text.text[--text.len] = '\0';
    lz_repl_say(r, "%s", text.text);
    lz_str_finish(&text);
    lz_str_clear(row);
}

static void say_expectations(struct lz_repl *r, const struct lz_report_run *a,
                             const struct lz_report_run *b)
{
    const struct widths w = widths_of(r);
    struct lz_str row;
    lz_str_init(&row);
    for (size_t i = 0; i < a->expectation_count && i < b->expectation_count; i++) {
        const struct lz_run_expectation *x = &a->expectations[i], *y = &b->expectations[i];
        bool same = strcmp(x->actual, y->actual) == 0 && strcmp(x->verdict, y->verdict) == 0;
        lz_str_add(&row, same ? "  " : "* ");
        add_cell(r, &row, x->name, w.name - 1);
        lz_str_addf(&row, " %s ", mark_of(r, x));
        add_cell(r, &row, x->actual, w.value - 2);
        lz_str_addf(&row, " %s ", mark_of(r, y));
        add_cell(r, &row, y->actual, w.value - 2);
        if (!same)
            add_step(&row, x->value, y->value, x->unit);
        say_row(r, &row);
    }
    lz_str_finish(&row);
}

// Of the whole run, the numbers that a person asks for first, where they differ.
static void say_metrics(struct lz_repl *r, const struct lz_report_run *a,
                        const struct lz_report_run *b)
{
    const struct widths w = widths_of(r);
    struct lz_str row;
    lz_str_init(&row);
    sqlite3_stmt *q = lz_run_ask(
        a,
        "select c.name, m.name, m.unit, m.whole from metric m join component c on"
        " c.id = m.component where m.present and m.name in ('rate', 'latency.p99',"
        " 'errors.ratio', 'failovers', 'lost_acks', 'hit_ratio', 'elections', 'lag.time')"
        " order by c.id, m.id",
        0, 0);
    while (lz_run_next(&q)) {
        char name[128], x[48], y[48];
        sqlite3_stmt *other = NULL;
        double from = lz_run_real(q, 3), to = (double)NAN;
        enum lz_unit unit = lz_run_unit(q, 2);
        sqlite3_prepare_v2(b->db,
                           "select m.whole from metric m join component c on c.id = m.component"
                           " where c.name = ?1 and m.name = ?2 and m.present",
                           -1, &other, NULL);
        sqlite3_bind_text(other, 1, lz_run_text(q, 0), -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(other, 2, lz_run_text(q, 1), -1, SQLITE_TRANSIENT);
        if (sqlite3_step(other) == SQLITE_ROW)
            to = sqlite3_column_double(other, 0);
        sqlite3_finalize(other);
        lz_format_value(x, sizeof(x), from, unit);
        snprintf(y, sizeof(y), "-");
        if (isfinite(to))
            lz_format_value(y, sizeof(y), to, unit);
        bool is_alike = fabs(to - from) <= ALIKE * fmax(fabs(from), fabs(to));
        if (strcmp(x, y) == 0 || is_alike)
            continue;
        snprintf(name, sizeof(name), "%s.%s", lz_run_text(q, 0), lz_run_text(q, 1));
        lz_str_add(&row, "* ");
        add_cell(r, &row, name, w.name - 1);
        lz_str_add(&row, "   ");
        add_cell(r, &row, x, w.value - 2);
        lz_str_add(&row, "   ");
        add_cell(r, &row, y, w.value - 2);
        add_step(&row, from, to, unit);
        say_row(r, &row);
    }
    lz_str_finish(&row);
}

static void say_head(struct lz_repl *r, const struct lz_tree_branch *x,
                     const struct lz_tree_branch *y)
{
    const struct widths w = widths_of(r);
    char at[32], at_b[32];
    struct lz_str row;
    lz_str_init(&row);
    lz_str_add_repeat(&row, " ", w.name + 4);
    add_cell(r, &row, x->name, w.value - 2);
    lz_str_addf(&row, "   %s", y->name);
    say_row(r, &row);
    lz_format_instant(at, sizeof(at), x->at);
    lz_format_instant(at_b, sizeof(at_b), y->at);
    lz_str_add(&row, "  ");
    add_cell(r, &row, "stands at", w.name - 1);
    lz_str_add(&row, "   ");
    add_cell(r, &row, at, w.value - 2);
    lz_str_addf(&row, "   %s", at_b);
    say_row(r, &row);
    lz_str_finish(&row);
}

void lz_views_diff(struct lz_repl *r, const char *args)
{
    uint32_t other = branch_named(r, args[0] != '\0' ? args : "main");
    struct lz_view_record a, b;
    if (other == r->tree.branch_count) {
        lz_repl_say(r, "error: there is no fork \"%s\"; .forks lists them", args);
        return;
    }
    if (other == r->tree.current) {
        lz_repl_say(r,
                    "error: this is %s; .diff NAME shows another fork beside it, .forks lists "
                    "them",
                    lz_tree_now(&r->tree)->name);
        return;
    }
    if (!lz_view_open(r, other, &a))
        return;
    if (lz_view_open(r, r->tree.current, &b)) {
        say_head(r, &r->tree.branches[other], lz_tree_now(&r->tree));
        say_expectations(r, a.run, b.run);
        say_metrics(r, a.run, b.run);
        lz_view_close(&b);
    }
    lz_view_close(&a);
}
