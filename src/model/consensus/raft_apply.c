/*
 * raft_apply.c — what is committed has its effect at each node: keys, leases, snapshots.
 *
 * Only the leader watches leases: it proposes that one expires when it was not renewed for its
 * time since the leader applied the renewal. A new leader gives all of them their full time from
 * its first entry on, as etcd's lessor does when it is promoted.
 */
#include "base/check.h"
#include "base/sort.h"
#include "model/consensus/consensus_state.h"
#include "model/node/disk.h"

struct lease {
    struct lz_pool_head head;
    uint64_t key, renewed, term;
};

static void watch_lease(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                        const struct lz_raft_key *k)
{
    struct lease *l = lz_pool_take(&w->consensuses->leases);
    l->key = k->key;
    l->renewed = k->renewed;
    l->term = g->nodes[n].hard.term;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + k->ttl, w->consensuses->lease, g->first + n,
              lz_pool_id(l));
}

static void on_lease(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lease *l = lz_pool_find(&w->consensuses->leases, payload);
    if (l == NULL || lz_instance_defer(w, entity, w->consensuses->lease, payload))
        return;
    struct lease copy = *l;
    lz_pool_give(&w->consensuses->leases, l);
    struct lz_consensus *g = lz_consensus_of(w, entity);
    uint32_t n = entity - g->first;
    struct lz_raft_node *node = &g->nodes[n];
    if (!node->is_on || node->role != LZ_RAFT_LEADER || node->hard.term != copy.term)
        return;
    const struct lz_raft_key *k = lz_raft_machine_get(&node->machine, copy.key);
    if (k == NULL || k->renewed != copy.renewed)
        return;
    (void)lz_raft_propose(
        w, g, n,
        &(struct lz_raft_entry){.op = LZ_RAFT_EXPIRE, .key = copy.key, .expect = copy.renewed});
}

static int by_renewal(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_raft_key *const *x = a, *const *y = b;
    return ((*x)->renewed > (*y)->renewed) - ((*x)->renewed < (*y)->renewed);
}

void lz_raft_lease_all(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_machine *m = &g->nodes[n].machine;
    if (m->count == 0)
        return;
    size_t size = m->count * sizeof(struct lz_raft_key *);
    const struct lz_raft_key **held = lz_arena_alloc(w->arena, size);
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->cap; i++)
        if (m->keys[i].version != 0 && m->keys[i].renewed != 0)
            held[count++] = &m->keys[i];
    lz_sort(held, count, sizeof(*held), by_renewal, NULL);
    for (uint32_t i = 0; i < count; i++)
        watch_lease(w, g, n, held[i]);
    lz_arena_free(w->arena, held, size);
}

static void take_snapshot(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    node->snapshot_term = lz_raft_log_term(&node->log, node->applied);
    node->snapshot_index = node->applied;
    lz_raft_machine_copy(&node->snapshot, &node->machine);
    if (node->applied > g->opts.snapshot_keep)
        lz_raft_log_drop(&node->log, node->applied - g->opts.snapshot_keep);
    lz_metrics_add(w->metrics, g->series.snapshots, 1);
    if (g->opts.snapshot_time.kind == LZ_DIST_NONE || node->snapshot_job != 0)
        return;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_consensus_node_path(g, n),
                                        LZ_PURPOSE_SERVICE, node->applied);
    lz_time demand = lz_dist_time(&g->opts.snapshot_time, &draw);
    node->snapshot_job =
        lz_cpu_add(w, node->capacity->cpu, demand > 0 ? demand : 1, LZ_RAFT_SNAPSHOT_WORK);
}

static void has_effect(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t index,
                       const struct lz_raft_entry *e)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (lz_consensus_is_embedded(g)) {
        const struct lz_raft_entry none = {.op = LZ_RAFT_NOOP, .term = e->term, .at = e->at};
        g->host.applied(w, g->host.ctx, n, index, e->op == LZ_RAFT_CONFIG ? &none : e);
        if (node->role != LZ_RAFT_LEADER || index != node->term_first)
            return;
        g->host.turned(w, g->host.ctx, n, true);
        lz_raft_retry(w, g, n);
        return;
    }
    struct lz_raft_result r = lz_raft_machine_apply(&node->machine, index, e);
    bool leads = node->role == LZ_RAFT_LEADER;
    if (leads && index == node->term_first && g->risk_count > 0)
        lz_raft_count_lost(w, g, n);
    if (leads && index == node->term_first)
        lz_raft_lease_all(w, g, n);
    else if (leads && index > node->term_first && r.is_done &&
             (e->op == LZ_RAFT_ACQUIRE || e->op == LZ_RAFT_RENEW))
        watch_lease(w, g, n, lz_raft_machine_get(&node->machine, e->key));
    if (leads && e->op == LZ_RAFT_EXPIRE && r.is_done)
        lz_metrics_add(w->metrics, g->series.expired, 1);
    lz_raft_applied(w, g, n, e, &r);
    if (leads && index == node->term_first)
        lz_raft_retry(w, g, n); // reads have waited for it
}

void lz_raft_apply(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(node->commit <= node->log.last);
    if (node->flushing != 0)
        return; // when that is done
    bool is_changed = false;
    while (node->applied < node->commit) {
        struct lz_raft_entry e = *lz_raft_log_get(&node->log, node->applied + 1);
        node->applied++;
        is_changed = is_changed || e.op == LZ_RAFT_CONFIG;
        has_effect(w, g, n, node->applied, &e);
    }
    lz_raft_serve_reads(w, g, n);
    // A disk that lies would lose the snapshot, and the log that it replaces with it.
    if (node->applied - node->snapshot_index >= g->opts.snapshot_every &&
        lz_disk_durable(w, g->first + n, node->flushed) == node->flushed)
        take_snapshot(w, g, n);
    if (is_changed)
        lz_raft_config_applied(w, g, n);
}

void lz_raft_apply_init(struct lz_world *w)
{
    lz_pool_init(&w->consensuses->leases, w->arena, sizeof(struct lease));
    w->consensuses->lease = lz_sim_kind(w->sim, "raft.lease", on_lease, w);
}
