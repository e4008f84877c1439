/*
 * alert_export.h — a component's metrics as an exporter gives them to Prometheus.
 *
 * Every metric is there under the name that `-o openmetrics` writes, lorenz_latency_p99_seconds for
 * latency.p99, as a gauge; what it is made of as well, as programs export it:
 *
 *   a rate, errors.rate       a counter     lorenz_errors_total; of `rate` itself
 *                                           lorenz_requests_total
 *   a ratio, errors.ratio     two counters  lorenz_errors_total, lorenz_errors_of_total
 *   a histogram, latency.*    a histogram   lorenz_latency_seconds_bucket, _sum and _count; it
 *                                           begins anew when warm-up ends, as by a restart
 *   a count, lost_acks        a counter     lorenz_lost_acks_total
 *   how requests ended        counters      lorenz_outcomes_total with the label outcome: ok,
 *                                           failed, refused, timeout, those that are counted;
 *                                           each request is in one, all of them are
 *                                           lorenz_errors_of_total
 *
 *   whether it was scraped    a gauge       up, of each of its processes: 1, or 0 where it does not
 *                                           answer or where the sample was lost; with the label
 *                                           instance, api[2]
 *
 * Each series has the label component; buckets have le. Levels are as they are when they are
 * scraped, cpu and busy the mean since the scrape before, rates, ratios and quantiles as they were
 * in the last second that is over.
 */
#ifndef LZ_MODEL_ALERT_ALERT_EXPORT_H
#define LZ_MODEL_ALERT_ALERT_EXPORT_H

#include "model/world.h"
#include "promql/promql.h"

#define LZ_ALERT_EXPORT_LESS_MAX 2
#define LZ_ALERT_EXPORT_UP_NAME "up"

enum lz_alert_export_kind {
    LZ_ALERT_EXPORT_WINDOW = 1, /* the metric's last window */
    LZ_ALERT_EXPORT_LEVEL,
    LZ_ALERT_EXPORT_TOTAL, /* without what is in `less` */
    LZ_ALERT_EXPORT_BUCKET,
    LZ_ALERT_EXPORT_SUM,
    LZ_ALERT_EXPORT_SEEN,
    LZ_ALERT_EXPORT_UP, /* of `instance`, or of what has none */
};

struct lz_alert_export {
    struct lz_promql_labels labels;
    lz_component_id of;
    enum lz_alert_export_kind kind;
    lz_metric metric; /* 0: of UP, where it has none such */
    lz_instance_id instance;
    lz_series series, less[LZ_ALERT_EXPORT_LESS_MAX];
    double unit;      /* of what it is fed, in what is exported */
    int64_t bound;    /* BUCKET; INT64_MAX: all */
    uint32_t windows; /* WINDOW: how many of 1 s */
};

/*
 * All that there is to scrape in the world, in the order of its metrics, each name of a component
 * once; behind them `up`, if it is asked for. Labels are in `s`.
 */
uint32_t lz_alert_export_all(const struct lz_world *w, struct lz_promql_scratch *s, bool has_up,
                             struct lz_alert_export **out);

/* It will be read in this run, by so many windows as `windows` says: before it begins. */
void lz_alert_export_heed(const struct lz_world *w, const struct lz_alert_export *x);

/* Its value now; false if there is none. */
bool lz_alert_export_read(const struct lz_world *w, const struct lz_alert_export *x, double *out);

#endif
