#include "model/measure.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

static lz_series series_at(const void *series, uint16_t offset)
{
    lz_series s;
    memcpy(&s, (const char *)series + offset, sizeof(s));
    return s;
}

void lz_measure_define(struct lz_world *w, lz_component_id component, const char *prefix,
                       const struct lz_measure_row *rows, size_t count, const void *series)
{
    for (size_t i = 0; i < count; i++) {
        const struct lz_measure_row *row = &rows[i];
        const char *name = row->name;
        if (prefix[0] != '\0') {
            char full[80];
            snprintf(full, sizeof(full), "%s%s", prefix, row->name);
            name = lz_arena_strdup(w->arena, full);
        }
        bool has_two = row->view == LZ_VIEW_RATIO;
        struct lz_metric_def def = {
            .name = name,
            .view = row->view,
            .unit = row->unit,
            .a = series_at(series, row->a),
            .b = has_two ? series_at(series, row->b) : 0,
            .q = row->q,
        };
        LZ_ASSERT(def.a != 0);
        lz_metrics_define(w->metrics, component, &def);
    }
}

const struct lz_metric_info *lz_measure_infos(const struct lz_measure_row *rows, size_t row_count,
                                              struct lz_metric_info *infos, size_t *count)
{
    for (size_t i = 0; i < row_count; i++)
        infos[i] =
            (struct lz_metric_info){.name = rows[i].name, .unit = rows[i].unit, .doc = rows[i].doc};
    *count = row_count;
    return infos;
}

void lz_measure_init(struct lz_world *w, struct lz_measure *m)
{
    *m = (struct lz_measure){
        .outcomes = lz_metrics_counter(w->metrics),
        .ok = lz_metrics_counter(w->metrics),
        .failed = lz_metrics_counter(w->metrics),
        .refused = lz_metrics_counter(w->metrics),
        .latency = lz_metrics_hist(w->metrics),
        .in_flight = lz_metrics_tally(w->metrics),
    };
    m->outcomes_on = lz_metrics_series(w->metrics, m->outcomes, LZ_WINDOW_COUNTER);
    m->ok_on = lz_metrics_series(w->metrics, m->ok, LZ_WINDOW_COUNTER);
    m->latency_on = lz_metrics_series(w->metrics, m->latency, LZ_WINDOW_HIST);
    m->in_flight_on = lz_metrics_series(w->metrics, m->in_flight, LZ_WINDOW_GAUGE);
}

static void count(struct lz_world *w, const struct lz_measure *m, enum lz_outcome outcome)
{
    lz_metrics_add_on(w->metrics, m->outcomes_on, 1);
    if (outcome == LZ_OUTCOME_OK) {
        lz_metrics_add_on(w->metrics, m->ok_on, 1);
        return;
    }
    lz_metrics_add(w->metrics, m->failed, 1);
    if (outcome == LZ_OUTCOME_REFUSED)
        lz_metrics_add(w->metrics, m->refused, 1);
}

void lz_measure_left(struct lz_world *w, struct lz_measure *m, enum lz_outcome outcome,
                     lz_time latency)
{
    LZ_ASSERT(latency >= 0);
    lz_metrics_leave_on(w->metrics, m->in_flight_on, lz_sim_now(w->sim), 1);
    if (outcome == LZ_OUTCOME_PENDING)
        return; // its caller took it back
    count(w, m, outcome);
    if (outcome != LZ_OUTCOME_RESET) // a broken connection is no answer
        lz_metrics_observe_on(w->metrics, m->latency_on, latency);
}

void lz_measure_refused(struct lz_world *w, struct lz_measure *m)
{
    count(w, m, LZ_OUTCOME_REFUSED);
}
