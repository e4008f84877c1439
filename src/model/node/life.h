/*
 * life.h — how processes start, stop, are probed and are started again.
 *
 *   starting ──startup──▶ serving ──SIGTERM──▶ draining ──idle, or the grace is over──▶ ended
 *       ▲                    └── crash, OOM, failed liveness ─────────────────────────────┤
 *       └────────────── restart, after the back-off of a crash loop ──────────────────────┘
 *
 * The words and the rules are Kubernetes'. Told to stop, a process leaves the endpoints (its
 * callers hear of it `endpoint_delay` later, in the order it happened), sleeps `pre_stop`, then
 * gets SIGTERM: it listens no more and finishes what it has. It is killed `grace_period` after it
 * was told, and not before 2 s after SIGTERM where pre_stop took the rest of it ("Pod Lifecycle": a
 * pre_stop that lasts longer than the grace is cut short there). Told again with a shorter grace,
 * it has that from then on, and its SIGTERM comes as early. Requests that come between SIGTERM and
 * the news are refused: that race is why pre_stop exists.
 *
 * Who starts it again: with `restart`, a supervisor. The first time at once, then after 10 s,
 * doubling up to 5 min, and at once again when the last start is more than 10 min ago, as the
 * kubelet does (kubernetes/pkg/kubelet: MaxContainerBackOff, client-go's flowcontrol.Backoff).
 * A fault that holds a process down is no business of the supervisor's: it comes back with the
 * fault's end.
 *
 * Probes come from the host itself, at their period from a drawn instant on, and do not queue for
 * a worker. A process that stands still lets them run into their timeout; one that starts refuses
 * them; one whose CPU is contended needs `work` of it. failure_threshold failures in a row stop
 * a process (liveness; with its grace) or take it from the endpoints (readiness). With a startup
 * probe there is neither until that has passed once; it has failure_threshold periods to do so, or
 * the process is stopped and started again, and it is no endpoint meanwhile.
 *
 * Who calls by endpoints alone (call.h) hears of a process that has ended as of one that leaves,
 * for the kubelet says so. Of one whose host is lost nobody says anything until its node is not
 * ready, and of one whose node or control plane is cut off nobody until that is over (nodes.h).
 *
 * What declares none of this has no state here and costs nothing. At time 0 all have long been up.
 */
#ifndef LZ_MODEL_NODE_LIFE_H
#define LZ_MODEL_NODE_LIFE_H

#include "model/node/instance.h"
#include "model/world.h"

enum lz_restart {
    LZ_RESTART_NEVER,      /* only the end of the fault that ended it brings it back */
    LZ_RESTART_ON_FAILURE, /* a crash, not an orderly stop */
    LZ_RESTART_ALWAYS,
};

struct lz_probe_opts {
    bool is_on;
    lz_time initial_delay;      /* after the process began */
    lz_time period;             /* 0 means 10 s */
    lz_time timeout;            /* 0 means 1 s */
    uint32_t failure_threshold; /* 0 means 3 */
    uint32_t success_threshold; /* 0 means 1 */
    lz_time work;               /* CPU demand of an answer */
};

struct lz_life_opts {
    struct lz_dist startup; /* from the beginning of a process until it listens; NONE: at once */
    enum lz_restart restart;
    lz_time backoff;               /* of the supervisor: the first; 0 means 10 s */
    lz_time backoff_max;           /* 0 means 5 min */
    lz_time backoff_reset;         /* 0 means 10 min */
    lz_time grace_period;          /* -1 means 30 s */
    lz_time pre_stop;              /* between leaving the endpoints and SIGTERM */
    struct lz_dist endpoint_delay; /* until callers hear who serves and who does not; NONE: 0 */
    struct lz_probe_opts liveness, readiness, startup_probe;
};

#define LZ_LIFE_GRACE_NS (30 * LZ_S)
#define LZ_LIFE_GRACE_LEAST_NS (2 * LZ_S) /* from SIGTERM, where pre_stop took the rest */
#define LZ_LIFE_PROBES_PER_SECOND_MAX 100000.0

void lz_lives_init(struct lz_world *w);
void lz_lives_start(struct lz_world *w); /* time 0: probes begin */

/* Before the run; for all instances of a component. */
bool lz_life_declare(struct lz_world *w, lz_component_id id, const struct lz_life_opts *opts,
                     struct lz_err *err) LZ_MUST_CHECK;

/* The process ends now, of itself; the supervisor sees to it. False if there is none. */
bool lz_life_crash(struct lz_world *w, lz_instance_id id, const char *why);

/* Somebody starts again what has crashed. */
bool lz_life_is_supervised(const struct lz_world *w, lz_instance_id id);

/*
 * A fault wants it stopped in order, killed after `grace` (-1: its own). It stays down until as
 * many have released it. The place it comes back at may be moved meanwhile. True if a process
 * was told.
 */
bool lz_life_stop(struct lz_world *w, lz_instance_id id, lz_time grace);
void lz_life_release(struct lz_world *w, lz_instance_id id);

/* Stopped in order, and then the supervisor's: what `kubectl delete pod` does. */
bool lz_life_terminate(struct lz_world *w, lz_instance_id id, lz_time grace);

/* Stopped in order and started again as soon as it has ended, with what of its start-up is left
 * by then: its successor began to start when it was told. */
bool lz_life_replace(struct lz_world *w, lz_instance_id id, lz_time grace, lz_host_id host);

/* Deleted, and made anew on another host. The faults that held its old host do not hold it there;
   what else holds it down does. What ran ends as if killed, if anything did. */
void lz_life_relocate(struct lz_world *w, lz_instance_id id, lz_host_id host);

lz_time lz_life_grace(struct lz_world *w, lz_instance_id id);          /* its grace_period */
lz_time lz_life_begun_at(const struct lz_world *w, lz_instance_id id); /* its latest process */

/* How often the supervisor has started its processes again. */
uint32_t lz_life_restarts(const struct lz_world *w, lz_instance_id id);

/* Not before then is it ready, of a process that serves: what its kubelet says, however late. */
lz_time lz_life_ready_at(const struct lz_world *w, lz_instance_id id);

/* What a process is unable to, by what it is made from. */
enum lz_life_flaw {
    LZ_LIFE_SOUND,
    LZ_LIFE_NEVER_READY,  /* its readiness probe fails */
    LZ_LIFE_NEVER_STARTS, /* it ends where its start-up would be over */
};

/* It is deleted, and has no successor: what it waited for, and how often it crashed, is over. */
void lz_life_forget(struct lz_world *w, lz_instance_id id);

/* Another pod begins where one was: nothing of that one is remembered, and callers are told of it
   when it is ready, not before. Its process has not begun yet. */
void lz_life_renew(struct lz_world *w, lz_instance_id id, enum lz_life_flaw flaw);

/* From now on every process of it ends `life` after it began to serve; the id undoes it. */
struct lz_life_crashing {
    lz_time life;
    lz_time backoff;   /* of the first restart but one; 0: the component's */
    uint64_t *crashes; /* counted here */
};
uint32_t lz_life_crash_loop(struct lz_world *w, lz_instance_id id,
                            const struct lz_life_crashing *crashing);
void lz_life_crash_loop_end(struct lz_world *w, lz_instance_id id, uint32_t loop);

/* How long a successor has been on its way elsewhere, 0 if none is; what it waited for there is
   there, and its start-up begins now. */
lz_time lz_life_moving(const struct lz_world *w, lz_instance_id id);
void lz_life_moved(struct lz_world *w, lz_instance_id id);

/* For instance.c: what a change of state means. `begun` is true if the process has to start up. */
bool lz_life_begun(struct lz_world *w, lz_instance_id id);
void lz_life_serves(struct lz_world *w, lz_instance_id id);
void lz_life_ended(struct lz_world *w, lz_instance_id id);

/* For task.c: the instance has no task left; or, for who `drains`, nothing else. */
void lz_life_idle(struct lz_world *w, lz_instance_id id);
static inline void lz_life_no_task(struct lz_world *w, lz_instance_id id)
{
    if ((w->unusual & LZ_UNUSUAL_DRAINS) != 0)
        lz_life_idle(w, id);
}

/* It has no part in what its component does: callers are told of it no more, or again. */
void lz_life_hide(struct lz_world *w, lz_instance_id id, bool is_hidden);

/* It was told to end. */
bool lz_life_is_told(const struct lz_world *w, lz_instance_id id);

/* For pods.c: the control plane has deleted it, and its kubelet cannot hear that, or hears it now.
   Callers are told that it is no endpoint any more. */
void lz_life_delete(struct lz_world *w, lz_instance_id id, bool is_in_name);

/* For instance.c: its host is back, and there is no process on it. */
void lz_life_found_dead(struct lz_world *w, lz_instance_id id);

/* For nodes.c: the controller sees again; callers are told what they could not be. */
void lz_tell_held(struct lz_world *w);

/* Its node is not ready, or is again: it is no endpoint meanwhile. */
void lz_life_mark(struct lz_world *w, lz_instance_id id, bool is_marked);

/* For probe.c. */
void lz_life_fails(struct lz_world *w, lz_instance_id id, const char *probe); /* "liveness" */
void lz_life_set_ready(struct lz_world *w, lz_instance_id id, bool is_ready);

#endif
