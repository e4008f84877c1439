#include "base/check.h"
#include "model/cache/cluster_state.h"
#include "model/node/instance.h"

/*
 * Replicas that go to another shard: clusterHandleSlaveMigration of redis/src/cluster.c, and
 * "Replica migration" of the specification.
 *
 * A primary with slots is an *orphan* while none of its replicas is well, if it has had any: it
 * lost them, or was promoted. Of the primaries with the most replicas that are well one gives one
 * away, if as many as `migration_barrier` stay; of their replicas the one with the lowest number
 * goes, after 5 s (CLUSTER_SLAVE_MIGRATION_DELAY) and only while the cluster is whole. Each replica
 * decides for itself, by its own view.
 */

#define MIGRATION_DELAY (5 * LZ_S)

static bool is_primary(const struct lz_cluster_node *v, uint32_t n)
{
    return v->of[n].leads && !v->of[n].is_fail;
}

static uint32_t well(const struct lz_cache *c, const struct lz_cluster_node *v, uint32_t primary)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        count += !v->of[n].leads && v->of[n].follows == primary && !v->of[n].is_fail;
    return count;
}

// It has replicas, though none is well, or has become what it is in another's place.
static bool had_any(const struct lz_cache *c, const struct lz_cluster_node *v, uint32_t primary)
{
    for (uint32_t n = 0; n < c->nodes; n++)
        if (!v->of[n].leads && v->of[n].follows == primary)
            return true;
    return v->of[primary].was_promoted;
}

// The first primary without any; since when each has been so is written down.
static uint32_t find_orphan(struct lz_world *w, const struct lz_cache *c, struct lz_cluster_node *v)
{
    uint32_t target = c->nodes;
    for (uint32_t n = 0; n < c->nodes; n++) {
        struct lz_peer *p = &v->of[n];
        bool is_orphan = is_primary(v, n) && p->slots > 0 && had_any(c, v, n) && well(c, v, n) == 0;
        if (!is_orphan)
            p->orphaned = LZ_CLUSTER_NEVER;
        else if (p->orphaned == LZ_CLUSTER_NEVER)
            p->orphaned = lz_sim_now(w->sim);
        if (is_orphan && target == c->nodes)
            target = n;
    }
    return target;
}

static uint32_t most_replicas(const struct lz_cache *c, const struct lz_cluster_node *v)
{
    uint32_t most = 0;
    for (uint32_t n = 0; n < c->nodes; n++) {
        uint32_t count = is_primary(v, n) ? well(c, v, n) : 0;
        most = count > most ? count : most;
    }
    return most;
}

static bool is_first_of(const struct lz_cache *c, const struct lz_cluster_node *v, uint32_t most)
{
    for (uint32_t n = 0; n < v->self; n++) {
        const struct lz_peer *p = &v->of[n];
        if (!p->leads && !p->is_fail && is_primary(v, p->follows) && well(c, v, p->follows) == most)
            return false;
    }
    return true;
}

void lz_migrate_tick(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    LZ_ASSERT(!c->node[node].leads);
    if (c->opts.cluster.no_migration)
        return;
    uint32_t target = find_orphan(w, c, v), most = most_replicas(c, v);
    uint32_t own = well(c, v, c->node[node].follows);
    if (target == c->nodes || !v->is_ok || most < 2 || own != most ||
        own <= c->opts.cluster.migration_barrier)
        return;
    if (lz_sim_now(w->sim) - v->of[target].orphaned <= MIGRATION_DELAY || !is_first_of(c, v, most))
        return;
    lz_metrics_add(w->metrics, c->series.migrations, 1);
    lz_instance_note(w, c->first + node, "cluster", "migrates to the orphan %s[%u]", c->opts.name,
                     target + 1);
    lz_claims_turn(w, c, node, target);
}
