#include "model/client/plain.h"

#include "model/client/hot.h"
#include "model/net/connect.h"
#include "model/net/link.h"
#include "model/node/instance.h"
#include "model/node/ulimit.h"
#include "model/service/task_state.h"
#include "model/traffic/span.h"

// What stands at a server's door, goes with an answer, or may break one off.
#define ON_THE_WAY                                                                                 \
    (LZ_UNUSUAL_FILTERS | LZ_UNUSUAL_ULIMITS | LZ_UNUSUAL_RSS | LZ_UNUSUAL_STREAMS |               \
     LZ_UNUSUAL_ARGUMENTS | LZ_UNUSUAL_AUTHS)

void lz_plain_settle(struct lz_world *w, struct lz_edge *e)
{
    w->ways++;
    const struct lz_edge_opts *o = &e->opts;
    const struct lz_calls_face *face = (const struct lz_calls_face *)w->calls;
    bool is_alone = !e->is_watched && e->guard == NULL && e->hedging == NULL &&
                    e->flights == NULL && e->members == NULL && e->name == NULL && e->pool == NULL;
    bool says_nothing = !e->heeds_deadline && !e->hands_priority_on && o->priority == 0 &&
                        o->overall_timeout == 0 && !o->session;
    bool is_warm = !(o->fresh > 0.0) && !o->tcp.keepalive && !o->stream;
    e->is_plain =
        is_alone && says_nothing && is_warm && e->timers != NULL && !face->is_plain_forbidden;
    e->is_small = o->size > 0 && o->size <= LZ_TCP_SEGMENT && o->response_size > 0 &&
                  o->response_size <= LZ_TCP_SEGMENT;
    const struct lz_tasks_face *tasks = &w->tasks->face;
    e->ops = o->to < tasks->ops_cap ? tasks->ops[o->to] : NULL;
    e->is_plain = e->is_plain && e->ops != NULL;
}

void lz_plain_forbid(struct lz_world *w)
{
    LZ_ASSERT(!w->running);
    ((struct lz_calls_face *)w->calls)->is_plain_forbidden = true;
}

// Does a message of one segment from the client find a warm connection to a process that is up?
static bool is_open(const struct lz_world *w, const struct lz_edge *e,
                    const struct lz_edge_pair *pair, const struct lz_call *c)
{
    const struct lz_instance *server = lz_instance_get(w, c->server);
    return server->state == LZ_INSTANCE_UP && pair->connected == server->incarnation &&
           lz_plain_is_small(w, e) && lz_instance_get(w, c->client)->state != LZ_INSTANCE_LOST;
}

// A link that was used, and is now, certain and open; its line. 0: it is not that, or has none.
static lz_line line_of(const struct lz_world *w, uint32_t number, int is_answer)
{
    const struct lz_links_face *face = (const struct lz_links_face *)w->links;
    const struct lz_link *l = number != 0 ? face->all[number] : NULL;
    bool is_it = l != NULL && l->epoch == face->epoch && l->always_ns >= 0 && !l->is_cut[is_answer];
    return is_it ? l->line : 0;
}

// All that stands between two plain instances, looked at once until any of it changes. What was
// not used since is left to the functions that use it.
static __attribute__((noinline)) bool freshen(const struct lz_world *w, const struct lz_edge *e,
                                              struct lz_edge_pair *pair, const struct lz_call *c)
{
    pair->line_there = line_of(w, pair->there, 0);
    pair->line_back = line_of(w, pair->back, 1);
    bool is_fresh = pair->line_there != 0 && pair->line_back != 0 && is_open(w, e, pair, c);
    pair->fresh = is_fresh ? w->ways : 0;
    return is_fresh;
}

// Over a link that takes the same time always, to a process that is up. False: not a plain send.
static bool send(struct lz_world *w, struct lz_edge *e, struct lz_call *c, uint64_t path)
{
    struct lz_edge_pair *pair = lz_edge_pair(e, c->client, c->server);
    const struct lz_link *l = NULL;
    if (pair->fresh != w->ways && !freshen(w, e, pair, c)) {
        if (!is_open(w, e, pair, c))
            return false;
        l = lz_link_by_number(w, &pair->there, c->client, c->server);
        if (l->always_ns < 0 || l->is_cut[0])
            return false;
    }
    c->connected = c->sent = c->started;
    c->state = LZ_CALL_SENT;
    c->pair = pair;
    pair->in_flight++;
    struct lz_tasks *ts = w->tasks;
    struct lz_task *t = lz_hop_first_task(c);
    t->call = lz_pool_id(c);
    t->request = c->request;
    t->path = path;
    t->key = c->key;
    t->op = c->op;
    t->call_number = c->number;
    t->server = c->server;
    t->incarnation = pair->connected;
    LZ_ASSERT(t->state == LZ_TASK_SENT);
    if (e->tells_deadline) // its own: it has heard of no other
        t->deadline = c->started + e->opts.timeout;
    c->task = lz_pool_id(t);
    if (e->is_keyed)
        lz_client_ask(w, c, t);
    if (l != NULL) {
        lz_link_deliver(w, l, ts->arrive, c->task);
        return true;
    }
    c->ways = (w->unusual & ON_THE_WAY) == 0 ? w->ways : 0;
    lz_sim_after(w->sim, pair->line_there, ts->arrive, c->server, c->task);
    return true;
}

static inline lz_instance_id server_for(struct lz_world *w, struct lz_edge *e,
                                        const struct lz_call *c, uint64_t path)
{
    if (e->ops->route != NULL) {
        struct lz_route route = {
            .client = c->client, .request = c->request, .op = c->op, .path = path, .key = c->key};
        return e->ops->route(w, e->opts.to, &route);
    }
    if (e->server_count == 1)
        return e->server_first;
    struct lz_balance_ask ask = {.client = c->client, .path = path, .key = c->key};
    return lz_balance_pick(w, e, &ask);
}

static inline void attempt(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    uint64_t path = lz_draw_index(c->path, 1);
    if (e->attempts != 0)
        lz_metrics_add(w->metrics, e->attempts, 1);
    c->server = server_for(w, e, c, path);
    if (c->server == 0 || (lz_ulimit_is_any(w) && !lz_ulimit_may_call(w, c->client))) {
        lz_client_fail_soon(w, c);
        return;
    }
    if (e->ops->connect != NULL) {
        if (!e->ops->connect(w, e->opts.to, lz_pool_id(c))) {
            c->state = LZ_CALL_WAITING;
            return;
        }
        c->has_connection = true;
    }
    if (!send(w, e, c, path))
        lz_connect_begin(w, c);
}

uint64_t lz_plain_begin(struct lz_world *w, struct lz_edge *e, const struct lz_client_begin *begin)
{
    LZ_ASSERT(begin->owner_kind < LZ_OWNER_FAN || begin->owner_kind >= LZ_OWNER_BUNDLE);
    struct lz_call *c = lz_hop_begin_call(&w->tasks->face.hops);
    uint64_t id = lz_pool_id(c);
    c->owner = begin->owner;
    c->request = begin->request;
    c->path = lz_draw_join(begin->path, e->path);
    c->key = begin->key;
    c->begun = c->started = lz_sim_now(w->sim);
    c->edge = begin->edge;
    c->client = begin->client;
    c->owner_kind = (uint8_t)begin->owner_kind;
    c->parent = begin->parent_call;
    c->op = begin->op != 0 ? begin->op : e->op;
    if ((w->unusual & LZ_UNUSUAL_HOTS) != 0)
        c->key = lz_hot_key(w, e, c);
    c->attempt = 1;
    struct lz_request *r = lz_request_find(w, begin->request);
    if (r != NULL)
        c->number = ++r->calls;
    lz_client_arm(w, e->timers, c);
    attempt(w, e, c);
    return id;
}

bool lz_plain_send_back(struct lz_world *w, const struct lz_call *c, const struct lz_task *t)
{
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    if (!lz_plain_is_possible(w, e))
        return false;
    LZ_ASSERT(c->server == t->server);
    struct lz_edge_pair *pair = lz_edge_pair(e, c->client, t->server);
    if (pair->fresh == w->ways) {
        lz_sim_after(w->sim, pair->line_back, w->tasks->answer, c->client, c->task);
        return true;
    }
    if (!lz_plain_is_small(w, e) || lz_instance_get(w, c->client)->state == LZ_INSTANCE_LOST ||
        lz_instance_get(w, t->server)->state == LZ_INSTANCE_LOST)
        return false;
    const struct lz_link *l = lz_link_by_number(w, &pair->back, t->server, c->client);
    if (l->always_ns < 0 || l->is_cut[1])
        return false;
    lz_link_deliver(w, l, w->tasks->answer, c->task);
    return true;
}

// The attempt is over, and well; what it held is given back, but its records are there.
static inline void end_attempt(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                               const struct lz_task *t)
{
    LZ_ASSERT(c->state == LZ_CALL_SENT && c->task == lz_pool_id(t));
    struct lz_request *r = lz_request_find(w, c->request);
    if (r != NULL)
        lz_span_add_answered(w, r, c, t, e->opts.to);
    if (c->is_listed)
        lz_client_unlist(w, e->timers, c);
    else
        lz_sim_cancel(w->sim, c->timeout);
    struct lz_edge_pair *pair = c->pair != NULL ? c->pair : lz_edge_pair(e, c->client, c->server);
    LZ_ASSERT(pair->in_flight > 0);
    pair->in_flight--;
    c->ways = 0;
    if (c->has_connection) {
        c->has_connection = false;
        c->state = LZ_CALL_PICK; // what the connection's next user begins must not find it sent
        e->ops->disconnect(w, e->opts.to);
    }
}

static inline void tell(struct lz_world *w, const struct lz_client_told *told,
                        const struct lz_call_result *result)
{
    if (told->kind == LZ_OWNER_TASK)
        lz_client_tell_task(w, told, result);
    else
        lz_client_tell(w, told, result);
}

static inline struct lz_client_told told_of(const struct lz_world *w, const struct lz_call *c)
{
    return (struct lz_client_told){.kind = c->owner_kind,
                                   .owner = c->owner,
                                   .call = lz_pool_id(c),
                                   .took = lz_sim_now(w->sim) - c->begun};
}

static inline struct lz_call_result result_of(const struct lz_edge *e, const struct lz_task *t)
{
    return (struct lz_call_result){.outcome = LZ_OUTCOME_OK,
                                   .status = t->status,
                                   .value = t->value,
                                   .is_no = e->is_keyed && t->status >= 400};
}

void lz_plain_ended(struct lz_world *w, struct lz_task *t)
{
    struct lz_call *c = lz_hop_call(t);
    struct lz_edge *e = lz_edge_get(w, c->edge);
    LZ_ASSERT(t->state == LZ_TASK_ANSWERED && t->outcome == LZ_OUTCOME_OK);
    end_attempt(w, e, c, t);
    const struct lz_client_told told = told_of(w, c);
    const struct lz_call_result result = result_of(e, t);
    struct lz_hops *hops = &w->tasks->face.hops;
    lz_hop_give_call(hops, c); // in this order, as the long way does: it is the order of free hops
    tell(w, &told, &result);
    lz_hop_give_task(hops, t);
}

bool lz_plain_answered(struct lz_world *w, struct lz_call *c, const struct lz_task *t)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    if (t->outcome != LZ_OUTCOME_OK || !lz_plain_is_possible(w, e))
        return false;
    end_attempt(w, e, c, t);
    const struct lz_client_told told = told_of(w, c);
    const struct lz_call_result result = result_of(e, t);
    lz_client_give(w, c);
    tell(w, &told, &result);
    return true;
}
