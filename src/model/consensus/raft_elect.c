/*
 * raft_elect.c — who leads: timeouts, pre-votes, votes, and stepping down.
 *
 * A timer is moved only when it fires too early: hearing of a leader writes down the instant and
 * no more. A node votes once in a term, for a log that is at least as long as its own (section
 * 5.4.1 of the paper). With the quorum check a leader steps down that has not heard of a majority
 * for an election timeout, and a node that has heard of a leader within one does not help to
 * replace it (thesis, 4.2.3 and 6.2; etcd's CheckQuorum).
 */
#include "base/check.h"
#include "model/consensus/consensus_state.h"

static struct lz_draw draw_of(const struct lz_world *w, const struct lz_consensus *g, uint32_t n,
                              uint64_t counter)
{
    return lz_draw_begin(lz_sim_key(w->sim), lz_consensus_node_path(g, n), LZ_PURPOSE_ELECTION,
                         counter);
}

static void arm(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    lz_sim_cancel(w->sim, node->timer);
    node->timer = lz_sim_at(w->sim, node->heard + node->timeout, w->consensuses->timer,
                            g->first + n, node->turn);
}

// Another patience, from now on.
static void reset(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    struct lz_draw draw = draw_of(w, g, n, ++node->resets);
    node->timeout = g->opts.election + (lz_time)lz_draw_below(&draw, (uint64_t)g->opts.election);
    node->heard = lz_sim_now(w->sim);
    node->turn++;
    arm(w, g, n);
}

void lz_raft_hear(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    g->nodes[n].heard = lz_sim_now(w->sim);
}

bool lz_raft_is_loyal(const struct lz_world *w, const struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_node *node = &g->nodes[n];
    if (g->opts.no_check_quorum || node->leader == 0)
        return false;
    return node->role == LZ_RAFT_LEADER || lz_sim_now(w->sim) - node->heard < g->opts.election;
}

static void set_hard(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t term,
                     uint32_t vote)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(term >= node->hard.term);
    if (term == node->hard.term && vote == node->hard.vote)
        return;
    uint64_t write = lz_raft_write(w, g, n);
    node->hard = (struct lz_raft_hard){.term = term, .write = write, .vote = vote};
}

static void leave_lead(struct lz_world *w, struct lz_raft_node *node)
{
    lz_sim_cancel(w->sim, node->beat);
    node->beat = 0;
    node->transfer = 0;
    node->round = node->round_next = node->round_done = 0;
}

void lz_raft_follow(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t term,
                    uint32_t leader)
{
    struct lz_raft_node *node = &g->nodes[n];
    bool is_new = term > node->hard.term || node->role != LZ_RAFT_FOLLOWER;
    bool is_told = leader != 0 && node->leader != leader, has_led = node->role == LZ_RAFT_LEADER;
    if (term > node->hard.term)
        set_hard(w, g, n, term, 0);
    if (is_new) {
        leave_lead(w, node);
        node->role = LZ_RAFT_FOLLOWER;
    }
    bool lost = node->leader != 0 && node->leader != leader;
    node->leader = leader;
    if (is_new)
        reset(w, g, n);
    if (is_new && has_led && lz_consensus_is_embedded(g))
        g->host.turned(w, g->host.ctx, n, false);
    if (is_new || is_told || lost) {
        lz_consensus_reckon(w, g);
        lz_raft_retry(w, g, n);
    }
    lz_raft_flush(w, g, n);
}

static void become_leader(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    node->role = LZ_RAFT_LEADER;
    node->leader = n + 1;
    node->transfer = 0;
    node->has_told = false;
    lz_raft_config_reckon(node);
    node->turn++;
    lz_sim_cancel(w->sim, node->timer);
    node->timer = 0;
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        node->peers[i] = (struct lz_raft_peer){
            .next = node->log.last + 1, .heard = now, .clock = INT64_MIN, .is_probing = true};
    node->round = node->round_next = node->round_done = 0;
    node->beat =
        lz_sim_at(w->sim, now + g->opts.heartbeat, w->consensuses->beat, g->first + n, node->turn);
}

void lz_raft_lead(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(node->role != LZ_RAFT_LEADER);
    become_leader(w, g, n);
    if (g->opts.nodes > 1)
        lz_instance_note(w, g->first + n, "elected", "leads, in term %llu",
                         (unsigned long long)node->hard.term);
    if (node->transfer_term == node->hard.term)
        lz_metrics_add(w->metrics, g->series.transfers, 1);
    node->term_first = node->log.last + 1;
    (void)lz_raft_propose(w, g, n, &(struct lz_raft_entry){.op = LZ_RAFT_NOOP});
    lz_consensus_reckon(w, g);
    lz_raft_retry(w, g, n);
    lz_consensus_go_back(w, g, n);
}

static uint32_t votes_for(const struct lz_consensus *g, const struct lz_raft_node *node)
{
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        nodes |= (uint32_t)node->peers[i].votes << i;
    return nodes;
}

static void count_votes(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (!lz_raft_is_quorum(node, votes_for(g, node)))
        return;
    if (node->role == LZ_RAFT_PRE_CANDIDATE)
        lz_raft_campaign(w, g, n, LZ_RAFT_ELECTION);
    else
        lz_raft_lead(w, g, n);
}

void lz_raft_campaign(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                      enum lz_raft_campaign kind)
{
    struct lz_raft_node *node = &g->nodes[n];
    bool is_pre = kind == LZ_RAFT_PRE_VOTE;
    LZ_ASSERT(node->role != LZ_RAFT_LEADER);
    node->role = is_pre ? LZ_RAFT_PRE_CANDIDATE : LZ_RAFT_CANDIDATE;
    node->leader = 0;
    if (!is_pre) {
        set_hard(w, g, n, node->hard.term + 1, n + 1);
        lz_metrics_add(w->metrics, g->series.elections, 1);
    }
    reset(w, g, n);
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        node->peers[i].votes = i == n;
    for (uint32_t i = 0; i < g->opts.nodes; i++) {
        if (i == n || (lz_raft_voters(node) >> i & 1u) == 0)
            continue;
        struct lz_raft_message *m = lz_raft_message(w, g, n, i, LZ_RAFT_VOTE);
        m->term += is_pre;
        m->is_pre = is_pre;
        m->is_transfer = kind == LZ_RAFT_TRANSFER;
        m->index = node->log.last;
        m->log_term = lz_raft_log_term(&node->log, node->log.last);
        lz_raft_send(w, g, m);
    }
    lz_raft_flush(w, g, n);
    lz_consensus_reckon(w, g);
    count_votes(w, g, n); // alone it is a majority
}

void lz_raft_vote(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    uint64_t last = node->log.last, last_term = lz_raft_log_term(&node->log, last);
    bool is_whole = m->log_term > last_term || (m->log_term == last_term && m->index >= last);
    bool may = node->hard.vote == 0 || node->hard.vote == m->from + 1u;
    bool yes = is_whole && may;
    LZ_ASSERT(m->is_pre || m->term == node->hard.term);
    if (m->is_pre)
        yes = m->term > node->hard.term && is_whole && !lz_raft_is_loyal(w, g, m->to);
    if (yes && !m->is_pre) {
        set_hard(w, g, m->to, m->term, m->from + 1u);
        lz_raft_hear(w, g, m->to); // who gives its vote gives it time too
    }
    struct lz_raft_message *answer = lz_raft_message(w, g, m->to, m->from, LZ_RAFT_VOTED);
    answer->is_pre = m->is_pre;
    answer->is_yes = yes;
    if (yes)
        answer->term = m->term;
    lz_raft_send(w, g, answer);
    lz_raft_flush(w, g, m->to);
}

void lz_raft_voted(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    bool is_pre = node->role == LZ_RAFT_PRE_CANDIDATE;
    if (!is_pre && node->role != LZ_RAFT_CANDIDATE)
        return;
    if (is_pre != m->is_pre || m->term != node->hard.term + is_pre || !m->is_yes)
        return;
    node->peers[m->from].votes = true;
    count_votes(w, g, m->to);
}

static void on_timer(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    uint32_t n = entity - g->first;
    struct lz_raft_node *node = &g->nodes[n];
    if (node->turn != payload || !node->is_on ||
        lz_instance_defer(w, entity, w->consensuses->timer, payload))
        return;
    node->timer = 0;
    if (node->flushing != 0) // it asks again a tick later
        node->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + g->opts.heartbeat,
                                w->consensuses->timer, entity, payload);
    else if (lz_sim_now(w->sim) < node->heard + node->timeout)
        arm(w, g, n);
    else if (!lz_raft_may_campaign(node, n))
        reset(w, g, n);
    else
        lz_raft_campaign(w, g, n, g->opts.no_pre_vote ? LZ_RAFT_ELECTION : LZ_RAFT_PRE_VOTE);
}

static bool hears_a_majority(const struct lz_world *w, const struct lz_consensus *g, uint32_t n)
{
    uint32_t heard = 1u << n;
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        if (lz_sim_now(w->sim) - g->nodes[n].peers[i].heard <= g->opts.election)
            heard |= 1u << i;
    return lz_raft_is_quorum(&g->nodes[n], heard);
}

static void beat(struct lz_world *w, struct lz_consensus *g, uint32_t n, bool is_of_read)
{
    struct lz_raft_node *node = &g->nodes[n];
    for (uint32_t i = 0; i < g->opts.nodes; i++) {
        if (i == n || (node->reach >> i & 1u) == 0)
            continue;
        struct lz_raft_message *m = lz_raft_message(w, g, n, i, LZ_RAFT_BEAT);
        uint64_t match = node->peers[i].match;
        m->commit = match < node->commit ? match : node->commit;
        m->round = node->round;
        m->is_probe = !is_of_read;
        lz_raft_send(w, g, m);
    }
}

static void on_beat(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    uint32_t n = entity - g->first;
    struct lz_raft_node *node = &g->nodes[n];
    if (node->turn != payload || node->role != LZ_RAFT_LEADER ||
        lz_instance_defer(w, entity, w->consensuses->beat, payload))
        return;
    if (node->flushing != 0 && node->beat_held == node->flushing) { // one of its ticks waits
        node->beat = lz_sim_at(w->sim, lz_sim_now(w->sim) + g->opts.heartbeat, w->consensuses->beat,
                               entity, payload);
        return;
    }
    node->beat_held = node->flushing;
    if (!g->opts.no_check_quorum && !hears_a_majority(w, g, n)) {
        lz_instance_note(w, entity, "stepped_down", "leads no more: it hears no majority");
        lz_raft_follow(w, g, n, node->hard.term, 0);
        return;
    }
    if (node->transfer != 0 && lz_sim_now(w->sim) >= node->transfer_until)
        lz_raft_transfer_end(w, g, n, "it did not come to lead within an election timeout");
    beat(w, g, n, false);
    node->beat = lz_sim_at(w->sim, lz_sim_now(w->sim) + g->opts.heartbeat, w->consensuses->beat,
                           entity, node->turn);
}

void lz_raft_begin_round(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(node->role == LZ_RAFT_LEADER);
    node->round++;
    beat(w, g, n, true);
}

void lz_raft_boot(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(!node->is_on);
    node->is_on = true;
    node->role = LZ_RAFT_FOLLOWER;
    node->leader = 0;
    node->flushed = node->written;
    node->flushing = 0;
    lz_raft_machine_copy(&node->machine, &node->snapshot);
    node->commit = node->applied = node->snapshot_index;
    reset(w, g, n);
    lz_raft_config_reckon(node);
    if (lz_raft_is_alone(node, n))
        lz_raft_campaign(w, g, n, LZ_RAFT_ELECTION);
}

void lz_raft_elect_init(struct lz_world *w)
{
    w->consensuses->timer = lz_sim_kind(w->sim, "raft.timer", on_timer, w);
    w->consensuses->beat = lz_sim_kind(w->sim, "raft.beat", on_beat, w);
}
