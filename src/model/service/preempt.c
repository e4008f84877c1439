/*
 * preempt.c — a more urgent request takes the worker of a less urgent one.
 *
 * Preemptive-resume, as queueing theory has it (Kleinrock, Queueing Systems II, sec. 3.4): who
 * finds all workers held takes that of the least urgent, of several the one that has worked
 * the shortest. Who lost its worker keeps what it has done, is the next of its class, and works on
 * where it stopped.
 *
 *   QUEUED ──start──▶ WORKING, its own work ──ends──▶ WORKING: disk, calls, handler
 *     ▲                 │ may_lose                      keeps its worker until it is answered
 *     └──── is_begun ◀──┘ lz_preempt_take
 *
 * So no request waits that is more urgent than one that may lose its worker. While it is QUEUED
 * again a task has `left_ns` of work on the CPU and then `rest_ns` beside it before it; `started`
 * is how long it has worked, negated.
 */
#include "base/check.h"
#include "model/service/service_state.h"

static struct lz_queue_class *class_of(const struct lz_service_replica *r, const struct lz_task *t)
{
    LZ_ASSERT(r->rules != NULL && r->rules->working != NULL);
    LZ_ASSERT(t->priority < LZ_PRIORITIES);
    return &r->rules->working[t->priority];
}

void lz_preempt_joins(struct lz_world *w, struct lz_service_replica *r, struct lz_task *t)
{
    struct lz_queue_class *c = class_of(r, t);
    LZ_ASSERT(t->state == LZ_TASK_WORKING && !t->may_lose);
    t->may_lose = true;
    t->queue_next = 0;
    t->queue_prev = c->final;
    if (c->final != 0)
        lz_task_at(w, c->final)->queue_next = t->head.index;
    else
        c->first = t->head.index;
    c->final = t->head.index;
}

void lz_preempt_leaves(struct lz_world *w, struct lz_service_replica *r, struct lz_task *t)
{
    struct lz_queue_class *c = class_of(r, t);
    LZ_ASSERT(t->state == LZ_TASK_WORKING && t->may_lose);
    t->may_lose = false;
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        c->first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        c->final = t->queue_prev;
}

// What it does now is stopped, and what is left of it kept; false if that ends in this instant.
static bool stop_work(struct lz_world *w, const struct lz_service_replica *r, struct lz_task *t)
{
    lz_time now = lz_sim_now(w->sim);
    if (t->job != 0) {
        if (!lz_cpu_take_back(w, r->capacity->cpu, t->job, &t->left_ns))
            return false;
        t->job = 0;
        return true;
    }
    LZ_ASSERT(t->rest_ns <= 0); // when what needs no CPU ends, negated
    if (-t->rest_ns <= now)
        return false;
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
    t->left_ns = 0;
    t->rest_ns = -t->rest_ns - now;
    return true;
}

// Back into the queue; if that is full somebody goes, and that may be the one that comes back.
static void wait_again(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                       struct lz_task *t)
{
    if (r->queue_len >= s->opts.queue.max && s->opts.queue.max != LZ_SERVICE_UNBOUNDED) {
        struct lz_task *victim = lz_queue_victim(w, r, t);
        if (victim == NULL && r->classes[t->priority].final != 0)
            victim = lz_task_at(w, r->classes[t->priority].final);
        if (victim == NULL) {
            lz_serve_refuse(w, s, r, t, 503);
            return;
        }
        lz_queue_remove(w, s, r, victim);
        lz_serve_refuse(w, s, r, victim, 503);
    }
    lz_queue_push_front(w, s, r, t);
}

bool lz_preempt_take(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     const struct lz_task *t)
{
    LZ_ASSERT(s->opts.queue.preemptive && r->busy == s->opts.concurrency);
    for (uint32_t c = LZ_PRIORITIES; c-- > t->priority + 1u;)
        for (uint32_t at = r->rules->working[c].final; at != 0;) {
            struct lz_task *victim = lz_task_at(w, at);
            at = victim->queue_prev;
            if (!stop_work(w, r, victim))
                continue;
            lz_preempt_leaves(w, r, victim);
            victim->state = LZ_TASK_QUEUED;
            victim->is_begun = true;
            victim->started -= lz_sim_now(w->sim);
            r->busy--;
            s->busy--;
            lz_level_workers(w, s, r);
            lz_level_cpu(w, s, r);
            wait_again(w, s, r, victim);
            return true;
        }
    return false;
}

void lz_preempt_forget(const struct lz_world *w, struct lz_task *t)
{
    LZ_ASSERT(t->state == LZ_TASK_QUEUED && t->is_begun);
    LZ_ASSERT(t->started <= 0);
    t->started += lz_sim_now(w->sim);
    t->state = LZ_TASK_WORKING;
    t->is_begun = false;
    t->left_ns = 0; // it is what its calls took
}

void lz_preempt_resume(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                       struct lz_task *t)
{
    LZ_ASSERT(r->busy < s->opts.concurrency);
    lz_time cpu = t->left_ns;
    lz_preempt_forget(w, t);
    r->busy++;
    s->busy++;
    lz_level_workers(w, s, r);
    lz_preempt_joins(w, r, t);
    lz_serve_take_cpu(w, s, t, cpu, t->rest_ns);
}
