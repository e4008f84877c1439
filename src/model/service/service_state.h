/*
 * service_state.h — what the parts of a service share; for model/ only.
 *
 *   service.c   what it is made of; a request arrives, its process ends
 *   admission.c who may come in
 *   queue.c     who waits for a worker
 *   preempt.c   who loses its worker to whom
 *   serve.c     a request and its worker: work, calls, answer
 *   io.c        what a request does on the disk
 *   pods.c      replicas that come and go
 *   autoscale.c how many of them
 *   pod_order.c which go first when they are to be fewer
 *   rollout.c   and of which version
 *   disruption.c how many may be taken away
 *   step.c      the calls it has declared
 *   straight.c  most requests: all of it in one go
 *   version.c   which build serves a request
 *   handler.c   what its own code does with a request
 *   level.c     what it measures
 */
#ifndef LZ_MODEL_SERVICE_SERVICE_STATE_H
#define LZ_MODEL_SERVICE_SERVICE_STATE_H

#include "base/check.h"
#include "model/client/client.h"
#include "model/measure.h"
#include "model/node/capacity.h"
#include "model/node/instance.h"
#include "model/service/service.h"
#include "model/service/task.h"
#include "model/service/vegas.h"

struct lz_service_series {
    struct lz_measure m; /* first: the offsets of its rows count from here */
    lz_series queue_length, queue_wait, busy, cpu, up, ready, restarts, desired, memory, degraded,
        tokens_refused, updated, available, unavailable; /* the last three of a rollout */
    struct lz_series_face *queue_length_on, *queue_wait_on, *busy_on, *cpu_on;
};

/* Those of one priority that wait, oldest first. */
struct lz_queue_class {
    uint32_t first, final;
};

/* What a replica knows of its load, for turning requests away. */
struct lz_admission {
    double tokens; /* of the rate limit, at `filled` */
    lz_time filled;
    double cpu_used_ns; /* at `looked` */
    lz_time looked;
    double cpu; /* share in use between the last two looks */
};

/* What a replica's CPU has used; kept for services that scale, or shed by it. */
struct lz_service_use {
    double ns; /* of one core, up to `at` */
    lz_time at;
};

/* What a replica keeps where its service has a rule that asks for it. */
struct lz_service_rules {
    struct lz_codel codel;
    struct lz_admission admission;
    struct lz_vegas vegas;
    struct lz_service_use use;
    struct lz_queue_class *working; /* who may lose its worker, by priority; NULL: nobody */
};

/* There may be a million that nobody calls: tests/unit/test_memory.c holds what one takes. */
struct lz_service_replica {
    struct lz_capacity *capacity;   /* NULL: not used so far */
    struct lz_service_series *own;  /* NULL unless somebody asked for this replica's metrics */
    struct lz_service_rules *rules; /* NULL if its service has none that it is there for */
    uint32_t busy;                  /* workers held */
    uint32_t queue_len;
    lz_time queue_since; /* that it is not empty */
    struct lz_queue_class classes[LZ_PRIORITIES];
    double cpu_used;      /* cores, as last measured */
    uint32_t cpu_changes; /* of its CPU, as last measured */
    bool is_up, is_ready; /* as last counted */
    bool is_known;        /* the control plane has it as ready */
};

/* How requests are served: by the service as it is declared, or by one of its versions. */
struct lz_service_build {
    struct lz_dist service_time;
    struct lz_dist cpu_time; /* NONE: all of the service time */
    double error_ratio;
    double factor; /* of faults that hit this build; 1: none */
};

struct lz_service_handler {
    lz_op op; /* 0: any */
    uint32_t number;
};

struct lz_service {
    struct lz_service_opts opts;
    lz_component_id id;
    lz_instance_id first;
    struct lz_service_replica *replicas;
    struct lz_service_series series;
    struct lz_service_build *builds; /* by task->version; 0: as declared */
    struct lz_service_build own;
    struct lz_versions *versions; /* NULL: none */
    struct lz_gateway *gateway;   /* NULL: it is none */
    uint32_t slots;               /* replicas there may be */
    uint32_t present;             /* of them that there are, dead ones too */
    struct lz_pods *pods;         /* NULL: replicas stay where they are */
    struct lz_autoscale *scale;   /* NULL: as many as they are */
    struct lz_rollout *rollout;   /* NULL: there is none */
    struct lz_call_member *steps;
    lz_edge_id bundle; /* of all of them; 0: in a row, or not needed yet */
    uint32_t step_count, step_cap;
    struct lz_service_handler *handlers;
    uint32_t handler_count, handler_cap;
    uint32_t busy, queued; /* all replicas */
    uint32_t up, ready;    /* of the slots */
    bool does_io;          /* each request does something on the disk */
    bool has_admission;    /* rules that turn requests away */
    bool keeps_cpu;        /* counts what the CPU has used */
    bool has_patience;     /* who waits too long leaves: task->timer says when */
    lz_lane patience;      /* where it is a constant */
    lz_lane patience_short;
    double cores;          /* of one replica */
    uint32_t straight;     /* lz_world's `ways` when it was as straight.h has it; 0: never */
    uint32_t looked;       /* and when it was last looked whether it is */
    bool is_made_straight; /* all that cannot change during the run is so */
    lz_time certain;       /* its service time, if that is; -1: it is drawn */
};

struct lz_services {
    struct lz_service **all; /* by component */
    uint32_t cap;
    struct lz_service_handlers script;
    lz_kind worked, rested, woken, scale, slot, patience;
    lz_kind drawn, certain;     /* requests that come straight, see straight.h */
    lz_kind rollout;            /* 0: nothing is rolled out */
    lz_kind io_done, io_failed; /* 0: nobody does any */
    bool has_unheard;           /* of some replica the control plane does not know how it is */
    bool has_untold, has_left;  /* some pod is deleted in name only (pods.h) */
    uint64_t said;              /* an lz_value: what the answer that is being given says */
    uint64_t says;              /* how often one has said something */
};

static inline struct lz_service *lz_service_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->services->cap && w->services->all[id] != NULL);
    return w->services->all[id];
}

static inline struct lz_service *lz_service_of(const struct lz_world *w, const struct lz_task *t)
{
    const struct lz_instance *i = lz_instance_get(w, t->server);
    struct lz_service *s = i->whole;
    LZ_ASSERT(s->id == i->component);
    return s;
}

static inline struct lz_service_replica *lz_service_replica(const struct lz_service *s,
                                                            lz_instance_id instance)
{
    LZ_ASSERT(instance - s->first < s->slots);
    return &s->replicas[instance - s->first];
}

/* Who serves a task: what its instance says at one look. */
struct lz_service_seat {
    struct lz_service *s;
    struct lz_service_replica *r;
};

static inline struct lz_service_seat lz_service_seat_at(const struct lz_instance *i)
{
    return (struct lz_service_seat){.s = i->whole, .r = i->part};
}

static inline struct lz_service_seat lz_service_seat(const struct lz_world *w,
                                                     lz_instance_id instance)
{
    return lz_service_seat_at(lz_instance_get(w, instance));
}

/* What it can do, made if it is the first time that somebody asks. */
static inline struct lz_capacity *
lz_service_capacity(struct lz_world *w, const struct lz_service_replica *r, lz_instance_id instance)
{
    return r->capacity != NULL ? r->capacity : lz_capacity_get(w, instance);
}

/* A time as a degraded replica takes it. */
static inline lz_time lz_service_scaled(lz_time t, double factor)
{
    return factor > 1.0 || factor < 1.0 ? (lz_time)((double)t * factor + 0.5) : t;
}

/* ---- admission.c: of a service that has such rules */
bool lz_admission_declare(struct lz_world *w, struct lz_service *s,
                          struct lz_err *err) LZ_MUST_CHECK;

/* The status by which a request that has just come is refused; 0: it may come in. */
uint16_t lz_admission_check(struct lz_world *w, const struct lz_service *s,
                            struct lz_service_replica *r);

/* A request was answered well: what an adaptive limit learns from. */
void lz_admission_answered(struct lz_world *w, const struct lz_service *s,
                           struct lz_service_replica *r, const struct lz_task *t);

/* ---- queue.c: tasks that wait at a replica, oldest first */
void lz_queue_push(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                   struct lz_task *t);
void lz_queue_push_front(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                         struct lz_task *t); /* it was at work, and is the next of its class */
void lz_queue_remove(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t);

/* The next to be served, out of the queue; those that are dropped on the way are refused. */
struct lz_task *lz_queue_take(struct lz_world *w, struct lz_service *s,
                              struct lz_service_replica *r);

/* Who would have to go for a more urgent one: the youngest of the least urgent, or NULL. */
struct lz_task *lz_queue_victim(struct lz_world *w, const struct lz_service_replica *r,
                                const struct lz_task *t);

/* How long the one that came first waits; 0 if nobody does. */
lz_time lz_queue_age(const struct lz_world *w, const struct lz_service_replica *r);

void lz_queue_init(struct lz_world *w);
bool lz_queue_declare(struct lz_world *w, struct lz_service *s, struct lz_err *err) LZ_MUST_CHECK;

/* ---- preempt.c: of a service whose queue is preemptive */

/* Its own work begins, or ends: only between the two may it lose its worker. */
void lz_preempt_joins(struct lz_world *w, struct lz_service_replica *r, struct lz_task *t);
void lz_preempt_leaves(struct lz_world *w, struct lz_service_replica *r, struct lz_task *t);

/* Take a worker from somebody less urgent than `t`; false: nobody can lose one. */
bool lz_preempt_take(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     const struct lz_task *t) LZ_MUST_CHECK;

/* One that lost its worker, and is out of the queue: it goes on, with a worker; or never will. */
void lz_preempt_resume(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                       struct lz_task *t);
void lz_preempt_forget(const struct lz_world *w, struct lz_task *t);

/* ---- serve.c: a task from its arrival to the answer */
void lz_serve_init(struct lz_world *w);
void lz_serve_arrive(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t);
void lz_serve_let_in(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t);
void lz_serve_worked(struct lz_world *w, lz_instance_id at, struct lz_task *t); /* on the CPU */
void lz_serve_count(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                    struct lz_task *t); /* it has come, whatever becomes of it */

/* The work that comes before calls and handlers is done, on the disk too. */
void lz_serve_go_on(struct lz_world *w, struct lz_task *t);

/* There must be a free worker. */
void lz_serve_start(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                    struct lz_task *t);

/* The same with a demand of its own, in place of the service time. */
void lz_serve_start_with(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                         struct lz_task *t, lz_time demand);

/* Workers have become free: take those who wait. */
void lz_serve_next(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r);

/* Take the CPU for its part, then wait for the rest; calls or a handler go on after. */
void lz_serve_take_cpu(struct lz_world *w, struct lz_service *s, struct lz_task *t, lz_time cpu,
                       lz_time rest);

/* A task that has no worker is turned away. */
void lz_serve_refuse(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t, uint16_t status);

/* The working task answers, and its worker takes the next. */
void lz_serve_finish(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                     uint16_t status);
void lz_serve_finish_at(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t,
                        enum lz_outcome outcome, uint16_t status);

/* Take back whatever the task holds at its replica; it is neither queued nor working after. */
void lz_serve_let_go(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t);

/* ---- io.c: of a service that declares some */
bool lz_io_declare(struct lz_world *w, struct lz_service *s, struct lz_err *err) LZ_MUST_CHECK;
bool lz_io_begin(struct lz_world *w, struct lz_task *t); /* false: nothing to wait for */

/* ---- gateway.c: only of services that are one */

/* Can it be answered from the replica's cache? */
bool lz_gateway_hits(struct lz_world *w, struct lz_service *s, const struct lz_task *t);
void lz_gateway_fetched(struct lz_world *w, struct lz_service *s, const struct lz_task *t);
void lz_gateway_died(struct lz_service *s, lz_instance_id id);

/* ---- step.c: the declared calls of a task that has done its own work */
void lz_step_begin(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t);
void lz_step_called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result);
void lz_step_let_go(struct lz_world *w, struct lz_task *t); /* it will not be answered */

/* ---- version.c: only of services that have versions. A task takes its version as it arrives. */
void lz_version_arrived(struct lz_world *w, struct lz_service *s, struct lz_task *t);
void lz_version_left(struct lz_world *w, struct lz_service *s, const struct lz_task *t,
                     enum lz_outcome outcome);

/* ---- autoscale.c: of a service whose replicas follow the load */
void lz_autoscale_init(struct lz_world *w);
void lz_autoscale_create(struct lz_world *w, struct lz_service *s);

/* ---- pods.c: is it there? What is stolen from the others is nobody's load. */
bool lz_pods_has(const struct lz_service *s, const struct lz_service_replica *r);

/* ---- level.c: what a service measures beside what measure.h has */

/* Count what the CPU has used up to now. */
void lz_level_settle_cpu(struct lz_world *w, struct lz_service_replica *r);

/*
 * Make series of so many of its replicas, and name their metrics, with `prefix` in front; NULL:
 * they have no names.
 */
void lz_level_define(struct lz_world *w, const struct lz_service *s, const char *prefix,
                     struct lz_service_series *series, uint32_t replicas);

static inline void lz_level_cpu_changed(struct lz_world *w, struct lz_service *s,
                                        struct lz_service_replica *r)
{
    const struct lz_cpu *cpu = r->capacity->cpu;
    r->cpu_changes = lz_cpu_changes(cpu);
    bool is_there = s->pods == NULL || lz_pods_has(s, r);
    double used = is_there ? lz_cpu_used(cpu) : 0.0, by = used - r->cpu_used;
    if (!__builtin_islessgreater(by, 0.0))
        return;
    if (s->keeps_cpu)
        lz_level_settle_cpu(w, r);
    r->cpu_used = used;
    lz_measure_cores(w, s->series.cpu_on, by);
    if (r->own != NULL)
        lz_measure_cores(w, r->own->cpu_on, by);
}

static inline void lz_level_cpu(struct lz_world *w, struct lz_service *s,
                                struct lz_service_replica *r)
{
    if (r->capacity != NULL && lz_cpu_changes(r->capacity->cpu) != r->cpu_changes)
        lz_level_cpu_changed(w, s, r);
}

/* Workers were taken or given back. */
static inline void lz_level_workers(struct lz_world *w, struct lz_service *s,
                                    struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_count_on(w->metrics, s->series.busy_on, now, s->busy);
    if (r->own != NULL)
        lz_metrics_count_on(w->metrics, r->own->busy_on, now, r->busy);
    lz_level_cpu(w, s, r);
}
void lz_level_queue(struct lz_world *w, struct lz_service *s, const struct lz_service_replica *r);

/* There are more or fewer replicas: shares are of others. */
void lz_level_present(struct lz_world *w, struct lz_service *s);

/* How many are up and ready as the run begins; then: a process began, ended, stopped or went on. */
void lz_level_begin(const struct lz_world *w, struct lz_service *s);
void lz_level_up(struct lz_world *w, struct lz_service *s, lz_instance_id id);
void lz_level_began(struct lz_world *w, struct lz_service *s, lz_instance_id id);
void lz_level_heard(struct lz_world *w); /* what was not heard of may be by now */

/* A task has ended here. */
void lz_level_left(struct lz_world *w, struct lz_service *s, const struct lz_service_replica *r,
                   const struct lz_task *t, enum lz_outcome outcome);
static inline void lz_level_answered(struct lz_world *w, struct lz_service *s,
                                     const struct lz_service_replica *r, const struct lz_task *t,
                                     enum lz_outcome outcome)
{
    if (outcome == LZ_OUTCOME_OK && r->own == NULL && s->versions == NULL)
        lz_measure_answered(w, &s->series.m, lz_sim_now(w->sim) - t->arrived);
    else
        lz_level_left(w, s, r, t, outcome);
}

#endif
