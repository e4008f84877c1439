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
    if (t->started == 0 || t->child != 0 || c->sent != c->started) {
        lz_span_add(w, c, t->outcome, t->status);
        return;
    }
    struct lz_span *s = lz_request_take_span(w, r);
    s->client = c->client;
    s->server = c->server;
    s->call = c->number;
    s->parent_call = c->parent;
    s->component = to;
    s->attempt = c->attempt;
    s->status = t->status;
    s->op = c->op;
    s->outcome = t->outcome;
    s->is_raw = true;
    s->start = c->started;
    s->end = lz_sim_now(w->sim);
    s->phase[LZ_SPAN_ARRIVED] = t->arrived;
    s->phase[LZ_SPAN_STARTED] = t->started;
    s->phase[LZ_SPAN_CHILD_NS] = t->child_ns;
    s->phase[LZ_SPAN_ANSWERED] = t->answered;
    s->phase[LZ_SPAN_WAITED] = c->waited;
}

#endif
