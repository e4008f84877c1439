#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/stretch.h"

#define LEVELS 6
#define COLUMNS_MAX 62
#define INDENT 2
#define LABEL_MAX 24
#define LABEL_ROOM 10 // for the levels on the left, and the axis
#define NOTE_ROOM 12  // for the arrow on the right
#define INSTANT_GAP 2 // between two instants below
#define NO_LEVEL (-1)

struct plot {
    const struct lz_run_expectation *e;
    struct lz_stretch range;
    int columns;
    double low, step; // value of level 0, and between two levels
    int limit_level;  // NO_LEVEL: there is none
    double limit;
    int deadline_column; // NO_LEVEL: there is none
    int note_room;
    int label_width;
    char labels[LEVELS][LABEL_MAX];
    double *values; // by column; NaN: no sample
    struct cell {
        unsigned char glyph, tint;
    } * cells[LEVELS]; // from level 0, the lowest
};

// Of an upper and a lower limit, the one that was crossed.
static double limit_of(const struct lz_run_expectation *e)
{
    bool is_range = e->violates[0] == 'o' && e->limit_b > e->limit_value;
    return is_range && e->value > e->limit_b ? e->limit_b : e->limit_value;
}

static int column_of(const struct plot *p, lz_time t)
{
    double share = (double)(t - p->range.from) / (double)(p->range.to - p->range.from);
    int column = (int)(share * p->columns);
    return column < 0 ? 0 : column >= p->columns ? p->columns - 1 : column;
}

// The values of columns. A window wider than a column fills several; where several
// windows share a column the worst of them is shown.
static size_t fill_values(struct plot *p, const struct lz_run_point *points, size_t count)
{
    size_t filled = 0;
    for (int c = 0; c < p->columns; c++)
        p->values[c] = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        double value = lz_stretch_adverse(p->e, &points[i]);
        int first = column_of(p, points[i].start);
        int last = column_of(p, points[i].start + points[i].width - 1);
        bool is_low = p->e->violates[0] == 'b';
        for (int c = first; c <= last; c++) {
            double *v = &p->values[c];
            filled += isnan(*v) ? 1 : 0;
            if (isnan(*v) || (is_low ? value < *v : value > *v))
                *v = value;
        }
    }
    return filled;
}

// 1, 2 or 5 times a power of ten, at least `least`.
static double round_step(double least)
{
    LZ_ASSERT(least > 0.0);
    double power = 1.0;
    while (power > least)
        power /= 10.0;
    while (power * 10.0 <= least)
        power *= 10.0;
    static const double steps[] = {1.0, 2.0, 5.0, 10.0};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i] * power >= least * (1.0 - 1e-9))
            return steps[i] * power;
    return 10.0 * power;
}

static void choose_scale(struct plot *p)
{
    double low = isnan(p->limit) ? HUGE_VAL : p->limit;
    double high = isnan(p->limit) ? -HUGE_VAL : p->limit;
    for (int c = 0; c < p->columns; c++) {
        low = p->values[c] < low ? p->values[c] : low;
        high = p->values[c] > high ? p->values[c] : high;
    }
    LZ_ASSERT(low <= high);
    if (low > 0.0 && low < high * 0.6)
        low = 0.0; // from zero, unless that would flatten all there is to see
    double span = high > low ? high - low : fabs(high) > 0.0 ? fabs(high) * 0.1 : 1.0;
    p->step = round_step(span / (LEVELS - 1));
    p->low = floor(low / p->step) * p->step;
    if (p->low + p->step * (LEVELS - 1) < high * (1.0 - 1e-12)) {
        p->step = round_step(p->step * 1.01);
        p->low = floor(low / p->step) * p->step;
    }
    // What is a share of all ends at all of it: no level beyond, where there is room below.
    double under = 1.0 - p->step * (LEVELS - 1);
    bool is_share = p->e->unit == LZ_UNIT_RATIO && low >= 0.0 && high <= 1.0;
    if (is_share && under > -1e-9 && under < p->low)
        p->low = under > 1e-9 ? under : 0.0;
}

static int nearest_level(const struct plot *p, double value)
{
    double level = floor((value - p->low) / p->step + 0.5);
    return level < 0.0 ? 0 : level > LEVELS - 1 ? LEVELS - 1 : (int)level;
}

// A level beyond the limit must be left on each side that is no good.
static void place_limit(struct plot *p)
{
    p->limit_level = NO_LEVEL;
    if (isnan(p->limit))
        return;
    p->limit_level = nearest_level(p, p->limit);
    if (p->e->violates[0] != 'b' && p->limit_level == LEVELS - 1)
        p->limit_level = LEVELS - 2;
    if (p->e->violates[0] == 'b' && p->limit_level == 0)
        p->limit_level = 1;
}

static int level_of(const struct plot *p, double value)
{
    int level = nearest_level(p, value);
    if (p->limit_level == NO_LEVEL)
        return level;
    if (value > p->limit && level <= p->limit_level && p->e->violates[0] != 'b')
        return p->limit_level + 1;
    if (value <= p->limit && level > p->limit_level)
        return p->limit_level;
    if (value < p->limit && level >= p->limit_level && p->e->violates[0] == 'b')
        return p->limit_level - 1;
    if (value >= p->limit && level < p->limit_level)
        return p->limit_level;
    return level;
}

static void write_labels(struct plot *p)
{
    for (int level = 0; level < LEVELS; level++) {
        double value = p->low + p->step * level;
        if (fabs(value) < p->step * 1e-6)
            value = 0.0;
        lz_format_value(p->labels[level], LABEL_MAX, value, p->e->unit);
        if (level == p->limit_level)
            lz_format_value(p->labels[level], LABEL_MAX, p->limit, p->e->unit);
        int width = lz_pen_width(p->labels[level]);
        p->label_width = width > p->label_width ? width : p->label_width;
    }
}

static void set(struct plot *p, int level, int column, enum lz_glyph glyph, enum lz_tint tint)
{
    LZ_ASSERT(level >= 0 && level < LEVELS);
    LZ_ASSERT(column >= 0 && column < p->columns);
    p->cells[level][column] =
        (struct cell){.glyph = (unsigned char)glyph, .tint = (unsigned char)tint};
}

// The line at one column: straight on, or turning from the level before.
static void draw_step(struct plot *p, int column, int before, int level)
{
    double value = p->values[column];
    enum lz_tint tint = lz_stretch_violates(p->e, value) ? LZ_TINT_BAD : LZ_TINT_NONE;
    if (before == NO_LEVEL || before == level) {
        set(p, level, column, LZ_GLYPH_ACROSS, tint);
        return;
    }
    bool is_up = level > before;
    set(p, before, column, is_up ? LZ_GLYPH_UP_FROM : LZ_GLYPH_DOWN_FROM, tint);
    set(p, level, column, is_up ? LZ_GLYPH_UP_TO : LZ_GLYPH_DOWN_TO, tint);
    for (int l = (is_up ? before : level) + 1; l < (is_up ? level : before); l++)
        set(p, l, column, LZ_GLYPH_DOWN, tint);
}

static void fill_cells(struct plot *p)
{
    for (int level = 0; level < LEVELS; level++)
        for (int c = 0; c < p->columns; c++) {
            bool is_deadline = c == p->deadline_column;
            bool is_limit = level == p->limit_level;
            set(p, level, c,
                is_deadline ? LZ_GLYPH_DEADLINE
                : is_limit  ? LZ_GLYPH_LIMIT
                            : LZ_GLYPH_BLANK,
                LZ_TINT_DIM);
        }
    int before = NO_LEVEL;
    for (int c = 0; c < p->columns; c++) {
        int level = isnan(p->values[c]) ? NO_LEVEL : level_of(p, p->values[c]);
        if (level != NO_LEVEL)
            draw_step(p, c, before, level);
        before = level;
    }
}

static void write_title(struct lz_pen *pen, const struct plot *p)
{
    char at[LABEL_MAX], text[LABEL_MAX + 16];
    lz_pen_to(pen, INDENT);
    lz_pen_add(pen, LZ_TINT_BOLD, p->e->metric_name);
    if (p->deadline_column != NO_LEVEL) {
        lz_format_instant(at, sizeof(at), p->e->deadline);
        snprintf(text, sizeof(text), "deadline %s", at);
        int column = INDENT + p->label_width + 2 + p->deadline_column;
        int last = pen->style->width - (int)strlen(text);
        lz_pen_to(pen, pen->column + 2 > column ? pen->column + 2 : column < last ? column : last);
        lz_pen_add(pen, LZ_TINT_DIM, text);
    }
    lz_pen_end(pen);
}

// What the arrow at the limit says: when it was met again, or that it is the limit.
static void write_note(struct lz_pen *pen, const struct plot *p)
{
    char at[LABEL_MAX];
    bool has_recovered = p->e->deadline >= 0 && p->e->at > p->e->deadline;
    lz_pen_draw(pen, LZ_TINT_NONE, LZ_GLYPH_BLANK, 1);
    lz_pen_draw(pen, LZ_TINT_DIM, LZ_GLYPH_ARROW, 1);
    if (has_recovered)
        lz_pen_add(pen, LZ_TINT_NONE, lz_format_instant(at, sizeof(at), p->e->at));
    else
        lz_pen_add(pen, LZ_TINT_DIM, "limit");
}

static void write_level(struct lz_pen *pen, const struct plot *p, int level)
{
    bool is_limit = level == p->limit_level;
    lz_pen_to(pen, INDENT + p->label_width - lz_pen_width(p->labels[level]));
    lz_pen_add(pen, is_limit ? LZ_TINT_BOLD : LZ_TINT_DIM, p->labels[level]);
    lz_pen_to(pen, INDENT + p->label_width + 1);
    lz_pen_draw(pen, LZ_TINT_DIM, is_limit ? LZ_GLYPH_AXIS_LIMIT : LZ_GLYPH_AXIS, 1);
    const struct cell *row = p->cells[level];
    for (int c = 0; c < p->columns;) {
        int next = c + 1;
        while (next < p->columns && row[next].glyph == row[c].glyph &&
               row[next].tint == row[c].tint)
            next++;
        lz_pen_draw(pen, row[c].tint, row[c].glyph, next - c);
        c = next;
    }
    if (is_limit)
        write_note(pen, p);
    lz_pen_end(pen);
}

// Instants at round distances, as many as fit.
static void write_instants(struct lz_pen *pen, const struct plot *p)
{
    static const int steps_s[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                  600, 900, 1800, 3600, 7200, 14400, 43200, 86400};
    lz_time range = p->range.to - p->range.from;
    size_t i = 0;
    while (i + 1 < sizeof(steps_s) / sizeof(steps_s[0]) &&
           (double)p->columns * (double)(steps_s[i] * LZ_S) / (double)range < LABEL_MAX / 2.0)
        i++;
    lz_time step = steps_s[i] * LZ_S;
    int axis = INDENT + p->label_width + 2;
    for (lz_time t = (p->range.from + step - 1) / step * step; t < p->range.to; t += step) {
        char at[LABEL_MAX];
        lz_format_instant(at, sizeof(at), t);
        int column = axis + column_of(p, t);
        if (column < pen->column + (pen->column > 0 ? INSTANT_GAP : 0))
            continue;
        if (column + (int)strlen(at) > pen->style->width)
            break;
        lz_pen_to(pen, column);
        lz_pen_add(pen, LZ_TINT_DIM, at);
    }
    lz_pen_end(pen);
}

// As wide as the style allows, in whole columns per window where windows are few.
static void choose_columns(struct plot *p, int width, const struct lz_run_point *points)
{
    lz_time window = points[0].width;
    int most = width - INDENT - LABEL_ROOM - p->note_room;
    most = most < COLUMNS_MAX ? most : COLUMNS_MAX;
    LZ_ASSERT(most > 0);
    p->range.from -= p->range.from % window;
    p->range.to += (window - p->range.to % window) % window;
    lz_time windows = (p->range.to - p->range.from) / window;
    p->columns = windows <= most ? (int)windows * (most / (int)windows) : most;
    p->deadline_column = NO_LEVEL;
    if (p->e->deadline >= p->range.from && p->e->deadline < p->range.to)
        p->deadline_column = column_of(p, p->e->deadline);
}

static void draw(struct lz_pen *pen, struct plot *p)
{
    choose_scale(p);
    place_limit(p);
    write_labels(p);
    for (int level = 0; level < LEVELS; level++)
        p->cells[level] = lz_mem_alloc((size_t)p->columns * sizeof(struct cell));
    fill_cells(p);
    if (p->e->metric_name[0] != '\0')
        write_title(pen, p);
    for (int level = LEVELS - 1; level >= 0; level--)
        write_level(pen, p, level);
    write_instants(pen, p);
    for (int level = 0; level < LEVELS; level++)
        free(p->cells[level]);
}

void lz_plot_draw(struct lz_pen *pen, const struct lz_report_run *run,
                  const struct lz_run_expectation *e)
{
    LZ_ASSERT(pen->column == 0);
    if (e->metric <= 0)
        return;
    struct lz_stretch s = lz_stretch_of(run, e);
    struct plot p = {
        .e = e, .range = lz_stretch_wider(run, &s), .limit = limit_of(e), .note_room = NOTE_ROOM};
    struct lz_run_point *points;
    size_t count = lz_run_points(run, e->metric, p.range.from, p.range.to, &points);
    if (count >= 2) {
        choose_columns(&p, pen->style->width, points);
        p.values = lz_mem_alloc((size_t)p.columns * sizeof(double));
        if (fill_values(&p, points, count) >= 2) {
            draw(pen, &p);
            lz_pen_end(pen);
        }
        free(p.values);
    }
    free(points);
}

bool lz_plot_points(struct lz_pen *pen, const struct lz_plot_line *line)
{
    LZ_ASSERT(pen->column == 0);
    LZ_ASSERT(line->from < line->to);
    const struct lz_run_expectation e = {.metric_name = line->title,
                                         .unit = line->unit,
                                         .at = -1,
                                         .deadline = -1,
                                         .limit_value = (double)NAN,
                                         .limit_b = (double)NAN,
                                         .violates = ""};
    struct plot p = {.e = &e, .range = {line->from, line->to}, .limit = (double)NAN};
    if (line->count < 2)
        return false;
    choose_columns(&p, pen->style->width, line->points);
    p.values = lz_mem_alloc((size_t)p.columns * sizeof(double));
    bool is_drawn = fill_values(&p, line->points, line->count) >= 2;
    if (is_drawn)
        draw(pen, &p);
    free(p.values);
    return is_drawn;
}
