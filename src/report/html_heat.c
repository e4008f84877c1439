/*
 * html_heat.c — how latency was spread over time: time across, latency upwards on a logarithmic
 * scale, darker where more answers were.
 *
 * A run file has percentiles of each window and how many answers they are of. Between two of them
 * lies a known share of the answers, which is spread evenly over the logarithms between; where in
 * between they lie is not known. Of the faster half nothing but its upper end is: what is drawn
 * begins at the median. Lines are the median and the 99th percentile themselves.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "report/html_draw.h"

#define TOP 18
#define BOTTOM 172
#define HEIGHT 194
#define COLUMNS 120
#define ROWS 28
#define SHADES 8
#define TABLE_ROWS 12

enum { P50, P90, P95, P99, P999, MAX, KNOWN };

static const char *const names[KNOWN] = {"latency.p50", "latency.p90",  "latency.p95",
                                         "latency.p99", "latency.p999", "latency.max"};
static const double shares[KNOWN] = {0.5, 0.9, 0.95, 0.99, 0.999, 1.0};

struct heat {
    const struct lz_report_run *run;
    struct lz_run_point *points[KNOWN];
    size_t counts[KNOWN];
    double low, high; // log10 of seconds: the lower and the upper edge
    double cells[ROWS][COLUMNS];
    double most;
};

static double y_of(const struct heat *h, double seconds)
{
    double share = (log10(seconds) - h->low) / (h->high - h->low);
    share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    return BOTTOM - share * (BOTTOM - TOP);
}

// The value of the window that begins at `start`; NaN if there is none.
static double value_at(const struct heat *h, int which, size_t near, lz_time start)
{
    if (near >= h->counts[which])
        near = h->counts[which] > 0 ? h->counts[which] - 1 : 0;
    while (near > 0 && h->points[which][near].start > start)
        near--;
    bool is_it = near < h->counts[which] && h->points[which][near].start == start;
    return is_it ? h->points[which][near].value : (double)NAN;
}

// `answers` of a window, evenly over the logarithms from `from` to `to`.
static void spread(struct heat *h, const struct lz_run_point *window, double answers, double from,
                   double to)
{
    double per_row = (h->high - h->low) / ROWS;
    double first = (log10(from) - h->low) / per_row, last = (log10(to) - h->low) / per_row;
    double per_ns = COLUMNS / (double)h->run->virtual_ns;
    int left = (int)((double)window->start * per_ns + 1e-6);
    int right = (int)((double)(window->start + window->width - 1) * per_ns);
    right = right >= COLUMNS ? COLUMNS - 1 : right < left ? left : right;
    if (left >= COLUMNS)
        return;
    for (int row = (int)first; row < ROWS && row <= last; row++) {
        double bottom = first > row ? first : row, top = last < row + 1 ? last : row + 1;
        double part = last > first ? (top - bottom) / (last - first) : 1.0;
        for (int c = left; c <= right; c++) {
            double *cell = &h->cells[row < 0 ? 0 : row][c];
            *cell += part * answers / (right - left + 1);
            h->most = *cell > h->most ? *cell : h->most;
        }
    }
}

static void fill(struct heat *h)
{
    for (size_t i = 0; i < h->counts[P50]; i++) {
        const struct lz_run_point *w = &h->points[P50][i];
        double below = w->value, share = shares[P50];
        for (int k = P90; k < KNOWN && below > 0.0; k++) {
            double value = value_at(h, k, i, w->start);
            if (!isfinite(value))
                continue;
            value = value < below ? below : value;
            spread(h, w, (double)w->count * (shares[k] - share), below, value);
            below = value;
            share = shares[k];
        }
    }
}

// From the fastest median to the slowest answer; false: there is nothing to show.
static bool find_range(struct heat *h)
{
    double least = (double)INFINITY, greatest = 0.0;
    for (size_t i = 0; i < h->counts[P50]; i++)
        if (h->points[P50][i].value > 0.0 && h->points[P50][i].value < least)
            least = h->points[P50][i].value;
    for (size_t i = 0; i < h->counts[MAX]; i++)
        if (isfinite(h->points[MAX][i].value) && h->points[MAX][i].value > greatest)
            greatest = h->points[MAX][i].value;
    if (!(greatest > 0.0) || !isfinite(least))
        return false;
    h->low = log10(least) - 0.1;
    h->high = log10(greatest) + 0.05;
    return h->high > h->low + 0.2;
}

static int shade_of(const struct heat *h, double answers)
{
    if (!(answers > 0.0))
        return -1;
    int shade = (int)(SHADES * log1p(answers) / log1p(h->most));
    return shade < SHADES ? shade : SHADES - 1;
}

// Neighbours of one shade in a row are one piece.
static void write_cells(struct lz_str *out, const struct heat *h)
{
    double wide = (double)(LZ_HTML_WIDTH - LZ_HTML_LEFT - 8) / COLUMNS;
    double high = (double)(BOTTOM - TOP) / ROWS;
    for (int shade = 0; shade < SHADES; shade++) {
        lz_str_addf(out, "<path class=\"heat\" fill=\"#0072b2\" fill-opacity=\"%.2f\" d=\"",
                    0.1 + 0.8 * shade / (SHADES - 1));
        for (int row = 0; row < ROWS; row++) {
            for (int c = 0; c < COLUMNS; c++) {
                int from = c;
                while (c < COLUMNS && shade_of(h, h->cells[row][c]) == shade)
                    c++;
                if (c > from)
                    lz_str_addf(out, "M%.1f %.1fh%.1fv%.1fh-%.1fz", LZ_HTML_LEFT + from * wide,
                                BOTTOM - (row + 1) * high, (c - from) * wide, high,
                                (c - from) * wide);
            }
        }
        lz_str_add(out, "\"/>");
    }
}

static void write_levels(struct lz_str *out, const struct heat *h)
{
    static const double steps[] = {1.0, 2.0, 5.0};
    size_t per_decade = h->high - h->low < 2.0 ? 3 : 1;
    for (int decade = (int)floor(h->low); decade <= (int)ceil(h->high); decade++) {
        for (size_t i = 0; i < per_decade; i++) {
            char text[40];
            double value = steps[i] * pow(10.0, decade);
            if (log10(value) < h->low || log10(value) > h->high)
                continue;
            lz_str_addf(out,
                        "<path d=\"M%d %.1fH%d\" stroke=\"#999\" stroke-opacity=\"0.3\"/>"
                        "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#777\" class=\"q\">"
                        "%s</text>",
                        LZ_HTML_LEFT, y_of(h, value), LZ_HTML_WIDTH - 8, LZ_HTML_LEFT - 6,
                        y_of(h, value) + 4,
                        lz_format_value(text, sizeof(text), value, LZ_UNIT_SECONDS));
        }
    }
}

// At most one point for each column, the slowest in it.
static void write_line(struct lz_str *out, const struct heat *h, int which, const char *look)
{
    double slowest[COLUMNS] = {0};
    for (size_t i = 0; i < h->counts[which]; i++) {
        const struct lz_run_point *p = &h->points[which][i];
        int c = (int)((double)p->start * COLUMNS / (double)h->run->virtual_ns);
        if (c < COLUMNS && isfinite(p->value) && p->value > slowest[c])
            slowest[c] = p->value;
    }
    double wide = (double)(LZ_HTML_WIDTH - LZ_HTML_LEFT - 8) / COLUMNS;
    bool is_down = false;
    lz_str_addf(out, "<path fill=\"none\" %s stroke-width=\"1.6\" d=\"", look);
    for (int c = 0; c < COLUMNS; c++) {
        bool is_there = slowest[c] > 0.0;
        if (is_there)
            lz_str_addf(out, "%s%.1f %.1f", is_down ? "L" : "M", LZ_HTML_LEFT + (c + 0.5) * wide,
                        y_of(h, slowest[c]));
        is_down = is_there;
    }
    lz_str_add(out, "\"/>");
}

// The same for who cannot see it: stretches, and the slowest window of each.
static void write_table(struct lz_str *out, const struct heat *h)
{
    static const int shown[] = {P50, P90, P99, MAX};
    lz_str_add(out, "<details class=\"numbers\"><summary>these latencies as a table</summary><div "
                    "class=\"wide\"><table><thead><tr><th>from</th><th>answers</th><th>p50</th>"
                    "<th>p90</th><th>p99</th><th>max</th></tr></thead><tbody>\n");
    for (int row = 0; row < TABLE_ROWS; row++) {
        lz_time from = h->run->virtual_ns / TABLE_ROWS * row;
        lz_time to = row + 1 < TABLE_ROWS ? h->run->virtual_ns / TABLE_ROWS * (row + 1) : INT64_MAX;
        double slowest[KNOWN] = {0};
        int64_t answers = 0;
        char text[40];
        for (int k = 0; k < KNOWN; k++) {
            for (size_t i = 0; i < h->counts[k]; i++) {
                const struct lz_run_point *p = &h->points[k][i];
                if (p->start < from || p->start >= to)
                    continue;
                answers += k == P50 ? p->count : 0;
                slowest[k] = p->value > slowest[k] ? p->value : slowest[k];
            }
        }
        lz_str_addf(out, "<tr><td>%s</td>", lz_format_instant(text, sizeof(text), from));
        lz_str_addf(out, "<td>%s</td>", lz_format_count(text, sizeof(text), (double)answers));
        for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
            lz_str_addf(out, "<td>%s</td>",
                        answers > 0 ? lz_format_value(text, sizeof(text), slowest[shown[i]],
                                                      LZ_UNIT_SECONDS)
                                    : "&#8211;");
        lz_str_add(out, "</tr>\n");
    }
    lz_str_add(out, "</tbody></table></div><p class=\"quiet\">Of each stretch its slowest "
                    "window.</p></details>\n");
}

static void write_picture(struct lz_str *out, const struct heat *h, const char *name)
{
    char what[280];
    snprintf(what, sizeof(what),
             "How the latency of %s was spread over time: the slower half of the answers, darker "
             "where more were, on a logarithmic scale, with the median and the 99th percentile",
             name);
    lz_html_svg_begin(out, HEIGHT, what);
    lz_str_addf(out, "<text x=\"%d\" y=\"11\" fill=\"#333\" class=\"t\">", LZ_HTML_LEFT);
    lz_html_text(out, name);
    lz_str_addf(out,
                ".latency, the slower half of the answers: darker where more were</text>"
                "<text x=\"%d\" y=\"11\" text-anchor=\"end\" fill=\"#777\" class=\"q\">p99 solid, "
                "p50 dashed</text>",
                LZ_HTML_WIDTH - 8);
    lz_html_bands(out, h->run, TOP, BOTTOM);
    write_levels(out, h);
    write_cells(out, h);
    write_line(out, h, P99, "stroke=\"#9a5f00\" class=\"c2\"");
    write_line(out, h, P50, "stroke=\"#9a5f00\" class=\"c2\" stroke-dasharray=\"4 3\"");
    lz_html_ruler(out, h->run, BOTTOM);
    lz_html_svg_end(out);
    write_table(out, h);
}

void lz_html_heat(struct lz_str *out, const struct lz_report_run *run, int64_t component,
                  const char *name)
{
    LZ_ASSERT(run->virtual_ns > 0);
    struct heat *h = lz_mem_alloc(sizeof(*h));
    memset(h, 0, sizeof(*h));
    h->run = run;
    sqlite3_stmt *q = lz_run_ask(run, "select id, name from metric where component = ? and present",
                                 component, 0);
    int64_t ids[KNOWN] = {0};
    while (lz_run_next(&q))
        for (int k = 0; k < KNOWN; k++)
            if (strcmp(lz_run_text(q, 1), names[k]) == 0)
                ids[k] = sqlite3_column_int64(q, 0);
    for (int k = 0; k < KNOWN; k++)
        if (ids[k] != 0)
            h->counts[k] = lz_run_points(run, ids[k], 0, INT64_MAX, &h->points[k]);
    if (find_range(h)) {
        fill(h);
        write_picture(out, h, name);
    }
    for (int k = 0; k < KNOWN; k++)
        free(h->points[k]);
    free(h);
}
