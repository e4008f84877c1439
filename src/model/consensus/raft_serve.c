/*
 * raft_serve.c — calls to a group: what they ask for, and what each of them waits for.
 *
 *   handled ─▶ LEADER ─▶ ENTRY ─▶ answered              a write: proposed, or forwarded
 *                │
 *                ├─▶ ROUND ─────────▶ INDEX ─▶ answered  a read at the leader (ReadIndex)
 *                └─▶ ASKED ─────────▶ INDEX ─▶ answered  a read elsewhere
 *   CHANGE ─▶ answered                                   a watch
 *
 * A new leader sends everything but ENTRY back to LEADER: what was proposed may still be
 * committed, and proposing it again could do it twice.
 */
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client/client.h"
#include "model/consensus/consensus_member.h"
#include "model/consensus/consensus_state.h"
#include "model/data/database.h"
#include "model/history/recorder.h"
#include "model/service/argument.h"
#include "model/value.h"

enum verb { VERB_READ = 1, VERB_WATCH, VERB_WRITE }; // a VERB_WRITE of an op: VERB_WRITE + op

static const struct {
    const char *word;
    uint8_t verb;
} words[] = {
    {"watch", VERB_WATCH},
    {"delete", VERB_WRITE + LZ_RAFT_DELETE},
    {"remove", VERB_WRITE + LZ_RAFT_DELETE},
    {"cas", VERB_WRITE + LZ_RAFT_CAS},
    {"create", VERB_WRITE + LZ_RAFT_CAS},
    {"acquire", VERB_WRITE + LZ_RAFT_ACQUIRE},
    {"lock", VERB_WRITE + LZ_RAFT_ACQUIRE},
    {"renew", VERB_WRITE + LZ_RAFT_RENEW},
    {"keepalive", VERB_WRITE + LZ_RAFT_RENEW},
    {"release", VERB_WRITE + LZ_RAFT_RELEASE},
    {"unlock", VERB_WRITE + LZ_RAFT_RELEASE},
    {"revoke", VERB_WRITE + LZ_RAFT_RELEASE},
};

static uint8_t verb_of_text(const char *op)
{
    size_t len = strcspn(op, " \t");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i].word) == len && strncasecmp(op, words[i].word, len) == 0)
            return words[i].verb;
    return lz_database_is_read(op) ? VERB_READ : VERB_WRITE + LZ_RAFT_PUT;
}

static uint8_t verb_of(struct lz_world *w, lz_op op)
{
    struct lz_consensuses *cs = w->consensuses;
    cs->verbs = lz_grow(w->arena, cs->verbs, &cs->verb_cap, op + 1u, sizeof(*cs->verbs));
    if (cs->verbs[op] == 0)
        cs->verbs[op] = verb_of_text(lz_call_op_name(w, op));
    return cs->verbs[op];
}

// ---- who waits

static struct lz_raft_waiter *waiter_at(const struct lz_consensus *g, uint32_t index)
{
    return lz_pool_at(&g->waiters, index);
}

static void link_waiter(struct lz_consensus *g, struct lz_raft_waiter *a)
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

static void forget(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    unlink_waiter(g, a);
    lz_sim_cancel(w->sim, a->timeout);
    lz_pool_give(&g->waiters, a);
}

struct reply {
    enum lz_outcome outcome;
    uint16_t status;
    uint64_t value;
};

void lz_raft_measure_cpu(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    if (n + 1 == g->led_by)
        lz_metrics_set(w->metrics, g->series.cpu, lz_sim_now(w->sim),
                       lz_cpu_busy(g->nodes[n].capacity->cpu));
}

static void answer_task(struct lz_world *w, struct lz_consensus *g, struct lz_task *t,
                        const struct reply *r)
{
    lz_measure_left(w, &g->series.m, r->outcome, lz_sim_now(w->sim) - t->arrived);
    t->value = r->value;
    lz_task_answer(w, t, r->outcome, r->status);
}

static void answer(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a,
                   const struct reply *r)
{
    LZ_ASSERT(a->asker == 0);
    struct lz_task *t = lz_task_find(w, a->task);
    LZ_ASSERT(t != NULL); // a task that goes away takes its waiter with it
    forget(w, g, a);
    t->rest_ns = 0;
    answer_task(w, g, t, r);
}

static void answer_read(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    if (lz_consensus_is_embedded(g)) {
        uint64_t task = a->task;
        uint32_t node = a->node;
        forget(w, g, a);
        g->host.readable(w, g->host.ctx, node, task);
        return;
    }
    const struct lz_raft_key *k = lz_raft_machine_get(&g->nodes[a->node].machine, a->entry.key);
    if ((k != NULL ? k->version : 0) < a->floor)
        lz_metrics_add(w->metrics, g->series.stale_reads, 1);
    uint64_t value = k != NULL && k->is_there ? k->value : 0;
    lz_recorder_effect(w, lz_task_find(w, a->task), k != NULL ? k->version : 0);
    answer(w, g, a, &(struct reply){.outcome = LZ_OUTCOME_OK, .status = 200, .value = value});
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
        forget(w, g, a);
    } else if (a->index <= node->applied) {
        answer_read(w, g, a);
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
    if (!asks)
        unlink_waiter(g, a);
    lz_raft_send(w, g, m);
}

static void go_on(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
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
            forget(w, g, a); // the asker hears of another leader itself
        else
            go_on(w, g, a);
    }
    lz_arena_free(w->arena, ids, count * sizeof(*ids));
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
    link_waiter(g, a);
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
            answer_read(w, g, a);
    }
}

// ---- what was applied

static void end_ask(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a,
                    bool is_done)
{
    lz_raft_ask_id id = a->ask;
    forget(w, g, a);
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
            answer(w, g, a,
                   &(struct reply){.outcome = LZ_OUTCOME_OK, .status = 200, .value = value});
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
    if (result->is_done) {
        lz_metrics_add(w->metrics, g->series.acked, 1);
        lz_rows_put(&g->acked, e->key, result->version, 0);
    }
    answer(w, g, a,
           &(struct reply){.outcome = result->is_done ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR,
                           .status = result->is_done ? 200 : 409,
                           .value = result->value});
}

// ---- calls

static void arrive(struct lz_world *w, struct lz_task *t)
{
    struct lz_consensus *g = lz_consensus_of(w, t->server);
    uint32_t n = t->server - g->first;
    struct lz_raft_node *node = &g->nodes[n];
    lz_measure_arrived(w, &g->series.m);
    lz_client_count_request(w, g->id);
    t->state = LZ_TASK_WORKING;
    t->started = lz_sim_now(w->sim);
    t->rest_ns = 0;
    if (node->capacity->loss_count > 0)
        lz_capacity_touch(node->capacity);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_SERVICE, 0);
    double ns = (double)lz_dist_time(&g->opts.request_time, &draw) * node->capacity->factor;
    lz_time demand = (lz_time)(ns + 0.5);
    t->job = lz_cpu_start(w, node->capacity->cpu, demand > 0 ? demand : 1, lz_pool_id(t));
    lz_raft_measure_cpu(w, g, n);
}

static bool turns_out_wrong(struct lz_world *w, const struct lz_raft_node *node,
                            const struct lz_task *t)
{
    if (!(node->capacity->error_ratio > 0.0))
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ERROR, 0);
    return lz_draw_unit(&draw) < node->capacity->error_ratio;
}

static void begin(struct lz_world *w, struct lz_consensus *g, uint32_t n, struct lz_task *t)
{
    uint8_t verb = verb_of(w, t->op);
    struct lz_raft_waiter *a = lz_pool_take(&g->waiters);
    a->node = (uint8_t)n;
    a->task = lz_pool_id(t);
    a->is_read = verb == VERB_READ;
    a->floor = lz_rows_get(&g->acked, t->key);
    a->entry = (struct lz_raft_entry){.key = t->key,
                                      .value = lz_argument_to_value(w, lz_argument_of(w, t)),
                                      .request = lz_pool_id(a),
                                      .node = (uint8_t)n,
                                      .ttl = g->opts.lease};
    if (verb >= VERB_WRITE)
        a->entry.op = (uint8_t)(verb - VERB_WRITE);
    if (a->entry.op >= LZ_RAFT_ACQUIRE && a->entry.op <= LZ_RAFT_RELEASE)
        a->entry.value = lz_value_integer(lz_client_who(w, t->call));
    t->rest_ns = (lz_time)lz_pool_id(a);
    link_waiter(g, a);
    if (verb == VERB_WATCH) { // as long as its caller likes
        a->waits = LZ_RAFT_WAITS_CHANGE;
        a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + n, lz_pool_id(a));
        return;
    }
    if (a->is_read && g->opts.reads == LZ_READS_STALE) {
        answer_read(w, g, a);
        return;
    }
    a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + n, lz_pool_id(a));
    go_on(w, g, a);
}

// A learner answers nobody (etcd: "rpc not supported for learner"), but for reads that may be old.
static bool serves(struct lz_world *w, const struct lz_consensus *g, uint32_t n, lz_op op)
{
    return lz_consensus_votes(w, g->id, n) ||
           (g->opts.reads == LZ_READS_STALE && verb_of(w, op) == VERB_READ);
}

static void on_handled(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    uint32_t n = entity - g->first;
    struct lz_raft_node *node = &g->nodes[n];
    if (lz_instance_defer(w, entity, w->consensuses->handled, payload))
        return;
    if (payload == LZ_RAFT_SNAPSHOT_WORK) {
        if (node->snapshot_job != 0)
            lz_cpu_remove(w, node->capacity->cpu, node->snapshot_job);
        node->snapshot_job = 0;
        return;
    }
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->job == 0)
        return;
    lz_cpu_remove(w, node->capacity->cpu, t->job);
    t->job = 0;
    lz_raft_measure_cpu(w, g, n);
    if (turns_out_wrong(w, node, t))
        answer_task(w, g, t, &(struct reply){.outcome = LZ_OUTCOME_ERROR, .status = 500});
    else if (!node->is_on || !serves(w, g, n, t->op))
        answer_task(w, g, t, &(struct reply){.outcome = LZ_OUTCOME_REFUSED, .status = 503});
    else
        begin(w, g, n, t);
}

static void let_go(struct lz_world *w, struct lz_consensus *g, struct lz_task *t)
{
    uint32_t n = t->server - g->first;
    if (t->job != 0)
        lz_cpu_remove(w, g->nodes[n].capacity->cpu, t->job);
    t->job = 0;
    struct lz_raft_waiter *a =
        t->state == LZ_TASK_WORKING ? lz_pool_find(&g->waiters, (uint64_t)t->rest_ns) : NULL;
    if (a != NULL)
        forget(w, g, a);
    t->rest_ns = 0;
}

static void cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_consensus *g = lz_consensus_of(w, t->server);
    let_go(w, g, t);
    lz_measure_left(w, &g->series.m, LZ_OUTCOME_PENDING, lz_sim_now(w->sim) - t->arrived);
    lz_raft_measure_cpu(w, g, t->server - g->first);
    lz_task_free(w, t);
}

// A watch goes on for as long as its caller is there, as a server's keepalive finds out.
static void look_after_watch(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a)
{
    struct lz_task *t = lz_task_find(w, a->task);
    LZ_ASSERT(t != NULL);
    if (lz_client_is_waiting(w, t->call, a->task))
        a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + a->node, lz_pool_id(a));
    else
        cancel(w, t);
}

static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    struct lz_raft_waiter *a = lz_pool_find(&g->waiters, payload);
    if (a == NULL || lz_instance_defer(w, entity, w->consensuses->timeout, payload))
        return;
    if (a->ask != 0)
        forget(w, g, a); // who asked has long given up
    else if (a->waits == LZ_RAFT_WAITS_CHANGE)
        look_after_watch(w, g, a);
    else
        answer(w, g, a, &(struct reply){.outcome = LZ_OUTCOME_ERROR, .status = 503});
}

static void turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status)
{
    struct lz_consensus *g = lz_consensus_of(w, t->server);
    lz_measure_arrived(w, &g->series.m);
    lz_client_count_request(w, g->id);
    answer_task(w, g, t, &(struct reply){.outcome = outcome, .status = status});
}

static void called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    (void)w;
    (void)t;
    (void)result;
    LZ_UNREACHABLE("a group calls nobody");
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    (void)instance;
    lz_measure_refused(w, &lz_consensus_at(w, id)->series.m);
}

void lz_raft_ask(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t task)
{
    struct lz_raft_waiter *a = lz_pool_take(&g->waiters);
    a->node = (uint8_t)n;
    a->task = task;
    a->is_read = true;
    link_waiter(g, a);
    go_on(w, g, a);
}

// Watches of askers that have given them up go.
static void forget_old(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    for (uint32_t at = g->nodes[n].waiters_first, next; at != 0; at = next) {
        struct lz_raft_waiter *a = waiter_at(g, at);
        next = a->next;
        if (a->ask != 0 && lz_raft_ask_find(w, a->ask) == NULL)
            forget(w, g, a);
    }
}

void lz_raft_serve_ask(struct lz_world *w, struct lz_consensus *g, uint32_t n, lz_raft_ask_id id,
                       const struct lz_raft_ask *ask)
{
    forget_old(w, g, n);
    bool watches = ask->what == LZ_ASK_GONE;
    struct lz_raft_waiter *a = lz_pool_take(&g->waiters);
    a->node = (uint8_t)n;
    a->ask = id;
    a->entry = (struct lz_raft_entry){.op = watches ? LZ_RAFT_NOOP : ask->what,
                                      .key = ask->key,
                                      .value = ask->value,
                                      .ttl = ask->ttl,
                                      .request = lz_pool_id(a),
                                      .node = (uint8_t)n};
    link_waiter(g, a);
    a->waits = LZ_RAFT_WAITS_CHANGE;
    if (watches)
        return;
    a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + n, lz_pool_id(a));
    go_on(w, g, a);
}

void lz_raft_forget_waiters(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    while (g->nodes[n].waiters_first != 0)
        forget(w, g, waiter_at(g, g->nodes[n].waiters_first));
}

void lz_raft_reset_calls(struct lz_world *w, struct lz_consensus *g, uint32_t n, bool silent)
{
    lz_instance_id id = g->first + n;
    uint32_t broken = 0;
    for (uint32_t at = lz_task_first_at(w, id); at != 0; at = lz_task_first_at(w, id)) {
        struct lz_task *t = lz_task_at(w, at);
        let_go(w, g, t);
        lz_measure_left(w, &g->series.m, LZ_OUTCOME_RESET, lz_sim_now(w->sim) - t->arrived);
        lz_task_reset(w, t, silent);
        broken++;
    }
    lz_raft_forget_waiters(w, g, n); // what others had asked
    if (broken > 0 && !silent)
        lz_instance_note(w, id, "reset", "%u connections reset", broken);
}

const struct lz_server_ops lz_raft_serve_ops = {.arrive = arrive,
                                                .turn_away = turn_away,
                                                .called = called,
                                                .cancel = cancel,
                                                .refused = refused};

void lz_raft_serve_init(struct lz_world *w)
{
    w->consensuses->handled = lz_sim_kind(w->sim, "raft.handled", on_handled, w);
    w->consensuses->timeout = lz_sim_kind(w->sim, "raft.timeout", on_timeout, w);
}
