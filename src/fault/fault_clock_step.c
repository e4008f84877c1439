#include "fault/kinds.h"
#include "model/data/failover.h"
#include "model/node/clock.h"

static const struct lz_param params[] = {
    {.name = "offset",
     .type = LZ_PARAM_OFFSET,
     .offset = offsetof(struct lz_fault_params, offset),
     .required = true,
     .doc = "how far; below 0s: backwards"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.offset != 0)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.clock_step: an offset of 0s changes nothing");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    int64_t offset = f->opts.params.offset;
    lz_fault_clock_apply(w, f, &(struct lz_clock_error){.offset = offset});
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            f->effect += lz_failover_clock_jumped(w, f->hits[i], offset);
}

const struct lz_fault_kind lz_fault_clock_step = {
    .name = "clock_step",
    .doc = "Let clocks jump, and back at the end.",
    .effect_unit = "clock readings affected, leases lost",
    .elsewhere = "Jepsen's bump nemesis and `date -s`. A leader whose clock jumps forward by more "
                 "than its lease (`detect`) believes that it has run out: it takes no writes until "
                 "it has renewed it, a third of the lease later.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_clock_revert,
};
