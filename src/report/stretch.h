/*
 * stretch.h — inside report/: when it went wrong.
 *
 * A *stretch* is the time a failed expectation is about: from its anchor to its recovery
 * or deadline, or from its first violation until it had been kept again for a while.
 * What a report says around a failure is said of this stretch.
 */
#ifndef LZ_REPORT_STRETCH_H
#define LZ_REPORT_STRETCH_H

#include "report/run.h"

struct lz_stretch {
    lz_time from, to; /* from < to */
};

struct lz_stretch lz_stretch_of(const struct lz_report_run *run,
                                const struct lz_run_expectation *e);

/* The same with some time on both sides, in whole seconds, for a plot. */
struct lz_stretch lz_stretch_wider(const struct lz_report_run *run, const struct lz_stretch *s);

/* The extreme of a window that an expectation minds most. */
double lz_stretch_adverse(const struct lz_run_expectation *e, const struct lz_run_point *p);

/* Is that value on the side of the limit that is no good? */
bool lz_stretch_violates(const struct lz_run_expectation *e, double value);

#endif
