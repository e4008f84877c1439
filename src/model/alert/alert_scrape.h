/*
 * alert_scrape.h — a metric as a monitoring system knows it: from samples, some time after.
 *
 * Every scrape interval a sample is taken of what the metric is made of; between two nothing is
 * known. A level that is a share of a time, cpu or busy, is the mean since the scrape before: it is
 * 0 or 100 % at any instant, and exporters give what was used, to take the rate of. All other
 * levels are as they stand: that a leader is lost between two scrapes is not seen. What a rule asks
 * for at an evaluation is PromQL's of these samples:
 *
 *   a level, a count     the last sample, of the last 5 min (the lookback; older is no sample)
 *   a level, over a time avg_over_time: the mean of the samples in it
 *   a count, over        increase
 *   a rate, over         rate
 *   a ratio, over        rate of the one by the rate of the other; none if that is 0
 *   of a histogram, over the windows of 1 s that ended in the `over` before the last sample
 *
 * A scrape that is lost leaves nothing to be the last: Prometheus writes staleness markers. Ranges
 * go on with the samples that they have.
 *
 * Here only faults lose scrapes: of a component that is dead metrics are known still, by whoever
 * counts them for it (a load balancer, kube-state-metrics, an exporter of its host). There is no
 * `up`; ask `replicas.up`.
 *
 * `over` is the range (t - over, t]. Rates and increases need two samples in it, and are
 * extrapolated to its ends as Prometheus does (promql/functions.go, extrapolatedRate); so a
 * counter that has just begun to move is seen with one scrape, and fully after `over`. What is
 * not there satisfies no rule.
 */
#ifndef LZ_MODEL_ALERT_ALERT_SCRAPE_H
#define LZ_MODEL_ALERT_ALERT_SCRAPE_H

#include "model/world.h"

#define LZ_ALERT_LOOKBACK (300 * LZ_S)
#define LZ_ALERT_OVER_MAX (30 * 24 * 3600 * LZ_S)
#define LZ_ALERT_OVER_MAX_HIST (3600 * LZ_S) /* windows are kept for it */
#define LZ_ALERT_SAMPLES_MAX 262144          /* in a range */

struct lz_alert_sample {
    lz_time at;
    double a, b; /* levels, totals; of a histogram the value itself */
};

struct lz_alert_scrape {
    lz_metric metric;
    lz_time over;     /* 0: the last sample */
    uint32_t windows; /* of 1 s, of what is not read as it stands */
    struct lz_alert_sample *ring;
    uint32_t first, count, cap;
};

/* Whether this metric is asked about over a time: all but levels and counts are. */
bool lz_alert_scrape_needs_over(const struct lz_world *w, lz_metric metric);

/* Whether it is a level that is read as it stands; of all other levels the mean of how many windows
   of 1 s is read. */
bool lz_alert_scrape_is_level(const struct lz_metric_def *def);
uint32_t lz_alert_scrape_windows(const struct lz_metric_def *def, lz_time interval);

/* Where nothing is said: 4 scrapes, or what there can be at most. */
lz_time lz_alert_scrape_preset(const struct lz_world *w, lz_metric metric, lz_time interval);

/* Before the run. False if `over` is too short for two samples, too long or holds too many. */
bool lz_alert_scrape_init(struct lz_world *w, struct lz_alert_scrape *s, lz_metric metric,
                          lz_time over, lz_time interval, struct lz_err *err) LZ_MUST_CHECK;

/* A sample is taken now. */
void lz_alert_scrape_take(const struct lz_world *w, struct lz_alert_scrape *s);

/* It was lost. */
void lz_alert_scrape_miss(struct lz_alert_scrape *s);

/* What is known now. */
struct lz_sample lz_alert_scrape_read(const struct lz_world *w, struct lz_alert_scrape *s);

#endif
