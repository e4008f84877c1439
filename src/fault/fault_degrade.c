#include "fault/kinds.h"
#include "model/node/capacity.h"

static const struct lz_param params[] = {
    {.name = "factor",
     .type = LZ_PARAM_NUMBER,
     .ramp = LZ_RAMP_FROM_1,
     .offset = offsetof(struct lz_fault_params, factor),
     .min = 0.001,
     .max = 1e6,
     .doc = "how many times longer work takes (5: five times); default 1"},
    {.name = "error_ratio",
     .type = LZ_PARAM_RATIO,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, error_ratio),
     .doc = "share of answers that are errors"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.factor > 0.0 || o->params.error_ratio > 0.0)
        return true;
    return lz_fail(err, LZ_EINVAL, "fault.degrade needs `factor` or `error_ratio`");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    double factor = f->opts.params.factor > 0.0 ? f->opts.params.factor : 1.0;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] =
            lz_capacity_degrade(w, f->hits[i], factor, f->opts.params.error_ratio, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_capacity_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_degrade = {
    .name = "degrade",
    .doc = "Make work slower or wrong without stopping it; health checks still pass.",
    .effect_unit = "requests touched",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = revert,
};
