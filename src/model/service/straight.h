/*
 * straight.h — the usual way of a request at a service, straight on; for model/ only.
 *
 * Most services have workers, a service time and perhaps calls in a row, and nothing else: no
 * versions, handlers, disk, admission, gateway, shares measured by replica. Most requests find a
 * worker free, and calls that were made as client/plain.h has it are answered well. For them a
 * request is three steps, each one function and one event of the kernel:
 *
 *   it arrives            it is counted, takes its worker and the CPU
 *   its work is done      the CPU is free; its next call begins, or its answer leaves
 *   a call was answered   that call ends; the next begins, or its answer leaves
 *
 * They do what task.c, serve.c, step.c and plain.c do for all: the same draws, the same events in
 * the same order, the same records. What turns out to be otherwise they leave, as it then is, to
 * the function that comes next there. A service is looked at once until something that its `ways`
 * (world.h) count has changed; what faults change without a word, capacity and error ratios, is
 * read each time. tests/unit/test_plain.c holds this against the long way, event by event.
 */
#ifndef LZ_MODEL_SERVICE_STRAIGHT_H
#define LZ_MODEL_SERVICE_STRAIGHT_H

#include "model/service/service_state.h"

/* Look whether the service is straight; lz_straight_is asks when it must be. */
bool lz_straight_look(const struct lz_world *w, struct lz_service *s);

static inline bool lz_straight_is(const struct lz_world *w, struct lz_service *s)
{
    return s->straight == w->ways || (s->looked != w->ways && lz_straight_look(w, s));
}

/* As struct lz_server_ops has them. */
const struct lz_dist *lz_straight_draws(const struct lz_world *w, lz_instance_id instance);
lz_kind lz_straight_request(const struct lz_world *w, lz_instance_id instance);

/* A task comes to a service; the CPU has done its part for one. */
void lz_straight_arrive(struct lz_world *w, struct lz_task *t);
lz_event_fn lz_straight_worked;

/* Of all tasks, whatever serves them: a request is at its server, an answer at its caller. */
lz_event_fn lz_straight_on_request;
lz_event_fn lz_straight_on_answer;

/*
 * The same where it is known, nearly always, what their handlers would have to guess: a request
 * that a service takes, whose time is drawn or always the same; an answer that no task waits for.
 */
lz_event_fn lz_straight_on_drawn;
lz_event_fn lz_straight_on_certain;
lz_event_fn lz_straight_on_reply;

#endif
