/*
 * service.h — application tiers: replicas, workers, a queue, work and calls.
 *
 * A request that arrives at a replica takes one of `concurrency` workers, waits in
 * the bounded queue, or is refused at once. It holds its worker for the service time
 * and then for its calls, one after the other; if one fails the request fails. All of
 * the service time is demand on the CPU unless `cpu_time` says less; the replica's
 * `cpu` cores are shared by processor sharing, and nothing contends unless there are
 * fewer cores than workers or some are stolen.
 *
 * A handler, if there is one, takes the place of the calls: it decides what to do
 * and answers by lz_handler_answer (handler.h).
 */
#ifndef LZ_MODEL_SERVICE_SERVICE_H
#define LZ_MODEL_SERVICE_SERVICE_H

#include "model/client/call.h"
#include "model/place.h"
#include "model/service/amount.h"
#include "model/service/codel.h"
#include "model/service/scaling.h"
#include "model/world.h"

#define LZ_SERVICE_REPLICAS_MAX 100000
#define LZ_SERVICE_UNBOUNDED UINT32_MAX

typedef uint64_t lz_task_id; /* a request being served; stale ones are recognised */

/* Who is next when a worker is free, of those of the most urgent class that waits. */
enum lz_queue_policy {
    LZ_QUEUE_FIFO,
    LZ_QUEUE_LIFO,
    LZ_QUEUE_CODEL, /* fifo; drops what makes the queue stand (codel.h) */
    /*
     * The oldest while the queue empties now and then; the newest while it stands, that is has
     * not been empty for `interval`. Who comes to a queue that stands waits at most `target`,
     * others `interval`. Facebook's (Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
     */
    LZ_QUEUE_ADAPTIVE_LIFO,
};

#define LZ_PRIORITIES 8 /* classes of requests: 0 is served first */

/* Requests that wait for a worker, per replica. */
struct lz_queue_opts {
    uint32_t max; /* as given; LZ_SERVICE_UNBOUNDED */
    enum lz_queue_policy policy;
    struct lz_dist timeout;     /* what has waited so long is refused; NONE: waits on */
    struct lz_codel_opts codel; /* 0 means 5 ms and 100 ms */
    bool preemptive; /* who finds no worker takes that of somebody less urgent; FIFO only */
};

/* A replica turns away what comes while it is overloaded, whatever room its queue has. 0: never. */
struct lz_shed_opts {
    uint32_t in_flight; /* so many requests it has already */
    double cpu;         /* share of its cores that was in use over the last second or more */
    lz_time queue_age;  /* its oldest request waits so long */
};

/* A limit of requests in flight at each replica that follows what they take (vegas.h). */
struct lz_adaptive_limit_opts {
    uint32_t initial; /* 0 means 20 */
    uint32_t max;     /* 0: no such limit */
};

/* A token bucket at each replica; what finds no token is turned away. */
struct lz_rate_limit_opts {
    double rate;     /* tokens per second; 0: no limit */
    double burst;    /* tokens it holds; 0 means one second's */
    uint16_t status; /* of the refusal; 0 means 429 */
};

/* What each request does on the replica's disk (io.c); a fraction is a chance. */
struct lz_io_opts {
    double reads, writes;
    bool flush; /* one fsync after the writes */
};

/* Replicas follow the load (autoscale.h). Of the targets at least one is not 0, but `by_hand`. */
struct lz_autoscale_opts {
    uint32_t min, max;       /* min 0 means 1; max 0: replicas stay as they are */
    bool by_hand;            /* nothing follows the load: lz_autoscale_set alone changes them */
    double target_cpu;       /* share of the cores in use that it aims at */
    double target_rate;      /* requests that a replica answers per second */
    double target_in_flight; /* requests at a replica, served or waiting */
    lz_time startup;         /* until a new replica serves */
    bool is_simple;          /* a cooldown in place of the rules */
    lz_time cooldown;        /* between two decisions */
    lz_time period;          /* between two looks; 0 means 15 s */
    struct lz_scaling_rules up, down;
};

/* How a new version replaces the old one (rollout.h); both amounts are Kubernetes' 25 % there. */
struct lz_rollout_opts {
    bool is_on;
    bool is_recreate;
    struct lz_amount max_surge, max_unavailable;
    lz_time min_ready; /* so long it must be ready to count as available */
    lz_time deadline;  /* 0 means 10 min */
};

/* How many may be taken away on purpose (disruption.h). */
struct lz_disruption_opts {
    bool is_on;
    bool is_min; /* `amount` must stay, else so many may be missing */
    struct lz_amount amount;
};

struct lz_instance_ops;

struct lz_service_opts {
    const char *name;
    uint32_t line;
    enum lz_component_kind kind; /* what it is besides; 0: one of the three below */
    /* Of such a one: its processes' ops, which call the service's own, and who is told when work
     * that lz_service_begin began has ended. Its metrics are its own. */
    const struct lz_instance_ops *instance_ops;
    void (*ended)(struct lz_world *w, lz_instance_id instance, enum lz_outcome outcome);
    bool is_gateway;   /* a balancer that is called a gateway */
    bool is_balancer;  /* passes the answer of its one call on, as a proxy does */
    uint32_t replicas; /* at first; 0 means 1, or the least that autoscale allows */
    struct lz_spread spread;
    uint32_t concurrency; /* 0 means 64 */
    struct lz_queue_opts queue;
    struct lz_shed_opts shed;
    struct lz_rate_limit_opts rate_limit;
    struct lz_adaptive_limit_opts adaptive_limit;
    bool parallel;  /* its calls are made side by side */
    bool deadlines; /* work whose caller has given up is not begun; calls inherit what is left */
    struct lz_dist service_time; /* NONE means 1 ms */
    struct lz_dist cpu_time;     /* NONE means all of the service time */
    double cpu;                  /* cores; 0 means as many as workers */
    double error_ratio;          /* of its answers that are errors by themselves */
    struct lz_io_opts io;
    struct lz_autoscale_opts autoscale;
    struct lz_rollout_opts rollout;
    struct lz_disruption_opts disruption;
    uint16_t port; /* where it listens; documentation only, 0 if not said */
};

/* Work that a component's own process begins, without a request: with its CPU, handler and calls.
 */
struct lz_service_begin {
    lz_instance_id instance; /* with a free worker */
    uint64_t path, key;
    lz_time demand; /* CPU time; 0: drawn from service_time */
};
extern const struct lz_instance_ops lz_service_instance_ops;

/* Lua's half of a service, if it has a `handle`. All calls are made by the kernel. */
struct lz_service_handlers {
    void *ctx;
    /* Begin serving. `handler` is what lz_service_handle was given. */
    void (*start)(void *ctx, lz_task_id task, uint32_t handler);
    /* A call made by lz_handler_call has ended. */
    void (*called)(void *ctx, lz_task_id task, const struct lz_call_result *result);
    /* lz_handler_sleep, or lz_handler_work, has ended. */
    void (*woken)(void *ctx, lz_task_id task);
    /* The task is gone (its process died or it was cancelled); never resume it. */
    void (*dropped)(void *ctx, lz_task_id task);
};

void lz_services_init(struct lz_world *w);
bool lz_service_create(struct lz_world *w, const struct lz_service_opts *opts, lz_component_id *id,
                       struct lz_err *err) LZ_MUST_CHECK;

lz_task_id lz_service_begin(struct lz_world *w, const struct lz_service_begin *begin);

/* Serve each request by these calls, in the order they are added. */
bool lz_service_add_call(struct lz_world *w, lz_component_id service,
                         const struct lz_call_member *call, struct lz_err *err) LZ_MUST_CHECK;

/* Serve operation `op` (NULL: any other) by handler number `handler`. */
void lz_service_set_handlers(struct lz_world *w, const struct lz_service_handlers *handlers);
bool lz_service_handle(struct lz_world *w, lz_component_id service, const char *op,
                       uint32_t handler, struct lz_err *err) LZ_MUST_CHECK;

/* Does it give its calls what is left of its callers' deadlines? Does it want to know those? */
bool lz_service_heeds_deadlines(const struct lz_world *w, lz_component_id id);
bool lz_service_wants_deadlines(const struct lz_world *w, lz_component_id id);

bool lz_service_is_handled(const struct lz_world *w, lz_component_id id);

/*
 * The metrics of one replica (ordinal from 1) under "replica[2].latency.p99" and so on.
 * They are kept only for replicas somebody asked for. 0 if there is no such metric.
 */
lz_metric lz_service_replica_metric(struct lz_world *w, lz_component_id service, uint32_t ordinal,
                                    const char *name);

/* What services measure. */
const struct lz_metric_info *lz_service_metrics(size_t *count);

#endif
