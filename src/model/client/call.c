#include "model/client/call.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache.h"
#include "model/client/caller.h"
#include "model/client/client.h"
#include "model/client/edge.h"
#include "model/client/flight.h"
#include "model/client/guard.h"
#include "model/client/legs.h"
#include "model/client/plain.h"
#include "model/client/policy.h"
#include "model/client/stream.h"
#include "model/client/through.h"
#include "model/data/database.h"
#include "model/history/recorder.h"
#include "model/net/connect.h"
#include "model/net/connection.h"
#include "model/net/resolver.h"
#include "model/node/instance.h"
#include "model/service/rollout.h"
#include "model/service/service.h"
#include "model/service/task.h"
#include "model/store/store.h"
#include "model/world_kinds.h"

#define EDGES_MAX 60000 // each may have a timer lane of its own
#define OPS_MAX 65535
#define LZ_CALL_TIME_MAX (365 * 86400 * LZ_S)
#define PAIRS_MAX (64u << 20)

// Attempts on b per request of a: somebody asked, before or after the edges were made.
struct amplified {
    lz_component_id a, b;
    lz_series attempts;
};

struct lz_calls {
    struct lz_calls_face face; // first: the getters look here
    struct amplified *amplified;
    uint32_t amplified_count, amplified_cap;
    uint32_t edge_cap;
    const char **ops; // 1 ..
    uint32_t op_count, op_cap;
    bool has_priorities; // some call has one
    lz_series *requests; // begun, by component; 0: nobody asked
    uint32_t requests_cap;
};

void lz_calls_init(struct lz_world *w)
{
    w->calls = lz_arena_alloc(w->arena, sizeof(*w->calls));
    lz_client_init(w);
    lz_balance_init(w);
}

// What it has to say to whom is known when all services and their handlers are.
static void begin_edge(struct lz_world *w, lz_edge_id id)
{
    struct lz_edge *e = lz_edge_get(w, id);
    e->heeds_deadline = lz_service_heeds_deadlines(w, e->opts.from);
    e->tells_deadline = lz_service_wants_deadlines(w, e->opts.to);
    e->hands_priority_on = w->calls->has_priorities;
    lz_plain_settle(w, e);
}

void lz_calls_start(struct lz_world *w)
{
    for (lz_edge_id id = 1; id <= w->calls->face.edge_count; id++)
        begin_edge(w, id);
    lz_balance_start(w);
}

lz_op lz_call_op(struct lz_world *w, const char *name)
{
    struct lz_calls *cs = w->calls;
    if (name == NULL || name[0] == '\0')
        return 0;
    for (uint32_t i = 1; i <= cs->op_count; i++)
        if (strcmp(cs->ops[i], name) == 0)
            return (lz_op)i;
    LZ_ASSERT(cs->op_count < OPS_MAX);
    cs->ops = lz_grow(w->arena, cs->ops, &cs->op_cap, cs->op_count + 2, sizeof(*cs->ops));
    cs->ops[++cs->op_count] = lz_arena_strdup(w->arena, name);
    return (lz_op)cs->op_count;
}

uint32_t lz_call_edge_count(const struct lz_world *w)
{
    return lz_edge_count(w);
}

const struct lz_edge_opts *lz_call_edge_opts(const struct lz_world *w, lz_edge_id id)
{
    return &lz_edge_get(w, id)->opts;
}

const char *lz_call_op_name(const struct lz_world *w, lz_op op)
{
    LZ_ASSERT(op <= w->calls->op_count);
    return op == 0 ? "" : w->calls->ops[op];
}

bool lz_call_is_retried(const struct lz_edge_opts *o, const struct lz_call_result *result)
{
    if (o->retry_outcomes == 0 && o->retry_status_count == 0)
        return true;
    if (o->retry_outcomes >> result->outcome & 1u)
        return true;
    for (uint32_t i = 0; i < o->retry_status_count; i++)
        if (o->retry_statuses[i] == result->status)
            return true;
    return false;
}

uint32_t lz_edge_count(const struct lz_world *w)
{
    return w->calls->face.edge_count;
}

// A balancer passes on what it was sent, and its size with it.
static void fill_defaults(struct lz_edge_opts *o, bool passes_on)
{
    if (o->timeout == 0)
        o->timeout = 60 * LZ_S;
    if (o->backoff.base == 0)
        o->backoff.base = 100 * LZ_MS;
    if (o->backoff.max == 0)
        o->backoff.max = o->backoff.base > LZ_BACKOFF_MAX ? o->backoff.base : LZ_BACKOFF_MAX;
    if (o->size == 0 && !passes_on)
        o->size = LZ_CALL_SIZE;
    if (o->response_size == 0 && !passes_on)
        o->response_size = LZ_CALL_RESPONSE_SIZE;
    if (o->tcp.syn_retries == 0)
        o->tcp.syn_retries = LZ_TCP_SYN_RETRIES;
    if (o->tcp.retries == 0)
        o->tcp.retries = LZ_TCP_RETRIES;
    if (o->tcp.idle == 0)
        o->tcp.idle = LZ_TCP_KEEPALIVE_IDLE_NS;
    if (o->tcp.interval == 0)
        o->tcp.interval = LZ_TCP_KEEPALIVE_INTERVAL_NS;
    if (o->tcp.probes == 0)
        o->tcp.probes = LZ_TCP_KEEPALIVE_PROBES;
    if (o->health.every == 0)
        o->health.every = LZ_S;
    if (o->health.timeout == 0)
        o->health.timeout = LZ_S;
    if (o->health.fails == 0)
        o->health.fails = 3;
    if (o->health.passes == 0)
        o->health.passes = 2;
    lz_balance_fill_defaults(&o->balance);
}

static bool check_opts(const struct lz_edge_opts *o, struct lz_err *err)
{
    if (o->timeout < 0)
        return lz_fail(err, LZ_ERANGE, "timeout must be positive");
    if (o->priority > LZ_PRIORITIES)
        return lz_fail(err, LZ_ERANGE, "priority must be between 0 and %d, got %u",
                       LZ_PRIORITIES - 1, o->priority - 1u);
    if (o->retries > 1000)
        return lz_fail(err, LZ_ERANGE, "retries must be at most 1000, got %u", o->retries);
    if (o->overall_timeout < 0 || o->backoff.base < 0 || o->backoff.max < 0)
        return lz_fail(err, LZ_ERANGE, "times must be positive");
    if (o->backoff.base > LZ_CALL_TIME_MAX || o->backoff.max > LZ_CALL_TIME_MAX ||
        o->overall_timeout > LZ_CALL_TIME_MAX)
        return lz_fail(err, LZ_ERANGE, "backoff and overall_timeout must be at most 365 days");
    if (o->backoff.max > 0 && o->backoff.max < o->backoff.base)
        return lz_fail(err, LZ_ERANGE, "backoff_max must be at least backoff");
    if (o->size > LZ_CALL_BYTES_MAX || o->response_size > LZ_CALL_BYTES_MAX)
        return lz_fail(err, LZ_ERANGE, "size and response_size must be at most 1 TiB, got %.3g TiB",
                       (double)(o->size > o->response_size ? o->size : o->response_size) / 0x1p40);
    const struct lz_health_opts *h = &o->health;
    if (h->by_endpoints && (h->every > 0 || h->timeout > 0 || h->fails > 0 || h->passes > 0))
        return lz_fail(err, LZ_EINVAL,
                       "health: by = \"endpoints\" checks nothing: leave out every, timeout, fails "
                       "and passes");
    if (h->by_endpoints && o->balance.panic > 0.0)
        return lz_fail(err, LZ_EINVAL,
                       "panic: with health by = \"endpoints\" nobody is thought dead who is not: "
                       "leave it out, or leave out by");
    if (o->tcp.window > LZ_TCP_WINDOW_MAX)
        return lz_fail(err, LZ_ERANGE, "window must be at most 64 MiB, got %.4g MiB",
                       (double)o->tcp.window / 0x1p20);
    if (o->tcp.syn_retries > 127 || o->tcp.syn_linear > 127 || o->tcp.retries > 127)
        return lz_fail(err, LZ_ERANGE,
                       "syn_retries, syn_linear_timeouts and retries2 must be at "
                       "most 127, as Linux has it");
    return lz_guard_check(o, err) && lz_legs_check(o, err) && lz_stream_check(o, err);
}

// What the edge's options need beyond a plain call.
static void prepare(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_edge_opts *o = &e->opts;
    bool hedges = lz_legs_is_needed(o);
    if (e->server_count > 1 && (lz_policy_is_needed(&o->balance) || o->hedge.attempts > 1))
        lz_policy_create(w, e);
    if (lz_guard_is_needed(o))
        lz_guard_create(w, e);
    if (hedges)
        lz_legs_create(w, e);
    if (o->single_flight)
        lz_flight_create(w, e);
    if (o->stream)
        lz_stream_declare(w);
    if (hedges || o->single_flight || lz_guard_is_needed(o) || o->balance.outliers.on)
        lz_caller_measure(w, o->from, NULL);
    e->caller = lz_caller_of(w, o->from);
    e->is_watched =
        e->policy != NULL || e->guard != NULL || hedges || e->flights != NULL || e->caller != NULL;
}

// What its callee makes of it.
static bool fits_callee(const struct lz_world *w, const struct lz_component *to,
                        const struct lz_edge_opts *opts, struct lz_err *err)
{
    bool is_cache = to->kind == LZ_COMPONENT_CACHE, is_store = to->kind == LZ_COMPONENT_STORE;
    const char *stray = !is_cache && opts->ttl > 0                       ? "ttl"
                        : !is_cache && opts->beta > 0.0                  ? "beta"
                        : !is_cache && !is_store && opts->entry_size > 0 ? "value_size"
                        : !is_store && opts->consistent                  ? "consistent"
                                                                         : NULL;
    if (stray != NULL)
        return lz_fail(err, LZ_EINVAL, "a call to %s has no `%s`: it is a %s", to->name, stray,
                       lz_world_kind_name(to->kind));
    if (is_cache && opts->op != NULL && !lz_cache_has_op(opts->op))
        return lz_fail(err, LZ_EINVAL, "a cache has no operation \"%s\": it has %s", opts->op,
                       lz_cache_ops());
    if (is_store && opts->op != NULL && !lz_store_has_op(w, opts->to, opts->op))
        return lz_fail(err, LZ_EINVAL, "%s has no operation \"%s\": it has %s", to->name, opts->op,
                       lz_store_ops(w, opts->to));
    if (opts->single_flight && to->kind == LZ_COMPONENT_DATABASE &&
        !lz_database_is_read(opts->op != NULL ? opts->op : ""))
        return lz_fail(
            err, LZ_EINVAL,
            "single_flight: \"%s\" writes, and each write must be made: leave it out, or "
            "call it by a word that reads, such as \"get\"",
            opts->op != NULL ? opts->op : "");
    return true;
}

// A callee that decides itself which node is asked leaves nothing to choose.
static bool fits_route(const struct lz_world *w, const struct lz_component *to,
                       const struct lz_edge_opts *opts, struct lz_err *err)
{
    if (lz_task_ops(w, opts->to)->route == NULL)
        return true;
    if (lz_policy_is_needed(&opts->balance))
        return lz_fail(err, LZ_EINVAL,
                       "%s decides itself which node is asked: there is no balancing", to->name);
    if (opts->health.by_endpoints)
        return lz_fail(err, LZ_EINVAL,
                       "%s decides itself which node is asked: health cannot go by endpoints",
                       to->name);
    return true;
}

// Pods of a rollout come and go in places that are nobody's for good.
static bool fits_rollout(const struct lz_world *w, const struct lz_component *to,
                         const struct lz_edge_opts *opts, struct lz_err *err)
{
    bool has = opts->balance.weights != NULL || opts->balance.subset > 0;
    if (!has || to->kind != LZ_COMPONENT_SERVICE || !lz_rollout_is_on(w, opts->to))
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "%s is rolled out: its replicas come and go, and `%s` would mean some of them "
                   "for good: leave it out, or the rollout",
                   to->name, opts->balance.weights != NULL ? "weights" : "subset");
}

bool lz_call_edge(struct lz_world *w, const struct lz_edge_opts *opts, lz_edge_id *id,
                  struct lz_err *err)
{
    struct lz_calls *cs = w->calls;
    const struct lz_component *from = lz_world_component(w, opts->from);
    const struct lz_component *to = lz_world_component(w, opts->to);
    if (to->kind == LZ_COMPONENT_TRAFFIC)
        return lz_fail(err, LZ_EINVAL, "%s is traffic and cannot be called", to->name);
    if (to->kind == LZ_COMPONENT_DNS)
        return lz_resolver_edges(w, opts, id, err);
    if (!fits_rollout(w, to, opts, err) || !check_opts(opts, err) ||
        !lz_balance_check(&opts->balance, to->instance_count, err))
        return false;
    if (!fits_callee(w, to, opts, err) || !fits_route(w, to, opts, err))
        return false;
    if (cs->face.edge_count >= EDGES_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d calls may be declared", EDGES_MAX);
    if (cs->op_count >= OPS_MAX) // a handler may make them up as it goes
        return lz_fail(err, LZ_EFULL,
                       "at most %d different operations: what varies belongs in `key`", OPS_MAX);
    if ((uint64_t)from->instance_count * to->instance_count > PAIRS_MAX)
        return lz_fail(err, LZ_EFULL, "%s to %s: at most %u pairs of instances", from->name,
                       to->name, PAIRS_MAX);

    cs->face.edges = lz_grow(w->arena, cs->face.edges, &cs->edge_cap, cs->face.edge_count + 2,
                             sizeof(struct lz_edge *));
    struct lz_edge *e = cs->face.edges[++cs->face.edge_count] =
        lz_arena_alloc(w->arena, sizeof(*e));
    e->opts = opts->through != 0 ? lz_through_outer(opts) : *opts;
    fill_defaults(&e->opts,
                  from->kind == LZ_COMPONENT_BALANCER || from->kind == LZ_COMPONENT_GATEWAY);
    cs->has_priorities = cs->has_priorities || opts->priority > 0;
    e->is_keyed = to->kind == LZ_COMPONENT_CACHE || to->kind == LZ_COMPONENT_STORE ||
                  to->kind == LZ_COMPONENT_TOPIC;
    e->op = lz_call_op(w, opts->op);
    e->path = lz_draw_name(lz_draw_pair(from->path, to->path), opts->op != NULL ? opts->op : "");
    e->timeout = lz_client_timeout_lane(w, e->opts.timeout);
    e->timers = lz_client_timers(w, e->opts.timeout);
    e->client_first = from->instances_first;
    e->client_count = from->instance_count;
    e->server_first = to->instances_first;
    e->server_count = to->instance_count;
    e->clients = lz_arena_alloc(w->arena, e->client_count * sizeof(*e->clients));
    e->servers = lz_arena_alloc(w->arena, e->server_count * sizeof(*e->servers));
    e->pairs =
        lz_arena_alloc(w->arena, (size_t)e->client_count * e->server_count * sizeof(*e->pairs));
    for (uint32_t c = 0; c < e->client_count; c++) {
        e->clients[c].turn = c; // callers do not begin with the same replica
    }
    for (uint32_t i = 0; i < cs->amplified_count; i++)
        if (cs->amplified[i].a == opts->from && cs->amplified[i].b == opts->to)
            e->attempts = cs->amplified[i].attempts;
    w->balances->has_endpoints |= opts->health.by_endpoints;
    w->ways++;
    cs->face.has_long |= opts->size > LZ_TCP_SEGMENT || opts->response_size > LZ_TCP_SEGMENT;
    prepare(w, e);
    *id = cs->face.edge_count;
    if (opts->through != 0 && !lz_through_create(w, e, opts, err))
        return false;
    if (lz_recorder_takes_calls(w, opts->to))
        e->is_recorded = e->is_watched = true;
    lz_balance_join(w, e);
    lz_connect_warm(w, e);
    lz_connection_join(w, e);
    if (w->running) {
        begin_edge(w, *id);
        lz_balance_watch(w, *id);
    }
    return true;
}

lz_edge_id lz_call_bundle(struct lz_world *w, lz_component_id from,
                          const struct lz_call_member *members, uint32_t count)
{
    LZ_ASSERT(members != NULL && count > 0);
    struct lz_calls *cs = w->calls;
    LZ_ASSERT(cs->face.edge_count < EDGES_MAX + LZ_WORLD_COMPONENTS_MAX); // at most one a component
    cs->face.edges = lz_grow(w->arena, cs->face.edges, &cs->edge_cap, cs->face.edge_count + 2,
                             sizeof(struct lz_edge *));
    struct lz_edge *e = cs->face.edges[++cs->face.edge_count] =
        lz_arena_alloc(w->arena, sizeof(*e));
    e->opts.from = from;
    e->members = members;
    e->member_count = count;
    e->is_watched = true;
    lz_legs_create(w, e);
    return cs->face.edge_count;
}

void lz_client_count_amplified(struct lz_world *w, lz_component_id component)
{
    const struct lz_calls *cs = w->calls;
    if (component < cs->requests_cap && cs->requests[component] != 0)
        lz_metrics_add(w->metrics, cs->requests[component], 1);
}

lz_metric lz_call_amplification(struct lz_world *w, lz_component_id a, lz_component_id b)
{
    struct lz_calls *cs = w->calls;
    char name[LZ_TARGET_END_SIZE]; // all of it: it is found by this
    snprintf(name, sizeof(name), "amplification.%s", lz_world_component(w, b)->name);
    lz_metric known = lz_metrics_find(w->metrics, a, name);
    if (known != 0 || w->running)
        return known;
    lz_series attempts = lz_metrics_counter(w->metrics);
    bool calls = lz_service_is_handled(w, a); // a handler's calls are made as it runs
    for (uint32_t i = 1; i <= cs->face.edge_count; i++) {
        struct lz_edge *e = cs->face.edges[i];
        if (e->opts.from != a || e->opts.to != b)
            continue;
        calls = true;
        e->attempts = attempts;
    }
    if (!calls)
        return 0;
    cs->amplified = lz_grow(w->arena, cs->amplified, &cs->amplified_cap, cs->amplified_count + 1,
                            sizeof(*cs->amplified));
    cs->amplified[cs->amplified_count++] = (struct amplified){.a = a, .b = b, .attempts = attempts};
    cs->requests = lz_grow(w->arena, cs->requests, &cs->requests_cap, a + 1, sizeof(*cs->requests));
    if (cs->requests[a] == 0)
        cs->requests[a] = lz_metrics_counter(w->metrics);
    lz_world_has(w, LZ_UNUSUAL_AMPLIFIED);
    return lz_metrics_define(w->metrics, a,
                             &(struct lz_metric_def){.name = lz_arena_strdup(w->arena, name),
                                                     .view = LZ_VIEW_RATIO,
                                                     .unit = LZ_UNIT_COUNT,
                                                     .a = attempts,
                                                     .b = cs->requests[a]});
}

const struct lz_metric_info *lz_call_metrics(size_t *count)
{
    return lz_caller_metrics(count);
}

void lz_call_measure(struct lz_world *w, lz_component_id component, const char *name)
{
    LZ_ASSERT(name != NULL);
    enum lz_component_kind kind = lz_world_component(w, component)->kind;
    if (lz_world_kind_calls(kind))
        lz_caller_measure(w, component, name);
}
