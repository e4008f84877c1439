/*
 * balance.c — which replica to ask, and which are thought alive.
 *
 * Health checks bypass the workers' queue: a replica passes when its process is up and
 * not paused and the way there and back is open and quick enough. They are made from
 * the calling component's first instance that runs. Envoy calls it panic mode when no
 * replica is thought alive and all are tried; so does this. A replica that is unready or
 * leaving is no endpoint, whatever the checks say (life.h).
 */
#include "model/client/balance.h"

#include "base/check.h"
#include "model/client/edge.h"
#include "model/client/outlier.h"
#include "model/client/policy.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/service/task.h"

static lz_instance_id vantage(const struct lz_world *w, const struct lz_edge *e)
{
    for (uint32_t c = 0; c < e->client_count; c++)
        if (lz_instance_is_up(lz_instance_get(w, e->client_first + c)))
            return e->client_first + c;
    return 0;
}

static bool passes(struct lz_world *w, const struct lz_edge *e, lz_instance_id from,
                   lz_instance_id server)
{
    if (!lz_instance_is_up(lz_instance_get(w, server)))
        return false;
    if (!lz_net_can_ask(w, from, server))
        return false;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(e->path, server - e->server_first),
                      LZ_PURPOSE_PROBE, e->probes);
    lz_time there = lz_net_latency(w, from, server, &draw);
    return there + lz_net_latency(w, server, from, &draw) <= e->opts.health.timeout;
}

// Whether it is asked, by all that is known of it.
static void reconsider(struct lz_world *w, struct lz_edge *e, lz_instance_id server)
{
    struct lz_edge_server *s = &e->servers[server - e->server_first];
    bool is_out = s->is_dead || s->is_gone || s->is_ended || s->is_away;
    if (is_out == s->is_out)
        return;
    s->is_out = is_out;
    e->out_count += is_out ? 1u : -1u;
    e->out_version++;
    LZ_ASSERT(e->out_count <= e->server_count);
    if (!is_out)
        lz_policy_back(w, e, server - e->server_first);
}

static void set_dead(struct lz_world *w, struct lz_edge *e, lz_instance_id server, bool is_dead,
                     const char *why)
{
    struct lz_edge_server *s = &e->servers[server - e->server_first];
    LZ_ASSERT(s->is_dead != is_dead);
    s->is_dead = is_dead;
    s->fails = s->passes = 0;
    reconsider(w, e, server);
    lz_instance_note(w, server, is_dead ? "out" : "in", "%s of %s", why,
                     lz_world_component(w, e->opts.from)->name);
}

void lz_balance_endpoint(struct lz_world *w, lz_instance_id instance, bool is_gone)
{
    lz_component_id component = lz_instance_get(w, instance)->component;
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++) {
        struct lz_edge *e = lz_edge_get(w, id);
        if (e->opts.to != component || (e->server_count == 1 && !e->opts.health.by_endpoints))
            continue;
        e->servers[instance - e->server_first].is_gone = is_gone;
        reconsider(w, e, instance);
    }
}

void lz_balance_ended(struct lz_world *w, lz_instance_id instance, bool is_ended)
{
    lz_component_id component = lz_instance_get(w, instance)->component;
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++) {
        struct lz_edge *e = lz_edge_get(w, id);
        if (e->opts.to != component || !e->opts.health.by_endpoints)
            continue;
        e->servers[instance - e->server_first].is_ended = is_ended;
        reconsider(w, e, instance);
    }
}

void lz_balance_set_away(struct lz_world *w, struct lz_edge *e, lz_instance_id server, bool is_away)
{
    struct lz_edge_server *s = &e->servers[server - e->server_first];
    LZ_ASSERT(s->is_away != is_away);
    s->is_away = is_away;
    s->is_dead = false; // another process, of which nothing is known
    e->away_count += is_away ? 1u : -1u;
    e->out_version++;
    reconsider(w, e, server);
    LZ_ASSERT(e->away_count <= e->out_count);
}

void lz_balance_join(struct lz_world *w, struct lz_edge *e)
{
    for (uint32_t s = 0; s < e->server_count; s++)
        if (lz_instance_get(w, e->server_first + s)->is_away)
            lz_balance_set_away(w, e, e->server_first + s, true);
}

static void judge(struct lz_world *w, struct lz_edge *e, lz_instance_id server, bool passed)
{
    struct lz_edge_server *s = &e->servers[server - e->server_first];
    if (passed) {
        s->fails = 0;
        if (s->is_dead && ++s->passes >= e->opts.health.passes)
            set_dead(w, e, server, false, "passes the health checks");
    } else {
        s->passes = 0;
        if (!s->is_dead && ++s->fails >= e->opts.health.fails)
            set_dead(w, e, server, true, "fails the health checks");
    }
}

static void on_probe(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    (void)payload;
    struct lz_edge *e = lz_edge_get(w, entity);
    e->probes++;
    lz_instance_id from = vantage(w, e);
    for (uint32_t s = 0; s < e->server_count && from != 0; s++)
        if (!e->servers[s].is_away)
            judge(w, e, e->server_first + s, passes(w, e, from, e->server_first + s));
    lz_sim_at(w->sim, lz_sim_now(w->sim) + e->opts.health.every, w->balances->probe, entity, 0);
}

void lz_balance_init(struct lz_world *w)
{
    w->balances = lz_arena_alloc(w->arena, sizeof(*w->balances));
    w->balances->probe = lz_sim_kind(w->sim, "probe", on_probe, w);
}

void lz_balance_watch(struct lz_world *w, lz_edge_id id)
{
    const struct lz_edge *e = lz_edge_get(w, id);
    if (e->through != NULL)
        return; // its load is watched
    if (e->server_count > 1 && !e->opts.health.by_endpoints &&
        lz_task_ops(w, e->opts.to)->route == NULL)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + e->opts.health.every, w->balances->probe, id, 0);
    lz_outlier_watch(w, id);
}

void lz_balance_start(struct lz_world *w)
{
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++)
        lz_balance_watch(w, id);
}

void lz_balance_out(struct lz_world *w, struct lz_edge *e, lz_instance_id server)
{
    if (e->server_count == 1 || e->opts.health.by_endpoints ||
        lz_task_ops(w, e->opts.to)->route != NULL)
        return; // no choice, or none of its own, so no opinion
    if (!e->servers[server - e->server_first].is_dead)
        set_dead(w, e, server, true, "refused or reset a connection");
}

static bool is_choice(const struct lz_edge *e, uint32_t s)
{
    return !e->servers[s].is_away && (e->out_count == e->server_count || !e->servers[s].is_out);
}

static uint32_t next_in_turn(struct lz_edge *e, struct lz_edge_client *c)
{
    uint32_t s = c->turn % e->server_count;
    while (!is_choice(e, s))
        s = (s + 1) % e->server_count;
    c->turn = s + 1;
    return s;
}

static uint32_t at_random(struct lz_world *w, const struct lz_edge *e, uint64_t path)
{
    uint32_t out = e->out_count == e->server_count ? e->away_count : e->out_count;
    uint32_t choices = e->server_count - out;
    LZ_ASSERT(choices > 0);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_BALANCE, 0);
    uint64_t nth = lz_draw_below(&draw, choices);
    uint32_t s = 0;
    for (;; s++)
        if (is_choice(e, s) && nth-- == 0)
            return s;
}

// The least loaded by this client's own count; among equals the next in turn.
static uint32_t least_loaded(struct lz_edge *e, struct lz_edge_client *c, lz_instance_id client)
{
    uint32_t best = next_in_turn(e, c);
    const struct lz_edge_pair *pairs = lz_edge_pair(e, client, e->server_first);
    for (uint32_t i = 0; i < e->server_count; i++) {
        uint32_t s = (c->turn + i) % e->server_count;
        if (is_choice(e, s) && pairs[s].in_flight < pairs[best].in_flight)
            best = s;
    }
    c->turn = best + 1;
    return best;
}

lz_instance_id lz_balance_pick(struct lz_world *w, struct lz_edge *e,
                               const struct lz_balance_ask *ask)
{
    LZ_ASSERT(ask->client >= e->client_first && ask->client < e->client_first + e->client_count);
    if (e->out_count == e->server_count && e->opts.health.by_endpoints)
        return 0;
    if (e->server_count == 1)
        return e->server_first;
    if (e->policy != NULL)
        return lz_policy_pick(w, e, ask);
    struct lz_edge_client *c = &e->clients[ask->client - e->client_first];
    if (e->opts.balance.policy == LZ_BALANCE_RANDOM)
        return e->server_first + at_random(w, e, ask->path);
    if (e->opts.balance.policy == LZ_BALANCE_LEAST_REQUESTS)
        return e->server_first + least_loaded(e, c, ask->client);
    LZ_ASSERT(e->opts.balance.policy == LZ_BALANCE_ROUND_ROBIN);
    return e->server_first + next_in_turn(e, c);
}

void lz_balance_fill_defaults(struct lz_balance_opts *o)
{
    if (o->choices == 0)
        o->choices = 2;
    if (o->virtual_nodes == 0)
        o->virtual_nodes = 160;
    if (o->table_size == 0)
        o->table_size = 65537;
    if (!(o->overprovisioning > 0.0))
        o->overprovisioning = 1.4;
    struct lz_slow_start_opts *slow = &o->slow_start;
    if (!(slow->aggression > 0.0))
        slow->aggression = 1.0;
    if (!(slow->least > 0.0))
        slow->least = 0.1;
    struct lz_outlier_opts *out = &o->outliers;
    if (out->failures == 0)
        out->failures = 5;
    if (out->every == 0)
        out->every = 10 * LZ_S;
    if (out->ejection == 0)
        out->ejection = 30 * LZ_S;
    if (out->ejection_max == 0)
        out->ejection_max = out->ejection > 300 * LZ_S ? out->ejection : 300 * LZ_S;
    if (!(out->share_max > 0.0))
        out->share_max = 0.1;
}

static bool check_weights(const struct lz_balance_opts *o, uint32_t replicas, struct lz_err *err)
{
    if (o->weights == NULL)
        return true;
    if (o->policy == LZ_BALANCE_JOIN_SHORTEST_QUEUE)
        return lz_fail(err, LZ_EINVAL, "weights have no meaning with join_shortest_queue");
    if (o->weight_count != replicas)
        return lz_fail(err, LZ_ERANGE, "weights must be one for each of %u replicas, got %u",
                       replicas, o->weight_count);
    for (uint32_t i = 0; i < replicas; i++)
        if (o->weights[i] < 1 || o->weights[i] > LZ_BALANCE_WEIGHT_MAX)
            return lz_fail(err, LZ_ERANGE, "a weight must be between 1 and %d, got %u",
                           LZ_BALANCE_WEIGHT_MAX, o->weights[i]);
    return true;
}

// How large a ring or a table may be, and that a table's size is a prime.
static bool check_hash(const struct lz_balance_opts *o, uint32_t replicas, struct lz_err *err)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < replicas; i++)
        weight += o->weights != NULL ? o->weights[i] : 1;
    uint64_t nodes = o->virtual_nodes > 0 ? o->virtual_nodes : 160;
    if (o->policy == LZ_BALANCE_RING_HASH && weight * nodes > LZ_BALANCE_POINTS_MAX)
        return lz_fail(err, LZ_EFULL, "a ring has at most %u points, this one would have %llu",
                       LZ_BALANCE_POINTS_MAX, (unsigned long long)(weight * nodes));
    uint32_t size = o->table_size > 0 ? o->table_size : 65537;
    if (size > LZ_BALANCE_TABLE_MAX || size < 3 || !lz_maglev_is_prime(size))
        return lz_fail(err, LZ_ERANGE, "table_size must be a prime between 3 and %u, got %u",
                       LZ_BALANCE_TABLE_MAX, size);
    if (o->policy == LZ_BALANCE_MAGLEV && size < replicas)
        return lz_fail(err, LZ_ERANGE, "table_size must be at least one per replica (%u), got %u",
                       replicas, size);
    if (!(o->load_bound >= 0.0 && o->load_bound <= 100.0))
        return lz_fail(err, LZ_ERANGE, "load_bound must be between 0 and 100, got %g",
                       o->load_bound);
    return true;
}

static bool check_outliers(const struct lz_outlier_opts *o, struct lz_err *err)
{
    if (o->every < 0 || o->ejection < 0 || o->ejection_max < 0)
        return lz_fail(err, LZ_ERANGE, "outliers: times must be positive");
    if (o->ejection > LZ_BALANCE_EJECTION_MAX)
        return lz_fail(err, LZ_ERANGE, "outliers: ejection must be at most 24h");
    if (o->ejection_max > 0 && o->ejection_max < o->ejection)
        return lz_fail(err, LZ_ERANGE, "outliers: ejection_max must be at least ejection");
    if (!(o->share_max >= 0.0 && o->share_max <= 1.0))
        return lz_fail(err, LZ_ERANGE, "outliers: share_max must be between 0 and 1, got %g",
                       o->share_max);
    return true;
}

// An option of one policy, given with another.
static bool check_meaning(const struct lz_balance_opts *o, struct lz_err *err)
{
    bool by_key = o->policy == LZ_BALANCE_RING_HASH || o->policy == LZ_BALANCE_MAGLEV;
    if ((o->choices > 0 || o->replacement) && o->policy != LZ_BALANCE_POWER_OF_TWO)
        return lz_fail(err, LZ_EINVAL, "choices and replacement are power_of_two's");
    if (o->virtual_nodes > 0 && o->policy != LZ_BALANCE_RING_HASH)
        return lz_fail(err, LZ_EINVAL, "virtual_nodes are ring_hash's");
    if (o->table_size > 0 && o->policy != LZ_BALANCE_MAGLEV)
        return lz_fail(err, LZ_EINVAL, "table_size is maglev's");
    if (o->load_bound > 0.0 && !by_key)
        return lz_fail(err, LZ_EINVAL, "load_bound is ring_hash's and maglev's");
    if (o->slow_start.window > 0 && (by_key || o->policy == LZ_BALANCE_JOIN_SHORTEST_QUEUE))
        return lz_fail(err, LZ_EINVAL, "slow_start needs a policy that heeds weights as they are");
    if (o->overprovisioning > 0.0 && !o->zone_aware)
        return lz_fail(err, LZ_EINVAL, "overprovisioning is zone_aware's");
    return true;
}

bool lz_balance_check(const struct lz_balance_opts *o, uint32_t replicas, struct lz_err *err)
{
    if (!check_meaning(o, err))
        return false;
    if (o->choices > LZ_BALANCE_CHOICES_MAX)
        return lz_fail(err, LZ_ERANGE, "choices must be at most %d, got %u", LZ_BALANCE_CHOICES_MAX,
                       o->choices);
    if (o->subset > replicas)
        return lz_fail(err, LZ_ERANGE, "subset must be at most the %u replicas there are, got %u",
                       replicas, o->subset);
    if (!(o->panic >= 0.0 && o->panic <= 1.0))
        return lz_fail(err, LZ_ERANGE, "panic must be between 0 and 1, got %g", o->panic);
    if (!(o->overprovisioning >= 0.0 && o->overprovisioning <= 100.0))
        return lz_fail(err, LZ_ERANGE, "overprovisioning must be between 0 and 100, got %g",
                       o->overprovisioning);
    const struct lz_slow_start_opts *slow = &o->slow_start;
    if (slow->window < 0 || !(slow->least >= 0.0 && slow->least <= 1.0) ||
        !(slow->aggression >= 0.0 && slow->aggression <= 1000.0))
        return lz_fail(err, LZ_ERANGE,
                       "slow_start: least must be between 0 and 1, aggression at most 1000");
    return check_weights(o, replicas, err) && check_hash(o, replicas, err) &&
           check_outliers(&o->outliers, err);
}
