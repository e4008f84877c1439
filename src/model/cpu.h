/*
 * cpu.h — the cores of one instance, shared by processor sharing.
 *
 * n jobs on c cores each run at rate min(1, c' / n), c' being what stolen load has
 * left. While nothing contends (at most as many jobs as cores left) a job is one plain
 * timer; otherwise jobs are kept in order of remaining demand on a virtual clock that
 * advances at the common rate, and only the nearest has a timer.
 *
 * Time on the virtual clock is a double in nanoseconds, reset whenever the CPU idles.
 */
#ifndef LZ_MODEL_CPU_H
#define LZ_MODEL_CPU_H

#include "model/world.h"

/* A job's owner is told by an event: `done` fires at `entity` with `payload`. */
struct lz_cpu;

struct lz_cpu *lz_cpu_create(struct lz_world *w, double cores, lz_kind done, lz_kind tick,
                             uint32_t entity);

/* Start a job of `demand` ns of one core; the id is for lz_cpu_remove. */
uint32_t lz_cpu_add(struct lz_world *w, struct lz_cpu *cpu, lz_time demand, uint64_t payload);
void lz_cpu_remove(struct lz_world *w, struct lz_cpu *cpu, uint32_t job);
void lz_cpu_clear(struct lz_world *w, struct lz_cpu *cpu); /* the process died */

/* To be called when the `tick` event fires. */
void lz_cpu_tick(struct lz_world *w, struct lz_cpu *cpu);

/* `cores` of load from outside (may exceed what there is); frozen: paused, nothing runs. */
void lz_cpu_steal(struct lz_world *w, struct lz_cpu *cpu, double cores);
void lz_cpu_freeze(struct lz_world *w, struct lz_cpu *cpu, bool frozen);

/* How long one more job of `demand` would take if nothing else changed; INT64_MAX: no end in sight.
 */
lz_time lz_cpu_estimate(const struct lz_cpu *cpu, lz_time demand);

uint32_t lz_cpu_jobs(const struct lz_cpu *cpu);
size_t lz_cpu_bytes(const struct lz_cpu *cpu);
double lz_cpu_cores(const struct lz_cpu *cpu);
double lz_cpu_busy(const struct lz_cpu *cpu); /* share of the cores in use now, 0 to 1 */

/* How often that may have become another. It begins cpu.c's own struct: asked at every step. */
struct lz_cpu_face {
    uint32_t changes;
};

static inline uint32_t lz_cpu_changes(const struct lz_cpu *cpu)
{
    return ((const struct lz_cpu_face *)cpu)->changes;
}

#endif
