#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cluster_state.h"
#include "model/cache/sentinel.h"
#include "model/node/instance.h"

/*
 * CLUSTER FAILOVER: an operator has a replica take its primary's place.
 *
 *   graceful    replica ──MFSTART──▶ primary, which holds back writes and says how far it is
 *               replica, once it is as far ──▶ stands for election at once, rank and delay aside;
 *               primaries vote though nothing failed
 *   force       it stands for election without asking the primary, which may be out of reach
 *   takeover    it takes an epoch and the slots without asking anybody: two primaries until the
 *               other hears of it, and whoever has the higher epoch wins
 *
 * 5 s (CLUSTER_MF_TIMEOUT) and it is given up; the primary holds writes back for twice as long
 * (CLUSTER_MF_PAUSE_MULT) unless it is a replica before, and then sends those who waited on.
 * Nothing that was acknowledged is lost with the first, which is what it is for.
 */

#define MF_TIMEOUT (5 * LZ_S)
#define MF_PAUSE (10 * LZ_S)

// ---- writes that wait

bool lz_manual_holds(struct lz_world *w, struct lz_cache *c, struct lz_task *t, bool writes)
{
    struct lz_cluster_node *v = lz_cluster_node(c, t->server - c->first);
    if (!writes || lz_sim_now(w->sim) >= v->paused_until || !c->node[v->self].leads)
        return false;
    v->held = lz_grow(w->arena, v->held, &v->held_cap, v->held_count + 1, sizeof(*v->held));
    v->held[v->held_count++] = lz_pool_id(t);
    return true;
}

// They go on where they stood, or are told who leads now.
static void let_go(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    v->paused_until = LZ_CLUSTER_NEVER;
    uint32_t count = v->held_count;
    v->held_count = 0; // nobody is held again meanwhile
    for (uint32_t i = 0; i < count; i++) {
        struct lz_task *t = lz_task_find(w, v->held[i]);
        if (t != NULL && t->state == LZ_TASK_WORKING && t->server == c->first + node)
            lz_operate(w, c, t);
    }
    lz_cache_account(w, c, node);
}

static void on_resume(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.resume, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    struct lz_cluster_node *v = lz_cluster_node(c, entity - c->first);
    if (v->paused_until == (lz_time)payload)
        let_go(w, c, v->self);
}

// Its process has ended, and who waited there knows; or another leads in its place.
void lz_manual_over(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    v->manual = (struct lz_manual){0};
    if (v->paused_until != LZ_CLUSTER_NEVER)
        let_go(w, c, node);
}

// ---- what the two tell each other

static void on_start(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.mf_start, payload) ||
        !lz_cache_lives(w, entity))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = lz_gossip_from(payload);
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    if (!c->node[node].leads || c->node[from].follows != node)
        return;
    lz_time now = lz_sim_now(w->sim);
    v->paused_until = now + MF_PAUSE;
    lz_sim_at(w->sim, v->paused_until, w->caches->cluster.resume, entity,
              (uint64_t)v->paused_until);
    lz_instance_note(w, entity, "cluster", "holds writes back for %s[%u]", c->opts.name, from + 1);
    lz_cluster_send(w, c,
                    &(struct lz_cache_tell){.from = node,
                                            .to = from,
                                            .kind = w->caches->cluster.mf_offset,
                                            .payload = c->node[node].offset});
}

static void on_offset(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.mf_offset, payload) ||
        !lz_cache_lives(w, entity))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    struct lz_manual *m = &lz_cluster_node(c, entity - c->first)->manual;
    if (m->until == 0)
        return;
    m->offset = payload >> 8;
    m->has_offset = true;
}

// ---- the replica

static void give_up(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    lz_instance_note(w, c->first + node, "cluster", "gives the manual failover up: 5 s are over");
    lz_cluster_node(c, node)->manual = (struct lz_manual){0};
}

// clusterHandleManualFailover and what follows; true: the ordinary way is not asked.
bool lz_manual_tick(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_manual *m = &lz_cluster_node(c, node)->manual;
    if (m->until == 0)
        return false;
    if (lz_sim_now(w->sim) > m->until) {
        give_up(w, c, node);
        return false;
    }
    bool is_level = m->has_offset && c->node[node].offset >= m->offset && !c->node[node].is_behind;
    if (!m->is_asking && (m->mode == LZ_CLUSTER_FORCE || is_level)) {
        m->is_asking = true;
        lz_promote_ask(w, c, node);
    }
    return true;
}

static uint32_t best_of(const struct lz_world *w, const struct lz_cache *c, uint32_t shard)
{
    uint32_t best = c->nodes;
    for (uint32_t n = 0; n < c->nodes; n++) {
        bool is_one = !c->node[n].leads && lz_cluster_shard(c, n) == shard &&
                      lz_cache_lives(w, c->first + n) && !c->node[n].is_behind;
        if (is_one && (best == c->nodes || c->node[n].offset > c->node[best].offset))
            best = n;
    }
    return best;
}

static bool check(const struct lz_world *w, const struct lz_cache *c, uint32_t node, uint32_t shard,
                  struct lz_err *err)
{
    if (node == c->nodes)
        return lz_fail(err, LZ_ENOENT, "no replica of it is there");
    if (lz_cluster_shard(c, node) != shard)
        return lz_fail(err, LZ_EINVAL, "%s[%u] is of shard %u", c->opts.name, node + 1,
                       lz_cluster_shard(c, node) + 1);
    if (c->node[node].leads)
        return lz_fail(err, LZ_EINVAL, "%s[%u] leads already", c->opts.name, node + 1);
    if (!lz_cache_lives(w, c->first + node))
        return lz_fail(err, LZ_EINVAL, "%s[%u] is down", c->opts.name, node + 1);
    if (c->node[node].is_behind)
        return lz_fail(err, LZ_EINVAL, "%s[%u] has not all of its primary's keys", c->opts.name,
                       node + 1);
    return true;
}

static void init(struct lz_world *w)
{
    struct lz_cluster_kinds *k = &w->caches->cluster;
    if (k->mf_start != 0) // numbers of kinds are in the trace: only who needs them has more
        return;
    k->mf_start = lz_sim_kind(w->sim, "cluster.mf_start", on_start, w);
    k->mf_offset = lz_sim_kind(w->sim, "cluster.mf_offset", on_offset, w);
    k->resume = lz_sim_kind(w->sim, "cluster.resume", on_resume, w);
}

bool lz_cache_failover(struct lz_world *w, lz_component_id id, const struct lz_cache_failover *f,
                       struct lz_err *err)
{
    struct lz_cache *c = lz_cache_at(w, id);
    LZ_ASSERT(f->touched != NULL);
    if (c->cluster == NULL)
        return lz_sentinel_failover(w, c, f, err);
    init(w);
    uint32_t node = f->node > 0 ? f->node - 1 : best_of(w, c, f->shard - 1);
    if (!check(w, c, node, f->shard - 1, err))
        return false;
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    v->manual = (struct lz_manual){
        .until = lz_sim_now(w->sim) + MF_TIMEOUT, .mode = f->mode, .touched = f->touched};
    lz_instance_note(w, c->first + node, "cluster", "is told to take over from %s[%u]",
                     c->opts.name, c->node[node].follows + 1);
    if (f->mode == LZ_CLUSTER_TAKEOVER)
        lz_promote_take_over(w, c, node);
    else if (f->mode == LZ_CLUSTER_GRACEFUL)
        lz_cluster_send(w, c,
                        &(struct lz_cache_tell){.from = node,
                                                .to = c->node[node].follows,
                                                .kind = w->caches->cluster.mf_start});
    return true;
}

uint32_t lz_cache_shard_primary(const struct lz_world *w, lz_component_id id, uint32_t shard)
{
    const struct lz_cache *c = lz_cache_at(w, id);
    for (uint32_t n = 0; n < c->nodes; n++)
        if ((c->cluster == NULL || lz_cluster_shard(c, n) + 1 == shard) &&
            lz_cache_leads(w, c->first + n))
            return n + 1;
    return 0;
}
