#include "base/check.h"
#include "model/client/legs.h"
#include "model/service/auth.h"
#include "model/service/service_state.h"
#include "model/service/straight.h"
#include "model/service/task_state.h"

static void worked(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t);

static inline void take_cpu(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                            struct lz_task *t, lz_time cpu)
{
    t->job = lz_cpu_start(w, lz_service_capacity(w, r, t->server)->cpu, cpu, lz_pool_id(t));
    lz_level_cpu(w, s, r);
}

void lz_serve_take_cpu(struct lz_world *w, struct lz_service *s, struct lz_task *t, lz_time cpu,
                       lz_time rest)
{
    t->rest_ns = rest;
    if (cpu > 0) {
        take_cpu(w, s, lz_service_replica(s, t->server), t, cpu);
    } else if (rest > 0) {
        lz_time due = lz_sim_now(w->sim) + rest;
        t->rest_ns = t->may_lose ? -due : 0;
        t->timer = lz_sim_at(w->sim, due, w->services->rested, t->server, lz_pool_id(t));
    } else {
        worked(w, lz_service_seat(w, t->server), t);
    }
}

// Until it was begun, and while it had lost its worker: `started` is later by that.
static inline void waited(struct lz_world *w, const struct lz_service *s,
                          const struct lz_service_replica *r, const struct lz_task *t)
{
    lz_time wait = t->started - t->arrived;
    lz_metrics_observe_on(w->metrics, s->series.queue_wait_on, wait);
    if (r->own != NULL)
        lz_metrics_observe_on(w->metrics, r->own->queue_wait_on, wait);
}

// The task has a worker; returns how many times longer its work takes than it should.
static inline double hold_worker(struct lz_world *w, struct lz_service *s,
                                 struct lz_service_replica *r, struct lz_task *t)
{
    LZ_ASSERT(r->busy < s->opts.concurrency);
    lz_time now = lz_sim_now(w->sim);
    r->busy++;
    s->busy++;
    t->state = LZ_TASK_WORKING;
    t->started = now;
    if (t->is_tied)
        lz_legs_task_began(w, t);
    lz_level_workers(w, s, r);
    if (s->opts.queue.preemptive)
        lz_preempt_joins(w, r, t); // how long it waits in all is known when it leaves
    else
        waited(w, s, r, t);
    struct lz_capacity *c = lz_service_capacity(w, r, t->server);
    if (c->loss_count > 0)
        lz_capacity_touch(c);
    return c->factor * s->builds[t->version].factor;
}

static inline void start(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                         struct lz_task *t)
{
    double factor = hold_worker(w, s, r, t);
    const struct lz_service_build *b = &s->builds[t->version];
    uint64_t key = lz_sim_key(w->sim);
    lz_time total = lz_task_take_drawn(w, t);
    if (total < 0)
        total = lz_dist_time_once(&b->service_time, key, t->path, LZ_PURPOSE_SERVICE, 0);
    total = lz_service_scaled(total, factor);
    if (b->cpu_time.kind == LZ_DIST_NONE && total > 0) {
        t->rest_ns = 0;
        take_cpu(w, s, r, t, total);
        return;
    }
    lz_time cpu = total;
    if (b->cpu_time.kind != LZ_DIST_NONE) {
        cpu = lz_service_scaled(
            lz_dist_time_once(&b->cpu_time, key, t->path, LZ_PURPOSE_SERVICE, 1), factor);
        cpu = cpu < total ? cpu : total;
    }
    lz_serve_take_cpu(w, s, t, cpu, total - cpu);
}

void lz_serve_start(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                    struct lz_task *t)
{
    start(w, s, r, t);
}

static inline void count_arrival(struct lz_world *w, struct lz_service *s,
                                 struct lz_service_replica *r, struct lz_task *t)
{
    lz_measure_arrived(w, &s->series.m);
    if (r->own != NULL)
        lz_measure_arrived(w, &r->own->m);
    lz_client_count_request(w, s->id);
    if (s->versions != NULL)
        lz_version_arrived(w, s, t);
}

void lz_serve_count(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                    struct lz_task *t)
{
    count_arrival(w, s, r, t);
}

// A worker that somebody less urgent loses; or a place in the queue, in a full one that of somebody
// less urgent, who is refused instead.
static void wait(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                 struct lz_task *t)
{
    if (s->opts.queue.preemptive && lz_preempt_take(w, s, r, t)) {
        start(w, s, r, t);
        return;
    }
    if (r->queue_len >= s->opts.queue.max && s->opts.queue.max != LZ_SERVICE_UNBOUNDED) {
        struct lz_task *victim = lz_queue_victim(w, r, t);
        if (victim == NULL) {
            lz_serve_refuse(w, s, r, t, 503);
            return;
        }
        lz_queue_remove(w, s, r, victim);
        lz_serve_refuse(w, s, r, victim, 503);
    }
    lz_queue_push(w, s, r, t);
}

static inline void let_in(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                          struct lz_task *t)
{
    uint16_t status = 0;
    if ((w->unusual & LZ_UNUSUAL_AUTHS) != 0)
        status = lz_auth_check(w, t);
    if (s->has_admission && status == 0)
        status = lz_admission_check(w, s, r);
    if (status != 0)
        lz_serve_refuse(w, s, r, t, status);
    else if (r->busy < s->opts.concurrency)
        start(w, s, r, t);
    else
        wait(w, s, r, t);
}

void lz_serve_arrive(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    count_arrival(w, seat.s, seat.r, t);
    let_in(w, seat.s, seat.r, t);
}

void lz_serve_let_in(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    LZ_ASSERT(t->is_limited);
    let_in(w, seat.s, seat.r, t);
}

void lz_serve_start_with(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                         struct lz_task *t, lz_time demand)
{
    lz_time cpu = lz_service_scaled(demand, hold_worker(w, s, r, t));
    lz_serve_take_cpu(w, s, t, cpu > 0 ? cpu : 1, 0);
}

void lz_serve_next(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r)
{
    while (r->queue_len > 0 && r->busy < s->opts.concurrency) {
        struct lz_task *t = lz_queue_take(w, s, r);
        if (t == NULL)
            return;
        if (t->is_begun)
            lz_preempt_resume(w, s, r, t);
        else
            lz_serve_start(w, s, r, t);
    }
}

void lz_serve_refuse(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t, uint16_t status)
{
    LZ_ASSERT(t->state == LZ_TASK_QUEUED);
    if (t->is_begun)
        lz_preempt_forget(w, t);
    lz_level_left(w, s, r, t, LZ_OUTCOME_REFUSED);
    t->value = 0; // was its deadline
    lz_task_answer(w, t, LZ_OUTCOME_REFUSED, status);
}

void lz_serve_finish(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                     uint16_t status)
{
    lz_serve_finish_at(w, lz_service_seat(w, t->server), t, outcome, status);
}

void lz_serve_finish_at(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t,
                        enum lz_outcome outcome, uint16_t status)
{
    struct lz_service *s = seat.s;
    struct lz_service_replica *r = seat.r;
    LZ_ASSERT(t->state == LZ_TASK_WORKING);
    LZ_ASSERT(r->busy > 0);
    if (s->opts.adaptive_limit.max > 0 && outcome == LZ_OUTCOME_OK)
        lz_admission_answered(w, s, r, t);
    r->busy--;
    s->busy--;
    lz_level_answered(w, s, r, t, outcome);
    lz_level_workers(w, s, r);
    t->value = w->services->said; // before, its deadline
    w->services->said = 0;
    lz_instance_id server = t->server;
    lz_task_answer(w, t, outcome, status);
    if (r->queue_len > 0)
        lz_serve_next(w, s, r);
    if (s->opts.ended != NULL)
        s->opts.ended(w, server, outcome);
}

static inline bool turns_out_wrong(struct lz_world *w, const struct lz_service *s,
                                   const struct lz_service_replica *r, const struct lz_task *t)
{
    double base = s->builds[t->version].error_ratio;
    double more = lz_service_capacity(w, r, t->server)->error_ratio;
    if (!(base > 0.0) && !(more > 0.0))
        return false;
    double ratio = 1.0 - (1.0 - base) * (1.0 - more);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ERROR, 0);
    return lz_draw_unit(&draw) < ratio;
}

// By a handler, if it has one for the operation.
static void handle(struct lz_world *w, struct lz_service *s, struct lz_task *t)
{
    for (uint32_t i = 0; i < s->handler_count && t->handler == 0; i++)
        if (s->handlers[i].op == t->op || s->handlers[i].op == 0)
            t->handler = s->handlers[i].number;
    if (t->handler == 0) {
        // A request without an operation goes to the first handler there is.
        if (t->op != 0) {
            lz_serve_finish(w, t, LZ_OUTCOME_ERROR, 404);
            return;
        }
        t->handler = s->handlers[0].number;
    }
    t->step = 1;
    w->services->script.start(w->services->script.ctx, lz_pool_id(t), t->handler);
}

// The work that comes before calls and handlers is done.
static inline void go_on(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    struct lz_service *s = seat.s;
    if (turns_out_wrong(w, s, seat.r, t)) {
        lz_serve_finish_at(w, seat, t, LZ_OUTCOME_ERROR, 500);
        return;
    }
    if (s->handler_count > 0) {
        handle(w, s, t);
        return;
    }
    if (s->gateway != NULL && lz_gateway_hits(w, s, t))
        t->step = (uint16_t)s->step_count;
    lz_step_begin(w, seat, t);
}

void lz_serve_go_on(struct lz_world *w, struct lz_task *t)
{
    go_on(w, lz_service_seat(w, t->server), t);
}

// The CPU has done its part before the disk, calls and handlers.
static inline void go_on_after(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    if (t->may_lose) {
        lz_preempt_leaves(w, seat.r, t);
        waited(w, seat.s, seat.r, t);
    }
    if (t->handler != 0 && t->step > 0) { // a handler's own work
        w->services->script.woken(w->services->script.ctx, lz_pool_id(t));
        return;
    }
    if (!seat.s->does_io || !lz_io_begin(w, t))
        go_on(w, seat, t);
}

static void worked(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    go_on_after(w, seat, t);
}

void lz_serve_worked(struct lz_world *w, lz_instance_id at, struct lz_task *t)
{
    if (lz_instance_defer(w, at, w->services->worked, lz_pool_id(t)))
        return;
    const struct lz_service_seat seat = lz_service_seat(w, at);
    lz_cpu_done(w, seat.r->capacity->cpu, t->job);
    t->job = 0;
    lz_level_cpu(w, seat.s, seat.r);
    if (t->rest_ns > 0)
        lz_serve_take_cpu(w, seat.s, t, 0, t->rest_ns);
    else
        go_on_after(w, seat, t);
}

static void on_rested(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->services->rested, payload))
        return;
    t->timer = 0;
    t->rest_ns = 0;
    worked(w, lz_service_seat(w, t->server), t);
}

static void on_woken(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->services->woken, payload))
        return;
    t->timer = 0;
    w->services->script.woken(w->services->script.ctx, payload);
}

void lz_serve_let_go(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t)
{
    if (t->state == LZ_TASK_QUEUED) {
        lz_queue_remove(w, s, r, t);
        if (t->is_begun)
            lz_preempt_forget(w, t);
        return;
    }
    if (t->may_lose)
        lz_preempt_leaves(w, r, t);
    if (t->job != 0)
        lz_cpu_remove(w, r->capacity->cpu, t->job);
    t->job = 0;
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
    lz_client_abandon(w, t);
    lz_step_let_go(w, t);
    if (t->handler != 0)
        w->services->script.dropped(w->services->script.ctx, lz_pool_id(t));
    r->busy--;
    s->busy--;
    lz_level_workers(w, s, r);
}

void lz_serve_init(struct lz_world *w)
{
    w->services->drawn = lz_sim_kind_also(w->sim, w->tasks->arrive, lz_straight_on_drawn);
    w->services->certain = lz_sim_kind_also(w->sim, w->tasks->arrive, lz_straight_on_certain);
    struct lz_services *ss = w->services;
    ss->worked = lz_sim_kind(w->sim, "worked", lz_straight_worked, w);
    ss->rested = lz_sim_kind(w->sim, "rested", on_rested, w);
    ss->woken = lz_sim_kind(w->sim, "woken", on_woken, w);
}
