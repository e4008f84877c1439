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

/* Where an instant of a run stands. */
double lz_html_x(const struct lz_report_run *run, lz_time at);

/* A picture's beginning and end; `what` says what it shows to who cannot see it. */
void lz_html_svg_begin(struct lz_str *out, int height, const char *what);
void lz_html_svg_end(struct lz_str *out);

/* Instants along the lower edge; and from `top` to `bottom`, the spans of faults. */
void lz_html_ruler(struct lz_str *out, const struct lz_report_run *run, int y);
void lz_html_bands(struct lz_str *out, const struct lz_report_run *run, int top, int bottom);

/* A metric over the whole run, with the limit and the deadline of an expectation about it, if `e`
   is not NULL. False: nothing is recorded of it, and nothing was written. */
bool lz_html_plot(struct lz_str *out, const struct lz_report_run *run, int64_t metric,
                  const char *name, const struct lz_run_expectation *e);

/* The parts of a page that are about one run; html_parts.c. */
void lz_html_timeline(struct lz_str *out, const struct lz_report_run *run);
void lz_html_topology(struct lz_str *out, const struct lz_report_run *run);
void lz_html_requests(struct lz_str *out, const struct lz_report_run *run);
void lz_html_events(struct lz_str *out, const struct lz_report_run *run);
void lz_html_source(struct lz_str *out, const struct lz_report_run *run);

/* What the page looks like, and what it does where scripts may run; html_look.c. */
extern const char lz_html_style[];
extern const char lz_html_script[];

#endif
