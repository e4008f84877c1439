#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_DIRECTION,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_link_effect){.cut = LZ_LINK_CUT});
}

const struct lz_fault_kind lz_fault_route_loss = {
    .name = "route_loss",
    .doc = "Withdraw the routes between two places, or around one: within each all goes on.",
    .effect_unit = "messages cut",
    .elsewhere =
        "Other tools have no fault of this kind; Azure and AWS FIS deny traffic between subnets. "
        "It is a partition of two regions, zones or clouds; what goes there is dropped without an "
        "answer, as cloud networks do (routers that answer \"unreachable\" are not modelled).",
    .targets = LZ_TARGETS_PLACES,
    .second = LZ_TARGETS_PLACES,
    .per_link = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
