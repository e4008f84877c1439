/*
 * fault_kill.c — processes ended at once.
 *
 * With `lasting` the fault holds them down, as if somebody had scaled them away; without it they
 * have merely died, and whoever supervises them starts them again.
 */
#include "fault/kinds.h"
#include "model/node/life.h"

static const struct lz_param params[] = {
    {.name = "graceful",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, graceful),
     .doc = "SIGTERM first, and so long to finish; default 0s: SIGKILL"},
    {0},
};

static uint32_t kill(struct lz_world *w, struct lz_fault *f, lz_instance_id id)
{
    if (f->opts.lasting == 0 && lz_life_is_supervised(w, id)) {
        f->effect += lz_life_crash(w, id, "killed");
        return LZ_FAULT_FREE;
    }
    f->effect += lz_instance_kill(w, id);
    return LZ_FAULT_KILLED;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_time grace = f->opts.params.graceful;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] =
            grace > 0 ? lz_fault_stop_one(w, f, f->hits[i], grace) : kill(w, f, f->hits[i]);
}

const struct lz_fault_kind lz_fault_kill = {
    .name = "kill",
    .doc = "End processes: connections reset at once; a fresh process starts after `lasting`.",
    .effect_unit = "processes ended",
    .elsewhere = "Chaos Mesh's container-kill, Litmus' container-kill and Chaos Monkey are this "
                 "without `lasting`: who starts the process again is the target's `restart`, and "
                 "without one nobody does. Chaos Mesh's pod-failure is this with `lasting`. Pumba "
                 "and `docker kill` send SIGKILL too; `graceful` is `docker stop`.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_ALL,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_stop_revert,
};
