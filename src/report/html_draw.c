#include "report/html_draw.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/json.h"
#include "report/stretch.h"

#define PLOT_HEIGHT 132
#define PLOT_TOP 12
#define PLOT_BOTTOM 104
#define COLUMNS 480 // a value for each, at most
#define TICKS 8     // about so many instants

void lz_html_text(struct lz_str *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        size_t len = lz_json_sequence(p);
        bool is_control = *p < 0x20 && *p != '\n' && *p != '\t';
        bool turns = len == 3 && p[0] == 0xe2 &&
                     ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
                      (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
        if (len == 0 || is_control || *p == 0x7f || turns)
            lz_str_add(out, "\xef\xbf\xbd");
        else if (strchr("<>&\"'", *p) != NULL)
            lz_str_addf(out, "&#%d;", *p);
        else
            lz_str_add_n(out, (const char *)p, len);
        p += len > 0 ? len : 1;
    }
}

double lz_html_x(const struct lz_report_run *run, lz_time at)
{
    double share = run->virtual_ns > 0 ? (double)at / (double)run->virtual_ns : 0.0;
    share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    return LZ_HTML_LEFT + share * (LZ_HTML_WIDTH - LZ_HTML_LEFT - 8);
}

void lz_html_svg_begin(struct lz_str *out, int height, const char *what)
{
    lz_str_addf(out,
                "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\""
                " font-family=\"sans-serif\" font-size=\"11\"><title>",
                LZ_HTML_WIDTH, height, LZ_HTML_WIDTH, height);
    lz_html_text(out, what);
    lz_str_add(out, "</title>");
}

void lz_html_svg_end(struct lz_str *out)
{
    lz_str_add(out, "</svg>\n");
}

static lz_time tick_step(lz_time whole)
{
    static const int64_t seconds[] = {1,   2,   5,    10,   15,   30,    60,    120,
                                      300, 600, 1800, 3600, 7200, 21600, 86400, 604800};
    size_t i = 0;
    while (i + 1 < sizeof(seconds) / sizeof(seconds[0]) && seconds[i] * LZ_S * TICKS < whole)
        i++;
    return seconds[i] * LZ_S;
}

void lz_html_ruler(struct lz_str *out, const struct lz_report_run *run, int y)
{
    lz_time step = tick_step(run->virtual_ns);
    for (lz_time at = 0; at <= run->virtual_ns; at += step) {
        char text[40];
        double x = lz_html_x(run, at);
        bool is_last = x > LZ_HTML_WIDTH - 30;
        lz_str_addf(out,
                    "<path d=\"M%.1f %dv4\" stroke=\"#888\"/><text x=\"%.1f\" y=\"%d\""
                    " text-anchor=\"%s\" fill=\"#777\" class=\"q\">%s</text>",
                    x, y, x, y + 16, is_last ? "end" : "middle",
                    lz_format_instant(text, sizeof(text), at));
    }
}

void lz_html_bands(struct lz_str *out, const struct lz_report_run *run, int top, int bottom)
{
    if (run->warmup_ns > 0)
        lz_str_addf(out,
                    "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#999\""
                    " fill-opacity=\"0.12\"/>",
                    LZ_HTML_LEFT, top, lz_html_x(run, run->warmup_ns) - LZ_HTML_LEFT, bottom - top);
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select name, started_ns, ended_ns from fault"
                                 " where started_ns is not null order by id limit 200",
                                 0, 0);
    while (lz_run_next(&q)) {
        lz_time from = lz_run_time(q, 1), to = lz_run_time(q, 2);
        double x = lz_html_x(run, from);
        double wide = lz_html_x(run, to >= 0 ? to : run->virtual_ns) - x;
        lz_str_addf(out,
                    "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#d55e00\""
                    " fill-opacity=\"0.13\"><title>",
                    x, top, wide > 1.0 ? wide : 1.0, bottom - top);
        lz_html_text(out, lz_run_text(q, 0));
        lz_str_add(out, "</title></rect>");
    }
}

// ---------------------------------------------------------------- a plot

// The least and the greatest value of each column; NaN where there is none.
struct columns {
    double low[COLUMNS], high[COLUMNS];
    double least, greatest;
    size_t filled;
};

static double of_kept(double a, double b, bool greater)
{
    return isnan(a) || (greater ? b > a : b < a) ? b : a;
}

static void fill(struct columns *c, const struct lz_report_run *run,
                 const struct lz_run_point *points, size_t count)
{
    *c = (struct columns){.least = (double)NAN, .greatest = (double)NAN};
    for (int i = 0; i < COLUMNS; i++)
        c->low[i] = c->high[i] = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        const struct lz_run_point *p = &points[i];
        if (!isfinite(p->value) || run->virtual_ns <= 0)
            continue;
        double low = isfinite(p->low) ? p->low : p->value;
        double high = isfinite(p->high) ? p->high : p->value;
        int first = (int)((double)p->start / (double)run->virtual_ns * COLUMNS);
        int last = (int)((double)(p->start + p->width - 1) / (double)run->virtual_ns * COLUMNS);
        for (int k = first < 0 ? 0 : first; k <= last && k < COLUMNS; k++) {
            c->low[k] = of_kept(c->low[k], low, false);
            c->high[k] = of_kept(c->high[k], high, true);
        }
        c->least = of_kept(c->least, low, false);
        c->greatest = of_kept(c->greatest, high, true);
        c->filled++;
    }
}

struct scale {
    double low, high;
};

static double y_of(const struct scale *s, double value)
{
    double share = s->high > s->low ? (value - s->low) / (s->high - s->low) : 0.5;
    share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    return PLOT_BOTTOM - share * (PLOT_BOTTOM - PLOT_TOP);
}

static struct scale scale_of(const struct columns *c, const struct lz_run_expectation *e)
{
    struct scale s = {c->least, c->greatest};
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

static double x_of_column(int i)
{
    return LZ_HTML_LEFT + (i + 0.5) / COLUMNS * (LZ_HTML_WIDTH - LZ_HTML_LEFT - 8);
}

// What lies between the extremes, and a line through the greater ones.
static void write_curve(struct lz_str *out, const struct columns *c, const struct scale *s)
{
    lz_str_add(out, "<path fill=\"none\" stroke=\"#0072b2\" stroke-width=\"1.4\" class=\"c\" d=\"");
    for (int i = 0; i < COLUMNS; i++) {
        bool is_new = i == 0 || isnan(c->high[i - 1]);
        if (isnan(c->high[i]))
            continue;
        lz_str_addf(out, "%c%.1f %.1f", is_new ? 'M' : 'L', x_of_column(i), y_of(s, c->high[i]));
        if (c->low[i] < c->high[i])
            lz_str_addf(out, "V%.1fV%.1f", y_of(s, c->low[i]), y_of(s, c->high[i]));
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

// The values, for who asks at the cursor; the texts are what a script need not format.
static void write_values(struct lz_str *out, const struct columns *c, enum lz_unit unit)
{
    lz_str_add(out, "<desc>");
    for (int i = 0; i < COLUMNS; i++) {
        char text[40] = "";
        if (!isnan(c->high[i]))
            lz_format_value(text, sizeof(text), c->high[i], unit);
        lz_str_addf(out, "%s%s", i > 0 ? "|" : "", text);
    }
    lz_str_add(out, "</desc>");
}

static enum lz_unit unit_of(const struct lz_report_run *run, int64_t metric)
{
    enum lz_unit unit = LZ_UNIT_COUNT;
    sqlite3_stmt *q = lz_run_ask(run, "select unit from metric where id = ?", metric, 0);
    while (lz_run_next(&q))
        unit = lz_run_unit(q, 0);
    return unit;
}

bool lz_html_plot(struct lz_str *out, const struct lz_report_run *run, int64_t metric,
                  const char *name, const struct lz_run_expectation *e)
{
    struct lz_run_point *points = NULL;
    size_t count = lz_run_points(run, metric, 0, INT64_MAX, &points);
    struct columns *c = lz_mem_alloc(sizeof(*c));
    fill(c, run, points, count);
    free(points);
    bool is_there = c->filled > 0;
    if (is_there) {
        struct scale s = scale_of(c, e);
        enum lz_unit unit = unit_of(run, metric);
        lz_str_add(out, "<figure class=\"plot\"><figcaption>");
        lz_html_text(out, name);
        lz_str_add(out, " <output></output></figcaption>");
        lz_html_svg_begin(out, PLOT_HEIGHT, name);
        lz_html_bands(out, run, PLOT_TOP, PLOT_BOTTOM);
        for (int i = 0; i <= 2; i++)
            write_level(out, &s, s.low + (s.high - s.low) / 1.04 * i / 2, unit);
        write_curve(out, c, &s);
        if (e != NULL)
            write_limit(out, run, &s, e);
        lz_html_ruler(out, run, PLOT_BOTTOM);
        write_values(out, c, unit);
        lz_html_svg_end(out);
        lz_str_add(out, "</figure>\n");
    }
    free(c);
    return is_there;
}
