#include "model/service/straight.h"

#include "base/check.h"
#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/client/legs.h"
#include "model/client/plain_way.h"

// What a request would meet, at the door, at its work or on its way to another service.
#define ANYWHERE (LZ_PLAIN_ON_THE_WAY | LZ_UNUSUAL_DRAINS | LZ_UNUSUAL_HOTS | LZ_UNUSUAL_AMPLIFIED)

// Its calls are made one after the other, each for itself.
static bool calls_in_a_row(const struct lz_world *w, const struct lz_service *s)
{
    if (s->opts.parallel && s->step_count > 1)
        return false;
    for (uint32_t i = 0; i < s->step_count; i++)
        if (lz_edge_get(w, s->steps[i].edge)->opts.session)
            return false;
    return true;
}

static bool has_its_own(const struct lz_service *s)
{
    for (uint32_t i = 0; i < s->slots; i++)
        if (s->replicas[i].own != NULL)
            return true;
    return false;
}

// All of it but what is unusual is as it was when the run began.
static bool is_made_straight(const struct lz_world *w, const struct lz_service *s)
{
    return s->versions == NULL && s->gateway == NULL && s->handler_count == 0 && !s->does_io &&
           !s->has_admission && !s->keeps_cpu && !s->opts.queue.preemptive &&
           !(s->opts.adaptive_limit.max > 0) && s->opts.ended == NULL &&
           s->own.cpu_time.kind == LZ_DIST_NONE && calls_in_a_row(w, s) && !has_its_own(s);
}

bool lz_straight_look(const struct lz_world *w, struct lz_service *s)
{
    const struct lz_calls_face *face = (const struct lz_calls_face *)w->calls;
    LZ_ASSERT(w->running);
    if (s->looked == 0) {
        s->is_made_straight = !face->is_plain_forbidden && is_made_straight(w, s);
        struct lz_draw none = {0}; // a constant takes no randomness
        bool is_certain = s->own.service_time.kind == LZ_DIST_CONSTANT;
        s->certain = is_certain ? lz_dist_time(&s->own.service_time, &none) : -1;
    }
    s->looked = w->ways;
    s->straight = s->is_made_straight && (w->unusual & ANYWHERE) == 0 ? w->ways : 0;
    return s->straight != 0;
}

const struct lz_dist *lz_straight_draws(const struct lz_world *w, lz_instance_id instance)
{
    struct lz_service *s = lz_service_seat(w, instance).s;
    return lz_straight_is(w, s) && s->certain < 0 ? &s->own.service_time : NULL;
}

lz_kind lz_straight_request(const struct lz_world *w, lz_instance_id instance)
{
    const struct lz_service *s = lz_service_seat(w, instance).s;
    bool is_certain = s->own.service_time.kind == LZ_DIST_CONSTANT;
    return is_certain ? w->services->certain : w->services->drawn;
}

// What its CPU was measured to use is not what it uses now.
static inline void level_cpu(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r)
{
    if (lz_cpu_changes(r->capacity->cpu) != r->cpu_changes)
        lz_level_cpu_changed(w, s, r);
}

// The same of a plain CPU whose jobs have become another number: lz_level_cpu_changed for who keeps
// neither its CPU time nor what is of this replica alone.
static __attribute__((noinline)) void level_jobs(struct lz_world *w, struct lz_service *s,
                                                 struct lz_service_replica *r)
{
    const struct lz_cpu *cpu = r->capacity->cpu;
    double used = lz_cpu_used(cpu), by = used - r->cpu_used;
    r->cpu_changes = lz_cpu_changes(cpu);
    if (!__builtin_islessgreater(by, 0.0))
        return;
    r->cpu_used = used;
    lz_measure_cores(w, s->series.cpu_on, by);
}

// A job began on a core that was free; one has ended.
static inline void level_one_more(struct lz_world *w, struct lz_service *s,
                                  struct lz_service_replica *r)
{
    const struct lz_cpu *cpu = r->capacity->cpu;
    if (lz_measure_core_more(w, s->series.cpu_on, &r->cpu_used, lz_cpu_jobs_on(cpu)))
        r->cpu_changes = lz_cpu_changes(cpu);
    else
        level_jobs(w, s, r);
}

static inline void level_one_less(struct lz_world *w, struct lz_service *s,
                                  struct lz_service_replica *r)
{
    const struct lz_cpu *cpu = r->capacity->cpu;
    if (lz_measure_core_less(w, s->series.cpu_on, &r->cpu_used, lz_cpu_jobs_on(cpu)))
        r->cpu_changes = lz_cpu_changes(cpu);
    else
        level_jobs(w, s, r);
}

// What is known of a task's service time.
enum work { UNKNOWN, DRAWN, CERTAIN };

LZ_PLAIN_IN_PLACE lz_time work_of(struct lz_world *w, const struct lz_service *s, struct lz_task *t,
                                  enum work known)
{
    lz_time work = known == CERTAIN && !t->is_drawn ? s->certain
                   : t->is_drawn                    ? lz_task_take_drawn(w, t)
                                                    : s->certain;
    if (known == CERTAIN ? __builtin_expect(work < 0, 0) : work < 0)
        work = lz_dist_time_once(&s->own.service_time, lz_sim_key(w->sim), t->path,
                                 LZ_PURPOSE_SERVICE, 0);
    return work;
}

LZ_PLAIN_IN_PLACE void start(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                             struct lz_task *t, enum work known)
{
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(t->arrived == now && t->version == 0);
    lz_measure_arrived(w, &s->series.m);
    r->busy++;
    s->busy++;
    t->state = LZ_TASK_WORKING;
    t->started = now;
    if (t->is_tied)
        lz_legs_task_began(w, t);
    lz_metrics_observe_none_on(w->metrics, s->series.queue_wait_on);
    lz_metrics_enter_on(w->metrics, s->series.busy_on, now, 1);
    level_cpu(w, s, r);
    struct lz_capacity *c = r->capacity;
    if (c->loss_count > 0)
        lz_capacity_touch(c);
    const struct lz_service_build *b = &s->own;
    lz_time work = lz_service_scaled(work_of(w, s, t, known), c->factor * b->factor);
    if (work == 0) {
        lz_serve_take_cpu(w, s, t, 0, 0);
        return;
    }
    t->rest_ns = 0;
    if (lz_cpu_is_free(c->cpu)) {
        t->job = lz_cpu_begin(w, c->cpu, work, lz_pool_id(t));
        level_one_more(w, s, r);
        return;
    }
    t->job = lz_cpu_add(w, c->cpu, work, lz_pool_id(t));
    level_cpu(w, s, r);
}

// By LZ_PLAIN_IN_PLACE each event that differs in `known` has jumps of its own to be guessed.
LZ_PLAIN_IN_PLACE void arrive_at(struct lz_world *w, const struct lz_instance *i, struct lz_task *t,
                                 enum work known)
{
    const struct lz_service_seat seat = lz_service_seat_at(i);
    if (lz_straight_is(w, seat.s) && seat.r->capacity != NULL &&
        seat.r->busy < seat.s->opts.concurrency)
        start(w, seat.s, seat.r, t, known);
    else
        lz_serve_arrive(w, seat, t);
}

void lz_straight_arrive(struct lz_world *w, struct lz_task *t)
{
    arrive_at(w, lz_instance_get(w, t->server), t, UNKNOWN);
}

void lz_straight_on_request(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_came(w, entity, payload);
    if (t != NULL)
        lz_instance_get(w, entity)->serves->arrive(w, t);
}

void lz_straight_on_drawn(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_came(w, entity, payload);
    if (t != NULL)
        arrive_at(w, lz_instance_get(w, entity), t, DRAWN);
}

void lz_straight_on_certain(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_came(w, entity, payload);
    if (t != NULL)
        arrive_at(w, lz_instance_get(w, entity), t, CERTAIN);
}

// Its work and its calls are done, and nothing has changed since it was sent.
LZ_PLAIN_IN_PLACE void answer(struct lz_world *w, struct lz_service *s,
                              struct lz_service_replica *r, struct lz_task *t)
{
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(t->state == LZ_TASK_WORKING);
    LZ_ASSERT(r->busy > 0);
    r->busy--;
    s->busy--;
    lz_measure_answered(w, &s->series.m, now - t->arrived);
    lz_metrics_leave_on(w->metrics, s->series.busy_on, now, 1);
    level_cpu(w, s, r);
    t->value = w->services->said; // before, its deadline
    w->services->said = 0;
    lz_task_answer_straight(w, t, LZ_OUTCOME_OK, 200);
    if (r->queue_len > 0)
        lz_serve_next(w, s, r);
}

// What comes next: a call, or its answer.
LZ_PLAIN_IN_PLACE void go_on(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                             struct lz_task *t)
{
    if (t->step == s->step_count && lz_plain_is_on_its_way(w, t) && t->detour == 0) {
        answer(w, s, r, t);
        return;
    }
    lz_edge_id edge = t->step < s->step_count ? s->steps[t->step].edge : 0;
    struct lz_edge *e = edge != 0 ? lz_edge_get(w, edge) : NULL;
    if (e == NULL || !lz_plain_is_possible(w, e)) {
        lz_step_begin(w, (struct lz_service_seat){.s = s, .r = r}, t);
        return;
    }
    const struct lz_client_begin begin = {
        .edge = edge,
        .client = t->server,
        .owner_kind = LZ_OWNER_TASK,
        .owner = lz_pool_id(t),
        .request = t->request,
        .path = lz_draw_index(t->path, t->step),
        .key = t->key,
        .parent_call = t->call_number,
        .op = s->opts.is_balancer ? t->op : 0,
    };
    const struct lz_plain_for whom = {.request = lz_request_find(w, t->request), .task = t};
    t->child = lz_plain_begin_here(w, e, &begin, whom);
}

// The CPU has done its part.
static inline void worked(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    struct lz_service *s = seat.s;
    struct lz_service_replica *r = seat.r;
    const struct lz_capacity *c = r->capacity;
    if (lz_cpu_is_plain(c->cpu)) {
        lz_cpu_end(c->cpu, t->job);
        level_one_less(w, s, r);
    } else {
        lz_cpu_remove(w, c->cpu, t->job);
        level_cpu(w, s, r);
    }
    t->job = 0;
    LZ_ASSERT(t->rest_ns == 0 && t->handler == 0);
    if (s->own.error_ratio > 0.0 || c->error_ratio > 0.0)
        lz_serve_go_on(w, t);
    else
        go_on(w, s, r, t);
}

void lz_straight_worked(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->job == 0)
        return;
    const struct lz_instance *i = lz_instance_get(w, entity);
    const struct lz_service_seat seat = lz_service_seat_at(i);
    if (lz_straight_is(w, seat.s) && i->state != LZ_INSTANCE_PAUSED)
        worked(w, seat, t);
    else
        lz_serve_worked(w, entity, t);
}

// The task that waits for this call, if it is one that goes on as this file has it.
static inline struct lz_task *waiting(const struct lz_world *w, const struct lz_call *c,
                                      struct lz_service_seat *seat)
{
    if (c->owner_kind != LZ_OWNER_TASK)
        return NULL;
    struct lz_task *t = c->waits != NULL ? c->waits : lz_task_find(w, c->owner);
    LZ_ASSERT(t != NULL && lz_pool_id(t) == c->owner); // a task that goes away drops its call
    LZ_ASSERT(t->child == lz_pool_id(c));
    const struct lz_instance *i = lz_instance_get(w, t->server);
    if (i->serves->arrive != lz_straight_arrive || t->detour != 0)
        return NULL;
    *seat = lz_service_seat_at(i);
    return lz_straight_is(w, seat->s) && t->step < seat->s->step_count ? t : NULL;
}

// The answer to a call is here, a good one, and nothing has changed on its way: lz_plain_ended.
LZ_PLAIN_IN_PLACE void ended(struct lz_world *w, struct lz_task *t)
{
    struct lz_call *c = lz_hop_call(t);
    struct lz_service_seat seat;
    struct lz_task *owner = waiting(w, c, &seat);
    if (owner == NULL) {
        lz_plain_ended(w, t);
        return;
    }
    LZ_ASSERT(t->state == LZ_TASK_ANSWERED && t->outcome == LZ_OUTCOME_OK);
    struct lz_hops *hops = &w->tasks->face.hops;
    lz_plain_end_attempt(w, lz_edge_get(w, c->edge), c, t);
    owner->child = 0;
    owner->child_ns += lz_sim_now(w->sim) - c->begun;
    owner->step++;
    lz_hop_give_call(hops, c); // in this order, as plain.c does
    go_on(w, seat.s, seat.r, owner);
    lz_hop_give_task(hops, t);
}

// An answer, and a good one, by which nothing has changed on its way; NULL: it was seen to
// otherwise.
static inline struct lz_task *back(struct lz_world *w, uint32_t entity, uint64_t payload)
{
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || (lz_plain_is_on_its_way(w, t) && t->outcome == LZ_OUTCOME_OK))
        return t;
    lz_task_end_otherwise(w, entity, t);
    return NULL;
}

void lz_straight_on_answer(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = back(w, entity, payload);
    if (t != NULL)
        ended(w, t);
}

void lz_straight_on_reply(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = back(w, entity, payload);
    if (t != NULL)
        lz_plain_ended(w, t);
}
