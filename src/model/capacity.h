/*
 * capacity.h — what an instance can do: its CPU, and what faults take from it.
 *
 * Services and database nodes both work through this. Stolen CPU and degradations are
 * kept one by one; what is in force is computed from the base and those still active,
 * so that they stack and un-stack in any order and leave no residue.
 */
#ifndef LZ_MODEL_CAPACITY_H
#define LZ_MODEL_CAPACITY_H

#include "model/cpu.h"
#include "model/instance.h"
#include "model/world.h"

struct lz_capacity {
    struct lz_cpu *cpu;
    double factor;      /* product of the active degradations; 1: none */
    double error_ratio; /* of answers that turn out wrong; 0: none */
    struct lz_capacity_loss *losses;
    uint32_t loss_count, loss_cap;
};

void lz_capacities_init(struct lz_world *w);

/* `done` fires at the instance with the payload of a job that has finished. */
struct lz_capacity *lz_capacity_create(struct lz_world *w, lz_instance_id instance, double cores,
                                       lz_kind done);
struct lz_capacity *lz_capacity_get(const struct lz_world *w, lz_instance_id instance);

/* Work begins: tell the degradations that they touched something. */
void lz_capacity_touch(struct lz_capacity *c);

/* Faults. The id undoes it; `touched` counts work that began while it was in force. */
uint32_t lz_capacity_degrade(struct lz_world *w, lz_instance_id instance, double factor,
                             double error_ratio, uint64_t *touched);

/* `share` of the cores, or `cores` of them, busy with something else; both add up. */
uint32_t lz_capacity_steal(struct lz_world *w, lz_instance_id instance, double share, double cores);
void lz_capacity_undo(struct lz_world *w, lz_instance_id instance, uint32_t id);

#endif
