/*
 * plain_way.h — the steps of the usual way of a call, in place; for those that make it straight on.
 *
 * plain.h says what the usual way is. Its two ends, a call that begins and an attempt that was
 * answered, are made of these by plain.c, for whoever calls; by service/straight.c, where they are
 * one with what comes before and after at a service; by traffic.c, for users. What turns out to be
 * otherwise is left to functions of plain.c, which are not in place.
 */
#ifndef LZ_MODEL_CLIENT_PLAIN_WAY_H
#define LZ_MODEL_CLIENT_PLAIN_WAY_H

#include <stddef.h>

#include "model/client/hot.h"
#include "model/client/plain.h"
#include "model/node/ulimit.h"
#include "model/service/task_state.h"
#include "model/traffic/span.h"

/* These are long, and used three times each: gcc would make functions of them. */
#define LZ_PLAIN_IN_PLACE static inline __attribute__((always_inline))

/* What stands at a server's door, goes with an answer, or may break one off. */
#define LZ_PLAIN_ON_THE_WAY                                                                        \
    (LZ_UNUSUAL_FILTERS | LZ_UNUSUAL_ULIMITS | LZ_UNUSUAL_RSS | LZ_UNUSUAL_STREAMS |               \
     LZ_UNUSUAL_ARGUMENTS | LZ_UNUSUAL_AUTHS)

/* All that stands between two plain instances, looked at once until any of it changes. */
bool lz_plain_freshen(const struct lz_world *w, const struct lz_edge *e, struct lz_edge_pair *pair,
                      const struct lz_call *c);

/* Of a pair that could not be made fresh, or has no line: the long way, if need be. */
void lz_plain_send_otherwise(struct lz_world *w, struct lz_call *c, uint64_t path);

/* What a call and its task both say. By value: what was just stored is not read again. */
struct lz_plain_ask {
    uint64_t id; /* of the call */
    lz_request_id request;
    uint64_t path; /* of the attempt */
    uint64_t key;
    lz_time now;
    uint32_t number;
    lz_instance_id client, server;
    lz_op op;
};

/*
 * The task is in the hop of its call, where nothing was cleared, and is about to be sent. What lies
 * before its deadline is written here, the rest cleared: most of it is what comes later.
 */
LZ_PLAIN_IN_PLACE lz_task_id lz_plain_fill(const struct lz_edge *e, struct lz_call *c,
                                           struct lz_edge_pair *pair, const struct lz_plain_ask *a)
{
    _Static_assert(offsetof(struct lz_task, deadline) == 48, "what is written here, or linked");
    c->connected = c->sent = a->now;
    c->state = LZ_CALL_SENT;
    c->pair = pair;
    pair->in_flight++;
    struct lz_task *t = lz_hop_task(c);
    LZ_ASSERT(!lz_hop_is_live(t));
    lz_pool_clear(&t->deadline, sizeof(*t) - offsetof(struct lz_task, deadline));
    t->head.gen++;
    t->call = a->id;
    t->request = a->request;
    t->path = a->path;
    t->key = a->key;
    t->op = a->op;
    t->call_number = a->number;
    t->server = a->server;
    t->incarnation = pair->connected;
    if (e->tells_deadline) // its own: it has heard of no other
        t->deadline = a->now + e->opts.timeout;
    return c->task = lz_pool_id(t);
}

/* It has a server and, where they are limited, a connection. */
LZ_PLAIN_IN_PLACE void lz_plain_send(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                                     const struct lz_plain_ask *a)
{
    struct lz_edge_pair *pair = lz_edge_pair(e, a->client, a->server);
    if (__builtin_expect(pair->fresh != w->ways, 0) && !lz_plain_freshen(w, e, pair, c)) {
        lz_plain_send_otherwise(w, c, a->path);
        return;
    }
    lz_task_id id = lz_plain_fill(e, c, pair, a);
    if (e->is_keyed)
        lz_client_ask(w, c, lz_hop_task(c));
    c->ways = (w->unusual & LZ_PLAIN_ON_THE_WAY) == 0 ? w->ways : 0;
    lz_sim_after(w->sim, pair->line_there, pair->request, a->server, id);
    if (pair->draws == NULL || c->ways == 0)
        return;
    struct lz_task *t = lz_hop_task(c);
    t->is_drawn = true;
    t->rest_ns = lz_dist_time_once(pair->draws, lz_sim_key(w->sim), a->path, LZ_PURPOSE_SERVICE, 0);
}

/* By turns, when all are there; else as the edge's policy says. */
LZ_PLAIN_IN_PLACE lz_instance_id lz_plain_balance(struct lz_world *w, struct lz_edge *e,
                                                  const struct lz_plain_ask *a)
{
    if (e->server_count == 1)
        return e->server_first;
    bool takes_turns = e->policy == NULL && e->opts.balance.policy == LZ_BALANCE_ROUND_ROBIN;
    if (!takes_turns || e->out_count > 0) {
        struct lz_balance_ask ask;
        ask.client = a->client;
        ask.path = a->path;
        ask.key = a->key;
        ask.avoid = NULL;
        ask.avoid_count = 0;
        return lz_balance_pick(w, e, &ask);
    }
    struct lz_edge_client *client = &e->clients[a->client - e->client_first];
    uint32_t turn = client->turn == e->server_count ? 0 : client->turn; // a move, not a jump
    if (__builtin_expect(turn >= e->server_count, 0)) // there are fewer now: else no division
        turn %= e->server_count;
    client->turn = turn + 1;
    return e->server_first + turn;
}

LZ_PLAIN_IN_PLACE lz_instance_id lz_plain_route(struct lz_world *w, const struct lz_edge *e,
                                                const struct lz_plain_ask *a)
{
    struct lz_route route;
    route.client = a->client;
    route.request = a->request;
    route.op = a->op;
    route.call = 0;
    route.path = a->path;
    route.key = a->key;
    return e->ops->route(w, e->opts.to, &route);
}

/* Whom to ask, and a connection where they are limited. False: it fails soon, or waits. */
LZ_PLAIN_IN_PLACE bool lz_plain_open(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                                     struct lz_plain_ask *a)
{
    const struct lz_server_ops *ops = e->ops;
    if (ops->open != NULL && !lz_ulimit_is_any(w)) {
        c->server = a->server = ops->open(w, e->opts.to);
        if (a->server != 0)
            return c->has_connection = true;
    }
    a->server = ops->route != NULL ? lz_plain_route(w, e, a) : lz_plain_balance(w, e, a);
    c->server = a->server;
    if (a->server == 0 || (lz_ulimit_is_any(w) && !lz_ulimit_may_call(w, a->client))) {
        lz_client_fail_soon(w, c);
        return false;
    }
    if (ops->connect == NULL)
        return true;
    if (!ops->connect(w, e->opts.to, a->id)) {
        c->state = LZ_CALL_WAITING;
        return false;
    }
    return c->has_connection = true;
}

LZ_PLAIN_IN_PLACE void lz_plain_attempt(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                                        struct lz_plain_ask *a)
{
    if (e->attempts != 0)
        lz_metrics_add(w->metrics, e->attempts, 1);
    if (lz_plain_open(w, e, c, a))
        lz_plain_send(w, e, c, a);
}

/*
 * A call in a hop of its own, whose task is cleared when it is sent; its head and what lies before
 * `started` are written here, the rest cleared.
 */
LZ_PLAIN_IN_PLACE struct lz_call *lz_plain_make(struct lz_world *w,
                                                const struct lz_client_begin *begin, uint64_t path,
                                                struct lz_task *waits)
{
    _Static_assert(offsetof(struct lz_call, started) == 72, "what is written here, or linked");
    struct lz_call *c = lz_hop_call(lz_hop_open(&w->tasks->face.hops));
    LZ_ASSERT(!lz_hop_is_live(c));
    lz_pool_clear(&c->started, sizeof(*c) - offsetof(struct lz_call, started));
    c->head.gen++;
    c->owner = begin->owner;
    c->request = begin->request;
    c->path = path;
    c->key = begin->key;
    c->waits = waits;
    c->begun = c->started = lz_sim_now(w->sim);
    c->edge = begin->edge;
    c->client = begin->client;
    c->owner_kind = (uint8_t)begin->owner_kind;
    c->parent = begin->parent_call;
    c->attempt = 1;
    return c;
}

/* Whom `begin` speaks of: the request, NULL if it does not wait; the task that owns it, or NULL. */
struct lz_plain_for {
    struct lz_request *request;
    struct lz_task *task;
};

/* lz_plain_begin. */
LZ_PLAIN_IN_PLACE uint64_t lz_plain_begin_here(struct lz_world *w, struct lz_edge *e,
                                               const struct lz_client_begin *begin,
                                               struct lz_plain_for whom)
{
    LZ_ASSERT(begin->owner_kind < LZ_OWNER_FAN || begin->owner_kind >= LZ_OWNER_BUNDLE);
    uint64_t path = lz_draw_join(begin->path, e->path);
    struct lz_call *c = lz_plain_make(w, begin, path, whom.task);
    struct lz_plain_ask a = {.id = lz_pool_id(c),
                             .request = begin->request,
                             .path = lz_draw_index(path, 1),
                             .key = begin->key,
                             .now = lz_sim_now(w->sim),
                             .client = begin->client,
                             .op = begin->op != 0 ? begin->op : e->op};
    c->op = a.op;
    if ((w->unusual & LZ_UNUSUAL_HOTS) != 0)
        a.key = c->key = lz_hot_key(w, e, c);
    if (whom.request != NULL)
        c->number = a.number = ++whom.request->calls;
    lz_client_list(w, e->timers, c);
    lz_plain_attempt(w, e, c, &a);
    return a.id;
}

/*
 * The attempt is over, and well; what it held is given back, but its records are there. Gives the
 * request that it was made for, if that still waits for it.
 */
LZ_PLAIN_IN_PLACE struct lz_request *lz_plain_end_attempt(struct lz_world *w, struct lz_edge *e,
                                                          struct lz_call *c,
                                                          const struct lz_task *t)
{
    LZ_ASSERT(c->state == LZ_CALL_SENT && c->task == lz_pool_id(t));
    bool has_connection = c->has_connection; // read before what lies beside it is written
    struct lz_request *r = lz_request_find(w, c->request);
    if (r != NULL)
        lz_span_add_answered(w, r, c, t, e->opts.to);
    if (c->is_listed)
        lz_client_unlist(c);
    else
        lz_sim_cancel(w->sim, c->timeout);
    struct lz_edge_pair *pair = c->pair != NULL ? c->pair : lz_edge_pair(e, c->client, c->server);
    LZ_ASSERT(pair->in_flight > 0);
    pair->in_flight--;
    c->ways = 0;
    if (has_connection) {
        c->has_connection = false;
        c->state = LZ_CALL_PICK; // what the connection's next user begins must not find it sent
        e->ops->disconnect(w, e->opts.to);
    }
    return r;
}

#endif
