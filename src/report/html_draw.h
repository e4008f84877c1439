/*
 * html_draw.h — inside report/: text and pictures of an HTML page.
 *
 * Pictures are SVG with their colours as attributes, so that they are right where styles are
 * forbidden; where they are not, classes give those of a light or a dark page. All pictures of a
 * run have one axis: virtual time, from its beginning to its end.
 */
#ifndef LZ_REPORT_HTML_DRAW_H
#define LZ_REPORT_HTML_DRAW_H

#include "report/run.h"

#define LZ_HTML_WIDTH 960 /* of a picture, in its own units */
#define LZ_HTML_LEFT 76   /* of it, for labels */

/* Text from anywhere: markup in it is text too, what is no UTF-8 or no character is replaced. */
void lz_html_text(struct lz_str *out, const char *text);

/* A text as JSON has it, in a script element: nothing in it ends that; html_plot.c. */
void lz_html_json(struct lz_str *out, const char *text);

/* The scripts of a page and its end; html.c. */
void lz_html_scripts(struct lz_str *out, const struct lz_report_options *options);

/* Where an instant of a run stands. */
double lz_html_x(const struct lz_report_run *run, lz_time at);

/* A picture's beginning and end; `what` says what it shows to who cannot see it. */
void lz_html_svg_begin(struct lz_str *out, int height, const char *what);
void lz_html_svg_end(struct lz_str *out);

/* How far apart instants are along an axis. */
lz_time lz_html_tick(lz_time whole);

/* Instants along the lower edge; and from `top` to `bottom`, the spans of faults. */
void lz_html_ruler(struct lz_str *out, const struct lz_report_run *run, int y);
void lz_html_bands(struct lz_str *out, const struct lz_report_run *run, int top, int bottom);

#define LZ_HTML_LINES_MAX 3

/* What a plot shows: up to three metrics of one unit, over the whole run. */
struct lz_html_chart {
    const char *name;                   /* above it */
    int64_t metrics[LZ_HTML_LINES_MAX]; /* 0: no more */
    const struct lz_run_expectation *e; /* its limit and deadline are drawn; NULL: none */
    char *flat; /* not NULL, and no metric changes: nothing is written but what it stays at, here */
    size_t flat_size;
};

/* False: nothing is recorded of it, or it is flat, and nothing was written; html_plot.c. */
bool lz_html_plot(struct lz_str *out, const struct lz_report_run *run,
                  const struct lz_html_chart *chart);

/* How the latency of a traffic was spread over time, if any is recorded; html_heat.c. */
void lz_html_heat(struct lz_str *out, const struct lz_report_run *run, int64_t component,
                  const char *name);

/* A metric in a word's room, with its limit if `e` has one. */
void lz_html_sparkline(struct lz_str *out, const struct lz_report_run *run,
                       const struct lz_run_expectation *e);

/* The parts of a page that are about one run; html_parts.c. */
void lz_html_timeline(struct lz_str *out, const struct lz_report_run *run);
void lz_html_topology(struct lz_str *out, const struct lz_report_run *run);
void lz_html_requests(struct lz_str *out, const struct lz_report_run *run);
void lz_html_events(struct lz_str *out, const struct lz_report_run *run);
void lz_html_source(struct lz_str *out, const struct lz_report_run *run);

/* What every component did, and numbers over the whole run; html_tracks.c. */
void lz_html_tracks(struct lz_str *out, const struct lz_report_run *run);
void lz_html_numbers(struct lz_str *out, const struct lz_report_run *run);

#endif
