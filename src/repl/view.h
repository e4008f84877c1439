/*
 * view.h — what the parts that show a world share; for repl/ only.
 *
 *   views.c       a record as if the run ended now; events, timeline, faults, expectations
 *   view_plot.c   a metric over time, and what is drawn while a run goes on
 *   view_why.c    where requests went and what their time went into
 *   view_sql.c    questions, files of other formats
 *   view_diff.c   two branches side by side
 */
#ifndef LZ_REPL_VIEW_H
#define LZ_REPL_VIEW_H

#include "repl/dots.h"
#include "report/pen.h"
#include "report/run.h"

struct lz_view_record {
    struct lz_str image;
    struct lz_report_run *run;
};

/* The record is made by a copy of the world, so looking changes nothing. False: said why. */
bool lz_view_open(struct lz_repl *r, uint32_t branch, struct lz_view_record *v);
void lz_view_close(struct lz_view_record *v);

/* What a pen has written, without its last end of line. */
void lz_view_say(struct lz_repl *r, struct lz_str *text);

#endif
