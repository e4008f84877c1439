#include "model/service/handler.h"

#include "base/check.h"
#include "model/client/plain.h"
#include "model/history/recorder.h"
#include "model/service/service_state.h"

static struct lz_task *live_task(const struct lz_world *w, lz_task_id id)
{
    struct lz_task *t = lz_task_find(w, id);
    LZ_ASSERT(t != NULL && t->state == LZ_TASK_WORKING);
    return t;
}

bool lz_handler_is_live(const struct lz_world *w, lz_task_id task)
{
    const struct lz_task *t = lz_task_find(w, task);
    return t != NULL && t->state == LZ_TASK_WORKING;
}

void lz_handler_call(struct lz_world *w, lz_task_id task, lz_edge_id edge, uint64_t key,
                     lz_argument_id argument)
{
    struct lz_task *t = live_task(w, task);
    LZ_ASSERT(t->child == 0); // a handler waits for one thing at a time
    t->step++;
    t->child = lz_plain_call(w, &(struct lz_client_begin){
                                    .edge = edge,
                                    .client = t->server,
                                    .owner_kind = LZ_OWNER_TASK,
                                    .owner = task,
                                    .request = t->request,
                                    .path = lz_draw_index(t->path, t->step),
                                    .key = key,
                                    .argument = argument,
                                    .parent_call = t->call_number,
                                });
}

lz_time lz_handler_draw(const struct lz_world *w, lz_task_id task, const struct lz_dist *dist,
                        uint64_t n)
{
    LZ_ASSERT(n > 0);
    const struct lz_task *t = live_task(w, task);
    // 0 and 1 are the service time's and the CPU time's.
    return lz_dist_time_once(dist, lz_sim_key(w->sim), t->path, LZ_PURPOSE_SERVICE, n + 1);
}

void lz_handler_sleep(struct lz_world *w, lz_task_id task, lz_time duration)
{
    LZ_ASSERT(duration >= 0);
    struct lz_task *t = live_task(w, task);
    t->timer =
        lz_sim_at(w->sim, lz_sim_now(w->sim) + duration, w->services->woken, t->server, task);
}

void lz_handler_work(struct lz_world *w, lz_task_id task, lz_time duration)
{
    LZ_ASSERT(duration >= 0);
    struct lz_task *t = live_task(w, task);
    struct lz_service *s = lz_service_of(w, t);
    struct lz_capacity *c = lz_service_capacity(w, lz_service_replica(s, t->server), t->server);
    // A job of at least 1 ns: its end is an event, never a call from within this one.
    lz_time demand = lz_service_scaled(duration, c->factor * s->builds[t->version].factor);
    lz_serve_take_cpu(w, s, t, demand > 0 ? demand : 1, 0);
}

void lz_handler_say(struct lz_world *w, lz_task_id task, lz_value value)
{
    LZ_ASSERT(lz_handler_is_live(w, task));
    w->services->said = value;
    if (w->recorders != NULL)
        lz_recorder_mark(
            w, live_task(w, task),
            &(struct lz_recorder_made){.version = ++w->services->says, .value = value});
}

void lz_handler_answer(struct lz_world *w, lz_task_id task, uint16_t status)
{
    enum lz_outcome outcome = status >= 500 ? LZ_OUTCOME_ERROR : LZ_OUTCOME_OK;
    lz_serve_finish(w, live_task(w, task), outcome, status);
}

struct lz_handler_facts lz_handler_facts(const struct lz_world *w, lz_task_id task)
{
    const struct lz_task *t = live_task(w, task);
    return (struct lz_handler_facts){
        .path = t->path,
        .key = t->key,
        .value = lz_argument_to_value(w, lz_argument_of(w, t)),
        .op = t->op,
    };
}

lz_instance_id lz_handler_instance(const struct lz_world *w, lz_task_id task)
{
    return live_task(w, task)->server;
}

uint64_t lz_handler_path(const struct lz_world *w, lz_task_id task)
{
    return live_task(w, task)->path;
}

lz_time lz_handler_time_left(const struct lz_world *w, lz_task_id task)
{
    const struct lz_task *t = live_task(w, task);
    lz_time now = lz_sim_now(w->sim);
    if (t->deadline == 0)
        return -1;
    return t->deadline > now ? t->deadline - now : 0;
}

uint32_t lz_handler_version(const struct lz_world *w, lz_task_id task)
{
    return live_task(w, task)->version;
}

uint32_t lz_handler_priority(const struct lz_world *w, lz_task_id task)
{
    return live_task(w, task)->priority;
}
