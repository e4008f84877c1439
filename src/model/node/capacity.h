/*
 * capacity.h — what an instance can do: its CPU, and what faults take from it.
 *
 * Services and database nodes both work through this. Stolen CPU and degradations are
 * kept one by one; what is in force is computed from the base and those still active,
 * so that they stack and un-stack in any order and leave no residue.
 *
 * It is made when it is first used: of a million hosts that nobody calls none has one. Nothing
 * depends on when that is. Its phase is drawn by its instance's path, and where a host shares its
 * cores, which goes by the order of its instances, all are made when they are declared.
 */
#ifndef LZ_MODEL_NODE_CAPACITY_H
#define LZ_MODEL_NODE_CAPACITY_H

#define LZ_CAPACITY_PERIOD_NS (100 * LZ_MS) /* cpu.cfs_period_us' default */

#include "model/node/cpu.h"
#include "model/node/instance.h"
#include "model/world.h"

struct lz_capacity {
    struct lz_cpu *cpu;
    double factor;      /* product of the active degradations; 1: none */
    double error_ratio; /* of answers that turn out wrong; 0: none */
    double swap;        /* how many times longer work takes while memory is swapped; 1: none is */
    double limit;       /* cores that its quota lets it use over time, as declared; 0: all */
    lz_time period;     /* of the quota */
    double quota;       /* ns of CPU in each period, in force; 0: no limit */
    double weight;      /* among the instances of its host */
    double withheld;    /* ns that throttles have been told of */
    struct lz_capacity_loss *losses;
    uint32_t loss_count, loss_cap;
};

void lz_capacities_init(struct lz_world *w);

/* Where the component keeps the pointers to its instances' capacities, NULL until they are made. */
struct lz_capacity_places {
    struct lz_capacity **first;
    size_t stride; /* bytes from one instance's to the next */
};

/* Each instance of the component has so many cores; `done` fires at it with the payload of a job
 * that has finished. */
void lz_capacity_declare(struct lz_world *w, lz_component_id component, double cores, lz_kind done,
                         struct lz_capacity_places places);

/* Make it if it is not there yet; NULL: its component has none. */
struct lz_capacity *lz_capacity_get(struct lz_world *w, lz_instance_id instance);

/* NULL if it was not used so far. */
struct lz_capacity *lz_capacity_find(const struct lz_world *w, lz_instance_id instance);

/* As declared, before the run: `cores` per second over periods of `period`; 0: no limit. */
bool lz_capacity_limit(struct lz_world *w, lz_instance_id instance, double cores, lz_time period,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Its weight among those that share its host's cores: 1 to 10000. */
bool lz_capacity_weigh(struct lz_world *w, lz_instance_id instance, double weight,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Work takes `factor` times as long because memory is swapped out; 1: it is not. */
void lz_capacity_swap(struct lz_world *w, lz_instance_id instance, double factor);

/* It stands on another host now. */
void lz_capacity_moved(struct lz_world *w, lz_instance_id instance, lz_host_id from);

/* Work begins: tell the degradations that they touched something. */
void lz_capacity_touch(struct lz_capacity *c);

/* Faults. The id undoes it; `touched` counts work that began while it was in force. */
uint32_t lz_capacity_degrade(struct lz_world *w, lz_instance_id instance, double factor,
                             double error_ratio, uint64_t *touched);

/* `share` of the cores, or `cores` of them, busy with something else; both add up. */
uint32_t lz_capacity_steal(struct lz_world *w, lz_instance_id instance, double share, double cores);

/* A quota of `share` of its cores, or of its declared limit. `withheld_ms` counts the milliseconds
 * of CPU that jobs waited because a quota was used up. */
uint32_t lz_capacity_throttle(struct lz_world *w, lz_instance_id instance, double share,
                              uint64_t *withheld_ms);

/* Another share for one in force, from the next period on. */
void lz_capacity_rethrottle(struct lz_world *w, lz_instance_id instance, uint32_t id, double share);
void lz_capacity_undo(struct lz_world *w, lz_instance_id instance, uint32_t id);

#endif
