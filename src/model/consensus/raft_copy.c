/*
 * raft_copy.c — the log's way from the leader to the others, and what is committed.
 *
 *              answered                              broken, or refused
 *   probing ─────────────▶ replicating: sends ahead ─────────────────▶ probing
 *      │ one message at a time, further back each time it is refused
 *      └── what it needs was dropped ──▶ sent the whole state ──answered──▶ replicating
 *
 * (etcd's Progress.) An entry of an earlier term is committed only with one of the leader's own
 * (section 5.4.2 of the paper).
 *
 * Entries come in the order in which they were sent. A connection that breaks with some of them is
 * seen by the leader; one that breaks with an answer is not. So who answers a heartbeat and has not
 * confirmed all is asked again, behind what is on its way (etcd's stepLeader, MsgHeartbeatResp).
 * Rounds of reads ask for nothing (thesis, 6.4): there may be thousands in a second.
 */
#include "base/check.h"
#include "model/consensus/consensus_state.h"
#include "model/node/clock.h"

void lz_raft_broke(struct lz_consensus *g, uint32_t from, uint32_t to)
{
    struct lz_raft_node *node = &g->nodes[from];
    struct lz_raft_peer *p = &node->peers[to];
    if (node->role != LZ_RAFT_LEADER)
        return;
    p->is_probing = true;
    p->is_asked = p->is_sent_state = false;
    p->next = p->match + 1;
}

// ---- the leader

static void send_state(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint32_t to)
{
    struct lz_raft_node *node = &g->nodes[n];
    struct lz_raft_peer *p = &node->peers[to];
    if (p->is_sent_state)
        return;
    p->is_sent_state = p->is_probing = true; // it comes over a way of its own: nothing before it
    struct lz_raft_message *m = lz_raft_message(w, g, n, to, LZ_RAFT_STATE);
    m->index = node->snapshot_index;
    m->log_term = node->snapshot_term;
    m->config = *lz_raft_config_at(node, node->snapshot_index);
    m->state = lz_arena_alloc(w->arena, sizeof(*m->state));
    lz_raft_machine_init(m->state, w->arena);
    lz_raft_machine_copy(m->state, &node->snapshot);
    g->state_keys += m->state->cap;
    if (g->state_keys > g->state_keys_max)
        g->state_keys_max = g->state_keys;
    p->next = m->index + 1;
    lz_raft_send(w, g, m);
}

static void send_entries(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint32_t to)
{
    struct lz_raft_node *node = &g->nodes[n];
    struct lz_raft_peer *p = &node->peers[to];
    struct lz_raft_message *m = lz_raft_message(w, g, n, to, LZ_RAFT_APPEND);
    LZ_ASSERT(p->next > node->log.base);
    m->index = p->next - 1;
    m->log_term = lz_raft_log_term(&node->log, m->index);
    m->commit = node->commit;
    m->is_probe = p->is_probing;
    while (m->count < LZ_RAFT_BATCH && m->index + m->count < node->log.last) {
        m->entries[m->count] = *lz_raft_log_get(&node->log, m->index + m->count + 1);
        m->count++;
    }
    if (p->is_probing)
        p->is_asked = true;
    else
        p->next += m->count;
    lz_raft_send(w, g, m);
}

void lz_raft_copy(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint32_t to)
{
    struct lz_raft_node *node = &g->nodes[n];
    struct lz_raft_peer *p = &node->peers[to];
    LZ_ASSERT(node->role == LZ_RAFT_LEADER);
    if (p->match == node->log.last && !p->is_probing)
        return;
    if (p->next <= node->log.base) {
        send_state(w, g, n, to);
        return;
    }
    if (p->is_probing) {
        if (!p->is_asked && !p->is_sent_state)
            send_entries(w, g, n, to);
        return;
    }
    while (p->next <= node->log.last && p->next - p->match <= LZ_RAFT_WINDOW)
        send_entries(w, g, n, to);
}

// The largest index that a majority has.
static uint64_t majority_has(const struct lz_consensus *g, const struct lz_raft_node *node)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < g->opts.nodes; i++) {
        uint32_t have = 0;
        for (uint32_t j = 0; j < g->opts.nodes; j++)
            have |= (uint32_t)(node->peers[j].match >= node->peers[i].match) << j;
        if (node->peers[i].match > best && lz_raft_is_quorum(node, have))
            best = node->peers[i].match;
    }
    return best;
}

// Others hear at once what is committed: who waits there is answered there.
static void tell_commit(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    for (uint32_t i = 0; i < g->opts.nodes; i++) {
        struct lz_raft_peer *p = &node->peers[i];
        bool is_member = (node->reach >> i & 1u) != 0;
        if (i == n || !is_member || p->is_probing || p->next <= node->log.base)
            continue;
        struct lz_raft_message *m = lz_raft_message(w, g, n, i, LZ_RAFT_APPEND);
        m->index = p->next - 1;
        m->log_term = lz_raft_log_term(&node->log, m->index);
        m->commit = node->commit;
        lz_raft_send(w, g, m);
    }
}

static void advance(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    uint64_t index = majority_has(g, node);
    if (index <= node->commit || lz_raft_log_term(&node->log, index) != node->hard.term)
        return;
    for (uint64_t i = node->commit + 1; i <= index; i++) {
        const struct lz_raft_entry *e = lz_raft_log_get(&node->log, i);
        if (e->op != LZ_RAFT_NOOP && e->op != LZ_RAFT_CONFIG && e->term == node->hard.term)
            lz_metrics_observe(w->metrics, g->series.commit, lz_sim_now(w->sim) - e->at);
    }
    node->commit = index;
    tell_commit(w, g, n);
    lz_raft_apply(w, g, n);
}

void lz_raft_is_flushed(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (node->role != LZ_RAFT_LEADER)
        return;
    uint64_t *own = &node->peers[n].match;
    if (*own < node->log.base)
        *own = node->log.base;
    for (const struct lz_raft_entry *e = lz_raft_log_get(&node->log, *own + 1);
         e != NULL && e->write <= node->flushed; e = lz_raft_log_get(&node->log, *own + 1))
        ++*own;
    advance(w, g, n);
}

uint64_t lz_raft_propose(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                         const struct lz_raft_entry *e)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(node->role == LZ_RAFT_LEADER);
    struct lz_raft_entry own = *e;
    own.term = node->hard.term;
    own.at = lz_sim_now(w->sim);
    own.write = lz_raft_write(w, g, n);
    uint64_t index = lz_raft_log_append(&node->log, &own);
    if (own.op == LZ_RAFT_CONFIG)
        lz_raft_config_appended(w, g, n, &own, index);
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        if (i != n && (node->reach >> i & 1u) != 0)
            lz_raft_copy(w, g, n, i);
    lz_raft_flush(w, g, n);
    return index;
}

static void appended(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    struct lz_raft_peer *p = &node->peers[m->from];
    if (node->role != LZ_RAFT_LEADER)
        return;
    p->heard = lz_sim_now(w->sim);
    if (!m->is_yes) {
        bool is_old = p->is_probing ? m->commit + 1 != p->next : m->commit <= p->match;
        if (p->is_sent_state || is_old)
            return; // of something asked earlier
        uint64_t next = m->index + 1 < m->commit ? m->index + 1 : m->commit;
        p->next = next > 0 ? next : 1;
        p->is_probing = true;
        p->is_asked = false;
        lz_raft_copy(w, g, m->to, m->from);
        return;
    }
    if (m->index > p->match)
        p->match = m->index;
    if (p->next <= p->match)
        p->next = p->match + 1;
    p->is_probing = p->is_asked = p->is_sent_state = false;
    advance(w, g, m->to);
    if (node->role != LZ_RAFT_LEADER)
        return;
    lz_raft_copy(w, g, m->to, m->from);
    if (node->transfer == m->from + 1u)
        lz_raft_transfer_go_on(w, g, m->to);
}

// Rounds of reads that a majority has confirmed: the leader itself has all.
static uint64_t confirmed_round(const struct lz_consensus *g, const struct lz_raft_node *node,
                                uint32_t n)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < g->opts.nodes; i++) {
        uint32_t have = 1u << n;
        for (uint32_t j = 0; j < g->opts.nodes; j++)
            have |= (uint32_t)(node->peers[j].round >= node->peers[i].round) << j;
        if (i != n && node->peers[i].round > best && lz_raft_is_quorum(node, have))
            best = node->peers[i].round;
    }
    return best;
}

// Behind all that it was sent: has it that? What it lacks, or its answers, may be gone.
static void ask_again(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint32_t to)
{
    const struct lz_raft_node *node = &g->nodes[n];
    const struct lz_raft_peer *p = &node->peers[to];
    LZ_ASSERT(!p->is_probing);
    if (p->next <= node->log.base) {
        lz_raft_broke(g, n, to);
        lz_raft_copy(w, g, n, to);
        return;
    }
    struct lz_raft_message *m = lz_raft_message(w, g, n, to, LZ_RAFT_APPEND);
    m->index = p->next - 1;
    m->log_term = lz_raft_log_term(&node->log, m->index);
    m->commit = node->commit;
    m->is_probe = true;
    lz_raft_send(w, g, m);
}

static void beaten(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    struct lz_raft_peer *p = &node->peers[m->from];
    if (node->role != LZ_RAFT_LEADER)
        return;
    p->heard = lz_sim_now(w->sim);
    if (m->clock > p->clock)
        p->clock = m->clock;
    if (m->index < p->match && !p->is_probing) // its disk has forgotten what it had confirmed?
        lz_raft_broke(g, m->to, m->from);
    if (p->is_sent_state && m->commit + 1 >= p->next)
        p->is_sent_state = false; // it has come (etcd: ReportSnapshot)
    if (m->is_probe && p->is_probing) {
        p->is_asked = false;
        lz_raft_copy(w, g, m->to, m->from);
    } else if (m->is_probe && p->match < node->log.last) {
        ask_again(w, g, m->to, m->from);
    }
    if (m->round > p->round) {
        p->round = m->round;
        lz_raft_confirmed(w, g, m->to, confirmed_round(g, node, m->to));
    }
}

bool lz_raft_has_lease(struct lz_world *w, const struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_node *node = &g->nodes[n];
    if (lz_raft_is_alone(node, n))
        return true;
    if (node->has_told)
        return false; // whoever it told need not wait for its lease (thesis, 6.4.1)
    lz_time now = lz_clock_read(w, g->first + n);
    uint32_t heard = 1u << n;
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        if (node->peers[i].clock != INT64_MIN && now - node->peers[i].clock < g->opts.election)
            heard |= 1u << i;
    return lz_raft_is_quorum(node, heard);
}

// ---- the others

static void refuse(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m,
                   uint64_t hint)
{
    struct lz_raft_message *answer = lz_raft_message(w, g, m->to, m->from, LZ_RAFT_APPENDED);
    answer->index = hint;
    answer->commit = m->index;
    lz_raft_send(w, g, answer);
    lz_raft_flush(w, g, m->to);
}

static void confirm(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m,
                    uint64_t index)
{
    struct lz_raft_message *answer = lz_raft_message(w, g, m->to, m->from, LZ_RAFT_APPENDED);
    answer->is_yes = true;
    answer->index = index;
    lz_raft_send(w, g, answer);
    lz_raft_flush(w, g, m->to);
}

// What it had applied and must forget: only after a disk has lied can that be.
static void forget_applied(struct lz_raft_node *node)
{
    if (node->applied <= node->log.last)
        return;
    lz_raft_machine_copy(&node->machine, &node->snapshot);
    node->applied = node->snapshot_index;
    node->commit = node->log.last < node->commit ? node->log.last : node->commit;
    if (node->commit < node->applied)
        node->commit = node->applied;
}

static void take_entries(struct lz_world *w, struct lz_consensus *g,
                         const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    uint64_t write = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t index = m->index + i + 1;
        if (index <= node->log.base || lz_raft_log_term(&node->log, index) == m->entries[i].term)
            continue;
        if (index <= node->log.last) {
            lz_raft_log_cut(&node->log, index - 1);
            lz_raft_config_cut(node);
            forget_applied(node);
            if (lz_consensus_is_embedded(g))
                g->host.rewound(w, g->host.ctx, m->to, index - 1, m->from);
        }
        if (write == 0)
            write = lz_raft_write(w, g, m->to);
        struct lz_raft_entry e = m->entries[i];
        e.write = write;
        uint64_t at = lz_raft_log_append(&node->log, &e);
        LZ_ASSERT(at == index);
        if (e.op == LZ_RAFT_CONFIG)
            lz_raft_config_appended(w, g, m->to, &e, at);
    }
}

static void set_commit(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t commit)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (commit > node->log.last)
        commit = node->log.last;
    if (commit <= node->commit)
        return;
    node->commit = commit;
    lz_raft_apply(w, g, n);
}

static void append(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    uint64_t term = lz_raft_log_term(&node->log, m->index);
    if (m->index > node->log.last) {
        refuse(w, g, m, node->log.last);
        return;
    }
    if (m->index >= node->log.base && term != m->log_term) {
        // Nothing of a later term than the leader's can be its own: skip all of it.
        uint64_t hint = m->index - 1;
        while (hint > node->log.base && lz_raft_log_term(&node->log, hint) > m->log_term)
            hint--;
        refuse(w, g, m, hint);
        return;
    }
    uint64_t last = m->index + m->count;
    take_entries(w, g, m);
    if (m->count > 0 || m->is_probe)
        confirm(w, g, m, last > node->log.base ? last : node->log.base);
    set_commit(w, g, m->to, m->commit < last ? m->commit : last);
}

static void take_state(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    if (m->index <= node->commit) {
        confirm(w, g, m, node->commit);
        return;
    }
    if (lz_raft_log_term(&node->log, m->index) == m->log_term && m->index <= node->log.last) {
        lz_raft_log_drop(&node->log, m->index);
    } else {
        lz_raft_log_reset(&node->log, m->index, m->log_term);
        if (lz_consensus_is_embedded(g))
            g->host.rewound(w, g->host.ctx, m->to, m->index, m->from);
    }
    lz_raft_machine_copy(&node->snapshot, m->state);
    lz_raft_machine_copy(&node->machine, m->state);
    node->snapshot_index = node->applied = node->commit = m->index;
    node->snapshot_term = m->log_term;
    if (node->log.last == m->index)
        lz_raft_config_set(w, node, &m->config);
    (void)lz_raft_write(w, g, m->to);
    if (lz_consensus_is_embedded(g))
        g->host.restored(w, g->host.ctx, m->to, m->from);
    lz_instance_note(w, g->first + m->to, "restored", "was sent the whole state");
    confirm(w, g, m, m->index);
    lz_raft_serve_reads(w, g, m->to);
    lz_raft_config_applied(w, g, m->to); // a change may be in it, and in no entry that comes
}

static void on_beat(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_message *answer = lz_raft_message(w, g, m->to, m->from, LZ_RAFT_BEATEN);
    answer->index = g->nodes[m->to].log.last;
    answer->commit = g->nodes[m->to].commit;
    answer->round = m->round;
    answer->is_probe = m->is_probe;
    answer->clock = m->clock;
    lz_raft_send(w, g, answer);
    set_commit(w, g, m->to, m->commit);
    if (m->is_probe)
        lz_raft_ask_again(w, g, m->to);
}

// ---- all of them

static bool is_from_leader(const struct lz_raft_message *m)
{
    return m->kind == LZ_RAFT_APPEND || m->kind == LZ_RAFT_BEAT || m->kind == LZ_RAFT_STATE;
}

// One of an earlier term: who sent it is told of the present one.
static void correct(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    if (m->kind == LZ_RAFT_VOTE && m->is_pre) {
        struct lz_raft_message *answer = lz_raft_message(w, g, m->to, m->from, LZ_RAFT_VOTED);
        answer->is_pre = true;
        lz_raft_send(w, g, answer);
    } else if (is_from_leader(m)) {
        refuse(w, g, m, 0);
    }
    lz_raft_flush(w, g, m->to);
}

// Terms first; is there anything left to do?
static bool heeds(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->to];
    bool is_pre = m->is_pre && (m->kind == LZ_RAFT_VOTE || m->is_yes);
    if (m->kind >= LZ_RAFT_FORWARD)
        return true;
    if (m->term < node->hard.term) {
        correct(w, g, m);
        return false;
    }
    if (is_from_leader(m)) {
        if (m->term == node->hard.term && node->role == LZ_RAFT_LEADER)
            return false; // two leaders of one term: a disk has forgotten a vote
        lz_raft_follow(w, g, m->to, m->term, m->from + 1u);
        lz_raft_hear(w, g, m->to);
        return true;
    }
    if (m->term == node->hard.term || is_pre)
        return true;
    if (m->kind == LZ_RAFT_VOTE && !m->is_transfer && lz_raft_is_loyal(w, g, m->to))
        return false;
    lz_raft_follow(w, g, m->to, m->term, 0);
    return true;
}

static void take_forward(struct lz_world *w, struct lz_consensus *g,
                         const struct lz_raft_message *m)
{
    const struct lz_raft_node *node = &g->nodes[m->to];
    if (node->role == LZ_RAFT_LEADER && node->transfer == 0)
        (void)lz_raft_propose(w, g, m->to, &m->entries[0]);
}

void lz_raft_receive(struct lz_world *w, struct lz_consensus *g, struct lz_raft_message *m)
{
    LZ_ASSERT(g->nodes[m->to].is_on);
    if (heeds(w, g, m)) {
        switch ((enum lz_raft_message_kind)m->kind) {
        case LZ_RAFT_VOTE:
            lz_raft_vote(w, g, m);
            break;
        case LZ_RAFT_VOTED:
            lz_raft_voted(w, g, m);
            break;
        case LZ_RAFT_APPEND:
            append(w, g, m);
            break;
        case LZ_RAFT_APPENDED:
            appended(w, g, m);
            break;
        case LZ_RAFT_BEAT:
            on_beat(w, g, m);
            break;
        case LZ_RAFT_BEATEN:
            beaten(w, g, m);
            break;
        case LZ_RAFT_STATE:
            take_state(w, g, m);
            break;
        case LZ_RAFT_TIMEOUT_NOW:
            lz_raft_timeout_now(w, g, m);
            break;
        case LZ_RAFT_FORWARD:
            take_forward(w, g, m);
            break;
        case LZ_RAFT_READ:
            lz_raft_read(w, g, m);
            break;
        case LZ_RAFT_READABLE:
            lz_raft_readable(w, g, m);
            break;
        case LZ_RAFT_GONE:
            lz_raft_gone(w, g, m);
            break;
        }
    }
    lz_raft_free(w, m);
}
