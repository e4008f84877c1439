/* consensus_status.c — a group's term, leader and logs, for model/status.h. */
#include "base/check.h"
#include "model/consensus/consensus_state.h"
#include "model/status.h"

static const char *role_of(const struct lz_raft_node *node, uint32_t n)
{
    static const char *const roles[] = {[LZ_RAFT_FOLLOWER] = "follower",
                                        [LZ_RAFT_PRE_CANDIDATE] = "pre-candidate",
                                        [LZ_RAFT_CANDIDATE] = "candidate",
                                        [LZ_RAFT_LEADER] = "leader"};
    if (!node->is_member)
        return "no member";
    bool votes = (lz_raft_voters(node) >> n & 1u) != 0;
    return votes || node->role == LZ_RAFT_LEADER ? roles[node->role] : "learner";
}

void lz_consensus_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    lz_instance_id leader = lz_consensus_leader(w, id);
    uint64_t term = 0;
    uint32_t voters = 0;
    LZ_ASSERT(leader == 0 || (leader >= g->first && leader < g->first + g->opts.nodes));
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        if (node->is_member && node->cluster == g->cluster && node->hard.term >= term)
            voters = lz_raft_voters(node);
        term = node->hard.term > term ? node->hard.term : term;
        lz_status_text(to, n + 1, "role", role_of(node, n));
        lz_status_number(to, n + 1, "term", (double)node->hard.term);
        lz_status_number(to, n + 1, "commit", (double)node->commit);
        lz_status_number(to, n + 1, "applied", (double)node->applied);
        lz_status_number(to, n + 1, "last", (double)node->log.last);
    }
    lz_status_number(to, 0, "leader", leader != 0 ? leader - g->first + 1 : 0);
    lz_status_number(to, 0, "term", (double)term);
    uint32_t count = 0;
    for (; voters != 0; voters &= voters - 1)
        count++;
    lz_status_number(to, 0, "majority", count / 2 + 1);
}
