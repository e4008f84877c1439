#include "model/client/plain.h"

#include "model/client/plain_way.h"
#include "model/net/connect.h"
#include "model/net/link.h"
#include "model/node/instance.h"

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
    bool may_be_nowhere = o->health.by_endpoints && e->server_count == 1;
    e->is_plain = e->is_plain && e->ops != NULL && !may_be_nowhere;
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

// What was not used since is left to the functions that use it.
bool lz_plain_freshen(const struct lz_world *w, const struct lz_edge *e, struct lz_edge_pair *pair,
                      const struct lz_call *c)
{
    pair->line_there = line_of(w, pair->there, 0);
    pair->line_back = line_of(w, pair->back, 1);
    bool is_fresh = pair->line_there != 0 && pair->line_back != 0 && is_open(w, e, pair, c);
    bool is_ahead = e->ops->draws != NULL && (w->unusual & LZ_UNUSUAL_FUTURES) == 0;
    pair->draws = is_ahead && !lz_draw_watch_is_on() ? e->ops->draws(w, c->server) : NULL;
    pair->request = e->ops->request != NULL ? e->ops->request(w, c->server) : w->tasks->arrive;
    pair->answer = c->owner_kind == LZ_OWNER_TRAFFIC ? w->tasks->reply : w->tasks->answer;
    pair->fresh = is_fresh ? w->ways : 0;
    return is_fresh;
}

// Over a link that takes the same time always, to a process that is up; else the long way.
void lz_plain_send_otherwise(struct lz_world *w, struct lz_call *c, uint64_t path)
{
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    struct lz_edge_pair *pair = lz_edge_pair(e, c->client, c->server);
    const struct lz_link *l = NULL;
    if (is_open(w, e, pair, c))
        l = lz_link_by_number(w, &pair->there, c->client, c->server);
    if (l == NULL || l->always_ns < 0 || l->is_cut[0]) {
        lz_connect_begin(w, c);
        return;
    }
    const struct lz_plain_ask a = {.id = lz_pool_id(c),
                                   .request = c->request,
                                   .path = path,
                                   .key = c->key,
                                   .now = c->started,
                                   .number = c->number,
                                   .client = c->client,
                                   .server = c->server,
                                   .op = c->op};
    lz_task_id id = lz_plain_fill(e, c, pair, &a);
    if (e->is_keyed)
        lz_client_ask(w, c, lz_hop_task(c));
    lz_link_deliver(w, l, w->tasks->arrive, id);
}

uint64_t lz_plain_begin(struct lz_world *w, struct lz_edge *e, const struct lz_client_begin *begin)
{
    const struct lz_plain_for whom = {.request = lz_request_find(w, begin->request)};
    return lz_plain_begin_here(w, e, begin, whom);
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

// `r` is the request that the call was made for, if that waits for it.
static inline void tell(struct lz_world *w, struct lz_request *r, const struct lz_client_told *told,
                        const struct lz_call_result *result)
{
    if (told->kind == LZ_OWNER_TRAFFIC) {
        LZ_ASSERT(r != NULL && lz_pool_id(r) == told->owner); // its user's own call
        lz_traffic_answered(w, r, result);
    } else if (told->kind == LZ_OWNER_TASK) {
        lz_client_tell_task(w, told, result);
    } else {
        lz_client_tell(w, told, result);
    }
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
    struct lz_request *r = lz_plain_end_attempt(w, e, c, t);
    const struct lz_client_told told = told_of(w, c);
    const struct lz_call_result result = result_of(e, t);
    struct lz_hops *hops = &w->tasks->face.hops;
    lz_hop_give_call(hops, c); // in this order, as the long way does: it is the order of free hops
    tell(w, r, &told, &result);
    lz_hop_give_task(hops, t);
}

bool lz_plain_answered(struct lz_world *w, struct lz_call *c, const struct lz_task *t)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    if (t->outcome != LZ_OUTCOME_OK || !lz_plain_is_possible(w, e))
        return false;
    struct lz_request *r = lz_plain_end_attempt(w, e, c, t);
    const struct lz_client_told told = told_of(w, c);
    const struct lz_call_result result = result_of(e, t);
    lz_client_give(w, c);
    tell(w, r, &told, &result);
    return true;
}
