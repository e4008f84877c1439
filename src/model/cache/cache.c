#include "model/cache/cache.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache_state.h"
#include "model/cache/cluster_state.h"
#include "model/cache/sentinel.h"
#include "model/client/client.h"
#include "model/net/bus.h"
#include "model/net/net.h"

/*
 * Serving: a call takes a connection, its operation takes its time on a node, and is done at the
 * end of it, at once and one after another, as in Redis' single thread. What it does is in
 * operate.c.
 */

#define AT(member) offsetof(struct lz_cache_series, member)
static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"hit_ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(hits), AT(lookups), 0,
     "share of lookups that found something"},
    {"evictions", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(evictions), 0, 0,
     "entries that made room for others"},
    {"expired", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(expired), 0, 0, "entries that ran out"},
    {"entries", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(entries), 0, 0,
     "entries of those who lead, run out or not"},
    {"used_memory", LZ_VIEW_LEVEL, LZ_UNIT_BYTES, AT(used), 0, 0, "bytes of these"},
    {"connections", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(connections), 0, 0, "connections in use"},
    {"cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(cpu), 0, 0, "share of the cores of a node in use"},
    {"lag.records", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(lag_records), 0, 0,
     "writes that the slowest replica that runs does not have"},
    {"unflushed", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(unflushed), 0, 0,
     "with `persistence`: changes of those who lead that a loss of power takes back"},
    {"acked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(acked), 0, 0, "writes acknowledged"},
    {"lost_acks", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost_acks), 0, 0,
     "acknowledged writes that a failover has dropped, or a process that began again"},
    {"reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lookups), 0, 0, "reads answered, hits and misses"},
    {"stale_reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_reads), 0, 0,
     "reads of a replica that missed an acknowledged write"},
    {"stale_tokens", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_tokens), 0, 0,
     "writes refused for a token lower than one shown before"},
    {"failovers", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(failovers), 0, 0, "promotions of a replica"},
    {"redirects.moved", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(moved), 0, 0,
     "operations that a node of a cluster sent to who has their slot"},
    {"redirects.ask", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(asked), 0, 0,
     "operations on a key that had gone already with a slot on its way"},
    {"turned_away.down", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(down), 0, 0,
     "operations that a cluster could not serve (CLUSTERDOWN)"},
    {"turned_away.cross_slot", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(cross_slot), 0, 0,
     "operations on keys of several slots (CROSSSLOT)"},
    {"turned_away.try_again", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(try_again), 0, 0,
     "operations on keys of a slot on its way, some here and some there (TRYAGAIN)"},
    {"slots.covered", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(covered), 0, 0,
     "share of a cluster's slots that somebody serves"},
    {"slots.moved", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(slots_moved), 0, 0,
     "slots that resharding has moved"},
    {"slots.keys_moved", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(keys_moved), 0, 0,
     "keys that went with them"},
    {"slots.hottest", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(hot_slot), 0, 0,
     "share of the last second's operations that the busiest slot had"},
    {"shards.hottest", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(hot_shard), 0, 0,
     "share of the last second's operations that the busiest shard had"},
    {"migrations", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(migrations), 0, 0,
     "replicas that went to a shard that had none left"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_cache_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_cache *lz_cache_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->caches->cap && w->caches->all[id] != NULL);
    return w->caches->all[id];
}

struct lz_cache *lz_cache_of(const struct lz_world *w, lz_instance_id instance)
{
    return lz_cache_at(w, lz_instance_get(w, instance)->component);
}

static struct lz_cache *cache_of(const struct lz_world *w, const struct lz_task *t)
{
    return lz_cache_of(w, t->server);
}

bool lz_cache_leads(const struct lz_world *w, lz_instance_id instance)
{
    const struct lz_cache *c = lz_cache_of(w, instance);
    uint32_t node = instance - c->first;
    return node < c->nodes && c->node[node].leads && !c->node[node].is_replaced;
}

bool lz_cache_leads_shard(const struct lz_world *w, lz_instance_id instance, uint32_t shard)
{
    const struct lz_cache *c = lz_cache_of(w, instance);
    return lz_cache_leads(w, instance) && c->cluster != NULL &&
           lz_cluster_shard(c, instance - c->first) + 1 == shard;
}

bool lz_cache_is_replica(const struct lz_world *w, lz_instance_id instance, uint32_t ordinal)
{
    const struct lz_cache *c = lz_cache_of(w, instance);
    uint32_t node = instance - c->first, nth = 0;
    if (node >= c->nodes || lz_cache_leads(w, instance))
        return false;
    for (uint32_t n = 0; n <= node; n++)
        nth += !lz_cache_leads(w, c->first + n);
    return ordinal == 0 || nth == ordinal;
}

// What is said again soon is not worth more than a few tries.
static bool is_fresh(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    (void)w;
    (void)payload;
    return tries <= 3;
}

void lz_cache_tell(struct lz_world *w, struct lz_cache *c, const struct lz_cache_tell *m)
{
    LZ_ASSERT(m->from != m->to);
    uint64_t owner = lz_draw_index(lz_draw_index(c->path, (uint64_t)m->from << 32 | m->to),
                                   lz_hash_mix(m->payload, (uint64_t)lz_sim_now(w->sim)));
    lz_net_send(w, &(struct lz_message){.from = c->first + m->from,
                                        .to = c->first + m->to,
                                        .kind = m->kind,
                                        .payload = m->payload,
                                        .owner = lz_draw_index(owner, m->kind),
                                        .purpose = LZ_PURPOSE_LOG,
                                        .bytes = m->bytes,
                                        .wanted = m->wanted ? is_fresh : NULL});
}

// Of nodes that lead, in the gauges; a replica's entries are its primary's.
void lz_cache_account(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cache_node *n = &c->node[node];
    uint32_t count = n->leads ? lz_keyspace_count(n->keys) : 0;
    uint64_t bytes = n->leads ? lz_keyspace_bytes_used(n->keys) : 0;
    if (count == n->counted && bytes == n->counted_bytes)
        return;
    lz_time now = lz_sim_now(w->sim);
    c->entries += count;
    c->entries -= n->counted;
    c->used += bytes;
    c->used -= n->counted_bytes;
    n->counted = count;
    n->counted_bytes = bytes;
    lz_metrics_set(w->metrics, c->series.entries, now, (double)c->entries);
    lz_metrics_set(w->metrics, c->series.used, now, (double)c->used);
}

static void set_connections(struct lz_world *w, struct lz_cache *c, uint32_t count)
{
    c->connections = count;
    lz_metrics_set(w->metrics, c->series.connections, lz_sim_now(w->sim), count);
}

// Those above the limit find no route: Redis closes their connection at once.
static bool connect(struct lz_world *w, lz_component_id id, uint64_t call)
{
    (void)call;
    struct lz_cache *c = lz_cache_at(w, id);
    set_connections(w, c, c->connections + 1);
    return true;
}

static void disconnect(struct lz_world *w, lz_component_id id)
{
    struct lz_cache *c = lz_cache_at(w, id);
    LZ_ASSERT(c->connections > 0);
    set_connections(w, c, c->connections - 1);
}

static void forget(struct lz_world *w, lz_component_id id, uint64_t call)
{
    (void)w;
    (void)id;
    (void)call;
    LZ_UNREACHABLE("nobody waits for a connection of a cache");
}

uint32_t lz_cache_reader(struct lz_world *w, const struct lz_cache *c, uint32_t primary,
                         uint64_t path)
{
    uint32_t ready = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        ready += n != primary && c->node[n].follows == primary && !c->node[n].leads &&
                 lz_instance_is_up(lz_instance_get(w, c->first + n));
    if (ready == 0)
        return primary;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_BALANCE, 0);
    uint64_t nth = lz_draw_below(&draw, ready);
    for (uint32_t n = 0;; n++)
        if (n != primary && c->node[n].follows == primary && !c->node[n].leads &&
            lz_instance_is_up(lz_instance_get(w, c->first + n)) && nth-- == 0)
            return n;
}

static lz_instance_id route(struct lz_world *w, lz_component_id id, const struct lz_route *ask)
{
    struct lz_cache *c = lz_cache_at(w, id);
    if (lz_cache_is_exhausted(c) || c->connections >= c->opts.max_connections) {
        lz_measure_refused(w, &c->series.m);
        return 0;
    }
    if (c->nodes == 1)
        return c->first;
    if (c->cluster != NULL)
        return lz_slot_map_route(w, c, ask);
    uint32_t node = 0;
    if (c->sentinels != NULL)
        node = lz_sentinel_route(w, c, ask->client);
    bool reads = lz_cache_op_of(w, ask->op) < LZ_CACHE_SET;
    return c->first +
           (reads && c->opts.read_replicas ? lz_cache_reader(w, c, node, ask->path) : node);
}

static void measure_cpu(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    lz_metrics_set(w->metrics, c->series.cpu, lz_sim_now(w->sim),
                   lz_cpu_busy(c->node[node].capacity->cpu));
}

void lz_cache_answer(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                     enum lz_outcome outcome, uint16_t status)
{
    if (!lz_persist_holds(w, c, t, outcome, status))
        lz_cache_answer_now(w, c, t, outcome, status);
}

void lz_cache_answer_now(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                         enum lz_outcome outcome, uint16_t status)
{
    lz_measure_left(w, &c->series.m, outcome, lz_sim_now(w->sim) - t->arrived);
    lz_task_answer(w, t, outcome, status);
}

static void arrive(struct lz_world *w, struct lz_task *t)
{
    struct lz_cache *c = cache_of(w, t);
    lz_measure_arrived(w, &c->series.m);
    lz_client_count_request(w, c->id);
    t->state = LZ_TASK_WORKING;
    t->started = lz_sim_now(w->sim);
    if (t->server - c->first >= c->nodes) { // a sentinel has no keys
        t->value = 0;
        lz_cache_answer(w, c, t, LZ_OUTCOME_ERROR, 400);
        return;
    }
    struct lz_cache_node *n = &c->node[t->server - c->first];
    if (n->capacity->loss_count > 0)
        lz_capacity_touch(n->capacity);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_SERVICE, 0);
    double ns = (double)lz_dist_time(&c->opts.get_time, &draw) * n->capacity->factor;
    lz_time demand = (lz_time)(ns + 0.5);
    t->job = lz_cpu_start(w, n->capacity->cpu, demand > 0 ? demand : 1, lz_pool_id(t));
    measure_cpu(w, c, t->server - c->first);
}

static void turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status)
{
    struct lz_cache *c = cache_of(w, t);
    lz_measure_arrived(w, &c->series.m);
    lz_client_count_request(w, c->id);
    lz_cache_answer(w, c, t, outcome, status);
}

static bool turns_out_wrong(struct lz_world *w, const struct lz_cache_node *n,
                            const struct lz_task *t)
{
    if (!(n->capacity->error_ratio > 0.0))
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ERROR, 0);
    return lz_draw_unit(&draw) < n->capacity->error_ratio;
}

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->job == 0 || lz_instance_defer(w, entity, w->caches->done, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first;
    lz_cpu_remove(w, c->node[node].capacity->cpu, t->job);
    t->job = 0;
    measure_cpu(w, c, node);
    if (turns_out_wrong(w, &c->node[node], t)) {
        t->value = 0;
        lz_cache_answer(w, c, t, LZ_OUTCOME_ERROR, 500);
        return;
    }
    lz_operate(w, c, t);
    lz_cache_account(w, c, node);
}

static void called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    (void)w;
    (void)t;
    (void)result;
    LZ_UNREACHABLE("a cache calls nobody");
}

static void let_go(struct lz_world *w, struct lz_cache *c, struct lz_task *t)
{
    if (t->job != 0)
        lz_cpu_remove(w, c->node[t->server - c->first].capacity->cpu, t->job);
    t->job = 0;
}

static void cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_cache *c = cache_of(w, t);
    let_go(w, c, t);
    lz_measure_left(w, &c->series.m, LZ_OUTCOME_PENDING, lz_sim_now(w->sim) - t->arrived);
    measure_cpu(w, c, t->server - c->first);
    lz_task_free(w, t);
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    struct lz_cache *c = lz_cache_at(w, id);
    (void)instance;
    lz_measure_refused(w, &c->series.m);
}

void lz_cache_reset(struct lz_world *w, struct lz_cache *c, uint32_t node, bool silent)
{
    lz_instance_id id = c->first + node;
    uint32_t broken = 0;
    for (uint32_t at = lz_task_first_at(w, id); at != 0; at = lz_task_first_at(w, id)) {
        struct lz_task *t = lz_task_at(w, at);
        let_go(w, c, t);
        lz_measure_left(w, &c->series.m, LZ_OUTCOME_RESET, lz_sim_now(w->sim) - t->arrived);
        lz_task_reset(w, t, silent);
        broken++;
    }
    if (broken > 0 && !silent)
        lz_instance_note(w, id, "reset", "%u connections reset", broken);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_cache *c = lz_cache_of(w, id);
    uint32_t node = id - c->first;
    if (node >= c->nodes)
        return;
    lz_cache_reset(w, c, node, silent);
    struct lz_cache_node *n = &c->node[node];
    lz_cpu_clear(w, n->capacity->cpu);
    lz_cpu_freeze(w, n->capacity->cpu, false);
    measure_cpu(w, c, node);
    lz_cache_ended(w, c, node);
    if (c->cluster != NULL)
        lz_bus_ended(w, c->cluster->bus, node, silent);
    bool leads = n->leads;
    n->leads = false; // nobody is told of what goes now
    lz_persist_ended(w, c, node, silent);
    n->forgot = n->persist == NULL ? lz_keyspace_clear(n->keys) : 0;
    lz_cache_account(w, c, node);
    n->leads = leads;
    if (c->cluster != NULL)
        lz_claims_measure(w, c);
}

static void started(struct lz_world *w, lz_instance_id id)
{
    struct lz_cache *c = lz_cache_of(w, id);
    if (id - c->first < c->nodes) {
        lz_cache_restarted(w, c, id - c->first);
        lz_persist_started(w, c, id - c->first);
        if (c->cluster != NULL)
            lz_cluster_started(w, c, id - c->first);
    } else {
        lz_sentinel_started(w, c, id - c->first - c->nodes);
    }
}

static void turned(struct lz_world *w, lz_instance_id id)
{
    struct lz_cache *c = lz_cache_of(w, id);
    if (lz_instance_get(w, id)->state == LZ_INSTANCE_STOPPING)
        lz_persist_stopping(w, c, id - c->first);
}

static bool drains(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_cache *c = lz_cache_of(w, id);
    return lz_persist_is_leaving(c, id - c->first);
}

static void powerless(struct lz_world *w, lz_instance_id id)
{
    struct lz_cache *c = lz_cache_of(w, id);
    lz_persist_powerless(w, c, id - c->first);
}

static void freeze(struct lz_world *w, lz_instance_id id, bool frozen)
{
    const struct lz_cache *c = lz_cache_of(w, id);
    if (id - c->first < c->nodes)
        lz_cpu_freeze(w, lz_capacity_get(w, id)->cpu, frozen);
}

static void stopped(struct lz_world *w, lz_instance_id id)
{
    freeze(w, id, true);
}

static void resumed(struct lz_world *w, lz_instance_id id)
{
    freeze(w, id, false);
}

void lz_cache_reconsider(struct lz_world *w)
{
    const struct lz_caches *cs = w->caches;
    for (lz_component_id id = 1; id < cs->cap; id++)
        if (cs->all[id] != NULL)
            cs->all[id]->version++;
}

static void loaded(struct lz_world *w, lz_instance_id id)
{
    struct lz_cache *c = lz_cache_of(w, id);
    if (id - c->first < c->nodes)
        measure_cpu(w, c, id - c->first);
}

static const struct lz_instance_ops instance_ops = {.died = died,
                                                    .started = started,
                                                    .stopped = stopped,
                                                    .resumed = resumed,
                                                    .turned = turned,
                                                    .powerless = powerless,
                                                    .loaded = loaded,
                                                    .drains = drains};
static const struct lz_server_ops server_ops = {.arrive = arrive,
                                                .turn_away = turn_away,
                                                .called = called,
                                                .cancel = cancel,
                                                .route = route,
                                                .connect = connect,
                                                .disconnect = disconnect,
                                                .forget = forget,
                                                .refused = refused,
                                                .redirects = lz_slot_map_redirects,
                                                .failed = lz_slot_map_failed};

void lz_caches_init(struct lz_world *w)
{
    w->caches = lz_arena_alloc(w->arena, sizeof(*w->caches));
    w->caches->done = lz_sim_kind(w->sim, "cache.done", on_done, w);
    lz_operate_init(w);
}

static void make_series(struct lz_world *w, struct lz_cache *c)
{
    struct lz_cache_series *s = &c->series;
    lz_measure_init(w, &s->m);
    lz_series *const gauges[] = {&s->entries,     &s->used,     &s->connections, &s->cpu,
                                 &s->lag_records, &s->hot_slot, &s->hot_shard,   &s->unflushed};
    lz_series *const counters[] = {
        &s->lookups,    &s->hits,        &s->evictions, &s->expired,     &s->acked,
        &s->lost_acks,  &s->stale_reads, &s->failovers, &s->moved,       &s->asked,
        &s->down,       &s->cross_slot,  &s->try_again, &s->slots_moved, &s->keys_moved,
        &s->migrations, &s->stale_tokens};
    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
        *gauges[i] = lz_metrics_gauge(w->metrics, 0.0);
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        *counters[i] = lz_metrics_counter(w->metrics);
    s->covered = lz_metrics_gauge(w->metrics, c->opts.mode == LZ_CACHE_CLUSTER ? 1.0 : 0.0);
    lz_measure_define(w, c->id, "", rows, ROW_COUNT, s);
    lz_requests_measure(w, c->id);
}

static void fill_defaults(struct lz_cache_opts *o)
{
    if (o->nodes == 0)
        o->nodes = 1;
    if (o->value_size == 0)
        o->value_size = 1024;
    if (o->get_time.kind == LZ_DIST_NONE)
        o->get_time = lz_dist_constant(200 * LZ_US);
    if (o->max_connections == 0)
        o->max_connections = 10000; // maxclients
    if (o->min_replicas_lag == 0)
        o->min_replicas_lag = 10 * LZ_S; // min-replicas-max-lag
    if (o->only_mortal && o->samples == 0 && o->eviction != LZ_EVICTION_RANDOM)
        o->samples = 5; // maxmemory-samples
    if (o->mode == LZ_CACHE_SENTINEL)
        lz_sentinel_fill_defaults(&o->sentinel);
    if (o->mode == LZ_CACHE_CLUSTER)
        lz_cluster_fill_defaults(&o->cluster);
}

static bool check_opts(const struct lz_cache_opts *o, struct lz_err *err)
{
    if (o->nodes > LZ_CACHE_NODES_MAX)
        return lz_fail(err, LZ_EFULL, "nodes must be at most %d, got %u", LZ_CACHE_NODES_MAX,
                       o->nodes);
    if (o->entries < 1 || o->entries > LZ_KEYSPACE_ENTRIES_MAX)
        return lz_fail(err, LZ_ERANGE, "entries must be between 1 and %u, got %u",
                       LZ_KEYSPACE_ENTRIES_MAX, o->entries);
    if (o->samples > 64)
        return lz_fail(err, LZ_ERANGE, "samples must be at most 64, got %u", o->samples);
    bool samples = o->eviction == LZ_EVICTION_LRU || o->eviction == LZ_EVICTION_LFU ||
                   o->eviction == LZ_EVICTION_TTL;
    if (o->samples > 0 && !samples)
        return lz_fail(err, LZ_EINVAL,
                       "samples are of lru, lfu and volatile-ttl: the other policies draw none");
    if (o->max_memory > 0 && o->max_memory < o->value_size)
        return lz_fail(err, LZ_ERANGE, "max_memory holds not one entry of value_size");
    if (o->min_replicas > 0 && o->min_replicas >= o->nodes)
        return lz_fail(err, LZ_EINVAL,
                       "min_replicas_to_write = %u can never be met by %u nodes: nothing could "
                       "be written",
                       o->min_replicas, o->nodes);
    if (o->mode == LZ_CACHE_CLUSTER)
        return lz_cluster_check(o, err);
    return o->mode != LZ_CACHE_SENTINEL || lz_sentinel_check(o, err);
}

static void make_nodes(struct lz_world *w, struct lz_cache *c)
{
    const struct lz_cache_opts *o = &c->opts;
    uint32_t all = c->nodes + c->sentinel_count;
    lz_keyspace_slot_fn *slot_of = o->mode == LZ_CACHE_CLUSTER ? lz_cluster_slot_fn() : NULL;
    c->node = lz_arena_alloc(w->arena, all * sizeof(*c->node));
    // An operation whose client gave up runs on: there may be more of them than connections.
    lz_capacity_declare(
        w, c->id, o->cpu > 0.0 ? o->cpu : (double)o->max_connections, w->caches->done,
        (struct lz_capacity_places){.first = &c->node[0].capacity, .stride = sizeof(c->node[0])});
    for (uint32_t n = 0; n < c->nodes; n++) {
        c->node[n].keys =
            lz_keyspace_create(&(struct lz_keyspace_opts){.arena = w->arena,
                                                          .run_key = lz_sim_key(w->sim),
                                                          .owner = lz_draw_index(c->path, n + 1),
                                                          .eviction = o->eviction,
                                                          .only_mortal = o->only_mortal,
                                                          .samples = o->samples,
                                                          .entries = o->entries,
                                                          .bytes = o->max_memory,
                                                          .slot_of = slot_of,
                                                          .slot_ctx = w});
        lz_capacity_get(w, c->first + n);
        lz_operate_watch(w, c, n);
    }
}

bool lz_cache_create(struct lz_world *w, const struct lz_cache_opts *opts, lz_component_id *id,
                     struct lz_err *err)
{
    struct lz_cache_opts o = *opts;
    fill_defaults(&o);
    if (!check_opts(&o, err) ||
        !lz_world_add(w, opts->name, LZ_COMPONENT_CACHE, opts->line, id, err))
        return false;
    struct lz_caches *cs = w->caches;
    cs->all = lz_grow(w->arena, cs->all, &cs->cap, *id + 1, sizeof(struct lz_cache *));
    struct lz_cache *c = cs->all[*id] = lz_arena_alloc(w->arena, sizeof(*c));
    c->opts = o;
    c->id = *id;
    c->nodes = o.nodes;
    c->sentinel_count = o.mode == LZ_CACHE_SENTINEL ? o.sentinel.count : 0;
    w->components[*id].port = 6379;
    lz_instances_add(w, *id, c->nodes + c->sentinel_count, &o.spread, &instance_ops);
    c->first = lz_world_component(w, *id)->instances_first;
    c->path = lz_world_component(w, *id)->path;
    make_nodes(w, c);
    make_series(w, c);
    if (lz_persist_is_any(&c->opts.persist))
        lz_persist_create(w, c);
    if (c->nodes > 1)
        lz_cache_replicate_init(w);
    c->node[0].leads = true;
    if (o.mode == LZ_CACHE_CLUSTER)
        lz_cluster_create(w, c);
    if (o.mode == LZ_CACHE_SENTINEL)
        lz_sentinels_create(w, c);
    lz_task_serve(w, *id, &server_ops);
    return true;
}

void lz_caches_start(struct lz_world *w)
{
    const struct lz_caches *cs = w->caches;
    for (lz_component_id id = 1; id < cs->cap; id++) {
        if (cs->all[id] == NULL)
            continue;
        lz_cache_replicate_start(w, cs->all[id]);
        if (cs->all[id]->sentinels != NULL)
            lz_sentinels_start(w, cs->all[id]);
        if (cs->all[id]->cluster != NULL)
            lz_cluster_start(w, cs->all[id]);
    }
}

// A flush and an expiry are operations like others: replicas hear of what goes.
size_t lz_cache_bytes(const struct lz_world *w, lz_component_id id)
{
    const struct lz_cache *c = lz_cache_at(w, id);
    size_t bytes = sizeof(*c) + c->belief_cap * sizeof(*c->beliefs);
    if (c->cluster != NULL)
        bytes += lz_cluster_bytes(c);
    for (uint32_t n = 0; n < c->nodes; n++) {
        bytes += sizeof(c->node[n]) + lz_keyspace_memory(c->node[n].keys);
        bytes += lz_persist_bytes(c, n);
        if (c->node[n].log.records != NULL)
            bytes += LZ_BACKLOG_RECORDS * sizeof(struct lz_record);
    }
    return bytes;
}
