#include "model/traffic.h"

#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client.h"
#include "model/instance.h"
#include "model/measure.h"
#include "model/world_kinds.h"

struct series {
    lz_series sent, outcomes, ok, failed, timeouts;
    lz_series latency;
    lz_series in_flight;
};

struct traffic {
    struct lz_traffic_opts opts;
    lz_component_id id;
    lz_edge_id edge;
    lz_instance_id users;
    uint64_t path;
    uint64_t ordinal; // of the latest request
    double gap_ns;    // mean time between two requests
    uint32_t open;
    struct series series;
};

struct lz_traffics {
    struct traffic *all; // 0 ..
    uint32_t count, cap;
    lz_kind arrival;
};

#define AT(member) offsetof(struct series, member)
static const struct lz_measure_row rows[] = {
    {"rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(sent), 0, 0, "requests sent per second"},
    {"goodput", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(ok), 0, 0, "requests answered well per second"},
    {"success.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(ok), AT(outcomes), 0,
     "requests answered well of all that ended"},
    {"errors.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(failed), AT(outcomes), 0,
     "requests that failed or timed out of all that ended"},
    {"errors.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(failed), 0, 0,
     "requests that failed or timed out per second"},
    {"timeouts.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(timeouts), 0, 0,
     "requests whose user gave up per second"},
    {"in_flight", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(in_flight), 0, 0, "requests without an answer"},
    LZ_MEASURE_QUANTILES("latency", AT(latency),
                         "time from the intended sending to the final answer or timeout"),
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_traffic_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

static struct traffic *traffic_at(const struct lz_world *w, lz_component_id id)
{
    return &w->traffics->all[lz_world_component(w, id)->index];
}

// The time of the next request, from the time of this one: rounding does not add up,
// because an even stream counts from its start.
static lz_time next_time(struct lz_world *w, const struct traffic *t)
{
    if (t->opts.constant)
        return (lz_time)(t->gap_ns * (double)(t->ordinal + 1) + 0.5);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ARRIVAL, t->ordinal + 1);
    return lz_sim_now(w->sim) + (lz_time)(lz_draw_exponential(&draw) * t->gap_ns + 0.5);
}

static uint64_t key_of(struct lz_world *w, const struct traffic *t)
{
    if (t->opts.keys.kind == LZ_DIST_NONE)
        return t->ordinal;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_KEY, t->ordinal);
    return (uint64_t)lz_dist_value(&t->opts.keys, &draw);
}

static void on_arrival(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct traffic *t = &w->traffics->all[entity];
    lz_time now = lz_sim_now(w->sim);
    t->ordinal++;
    t->open++;
    lz_metrics_add(w->metrics, t->series.sent, 1);
    lz_metrics_set(w->metrics, t->series.in_flight, now, t->open);
    lz_client_count_request(w, t->id);
    struct lz_request *r = lz_request_begin(w, t->id, t->ordinal, now);
    lz_request_id id = lz_pool_id(r);
    lz_client_begin(w, &(struct lz_client_begin){
                           .edge = t->edge,
                           .client = t->users,
                           .owner_kind = LZ_OWNER_TRAFFIC,
                           .owner = id,
                           .request = id,
                           .path = lz_draw_index(t->path, t->ordinal),
                           .key = key_of(w, t),
                       });
    lz_sim_at(w->sim, next_time(w, t), w->traffics->arrival, entity, 0);
}

void lz_traffic_called(struct lz_world *w, lz_request_id request,
                       const struct lz_call_result *result)
{
    struct lz_request *r = lz_request_find(w, request);
    LZ_ASSERT(r != NULL);
    struct traffic *t = traffic_at(w, r->traffic);
    LZ_ASSERT(t->open > 0);
    lz_time now = lz_sim_now(w->sim);
    bool ok = result->outcome == LZ_OUTCOME_OK;
    t->open--;
    lz_metrics_set(w->metrics, t->series.in_flight, now, t->open);
    lz_metrics_add(w->metrics, t->series.outcomes, 1);
    lz_metrics_add(w->metrics, ok ? t->series.ok : t->series.failed, 1);
    if (result->outcome == LZ_OUTCOME_TIMEOUT)
        lz_metrics_add(w->metrics, t->series.timeouts, 1);
    lz_metrics_observe(w->metrics, t->series.latency, now - r->intended);
    lz_request_end(w, r, result->outcome, result->status);
}

// Users are never killed, paused or lost: nothing of theirs can be.
static void nothing_happens(struct lz_world *w, lz_instance_id id)
{
    (void)w;
    (void)id;
}

static void nothing_dies(struct lz_world *w, lz_instance_id id, bool silent)
{
    (void)w;
    (void)id;
    (void)silent;
    LZ_UNREACHABLE("users cannot die");
}

static const struct lz_instance_ops instance_ops = {.died = nothing_dies,
                                                    .started = nothing_happens,
                                                    .stopped = nothing_happens,
                                                    .resumed = nothing_happens};

void lz_traffics_init(struct lz_world *w)
{
    w->traffics = lz_arena_alloc(w->arena, sizeof(*w->traffics));
    w->traffics->arrival = lz_sim_kind(w->sim, "arrival", on_arrival, w);
}

static void make_series(struct lz_world *w, struct traffic *t)
{
    t->series = (struct series){
        .sent = lz_metrics_counter(w->metrics),
        .outcomes = lz_metrics_counter(w->metrics),
        .ok = lz_metrics_counter(w->metrics),
        .failed = lz_metrics_counter(w->metrics),
        .timeouts = lz_metrics_counter(w->metrics),
        .latency = lz_metrics_hist(w->metrics),
        .in_flight = lz_metrics_gauge(w->metrics, 0.0),
    };
    lz_measure_define(w, t->id, "", rows, ROW_COUNT, &t->series);
}

bool lz_traffic_create(struct lz_world *w, const struct lz_traffic_opts *opts, lz_component_id *id,
                       struct lz_err *err)
{
    if (!(opts->rate >= 0.0 && opts->rate <= 1e9))
        return lz_fail(err, LZ_ERANGE, "rate must be between 0/s and 1e9/s, got %g/s", opts->rate);
    if (!lz_world_add(w, opts->name, LZ_COMPONENT_TRAFFIC, opts->line, id, err))
        return false;
    struct lz_traffics *ts = w->traffics;
    lz_host_id host = opts->local ? lz_place_local_host(w) : lz_place_edge_host(w);
    lz_instances_add(w, *id, 1, &(struct lz_spread){.host = host}, &instance_ops);
    struct lz_component *c = &w->components[*id];
    c->index = ts->count;
    ts->all = lz_grow(w->arena, ts->all, &ts->cap, ts->count + 1, sizeof(*ts->all));
    struct traffic *t = &ts->all[ts->count++];
    *t = (struct traffic){
        .opts = *opts,
        .id = *id,
        .users = c->instances_first,
        .path = c->path,
        .gap_ns = opts->rate > 0.0 ? 1e9 / opts->rate : 0.0,
    };
    struct lz_edge_opts edge = opts->edge;
    edge.from = *id;
    edge.to = opts->to;
    if (!lz_call_edge(w, &edge, &t->edge, err))
        return false;
    make_series(w, t);
    return true;
}

void lz_traffics_start(struct lz_world *w)
{
    for (uint32_t i = 0; i < w->traffics->count; i++) {
        const struct traffic *t = &w->traffics->all[i];
        if (t->gap_ns > 0.0)
            lz_sim_at(w->sim, next_time(w, t), w->traffics->arrival, i, 0);
    }
}

uint64_t lz_traffic_sent(const struct lz_world *w, lz_component_id id)
{
    return traffic_at(w, id)->ordinal;
}
