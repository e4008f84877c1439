/*
 * measure.h — what every component that serves requests measures in the same way.
 *
 * rate, latency.*, errors.*, success.ratio, shed.ratio and in_flight, from the arrival
 * of a request to its answer. A refusal and a reset are outcomes too; a caller's timeout
 * is not, it counts at the caller alone; nor is a cancellation: the request is gone, and
 * neither good nor bad. Latency covers every answer, failed ones too.
 */
#ifndef LZ_MODEL_MEASURE_H
#define LZ_MODEL_MEASURE_H

#include <stddef.h>

#include "model/traffic/request.h"
#include "model/world.h"

struct lz_measure {
    lz_series outcomes, ok, failed, refused;
    lz_series latency;
    lz_series in_flight; /* a tally */
    struct lz_series_face *outcomes_on, *ok_on, *latency_on, *in_flight_on;
};

/* Rows of a table of metrics: a name, and which series it is a view of. */
struct lz_measure_row {
    const char *name;
    enum lz_view view;
    enum lz_unit unit;
    uint16_t a, b; /* offsets of lz_series in the kind's own struct */
    double q;
    const char *doc;
};

/* `series` is the struct the offsets point into; names get `prefix` in front. */
void lz_measure_define(struct lz_world *w, lz_component_id component, const char *prefix,
                       const struct lz_measure_row *rows, size_t count, const void *series);

/* The same rows as people look them up: fills `infos` once. */
const struct lz_metric_info *lz_measure_infos(const struct lz_measure_row *rows, size_t row_count,
                                              struct lz_metric_info *infos, size_t *count);

/* The rows of struct lz_measure when it is the first member of the kind's struct. */
#define LZ_MEASURE_AT(member) offsetof(struct lz_measure, member)
#define LZ_MEASURE_QUANTILES(name, at, what)                                                       \
    {name ".mean", LZ_VIEW_MEAN, LZ_UNIT_SECONDS, at, 0, 0, "mean " what},                         \
        {name ".p50", LZ_VIEW_QUANTILE, LZ_UNIT_SECONDS, at, 0, 0.5, "median " what},              \
        {name ".p90", LZ_VIEW_QUANTILE, LZ_UNIT_SECONDS, at, 0, 0.9, "90th percentile of " what},  \
        {name ".p95", LZ_VIEW_QUANTILE, LZ_UNIT_SECONDS, at, 0, 0.95, "95th percentile of " what}, \
        {name ".p99", LZ_VIEW_QUANTILE, LZ_UNIT_SECONDS, at, 0, 0.99, "99th percentile of " what}, \
        {name ".p999",                                                                             \
         LZ_VIEW_QUANTILE,                                                                         \
         LZ_UNIT_SECONDS,                                                                          \
         at,                                                                                       \
         0,                                                                                        \
         0.999,                                                                                    \
         "99.9th percentile of " what},                                                            \
    {                                                                                              \
        name ".max", LZ_VIEW_MAX, LZ_UNIT_SECONDS, at, 0, 0, "longest " what                       \
    }
#define LZ_MEASURE_ROWS                                                                            \
    {"rate",                                                                                       \
     LZ_VIEW_RATE,                                                                                 \
     LZ_UNIT_RATE,                                                                                 \
     LZ_MEASURE_AT(outcomes),                                                                      \
     0,                                                                                            \
     0,                                                                                            \
     "requests answered, refused or reset per second"},                                            \
        {"errors.ratio",                                                                           \
         LZ_VIEW_RATIO,                                                                            \
         LZ_UNIT_RATIO,                                                                            \
         LZ_MEASURE_AT(failed),                                                                    \
         LZ_MEASURE_AT(outcomes),                                                                  \
         0,                                                                                        \
         "error answers, refusals and resets of all outcomes"},                                    \
        {"errors.rate",                                                                            \
         LZ_VIEW_RATE,                                                                             \
         LZ_UNIT_RATE,                                                                             \
         LZ_MEASURE_AT(failed),                                                                    \
         0,                                                                                        \
         0,                                                                                        \
         "error answers, refusals and resets per second"},                                         \
        {"success.ratio",                                                                          \
         LZ_VIEW_RATIO,                                                                            \
         LZ_UNIT_RATIO,                                                                            \
         LZ_MEASURE_AT(ok),                                                                        \
         LZ_MEASURE_AT(outcomes),                                                                  \
         0,                                                                                        \
         "good answers of all outcomes"},                                                          \
        {"shed.ratio",                                                                             \
         LZ_VIEW_RATIO,                                                                            \
         LZ_UNIT_RATIO,                                                                            \
         LZ_MEASURE_AT(refused),                                                                   \
         LZ_MEASURE_AT(outcomes),                                                                  \
         0,                                                                                        \
         "requests refused of all outcomes"},                                                      \
        {"in_flight",                                                                              \
         LZ_VIEW_LEVEL,                                                                            \
         LZ_UNIT_COUNT,                                                                            \
         LZ_MEASURE_AT(in_flight),                                                                 \
         0,                                                                                        \
         0,                                                                                        \
         "requests that have arrived and not been answered"},                                      \
        LZ_MEASURE_QUANTILES("latency", LZ_MEASURE_AT(latency), "time from arrival to answer")

void lz_measure_init(struct lz_world *w, struct lz_measure *m);
static inline void lz_measure_arrived(struct lz_world *w, struct lz_measure *m)
{
    lz_metrics_enter_on(w->metrics, m->in_flight_on, lz_sim_now(w->sim), 1);
}

/* Cores in use, of which there are more now or, below 0, fewer: mostly one. */
static inline void lz_measure_cores(struct lz_world *w, struct lz_series_face *share, double by)
{
    lz_time now = lz_sim_now(w->sim);
    if (!__builtin_islessgreater(by, 1.0))
        lz_metrics_enter_on(w->metrics, share, now, 1);
    else if (!__builtin_islessgreater(by, -1.0))
        lz_metrics_leave_on(w->metrics, share, now, 1);
    else
        lz_metrics_move_share(w->metrics, share->id, now, by);
}

/*
 * A plain CPU has so many jobs now, of which one has just begun on a core that was free, or one has
 * just ended: mostly it is one core more or less than was measured last, which `used` says. False:
 * it is not (jobs that were shared and end together are no load when they are done, or more than
 * there are cores), and nothing was done.
 */
static inline bool lz_measure_core_more(struct lz_world *w, struct lz_series_face *share,
                                        double *used, double jobs)
{
    if (__builtin_islessgreater(*used, jobs - 1.0))
        return false;
    *used = jobs;
    lz_metrics_enter_on(w->metrics, share, lz_sim_now(w->sim), 1);
    return true;
}

static inline bool lz_measure_core_less(struct lz_world *w, struct lz_series_face *share,
                                        double *used, double jobs)
{
    if (__builtin_islessgreater(*used, jobs + 1.0))
        return false;
    *used = jobs;
    lz_metrics_leave_on(w->metrics, share, lz_sim_now(w->sim), 1);
    return true;
}

/* A good answer; the rest is for lz_measure_left. */
static inline void lz_measure_answered(struct lz_world *w, struct lz_measure *m, lz_time latency)
{
    lz_metrics_leave_on(w->metrics, m->in_flight_on, lz_sim_now(w->sim), 1);
    lz_metrics_add_on(w->metrics, m->outcomes_on, 1);
    lz_metrics_add_on(w->metrics, m->ok_on, 1);
    lz_metrics_observe_on(w->metrics, m->latency_on, latency);
}

/* PENDING: it was cancelled. */
void lz_measure_left(struct lz_world *w, struct lz_measure *m, enum lz_outcome outcome,
                     lz_time latency);

/* One that never arrived: its connection was refused. */
void lz_measure_refused(struct lz_world *w, struct lz_measure *m);

#endif
