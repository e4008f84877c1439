#include "fault/kinds.h"
#include "model/instance.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_instance_pause(w, f->hits[i]);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_instance_resume(w, f->hits[i]);
}

const struct lz_fault_kind lz_fault_pause = {
    .name = "pause",
    .doc = "Stop processes (SIGSTOP, a long GC): silence, then a burst.",
    .effect_unit = "processes paused",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_ALL,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
