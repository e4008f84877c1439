#include "model/client/client.h"

#include "base/check.h"
#include "model/client/caller.h"
#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/client/flight.h"
#include "model/client/guard.h"
#include "model/client/hot.h"
#include "model/client/inherit.h"
#include "model/client/legs.h"
#include "model/client/plain.h"
#include "model/client/through.h"
#include "model/history/recorder.h"
#include "model/net/connect.h"
#include "model/net/connection.h"
#include "model/net/resolver.h"
#include "model/node/ulimit.h"
#include "model/service/argument.h"
#include "model/service/auth.h"
#include "model/traffic/span.h"

static void attempt_begin(struct lz_world *w, struct lz_call *c);

lz_instance_id lz_client_who(const struct lz_world *w, uint64_t call)
{
    const struct lz_call *c = lz_client_find(w, call);
    return c != NULL ? c->client : 0;
}

bool lz_client_is_waiting(const struct lz_world *w, uint64_t call, lz_task_id task)
{
    const struct lz_call *c = lz_client_find(w, call);
    return c != NULL && c->state == LZ_CALL_SENT && c->task == task;
}

void lz_client_ask(const struct lz_world *w, const struct lz_call *c, struct lz_task *t)
{
    t->asked.edge = c->edge;
    t->asked.cost_us = lz_through_cost(w, c);
}

void lz_client_send(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    c->sent = lz_sim_now(w->sim);
    c->state = LZ_CALL_SENT;
    lz_edge_pair(e, c->client, c->server)->in_flight++;
    struct lz_task *t =
        lz_task_send(w, c->client, c->server,
                     &(struct lz_task_facts){
                         .call = lz_pool_id(c),
                         .request = c->request,
                         .path = lz_draw_index(c->path, c->attempt),
                         .key = c->key,
                         .argument = lz_argument_of_call(w, c),
                         .op = c->op,
                         .call_number = c->number,
                         .priority = lz_inherit_priority(w, e, c),
                         .deadline = lz_inherit_told_deadline(w, e, c),
                         .tied = c->owner_kind == LZ_OWNER_RACE && e->opts.hedge.tied,
                         .session = e->opts.session,
                     });
    c->task = lz_pool_id(t);
    if (e->opts.session)
        lz_task_ops(w, e->opts.to)->sessions->sent(w, c->key, c->server);
    if (e->is_keyed)
        lz_client_ask(w, c, t);
    else if (w->auths != NULL)
        lz_auth_show(w, e->opts.to, c->client, c->path, t);
    if (e->opts.tcp.keepalive)
        lz_connect_keep_alive(w, c);
}

void lz_client_fail_soon(struct lz_world *w, struct lz_call *c)
{
    c->state = LZ_CALL_CONNECTING;
    c->connected = lz_sim_now(w->sim);
    lz_sim_soon(w->sim, w->clients->fail, c->client, lz_client_token(c));
}

// A breaker or throttling says no. The call ends at once, but not before its owner knows it.
static void reject(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    lz_caller_count(w, e, LZ_CALLER_REJECTED);
    lz_client_fail_soon(w, c);
    c->state = LZ_CALL_REJECTED;
}

bool lz_client_arm_timeout(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    lz_time now = lz_sim_now(w->sim), deadline = lz_inherit_deadline(w, e, c);
    if (deadline - now >= e->opts.timeout)
        c->timeout = lz_sim_arm(w->sim, e->timeout, c->client, lz_client_token(c));
    else
        c->timeout = lz_sim_at(w->sim, deadline > now ? deadline : now, w->clients->timeout,
                               c->client, lz_client_token(c));
    return deadline > now;
}

static lz_instance_id route(struct lz_world *w, const struct lz_edge *e, const struct lz_call *c)
{
    return lz_task_ops(w, e->opts.to)
        ->route(w, e->opts.to,
                &(struct lz_route){.client = c->client,
                                   .request = c->request,
                                   .op = c->op,
                                   .call = lz_pool_id(c),
                                   .path = lz_draw_index(c->path, c->attempt),
                                   .key = c->key});
}

static lz_instance_id server_for(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    if (lz_task_ops(w, e->opts.to)->route != NULL)
        return route(w, e, c);
    uint64_t path = lz_draw_index(c->path, c->attempt);
    struct lz_balance_ask ask = {.client = c->client, .path = path, .key = c->key};
    lz_instance_id others[LZ_HEDGE_ATTEMPTS_MAX];
    if (c->owner_kind == LZ_OWNER_RACE) {
        ask.avoid = others;
        ask.avoid_count = lz_legs_others(w, c, others);
    }
    return lz_balance_pick(w, e, &ask);
}

// A call of a session that has begun goes where that is, on its connection.
static bool joins(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    const struct lz_session_ops *sessions = lz_task_ops(w, e->opts.to)->sessions;
    lz_instance_id server = sessions->server(w, c->key);
    if (server == 0)
        return false;
    c->server = server;
    if (sessions->is_lost(w, c->key))
        lz_client_fail_soon(w, c);
    else
        lz_connect_begin(w, c);
    return true;
}

void lz_client_route(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    if (e->attempts != 0)
        lz_metrics_add(w->metrics, e->attempts, 1);
    if (e->opts.session && joins(w, e, c))
        return;
    // A pool of its own comes first: who is in line there takes nothing of the server's.
    bool has_both = e->pool != NULL && lz_task_ops(w, e->opts.to)->connect != NULL;
    if (has_both && lz_connection_stands_in_line(w, e, c))
        return;
    lz_client_reach(w, c);
}

void lz_client_reach(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    c->server = server_for(w, e, c);
    if (c->server == 0) {
        lz_client_fail_soon(w, c);
        return;
    }
    if (lz_ulimit_is_any(w) && !lz_ulimit_may_call(w, c->client)) {
        lz_client_fail_soon(w, c);
        return;
    }
    if (ops->connect != NULL) {
        if (!ops->connect(w, e->opts.to, lz_pool_id(c))) {
            c->state = LZ_CALL_WAITING;
            if (e->pool != NULL)
                lz_connection_asks(w, e, c);
            return;
        }
        c->has_connection = true;
    }
    lz_connect_begin(w, c);
}

// What the resolver said decides how the attempt goes on.
static void attempt_resolved(struct lz_world *w, struct lz_call *c, enum lz_resolved how,
                             lz_time until)
{
    switch (how) {
    case LZ_RESOLVED:
        lz_client_route(w, c);
        return;
    case LZ_RESOLVING:
        c->state = LZ_CALL_RESOLVING;
        c->timer = lz_sim_at(w->sim, until, w->clients->resolved, c->client, lz_client_token(c));
        return;
    case LZ_UNRESOLVED:
        lz_client_fail_soon(w, c);
        return;
    case LZ_NOWHERE: // no SYN is answered: only the timeout ends it
        c->state = LZ_CALL_RESOLVING;
        return;
    }
}

static void on_resolved(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_call *c = lz_client_find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->resolved, payload))
        return;
    LZ_ASSERT(c->state == LZ_CALL_RESOLVING);
    c->timer = 0;
    attempt_resolved(w, c, lz_resolver_told(w, c), 0);
}

static void attempt_begin(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(c->state == LZ_CALL_PICK || c->state == LZ_CALL_BACKOFF);
    c->waited = c->state == LZ_CALL_BACKOFF ? now - c->started : 0;
    c->started = now;
    c->state = LZ_CALL_PICK;
    c->tries = c->trips = 0;
    c->attempt++;
    c->server = 0;
    if (e->guard != NULL && !lz_guard_admit(w, e, c)) {
        reject(w, e, c);
        return;
    }
    if (lz_client_attempts(c) > 1)
        lz_caller_count(w, e, LZ_CALLER_RETRY);
    if (!lz_client_arm_timeout(w, e, c)) {
        c->state = LZ_CALL_CONNECTING;
        c->connected = now;
        return;
    }
    if (e->name == NULL) {
        lz_client_route(w, c);
        return;
    }
    lz_time until = 0;
    enum lz_resolved how = lz_resolver_ask(w, c, &until);
    attempt_resolved(w, c, how, until);
}

void lz_client_connected(struct lz_world *w, uint64_t call)
{
    struct lz_call *c = lz_client_find(w, call);
    LZ_ASSERT(c != NULL && c->state == LZ_CALL_WAITING);
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    if (e->pool != NULL)
        lz_connection_asked(w, e, c);
    c->has_connection = true;
    // Who leads may have changed while it waited.
    lz_instance_id server = ops->route != NULL ? route(w, e, c) : c->server;
    if (server == 0) {
        lz_client_fail_soon(w, c);
        return;
    }
    c->server = server;
    lz_connect_begin(w, c);
}

// One that follows sends nothing, and waits no longer than the call as a whole may take.
static bool follows(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    if (!lz_flight_is_any(e, c) || !lz_flight_follow(w, e, c))
        return false;
    if (!lz_client_is_one_call(e, c)) // a fan counts by its legs, and this one will have none
        lz_caller_count(w, e, LZ_CALLER_CALL);
    lz_time now = lz_sim_now(w->sim), deadline = lz_inherit_deadline(w, e, c);
    if (deadline < LZ_FOREVER)
        c->timeout = lz_sim_at(w->sim, deadline > now ? deadline : now, w->clients->timeout,
                               c->client, lz_client_token(c));
    return true;
}

// True if it is several, side by side.
static bool is_split(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    if (e->guard != NULL && lz_client_is_one_call(e, c))
        lz_guard_begun(w, e, c);
    return e->hedging != NULL && lz_legs_begin(w, e, c);
}

// The call it followed was given up: it makes its own. What it has waited counts as before a retry.
static void lead_on(struct lz_world *w, struct lz_call *c)
{
    LZ_ASSERT(c->state == LZ_CALL_FOLLOWING && c->flight == NULL);
    c->state = LZ_CALL_BACKOFF;
    if (!is_split(w, lz_edge_get(w, c->edge), c))
        attempt_begin(w, c);
}

void lz_client_shared(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result)
{
    LZ_ASSERT(c->state == LZ_CALL_FOLLOWING);
    lz_span_add(w, c, result->outcome, result->status);
    lz_sim_cancel(w->sim, c->timeout);
    lz_flight_leave(w, lz_edge_get(w, c->edge), c);
    lz_client_end(w, c, result);
}

uint64_t lz_client_begin(struct lz_world *w, const struct lz_client_begin *begin)
{
    struct lz_edge *e = lz_edge_get(w, begin->edge);
    if (lz_plain_is_possible(w, e))
        return lz_plain_begin(w, e, begin);
    struct lz_call *c = lz_hop_begin(
        lz_hop_call(lz_hop_open(&((struct lz_tasks_face *)w->tasks)->hops)), sizeof(*c));
    c->edge = begin->edge;
    c->client = begin->client;
    c->owner_kind = (uint8_t)begin->owner_kind;
    c->owner = begin->owner;
    c->request = begin->request;
    bool is_leg = begin->owner_kind == LZ_OWNER_FAN || begin->owner_kind == LZ_OWNER_RACE;
    c->path = is_leg || e->members != NULL ? begin->path : lz_draw_join(begin->path, e->path);
    c->key = begin->key;
    lz_argument_give_call(w, c, begin->argument);
    c->parent = begin->parent_call;
    c->op = begin->op != 0 ? begin->op : e->op;
    if (w->hots != NULL)
        c->key = lz_hot_key(w, e, c);
    c->begun = is_leg ? begin->begun : lz_sim_now(w->sim);
    uint64_t id = lz_pool_id(c);
    bool is_made = true;
    if (e->is_watched) {
        if (lz_client_is_one_call(e, c))
            lz_caller_count(w, e, LZ_CALLER_CALL);
        if (e->is_recorded && lz_client_is_one_call(e, c))
            lz_recorder_begin(w, c);
        is_made = !follows(w, e, c);
        if (is_made && is_split(w, e, c))
            return id;
    }
    struct lz_request *r = lz_request_find(w, begin->request);
    if (r != NULL)
        c->number = ++r->calls;
    if (is_made)
        attempt_begin(w, c);
    return id;
}

static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_call *c = lz_client_find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->timeout, payload))
        return;
    c->timeout = 0;
    if (c->state == LZ_CALL_FOLLOWING) {
        lz_client_shared(w, c,
                         &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT, .status = 504});
        return;
    }
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_task_id task = c->state == LZ_CALL_SENT ? c->task : 0;
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
    lz_client_attempt_end(w, c,
                          &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT, .status = 504});
    if (cancels && task != 0)
        lz_task_send_cancel(w, client, task);
}

// A wait is over: try to connect again, or make the next attempt.
static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_call *c = lz_client_find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->again, payload))
        return;
    if (c->state == LZ_CALL_FOLLOWING) {
        lead_on(w, c);
        return;
    }
    c->timer = 0;
    if (c->state == LZ_CALL_CONNECTING)
        lz_connect_retry(w, c);
    else
        attempt_begin(w, c);
}

static void on_fail(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct lz_call *c = lz_client_find_turn(w, payload);
    if (c == NULL)
        return; // its owner died at this very instant
    const struct lz_call_result result = {.outcome = LZ_OUTCOME_REFUSED, .status = 503};
    if (c->state != LZ_CALL_REJECTED) {
        lz_client_attempt_end(w, c, &result);
        return;
    }
    lz_span_add(w, c, result.outcome, result.status);
    lz_client_release(w, c, false);
    lz_client_end(w, c, &result);
}

void lz_client_init(struct lz_world *w)
{
    struct lz_clients *cs = lz_arena_alloc(w->arena, sizeof(*cs));
    w->clients = cs;
    cs->timeout = lz_sim_kind(w->sim, "timeout", on_timeout, w);
    lz_connect_init(w);
    lz_connections_init(w);
    cs->again = lz_sim_kind(w->sim, "again", on_again, w);
    cs->fail = lz_sim_kind(w->sim, "fail", on_fail, w);
    cs->resolved = lz_sim_kind(w->sim, "resolved", on_resolved, w);
}

// ---- timeouts that are kept in the calls

static struct lz_call *first_of(const struct lz_sim_timers *list)
{
    struct lz_call *c = LZ_CHAIN_RECORD(list->armed.behind, struct lz_call, timeouts);
    LZ_ASSERT(c->is_listed);
    return c;
}

static void first_timeout(void *ctx, const struct lz_sim_timers *list, struct lz_sim_due *due)
{
    (void)ctx;
    const struct lz_call *c = first_of(list);
    *due = (struct lz_sim_due){.at = c->started + list->delay,
                               .rank = c->timeout_rank,
                               .entity = c->client,
                               .payload = lz_client_token(c)};
}

static void take_timeout(void *ctx, struct lz_sim_timers *list)
{
    (void)ctx;
    lz_client_unlist(first_of(list));
}

struct lz_sim_timers *lz_client_timers(struct lz_world *w, lz_time timeout)
{
    struct lz_clients *cs = w->clients;
    if (timeout > LZ_FOREVER / 2)
        return NULL;
    for (struct lz_client_timers *t = cs->timers; t != NULL; t = t->next)
        if (t->list.delay == timeout)
            return &t->list;
    struct lz_client_timers *t = lz_arena_alloc(w->arena, sizeof(*t));
    t->list = (struct lz_sim_timers){
        .delay = timeout, .ctx = w, .head = first_timeout, .take = take_timeout};
    t->next = cs->timers;
    cs->timers = t;
    lz_sim_timers_add(w->sim, &t->list, cs->timeout);
    return &t->list;
}

lz_lane lz_client_timeout_lane(struct lz_world *w, lz_time timeout)
{
    return lz_sim_lane(w->sim, timeout, w->clients->timeout);
}
