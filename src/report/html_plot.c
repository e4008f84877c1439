// Plots of a page: the SVG that everybody sees, and beside it the numbers for a script.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/html_draw.h"
#include "report/json.h"

#define PLOT_HEIGHT 132
#define PLOT_TOP 12
#define PLOT_BOTTOM 104
#define COLUMNS 300 // of a picture: a value for each, at most
#define NUMBERS 900 // for a script: as many windows are given as they are
#define SPARK_WIDTH 96
#define SPARK_HEIGHT 20

// Of each column the least and the greatest value and their mean; NaN where there is none.
struct columns {
    double low[NUMBERS], high[NUMBERS], mean[NUMBERS];
    double least, greatest;
    size_t filled;
    int count;
};

static const char *const strokes[] = {"#0072b2", "#9a5f00", "#007a5a"};
static const char *const classes[] = {"c", "c2", "c3"};

static double of_kept(double a, double b, bool greater)
{
    return isnan(a) || (greater ? b > a : b < a) ? b : a;
}

// `span` is what all columns together cover, from the beginning.
static void fill(struct columns *c, lz_time span, const struct lz_run_point *points, size_t count)
{
    int per[NUMBERS] = {0};
    LZ_ASSERT(c->count > 0 && c->count <= NUMBERS);
    c->least = c->greatest = (double)NAN;
    c->filled = 0;
    for (int i = 0; i < c->count; i++)
        c->low[i] = c->high[i] = c->mean[i] = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        const struct lz_run_point *p = &points[i];
        if (!isfinite(p->value) || span <= 0)
            continue;
        double low = isfinite(p->low) ? p->low : p->value;
        double high = isfinite(p->high) ? p->high : p->value;
        double per_ns = c->count / (double)span;
        int first = (int)((double)p->start * per_ns + 1e-6);
        int last = (int)((double)(p->start + p->width - 1) * per_ns);
        last = last < first ? first : last;
        for (int k = first < 0 ? 0 : first; k <= last && k < c->count; k++) {
            c->low[k] = of_kept(c->low[k], low, false);
            c->high[k] = of_kept(c->high[k], high, true);
            c->mean[k] =
                per[k] == 0 ? p->value : c->mean[k] + (p->value - c->mean[k]) / (per[k] + 1);
            per[k]++;
        }
        c->least = of_kept(c->least, low, false);
        c->greatest = of_kept(c->greatest, high, true);
        c->filled++;
    }
}

// ---------------------------------------------------------------- heights

struct scale {
    double low, high;
};

static double y_of(const struct scale *s, double value)
{
    double share = s->high > s->low ? (value - s->low) / (s->high - s->low) : 0.5;
    share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    return PLOT_BOTTOM - share * (PLOT_BOTTOM - PLOT_TOP);
}

static struct scale scale_of(double least, double greatest, const struct lz_run_expectation *e)
{
    struct scale s = {least, greatest};
    if (e != NULL && isfinite(e->limit_value)) {
        s.low = e->limit_value < s.low ? e->limit_value : s.low;
        s.high = e->limit_value > s.high ? e->limit_value : s.high;
    }
    if (s.low > 0.0 && s.low < 0.7 * s.high)
        s.low = 0.0;
    if (!(s.high > s.low))
        s.high = s.low + (fabs(s.low) > 0.0 ? fabs(s.low) : 1.0);
    s.high += 0.04 * (s.high - s.low);
    return s;
}

static void write_level(struct lz_str *out, const struct scale *s, double value, enum lz_unit unit)
{
    char text[40];
    lz_str_addf(out,
                "<path d=\"M%d %.1fH%d\" stroke=\"#999\" stroke-opacity=\"0.3\"/><text x=\"%d\""
                " y=\"%.1f\" text-anchor=\"end\" fill=\"#777\" class=\"q\">%s</text>",
                LZ_HTML_LEFT, y_of(s, value), LZ_HTML_WIDTH - 8, LZ_HTML_LEFT - 6,
                y_of(s, value) + 4, lz_format_value(text, sizeof(text), value, unit));
}

// ---------------------------------------------------------------- the picture

static double x_of_column(int i, int count)
{
    return LZ_HTML_LEFT + (i + 0.5) / count * (LZ_HTML_WIDTH - LZ_HTML_LEFT - 8);
}

// What printf would take most of a page's time for: whole numbers, and tenths.
static void add_whole(struct lz_str *out, int64_t n)
{
    char text[24], *at = text + sizeof(text);
    uint64_t left = n < 0 ? (uint64_t)-n : (uint64_t)n;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (n < 0)
        *--at = '-';
    lz_str_add_n(out, at, (size_t)(text + sizeof(text) - at));
}

static void add_tenths(struct lz_str *out, double value)
{
    int64_t tenths = (int64_t)(value * 10.0 + 0.5);
    LZ_ASSERT(value >= 0.0 && value < 1e6);
    add_whole(out, tenths / 10);
    if (tenths % 10 != 0) {
        lz_str_add_char(out, '.');
        lz_str_add_char(out, (char)('0' + tenths % 10));
    }
}

static void add_point(struct lz_str *out, char how, double x, double y)
{
    lz_str_add_char(out, how);
    add_tenths(out, x);
    lz_str_add_char(out, ' ');
    add_tenths(out, y);
}

// From one gap to the next; returns where the latter begins.
static int end_of_stretch(const struct columns *c, int from)
{
    int end = from;
    while (end < c->count && !isnan(c->high[end]))
        end++;
    return end;
}

static void write_between(struct lz_str *out, const struct columns *c, const struct scale *s,
                          int from, int end)
{
    for (int i = from; i < end; i++)
        add_point(out, i == from ? 'M' : 'L', x_of_column(i, c->count), y_of(s, c->high[i]));
    for (int i = end; i-- > from;)
        add_point(out, 'L', x_of_column(i, c->count), y_of(s, c->low[i]));
    lz_str_add(out, "z");
}

// A line through the greatest values, and below it an area down to the least.
static void write_curve(struct lz_str *out, const struct columns *c, const struct scale *s,
                        size_t number)
{
    bool has_low = false;
    for (int i = 0; i < c->count; i++)
        has_low = has_low || c->low[i] < c->high[i];
    if (has_low) {
        lz_str_addf(out, "<path fill=\"%s\" fill-opacity=\"0.25\" d=\"", strokes[number]);
        for (int i = 0, end; i < c->count; i = end + 1)
            if ((end = end_of_stretch(c, i)) > i)
                write_between(out, c, s, i, end);
        lz_str_add(out, "\"/>");
    }
    lz_str_addf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.4\" class=\"%s\" d=\"",
                strokes[number], classes[number]);
    for (int i = 0; i < c->count; i++) {
        bool is_new = i == 0 || isnan(c->high[i - 1]);
        bool is_alone =
            !isnan(c->high[i]) && is_new && (i + 1 == c->count || isnan(c->high[i + 1]));
        if (!isnan(c->high[i]))
            add_point(out, is_new ? 'M' : 'L', x_of_column(i, c->count), y_of(s, c->high[i]));
        if (is_alone)
            lz_str_add(out, "h2");
    }
    lz_str_add(out, "\"/>");
}

static void write_limit(struct lz_str *out, const struct lz_report_run *run, const struct scale *s,
                        const struct lz_run_expectation *e)
{
    if (isfinite(e->limit_value)) {
        double y = y_of(s, e->limit_value);
        lz_str_addf(out,
                    "<path d=\"M%d %.1fH%d\" stroke=\"#cc3311\" stroke-dasharray=\"5 4\""
                    " class=\"l\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#cc3311\""
                    " class=\"b\">limit ",
                    LZ_HTML_LEFT, y, LZ_HTML_WIDTH - 8, LZ_HTML_WIDTH - 10,
                    y < PLOT_TOP + 14 ? y + 12 : y - 4);
        lz_html_text(out, e->limit_text);
        lz_str_add(out, "</text>");
    }
    if (e->at >= 0 && strcmp(e->verdict, "pass") != 0)
        lz_str_addf(out,
                    "<path d=\"M%.1f %dV%d\" stroke=\"#cc3311\" class=\"l\"/><text x=\"%.1f\""
                    " y=\"%d\" text-anchor=\"middle\" fill=\"#cc3311\" class=\"b\">&#10007;</text>",
                    lz_html_x(run, e->at), PLOT_TOP, PLOT_BOTTOM, lz_html_x(run, e->at),
                    PLOT_TOP - 2);
    if (e->deadline >= 0)
        lz_str_addf(out,
                    "<path d=\"M%.1f %dV%d\" stroke=\"#777\" stroke-dasharray=\"2 3\"/>"
                    "<text x=\"%.1f\" y=\"%d\" fill=\"#777\" class=\"q\">deadline</text>",
                    lz_html_x(run, e->deadline), PLOT_TOP, PLOT_BOTTOM,
                    lz_html_x(run, e->deadline) + 4, PLOT_TOP + 10);
}

// ---------------------------------------------------------------- lines of a plot

struct line {
    char name[64], of[200];
    enum lz_unit unit;
    struct lz_run_point *points;
    size_t count;
    struct columns c;
};

static bool read_line(struct line *line, const struct lz_report_run *run, int64_t metric)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select m.name, m.unit, c.name from metric m left join component"
                                 " c on c.id = m.component where m.id = ?",
                                 metric, 0);
    while (lz_run_next(&q)) {
        snprintf(line->name, sizeof(line->name), "%s", lz_run_text(q, 0));
        line->unit = lz_run_unit(q, 1);
        snprintf(line->of, sizeof(line->of), "%s", lz_run_text(q, 2));
    }
    line->count = lz_run_points(run, metric, 0, INT64_MAX, &line->points);
    line->c.count = COLUMNS;
    fill(&line->c, run->virtual_ns, line->points, line->count);
    return line->c.filled > 0;
}

// As many columns as there are windows, each as wide as its window, the last one's end too; and
// never more than a script can show.
static int columns_for(const struct lz_report_run *run, const struct line *line, lz_time *span)
{
    lz_time width = line->count > 0 ? line->points[0].width : LZ_S;
    lz_time count = width > 0 ? (run->virtual_ns + width - 1) / width : NUMBERS;
    *span = run->virtual_ns;
    if (count > NUMBERS)
        return NUMBERS;
    if (count < 1)
        return 1;
    if (width > 0)
        *span = width * count;
    return (int)count;
}

static void write_list(struct lz_str *out, const char *name, const double *values, int count)
{
    lz_str_addf(out, ",\"%s\":[", name);
    for (int i = 0; i < count; i++) {
        lz_str_add(out, i > 0 ? "," : "");
        if (!isfinite(values[i]))
            lz_str_add(out, "null");
        else if (fabs(values[i]) < 1e4 && !(floor(values[i]) < values[i]))
            add_whole(out, (int64_t)values[i]);
        else
            lz_str_addf(out, "%.4g", values[i]);
    }
    lz_str_add(out, "]");
}

void lz_html_json(struct lz_str *out, const char *text)
{
    struct lz_str quoted;
    lz_str_init(&quoted);
    lz_json_string(&quoted, text);
    for (const char *c = quoted.text; *c != '\0'; c++) {
        if (*c == '<' || *c == '>' || *c == '&')
            lz_str_addf(out, "\\u%04x", (unsigned)*c);
        else
            lz_str_add_char(out, *c);
    }
    lz_str_finish(&quoted);
}

static void write_numbers(struct lz_str *out, const struct lz_report_run *run,
                          const struct lz_html_chart *chart, struct line *const *lines,
                          size_t count)
{
    static const char *const units[] = {[LZ_UNIT_COUNT] = "count",
                                        [LZ_UNIT_RATIO] = "ratio",
                                        [LZ_UNIT_SECONDS] = "s",
                                        [LZ_UNIT_RATE] = "/s",
                                        [LZ_UNIT_BYTES] = "B"};
    const struct lz_run_expectation *e = chart->e;
    lz_time span;
    int columns = columns_for(run, lines[0], &span);
    lz_str_add(out, "<script type=\"application/json\">{\"of\":");
    lz_html_json(out, lines[0]->of);
    lz_str_addf(out, ",\"unit\":\"%s\",\"step\":%.9g", units[lines[0]->unit],
                (double)span / 1e9 / columns);
    if (e != NULL && isfinite(e->limit_value)) {
        lz_str_addf(out, ",\"limit\":%.9g,\"text\":", e->limit_value);
        lz_html_json(out, e->limit_text);
    }
    if (e != NULL && e->at >= 0 && strcmp(e->verdict, "pass") != 0)
        lz_str_addf(out, ",\"failed\":%.9g", (double)e->at / 1e9);
    if (e != NULL && e->deadline >= 0)
        lz_str_addf(out, ",\"deadline\":%.9g", (double)e->deadline / 1e9);
    lz_str_add(out, ",\"series\":[");
    for (size_t i = 0; i < count; i++) {
        struct columns *c = &lines[i]->c;
        c->count = columns;
        fill(c, span, lines[i]->points, lines[i]->count);
        bool has_low = false;
        for (int k = 0; k < columns; k++)
            has_low = has_low || c->low[k] < c->high[k];
        lz_str_addf(out, "%s{\"name\":", i > 0 ? "," : "");
        lz_html_json(out, lines[i]->name);
        write_list(out, "high", c->high, columns);
        if (has_low) {
            write_list(out, "low", c->low, columns);
            write_list(out, "mean", c->mean, columns);
        }
        lz_str_add(out, "}");
    }
    lz_str_add(out, "]}</script>");
}

// The plot in a dozen rows, for who does not see it.
static void write_table(struct lz_str *out, const struct lz_report_run *run,
                        struct line *const *lines, size_t count)
{
    char a[40], b[40];
    lz_time step = lz_html_tick(run->virtual_ns);
    lz_str_add(out, "<details class=\"numbers\"><summary>as a table</summary><table><tr><th>from"
                    "</th>");
    for (size_t i = 0; i < count; i++) {
        lz_str_add(out, "<th>");
        lz_html_text(out, lines[i]->name);
        lz_str_add(out, ", least to greatest</th>");
    }
    lz_str_add(out, "</tr>");
    for (lz_time at = 0; at < run->virtual_ns; at += step) {
        lz_str_addf(out, "<tr><td>%s</td>", lz_format_instant(a, sizeof(a), at));
        for (size_t i = 0; i < count; i++) {
            const struct line *l = lines[i];
            double low = (double)NAN, high = (double)NAN;
            for (size_t k = 0; k < l->count; k++) {
                const struct lz_run_point *p = &l->points[k];
                if (p->start < at || p->start >= at + step || !isfinite(p->value))
                    continue;
                low = of_kept(low, isfinite(p->low) ? p->low : p->value, false);
                high = of_kept(high, isfinite(p->high) ? p->high : p->value, true);
            }
            if (isnan(low))
                lz_str_add(out, "<td>&#8211;</td>");
            else
                lz_str_addf(out, "<td>%s to %s</td>", lz_format_value(a, sizeof(a), low, l->unit),
                            lz_format_value(b, sizeof(b), high, l->unit));
        }
        lz_str_add(out, "</tr>");
    }
    lz_str_add(out, "</table></details>");
}

static void write_caption(struct lz_str *out, const struct lz_html_chart *chart,
                          struct line *const *lines, size_t count)
{
    lz_str_add(out, "<figure class=\"plot\"><figcaption>");
    lz_html_text(out, chart->name);
    for (size_t i = 0; i < count && count > 1; i++) {
        const char *dot = strrchr(lines[i]->name, '.');
        lz_str_addf(out, " <span class=\"k k%zu\">&#9644; ", i + 1);
        lz_html_text(out, dot != NULL ? dot + 1 : lines[i]->name);
        lz_str_add(out, "</span>");
    }
    lz_str_add(out, " <output></output></figcaption>");
}

static void write_figure(struct lz_str *out, const struct lz_report_run *run,
                         const struct lz_html_chart *chart, struct line *const *lines, size_t count)
{
    double least = (double)NAN, greatest = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        least = of_kept(least, lines[i]->c.least, false);
        greatest = of_kept(greatest, lines[i]->c.greatest, true);
    }
    struct scale s = scale_of(least, greatest, chart->e);
    write_caption(out, chart, lines, count);
    lz_html_svg_begin(out, PLOT_HEIGHT, chart->name);
    lz_html_bands(out, run, PLOT_TOP, PLOT_BOTTOM);
    for (int i = 0; i <= 2; i++)
        write_level(out, &s, s.low + (s.high - s.low) / 1.04 * i / 2, lines[0]->unit);
    for (size_t i = count; i-- > 0;)
        write_curve(out, &lines[i]->c, &s, i);
    if (chart->e != NULL)
        write_limit(out, run, &s, chart->e);
    lz_html_ruler(out, run, PLOT_BOTTOM);
    lz_html_svg_end(out);
    write_table(out, run, lines, count);
    write_numbers(out, run, chart, lines, count);
    lz_str_add(out, "</figure>\n");
}

bool lz_html_plot(struct lz_str *out, const struct lz_report_run *run,
                  const struct lz_html_chart *chart)
{
    struct line *lines[LZ_HTML_LINES_MAX];
    size_t count = 0;
    bool is_flat = true;
    for (size_t i = 0; i < LZ_HTML_LINES_MAX && chart->metrics[i] != 0; i++) {
        struct line *line = lz_mem_alloc(sizeof(*line));
        *line = (struct line){0};
        if (read_line(line, run, chart->metrics[i])) {
            is_flat = is_flat && !(line->c.least < line->c.greatest);
            lines[count++] = line;
        } else {
            free(line->points);
            free(line);
        }
    }
    is_flat = is_flat && chart->flat != NULL && count > 0;
    if (is_flat)
        lz_format_value(chart->flat, chart->flat_size, lines[0]->c.least, lines[0]->unit);
    else if (count > 0)
        write_figure(out, run, chart, lines, count);
    for (size_t i = 0; i < count; i++) {
        free(lines[i]->points);
        free(lines[i]);
    }
    return count > 0 && !is_flat;
}

void lz_html_sparkline(struct lz_str *out, const struct lz_report_run *run,
                       const struct lz_run_expectation *e)
{
    struct line *line = lz_mem_alloc(sizeof(*line));
    *line = (struct line){0};
    if (e->metric != 0 && read_line(line, run, e->metric)) {
        line->c.count = SPARK_WIDTH / 2;
        fill(&line->c, run->virtual_ns, line->points, line->count);
        struct scale s = scale_of(line->c.least, line->c.greatest, e);
        double high = s.high > s.low ? s.high - s.low : 1.0;
        lz_str_addf(out,
                    "<svg width=\"%d\" height=\"%d\" aria-hidden=\"true\"><path fill=\"none\""
                    " stroke=\"#0072b2\" class=\"c\" d=\"",
                    SPARK_WIDTH, SPARK_HEIGHT);
        for (int i = 0; i < line->c.count; i++) {
            if (isnan(line->c.high[i]))
                continue;
            lz_str_addf(out, "%c%d %.1f", i == 0 || isnan(line->c.high[i - 1]) ? 'M' : 'L',
                        2 * i + 1,
                        SPARK_HEIGHT - 1 - (line->c.high[i] - s.low) / high * (SPARK_HEIGHT - 2));
        }
        lz_str_add(out, "\"/>");
        if (isfinite(e->limit_value))
            lz_str_addf(out,
                        "<path d=\"M0 %.1fH%d\" stroke=\"#cc3311\" stroke-dasharray=\"2 2\""
                        " class=\"l\"/>",
                        SPARK_HEIGHT - 1 - (e->limit_value - s.low) / high * (SPARK_HEIGHT - 2),
                        SPARK_WIDTH);
        lz_str_add(out, "</svg>");
    }
    free(line->points);
    free(line);
}
