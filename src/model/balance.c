/*
 * balance.c — which replica to ask, and which are thought alive.
 *
 * Health checks bypass the workers' queue: a replica passes when its process is up and
 * not paused and the way there and back is open and quick enough. They are made from
 * the calling component's first instance that runs. Envoy calls it panic mode when no
 * replica is thought alive and all are tried; so does this.
 */
#include "base/check.h"
#include "model/edge.h"
#include "model/instance.h"
#include "model/net.h"
#include "model/task.h"

struct lz_balances {
    lz_kind probe;
};

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
    if (lz_net_is_cut(w, from, server) || lz_net_is_cut(w, server, from))
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(e->path, server),
                                        LZ_PURPOSE_PROBE, e->probes);
    lz_time there = lz_net_latency(w, from, server, &draw);
    return there + lz_net_latency(w, server, from, &draw) <= e->opts.health.timeout;
}

static void set_out(struct lz_world *w, struct lz_edge *e, lz_instance_id server, bool is_out,
                    const char *why)
{
    struct lz_edge_server *s = &e->servers[server - e->server_first];
    LZ_ASSERT(s->is_out != is_out);
    s->is_out = is_out;
    s->fails = s->passes = 0;
    e->out_count += is_out ? 1u : -1u;
    LZ_ASSERT(e->out_count <= e->server_count);
    lz_instance_note(w, server, is_out ? "out" : "in", "%s of %s", why,
                     lz_world_component(w, e->opts.from)->name);
}

static void judge(struct lz_world *w, struct lz_edge *e, lz_instance_id server, bool passed)
{
    struct lz_edge_server *s = &e->servers[server - e->server_first];
    if (passed) {
        s->fails = 0;
        if (s->is_out && ++s->passes >= e->opts.health.passes)
            set_out(w, e, server, false, "passes the health checks");
    } else {
        s->passes = 0;
        if (!s->is_out && ++s->fails >= e->opts.health.fails)
            set_out(w, e, server, true, "fails the health checks");
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
    if (e->server_count > 1 && lz_task_ops(w, e->opts.to)->route == NULL)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + e->opts.health.every, w->balances->probe, id, 0);
}

void lz_balance_start(struct lz_world *w)
{
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++)
        lz_balance_watch(w, id);
}

void lz_balance_out(struct lz_world *w, struct lz_edge *e, lz_instance_id server)
{
    if (e->server_count == 1 || lz_task_ops(w, e->opts.to)->route != NULL)
        return; // no choice, so no opinion
    if (!e->servers[server - e->server_first].is_out)
        set_out(w, e, server, true, "refused or reset a connection");
}

static bool is_choice(const struct lz_edge *e, uint32_t s)
{
    return e->out_count == e->server_count || !e->servers[s].is_out;
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
    uint32_t choices =
        e->out_count == e->server_count ? e->server_count : e->server_count - e->out_count;
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

lz_instance_id lz_balance_pick(struct lz_world *w, struct lz_edge *e, lz_instance_id client,
                               uint64_t path)
{
    LZ_ASSERT(client >= e->client_first && client < e->client_first + e->client_count);
    if (e->server_count == 1)
        return e->server_first;
    struct lz_edge_client *c = &e->clients[client - e->client_first];
    switch (e->opts.balance) {
    case LZ_BALANCE_RANDOM:
        return e->server_first + at_random(w, e, path);
    case LZ_BALANCE_LEAST_REQUESTS:
        return e->server_first + least_loaded(e, c, client);
    case LZ_BALANCE_ROUND_ROBIN:
        break;
    }
    return e->server_first + next_in_turn(e, c);
}
