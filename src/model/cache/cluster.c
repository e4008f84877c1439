#include "model/cache/cluster.h"

#include <string.h>

#include "base/check.h"
#include "model/cache/cluster_state.h"
#include "model/net/bus.h"
#include "model/node/instance.h"

void lz_cluster_fill_defaults(struct lz_cluster_opts *o)
{
    if (o->node_timeout == 0)
        o->node_timeout = 15 * LZ_S; // cluster-node-timeout
    if (o->redirects == 0)
        o->redirects = 5; // Jedis and go-redis; redis-py has 16
}

bool lz_cluster_check(const struct lz_cache_opts *o, struct lz_err *err)
{
    const struct lz_cluster_opts *k = &o->cluster;
    uint32_t of_shard = k->replicas + 1;
    if (o->nodes % of_shard != 0 || o->nodes / of_shard < 3)
        return lz_fail(err, LZ_EINVAL,
                       "%u nodes with %u replicas for each primary: a cluster needs 3 primaries "
                       "at least, each with as many replicas, so nodes = %u or more",
                       o->nodes, k->replicas, 3 * of_shard);
    if (k->redirects > LZ_CLUSTER_REDIRECTS_MAX)
        return lz_fail(err, LZ_ERANGE, "redirects must be at most %d, got %u",
                       LZ_CLUSTER_REDIRECTS_MAX, k->redirects);
    if (k->node_timeout < 200 * LZ_MS)
        return lz_fail(err, LZ_ERANGE,
                       "node_timeout must be at least 200ms: nodes look after each other ten "
                       "times a second");
    return true;
}

// Primaries come first; the replicas of one are not where it is, if there are zones to choose from.
static uint32_t first_shard(const struct lz_cache *c, uint32_t node)
{
    uint32_t shards = c->cluster->shards;
    if (node < shards)
        return node;
    uint32_t round = (node - shards) / shards;
    return (node - shards + 1 + round) % shards;
}

uint32_t lz_cluster_shard(const struct lz_cache *c, uint32_t node)
{
    LZ_ASSERT(node < c->nodes);
    return c->cluster->shard_of[node];
}

static uint32_t slot_of(const void *ctx, uint64_t key)
{
    return lz_slots_of_key(ctx, key);
}

lz_keyspace_slot_fn *lz_cluster_slot_fn(void)
{
    return slot_of;
}

// As redis-cli --cluster create deals them out: 0-5460, 5461-10922, 10923-16383 to three.
static void deal(struct lz_cache *c, uint8_t *owner)
{
    double each = (double)LZ_SLOTS / c->cluster->shards, cursor = 0.0;
    uint32_t first = 0;
    for (uint32_t s = 0; s < c->cluster->shards; s++) {
        uint32_t final = (uint32_t)(cursor + each - 1.0 + 0.5);
        if (final >= LZ_SLOTS || s == c->cluster->shards - 1)
            final = LZ_SLOTS - 1;
        for (uint32_t slot = first; slot <= final; slot++)
            owner[slot] = (uint8_t)(s + 1);
        first = final + 1;
        cursor += each;
    }
}

static void make_view(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    v->owner = lz_arena_alloc(w->arena, LZ_SLOTS);
    v->of = lz_arena_alloc(w->arena, c->nodes * sizeof(*v->of));
    v->sayings = lz_arena_alloc(w->arena, c->cluster->saying_cap * sizeof(*v->sayings));
    deal(c, v->owner);
    for (uint32_t slot = 0; slot < LZ_SLOTS; slot++)
        v->of[v->owner[slot] - 1].slots++;
    for (uint32_t n = 0; n < c->nodes; n++) {
        struct lz_peer *p = &v->of[n];
        p->reported = lz_arena_alloc(w->arena, c->nodes * sizeof(*p->reported));
        p->leads = n < c->cluster->shards;
        p->follows = lz_cluster_shard(c, n);
        p->config_epoch = p->leads ? n + 1 : 0;
        p->claim = 1;
        p->voted = p->orphaned = LZ_CLUSTER_NEVER;
    }
    v->self = node;
    v->epoch = c->cluster->shards;
    v->claim = 1;
    v->is_ok = true;
    v->minority_at = v->begun = v->auth_at = v->paused_until = LZ_CLUSTER_NEVER;
}

// nodes.conf has kept what it held for true; of who is there it knows nothing.
void lz_cluster_started(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t n = 0; n < c->nodes; n++) {
        struct lz_peer *p = &v->of[n];
        p->ping_sent = 0;
        p->pong = LZ_CLUSTER_NEVER;
        p->data = now;
        p->is_pfail = p->is_fail = p->is_broken = false;
        p->reporters = 0;
    }
    v->is_ok = false;
    v->begun = now;
    v->auth_at = LZ_CLUSTER_NEVER;
    v->is_auth_sent = false;
    v->manual = (struct lz_manual){0};
    v->paused_until = LZ_CLUSTER_NEVER; // who waited was reset with the process
    v->held_count = 0;
    lz_claims_measure(w, c);
}

// ---- what a node says to an operation

static uint16_t refuse(struct lz_world *w, lz_series series, uint16_t status)
{
    lz_metrics_add(w->metrics, series, 1);
    return status;
}

// How many of the keys are there.
static uint32_t present(const struct lz_world *w, const struct lz_cache *c, uint32_t node,
                        const struct lz_cluster_keys *keys)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < keys->count; i++)
        count += lz_keyspace_peek(c->node[node].keys, keys->all[(size_t)i * keys->stride],
                                  lz_sim_now(w->sim)) != NULL;
    return count;
}

// The slot of all of them; LZ_SLOTS: they have several.
static uint32_t common_slot(const struct lz_world *w, const struct lz_cluster_keys *keys)
{
    uint32_t slot = lz_slots_of_key(w, keys->all[0]);
    for (uint32_t i = 1; i < keys->count; i++)
        if (lz_slots_of_key(w, keys->all[(size_t)i * keys->stride]) != slot)
            return LZ_SLOTS;
    return slot;
}

static uint16_t redirect(struct lz_world *w, struct lz_cache *c, struct lz_task *t, uint16_t status,
                         uint32_t to)
{
    t->value = lz_value_integer((int64_t)to + 1);
    return refuse(w, status == LZ_CLUSTER_MOVED ? c->series.moved : c->series.asked, status);
}

// getNodeByQuery
uint16_t lz_cluster_refuses(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                            const struct lz_cluster_keys *keys, bool writes)
{
    uint32_t node = t->server - c->first;
    const struct lz_cluster_node *v = lz_cluster_node(c, node);
    t->value = 0;
    uint32_t slot = common_slot(w, keys);
    if (slot == LZ_SLOTS)
        return refuse(w, c->series.cross_slot, 400);
    bool may_read = c->opts.cluster.reads_when_down && !writes;
    uint32_t owner = v->owner[slot];
    if ((!v->is_ok && !may_read) || owner == 0)
        return refuse(w, c->series.down, 503);
    bool is_mine = owner == node + 1;
    if (is_mine && v->migrating == slot + 1) {
        uint32_t there = present(w, c, node, keys);
        if (there == 0)
            return redirect(w, c, t, LZ_CLUSTER_ASK, v->migrating_to);
        if (there < keys->count)
            return refuse(w, c->series.try_again, 503);
    }
    bool is_asked = !is_mine && v->importing == slot + 1 && lz_slot_map_is_asking(c, t);
    if (is_asked && keys->count > 1 && present(w, c, node, keys) < keys->count)
        return refuse(w, c->series.try_again, 503);
    bool is_copy = c->opts.read_replicas && !writes && !c->node[node].leads &&
                   c->node[node].follows + 1 == owner;
    if (!is_mine && !is_asked && !is_copy)
        return redirect(w, c, t, LZ_CLUSTER_MOVED, owner - 1);
    c->cluster->counts[slot]++;
    c->cluster->shard_counts[lz_cluster_shard(c, node)]++;
    return 0;
}

// ---- what is measured once a second

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

// The share of the last second's operations that the busiest slot had, and the busiest shard.
static void on_second(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_cache *c = lz_cache_of(w, entity);
    struct lz_cluster *k = c->cluster;
    uint64_t total = 0, most = 0, shard_most = 0;
    for (uint32_t slot = 0; slot < LZ_SLOTS; slot++) {
        total += k->counts[slot];
        most = k->counts[slot] > most ? k->counts[slot] : most;
    }
    for (uint32_t s = 0; s < k->shards; s++)
        shard_most = k->shard_counts[s] > shard_most ? k->shard_counts[s] : shard_most;
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, c->series.hot_slot, now, share(most, total));
    lz_metrics_set(w->metrics, c->series.hot_shard, now, share(shard_most, total));
    memset(k->counts, 0, LZ_SLOTS * sizeof(*k->counts));
    memset(k->shard_counts, 0, sizeof(k->shard_counts));
    lz_claims_measure(w, c);
    lz_sim_at(w->sim, now + LZ_S, w->caches->cluster.second, entity, payload);
}

void lz_cluster_create(struct lz_world *w, struct lz_cache *c)
{
    struct lz_cluster *k = c->cluster = lz_arena_alloc(w->arena, sizeof(*k));
    k->shards = c->nodes / (c->opts.cluster.replicas + 1);
    k->node = lz_arena_alloc(w->arena, c->nodes * sizeof(*k->node));
    k->saying_cap = 64;
    while (k->saying_cap < 32 * c->nodes)
        k->saying_cap *= 2;
    k->counts = lz_arena_alloc(w->arena, LZ_SLOTS * sizeof(*k->counts));
    if (!w->caches->has_clusters) {
        w->caches->has_clusters = true;
        w->caches->cluster.second = lz_sim_kind(w->sim, "cluster.second", on_second, w);
        lz_gossip_init(w);
        lz_promote_init(w);
        lz_reshard_init(w);
        lz_slot_map_init(w);
    }
    lz_gossip_connect(w, c);
    for (uint32_t n = 0; n < c->nodes; n++)
        k->shard_of[n] = (uint8_t)first_shard(c, n);
    for (uint32_t n = 0; n < c->nodes; n++) {
        make_view(w, c, n);
        c->node[n].leads = n < k->shards;
        c->node[n].follows = lz_cluster_shard(c, n);
    }
}

void lz_cluster_start(struct lz_world *w, struct lz_cache *c)
{
    for (uint32_t n = 0; n < c->nodes; n++)
        lz_gossip_start(w, c, n);
    lz_claims_measure(w, c);
    lz_sim_at(w->sim, LZ_S, w->caches->cluster.second, c->first, 0);
}

static bool is_of_shard(const void *ctx, uint32_t slot)
{
    const struct lz_cluster_node *v = ctx;
    return v->owner[slot] == v->self + 1;
}

uint64_t lz_cache_key_of_shard(const struct lz_world *w, lz_component_id id, uint32_t shard,
                               uint64_t key)
{
    const struct lz_cache *c = lz_cache_at(w, id);
    for (uint32_t n = 0; n < c->nodes; n++)
        if (lz_cluster_shard(c, n) + 1 == shard && lz_cache_leads(w, c->first + n))
            return lz_slots_next_key(w, key, is_of_shard, lz_cluster_node(c, n));
    return key;
}

bool lz_cache_is_cluster(const struct lz_world *w, lz_component_id id)
{
    return lz_cache_at(w, id)->cluster != NULL;
}

uint32_t lz_cache_nodes(const struct lz_world *w, lz_component_id id)
{
    return lz_cache_at(w, id)->nodes;
}

bool lz_cache_has_sentinels(const struct lz_world *w, lz_component_id id)
{
    return lz_cache_at(w, id)->sentinels != NULL;
}

size_t lz_cluster_bytes(const struct lz_cache *c)
{
    const struct lz_cluster *k = c->cluster;
    size_t view = sizeof(struct lz_cluster_node) + LZ_SLOTS +
                  c->nodes * (sizeof(struct lz_peer) + c->nodes * sizeof(lz_time)) +
                  k->saying_cap * sizeof(struct lz_saying);
    size_t maps = k->map_cap * sizeof(*k->maps);
    for (uint32_t i = 0; i < k->map_cap; i++)
        maps += k->maps[i].node != NULL ? LZ_SLOTS : 0;
    return sizeof(*k) + lz_bus_bytes(k->bus) + c->nodes * view + maps +
           LZ_SLOTS * sizeof(*k->counts);
}
