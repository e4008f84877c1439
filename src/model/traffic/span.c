#include "model/traffic/span.h"

#include "base/check.h"
#include "model/client/edge.h"
#include "model/service/task.h"

/*
 * What the attempt's time went into, as far as the caller can be said to have waited for
 * it. Calls made on its behalf have spans of their own; what is left of the server's time
 * is its own work.
 */
static void task_phases(struct lz_world *w, const struct lz_call *c, lz_time now, lz_time *phase)
{
    const struct lz_task *t = lz_task_find(w, c->task);
    if (t == NULL || t->arrived == 0) {
        phase[LZ_PHASE_NETWORK] += now - c->sent;
        return;
    }
    phase[LZ_PHASE_NETWORK] += t->arrived - c->sent;
    if (t->state == LZ_TASK_QUEUED || t->state == LZ_TASK_HELD) {
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
    const struct lz_call *child = t->child != 0 ? lz_client_find(w, t->child) : NULL;
    if (child != NULL)
        in_calls += end - child->begun;
    phase[LZ_PHASE_WORK] += end - t->started - in_calls;
}

void lz_span_add(struct lz_world *w, const struct lz_call *c, enum lz_outcome outcome,
                 uint16_t status)
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
    if (c->state == LZ_CALL_BACKOFF) {
        s->start = now;
        s->phase[LZ_PHASE_RETRY_WAIT] = now - c->started;
    } else if (c->state == LZ_CALL_WAITING || c->state == LZ_CALL_IN_LINE ||
               c->state == LZ_CALL_FOLLOWING) {
        s->phase[LZ_PHASE_QUEUE] = now - c->started;
    } else if (c->state == LZ_CALL_RESOLVING) {
        s->phase[LZ_PHASE_CONNECT] = now - c->started;
    } else {
        // Behind a name it waited for a lookup, otherwise for a connection to be free.
        s->phase[e->name != NULL ? LZ_PHASE_CONNECT : LZ_PHASE_QUEUE] = c->connected - c->started;
        s->phase[LZ_PHASE_CONNECT] += (c->state == LZ_CALL_SENT ? c->sent : now) - c->connected;
        if (c->state == LZ_CALL_SENT)
            task_phases(w, c, now, s->phase);
    }
    for (int i = 0; i < LZ_PHASES; i++)
        LZ_ASSERT(s->phase[i] >= 0);
}
