#include "model/client/client.h"

#include "base/check.h"
#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/client/flight.h"
#include "model/client/guard.h"
#include "model/client/inherit.h"
#include "model/client/legs.h"
#include "model/client/outlier.h"
#include "model/client/stream.h"
#include "model/history/recorder.h"
#include "model/net/connect.h"
#include "model/net/connection.h"
#include "model/net/resolver.h"
#include "model/service/argument.h"
#include "model/service/auth.h"
#include "model/traffic/span.h"

void lz_client_orphan(struct lz_world *w, uint64_t call)
{
    struct lz_call *c = lz_client_find(w, call);
    if (c == NULL || c->request == 0)
        return;
    if (c->state == LZ_CALL_SPLIT) {
        lz_legs_orphan(w, c);
        c->request = 0;
        return;
    }
    lz_span_add(w, c, LZ_OUTCOME_PENDING, 0);
    c->request = 0;
    struct lz_task *t = c->state == LZ_CALL_SENT ? lz_task_find(w, c->task) : NULL;
    if (t != NULL)
        lz_task_orphan(w, t);
}

void lz_client_release(struct lz_world *w, struct lz_call *c, bool is_answered)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    lz_time linger = e->pool != NULL ? lz_connection_release(w, e, c, is_answered) : 0;
    if (c->is_listed)
        lz_client_unlist(c);
    lz_sim_cancel(w->sim, c->timeout);
    if (c->state == LZ_CALL_SENT) {
        struct lz_edge_pair *p = lz_edge_pair(e, c->client, c->server);
        LZ_ASSERT(p->in_flight > 0);
        p->in_flight--;
    } else {
        lz_sim_cancel(w->sim, c->timer);
    }
    c->timeout = c->timer = 0;
    c->ways = 0;
    c->pair = NULL;
    if (c->state == LZ_CALL_WAITING) {
        ops->forget(w, e->opts.to, lz_pool_id(c));
        if (e->pool != NULL)
            lz_connection_asked(w, e, c);
    }
    c->state = LZ_CALL_PICK;
    c->turn++;
    if (c->has_connection) {
        c->has_connection = false;
        if (e->opts.session && ops->sessions->keeps_connection(w, c->key))
            ; // until its session ends
        else if (linger > 0)
            lz_connection_let_go(w, e->opts.to, linger);
        else
            ops->disconnect(w, e->opts.to);
    }
    if (e->pool != NULL)
        lz_connection_next(w, e, c->client);
}

bool lz_client_is_one_call(const struct lz_edge *e, const struct lz_call *c)
{
    bool is_fan = e->opts.fan_out > 1 && c->owner_kind != LZ_OWNER_FAN;
    return c->owner_kind != LZ_OWNER_RACE && !is_fan && e->members == NULL && e->through == NULL;
}

void lz_client_tell(struct lz_world *w, const struct lz_client_told *told,
                    const struct lz_call_result *result)
{
    if (told->kind == LZ_OWNER_TRAFFIC) {
        lz_traffic_called(w, told->owner, result);
        return;
    }
    if (told->kind == LZ_OWNER_AUTH) {
        lz_auth_called(w, told->owner, result);
        return;
    }
    if (told->kind == LZ_OWNER_STREAM) {
        lz_stream_ended(w, told->owner, result);
        return;
    }
    if (told->kind != LZ_OWNER_TASK) {
        lz_legs_ended(w, told->owner, told->call, result);
        return;
    }
    lz_client_tell_task(w, told, result);
}

void lz_client_end(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result)
{
    struct lz_client_told told = {.kind = c->owner_kind,
                                  .owner = c->owner,
                                  .call = lz_pool_id(c),
                                  .took = lz_sim_now(w->sim) - c->begun};
    struct lz_edge *e = lz_edge_get(w, c->edge);
    struct lz_flight *flight = NULL;
    if (e->guard != NULL && c->state != LZ_CALL_FOLLOWING && lz_client_is_one_call(e, c))
        lz_guard_ended(w, e, c);
    if (lz_flight_is_any(e, c))
        flight = lz_flight_ended(w, e, c);
    if (e->is_recorded)
        lz_recorder_end(w, c, result);
    lz_argument_call_ended(w, c);
    if (w->streams != NULL)
        lz_stream_call_gone(w, c);
    lz_client_give(w, c);
    lz_client_tell(w, &told, result);
    if (flight != NULL)
        lz_flight_land(w, e, flight, result);
}

static bool may_retry(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                      const struct lz_call_result *result)
{
    if (lz_client_attempts(c) > e->opts.retries || c->owner_kind == LZ_OWNER_STREAM ||
        !lz_call_is_retried(&e->opts, result) || lz_sim_now(w->sim) >= lz_inherit_deadline(w, e, c))
        return false;
    return e->guard == NULL || lz_guard_may_retry(w, e, c, result->outcome);
}

// What others learn from the end of an attempt.
static void attempt_judged(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                           const struct lz_call_result *result)
{
    if (c->state == LZ_CALL_BACKOFF)
        return; // it was over already: the call ends
    if (e->guard != NULL)
        lz_guard_result(w, e, c, result);
    if (e->hedging != NULL && result->outcome == LZ_OUTCOME_OK)
        lz_legs_took(w, e, lz_sim_now(w->sim) - c->started);
    if (e->policy != NULL && e->opts.balance.outliers.on && c->server != 0)
        lz_outlier_result(w, e, c->client, c->server, result);
}

static void back_off(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    lz_time now = lz_sim_now(w->sim), deadline = lz_inherit_deadline(w, e, c);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), c->path, LZ_PURPOSE_BACKOFF, c->attempt);
    lz_time wait = lz_backoff_wait(&e->opts.backoff, lz_client_attempts(c), c->waited, &draw);
    c->state = LZ_CALL_BACKOFF;
    c->started = now;
    c->server = 0;
    if (wait < deadline - now)
        c->timer = lz_sim_at(w->sim, now + wait, w->clients->again, c->client, lz_client_token(c));
    else // there will be no other attempt, but nobody knows before the time is up
        c->timeout =
            lz_sim_at(w->sim, deadline, w->clients->timeout, c->client, lz_client_token(c));
}

// Nothing was heard of its server: whoever keeps a map of servers may want to look again.
static void tell_failed(struct lz_world *w, const struct lz_edge *e, const struct lz_call *c,
                        enum lz_outcome outcome)
{
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    bool is_silent = outcome == LZ_OUTCOME_RESET || outcome == LZ_OUTCOME_REFUSED ||
                     outcome == LZ_OUTCOME_TIMEOUT;
    if (is_silent && ops->failed != NULL)
        ops->failed(w, e->opts.to, c->client, c->server);
}

void lz_client_attempt_end(struct lz_world *w, struct lz_call *c,
                           const struct lz_call_result *result)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    tell_failed(w, e, c, result->outcome);
    lz_span_add(w, c, result->outcome, result->status);
    if (e->is_watched)
        attempt_judged(w, e, c, result);
    bool is_answered = c->state == LZ_CALL_SENT && result->outcome != LZ_OUTCOME_RESET &&
                       result->outcome != LZ_OUTCOME_TIMEOUT;
    lz_client_release(w, c, is_answered);
    if (result->outcome == LZ_OUTCOME_OK || !may_retry(w, e, c, result))
        lz_client_end(w, c, result);
    else
        back_off(w, e, c);
}

// Its server has named another: the call goes there at once, as one attempt more that is no retry.
static void attempt_sent_on(struct lz_world *w, struct lz_call *c, uint16_t status)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_span_add(w, c, LZ_OUTCOME_OK, status);
    lz_client_release(w, c, true);
    c->hops++;
    c->attempt++;
    c->started = lz_sim_now(w->sim);
    c->waited = 0;
    c->tries = c->trips = 0;
    c->server = 0;
    if (lz_client_arm_timeout(w, e, c)) {
        lz_client_route(w, c);
        return;
    }
    c->state = LZ_CALL_CONNECTING;
    c->connected = c->started;
}

void lz_client_answered(struct lz_world *w, const struct lz_task *t)
{
    struct lz_call *c = lz_client_find(w, t->call);
    LZ_ASSERT(c != NULL);
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    if (ops->redirects != NULL && ops->redirects(w, t, c->client)) {
        attempt_sent_on(w, c, t->status);
        return;
    }
    if (e->name != NULL && e->opts.response_size > LZ_TCP_INITIAL_WINDOW &&
        lz_resolver_moved(w, c)) {
        lz_client_reset(w, t); // who got its acknowledgements knows nothing of the connection
        return;
    }
    uint32_t answer = lz_argument_answered(w, t);
    bool is_no = e->is_keyed && t->outcome == LZ_OUTCOME_OK && t->status >= 400;
    lz_client_attempt_end(w, c,
                          &(struct lz_call_result){.outcome = t->outcome,
                                                   .status = t->status,
                                                   .value = t->value,
                                                   .answer = answer,
                                                   .is_pairs = e->is_keyed && answer != 0,
                                                   .first = lz_stream_first_at(w, c),
                                                   .is_no = is_no});
}

void lz_client_reset(struct lz_world *w, const struct lz_task *t)
{
    struct lz_call *c = lz_client_find(w, t->call);
    LZ_ASSERT(c != NULL);
    lz_connect_broke(w, c);
    lz_balance_out(w, lz_edge_get(w, c->edge), c->server);
    lz_client_attempt_end(w, c,
                          &(struct lz_call_result){.outcome = LZ_OUTCOME_RESET, .status = 502});
}

void lz_client_give_up(struct lz_world *w, uint64_t call, bool cancels)
{
    struct lz_call *c = lz_client_find(w, call);
    if (c == NULL)
        return;
    struct lz_edge *e = lz_edge_get(w, c->edge);
    bool is_follower = c->state == LZ_CALL_FOLLOWING;
    if (lz_flight_is_any(e, c))
        lz_flight_leave(w, e, c);
    if (e->guard != NULL && !is_follower && lz_client_is_one_call(e, c))
        lz_guard_ended(w, e, c);
    if (is_follower) {
        lz_sim_cancel(w->sim, c->timeout);
    } else if (c->state == LZ_CALL_SPLIT) {
        lz_legs_drop(w, c, cancels);
    } else {
        if (e->guard != NULL && c->state != LZ_CALL_BACKOFF && c->state != LZ_CALL_REJECTED)
            lz_guard_forget(w, e, c);
        if (cancels && c->state == LZ_CALL_SENT)
            lz_task_send_cancel(w, c->client, c->task);
        lz_client_release(w, c, false);
    }
    if (e->is_recorded)
        lz_recorder_forget(w, c);
    lz_argument_call_ended(w, c);
    if (w->streams != NULL)
        lz_stream_call_gone(w, c);
    lz_client_give(w, c);
}

void lz_client_drop(struct lz_world *w, uint64_t call)
{
    const struct lz_call *c = lz_client_find(w, call);
    if (c != NULL)
        lz_client_give_up(w, call, lz_edge_get(w, c->edge)->opts.cancel);
}

void lz_client_abandon(struct lz_world *w, struct lz_task *t)
{
    const struct lz_call *c = t->child != 0 ? lz_client_find(w, t->child) : NULL;
    if (c == NULL)
        return;
    t->child_ns += lz_sim_now(w->sim) - c->begun;
    lz_client_orphan(w, t->child);
    lz_client_drop(w, t->child);
    t->child = 0;
}

void lz_client_refused(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_balance_out(w, e, c->server);
    lz_task_ops(w, e->opts.to)->refused(w, e->opts.to, c->server);
    lz_client_attempt_end(w, c,
                          &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED, .status = 502});
}

// 526 is what Cloudflare says of an invalid certificate. Others would fare no better, so that
// nobody is taken out of the choice.
void lz_client_distrusts(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    lz_task_ops(w, e->opts.to)->refused(w, e->opts.to, c->server);
    lz_client_attempt_end(w, c,
                          &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED, .status = 526});
}

// Linux' connect() says ETIMEDOUT.
void lz_client_unreachable(struct lz_world *w, struct lz_call *c)
{
    lz_balance_out(w, lz_edge_get(w, c->edge), c->server);
    lz_client_attempt_end(w, c,
                          &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED, .status = 504});
}
