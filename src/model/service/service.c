#include "model/service/service.h"

#include <stdio.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client/client.h"
#include "model/client/edge.h"
#include "model/node/disk.h"
#include "model/node/instance.h"
#include "model/service/auth.h"
#include "model/service/autoscale.h"
#include "model/service/disruption.h"
#include "model/service/image.h"
#include "model/service/rollout.h"
#include "model/service/service_state.h"
#include "model/service/straight.h"

static void turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status)
{
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    lz_serve_count(w, s, r, t);
    lz_level_left(w, s, r, t, outcome);
    t->value = 0; // was its deadline
    lz_task_answer(w, t, outcome, status);
}

static void cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    lz_serve_let_go(w, s, r, t);
    lz_level_left(w, s, r, t, LZ_OUTCOME_PENDING);
    lz_task_free(w, t);
    lz_serve_next(w, s, r);
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    struct lz_service *s = lz_service_at(w, id);
    lz_measure_refused(w, &s->series.m);
    if (lz_service_replica(s, instance)->own != NULL)
        lz_measure_refused(w, &lz_service_replica(s, instance)->own->m);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    struct lz_service_replica *r = lz_service_replica(s, id);
    uint32_t broken = 0;
    for (uint32_t at = lz_task_first_at(w, id); at != 0; at = lz_task_first_at(w, id)) {
        struct lz_task *t = lz_task_at(w, at);
        lz_serve_let_go(w, s, r, t);
        lz_level_left(w, s, r, t, LZ_OUTCOME_RESET);
        lz_task_reset(w, t, silent);
        broken++;
    }
    LZ_ASSERT(r->busy == 0 && r->queue_len == 0);
    if (s->gateway != NULL)
        lz_gateway_died(s, id);
    if (w->auths != NULL)
        lz_auth_died(w, id);
    if (r->capacity != NULL) {
        lz_cpu_clear(w, r->capacity->cpu);
        lz_cpu_freeze(w, r->capacity->cpu, false);
    }
    lz_level_workers(w, s, r);
    lz_level_up(w, s, id);
    if (broken > 0 && !silent)
        lz_instance_note(w, id, "reset", "%u connections reset", broken);
}

static void started(struct lz_world *w, lz_instance_id id)
{
    struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    const struct lz_service_replica *r = lz_service_replica(s, id);
    lz_metrics_add(w->metrics, s->series.restarts, 1);
    if (r->own != NULL)
        lz_metrics_add(w->metrics, r->own->restarts, 1);
    lz_level_began(w, s, id);
    lz_level_up(w, s, id);
    if (w->auths != NULL)
        lz_auth_started(w, id);
}

static void turned(struct lz_world *w, lz_instance_id id)
{
    lz_level_up(w, lz_service_at(w, lz_instance_get(w, id)->component), id);
}

static void freeze(struct lz_world *w, lz_instance_id id, bool frozen)
{
    struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    struct lz_service_replica *r = lz_service_replica(s, id);
    lz_cpu_freeze(w, lz_service_capacity(w, r, id)->cpu, frozen);
    lz_level_workers(w, s, r);
    lz_level_up(w, s, id);
}

static void loaded(struct lz_world *w, lz_instance_id id)
{
    struct lz_service_seat seat = lz_service_seat(w, id);
    lz_level_cpu(w, seat.s, seat.r);
}

static void stopped(struct lz_world *w, lz_instance_id id)
{
    freeze(w, id, true);
}

static void resumed(struct lz_world *w, lz_instance_id id)
{
    freeze(w, id, false);
}

const struct lz_instance_ops lz_service_instance_ops = {.died = died,
                                                        .started = started,
                                                        .stopped = stopped,
                                                        .resumed = resumed,
                                                        .turned = turned,
                                                        .may_start = lz_image_may_start,
                                                        .loaded = loaded};

// What a limit holds back is there too.
static uint32_t load(const struct lz_world *w, lz_instance_id id)
{
    return lz_task_count_at(w, id);
}

static void held(struct lz_world *w, struct lz_task *t)
{
    struct lz_service *s = lz_service_of(w, t);
    lz_serve_count(w, s, lz_service_replica(s, t->server), t);
}

static void let_in(struct lz_world *w, struct lz_task *t)
{
    lz_serve_let_in(w, lz_service_seat(w, t->server), t);
}

static void left(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome)
{
    struct lz_service *s = lz_service_of(w, t);
    lz_level_left(w, s, lz_service_replica(s, t->server), t, outcome);
}

static const struct lz_door_ops door_ops = {.held = held, .let_in = let_in, .left = left};

static const struct lz_server_ops server_ops = {.arrive = lz_straight_arrive,
                                                .draws = lz_straight_draws,
                                                .request = lz_straight_request,
                                                .turn_away = turn_away,
                                                .called = lz_step_called,
                                                .cancel = cancel,
                                                .load = load,
                                                .refused = refused,
                                                .door = &door_ops};

void lz_services_init(struct lz_world *w)
{
    struct lz_services *ss = lz_arena_alloc(w->arena, sizeof(*ss));
    w->services = ss;
    lz_serve_init(w);
    lz_autoscale_init(w);
    lz_pods_init(w);
    lz_queue_init(w);
}

static void fill_defaults(struct lz_service_opts *o)
{
    if (o->replicas == 0)
        o->replicas = o->autoscale.max > 0 ? o->autoscale.min : 1;
    if (o->concurrency == 0)
        o->concurrency = 64;
    if (o->service_time.kind == LZ_DIST_NONE)
        o->service_time = lz_dist_constant(LZ_MS);
}

// With spare ones for who drains, and for what is more for a while.
static uint32_t places(const struct lz_service_opts *o)
{
    uint32_t most = o->autoscale.max > o->replicas ? o->autoscale.max : o->replicas;
    uint32_t spare = o->rollout.is_on       ? lz_rollout_spare(&o->rollout, most)
                     : o->autoscale.max > 0 ? most
                                            : 0;
    return most + spare;
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
    struct lz_autoscale_opts scale = opts->autoscale;
    if (scale.max > 0 && !lz_autoscale_check(&scale, opts->replicas, err))
        return false;
    struct lz_rollout_opts rollout = opts->rollout;
    if (rollout.is_on && !lz_rollout_check(&rollout, err))
        return false;
    if (opts->disruption.is_on && !lz_disruption_check(&opts->disruption, err))
        return false;
    enum lz_component_kind kind = opts->kind != 0     ? opts->kind
                                  : opts->is_gateway  ? LZ_COMPONENT_GATEWAY
                                  : opts->is_balancer ? LZ_COMPONENT_BALANCER
                                                      : LZ_COMPONENT_SERVICE;
    if (!lz_world_add(w, opts->name, kind, opts->line, id, err))
        return false;

    struct lz_services *ss = w->services;
    ss->all = lz_grow(w->arena, ss->all, &ss->cap, *id + 1, sizeof(struct lz_service *));
    struct lz_service *s = ss->all[*id] = lz_arena_alloc(w->arena, sizeof(*s));
    s->opts = *opts;
    s->opts.autoscale = scale;
    s->opts.rollout = rollout;
    s->opts.name = lz_world_component(w, *id)->name;
    fill_defaults(&s->opts);
    s->id = *id;
    s->own = (struct lz_service_build){.service_time = s->opts.service_time,
                                       .cpu_time = s->opts.cpu_time,
                                       .error_ratio = s->opts.error_ratio,
                                       .factor = 1.0};
    s->builds = &s->own;
    s->cores = s->opts.cpu > 0.0 ? s->opts.cpu : (double)s->opts.concurrency;
    w->components[*id].port = opts->port;
    s->present = s->opts.replicas;
    s->slots = places(&s->opts);
    lz_instances_add(w, *id, s->slots, &opts->spread,
                     opts->instance_ops != NULL ? opts->instance_ops : &lz_service_instance_ops);
    s->first = lz_world_component(w, *id)->instances_first;
    s->replicas = lz_arena_alloc(w->arena, s->slots * sizeof(*s->replicas));
    lz_instances_keep(w, *id, s, s->replicas, sizeof(s->replicas[0]));
    lz_capacity_declare(w, *id, s->cores, ss->worked,
                        (struct lz_capacity_places){.first = &s->replicas[0].capacity,
                                                    .stride = sizeof(s->replicas[0])});
    if (!lz_queue_declare(w, s, err) || !lz_admission_declare(w, s, err) ||
        !lz_io_declare(w, s, err))
        return false;
    if (s->slots > s->present || scale.max > 0)
        lz_pods_create(w, s, scale.max > 0 ? scale.startup : 0);
    if (scale.max > 0)
        lz_autoscale_create(w, s);
    if (rollout.is_on)
        lz_rollout_create(w, s);
    lz_level_begin(w, s);
    lz_level_define(w, s, opts->kind != 0 ? NULL : "", &s->series, s->present);
    if (s->opts.autoscale.max > 0)
        lz_metrics_heed(w->metrics, s->series.m.outcomes); // it looks at them
    if (opts->kind == 0)
        lz_requests_measure(w, *id);
    lz_task_serve(w, *id, &server_ops);
    return true;
}

lz_task_id lz_service_begin(struct lz_world *w, const struct lz_service_begin *begin)
{
    struct lz_task *t = lz_task_begin(w, begin->instance, begin->path, begin->key);
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, t->server);
    lz_task_id id = lz_pool_id(t);
    lz_serve_count(w, s, r, t);
    if (begin->demand > 0)
        lz_serve_start_with(w, s, r, t, begin->demand);
    else
        lz_serve_start(w, s, r, t);
    return id;
}

bool lz_service_add_call(struct lz_world *w, lz_component_id service,
                         const struct lz_call_member *call, struct lz_err *err)
{
    struct lz_service *s = lz_service_at(w, service);
    if (s->step_count == UINT16_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d calls in a service", UINT16_MAX);
    if (s->opts.parallel && lz_edge_get(w, call->edge)->opts.session)
        return lz_fail(err, LZ_EINVAL,
                       "a call that is a transaction is made in a row with others: leave out "
                       "`parallel`");
    s->steps = lz_grow(w->arena, s->steps, &s->step_cap, s->step_count + 1, sizeof(*s->steps));
    s->steps[s->step_count++] = *call;
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
    lz_disk_serves(w, service); // it may: req:disk
    s->handlers =
        lz_grow(w->arena, s->handlers, &s->handler_cap, s->handler_count + 1, sizeof(*s->handlers));
    s->handlers[s->handler_count++] = (struct lz_service_handler){.op = number, .number = handler};
    return true;
}

bool lz_service_heeds_deadlines(const struct lz_world *w, lz_component_id id)
{
    const struct lz_services *ss = w->services;
    return id < ss->cap && ss->all[id] != NULL && ss->all[id]->opts.deadlines;
}

bool lz_service_wants_deadlines(const struct lz_world *w, lz_component_id id)
{
    return lz_service_heeds_deadlines(w, id) || lz_service_is_handled(w, id);
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
    if (ordinal < 1 || ordinal > s->slots)
        return 0;
    char prefix[32];
    snprintf(prefix, sizeof(prefix), "replica[%u].", ordinal);
    struct lz_service_replica *r = &s->replicas[ordinal - 1];
    if (r->own == NULL) {
        r->own = lz_arena_alloc(w->arena, sizeof(*r->own));
        lz_level_define(w, s, prefix, r->own, 1);
    }
    char full[96];
    snprintf(full, sizeof(full), "%s%s", prefix, name);
    return lz_metrics_find(w->metrics, service, full);
}
