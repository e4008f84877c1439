/* span.h — what one attempt's time went into, for the request it was made for; for model/ only. */
#ifndef LZ_MODEL_TRAFFIC_SPAN_H
#define LZ_MODEL_TRAFFIC_SPAN_H

#include "model/client/client_state.h"
#include "model/service/task.h"

/* The attempt of `c` ends now, or (PENDING) its request no longer waits for it. */
void lz_span_add(struct lz_world *w, const struct lz_call *c, enum lz_outcome outcome,
                 uint16_t status);

/* The same for an attempt at `to` that was answered by `t`. */
static inline void lz_span_add_answered(struct lz_world *w, struct lz_request *r,
                                        const struct lz_call *c, const struct lz_task *t,
                                        lz_component_id to)
{
    LZ_ASSERT(c->state == LZ_CALL_SENT && t->state == LZ_TASK_ANSWERED);
    if (t->started == 0 || t->child != 0) {
        lz_span_add(w, c, t->outcome, t->status);
        return;
    }
    lz_time now = lz_sim_now(w->sim);
    lz_time line = c->connected - c->started, opening = c->sent - c->connected;
    lz_time there = t->arrived - c->sent, queued = t->started - t->arrived;
    lz_time work = t->answered - t->started - t->child_ns, back = now - t->answered;
    LZ_ASSERT((line | opening | there | queued | work | back) >= 0);
    struct lz_span *s = lz_request_take_span(w, r);
    s->call = c->number;
    s->parent_call = c->parent;
    s->client = c->client;
    s->server = c->server;
    s->component = to;
    s->attempt = c->attempt;
    s->status = t->status;
    s->op = c->op;
    s->outcome = t->outcome;
    s->start = c->started;
    s->end = now;
    s->phase[LZ_PHASE_CONNECT] = opening;
    s->phase[LZ_PHASE_QUEUE] = line + queued;
    s->phase[LZ_PHASE_WORK] = work;
    s->phase[LZ_PHASE_NETWORK] = there + back;
    s->phase[LZ_PHASE_RETRY_WAIT] = c->waited;
}

#endif
