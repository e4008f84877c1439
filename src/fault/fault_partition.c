#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_DIRECTION,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_net_effect){.cut = true});
}

const struct lz_fault_kind lz_fault_partition = {
    .name = "partition",
    .doc = "Cut the network between two targets, or around one: silence, also on open connections.",
    .effect_unit = "messages cut",
    .targets = LZ_TARGETS_INSTANCES | LZ_TARGET_BIT(LZ_TARGET_LINK),
    .second = LZ_TARGETS_INSTANCES,
    .params = params,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
