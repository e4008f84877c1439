#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/block.h"
#include "report/paint.h"

#define ROWS 6
#define LABEL 9 /* columns for the value beside the axis */

struct grid {
    double *values; // per column; NaN where there is no sample
    int columns;
    double low, high;
};

static enum lz_unit unit_of(const char *name)
{
    static const struct {
        const char *name;
        enum lz_unit unit;
    } units[] = {{"ratio", LZ_UNIT_RATIO},
                 {"s", LZ_UNIT_SECONDS},
                 {"/s", LZ_UNIT_RATE},
                 {"B", LZ_UNIT_BYTES}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].name, name) == 0)
            return units[i].unit;
    return LZ_UNIT_COUNT;
}

// The largest sample that falls into a column: extremes must not vanish in a wide plot.
static void fill(const struct lz_report_run *run, const struct lz_report_plot *p, struct grid *g)
{
    for (int c = 0; c < g->columns; c++)
        g->values[c] = (double)NAN;
    int64_t span = p->to_ns - p->from_ns;
    sqlite3_stmt *st = lz_report_ask(
        run,
        "SELECT start_ns, width_ns, value FROM series WHERE metric = ? AND start_ns + width_ns > ?"
        " AND start_ns < ? ORDER BY start_ns",
        3, (const int64_t[]){p->metric, p->from_ns, p->to_ns});
    while (sqlite3_step(st) == SQLITE_ROW) {
        int64_t start = sqlite3_column_int64(st, 0), end = start + sqlite3_column_int64(st, 1);
        double v = sqlite3_column_double(st, 2);
        int first = (int)((start - p->from_ns) * g->columns / span);
        int last = (int)((end - p->from_ns) * g->columns / span);
        for (int c = first < 0 ? 0 : first; c < last && c < g->columns; c++)
            if (isnan(g->values[c]) || v > g->values[c])
                g->values[c] = v;
    }
    sqlite3_finalize(st);
}

static bool scale(struct grid *g, double limit)
{
    g->low = 0.0;
    g->high = isfinite(limit) ? limit : 0.0;
    bool any = false;
    for (int c = 0; c < g->columns; c++) {
        if (isnan(g->values[c]))
            continue;
        any = true;
        if (g->values[c] > g->high)
            g->high = g->values[c];
    }
    if (!(g->high > 0.0))
        g->high = 1.0;
    return any;
}

// Row 0 is at the top.
static int row_of(const struct grid *g, double v)
{
    int row = (int)((g->high - v) / (g->high - g->low) * (ROWS - 1) + 0.5);
    return row < 0 ? 0 : row >= ROWS ? ROWS - 1 : row;
}

static const char *cell(const struct lz_report_style *style, const struct grid *g, int row, int c)
{
    if (isnan(g->values[c]))
        return " ";
    int here = row_of(g, g->values[c]);
    int before = c > 0 && !isnan(g->values[c - 1]) ? row_of(g, g->values[c - 1]) : here;
    if (here == before)
        return row != here ? " " : style->ascii ? "-" : "─";
    int top = here < before ? here : before, bottom = here < before ? before : here;
    if (row < top || row > bottom)
        return " ";
    if (style->ascii)
        return row == here ? "-" : "|";
    if (row == here)
        return here < before ? "╭" : "╰";
    if (row == before)
        return here < before ? "╯" : "╮";
    return "│";
}

static void put_row(struct lz_str *to, const struct lz_report_style *style,
                    const struct lz_report_plot *p, const struct grid *g, int row,
                    enum lz_unit unit)
{
    struct lz_str row_text, *out = &row_text;
    lz_str_init(out);
    char label[32] = "";
    double value = g->high - (g->high - g->low) * row / (ROWS - 1);
    bool is_limit = isfinite(p->limit) && row_of(g, p->limit) == row;
    if (is_limit)
        lz_format_value(label, sizeof(label), p->limit, unit);
    else if (row % 2 == 0 || row == ROWS - 1)
        lz_format_value(label, sizeof(label), value, unit);
    int pad = LABEL - (int)lz_str_width(label);
    lz_str_add_repeat(out, " ", (size_t)(pad > 0 ? pad : 0));
    lz_str_add(out, label);
    lz_str_add(out, is_limit ? (style->ascii ? " +" : " ┼") : (style->ascii ? " |" : " ┤"));
    int64_t span = p->to_ns - p->from_ns;
    int mark = p->deadline_ns >= p->from_ns
                   ? (int)((p->deadline_ns - p->from_ns) * g->columns / span)
                   : -1;
    lz_paint_begin(out, style, LZ_BLUE);
    for (int c = 0; c < g->columns; c++) {
        const char *text = cell(style, g, row, c);
        bool empty = text[0] == ' ';
        if (empty && c == mark)
            text = style->ascii ? ":" : "┊";
        lz_str_add(out, text);
    }
    lz_paint_end(out, style, LZ_BLUE);
    if (is_limit)
        lz_str_add(out, style->ascii ? " limit" : " ← limit");
    while (out->len > 0 && out->text[out->len - 1] == ' ')
        out->len--;
    lz_str_add_n(to, out->text, out->len);
    lz_str_add_char(to, '\n');
    lz_str_finish(out);
}

static void put_axis(struct lz_str *out, const struct lz_report_plot *p, int columns)
{
    char from[32], middle[32], to[32];
    lz_format_instant(from, sizeof(from), p->from_ns);
    lz_format_instant(middle, sizeof(middle), p->from_ns + (p->to_ns - p->from_ns) / 2);
    lz_format_instant(to, sizeof(to), p->to_ns);
    int room = columns - (int)strlen(from) - (int)strlen(middle) - (int)strlen(to);
    int gap = room > 2 ? room / 2 : 1;
    lz_str_add_repeat(out, " ", LABEL + 2);
    lz_str_add(out, from);
    lz_str_add_repeat(out, " ", (size_t)gap);
    lz_str_add(out, middle);
    lz_str_add_repeat(out, " ", (size_t)(room - gap > 0 ? room - gap : 1));
    lz_str_addf(out, "%s\n", to);
}

void lz_report_plot(struct lz_str *out, const struct lz_report_style *style,
                    const struct lz_report_run *run, const struct lz_report_plot *p)
{
    LZ_ASSERT(p->to_ns > p->from_ns);
    sqlite3_stmt *st = lz_report_ask(run,
                                     "SELECT c.name || '.' || m.name, m.unit FROM metric m JOIN"
                                     " component c ON c.id = m.component WHERE m.id = ?",
                                     1, &p->metric);
    if (sqlite3_step(st) != SQLITE_ROW) {
        sqlite3_finalize(st);
        return;
    }
    enum lz_unit unit = unit_of(lz_report_text(st, 1));
    struct grid g = {.columns = style->width - LABEL - 2 - 9};
    if (g.columns > 60)
        g.columns = 60;
    lz_str_addf(out, "\n  %s", lz_report_text(st, 0));
    sqlite3_finalize(st);
    if (p->deadline_ns >= 0) {
        char deadline[32];
        lz_format_instant(deadline, sizeof(deadline), p->deadline_ns);
        lz_str_addf(out, "   deadline %s", deadline);
    }
    lz_str_add_char(out, '\n');
    if (g.columns < 12) {
        lz_str_add(out, "  (the terminal is too narrow for a plot)\n");
        return;
    }
    g.values = lz_mem_alloc((size_t)g.columns * sizeof(*g.values));
    fill(run, p, &g);
    if (scale(&g, p->limit)) {
        for (int row = 0; row < ROWS; row++)
            put_row(out, style, p, &g, row, unit);
        put_axis(out, p, g.columns);
    } else {
        lz_str_add(out, "  no sample in this stretch of the run\n");
    }
    free(g.values);
}
