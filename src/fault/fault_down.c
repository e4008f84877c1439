#include "fault/kinds.h"
#include "model/instance.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_instance_lose(w, f->hits[i]);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_instance_return(w, f->hits[i]);
}

const struct lz_fault_kind lz_fault_down = {
    .name = "down",
    .doc = "Power off hosts: silence, volatile state gone; they boot after `lasting`.",
    .effect_unit = "hosts lost",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_ALL,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
