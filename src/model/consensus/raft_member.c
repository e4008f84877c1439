/*
 * raft_member.c — who is a member of a group, what changes that, and a lead that is handed over.
 *
 * One node at a time comes or goes (thesis, 4.1): any majority before and any after share a node.
 * A configuration counts from when it is in a log, committed or not, so what cuts a log goes back
 * to the one before. A leader begins a change only when the last is committed, and when it has
 * committed an entry of its own term: without the latter two leaders of different terms could each
 * have a change of their own under way, whose majorities share nobody (Ongaro, "bug in
 * single-server membership changes", raft-dev, 10 July 2015).
 *
 *   ADD_LEARNER ──▶ learner ──PROMOTE: has 9/10 of the leader's log──▶ voter ──REMOVE──▶ gone
 *   ADD ────────────────────────────────────────────────────────────────▶
 *
 * Who goes is sent entries until its going is committed, and then has no part in the group.
 * A leader that goes leads, without counting itself, until then (4.2.2).
 *
 * A leader hands over (3.10) by taking no writes, waiting until the other has all of its log, and
 * telling it to begin an election at once, which those who hear a leader help with too. After an
 * election timeout it gives up, and takes writes again.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_member.h"
#include "model/consensus/consensus_state.h"
#include "model/node/life.h"

static uint32_t count_of(uint32_t nodes)
{
    uint32_t count = 0;
    for (; nodes != 0; nodes &= nodes - 1)
        count++;
    return count;
}

// ---- configurations

static const struct lz_raft_config *latest(const struct lz_raft_node *node)
{
    return node->config_count > 0 ? &node->configs[node->config_count - 1] : NULL;
}

bool lz_raft_is_quorum(const struct lz_raft_node *node, uint32_t nodes)
{
    uint32_t voters = lz_raft_voters(node);
    return voters != 0 && count_of(nodes & voters) >= count_of(voters) / 2 + 1;
}

bool lz_raft_is_alone(const struct lz_raft_node *node, uint32_t n)
{
    return lz_raft_voters(node) == 1u << n;
}

// Whose going is not committed may have to lead, for nobody else may have heard of it (4.2.2).
bool lz_raft_may_campaign(const struct lz_raft_node *node, uint32_t n)
{
    const struct lz_raft_config *c = latest(node);
    if (c == NULL || (c->voters >> n & 1u) != 0)
        return c != NULL;
    return c->index > node->commit && node->config_count > 1 && (c[-1].voters >> n & 1u) != 0;
}

void lz_raft_config_reckon(struct lz_raft_node *node)
{
    const struct lz_raft_config *c = latest(node);
    node->reach = c != NULL ? c->voters | c->learners : 0;
    if (c != NULL && node->config_count > 1 && c->index > node->commit)
        node->reach |= c[-1].voters | c[-1].learners;
}

static void push(struct lz_world *w, struct lz_raft_node *node, const struct lz_raft_config *c)
{
    node->configs = lz_grow(w->arena, node->configs, &node->config_cap, node->config_count + 1,
                            sizeof(*node->configs));
    node->configs[node->config_count++] = *c;
    lz_raft_config_reckon(node);
}

void lz_raft_config_set(struct lz_world *w, struct lz_raft_node *node,
                        const struct lz_raft_config *config)
{
    node->config_count = 0;
    push(w, node, config);
}

void lz_raft_config_appended(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                             const struct lz_raft_entry *e, uint64_t index)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(e->op == LZ_RAFT_CONFIG);
    LZ_ASSERT(node->config_count == 0 || latest(node)->index < index);
    uint32_t before = node->reach;
    push(w, node,
         &(struct lz_raft_config){
             .index = index, .voters = (uint32_t)e->value, .learners = (uint32_t)e->expect});
    if (node->role != LZ_RAFT_LEADER)
        return;
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        if (((node->reach & ~before) >> i & 1u) != 0)
            node->peers[i] = (struct lz_raft_peer){
                .next = index, .heard = lz_sim_now(w->sim), .clock = INT64_MIN, .is_probing = true};
}

void lz_raft_config_cut(struct lz_raft_node *node)
{
    while (node->config_count > 0 && latest(node)->index > node->log.last)
        node->config_count--;
    lz_raft_config_reckon(node);
}

const struct lz_raft_config *lz_raft_config_at(const struct lz_raft_node *node, uint64_t index)
{
    uint32_t i = node->config_count;
    while (i > 1 && node->configs[i - 1].index > index)
        i--;
    LZ_ASSERT(i > 0);
    return &node->configs[i - 1];
}

void lz_raft_config_show(struct lz_world *w, const struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_node *node = &g->nodes[n];
    bool votes = node->is_member && (lz_raft_voters(node) >> n & 1u) != 0;
    lz_life_hide(w, g->first + n, !votes);
}

void lz_raft_config_applied(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    const struct lz_raft_config *c = latest(node);
    lz_raft_config_reckon(node);
    if (c == NULL || c->index > node->commit)
        return;
    if (node->role == LZ_RAFT_LEADER) {
        lz_metrics_set(w->metrics, g->series.members, lz_sim_now(w->sim), count_of(c->voters));
        lz_metrics_set(w->metrics, g->series.learners, lz_sim_now(w->sim), count_of(c->learners));
    }
    if (node->role == LZ_RAFT_LEADER && (c->voters >> n & 1u) == 0) {
        lz_instance_note(w, g->first + n, "stepped_down", "leads no more: it votes no more");
        lz_raft_follow(w, g, n, node->hard.term, 0);
    }
    lz_raft_config_show(w, g, n);
    bool is_in = ((c->voters | c->learners) >> n & 1u) != 0;
    if (is_in || c->index < node->joined_at)
        return;
    lz_instance_note(w, g->first + n, "removed", "is no member any more");
    lz_consensus_leave(w, g, n);
}

bool lz_raft_tell_gone(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    const struct lz_raft_node *node = &g->nodes[m->to];
    const struct lz_raft_config *c = lz_raft_config_at(node, node->commit);
    bool is_in = ((c->voters | c->learners) >> m->from & 1u) != 0;
    if (m->kind != LZ_RAFT_VOTE || is_in || c->index <= g->nodes[m->from].joined_at)
        return false;
    struct lz_raft_message *answer = lz_raft_message(w, g, m->to, m->from, LZ_RAFT_GONE);
    answer->index = c->index;
    lz_raft_send(w, g, answer);
    return true;
}

void lz_raft_gone(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    if (m->index <= g->nodes[m->to].joined_at)
        return;
    lz_instance_note(w, g->first + m->to, "removed", "is no member any more");
    lz_consensus_leave(w, g, m->to);
}

// ---- who changes them

static bool find_leader(const struct lz_world *w, const struct lz_consensus *g, uint32_t *n,
                        struct lz_err *err)
{
    lz_instance_id leader = lz_consensus_leader(w, g->id);
    if (leader == 0)
        return lz_fail(err, LZ_EINVAL, "%s has no leader: nobody can decide that",
                       lz_world_component(w, g->id)->name);
    *n = leader - g->first;
    return true;
}

static bool is_node(const struct lz_world *w, const struct lz_consensus *g, uint32_t node,
                    struct lz_err *err)
{
    if (node >= 1 && node <= g->opts.nodes)
        return true;
    return lz_fail(err, LZ_ERANGE, "%s has nodes 1 to %u, got %u",
                   lz_world_component(w, g->id)->name, g->opts.nodes, node);
}

// May its leader begin a change at all?
static bool may_change(const struct lz_world *w, const struct lz_consensus *g,
                       const struct lz_raft_node *leader, struct lz_err *err)
{
    const char *name = lz_world_component(w, g->id)->name;
    if (leader->commit < leader->term_first)
        return lz_fail(err, LZ_EINVAL,
                       "the leader of %s has committed nothing in its own term yet: a change now "
                       "could meet another that an earlier leader has begun; try again",
                       name);
    if (latest(leader)->index > leader->commit)
        return lz_fail(err, LZ_EINVAL,
                       "a change of %s's members is under way: its entry %llu is not committed "
                       "yet; try again",
                       name, (unsigned long long)latest(leader)->index);
    if (leader->transfer != 0)
        return lz_fail(err, LZ_EINVAL, "the leader of %s is handing over; try again", name);
    return true;
}

// etcd's isLearnerReady: nine tenths of what the leader has.
static bool is_in_sync(const struct lz_raft_node *leader, uint32_t n)
{
    return (double)leader->peers[n].match >= 0.9 * (double)leader->log.last;
}

static bool change(const struct lz_raft_node *leader, enum lz_member_change what, uint32_t n,
                   struct lz_raft_config *c, struct lz_err *err)
{
    uint32_t bit = 1u << n;
    bool votes = (c->voters & bit) != 0, learns = (c->learners & bit) != 0;
    switch (what) {
    case LZ_MEMBER_ADD:
    case LZ_MEMBER_ADD_LEARNER:
        if (votes || learns)
            return lz_fail(err, LZ_EINVAL, "it is a member already, as a %s",
                           votes ? "voter" : "learner");
        if (what == LZ_MEMBER_ADD_LEARNER && c->learners != 0)
            return lz_fail(err, LZ_EINVAL,
                           "too many learner members in cluster: there is one already (etcd's "
                           "--max-learners is 1), promote or remove it first");
        *(what == LZ_MEMBER_ADD ? &c->voters : &c->learners) |= bit;
        return true;
    case LZ_MEMBER_PROMOTE:
        if (!learns)
            return lz_fail(err, LZ_EINVAL, "only a learner can be promoted, and it is %s",
                           votes ? "a voter" : "no member");
        if (!is_in_sync(leader, n))
            return lz_fail(err, LZ_EINVAL,
                           "can only promote a learner which is in sync with the leader: it has "
                           "%llu of %llu entries",
                           (unsigned long long)leader->peers[n].match,
                           (unsigned long long)leader->log.last);
        c->learners &= ~bit;
        c->voters |= bit;
        return true;
    case LZ_MEMBER_REMOVE:
        if (!votes && !learns)
            return lz_fail(err, LZ_EINVAL, "it is no member");
        if (c->voters == bit)
            return lz_fail(err, LZ_EINVAL, "it is the last that votes");
        c->voters &= ~bit;
        c->learners &= ~bit;
        return true;
    }
    LZ_UNREACHABLE("no such change");
}

bool lz_consensus_change(struct lz_world *w, lz_component_id id, enum lz_member_change what,
                         uint32_t node, struct lz_err *err)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    uint32_t at = 0;
    if (!is_node(w, g, node, err) || !find_leader(w, g, &at, err))
        return false;
    struct lz_raft_node *leader = &g->nodes[at];
    if (!may_change(w, g, leader, err))
        return false;
    struct lz_raft_config c = *latest(leader);
    struct lz_err why;
    if (!change(leader, what, node - 1, &c, &why))
        return lz_fail(err, LZ_EINVAL, "%s[%u]: %s", lz_world_component(w, id)->name, node,
                       why.msg);
    if (what == LZ_MEMBER_ADD || what == LZ_MEMBER_ADD_LEARNER)
        lz_consensus_join(w, g, node - 1, leader->log.last + 1);
    (void)lz_raft_propose(
        w, g, at,
        &(struct lz_raft_entry){.op = LZ_RAFT_CONFIG, .value = c.voters, .expect = c.learners});
    return true;
}

// ---- handing over

void lz_raft_transfer_end(struct lz_world *w, struct lz_consensus *g, uint32_t n, const char *why)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(node->transfer != 0);
    lz_instance_note(w, g->first + n, "transfer", "does not hand over to %s[%u]: %s",
                     lz_world_component(w, g->id)->name, node->transfer, why);
    node->transfer = 0;
    g->goes_back = false;
    lz_raft_retry(w, g, n); // writes have waited for it
}

void lz_raft_transfer_go_on(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    uint32_t to = node->transfer - 1;
    if (node->peers[to].match < node->log.last)
        return; // it is on its way
    node->has_told = true;
    lz_raft_send(w, g, lz_raft_message(w, g, n, to, LZ_RAFT_TIMEOUT_NOW));
}

void lz_raft_timeout_now(struct lz_world *w, struct lz_consensus *g,
                         const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    if (node->role == LZ_RAFT_LEADER || (lz_raft_voters(node) >> m->to & 1u) == 0)
        return;
    node->transfer_term = node->hard.term + 1;
    lz_raft_campaign(w, g, m->to, LZ_RAFT_TRANSFER);
}

// Who has the most of its log, of those it hears: the first of equals.
static uint32_t best_heir(const struct lz_world *w, const struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_node *node = &g->nodes[n];
    uint32_t best = n;
    for (uint32_t i = 0; i < g->opts.nodes; i++) {
        bool is_heir = i != n && (lz_raft_voters(node) >> i & 1u) != 0 &&
                       lz_sim_now(w->sim) - node->peers[i].heard <= g->opts.election;
        if (is_heir && (best == n || node->peers[i].match > node->peers[best].match))
            best = i;
    }
    return best;
}

bool lz_consensus_transfer(struct lz_world *w, lz_component_id id, uint32_t to, struct lz_err *err)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    const char *name = lz_world_component(w, id)->name;
    uint32_t n = 0;
    if ((to != 0 && !is_node(w, g, to, err)) || !find_leader(w, g, &n, err))
        return false;
    struct lz_raft_node *node = &g->nodes[n];
    uint32_t heir = to != 0 ? to - 1 : best_heir(w, g, n);
    if (heir == n)
        return lz_fail(err, LZ_EINVAL,
                       to != 0 ? "%s[%u] leads already"
                               : "nobody who votes answers the leader of %s, node %u",
                       name, n + 1);
    if ((lz_raft_voters(node) >> heir & 1u) == 0)
        return lz_fail(err, LZ_EINVAL, "%s[%u] does not vote, so it cannot lead", name, heir + 1);
    if (node->transfer == heir + 1)
        return true; // that is under way, and has the time it had (etcd)
    node->transfer = heir + 1;
    node->transfer_until = lz_sim_now(w->sim) + g->opts.election;
    lz_instance_note(w, g->first + n, "transfer", "hands over to %s[%u]", name, heir + 1);
    lz_raft_copy(w, g, n, heir);
    lz_raft_transfer_go_on(w, g, n);
    return true;
}

bool lz_consensus_move(struct lz_world *w, lz_component_id id, uint32_t to, struct lz_err *err)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    if (g->moves++ == 0) {
        lz_instance_id leader = lz_consensus_leader(w, id);
        g->moved_from = leader != 0 ? leader - g->first + 1 : 0;
    }
    return lz_consensus_transfer(w, id, to, err);
}

void lz_consensus_move_back(struct lz_world *w, lz_component_id id)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    LZ_ASSERT(g->moves > 0);
    struct lz_err err;
    lz_instance_id leader = lz_consensus_leader(w, id);
    if (--g->moves > 0 || g->moved_from == 0)
        return;
    uint32_t n = g->moved_from - 1;
    if (leader == g->first + n) { // it has not moved yet; who was told to lead may come to it still
        g->goes_back = g->nodes[n].transfer != 0 && g->nodes[n].has_told;
        if (g->nodes[n].transfer != 0 && !g->goes_back)
            lz_raft_transfer_end(w, g, n, "what moved it is over");
        return;
    }
    if (!lz_consensus_transfer(w, id, g->moved_from, &err))
        lz_instance_note(w, g->first + g->moved_from - 1, "transfer", "does not lead again: %s",
                         err.msg);
}

void lz_consensus_go_back(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_err err;
    bool is_due = g->goes_back && g->moves == 0 && g->moved_from != n + 1;
    g->goes_back = false;
    if (is_due && !lz_consensus_transfer(w, g->id, g->moved_from, &err))
        lz_instance_note(w, g->first + g->moved_from - 1, "transfer", "does not lead again: %s",
                         err.msg);
}

bool lz_consensus_is_group(const struct lz_world *w, lz_component_id id)
{
    return w->consensuses != NULL && id < w->consensuses->cap && w->consensuses->all[id] != NULL;
}

uint32_t lz_consensus_members(const struct lz_world *w, lz_component_id id)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    uint32_t nodes = 0;
    for (uint32_t n = 0; n < g->opts.nodes; n++)
        nodes |= (uint32_t)g->nodes[n].is_member << n;
    return nodes;
}

bool lz_consensus_are_of_one(const struct lz_world *w, lz_component_id id, uint32_t a, uint32_t b)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    return g->nodes[a].cluster == g->nodes[b].cluster;
}

bool lz_consensus_votes(const struct lz_world *w, lz_component_id id, uint32_t node)
{
    return (lz_raft_voters(&lz_consensus_at(w, id)->nodes[node]) >> node & 1u) != 0;
}
