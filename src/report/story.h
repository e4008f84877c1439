/*
 * story.h — inside report/: what happened around a failure, as facts from the record.
 *
 * Nothing here guesses at a cause. Events are those of the journal; shares of time are
 * exact sums over all requests that failed in the stretch.
 */
#ifndef LZ_REPORT_STORY_H
#define LZ_REPORT_STORY_H

#include "report/pen.h"
#include "report/stretch.h"

#define LZ_STORY_INDENT 4 /* of the lines under a heading */

/* "around it": the events of the stretch that say most, in order of time. */
void lz_story_events(struct lz_pen *pen, const struct lz_report_run *run,
                     const struct lz_stretch *s);

/* "where failed requests spent their time"; nothing if none failed. */
void lz_story_blame(struct lz_pen *pen, const struct lz_report_run *run,
                    const struct lz_stretch *s);

/* "one of them": a failed request of the stretch as a waterfall; nothing if none was kept. */
void lz_story_request(struct lz_pen *pen, const struct lz_report_run *run,
                      const struct lz_stretch *s);

/* The bars of one request, by its id in the record; of `rows` attempts at the most. */
void lz_story_waterfall(struct lz_pen *pen, const struct lz_report_run *run, int64_t id,
                        size_t rows);

#endif
