#include "model/traffic/traffic.h"

#include <math.h>
#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client/edge.h"
#include "model/client/plain_way.h"
#include "model/measure.h"
#include "model/node/instance.h"
#include "model/real.h"
#include "model/traffic/traffic_state.h"
#include "model/world_kinds.h"

struct lz_traffics {
    struct lz_traffic **all; // 0 ..
    uint32_t count, cap;
};

#define AT(member) offsetof(struct lz_traffic_series, member)
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
    LZ_MEASURE_QUANTILES("first_byte", AT(first_byte),
                         "time from the intended sending to the first byte of a good answer; with "
                         "`stream`"),
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))
#define STREAM_ROWS 7 // the last: of those that stream

const struct lz_metric_info *lz_traffic_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_traffic *lz_traffic_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(lz_world_component(w, id)->kind == LZ_COMPONENT_TRAFFIC);
    return w->traffics->all[lz_world_component(w, id)->index];
}

static inline uint64_t key_of(struct lz_world *w, const struct lz_traffic_send *send)
{
    const struct lz_traffic *t = send->traffic;
    // Bots ask for everything once: no two want the same.
    if (t->opts.keys.kind == LZ_DIST_NONE || send->is_bot)
        return send->key;
    uint64_t owner = send->agent != 0 ? send->path : t->path;
    uint64_t nth = send->agent != 0 ? 0 : send->ordinal;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_KEY, nth);
    return (uint64_t)lz_dist_value(&t->opts.keys, &draw);
}

static uint64_t user_of(const struct lz_traffic *t, const struct lz_request *r)
{
    return r->agent != 0 ? (uint64_t)t->id << 32 | r->agent : 0;
}

static inline struct lz_request *begin_request(struct lz_world *w,
                                               const struct lz_traffic_send *send)
{
    const struct lz_request_begin begin = {.traffic = send->traffic->id,
                                           .ordinal = send->ordinal,
                                           .intended = lz_sim_now(w->sim),
                                           .agent = send->agent,
                                           .is_bot = send->is_bot};
    return lz_request_begin_as(w, &begin);
}

// Not by a call of the model: to a topic, or by somebody else.
static void send_otherwise(struct lz_world *w, struct lz_traffic *t,
                           const struct lz_traffic_send *send)
{
    lz_time now = lz_sim_now(w->sim);
    if (t->producer != 0) {
        lz_producer_send(w, t->producer,
                         &(struct lz_producer_record){.intended = now,
                                                      .key = key_of(w, send),
                                                      .agent = send->agent & 0x7fffffffu,
                                                      .is_bot = send->is_bot});
        return;
    }
    LZ_ASSERT(t->sender.send != NULL);
    struct lz_request *r = begin_request(w, send);
    t->sender.send(t->sender.ctx, &(struct lz_traffic_sending){.traffic = t->id,
                                                               .request = lz_pool_id(r),
                                                               .path = send->path,
                                                               .key = key_of(w, send),
                                                               .ordinal = send->ordinal,
                                                               .who = user_of(t, r),
                                                               .intended = now});
}

static inline struct lz_client_begin
own_call(struct lz_world *w, const struct lz_traffic_send *send, lz_request_id request)
{
    const struct lz_traffic *t = send->traffic;
    return (struct lz_client_begin){.edge = t->edge,
                                    .client = t->users,
                                    .owner_kind = LZ_OWNER_TRAFFIC,
                                    .owner = request,
                                    .request = request,
                                    .path = send->path,
                                    .key = key_of(w, send)};
}

// Apart: of what has an address, nothing would stay in registers.
static __attribute__((noinline)) void
begin_otherwise(struct lz_world *w, const struct lz_traffic_send *send, lz_request_id request)
{
    const struct lz_client_begin begin = own_call(w, send, request);
    lz_client_begin(w, &begin);
}

void lz_traffic_send(struct lz_world *w, const struct lz_traffic_send *send)
{
    struct lz_traffic *t = send->traffic;
    lz_time now = lz_sim_now(w->sim);
    t->sent++;
    if (!send->is_bot) {
        lz_metrics_add_on(w->metrics, t->series.sent_on, 1);
        lz_metrics_enter_on(w->metrics, t->series.in_flight_on, now, 1);
    }
    lz_client_count_request(w, t->id);
    if (t->edge == 0) {
        send_otherwise(w, t, send);
        return;
    }
    struct lz_request *r = begin_request(w, send);
    struct lz_edge *e = lz_edge_get(w, t->edge);
    if (!lz_plain_is_possible(w, e)) {
        begin_otherwise(w, send, lz_pool_id(r));
        return;
    }
    const struct lz_client_begin begin = own_call(w, send, lz_pool_id(r));
    lz_plain_begin_here(w, e, &begin, (struct lz_plain_for){.request = r});
}

static inline void measure(struct lz_world *w, struct lz_traffic *t, lz_time latency,
                           enum lz_outcome outcome)
{
    lz_metrics_leave_on(w->metrics, t->series.in_flight_on, lz_sim_now(w->sim), 1);
    lz_metrics_add_on(w->metrics, t->series.outcomes_on, 1);
    lz_metrics_observe_on(w->metrics, t->series.latency_on, latency);
    if (outcome == LZ_OUTCOME_OK) {
        lz_metrics_add_on(w->metrics, t->series.ok_on, 1);
        return;
    }
    lz_metrics_add(w->metrics, t->series.failed, 1);
    if (outcome == LZ_OUTCOME_TIMEOUT)
        lz_metrics_add(w->metrics, t->series.timeouts, 1);
}

void lz_traffic_answered(struct lz_world *w, struct lz_request *r,
                         const struct lz_call_result *result)
{
    uint32_t agent = r->agent;
    struct lz_traffic *t = lz_traffic_at(w, r->traffic);
    if (!r->is_bot && t->series.first_byte != 0 && result->outcome == LZ_OUTCOME_OK)
        lz_metrics_observe(w->metrics, t->series.first_byte,
                           (result->first != 0 ? result->first : lz_sim_now(w->sim)) - r->intended);
    if (!r->is_bot)
        measure(w, t, lz_sim_now(w->sim) - r->intended, result->outcome);
    lz_request_end(w, r, result->outcome, result->status);
    if (agent != 0)
        lz_user_answered(w, agent);
}

void lz_traffic_called(struct lz_world *w, lz_request_id request,
                       const struct lz_call_result *result)
{
    struct lz_request *r = lz_request_find(w, request);
    LZ_ASSERT(r != NULL);
    lz_traffic_answered(w, r, result);
}

void lz_traffic_recorded(struct lz_world *w, lz_component_id id,
                         const struct lz_traffic_record *record)
{
    if (!record->is_bot)
        measure(w, lz_traffic_at(w, id), record->latency, record->outcome);
    if (record->agent != 0)
        lz_user_answered(w, record->agent);
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
    lz_arrivals_init(w);
    lz_users_init(w);
}

static void make_series(struct lz_world *w, struct lz_traffic *t)
{
    t->series = (struct lz_traffic_series){
        .sent = lz_metrics_counter(w->metrics),
        .outcomes = lz_metrics_counter(w->metrics),
        .ok = lz_metrics_counter(w->metrics),
        .failed = lz_metrics_counter(w->metrics),
        .timeouts = lz_metrics_counter(w->metrics),
        .latency = lz_metrics_hist(w->metrics),
        .in_flight = lz_metrics_tally(w->metrics),
    };
    struct lz_traffic_series *s = &t->series;
    s->sent_on = lz_metrics_series(w->metrics, s->sent, LZ_WINDOW_COUNTER);
    s->outcomes_on = lz_metrics_series(w->metrics, s->outcomes, LZ_WINDOW_COUNTER);
    s->ok_on = lz_metrics_series(w->metrics, s->ok, LZ_WINDOW_COUNTER);
    s->latency_on = lz_metrics_series(w->metrics, s->latency, LZ_WINDOW_HIST);
    s->in_flight_on = lz_metrics_series(w->metrics, s->in_flight, LZ_WINDOW_GAUGE);
    bool streams = t->opts.edge.stream;
    if (streams)
        t->series.first_byte = lz_metrics_hist(w->metrics);
    lz_measure_define(w, t->id, "", rows, streams ? ROW_COUNT : ROW_COUNT - STREAM_ROWS,
                      &t->series);
}

static bool check(const struct lz_traffic_opts *o, struct lz_err *err)
{
    if (o->rate.kind == LZ_SHAPE_CONSTANT && !(o->rate.mean >= 0.0 && o->rate.mean <= 1e9))
        return lz_fail(err, LZ_ERANGE, "rate must be between 0/s and 1e9/s, got %g/s",
                       o->rate.mean);
    if (o->gaps.kind != LZ_DIST_NONE) {
        double mean = lz_dist_mean(&o->gaps);
        if (!isfinite(mean))
            return lz_fail(err, LZ_ERANGE,
                           "gaps need a finite mean: a pareto has one with alpha above 1");
        if (!(mean >= 1.0))
            return lz_fail(err, LZ_ERANGE, "gaps must have a mean of at least 1ns, got %gns", mean);
    }
    if (o->batch > LZ_TRAFFIC_BATCH_MAX)
        return lz_fail(err, LZ_ERANGE, "batch must be at most %u, got %u", LZ_TRAFFIC_BATCH_MAX,
                       o->batch);
    if (o->users > LZ_TRAFFIC_USERS_MAX)
        return lz_fail(err, LZ_ERANGE,
                       "users must be at most %u, got %u: begin with fewer, and "
                       "a shorter think time",
                       LZ_TRAFFIC_USERS_MAX, o->users);
    return true;
}

static struct lz_traffic *make(struct lz_world *w, const struct lz_traffic_opts *opts,
                               lz_component_id id)
{
    struct lz_traffics *ts = w->traffics;
    lz_host_id host = opts->local ? lz_place_local_host(w) : lz_place_edge_host(w, opts->near);
    lz_instances_add(w, id, 1, &(struct lz_spread){.host = host}, &instance_ops);
    struct lz_component *c = &w->components[id];
    c->index = ts->count;
    ts->all = lz_grow(w->arena, ts->all, &ts->cap, ts->count + 1, sizeof(struct lz_traffic *));
    struct lz_traffic *t = lz_arena_alloc(w->arena, sizeof(*t));
    ts->all[ts->count++] = t;
    *t = (struct lz_traffic){.opts = *opts, .id = id, .users = c->instances_first, .path = c->path};
    return t;
}

bool lz_traffic_create(struct lz_world *w, const struct lz_traffic_opts *opts, lz_component_id *id,
                       struct lz_err *err)
{
    if (!check(opts, err) ||
        !lz_world_add(w, opts->name, LZ_COMPONENT_TRAFFIC, opts->line, id, err))
        return false;
    struct lz_traffic *t = make(w, opts, *id);
    struct lz_edge_opts edge = opts->edge;
    edge.from = *id;
    edge.to = opts->to;
    // Who really writes to one is a program; the model's producer has no part in it.
    if (lz_world_component(w, opts->to)->kind == LZ_COMPONENT_TOPIC && !lz_real_is_live(w)) {
        const struct lz_producer_create create = {.traffic = *id,
                                                  .topic = opts->to,
                                                  .client = t->users,
                                                  .opts = &opts->produce,
                                                  .edge = &edge,
                                                  .has_keys = opts->keys.kind != LZ_DIST_NONE};
        if (!lz_producer_create(w, &create, &t->producer, err))
            return false;
    } else if (!lz_call_edge(w, &edge, &t->edge, err)) {
        return false;
    }
    make_series(w, t);
    if (opts->users == 0)
        lz_arrival_add(w, t);
    return true;
}

void lz_traffics_start(struct lz_world *w)
{
    lz_arrivals_start(w);
    for (uint32_t i = 0; i < w->traffics->count; i++)
        if (w->traffics->all[i]->opts.users > 0)
            lz_users_start(w, w->traffics->all[i]);
}

void lz_traffic_send_by(struct lz_world *w, lz_component_id id,
                        const struct lz_traffic_sender *sender)
{
    struct lz_traffic *t = lz_traffic_at(w, id);
    LZ_ASSERT(t->producer == 0);
    LZ_ASSERT(sender->send != NULL);
    if (t->edge != 0)
        t->sender_edge = t->edge;
    t->edge = 0;
    t->sender = *sender;
}

const struct lz_edge_opts *lz_traffic_edge(const struct lz_world *w, lz_component_id id)
{
    const struct lz_traffic *t = lz_traffic_at(w, id);
    LZ_ASSERT(t->producer == 0);
    return lz_call_edge_opts(w, t->edge != 0 ? t->edge : t->sender_edge);
}

uint64_t lz_traffic_sent(const struct lz_world *w, lz_component_id id)
{
    return lz_traffic_at(w, id)->sent;
}

bool lz_traffic_is_closed(const struct lz_world *w, lz_component_id id)
{
    return lz_traffic_at(w, id)->opts.users > 0;
}

lz_component_id lz_traffic_to(const struct lz_world *w, lz_component_id id)
{
    return lz_traffic_at(w, id)->opts.to;
}
