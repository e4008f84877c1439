/* span.h — what one attempt's time went into, for the request it was made for; for model/ only. */
#ifndef LZ_MODEL_TRAFFIC_SPAN_H
#define LZ_MODEL_TRAFFIC_SPAN_H

#include <stddef.h>
#include <string.h>

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
    _Static_assert(offsetof(struct lz_call, parent) - offsetof(struct lz_call, client) == 12 &&
                       offsetof(struct lz_span, parent_call) - offsetof(struct lz_span, client) ==
                           12,
                   "four numbers in the same order");
    _Static_assert(offsetof(struct lz_task, answered) - offsetof(struct lz_task, arrived) == 24 &&
                       (int)LZ_SPAN_ANSWERED - (int)LZ_SPAN_ARRIVED == 3,
                   "four instants in the same order");
    LZ_ASSERT(c->state == LZ_CALL_SENT && t->state == LZ_TASK_ANSWERED);
    if (t->started == 0 || t->child != 0 || c->sent != c->started) {
        lz_span_add(w, c, t->outcome, t->status);
        return;
    }
    struct lz_span *s = lz_request_take_span(w, r);
    memcpy(&s->client, &c->client, 4 * sizeof(s->client)); // and server, call, parent_call
    s->component = to;
    s->attempt = c->attempt;
    s->status = t->status;
    s->op = c->op;
    s->outcome = t->outcome;
    s->is_raw = true;
    s->start = c->started;
    s->end = lz_sim_now(w->sim);
    memcpy(&s->phase[LZ_SPAN_ARRIVED], &t->arrived, 4 * sizeof(lz_time)); // to ANSWERED
    s->phase[LZ_SPAN_WAITED] = c->waited;
}

#endif
