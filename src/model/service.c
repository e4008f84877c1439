#include "model/service.h"

#include <stddef.h>
#include <stdio.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client.h"
#include "model/instance.h"
#include "model/service_state.h"

#define AT(member) offsetof(struct lz_service_series, member)
static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"queue.length", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(queue_length), 0, 0,
     "requests waiting for a worker"},
    LZ_MEASURE_QUANTILES("queue.wait", AT(queue_wait), "wait for a worker"),
    {"busy", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(busy), 0, 0, "share of all workers that are held"},
    {"cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(cpu), 0, 0, "share of all cores in use"},
    {"replicas.up", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(up), 0, 0, "replicas whose process runs"},
    {"replicas.ready", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(ready), 0, 0,
     "replicas that run and are not paused"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_service_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

static void measure_cpu(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    double used = lz_cpu_busy(r->capacity->cpu) * s->cores;
    if (!(used < r->cpu_used || used > r->cpu_used))
        return;
    s->cpu_used += used - r->cpu_used;
    r->cpu_used = used;
    if (s->cpu_used < 1e-9)
        s->cpu_used = 0.0; // sums and differences leave dust
    lz_metrics_set(w->metrics, s->series.cpu, now, s->cpu_used / (s->cores * s->opts.replicas));
    if (r->own != NULL)
        lz_metrics_set(w->metrics, r->own->cpu, now, used / s->cores);
}

// Workers were taken or given back. The CPU may have changed since it was measured: a fault
// that steals from it does not say so.
static void measure_levels(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    double workers = (double)s->opts.concurrency;
    lz_metrics_set(w->metrics, s->series.busy, now, (double)s->busy / (workers * s->opts.replicas));
    if (r->own != NULL)
        lz_metrics_set(w->metrics, r->own->busy, now, (double)r->busy / workers);
    measure_cpu(w, s, r);
}

static void measure_queue(struct lz_world *w, struct lz_service *s,
                          const struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, s->series.queue_length, now, s->queued);
    if (r->own != NULL)
        lz_metrics_set(w->metrics, r->own->queue_length, now, r->queue_len);
}

static void measure_left(struct lz_world *w, struct lz_service *s,
                         const struct lz_service_replica *r, const struct lz_task *t,
                         enum lz_outcome outcome)
{
    lz_time latency = lz_sim_now(w->sim) - t->arrived;
    lz_measure_left(w, &s->series.m, outcome, latency);
    if (r->own != NULL)
        lz_measure_left(w, &r->own->m, outcome, latency);
}

static void enqueue(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                    struct lz_task *t)
{
    uint32_t index = t->head.index;
    t->queue_next = 0;
    t->queue_prev = r->queue_last;
    if (r->queue_last != 0)
        lz_task_at(w, r->queue_last)->queue_next = index;
    else
        r->queue_first = index;
    r->queue_last = index;
    r->queue_len++;
    s->queued++;
    measure_queue(w, s, r);
}

static void dequeue(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                    struct lz_task *t)
{
    LZ_ASSERT(r->queue_len > 0);
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        r->queue_first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        r->queue_last = t->queue_prev;
    r->queue_len--;
    s->queued--;
    measure_queue(w, s, r);
}

static void worked(struct lz_world *w, struct lz_task *t);

// Take the CPU for its part, then wait for the rest; `worked` or a handler goes on after.
void lz_service_take_cpu(struct lz_world *w, struct lz_service *s, struct lz_task *t, lz_time cpu,
                         lz_time rest)
{
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    t->rest_ns = rest;
    if (cpu > 0) {
        t->job = lz_cpu_add(w, r->capacity->cpu, cpu, lz_pool_id(t));
        measure_cpu(w, s, r);
    } else if (rest > 0) {
        t->rest_ns = 0;
        t->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + rest, w->services->rested, t->server,
                             lz_pool_id(t));
    } else {
        worked(w, t);
    }
}

static void start(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                  struct lz_task *t)
{
    LZ_ASSERT(r->busy < s->opts.concurrency);
    lz_time now = lz_sim_now(w->sim);
    r->busy++;
    s->busy++;
    t->state = LZ_TASK_WORKING;
    t->started = now;
    lz_metrics_observe(w->metrics, s->series.queue_wait, now - t->arrived);
    if (r->own != NULL)
        lz_metrics_observe(w->metrics, r->own->queue_wait, now - t->arrived);
    measure_levels(w, s, r);
    struct lz_capacity *c = r->capacity;
    if (c->loss_count > 0)
        lz_capacity_touch(c);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_SERVICE, 0);
    lz_time total = lz_service_scaled(lz_dist_time(&s->opts.service_time, &draw), c->factor);
    lz_time cpu = total;
    if (s->opts.cpu_time.kind != LZ_DIST_NONE) {
        draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_SERVICE, 1);
        cpu = lz_service_scaled(lz_dist_time(&s->opts.cpu_time, &draw), c->factor);
        cpu = cpu < total ? cpu : total;
    }
    lz_service_take_cpu(w, s, t, cpu, total - cpu);
}

static void start_next(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r)
{
    while (r->queue_len > 0 && r->busy < s->opts.concurrency) {
        struct lz_task *t = lz_task_at(w, s->opts.lifo ? r->queue_last : r->queue_first);
        dequeue(w, s, r, t);
        start(w, s, r, t);
    }
}

void lz_service_finish(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                       uint16_t status)
{
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    LZ_ASSERT(t->state == LZ_TASK_WORKING);
    LZ_ASSERT(r->busy > 0);
    r->busy--;
    s->busy--;
    measure_left(w, s, r, t, outcome);
    measure_levels(w, s, r);
    lz_task_answer(w, t, outcome, status);
    start_next(w, s, r);
}

static void next_step(struct lz_world *w, struct lz_service *s, struct lz_task *t)
{
    if (t->step == s->step_count) {
        lz_service_finish(w, t, LZ_OUTCOME_OK, 200);
        return;
    }
    t->child = lz_client_begin(w, &(struct lz_client_begin){
                                      .edge = s->steps[t->step],
                                      .client = t->server,
                                      .owner_kind = LZ_OWNER_TASK,
                                      .owner = lz_pool_id(t),
                                      .request = t->request,
                                      .path = lz_draw_index(t->path, t->step),
                                      .key = t->key,
                                      .parent_call = t->call_number,
                                      .op = s->opts.is_balancer ? t->op : 0,
                                  });
}

static bool turns_out_wrong(struct lz_world *w, const struct lz_service *s, const struct lz_task *t)
{
    double base = s->opts.error_ratio;
    double more = lz_service_replica(s, t->server)->capacity->error_ratio;
    double ratio = 1.0 - (1.0 - base) * (1.0 - more);
    if (!(ratio > 0.0))
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ERROR, 0);
    return lz_draw_unit(&draw) < ratio;
}

// The work that comes before calls and handlers is done.
static void worked(struct lz_world *w, struct lz_task *t)
{
    struct lz_service *s = lz_service_of(w, t);
    if (t->handler != 0 && t->step > 0) { // a handler's own work
        w->services->script.woken(w->services->script.ctx, lz_pool_id(t));
        return;
    }
    if (turns_out_wrong(w, s, t)) {
        lz_service_finish(w, t, LZ_OUTCOME_ERROR, 500);
        return;
    }
    for (uint32_t i = 0; i < s->handler_count && t->handler == 0; i++)
        if (s->handlers[i].op == t->op || s->handlers[i].op == 0)
            t->handler = s->handlers[i].number;
    if (s->handler_count > 0 && t->handler == 0) {
        // A request without an operation goes to the first handler there is.
        if (t->op != 0) {
            lz_service_finish(w, t, LZ_OUTCOME_ERROR, 404);
            return;
        }
        t->handler = s->handlers[0].number;
    }
    if (t->handler == 0) {
        next_step(w, s, t);
        return;
    }
    t->step = 1;
    w->services->script.start(w->services->script.ctx, lz_pool_id(t), t->handler);
}

static void on_worked(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->job == 0 || lz_instance_defer(w, entity, w->services->worked, payload))
        return;
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, entity);
    lz_cpu_remove(w, r->capacity->cpu, t->job);
    t->job = 0;
    measure_cpu(w, s, r);
    lz_service_take_cpu(w, s, t, 0, t->rest_ns);
}

static void on_rested(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->services->rested, payload))
        return;
    t->timer = 0;
    worked(w, t);
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

static void arrive(struct lz_world *w, struct lz_task *t)
{
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    lz_measure_arrived(w, &s->series.m);
    if (r->own != NULL)
        lz_measure_arrived(w, &r->own->m);
    lz_client_count_request(w, s->id);
    if (r->busy < s->opts.concurrency) {
        start(w, s, r, t);
    } else if (s->opts.queue_max == LZ_SERVICE_UNBOUNDED || r->queue_len < s->opts.queue_max) {
        enqueue(w, s, r, t);
    } else {
        measure_left(w, s, r, t, LZ_OUTCOME_REFUSED);
        lz_task_answer(w, t, LZ_OUTCOME_REFUSED, 503);
    }
}

static void called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    struct lz_service *s = lz_service_of(w, t);
    if (t->handler != 0) {
        w->services->script.called(w->services->script.ctx, lz_pool_id(t), result);
        return;
    }
    if (result->outcome != LZ_OUTCOME_OK) {
        lz_service_finish(w, t, LZ_OUTCOME_ERROR, result->status);
        return;
    }
    t->step++;
    next_step(w, s, t);
}

// Take back whatever the task holds at its replica; it is neither queued nor working after.
static void let_go(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                   struct lz_task *t)
{
    if (t->state == LZ_TASK_QUEUED) {
        dequeue(w, s, r, t);
        return;
    }
    if (t->job != 0)
        lz_cpu_remove(w, r->capacity->cpu, t->job);
    t->job = 0;
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
    lz_client_abandon(w, t);
    if (t->handler != 0)
        w->services->script.dropped(w->services->script.ctx, lz_pool_id(t));
    r->busy--;
    s->busy--;
    measure_levels(w, s, r);
}

static void cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    let_go(w, s, r, t);
    measure_left(w, s, r, t, LZ_OUTCOME_RESET);
    lz_task_free(w, t);
    start_next(w, s, r);
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    struct lz_service *s = lz_service_at(w, id);
    lz_measure_refused(w, &s->series.m);
    if (lz_service_replica(s, instance)->own != NULL)
        lz_measure_refused(w, &lz_service_replica(s, instance)->own->m);
}

static void measure_ups(struct lz_world *w, struct lz_service *s)
{
    uint32_t up = 0, ready = 0;
    for (uint32_t i = 0; i < s->opts.replicas; i++) {
        enum lz_instance_state state = lz_instance_get(w, s->first + i)->state;
        bool runs = state == LZ_INSTANCE_UP || state == LZ_INSTANCE_PAUSED;
        up += runs;
        ready += state == LZ_INSTANCE_UP;
        const struct lz_service_series *own = s->replicas[i].own;
        if (own == NULL)
            continue;
        lz_metrics_set(w->metrics, own->up, lz_sim_now(w->sim), runs ? 1.0 : 0.0);
        lz_metrics_set(w->metrics, own->ready, lz_sim_now(w->sim),
                       state == LZ_INSTANCE_UP ? 1.0 : 0.0);
    }
    lz_metrics_set(w->metrics, s->series.up, lz_sim_now(w->sim), up);
    lz_metrics_set(w->metrics, s->series.ready, lz_sim_now(w->sim), ready);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    struct lz_service_replica *r = lz_service_replica(s, id);
    uint32_t broken = 0;
    for (uint32_t at = lz_task_first_at(w, id); at != 0; at = lz_task_first_at(w, id)) {
        struct lz_task *t = lz_task_at(w, at);
        let_go(w, s, r, t);
        measure_left(w, s, r, t, LZ_OUTCOME_RESET);
        lz_task_reset(w, t, silent);
        broken++;
    }
    LZ_ASSERT(r->busy == 0 && r->queue_len == 0);
    lz_cpu_clear(w, r->capacity->cpu);
    lz_cpu_freeze(w, r->capacity->cpu, false);
    measure_levels(w, s, r);
    measure_ups(w, s);
    if (broken > 0 && !silent)
        lz_instance_note(w, id, "reset", "%u connections reset", broken);
}

static void started(struct lz_world *w, lz_instance_id id)
{
    measure_ups(w, lz_service_at(w, lz_instance_get(w, id)->component));
}

static void freeze(struct lz_world *w, lz_instance_id id, bool frozen)
{
    struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    struct lz_service_replica *r = lz_service_replica(s, id);
    lz_cpu_freeze(w, r->capacity->cpu, frozen);
    measure_levels(w, s, r);
    measure_ups(w, s);
}

static void stopped(struct lz_world *w, lz_instance_id id)
{
    freeze(w, id, true);
}

static void resumed(struct lz_world *w, lz_instance_id id)
{
    freeze(w, id, false);
}

static const struct lz_instance_ops instance_ops = {
    .died = died, .started = started, .stopped = stopped, .resumed = resumed};
static const struct lz_server_ops server_ops = {
    .arrive = arrive, .called = called, .cancel = cancel, .refused = refused};

void lz_services_init(struct lz_world *w)
{
    struct lz_services *ss = lz_arena_alloc(w->arena, sizeof(*ss));
    w->services = ss;
    ss->worked = lz_sim_kind(w->sim, "worked", on_worked, w);
    ss->rested = lz_sim_kind(w->sim, "rested", on_rested, w);
    ss->woken = lz_sim_kind(w->sim, "woken", on_woken, w);
}

static void make_series(struct lz_world *w, struct lz_service_series *s, double replicas)
{
    lz_measure_init(w, &s->m);
    s->queue_length = lz_metrics_gauge(w->metrics, 0.0);
    s->queue_wait = lz_metrics_hist(w->metrics);
    s->busy = lz_metrics_gauge(w->metrics, 0.0);
    s->cpu = lz_metrics_gauge(w->metrics, 0.0);
    s->up = lz_metrics_gauge(w->metrics, replicas);
    s->ready = lz_metrics_gauge(w->metrics, replicas);
}

static void fill_defaults(struct lz_service_opts *o)
{
    if (o->replicas == 0)
        o->replicas = 1;
    if (o->concurrency == 0)
        o->concurrency = 64;
    if (o->service_time.kind == LZ_DIST_NONE)
        o->service_time = lz_dist_constant(LZ_MS);
}

bool lz_service_create(struct lz_world *w, const struct lz_service_opts *opts, lz_component_id *id,
                       struct lz_err *err)
{
    if (opts->replicas > LZ_SERVICE_REPLICAS_MAX)
        return lz_fail(err, LZ_EFULL, "replicas must be at most %d, got %u",
                       LZ_SERVICE_REPLICAS_MAX, opts->replicas);
    if (!(opts->cpu >= 0.0))
        return lz_fail(err, LZ_ERANGE, "cpu must be positive, got %g", opts->cpu);
    if (!(opts->error_ratio >= 0.0 && opts->error_ratio <= 1.0))
        return lz_fail(err, LZ_ERANGE, "error_ratio must be between 0 and 1, got %g",
                       opts->error_ratio);
    enum lz_component_kind kind = opts->is_balancer ? LZ_COMPONENT_BALANCER : LZ_COMPONENT_SERVICE;
    if (!lz_world_add(w, opts->name, kind, opts->line, id, err))
        return false;

    struct lz_services *ss = w->services;
    ss->all = lz_grow(w->arena, ss->all, &ss->cap, *id + 1, sizeof(struct lz_service *));
    struct lz_service *s = ss->all[*id] = lz_arena_alloc(w->arena, sizeof(*s));
    s->opts = *opts;
    s->opts.name = lz_world_component(w, *id)->name;
    fill_defaults(&s->opts);
    s->id = *id;
    s->cores = s->opts.cpu > 0.0 ? s->opts.cpu : (double)s->opts.concurrency;
    lz_instances_add(w, *id, s->opts.replicas, &opts->spread, &instance_ops);
    s->first = lz_world_component(w, *id)->instances_first;
    s->replicas = lz_arena_alloc(w->arena, s->opts.replicas * sizeof(*s->replicas));
    for (uint32_t i = 0; i < s->opts.replicas; i++)
        s->replicas[i].capacity = lz_capacity_create(w, s->first + i, s->cores, ss->worked);
    make_series(w, &s->series, (double)s->opts.replicas);
    lz_measure_define(w, *id, "", rows, ROW_COUNT, &s->series);
    lz_requests_measure(w, *id);
    lz_task_serve(w, *id, &server_ops);
    return true;
}

bool lz_service_add_call(struct lz_world *w, lz_component_id service, lz_edge_id edge,
                         struct lz_err *err)
{
    struct lz_service *s = lz_service_at(w, service);
    if (s->step_count == UINT16_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d calls in a service", UINT16_MAX);
    s->steps = lz_grow(w->arena, s->steps, &s->step_cap, s->step_count + 1, sizeof(*s->steps));
    s->steps[s->step_count++] = edge;
    return true;
}

void lz_service_set_handlers(struct lz_world *w, const struct lz_service_handlers *handlers)
{
    w->services->script = *handlers;
}

bool lz_service_handle(struct lz_world *w, lz_component_id service, const char *op,
                       uint32_t handler, struct lz_err *err)
{
    LZ_ASSERT(handler != 0);
    struct lz_service *s = lz_service_at(w, service);
    lz_op number = lz_call_op(w, op);
    for (uint32_t i = 0; i < s->handler_count; i++)
        if (s->handlers[i].op == number)
            return lz_fail(err, LZ_EEXIST, "\"%s\" is handled twice", op != NULL ? op : "");
    s->handlers =
        lz_grow(w->arena, s->handlers, &s->handler_cap, s->handler_count + 1, sizeof(*s->handlers));
    s->handlers[s->handler_count++] = (struct lz_service_handler){.op = number, .number = handler};
    return true;
}

bool lz_service_is_handled(const struct lz_world *w, lz_component_id id)
{
    const struct lz_services *ss = w->services;
    return id < ss->cap && ss->all[id] != NULL && ss->all[id]->handler_count > 0;
}

lz_metric lz_service_replica_metric(struct lz_world *w, lz_component_id service, uint32_t ordinal,
                                    const char *name)
{
    LZ_ASSERT(!w->running);
    struct lz_service *s = lz_service_at(w, service);
    if (ordinal < 1 || ordinal > s->opts.replicas)
        return 0;
    char prefix[32];
    snprintf(prefix, sizeof(prefix), "replica[%u].", ordinal);
    struct lz_service_replica *r = &s->replicas[ordinal - 1];
    if (r->own == NULL) {
        r->own = lz_arena_alloc(w->arena, sizeof(*r->own));
        make_series(w, r->own, 1.0);
        lz_measure_define(w, service, prefix, rows, ROW_COUNT, r->own);
    }
    char full[96];
    snprintf(full, sizeof(full), "%s%s", prefix, name);
    return lz_metrics_find(w->metrics, service, full);
}
