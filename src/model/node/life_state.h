/*
 * life_state.h — what the parts of a process's life share; for model/ only.
 *
 *   life.c       starting, stopping
 *   supervise.c  starting again, and crashing again
 *   probe.c      startup, liveness and readiness
 *   tell.c       what callers are told of it
 */
#ifndef LZ_MODEL_NODE_LIFE_STATE_H
#define LZ_MODEL_NODE_LIFE_STATE_H

#include "model/node/life.h"

enum lz_probe_kind { LZ_PROBE_LIVENESS, LZ_PROBE_READINESS, LZ_PROBE_STARTUP, LZ_PROBE_KINDS };

/* Kubelet's worker: the latest result and how often it has come in a row. */
struct lz_probe {
    bool passed;
    uint32_t run;
};

struct lz_life {
    const struct lz_life_opts *opts;
    lz_time begun;       /* the process, or as if it had */
    lz_time successor;   /* when a successor began to start elsewhere; -1: none */
    lz_host_id moves_to; /* where the successor starts; 0: here */
    uint32_t holds;      /* faults that want it stopped */
    bool is_told;        /* to stop; SIGTERM may still be to come */
    bool is_unready;     /* its readiness probe says so, or its startup probe has not passed */
    bool is_started;     /* it has no startup probe, or passed it */
    bool is_hidden;      /* it has no part in its component */
    bool is_marked;      /* its node is not ready */
    bool is_dead;        /* it has no process that serves, and somebody goes by endpoints */
    bool is_told_dead;   /* callers were told so, or will be */
    bool is_held;        /* what they should be told waits: nobody can tell */
    bool is_restarting;  /* by the supervisor, when its timer fires */
    bool was_failure;    /* how the process ended */
    uint8_t flaw;        /* enum lz_life_flaw */
    lz_event_id startup, term, kill, restart;
    lz_time term_at, kill_at;
    lz_time heard_at;            /* by when callers have heard of all that changed so far */
    lz_time ended_heard_at;      /* the same of its process' end */
    uint32_t turns, ended_turns; /* changes they were told of */
    lz_time backoff;             /* before the next restart but this one; 0: none yet */
    lz_time restarted;           /* the latest restart */
    uint32_t restarts;           /* of this pod's processes, by the supervisor */
    lz_time ready_at;            /* its readiness probe passed last, or its node was ready again */
    struct lz_life_crashing *loops;
    bool *loop_is_on;
    uint32_t loop_count, loop_cap, loop_on_cap, loops_on;
    struct lz_probe probes[LZ_PROBE_KINDS];
};

struct lz_lives {
    uint32_t stopping;    // processes that drain
    struct lz_life **all; // by instance; NULL: nothing of it is known
    uint32_t cap;
    struct lz_life_opts **declared; // by component
    uint32_t declared_cap;
    lz_kind startup, term, kill, idle, restart, crash;
};

/* NULL where nothing was declared and nothing happened yet. */
struct lz_life *lz_life_get(const struct lz_world *w, lz_instance_id id);
struct lz_life *lz_life_of(struct lz_world *w, lz_instance_id id); /* known from now on */
const struct lz_life_opts *lz_life_opts_of(const struct lz_world *w, lz_instance_id id);

/* At it, so much later, if it is the same process then (lz_life_is_current). */
lz_event_id lz_life_later(struct lz_world *w, lz_time delay, lz_kind kind, lz_instance_id id);
bool lz_life_is_current(const struct lz_world *w, lz_instance_id id, uint64_t incarnation);

/* It has ended: it is started again, if somebody wants that. */
void lz_supervise(struct lz_world *w, lz_instance_id id, struct lz_life *l);
void lz_supervise_on_restart(void *ctx, uint32_t entity, uint64_t payload);
void lz_supervise_on_crash(void *ctx, uint32_t entity, uint64_t payload);

/* Tell callers how it is now, if the control plane can; the controller itself always can. And tell
   what could not be told, if it can be by now. */
void lz_tell_callers(struct lz_world *w, lz_instance_id id);
void lz_tell_marked(struct lz_world *w, lz_instance_id id);
void lz_tells_init(struct lz_world *w);

void lz_probes_init(struct lz_world *w);
void lz_probes_start(struct lz_world *w, lz_instance_id id); /* its periods begin */
void lz_probes_reset(struct lz_life *l);                     /* a fresh process */

#endif
