#include "model/consensus/raft_wait.h"

#include "base/check.h"
#include "model/consensus/consensus_member.h"
#include "model/history/recorder.h"
#include "model/service/fence.h"

#define ASK_AGAIN (500 * LZ_MS)

// ---- who waits

static struct lz_raft_waiter *waiter_at(const struct lz_consensus *g, uint32_t index)
{
    return lz_pool_at(&g->waiters, index);
}

void lz_raft_wait_link(struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_raft_node *node = &g->nodes[a->node];
    LZ_ASSERT(!a->is_linked);
    a->is_linked = true;
    a->prev = node->waiters_last;
    a->next = 0;
    if (node->waiters_last != 0)
        waiter_at(g, node->waiters_last)->next = a->head.index;
    else
        node->waiters_first = a->head.index;
    node->waiters_last = a->head.index;
}

static void unlink_waiter(struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_raft_node *node = &g->nodes[a->node];
    if (!a->is_linked)
        return;
    a->is_linked = false;
    if (a->prev != 0)
        waiter_at(g, a->prev)->next = a->next;
    else
        node->waiters_first = a->next;
    if (a->next != 0)
        waiter_at(g, a->next)->prev = a->prev;
    else
        node->waiters_last = a->prev;
}

void lz_raft_wait_end(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    unlink_waiter(g, a);
    lz_sim_cancel(w->sim, a->timeout);
    lz_pool_give(&g->waiters, a);
}

void lz_raft_answer_task(struct lz_world *w, struct lz_consensus *g, struct lz_task *t,
                         const struct lz_raft_reply *r)
{
    lz_measure_left(w, &g->series.m, r->outcome, lz_sim_now(w->sim) - t->arrived);
    t->value = r->value;
    lz_task_answer(w, t, r->outcome, r->status);
}

void lz_raft_wait_answer(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a,
                         const struct lz_raft_reply *r)
{
    LZ_ASSERT(a->asker == 0);
    struct lz_task *t = lz_task_find(w, a->task);
    LZ_ASSERT(t != NULL); // a task that goes away takes its waiter with it
    lz_raft_wait_end(w, g, a);
    t->rest_ns = 0;
    lz_raft_answer_task(w, g, t, r);
}

void lz_raft_wait_read(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    if (lz_consensus_is_embedded(g)) {
        uint64_t task = a->task;
        uint32_t node = a->node;
        lz_raft_wait_end(w, g, a);
        g->host.readable(w, g->host.ctx, node, task);
        return;
    }
    const struct lz_raft_key *k = lz_raft_machine_get(&g->nodes[a->node].machine, a->entry.key);
    lz_metrics_add(w->metrics, g->series.reads, 1);
    if ((k != NULL ? k->version : 0) < a->floor)
        lz_metrics_add(w->metrics, g->series.stale_reads, 1);
    uint64_t value = k != NULL && k->is_there ? k->value : 0;
    lz_recorder_effect(w, lz_task_find(w, a->task), k != NULL ? k->version : 0);
    lz_raft_wait_answer(
        w, g, a, &(struct lz_raft_reply){.outcome = LZ_OUTCOME_OK, .status = 200, .value = value});
}

// ---- from LEADER on

static void confirm_read(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_raft_node *node = &g->nodes[a->node];
    if (a->asker != 0) {
        struct lz_raft_message *m = lz_raft_message(w, g, a->node, a->asker - 1u, LZ_RAFT_READABLE);
        m->index = a->index;
        m->round = a->task;
        lz_raft_send(w, g, m);
        lz_raft_wait_end(w, g, a);
    } else if (a->index <= node->applied) {
        lz_raft_wait_read(w, g, a);
    } else {
        a->waits = LZ_RAFT_WAITS_INDEX;
    }
}

static void read_at_leader(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_raft_node *node = &g->nodes[a->node];
    a->waits = LZ_RAFT_WAITS_LEADER;
    if (node->commit < node->term_first)
        return; // what is committed is not known before its first entry is
    a->index = node->commit;
    bool leases = g->opts.reads == LZ_READS_LEASE || lz_raft_is_alone(node, a->node);
    if (leases && lz_raft_has_lease(w, g, a->node)) {
        confirm_read(w, g, a);
        return;
    }
    a->waits = LZ_RAFT_WAITS_ROUND;
    a->round = node->round + 1;
    if (node->round_next < a->round)
        node->round_next = a->round;
    if (node->round_done == node->round)
        lz_raft_begin_round(w, g, a->node);
}

static void send_on(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_raft_node *node = &g->nodes[a->node];
    bool asks = a->is_read;
    uint32_t leader = node->leader - 1;
    if (leader == a->node) { // it stepped down at this instant
        a->waits = LZ_RAFT_WAITS_LEADER;
        return;
    }
    struct lz_raft_message *m =
        lz_raft_message(w, g, a->node, leader, asks ? LZ_RAFT_READ : LZ_RAFT_FORWARD);
    m->round = lz_pool_id(a);
    m->entries[0] = a->entry;
    m->count = asks ? 0 : 1;
    a->waits = asks ? LZ_RAFT_WAITS_ASKED : LZ_RAFT_WAITS_ENTRY;
    a->asked = lz_sim_now(w->sim);
    if (!asks)
        unlink_waiter(g, a);
    lz_raft_send(w, g, m);
}

void lz_raft_wait_go_on(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_raft_node *node = &g->nodes[a->node];
    if (node->leader == 0) {
        a->waits = LZ_RAFT_WAITS_LEADER;
    } else if (node->role != LZ_RAFT_LEADER) {
        send_on(w, g, a);
    } else if (a->is_read) {
        read_at_leader(w, g, a);
    } else if (node->transfer != 0) { // until another leads, or it does again
        a->waits = LZ_RAFT_WAITS_LEADER;
    } else {
        a->waits = LZ_RAFT_WAITS_ENTRY;
        unlink_waiter(g, a);
        struct lz_raft_entry e = a->entry;
        (void)lz_raft_propose(w, g, a->node, &e);
    }
}

// Should it be taken up again, now that who leads is new?
static bool is_idle(const struct lz_raft_node *node, const struct lz_raft_waiter *a)
{
    return a->waits == LZ_RAFT_WAITS_CHANGE || a->waits == LZ_RAFT_WAITS_INDEX ||
           (a->waits == LZ_RAFT_WAITS_ROUND && node->role == LZ_RAFT_LEADER);
}

void lz_raft_retry(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    uint32_t count = 0, i = 0;
    for (uint32_t at = node->waiters_first; at != 0; at = waiter_at(g, at)->next)
        count += !is_idle(node, waiter_at(g, at));
    if (count == 0)
        return;
    // Going on may answer others, so who is to go on is written down first.
    uint64_t *ids = lz_arena_alloc(w->arena, count * sizeof(*ids));
    for (uint32_t at = node->waiters_first; at != 0; at = waiter_at(g, at)->next)
        if (!is_idle(node, waiter_at(g, at)))
            ids[i++] = lz_pool_id(waiter_at(g, at));
    for (i = 0; i < count; i++) {
        struct lz_raft_waiter *a = lz_pool_find(&g->waiters, ids[i]);
        if (a == NULL || !a->is_linked)
            continue;
        if (a->asker != 0 && node->role != LZ_RAFT_LEADER)
            lz_raft_wait_end(w, g, a); // the asker hears of another leader itself
        else
            lz_raft_wait_go_on(w, g, a);
    }
    lz_arena_free(w->arena, ids, count * sizeof(*ids));
}

// The answer to a question may be gone with the leader's connection (etcd: readIndexRetryTime).
void lz_raft_ask_again(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t at = g->nodes[n].waiters_first; at != 0; at = waiter_at(g, at)->next) {
        struct lz_raft_waiter *a = waiter_at(g, at);
        if (a->waits == LZ_RAFT_WAITS_ASKED && now - a->asked >= ASK_AGAIN)
            send_on(w, g, a);
    }
}

// ---- reads

void lz_raft_confirmed(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t round)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (round <= node->round_done)
        return;
    node->round_done = round;
    for (uint32_t at = node->waiters_first, next; at != 0; at = next) {
        struct lz_raft_waiter *a = waiter_at(g, at);
        next = a->next;
        if (a->waits == LZ_RAFT_WAITS_ROUND && a->round <= round)
            confirm_read(w, g, a);
    }
    if (node->round_next > node->round && node->round_done == node->round)
        lz_raft_begin_round(w, g, n);
}

void lz_raft_read(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    if (g->nodes[m->to].role != LZ_RAFT_LEADER)
        return;
    struct lz_raft_waiter *a = lz_pool_take(&g->waiters);
    a->node = m->to;
    a->is_read = true;
    a->asker = m->from + 1u;
    a->task = m->round;
    lz_raft_wait_link(g, a);
    read_at_leader(w, g, a);
}

void lz_raft_readable(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m)
{
    struct lz_raft_waiter *a = lz_pool_find(&g->waiters, m->round);
    if (a == NULL || a->node != m->to || a->waits != LZ_RAFT_WAITS_ASKED)
        return;
    a->index = m->index;
    confirm_read(w, g, a);
}

void lz_raft_serve_reads(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    const struct lz_raft_node *node = &g->nodes[n];
    for (uint32_t at = node->waiters_first, next; at != 0; at = next) {
        struct lz_raft_waiter *a = waiter_at(g, at);
        next = a->next;
        if (a->waits == LZ_RAFT_WAITS_INDEX && a->index <= node->applied)
            lz_raft_wait_read(w, g, a);
    }
}

// ---- what was applied

static void end_ask(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a,
                    bool is_done)
{
    lz_raft_ask_id id = a->ask;
    lz_raft_wait_end(w, g, a);
    lz_raft_ask_answer(w, id, is_done);
}

static void tell_watches(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t key,
                         uint64_t value)
{
    for (uint32_t at = g->nodes[n].waiters_first, next; at != 0; at = next) {
        struct lz_raft_waiter *a = waiter_at(g, at);
        next = a->next;
        if (a->waits != LZ_RAFT_WAITS_CHANGE || a->entry.key != key)
            continue;
        if (a->ask == 0)
            lz_raft_wait_answer(
                w, g, a,
                &(struct lz_raft_reply){.outcome = LZ_OUTCOME_OK, .status = 200, .value = value});
        else if (value == 0)
            end_ask(w, g, a, true);
    }
}

void lz_raft_applied(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                     const struct lz_raft_entry *e, const struct lz_raft_result *result)
{
    if (result->is_changed && g->nodes[n].waiters_first != 0)
        tell_watches(w, g, n, e->key, result->value);
    struct lz_raft_waiter *a = e->node == n ? lz_pool_find(&g->waiters, e->request) : NULL;
    if (a == NULL || a->node != n || a->waits != LZ_RAFT_WAITS_ENTRY)
        return;
    if (a->ask != 0) {
        end_ask(w, g, a, result->is_done);
        return;
    }
    struct lz_task *t = lz_task_find(w, a->task);
    if (result->is_done && !result->is_changed && e->op == LZ_RAFT_ACQUIRE)
        lz_recorder_void(w, t); // who held it already has it still
    lz_recorder_effect(w, t, result->version);
    if (result->is_done && e->op == LZ_RAFT_ACQUIRE)
        lz_fence_grant(w, t, result->version);
    if (result->is_done)
        lz_raft_acked(w, g, n, e->key, result->version);
    lz_raft_wait_answer(
        w, g, a,
        &(struct lz_raft_reply){.outcome = result->is_done ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR,
                                .status = result->is_done ? 200 : 409,
                                .value = result->value});
}

// ---- none wait any more

void lz_raft_wait_drop_old(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    for (uint32_t at = g->nodes[n].waiters_first, next; at != 0; at = next) {
        struct lz_raft_waiter *a = waiter_at(g, at);
        next = a->next;
        if (a->ask != 0 && lz_raft_ask_find(w, a->ask) == NULL)
            lz_raft_wait_end(w, g, a);
    }
}

void lz_raft_forget_waiters(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    while (g->nodes[n].waiters_first != 0)
        lz_raft_wait_end(w, g, waiter_at(g, g->nodes[n].waiters_first));
}
