#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cluster_state.h"
#include "model/client/client_state.h"
#include "model/net/net.h"
#include "model/node/instance.h"

/*
 * What clients of a cluster take for true: which node has which slot. Each calling instance has a
 * map of its own, as libraries do (Jedis, lettuce, redis-py): asked for when it connects, corrected
 * slot by slot by MOVED, and asked for anew after a MOVED and when a node does not answer. While
 * one is asked for no other is; who does not answer within a second is not waited for.
 */

#define PATIENCE LZ_S

static struct lz_slot_map *map_of(struct lz_world *w, struct lz_cache *c, lz_instance_id client)
{
    struct lz_cluster *k = c->cluster;
    k->maps = lz_grow(w->arena, k->maps, &k->map_cap, client + 1, sizeof(*k->maps));
    return &k->maps[client];
}

static void learn(struct lz_slot_map *m, const struct lz_cluster_node *told)
{
    for (uint32_t slot = 0; slot < LZ_SLOTS; slot++)
        if (told->owner[slot] != 0)
            m->node[slot] = told->owner[slot];
    m->asked = LZ_CLUSTER_NEVER;
}

// It connects for the first time: whoever it reaches first tells it.
static struct lz_slot_map *known(struct lz_world *w, struct lz_cache *c, lz_instance_id client)
{
    struct lz_slot_map *m = map_of(w, c, client);
    if (m->node != NULL)
        return m;
    for (uint32_t n = 0; n < c->nodes; n++) {
        lz_instance_id id = c->first + n;
        if (!lz_instance_is_up(lz_instance_get(w, id)) || !lz_net_can_ask(w, client, id))
            continue;
        m->node = lz_arena_alloc(w->arena, LZ_SLOTS);
        learn(m, lz_cluster_node(c, n));
        return m;
    }
    return NULL;
}

static void say(struct lz_world *w, struct lz_cache *c, lz_instance_id client, uint32_t node,
                bool is_answer)
{
    lz_instance_id server = c->first + node;
    uint64_t way = lz_draw_join(lz_draw_index(c->path, node), lz_instance_path(w, client));
    uint64_t owner = lz_draw_index(way, (uint64_t)lz_sim_now(w->sim));
    lz_net_send(w, &(struct lz_message){
                       .from = is_answer ? server : client,
                       .to = is_answer ? client : server,
                       .kind = is_answer ? w->caches->cluster.map : w->caches->cluster.map_ask,
                       .payload = (uint64_t)c->id << 40 | (uint64_t)client << 8 | node,
                       .owner = lz_draw_index(owner, is_answer),
                       .purpose = LZ_PURPOSE_LOG,
                       .bytes = is_answer ? 1024 : 0});
}

static void refresh(struct lz_world *w, struct lz_cache *c, lz_instance_id client, uint32_t node)
{
    struct lz_slot_map *m = map_of(w, c, client);
    lz_time now = lz_sim_now(w->sim);
    if (m->node == NULL || now - m->asked < PATIENCE)
        return;
    m->asked = now;
    say(w, c, client, node, false);
}

static void on_ask(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.map_ask, payload) ||
        !lz_cache_lives(w, entity))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    say(w, c, (lz_instance_id)(payload >> 8), entity - c->first, true);
}

static void on_map(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_cache *c = lz_cache_at(w, (lz_component_id)(payload >> 40));
    learn(map_of(w, c, entity), lz_cluster_node(c, payload & 0xff));
}

// The node that its call was told to ask; c->nodes: none.
static uint32_t asking(struct lz_cluster *k, uint64_t call, uint32_t nodes)
{
    uint32_t index = (uint32_t)call;
    if (index >= k->asking_cap || k->asking[index].call != call)
        return nodes;
    struct lz_asking *a = &k->asking[index];
    if (a->is_routed) {
        a->call = 0; // once only
        return nodes;
    }
    a->is_routed = true;
    return a->node;
}

bool lz_slot_map_is_asking(const struct lz_cache *c, const struct lz_task *t)
{
    const struct lz_cluster *k = c->cluster;
    uint32_t index = (uint32_t)t->call;
    return index < k->asking_cap && k->asking[index].call == t->call &&
           c->first + k->asking[index].node == t->server;
}

lz_instance_id lz_slot_map_route(struct lz_world *w, struct lz_cache *c, const struct lz_route *ask)
{
    uint32_t node = asking(c->cluster, ask->call, c->nodes);
    if (node < c->nodes)
        return c->first + node;
    const struct lz_slot_map *m = known(w, c, ask->client);
    uint32_t slot = lz_slots_of_key(w, ask->key);
    if (m == NULL || m->node[slot] == 0)
        return c->first + slot % c->nodes;
    node = m->node[slot] - 1u;
    bool reads = lz_cache_op_of(w, ask->op) < LZ_CACHE_SET;
    return c->first +
           (reads && c->opts.read_replicas ? lz_cache_reader(w, c, node, ask->path) : node);
}

bool lz_slot_map_redirects(struct lz_world *w, const struct lz_task *t, lz_instance_id client)
{
    struct lz_cache *c = lz_cache_of(w, t->server);
    const struct lz_call *call = lz_client_find(w, t->call);
    bool is_moved = t->status == LZ_CLUSTER_MOVED;
    if (c->cluster == NULL || t->outcome != LZ_OUTCOME_ERROR ||
        (!is_moved && t->status != LZ_CLUSTER_ASK) || call == NULL)
        return false;
    uint32_t node = (uint32_t)lz_value_to_integer(t->value) - 1;
    if (is_moved) {
        struct lz_slot_map *m = map_of(w, c, client);
        if (m->node != NULL)
            m->node[lz_slots_of_key(w, t->key)] = (uint8_t)(node + 1);
        refresh(w, c, client, t->server - c->first);
    } else {
        struct lz_cluster *k = c->cluster;
        uint32_t index = (uint32_t)t->call;
        k->asking = lz_grow(w->arena, k->asking, &k->asking_cap, index + 1, sizeof(*k->asking));
        k->asking[index] = (struct lz_asking){.call = t->call, .node = node};
    }
    return call->hops < c->opts.cluster.redirects;
}

void lz_slot_map_failed(struct lz_world *w, lz_component_id id, lz_instance_id client,
                        lz_instance_id server)
{
    struct lz_cache *c = lz_cache_at(w, id);
    if (c->cluster == NULL || server == 0)
        return;
    struct lz_slot_map *m = map_of(w, c, client);
    if (c->first + m->next % c->nodes == server)
        m->next++;
    refresh(w, c, client, m->next++ % c->nodes);
}

void lz_slot_map_init(struct lz_world *w)
{
    w->caches->cluster.map_ask = lz_sim_kind(w->sim, "cluster.slots", on_ask, w);
    w->caches->cluster.map = lz_sim_kind(w->sim, "cluster.map", on_map, w);
}
