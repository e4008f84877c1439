#include "fault/kinds.h"
#include "model/capacity.h"

static const struct lz_param params[] = {
    {.name = "load",
     .type = LZ_PARAM_RATIO,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, load),
     .doc = "share of the instance's cores kept busy by something else"},
    {.name = "cores",
     .type = LZ_PARAM_NUMBER,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, cores),
     .max = 1e6,
     .doc = "cores kept busy by something else"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.load > 0.0 || o->params.cores > 0.0)
        return true;
    return lz_fail(err, LZ_EINVAL, "fault.cpu needs `load` (a share) or `cores` (a number)");
}

// Load on a host whose process does not run touches nothing.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        f->undo[i] = lz_capacity_steal(w, f->hits[i], f->opts.params.load, f->opts.params.cores);
        f->effect += lz_instance_is_up(lz_instance_get(w, f->hits[i]));
    }
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_capacity_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_cpu = {
    .name = "cpu",
    .doc = "Keep cores busy with something else; the instance's own work shares what is left.",
    .effect_unit = "CPUs loaded",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = revert,
};
