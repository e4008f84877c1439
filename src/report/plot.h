/*
 * plot.h — inside report/: one metric over time, as a line of box-drawing characters.
 *
 * At most eight lines high: a title, six levels and the instants below them. The limit
 * is a level of its own, and no value that violates it is drawn on it or on the good
 * side of it, however near it came; nor the other way round. The deadline of an
 * `eventually` is a dotted line down.
 */
#ifndef LZ_REPORT_PLOT_H
#define LZ_REPORT_PLOT_H

#include "report/pen.h"
#include "report/run.h"

/* Nothing if the expectation is about no metric, or fewer than two windows have a sample. */
void lz_plot_draw(struct lz_pen *pen, const struct lz_report_run *run,
                  const struct lz_run_expectation *e);

/* A plain line of windows without a limit: `title` may be "". Nothing with fewer than two. */
struct lz_plot_line {
    const char *title;
    enum lz_unit unit;
    lz_time from, to; /* from < to */
    const struct lz_run_point *points;
    size_t count;
};
bool lz_plot_points(struct lz_pen *pen, const struct lz_plot_line *line);

#endif
