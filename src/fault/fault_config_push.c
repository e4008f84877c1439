#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "factor",
     .type = LZ_PARAM_NUMBER,
     .offset = offsetof(struct lz_fault_params, factor),
     .min = 0.001,
     .max = 1e6,
     .doc = "how many times longer work takes (5: five times); default 1"},
    {.name = "error_ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, error_ratio),
     .doc = "share of answers that are errors"},
    LZ_PARAMS_WAVES,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.factor > 0.0 || o->params.error_ratio > 0.0)
        return lz_fault_waves_check(o, err);
    return lz_fail(err, LZ_EINVAL, "fault.config_push needs `factor` or `error_ratio`");
}

const struct lz_fault_kind lz_fault_config_push = {
    .name = "config_push",
    .doc = "Push a value that makes work slower or wrong, everywhere at once or in waves.",
    .effect_unit = "requests touched",
    .elsewhere = "No other tool has it: they break machines, and most great outages began with a "
                 "value pushed to all of them (Cloudflare 2019-07-02, Google Cloud 2025-06-12). "
                 "`waves` is the staged rollout that those had not; taking it back is at once.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = lz_fault_waves_apply,
    .next = lz_fault_waves_next,
    .advance = lz_fault_waves_advance,
    .revert = lz_fault_waves_revert,
};
