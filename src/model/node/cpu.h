/*
 * cpu.h — the cores of one instance, shared by processor sharing.
 *
 * n jobs on c cores each run at rate min(1, c' / n), c' being what stolen load and the other
 * instances of its host (cpu_host.h) have left. While nothing contends (at most as many jobs as
 * cores left) a job is one plain timer; otherwise jobs are kept in order of remaining demand on a
 * virtual clock that advances at the common rate, and only the nearest has a timer.
 *
 * A quota is CFS bandwidth control (kernel/sched/fair.c, "CFS Bandwidth Control"; Kubernetes'
 * limits.cpu): in each period the jobs may use `quota` of CPU time as fast as the cores allow, and
 * then stand still until the next period begins. Periods lie on a grid from the phase on, as the
 * kernel's period timer does.
 *
 * Time on the virtual clock is a double in nanoseconds, reset whenever the CPU idles.
 */
#ifndef LZ_MODEL_NODE_CPU_H
#define LZ_MODEL_NODE_CPU_H

#include "base/check.h"
#include "model/world.h"

/* A job's owner is told by an event: `done` fires at `entity` with `payload`. */
struct lz_cpu;

struct lz_cpu *lz_cpu_create(struct lz_world *w, double cores, lz_kind done, lz_kind tick,
                             uint32_t entity);

/* Start a job of `demand` ns of one core; the id is for lz_cpu_remove. See lz_cpu_start. */
uint32_t lz_cpu_add(struct lz_world *w, struct lz_cpu *cpu, lz_time demand, uint64_t payload);
void lz_cpu_remove(struct lz_world *w, struct lz_cpu *cpu, uint32_t job);

/*
 * The same, to be gone on with later: *left is what it still needs of one core. False: it is done,
 * its owner is about to be told, and it stays.
 */
bool lz_cpu_take_back(struct lz_world *w, struct lz_cpu *cpu, uint32_t job,
                      lz_time *left) LZ_MUST_CHECK;
void lz_cpu_clear(struct lz_world *w, struct lz_cpu *cpu); /* the process died */

/* To be called when the `tick` event fires. */
void lz_cpu_tick(struct lz_world *w, struct lz_cpu *cpu);

/* `cores` of load from outside (may exceed what there is); frozen: paused, nothing runs. */
void lz_cpu_steal(struct lz_world *w, struct lz_cpu *cpu, double cores);
void lz_cpu_freeze(struct lz_world *w, struct lz_cpu *cpu, bool frozen);

/*
 * Told when its load may have become another though no job came or went: something was stolen or
 * given back, a quota is used up or renewed, the others on its host want more or less. `entity` is
 * the CPU's. It may look, and must not change it.
 */
typedef void lz_cpu_fn(struct lz_world *w, uint32_t entity);
void lz_cpu_watch(struct lz_cpu *cpu, lz_cpu_fn *fn);

/* CPU time in each period, ns: 0 for no limit. The phase of the periods is set once. */
void lz_cpu_limit(struct lz_world *w, struct lz_cpu *cpu, double quota_ns, lz_time period);
void lz_cpu_set_quota(struct lz_cpu *cpu,
                      double quota_ns); /* of one that has one: at its renewal */
void lz_cpu_set_phase(struct lz_cpu *cpu, lz_time phase);
double lz_cpu_withheld(const struct lz_cpu *cpu); /* ns of CPU that jobs waited for, so far */

/* For cpu_host.c: it is one of several on a host, and may use `cores` of it. */
struct lz_cpu_host;
void lz_cpu_set_host(struct lz_cpu *cpu, struct lz_cpu_host *host);

/* INFINITY: all it has. True: it is another than before; lz_cpu_tell when all have theirs. */
bool lz_cpu_grant(struct lz_world *w, struct lz_cpu *cpu, double cores);
void lz_cpu_tell(struct lz_world *w, const struct lz_cpu *cpu);
double lz_cpu_demand(const struct lz_cpu *cpu); /* cores it would use by itself */

/* How long one more job of `demand` would take if nothing else changed; INT64_MAX: no end in sight.
 */
lz_time lz_cpu_estimate(const struct lz_cpu *cpu, lz_time demand);

/* ns of one core that a job still needs. */
double lz_cpu_left(const struct lz_world *w, const struct lz_cpu *cpu, uint32_t job);

uint32_t lz_cpu_jobs(const struct lz_cpu *cpu);
size_t lz_cpu_bytes(const struct lz_cpu *cpu);
double lz_cpu_cores(const struct lz_cpu *cpu);

struct lz_cpu_job {
    union {
        double finish; /* on the virtual clock, while shared */
        lz_time due;   /* while plain */
    };
    uint64_t payload;  /* 0: free */
    lz_event_id timer; /* while plain */
    uint32_t heap_at;  /* while shared: 1 + place in the heap */
    uint32_t next_free;
};

/* It begins cpu.c's own struct: asked at every step. */
struct lz_cpu_face {
    uint32_t changes; /* how often its load may have become another */
    uint32_t live;    /* jobs */
    double cores;
    bool is_plain; /* nothing contends, nothing is stolen, and no host or quota has a say */
    lz_kind done;
    uint32_t entity;
    uint32_t whole_cores;    /* so many jobs have a core each */
    uint32_t job_free;       /* 0: none */
    struct lz_cpu_job *jobs; /* 1 .. */
};

double lz_cpu_load(const struct lz_cpu *cpu);

/* Its jobs, as cores are counted. */
static inline double lz_cpu_jobs_on(const struct lz_cpu *cpu)
{
    return ((const struct lz_cpu_face *)cpu)->live;
}

/*
 * Cores in use now, of a plain CPU. It may have more jobs than cores for an instant: those that
 * were shared and ended together are done, and their owners are told one after the other.
 */
static inline double lz_cpu_used_plain(const struct lz_cpu *cpu)
{
    const struct lz_cpu_face *face = (const struct lz_cpu_face *)cpu;
    double live = face->live;
    return live < face->cores ? live : face->cores;
}

/* Share of the cores in use now, 0 to 1. */
static inline double lz_cpu_busy(const struct lz_cpu *cpu)
{
    const struct lz_cpu_face *face = (const struct lz_cpu_face *)cpu;
    return face->is_plain ? lz_cpu_used_plain(cpu) / face->cores : lz_cpu_load(cpu);
}

/* Cores in use now. */
static inline double lz_cpu_used(const struct lz_cpu *cpu)
{
    const struct lz_cpu_face *face = (const struct lz_cpu_face *)cpu;
    return face->is_plain ? lz_cpu_used_plain(cpu) : lz_cpu_load(cpu) * face->cores;
}

static inline uint32_t lz_cpu_changes(const struct lz_cpu *cpu)
{
    return ((const struct lz_cpu_face *)cpu)->changes;
}

static inline bool lz_cpu_is_plain(const struct lz_cpu *cpu)
{
    return ((const struct lz_cpu_face *)cpu)->is_plain;
}

/* A core is free for one more job, which would be one timer and nothing else. */
static inline bool lz_cpu_is_free(const struct lz_cpu *cpu)
{
    const struct lz_cpu_face *face = (const struct lz_cpu_face *)cpu;
    return face->job_free != 0 && face->is_plain && face->live < face->whole_cores;
}

/* lz_cpu_add, where that is so. */
static inline uint32_t lz_cpu_begin(struct lz_world *w, struct lz_cpu *cpu, lz_time demand,
                                    uint64_t payload)
{
    struct lz_cpu_face *face = (struct lz_cpu_face *)cpu;
    uint32_t job = face->job_free;
    LZ_ASSERT(demand >= 0 && payload != 0);
    struct lz_cpu_job *j = &face->jobs[job];
    face->job_free = j->next_free;
    face->live++;
    face->changes++;
    j->due = lz_sim_now(w->sim) + demand;
    j->payload = payload;
    j->heap_at = 0;
    j->timer = lz_sim_at(w->sim, j->due, face->done, face->entity, payload);
    return job;
}

/* lz_cpu_add, with the usual way in place. */
static inline uint32_t lz_cpu_start(struct lz_world *w, struct lz_cpu *cpu, lz_time demand,
                                    uint64_t payload)
{
    return lz_cpu_is_free(cpu) ? lz_cpu_begin(w, cpu, demand, payload)
                               : lz_cpu_add(w, cpu, demand, payload);
}

/* The other end of it: a job of a plain CPU is done. */
static inline void lz_cpu_end(struct lz_cpu *cpu, uint32_t job)
{
    struct lz_cpu_face *face = (struct lz_cpu_face *)cpu;
    struct lz_cpu_job *j = &face->jobs[job];
    LZ_ASSERT(job != 0 && j->payload != 0);
    j->next_free = face->job_free;
    j->payload = 0;
    face->job_free = job;
    face->live--;
    face->changes++;
}

/* For the owner of a job who was told that it is done. */
static inline void lz_cpu_done(struct lz_world *w, struct lz_cpu *cpu, uint32_t job)
{
    if (lz_cpu_is_plain(cpu))
        lz_cpu_end(cpu, job);
    else
        lz_cpu_remove(w, cpu, job);
}

#endif
