#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {{0}};

const struct lz_fault_kind lz_fault_control_plane_down = {
    .name = "control_plane_down",
    .doc = "Schedule nothing new: autoscalers decide nothing, and replicas that were asked for "
           "wait. What runs keeps running, and is started again where it was.",
    .effect_unit = "decisions withheld",
    .elsewhere = "krkn stops the API server's and etcd's nodes, which is this and a loss of "
                 "nodes; fault.down is the latter.",
    .targets = LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .params = params,
    .platform = LZ_PLATFORM_DECIDE | LZ_PLATFORM_START,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
