/*
 * task_state.h — what task.c and the usual way of a call (client/plain.h) share; for these only.
 */
#ifndef LZ_MODEL_SERVICE_TASK_STATE_H
#define LZ_MODEL_SERVICE_TASK_STATE_H

#include "base/check.h"
#include "model/client/plain.h"
#include "model/node/life.h"
#include "model/node/rss.h"
#include "model/service/task.h"

/* A task that came to an instance: it is there as long as it is linked and says the same turn. */
struct lz_task_came {
    uint64_t joined;
    uint32_t index;
};

/* Who came to an instance, oldest first: all that are there, and some that have left. */
struct lz_task_row {
    struct lz_task_came *all;
    uint32_t first, count, cap;
};

struct lz_tasks {
    struct lz_tasks_face face; /* first: the getters look here */
    uint32_t *at;              /* how many are at an instance */
    uint32_t at_cap;
    uint64_t joined;          /* counts those that came */
    struct lz_task_row *rows; /* by instance; NULL: nobody has asked for the oldest of one so far */
    uint32_t row_cap;
    lz_kind arrive, held, answer, reset, cancel;
    lz_kind reply;  /* an answer too: of a call that no task waits for */
    lz_kind untie;  /* 0: nothing was tied yet */
    lz_kind passed; /* a limit has held it back; 0: none yet */
    lz_kind let_go; /* an answer was held; 0: none yet */
};

/*
 * For straight.c, whose are the events of a request that comes and of an answer that is back: what
 * is left of them if something has changed since it was sent, or it was not sent as plain.h has it.
 */
void lz_task_arrive_otherwise(struct lz_world *w, lz_instance_id at, struct lz_task *t);
void lz_task_end_otherwise(struct lz_world *w, lz_instance_id at, struct lz_task *t);

/* Held at the door, queued or worked on: among those at its server. */
static inline bool lz_task_is_linked(const struct lz_task *t)
{
    _Static_assert(LZ_TASK_QUEUED == LZ_TASK_HELD + 1 && LZ_TASK_WORKING == LZ_TASK_HELD + 2,
                   "one comparison says all");
    return (uint8_t)(t->state - LZ_TASK_HELD) <= 2;
}

void lz_task_note(struct lz_world *w, const struct lz_task *t); /* it has come: into its row */

/* Where no request takes memory. */
static inline void lz_task_join(struct lz_world *w, struct lz_task *t)
{
    struct lz_tasks *ts = w->tasks;
    t->joined = ++ts->joined;
    ts->at[t->server]++;
    if (__builtin_expect(ts->rows != NULL, 0))
        lz_task_note(w, t);
}

/* A request is at its server. NULL: not straight, it was seen to otherwise. */
static inline struct lz_task *lz_task_came(struct lz_world *w, lz_instance_id at, uint64_t task)
{
    struct lz_task *t = lz_task_find(w, task);
    if (t == NULL)
        return NULL;
    if (!lz_plain_is_on_its_way(w, t)) {
        lz_task_arrive_otherwise(w, at, t);
        return NULL;
    }
    LZ_ASSERT(t->state == LZ_TASK_SENT);
    LZ_ASSERT((w->unusual & LZ_UNUSUAL_RSS) == 0); // it would not be on its way
    t->arrived = lz_sim_now(w->sim);
    t->state = LZ_TASK_QUEUED;
    lz_task_join(w, t);
    return t;
}

static inline void lz_task_link(struct lz_world *w, struct lz_task *t)
{
    lz_task_join(w, t);
    lz_rss_request(w, t->server, +1);
}

static inline void lz_task_unlink(struct lz_world *w, struct lz_task *t)
{
    uint32_t *at = &w->tasks->at[t->server];
    LZ_ASSERT(*at > 0);
    (*at)--;
    if ((w->unusual & (LZ_UNUSUAL_RSS | LZ_UNUSUAL_DRAINS)) == 0)
        return;
    lz_rss_request(w, t->server, -1);
    if (*at == 0)
        lz_life_no_task(w, t->server);
}

/* What it was drawn to take when it was sent, once; -1: it is to be drawn now. */
static inline lz_time lz_task_take_drawn(const struct lz_world *w, struct lz_task *t)
{
    if (!t->is_drawn)
        return -1;
    lz_time drawn = t->rest_ns;
    t->is_drawn = false;
    t->rest_ns = 0;
    return lz_plain_is_on_its_way(w, t) ? drawn : -1;
}

/* lz_task_answer, for a task whose way nothing has changed since it was sent. */
static inline void lz_task_answer_straight(struct lz_world *w, struct lz_task *t,
                                           enum lz_outcome outcome, uint16_t status)
{
    lz_task_unlink(w, t);
    lz_time now = lz_sim_now(w->sim);
    if (t->state == LZ_TASK_QUEUED)
        t->started = now;
    t->state = LZ_TASK_ANSWERED;
    t->answered = now;
    t->outcome = (uint8_t)outcome;
    t->status = status;
    lz_plain_send_on(w, t);
}

/* Its server is done with it and nobody waits: what is freed is neither queued nor worked on. */
static inline void lz_task_give(struct lz_world *w, struct lz_task *t)
{
    LZ_ASSERT(!lz_task_is_linked(t));
    if ((w->unusual & (LZ_UNUSUAL_ARGUMENTS | LZ_UNUSUAL_STREAMS)) != 0)
        lz_task_free(w, t);
    else
        lz_hop_give_task(&w->tasks->face.hops, t);
}

#endif
