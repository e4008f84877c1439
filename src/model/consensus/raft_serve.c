/*
 * raft_serve.c — calls to a group: what they ask for. What each of them waits for then is in
 * raft_wait.h.
 */
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client/client.h"
#include "model/consensus/consensus_member.h"
#include "model/consensus/raft_wait.h"
#include "model/data/database.h"
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

void lz_raft_measure_cpu(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    if (n + 1 == g->led_by)
        lz_metrics_set(w->metrics, g->series.cpu, lz_sim_now(w->sim),
                       lz_cpu_busy(g->nodes[n].capacity->cpu));
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
    lz_raft_wait_link(g, a);
    if (verb == VERB_WATCH) { // as long as its caller likes
        a->waits = LZ_RAFT_WAITS_CHANGE;
        a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + n, lz_pool_id(a));
        return;
    }
    if (a->is_read && g->opts.reads == LZ_READS_STALE) {
        lz_raft_wait_read(w, g, a);
        return;
    }
    a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + n, lz_pool_id(a));
    lz_raft_wait_go_on(w, g, a);
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
        lz_raft_answer_task(w, g, t,
                            &(struct lz_raft_reply){.outcome = LZ_OUTCOME_ERROR, .status = 500});
    else if (!node->is_on || !serves(w, g, n, t->op))
        lz_raft_answer_task(w, g, t,
                            &(struct lz_raft_reply){.outcome = LZ_OUTCOME_REFUSED, .status = 503});
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
        lz_raft_wait_end(w, g, a);
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
        lz_raft_wait_end(w, g, a); // who asked has long given up
    else if (a->waits == LZ_RAFT_WAITS_CHANGE)
        look_after_watch(w, g, a);
    else
        lz_raft_wait_answer(w, g, a,
                            &(struct lz_raft_reply){.outcome = LZ_OUTCOME_ERROR, .status = 503});
}

static void turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status)
{
    struct lz_consensus *g = lz_consensus_of(w, t->server);
    lz_measure_arrived(w, &g->series.m);
    lz_client_count_request(w, g->id);
    lz_raft_answer_task(w, g, t, &(struct lz_raft_reply){.outcome = outcome, .status = status});
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
    lz_raft_wait_link(g, a);
    lz_raft_wait_go_on(w, g, a);
}

void lz_raft_serve_ask(struct lz_world *w, struct lz_consensus *g, uint32_t n, lz_raft_ask_id id,
                       const struct lz_raft_ask *ask)
{
    lz_raft_wait_drop_old(w, g, n);
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
    lz_raft_wait_link(g, a);
    a->waits = LZ_RAFT_WAITS_CHANGE;
    if (watches)
        return;
    a->timeout = lz_sim_arm(w->sim, g->timeout, g->first + n, lz_pool_id(a));
    lz_raft_wait_go_on(w, g, a);
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
