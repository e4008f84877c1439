#include "model/memory.h"

#include "base/check.h"
#include "model/broker/broker.h"
#include "model/cache/cache.h"
#include "model/client/client.h"
#include "model/client/edge.h"
#include "model/client/guard.h"
#include "model/client/policy.h"
#include "model/consensus/consensus.h"
#include "model/data/database.h"
#include "model/net/connection.h"
#include "model/node/capacity.h"
#include "model/node/cpu.h"
#include "model/node/instance.h"
#include "model/service/argument.h"
#include "model/service/task.h"
#include "model/store/store.h"
#include "model/traffic/request.h"

struct lz_memory lz_memory_of_world(const struct lz_world *w)
{
    struct lz_memory m = {
        .used = lz_arena_used(w->arena),
        .peak = lz_arena_peak(w->arena),
        .in_flight = lz_requests_bytes(w) + lz_tasks_bytes(w) + lz_tcp_bytes(w) +
                     lz_arguments_bytes(w) + lz_sim_bytes(w->sim),
        .in_flight_max = lz_requests_open_max(w),
    };
    LZ_ASSERT(m.used <= m.peak);
    if (m.in_flight_max > 0)
        m.request = (double)m.in_flight / (double)m.in_flight_max;
    return m;
}

static size_t of_instance(const struct lz_world *w, lz_instance_id id)
{
    size_t bytes = sizeof(struct lz_instance);
    const struct lz_capacity *c = lz_capacity_find(w, id);
    if (c != NULL)
        bytes += sizeof(*c) + lz_cpu_bytes(c->cpu);
    return bytes;
}

static size_t of_edge(const struct lz_edge *e)
{
    size_t pairs = (size_t)e->client_count * e->server_count;
    return lz_connection_bytes(e) + sizeof(*e) + e->client_count * sizeof(*e->clients) +
           e->server_count * sizeof(*e->servers) + pairs * sizeof(*e->pairs) + lz_policy_bytes(e);
}

size_t lz_memory_of_component(const struct lz_world *w, lz_component_id id)
{
    const struct lz_component *c = lz_world_component(w, id);
    size_t bytes = sizeof(*c) + lz_metrics_bytes(w->metrics, id);
    for (uint32_t i = 0; i < c->instance_count; i++)
        bytes += of_instance(w, c->instances_first + i);
    for (uint32_t i = 1; i <= lz_edge_count(w); i++)
        if (lz_edge_get(w, i)->opts.from == id)
            bytes += of_edge(lz_edge_get(w, i));
    if (c->kind == LZ_COMPONENT_DATABASE)
        bytes += lz_database_bytes(w, id);
    if (c->kind == LZ_COMPONENT_BROKER)
        bytes += lz_broker_bytes(w, id);
    if (c->kind == LZ_COMPONENT_CACHE)
        bytes += lz_cache_bytes(w, id);
    if (c->kind == LZ_COMPONENT_STORE)
        bytes += lz_store_bytes(w, id);
    if (c->kind == LZ_COMPONENT_CONSENSUS)
        bytes += lz_consensus_bytes(w, id);
    return bytes;
}
