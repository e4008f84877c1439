/*
 * fault_stop.c — processes ended in order. What fault.kill shares with it is here too.
 */
#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/life.h"

static const struct lz_param params[] = {
    {.name = "graceful",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, graceful),
     .doc = "how long it may take to finish; default its grace_period"},
    {0},
};

uint32_t lz_fault_stop_one(struct lz_world *w, struct lz_fault *f, lz_instance_id id, lz_time grace)
{
    if (f->opts.lasting == 0 && lz_life_is_supervised(w, id)) {
        f->effect += lz_life_terminate(w, id, grace);
        return LZ_FAULT_FREE;
    }
    f->effect += lz_life_stop(w, id, grace);
    return LZ_FAULT_STOPPED;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_time grace = f->opts.params.graceful > 0 ? f->opts.params.graceful : -1;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_fault_stop_one(w, f, f->hits[i], grace);
}

void lz_fault_stop_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        LZ_ASSERT(f->undo[i] <= LZ_FAULT_STOPPED);
        if (f->undo[i] == LZ_FAULT_KILLED)
            lz_instance_restart(w, f->hits[i]);
        else if (f->undo[i] == LZ_FAULT_STOPPED)
            lz_life_release(w, f->hits[i]);
    }
}

const struct lz_fault_kind lz_fault_stop = {
    .name = "stop",
    .doc = "Stop processes in order: they leave the endpoints, get SIGTERM, finish what they have, "
           "and are killed when their grace is over.",
    .effect_unit = "processes told to stop",
    .elsewhere = "Chaos Mesh's and Litmus' pod-kill with a grace period, `docker stop`, a rollout. "
                 "As in Kubernetes the endpoint is removed beside SIGTERM, not before it: what "
                 "arrives meanwhile is refused unless pre_stop is longer than endpoint_delay.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_stop_revert,
};
