#include "model/client.h"

#include "base/check.h"
#include "model/edge.h"
#include "model/instance.h"
#include "model/net.h"

#define BACKOFF_MAX (10 * LZ_S)
#define SYN_RTO LZ_S /* initial, doubling: RFC 6298 section 5.7, Linux TCP_TIMEOUT_INIT */
#define SYN_RTO_MAX (64 * LZ_S)

enum call_state {
    CALL_PICK,    // about to make an attempt
    CALL_WAITING, // for a connection
    CALL_CONNECTING,
    CALL_SENT,
    CALL_BACKOFF,
};

struct call {
    struct lz_pool_head head;
    uint64_t owner;
    lz_request_id request; // 0 once its request has stopped waiting for it
    uint64_t path, key;
    union {
        lz_task_id task;   // SENT: of the attempt under way
        lz_event_id timer; // before: connecting, backing off
    };
    lz_event_id timeout;
    lz_time begun;     // the call
    lz_time started;   // the attempt
    lz_time connected; // it has a connection, perhaps still to be opened
    lz_time sent;
    lz_time waited; // before this attempt
    lz_edge_id edge;
    lz_instance_id client, server;
    uint32_t number, parent; // within the request
    uint16_t attempt;
    uint16_t tries; // to connect
    lz_op op;
    uint8_t state;
    uint8_t turn; // counts attempts' ends: an event of an earlier turn is stale
    uint8_t owner_kind;
    bool has_connection; // of a limited number
};

_Static_assert(sizeof(struct call) <= 128, "a request in flight is as small as it can be");

struct lz_clients {
    struct lz_pool pool;
    lz_kind timeout, connect, again, fail;
};

#define INDEX_BITS 24 /* of a token; above it the turn, above that the generation */

static void attempt_begin(struct lz_world *w, struct call *c);

// What this turn's timers carry. A paused client's events are replayed late, in their
// order; one that an earlier one has made pointless must be recognised.
static uint64_t token(const struct call *c)
{
    LZ_ASSERT(c->head.index < 1u << INDEX_BITS);
    return (uint64_t)c->head.gen << 32 | (uint64_t)c->turn << INDEX_BITS | c->head.index;
}

static struct call *find_turn(const struct lz_world *w, uint64_t from_token)
{
    uint64_t id = from_token & ~((uint64_t)0xff << INDEX_BITS);
    struct call *c = lz_pool_find(&w->clients->pool, id);
    return c != NULL && token(c) == from_token ? c : NULL;
}

static struct call *find(const struct lz_world *w, uint64_t id)
{
    return lz_pool_find(&w->clients->pool, id);
}

bool lz_client_is_waiting(const struct lz_world *w, uint64_t call, lz_task_id task)
{
    const struct call *c = find(w, call);
    return c != NULL && c->state == CALL_SENT && c->task == task;
}

lz_instance_id lz_client_instance(const struct lz_world *w, uint64_t call)
{
    const struct call *c = find(w, call);
    LZ_ASSERT(c != NULL);
    return c->client;
}

/*
 * What the attempt's time went into, as far as the caller can be said to have waited for
 * it. Calls made on its behalf have spans of their own; what is left of the server's time
 * is its own work.
 */
static void task_phases(struct lz_world *w, const struct call *c, lz_time now, lz_time *phase)
{
    const struct lz_task *t = lz_task_find(w, c->task);
    if (t == NULL || t->arrived == 0) {
        phase[LZ_PHASE_NETWORK] += now - c->sent;
        return;
    }
    phase[LZ_PHASE_NETWORK] += t->arrived - c->sent;
    if (t->state == LZ_TASK_QUEUED) {
        phase[LZ_PHASE_QUEUE] += now - t->arrived;
        return;
    }
    lz_time end = t->state == LZ_TASK_ANSWERED ? t->answered : now;
    phase[LZ_PHASE_NETWORK] += now - end;
    if (t->started == 0) { // its process ended while it was queued
        phase[LZ_PHASE_QUEUE] += end - t->arrived;
        return;
    }
    phase[LZ_PHASE_QUEUE] += t->started - t->arrived;
    lz_time in_calls = t->child_ns;
    const struct call *child = t->child != 0 ? find(w, t->child) : NULL;
    if (child != NULL)
        in_calls += end - child->begun;
    phase[LZ_PHASE_WORK] += end - t->started - in_calls;
}

static void add_span(struct lz_world *w, struct call *c, enum lz_outcome outcome, uint16_t status)
{
    struct lz_request *r = lz_request_find(w, c->request);
    if (r == NULL)
        return;
    lz_time now = lz_sim_now(w->sim);
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    struct lz_span *s = lz_request_new_span(w, r);
    s->call = c->number;
    s->parent_call = c->parent;
    s->client = c->client;
    s->server = c->server;
    s->component = e->opts.to;
    s->attempt = c->attempt;
    s->status = status;
    s->op = c->op;
    s->outcome = (uint8_t)outcome;
    s->start = c->started;
    s->end = now;
    s->phase[LZ_PHASE_RETRY_WAIT] = c->waited;
    if (c->state == CALL_BACKOFF) {
        s->start = now;
        s->phase[LZ_PHASE_RETRY_WAIT] = now - c->started;
    } else if (c->state == CALL_WAITING) {
        s->phase[LZ_PHASE_QUEUE] = now - c->started;
    } else {
        s->phase[LZ_PHASE_QUEUE] = c->connected - c->started;
        s->phase[LZ_PHASE_CONNECT] = (c->state == CALL_SENT ? c->sent : now) - c->connected;
        if (c->state == CALL_SENT)
            task_phases(w, c, now, s->phase);
    }
    for (int i = 0; i < LZ_PHASES; i++)
        LZ_ASSERT(s->phase[i] >= 0);
}

void lz_client_orphan(struct lz_world *w, uint64_t call)
{
    struct call *c = find(w, call);
    if (c == NULL || c->request == 0)
        return;
    add_span(w, c, LZ_OUTCOME_PENDING, 0);
    c->request = 0;
    struct lz_task *t = c->state == CALL_SENT ? lz_task_find(w, c->task) : NULL;
    if (t != NULL)
        lz_task_orphan(w, t);
}

// The attempt no longer holds anything: timers, its connection, its place in line.
static void attempt_release(struct lz_world *w, struct call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    lz_sim_cancel(w->sim, c->timeout);
    if (c->state == CALL_SENT) {
        struct lz_edge_pair *p = lz_edge_pair(e, c->client, c->server);
        LZ_ASSERT(p->in_flight > 0);
        p->in_flight--;
    } else {
        lz_sim_cancel(w->sim, c->timer);
    }
    c->timeout = c->timer = 0;
    if (c->state == CALL_WAITING)
        ops->forget(w, e->opts.to, lz_pool_id(c));
    c->state = CALL_PICK;
    c->turn++;
    if (c->has_connection) {
        c->has_connection = false;
        ops->disconnect(w, e->opts.to);
    }
}

static void call_end(struct lz_world *w, struct call *c, const struct lz_call_result *result)
{
    uint64_t owner = c->owner, id = lz_pool_id(c);
    enum lz_client_owner kind = c->owner_kind;
    lz_time took = lz_sim_now(w->sim) - c->begun;
    lz_pool_give(&w->clients->pool, c);
    if (kind == LZ_OWNER_TRAFFIC) {
        lz_traffic_called(w, owner, result);
        return;
    }
    struct lz_task *t = lz_task_find(w, owner);
    LZ_ASSERT(t != NULL); // a task that goes away drops its call
    LZ_ASSERT(t->child == id);
    t->child = 0;
    t->child_ns += took;
    lz_task_ops(w, lz_instance_get(w, t->server)->component)->called(w, t, result);
}

// Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015): uniform
// between nothing and the ceiling, which doubles with each retry.
static lz_time backoff(struct lz_world *w, const struct call *c, const struct lz_edge *e)
{
    lz_time ceiling = e->opts.backoff;
    for (uint32_t i = 1; i < c->attempt && ceiling < BACKOFF_MAX; i++)
        ceiling *= 2;
    if (ceiling > BACKOFF_MAX)
        ceiling = BACKOFF_MAX;
    if (e->opts.no_jitter)
        return ceiling;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), c->path, LZ_PURPOSE_BACKOFF, c->attempt);
    return (lz_time)(lz_draw_unit(&draw) * (double)ceiling);
}

static bool may_retry(const struct call *c, struct lz_edge *e)
{
    if (c->attempt > e->opts.retries)
        return false;
    if (!(e->opts.retry_budget > 0.0))
        return true;
    struct lz_edge_client *budget = &e->clients[c->client - e->client_first];
    if (budget->tokens < 1.0)
        return false;
    budget->tokens -= 1.0;
    return true;
}

static void attempt_end(struct lz_world *w, struct call *c, const struct lz_call_result *result)
{
    add_span(w, c, result->outcome, result->status);
    attempt_release(w, c);
    struct lz_edge *e = lz_edge_get(w, c->edge);
    if (result->outcome == LZ_OUTCOME_OK || !may_retry(c, e)) {
        call_end(w, c, result);
        return;
    }
    c->state = CALL_BACKOFF;
    c->started = lz_sim_now(w->sim);
    c->server = 0;
    c->timer =
        lz_sim_at(w->sim, c->started + backoff(w, c, e), w->clients->again, c->client, token(c));
}

void lz_client_answered(struct lz_world *w, const struct lz_task *t)
{
    struct call *c = find(w, t->call);
    LZ_ASSERT(c != NULL);
    attempt_end(
        w, c,
        &(struct lz_call_result){.outcome = t->outcome, .status = t->status, .value = t->value});
}

void lz_client_reset(struct lz_world *w, const struct lz_task *t)
{
    struct call *c = find(w, t->call);
    LZ_ASSERT(c != NULL);
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_edge_pair(e, c->client, c->server)->connected = 0;
    lz_balance_out(w, e, c->server);
    attempt_end(w, c, &(struct lz_call_result){.outcome = LZ_OUTCOME_RESET, .status = 502});
}

static void send(struct lz_world *w, struct call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    c->sent = lz_sim_now(w->sim);
    c->state = CALL_SENT;
    lz_edge_pair(e, c->client, c->server)->in_flight++;
    const struct lz_task *t = lz_task_send(w, c->client, c->server,
                                           &(struct lz_task_facts){
                                               .call = lz_pool_id(c),
                                               .request = c->request,
                                               .path = lz_draw_index(c->path, c->attempt),
                                               .key = c->key,
                                               .op = c->op,
                                               .call_number = c->number,
                                           });
    c->task = lz_pool_id(t);
}

// A handshake takes one round trip. A host that is not there answers nothing: the SYN is
// sent again after a second, two, four. A host without the process answers with a reset.
static void try_connect(struct lz_world *w, struct call *c)
{
    lz_time now = lz_sim_now(w->sim);
    lz_time wait;
    c->state = CALL_CONNECTING;
    if (lz_net_is_cut(w, c->client, c->server) || lz_net_is_cut(w, c->server, c->client)) {
        wait = c->tries < 6 ? SYN_RTO << c->tries : SYN_RTO_MAX;
        c->tries++;
        c->timer = lz_sim_at(w->sim, now + wait, w->clients->again, c->client, token(c));
        return;
    }
    uint64_t path = lz_draw_index(c->path, c->attempt);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_NET_OUT, 1000000u + c->tries);
    wait = lz_net_latency(w, c->client, c->server, &draw);
    wait += lz_net_latency(w, c->server, c->client, &draw);
    c->timer = lz_sim_at(w->sim, now + wait, w->clients->connect, c->client, token(c));
}

static void proceed(struct lz_world *w, struct call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_instance *server = lz_instance_get(w, c->server);
    c->connected = lz_sim_now(w->sim);
    bool is_open = lz_edge_pair(e, c->client, c->server)->connected == server->incarnation;
    // A process that ended has closed its connections; a host that is gone has told nobody.
    if (is_open && server->state != LZ_INSTANCE_DEAD)
        send(w, c);
    else
        try_connect(w, c);
}

static void fail_soon(struct lz_world *w, struct call *c)
{
    c->state = CALL_CONNECTING;
    c->connected = lz_sim_now(w->sim);
    lz_sim_soon(w->sim, w->clients->fail, c->client, token(c));
}

static void attempt_begin(struct lz_world *w, struct call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(c->state == CALL_PICK || c->state == CALL_BACKOFF);
    c->waited = c->state == CALL_BACKOFF ? now - c->started : 0;
    c->started = now;
    c->state = CALL_PICK;
    c->tries = 0;
    c->attempt++;
    if (e->attempts != 0)
        lz_metrics_add(w->metrics, e->attempts, 1);
    if (c->attempt == 1 && e->opts.retry_budget > 0.0) {
        struct lz_edge_client *budget = &e->clients[c->client - e->client_first];
        budget->tokens += e->opts.retry_budget;
        if (budget->tokens > LZ_EDGE_TOKENS_MAX)
            budget->tokens = LZ_EDGE_TOKENS_MAX;
    }
    c->timeout = lz_sim_arm(w->sim, e->timeout, c->client, token(c));
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    uint64_t path = lz_draw_index(c->path, c->attempt);
    c->server = ops->route != NULL ? ops->route(w, e->opts.to, c->op, path)
                                   : lz_balance_pick(w, e, c->client, path);
    if (c->server == 0) {
        fail_soon(w, c);
        return;
    }
    if (ops->connect != NULL) {
        if (!ops->connect(w, e->opts.to, lz_pool_id(c))) {
            c->state = CALL_WAITING;
            return;
        }
        c->has_connection = true;
    }
    proceed(w, c);
}

void lz_client_connected(struct lz_world *w, uint64_t call)
{
    struct call *c = find(w, call);
    LZ_ASSERT(c != NULL && c->state == CALL_WAITING);
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    c->has_connection = true;
    // Who leads may have changed while it waited.
    lz_instance_id server =
        ops->route != NULL ? ops->route(w, e->opts.to, c->op, lz_draw_index(c->path, c->attempt))
                           : c->server;
    if (server == 0) {
        fail_soon(w, c);
        return;
    }
    c->server = server;
    proceed(w, c);
}

uint64_t lz_client_begin(struct lz_world *w, const struct lz_client_begin *begin)
{
    const struct lz_edge *e = lz_edge_get(w, begin->edge);
    struct call *c = lz_pool_take(&w->clients->pool);
    c->edge = begin->edge;
    c->client = begin->client;
    c->owner_kind = (uint8_t)begin->owner_kind;
    c->owner = begin->owner;
    c->request = begin->request;
    c->path = lz_hash_mix(begin->path, e->path);
    c->key = begin->key;
    c->parent = begin->parent_call;
    c->op = begin->op != 0 ? begin->op : e->op;
    c->begun = lz_sim_now(w->sim);
    struct lz_request *r = lz_request_find(w, begin->request);
    if (r != NULL)
        c->number = ++r->calls;
    uint64_t id = lz_pool_id(c);
    attempt_begin(w, c);
    return id;
}

void lz_client_drop(struct lz_world *w, uint64_t call)
{
    struct call *c = find(w, call);
    if (c == NULL)
        return;
    if (lz_edge_get(w, c->edge)->opts.cancel && c->state == CALL_SENT)
        lz_task_send_cancel(w, c->client, c->task);
    attempt_release(w, c);
    lz_pool_give(&w->clients->pool, c);
}

void lz_client_abandon(struct lz_world *w, struct lz_task *t)
{
    const struct call *c = t->child != 0 ? find(w, t->child) : NULL;
    if (c == NULL)
        return;
    t->child_ns += lz_sim_now(w->sim) - c->begun;
    lz_client_orphan(w, t->child);
    lz_client_drop(w, t->child);
    t->child = 0;
}

static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct call *c = find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->timeout, payload))
        return;
    c->timeout = 0;
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_task_id task = c->state == CALL_SENT ? c->task : 0;
    uint64_t child = 0;
    struct lz_task *t = lz_task_find(w, task);
    if (t != NULL && t->state == LZ_TASK_WORKING)
        child = t->child;
    if (c->request != 0 && child != 0)
        lz_client_orphan(w, child);
    lz_instance_id client = c->client;
    bool cancels = e->opts.cancel;
    if (t != NULL)
        t->request = 0;
    attempt_end(w, c, &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT, .status = 504});
    if (cancels && task != 0)
        lz_task_send_cancel(w, client, task);
}

static void on_connect(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct call *c = find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->connect, payload))
        return;
    c->timer = 0;
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_instance *server = lz_instance_get(w, c->server);
    if (server->state == LZ_INSTANCE_DEAD) {
        lz_balance_out(w, e, c->server);
        lz_task_ops(w, e->opts.to)->refused(w, e->opts.to, c->server);
        attempt_end(w, c, &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED, .status = 502});
        return;
    }
    if (server->state == LZ_INSTANCE_LOST) {
        try_connect(w, c);
        return;
    }
    lz_edge_pair(e, c->client, c->server)->connected = server->incarnation;
    send(w, c);
}

// A wait is over: try to connect again, or make the next attempt.
static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct call *c = find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->again, payload))
        return;
    c->timer = 0;
    if (c->state == CALL_CONNECTING)
        try_connect(w, c);
    else
        attempt_begin(w, c);
}

static void on_fail(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct call *c = find_turn(w, payload);
    if (c == NULL)
        return; // its owner died at this very instant
    attempt_end(w, c, &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED, .status = 503});
}

void lz_client_init(struct lz_world *w)
{
    struct lz_clients *cs = lz_arena_alloc(w->arena, sizeof(*cs));
    lz_pool_init(&cs->pool, w->arena, sizeof(struct call));
    w->clients = cs;
    cs->timeout = lz_sim_kind(w->sim, "timeout", on_timeout, w);
    cs->connect = lz_sim_kind(w->sim, "connect", on_connect, w);
    cs->again = lz_sim_kind(w->sim, "again", on_again, w);
    cs->fail = lz_sim_kind(w->sim, "fail", on_fail, w);
}

size_t lz_clients_bytes(const struct lz_world *w)
{
    return lz_pool_bytes(&w->clients->pool);
}

lz_lane lz_client_timeout_lane(struct lz_world *w, lz_time timeout)
{
    return lz_sim_lane(w->sim, timeout, w->clients->timeout);
}
