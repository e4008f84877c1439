/*
 * raft_lost.c — what was acknowledged and is gone: exactly, since a model sees all disks.
 *
 * What a majority has flushed is in every later leader's log, unless disks lied: then it is only at
 * risk, until one is acknowledged after it that a majority of disks would keep. Whether it is lost
 * says the log of the next leader that has committed an entry of its own. (What that log no longer
 * keeps it has applied.)
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_state.h"
#include "model/node/disk.h"

void lz_raft_acked(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t key,
                   uint64_t version)
{
    const struct lz_raft_node *node = &g->nodes[n];
    uint64_t index = node->applied;
    lz_metrics_add(w->metrics, g->series.acked, 1);
    lz_rows_put(&g->acked, key, version, 0);
    if (((const struct lz_disks_face *)w->disks)->made == 0)
        return;
    if (lz_consensus_majority_keeps(w, g->id, n, index)) {
        g->risk_count = 0; // nor is what came before it
        return;
    }
    g->risks = lz_grow(w->arena, g->risks, &g->risk_cap, g->risk_count + 1, sizeof(*g->risks));
    uint64_t term = lz_raft_log_term(&node->log, index);
    g->risks[g->risk_count++] = (struct lz_raft_risk){.index = index, .term = term, .key = key};
}

// Readers expect no more of a key than there is.
static void forget_acked(struct lz_consensus *g, const struct lz_raft_machine *m, uint64_t key)
{
    const struct lz_raft_key *k = lz_raft_machine_get(m, key);
    lz_rows_put(&g->acked, key, k != NULL ? k->version : 0, 0);
}

void lz_raft_count_lost(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(node->role == LZ_RAFT_LEADER && node->applied >= node->term_first);
    uint32_t kept = 0;
    while (kept < g->risk_count &&
           lz_consensus_has(w, g->id, n, g->risks[kept].index, g->risks[kept].term))
        kept++;
    uint32_t lost = g->risk_count - kept;
    for (uint32_t i = kept; i < g->risk_count; i++)
        forget_acked(g, &node->machine, g->risks[i].key);
    g->risk_count = kept;
    if (lost == 0)
        return;
    lz_metrics_add(w->metrics, g->series.lost_acks, lost);
    lz_instance_note(w, g->first + n, "lost_acks", "lacks %u acknowledged writes", lost);
}
