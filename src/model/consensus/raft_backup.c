/* raft_backup.c — snapshots that are taken away, and groups that begin from one. */
#include "base/check.h"
#include "model/consensus/consensus_member.h"
#include "model/consensus/consensus_state.h"

bool lz_consensus_save(struct lz_world *w, lz_component_id id, uint32_t from, uint64_t *index,
                       struct lz_err *err)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    const char *name = lz_world_component(w, id)->name;
    lz_instance_id leader = lz_consensus_leader(w, id);
    if (from > g->opts.nodes)
        return lz_fail(err, LZ_ERANGE, "%s has nodes 1 to %u, got %u", name, g->opts.nodes, from);
    if (from == 0 && leader == 0)
        return lz_fail(err, LZ_EINVAL, "%s has no leader: say which node's state to save", name);
    uint32_t n = from != 0 ? from - 1 : leader - g->first;
    struct lz_raft_node *node = &g->nodes[n];
    bool is_paused = lz_instance_get(w, g->first + n)->state == LZ_INSTANCE_PAUSED;
    if (!node->is_on || is_paused || !lz_consensus_runs(w, g, n))
        return lz_fail(err, LZ_EINVAL, "%s[%u] is %s: it cannot give its state", name, n + 1,
                       !node->is_member ? "no member"
                       : is_paused      ? "paused"
                                        : "not up");
    struct lz_raft_backup *b = &g->backup;
    if (!b->is_there)
        lz_raft_machine_init(&b->machine, w->arena);
    lz_raft_machine_copy(&b->machine, &node->machine);
    if (lz_consensus_is_embedded(g))
        b->content = g->host.save(w, g->host.ctx, n, b->content);
    b->is_there = true;
    b->index = node->applied;
    b->term = lz_raft_log_term(&node->log, node->applied);
    lz_instance_note(w, g->first + n, "saved", "its state is saved, as of index %llu of term %llu",
                     (unsigned long long)b->index, (unsigned long long)b->term);
    *index = b->index;
    return true;
}

// What was acknowledged after it is gone, and not missed again by whoever reads.
static uint64_t count_lost(struct lz_world *w, struct lz_consensus *g)
{
    struct lz_rows old;
    lz_rows_init(&old, w->arena);
    lz_rows_copy(&old, &g->acked);
    uint64_t lost = 0, at = 0, key = 0, version = 0;
    while (lz_rows_next(&old, &at, &key, &version)) {
        if (version <= g->backup.index)
            continue;
        const struct lz_raft_key *k = lz_raft_machine_get(&g->backup.machine, key);
        lz_rows_put(&g->acked, key, k != NULL ? k->version : 0, 0);
        lost++;
    }
    lz_rows_finish(&old);
    return lost;
}

// A power loss keeps a host from being reached, nothing else does.
static bool is_reached(const struct lz_world *w, const struct lz_consensus *g, uint32_t n)
{
    return lz_instance_get(w, g->first + n)->state != LZ_INSTANCE_LOST;
}

// Of the newest configuration that is reached: who was removed has no part in it, up or not.
static uint32_t members_of(const struct lz_world *w, const struct lz_consensus *g)
{
    const struct lz_raft_config *newest = NULL;
    uint32_t reached = 0;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        if (!is_reached(w, g, n) || !node->is_member || node->cluster != g->cluster)
            continue;
        const struct lz_raft_config *c = lz_raft_config_at(node, UINT64_MAX);
        reached |= 1u << n;
        if (newest == NULL || c->index > newest->index)
            newest = c;
    }
    return newest != NULL ? reached & (newest->voters | newest->learners) : 0;
}

static void begin_from(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                       const struct lz_raft_config *c, uint64_t term)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(!node->is_on);
    lz_raft_log_reset(&node->log, c->index, term);
    lz_raft_config_set(w, node, c);
    lz_raft_machine_copy(&node->snapshot, &g->backup.machine);
    node->snapshot_index = c->index;
    node->snapshot_term = term;
    node->hard = node->hard_safe = (struct lz_raft_hard){.term = term};
    node->cluster = g->cluster;
    node->is_member = true;
    node->joined_at = c->index;
    if (lz_consensus_is_embedded(g))
        g->host.put_back(w, g->host.ctx, n, g->backup.content, c->index);
}

static void above_all(const struct lz_consensus *g, uint64_t *index, uint64_t *term)
{
    *index = *term = 0;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        *index = node->log.last > *index ? node->log.last : *index;
        *term = node->hard.term > *term ? node->hard.term : *term;
    }
    ++*index;
    ++*term;
}

bool lz_consensus_restore(struct lz_world *w, lz_component_id id, struct lz_err *err)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    const char *name = lz_world_component(w, id)->name;
    struct lz_raft_config c = {0};
    uint64_t term = 0;
    if (!g->backup.is_there)
        return lz_fail(err, LZ_EINVAL, "no snapshot of %s was saved: call snapshot_save first",
                       name);
    c.voters = members_of(w, g);
    if (c.voters == 0)
        return lz_fail(err, LZ_EINVAL, "no member of %s can be reached", name);
    above_all(g, &c.index, &term);
    g->cluster++;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        if ((c.voters >> n & 1u) == 0)
            continue;
        (void)lz_instance_kill(w, g->first + n);
        begin_from(w, g, n, &c, term);
    }
    uint64_t lost = 0;
    if (lz_consensus_is_embedded(g))
        lost = g->host.undone(w, g->host.ctx, g->backup.index);
    else
        lost = count_lost(w, g);
    g->risk_count = 0;
    lz_metrics_add(w->metrics, g->series.lost, lost);
    lz_metrics_add(w->metrics, g->series.lost_acks, lost);
    lz_metrics_add(w->metrics, g->series.restores, 1);
    lz_instance_note(w, g->first, "restored",
                     "cluster %u begins from index %llu, %llu keys lose "
                     "what was acknowledged since",
                     g->cluster, (unsigned long long)g->backup.index, (unsigned long long)lost);
    uint32_t count = 0;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        if ((c.voters >> n & 1u) == 0)
            continue;
        count++;
        lz_raft_config_show(w, g, n); // a learner votes now
        (void)lz_instance_restart(w, g->first + n);
    }
    lz_metrics_set(w->metrics, g->series.members, lz_sim_now(w->sim), count);
    lz_metrics_set(w->metrics, g->series.learners, lz_sim_now(w->sim), 0.0);
    return true;
}
