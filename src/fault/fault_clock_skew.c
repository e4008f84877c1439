#include "fault/kinds.h"
#include "model/node/clock.h"

static const struct lz_param params[] = {
    {.name = "offset",
     .type = LZ_PARAM_OFFSET,
     .offset = offsetof(struct lz_fault_params, offset),
     .required = true,
     .doc = "how far; may be below 0s"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.offset != 0)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.clock_skew: an offset of 0s changes nothing");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_clock_apply(w, f, &(struct lz_clock_error){.offset = f->opts.params.offset});
}

const struct lz_fault_kind lz_fault_clock_skew = {
    .name = "clock_skew",
    .doc = "Set clocks apart from the true time.",
    .effect_unit = "clock readings affected",
    .elsewhere = "Chaos Mesh's TimeChaos shifts what one process reads by intercepting its calls; "
                 "here it is the host's clock, for all on it, and slides there and back slowly "
                 "enough that no lease notices. See fault.clock_step for a jump.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_clock_revert,
};
