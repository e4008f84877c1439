#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/capacity.h"

static const struct lz_param params[] = {
    {.name = "quota",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, quota),
     .required = true,
     .ramp = LZ_RAMP_FROM_1,
     .doc = "share of its cores, or of its cpu_limit, that it may use"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.quota >= 0.01)
        return true;
    return lz_fail(err, LZ_ERANGE,
                   "fault.cpu_throttle: quota must be at least 1%%, got %g: nothing would run; "
                   "fault.pause stops processes",
                   o->params.quota);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_capacity_throttle(w, f->hits[i], f->opts.params.quota, &f->effect);
}

// From the next period on: what is left of this one stays.
static void change(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_capacity_rethrottle(w, f->hits[i], f->undo[i], f->opts.params.quota);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_capacity_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_cpu_throttle = {
    .name = "cpu_throttle",
    .doc = "Hold back CPU by quota, as CFS does: full speed until each period's share is used up, "
           "then nothing until the next.",
    .effect_unit = "ms of CPU withheld",
    .elsewhere = "A limits.cpu that is set too low. Stress tools steal cores instead (fault.cpu), "
                 "which slows all work evenly; a quota stops it for part of each 100 ms, and shows "
                 "in the tail. The tightest of several quotas decides, as in nested cgroups.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .change = change,
    .revert = revert,
};
