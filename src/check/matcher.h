/*
 * matcher.h — a metric compared with a limit, and how near it came.
 *
 * Every comparison is an interval of good values: below 5 is (-inf, 5), equals 5 is
 * [5, 5], recovers_to 95 % of a baseline of 400/s is [380/s, inf). A sample is a point,
 * or, for a gauge, the span from its lowest to its highest level in the window:
 *
 *   value        the point (the mean of a gauge) lies in the interval
 *   adverse      the whole span does: it was never outside
 *   favourable   some of the span does: it was inside at some moment
 *
 * The *distance* is how far inside the deciding end of the span lies, as a share of the
 * limit it is nearest to (of 1, if that is 0); negative outside.
 *
 * Limits are written in decimal and values are quotients, so the two meet in the last
 * binary place only by luck: closer than 1e-12 of the limit counts as equal to it.
 */
#ifndef LZ_CHECK_MATCHER_H
#define LZ_CHECK_MATCHER_H

#include <math.h>

#include "check/check.h"

#define LZ_NO_VALUE ((double)NAN)

enum lz_judge { LZ_JUDGE_VALUE, LZ_JUDGE_ADVERSE, LZ_JUDGE_FAVOURABLE };

struct lz_judged {
    bool present;
    bool matches;
    double value;    /* the end of the span that decided; LZ_NO_VALUE for a script's answer */
    double distance; /* 1 or -1 for a script's answer */
};

/* False if it could never be judged: no metric, limits the wrong way round, ... */
bool lz_matcher_check(const struct lz_world *w, const struct lz_matcher *m,
                      struct lz_err *err) LZ_MUST_CHECK;

/* A metric that only grows, as it stands right now: `over` does not apply to it. */
bool lz_matcher_is_counter(const struct lz_world *w, const struct lz_matcher *m);
bool lz_matcher_is_metric(const struct lz_matcher *m); /* neither a mark nor a script */

/* Is less of this metric better? Decides which way `recovers_to` looks. */
bool lz_matcher_lower_is_better(const struct lz_metric_def *def);

/* The last `over` windows of its metric. Metrics only. */
struct lz_sample lz_matcher_sample(const struct lz_world *w, const struct lz_matcher *m,
                                   uint32_t over);

/* `baseline` is read by `recovers_to` alone. Metrics only. */
struct lz_judged lz_matcher_judge(const struct lz_world *w, const struct lz_matcher *m,
                                  const struct lz_sample *sample, enum lz_judge how,
                                  double baseline);

/* The same over the last `over` windows; also asks scripts. Not for marks. */
struct lz_judged lz_matcher_now(const struct lz_world *w, const struct lz_matcher *m, uint32_t over,
                                enum lz_judge how, double baseline);

/* "below 300ms", `happened "rolled back"`, "at least 374/s (95% of 393/s)". LZ_NO_VALUE: no
 * baseline. */
void lz_matcher_describe(const struct lz_world *w, const struct lz_matcher *m, double baseline,
                         char *out, size_t size);

/* A value of its metric, as people read it. */
void lz_matcher_format(const struct lz_world *w, const struct lz_matcher *m, double value,
                       char *out, size_t size);

/* "web.latency.p99". */
void lz_matcher_name(const struct lz_world *w, const struct lz_matcher *m, char *out, size_t size);

#endif
