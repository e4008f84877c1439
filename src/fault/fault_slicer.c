#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "size",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, size),
     .required = true,
     .doc = "of a piece"},
    {.name = "variation",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, variation),
     .doc = "each is up to so much larger or smaller, by a draw of its own; default 0B"},
    {.name = "delay",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, piece_delay),
     .ramp = LZ_RAMP_FROM_0,
     .doc = "between two pieces; default 0s"},
    LZ_PARAM_DIRECTION,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (!(o->params.size >= 1.0))
        return lz_fail(err, LZ_ERANGE, "`size` of fault.slicer must be at least 1B, got %gB",
                       o->params.size);
    if (o->params.variation > o->params.size - 1.0)
        return lz_fail(err, LZ_ERANGE,
                       "`variation` of fault.slicer is %gB, and a piece of %gB would have no byte "
                       "left: it must be below `size`",
                       o->params.variation, o->params.size);
    return lz_fault_net_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(
        w, f,
        &(struct lz_link_effect){.conditions = {.piece = f->opts.params.size,
                                                .piece_variation = f->opts.params.variation,
                                                .piece_delay = f->opts.params.piece_delay}});
}

const struct lz_fault_kind lz_fault_slicer = {
    .name = "slicer",
    .doc = "Cut messages into pieces that come one after another.",
    .effect_unit = "pieces",
    .elsewhere =
        "Toxiproxy's slicer, whose `average_size` is `size`, `size_variation` `variation`, "
        "and whose `delay` counts microseconds. A message no larger than a piece passes "
        "unharmed.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
