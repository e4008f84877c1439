#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {{0}};

const struct lz_fault_kind lz_fault_registry_outage = {
    .name = "registry_outage",
    .doc = "Fail image pulls: replicas that are added cannot start before it is over. Those that "
           "are started again where they were have their image.",
    .effect_unit = "starts refused",
    .elsewhere = "No other tool has it: it is ImagePullBackOff. Replicas that are evicted find "
                 "their image where they come to.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .fits = lz_fault_platform_fits,
    .params = params,
    .platform = LZ_PLATFORM_START,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
