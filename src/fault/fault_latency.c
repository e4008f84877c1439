#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .offset = offsetof(struct lz_fault_params, add),
     .required = true,
     .doc = "delay added to each message, one way: a duration or a distribution"},
    LZ_PARAM_DIRECTION,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_net_effect){.add = f->opts.params.add});
}

const struct lz_fault_kind lz_fault_latency = {
    .name = "latency",
    .doc = "Delay messages: per message and direction, so a round trip pays it twice.",
    .effect_unit = "messages delayed",
    .targets = LZ_TARGETS_INSTANCES | LZ_TARGET_BIT(LZ_TARGET_LINK),
    .second = LZ_TARGETS_INSTANCES,
    .params = params,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
