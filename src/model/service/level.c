#include <stddef.h>

#include "base/check.h"
#include "model/node/nodes.h"
#include "model/service/pods.h"

#define AT(member) offsetof(struct lz_service_series, member)
static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"degraded.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(degraded), AT(m.outcomes), 0,
     "answers that are good by a fallback, or with an optional call left out, of all outcomes"},
    {"queue.length", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(queue_length), 0, 0,
     "requests waiting for a worker"},
    LZ_MEASURE_QUANTILES("queue.wait", AT(queue_wait),
                         "wait for a worker of those that got one, all of it: also while a limit "
                         "held it back, or a more urgent request had taken its worker"),
    {"busy", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(busy), 0, 0, "share of all workers that are held"},
    {"cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(cpu), 0, 0, "share of all cores in use"},
    {"replicas.up", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(up), 0, 0, "replicas whose process runs"},
    {"replicas.desired", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(desired), 0, 0,
     "replicas that are wanted: what autoscale decided last"},
    {"replicas.ready", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(ready), 0, 0,
     "replicas that serve: not starting, paused, stopping or unready"},
    {"memory", LZ_VIEW_LEVEL, LZ_UNIT_BYTES, AT(memory), 0, 0,
     "memory in use by the fullest replica, as seen once a second"},
    {"tokens.refused", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(tokens_refused), 0, 0,
     "requests answered 401: their token had run out, or its key is not known"},
    {"restarts", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(restarts), 0, 0, "processes started again"},
    {"replicas.updated", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(updated), 0, 0,
     "with a rollout: replicas of the version that was deployed last"},
    {"replicas.available", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(available), 0, 0,
     "with a rollout: replicas that have been ready for min_ready"},
    {"replicas.unavailable", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(unavailable), 0, 0,
     "with a rollout: replicas that there should be and that are not available"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))
#define ROLLOUT_ROWS 3 // the last

const struct lz_metric_info *lz_service_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

void lz_level_settle_cpu(struct lz_world *w, struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    struct lz_service_use *use = &r->rules->use;
    LZ_ASSERT(now >= use->at);
    use->ns += r->cpu_used * (double)(now - use->at);
    use->at = now;
}

void lz_level_present(struct lz_world *w, struct lz_service *s)
{
    lz_time now = lz_sim_now(w->sim);
    if (s->present == 0)
        return; // of nothing there is no share: it stays that of what was there last
    lz_metrics_set_whole(w->metrics, s->series.busy, now, (double)s->opts.concurrency * s->present);
    lz_metrics_set_whole(w->metrics, s->series.cpu, now, s->cores * s->present);
}

void lz_level_queue(struct lz_world *w, struct lz_service *s, const struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_count_on(w->metrics, s->series.queue_length_on, now, s->queued);
    if (r->own != NULL)
        lz_metrics_count_on(w->metrics, r->own->queue_length_on, now, r->queue_len);
}

void lz_level_left(struct lz_world *w, struct lz_service *s, const struct lz_service_replica *r,
                   const struct lz_task *t, enum lz_outcome outcome)
{
    lz_time latency = lz_sim_now(w->sim) - t->arrived;
    if (outcome == LZ_OUTCOME_OK)
        lz_measure_answered(w, &s->series.m, latency);
    else
        lz_measure_left(w, &s->series.m, outcome, latency);
    if (r->own != NULL)
        lz_measure_left(w, &r->own->m, outcome, latency);
    if (s->versions != NULL)
        lz_version_left(w, s, t, outcome);
}

// Of a node that is not heard of, the control plane has what it had, until that is not ready.
static bool knows(struct lz_world *w, const struct lz_service_replica *r,
                  const struct lz_instance *one)
{
    bool is_so = lz_instance_listens(one) && !one->is_out;
    if (one->is_out || is_so == r->is_known || !lz_nodes_is_silent(w, one->host))
        return is_so;
    w->services->has_unheard = true;
    return r->is_known;
}

void lz_level_heard(struct lz_world *w)
{
    bool was_unheard = w->services->has_unheard;
    w->services->has_unheard = false;
    for (lz_component_id id = 1; was_unheard && id < w->services->cap; id++) {
        struct lz_service *s = w->services->all[id];
        for (uint32_t i = 0; s != NULL && i < s->slots; i++) {
            struct lz_service_replica *r = &s->replicas[i];
            bool was_known = r->is_known;
            r->is_known = knows(w, r, lz_instance_get(w, s->first + i));
            if (r->is_known != was_known && s->pods != NULL)
                lz_pods_turned(w, s, s->first + i);
        }
    }
}

// The kubelet says of a container that it has just made that it is not ready.
void lz_level_began(struct lz_world *w, struct lz_service *s, lz_instance_id id)
{
    struct lz_service_replica *r = lz_service_replica(s, id);
    if (!r->is_known || lz_nodes_is_silent(w, lz_instance_get(w, id)->host))
        return;
    r->is_known = false;
    if (s->pods != NULL)
        lz_pods_turned(w, s, id);
}

// Counted one by one: of a hundred thousand replicas each may end in the same second.
void lz_level_up(struct lz_world *w, struct lz_service *s, lz_instance_id id)
{
    const struct lz_instance *one = lz_instance_get(w, id);
    struct lz_service_replica *r = lz_service_replica(s, id);
    lz_time now = lz_sim_now(w->sim);
    s->up -= r->is_up;
    s->ready -= r->is_ready;
    r->is_up = lz_instance_runs(one);
    r->is_ready = lz_instance_is_ready(one);
    s->up += r->is_up;
    s->ready += r->is_ready;
    r->is_known = knows(w, r, one);
    LZ_ASSERT(s->ready <= s->up && s->up <= s->slots);
    lz_metrics_set(w->metrics, s->series.up, now, s->up);
    lz_metrics_set(w->metrics, s->series.ready, now, s->ready);
    if (s->pods != NULL)
        lz_pods_turned(w, s, id);
    if (r->own == NULL)
        return;
    lz_metrics_set(w->metrics, r->own->up, now, r->is_up ? 1.0 : 0.0);
    lz_metrics_set(w->metrics, r->own->ready, now, r->is_ready ? 1.0 : 0.0);
}

void lz_level_begin(const struct lz_world *w, struct lz_service *s)
{
    LZ_ASSERT(s->up == 0 && s->ready == 0);
    for (uint32_t i = 0; i < s->slots; i++) {
        const struct lz_instance *one = lz_instance_get(w, s->first + i);
        s->up += s->replicas[i].is_up = lz_instance_runs(one);
        s->ready += s->replicas[i].is_ready = lz_instance_is_ready(one);
        s->replicas[i].is_known = s->replicas[i].is_ready;
    }
}

void lz_level_define(struct lz_world *w, const struct lz_service *service, const char *prefix,
                     struct lz_service_series *s, uint32_t replicas)
{
    LZ_ASSERT(replicas > 0);
    lz_measure_init(w, &s->m);
    s->degraded = lz_metrics_counter(w->metrics);
    s->tokens_refused = lz_metrics_counter(w->metrics);
    s->queue_length = lz_metrics_tally(w->metrics);
    s->queue_wait = lz_metrics_hist(w->metrics);
    s->busy = lz_metrics_share(w->metrics, (double)service->opts.concurrency * replicas);
    s->cpu = lz_metrics_share(w->metrics, service->cores * replicas);
    s->memory = lz_metrics_gauge(w->metrics, 0.0);
    s->restarts = lz_metrics_counter(w->metrics);
    s->up = lz_metrics_gauge(w->metrics, replicas);
    s->ready = lz_metrics_gauge(w->metrics, replicas);
    s->desired = lz_metrics_gauge(w->metrics, replicas);
    s->queue_length_on = lz_metrics_series(w->metrics, s->queue_length, LZ_WINDOW_GAUGE);
    s->queue_wait_on = lz_metrics_series(w->metrics, s->queue_wait, LZ_WINDOW_HIST);
    s->busy_on = lz_metrics_series(w->metrics, s->busy, LZ_WINDOW_GAUGE);
    s->cpu_on = lz_metrics_series(w->metrics, s->cpu, LZ_WINDOW_GAUGE);
    bool is_rolled_out = service->opts.rollout.is_on && prefix != NULL && prefix[0] == '\0';
    if (is_rolled_out) {
        s->updated = lz_metrics_gauge(w->metrics, replicas);
        s->available = lz_metrics_gauge(w->metrics, replicas);
        s->unavailable = lz_metrics_gauge(w->metrics, 0.0);
    }
    size_t count = is_rolled_out ? ROW_COUNT : ROW_COUNT - ROLLOUT_ROWS;
    if (prefix != NULL)
        lz_measure_define(w, service->id, prefix, rows, count, s);
}
