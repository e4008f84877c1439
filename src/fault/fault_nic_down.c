#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_BY,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_link_effect){.cut = LZ_LINK_CUT});
}

const struct lz_fault_kind lz_fault_nic_down = {
    .name = "nic_down",
    .doc = "Take a host's network interface down: nothing reaches other hosts, what runs on it "
           "goes on.",
    .effect_unit = "messages cut",
    .elsewhere = "Like `ip link set down`, Pumba's and Gremlin's network attacks on a host. Unlike "
                 "fault.down the processes live on and lose nothing; "
                 "unlike fault.partition of the host, what shares it still talks to each other.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_HOST),
    .per_link = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
