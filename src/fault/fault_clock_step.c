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

// Several on one host: its clock is wrong once.
static bool is_wrong_already(const struct lz_world *w, const struct lz_fault *f, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (lz_instance_get(w, f->hits[i])->host == lz_instance_get(w, f->hits[at])->host)
            return true;
    return false;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        f->undo[i] = 0;
        if (is_wrong_already(w, f, i))
            continue;
        f->undo[i] = lz_clock_disturb(
            w, f->hits[i], &(struct lz_clock_error){.offset = p->offset, .reads = &f->effect});
        f->effect += lz_failover_clock_jumped(w, f->hits[i], p->offset);
    }
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            lz_clock_undo(w, f->undo[i]);
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
    .revert = revert,
};
