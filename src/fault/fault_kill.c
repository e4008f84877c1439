#include "fault/kinds.h"
#include "model/instance.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_instance_kill(w, f->hits[i]);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_instance_restart(w, f->hits[i]);
}

const struct lz_fault_kind lz_fault_kill = {
    .name = "kill",
    .doc = "End processes: connections reset at once; a fresh process starts after `lasting`.",
    .effect_unit = "processes ended",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_ALL,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
