#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_link_effect){.cut = LZ_LINK_CUT});
}

const struct lz_fault_kind lz_fault_partition = {
    .name = "partition",
    .doc = "Cut the network between two targets, or around one: silence, on open connections too.",
    .effect_unit = "messages cut",
    .elsewhere = "Chaos Mesh's partition drops by address and, like ours, cuts what is open; "
                 "Litmus' network policies and some firewalls spare established connections. "
                 "`direction` makes it one-way; partitions of pairs need not add up to two halves.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
