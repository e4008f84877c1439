#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {{0}};

const struct lz_fault_kind lz_fault_autoscaler_off = {
    .name = "autoscaler_off",
    .doc = "Stop an autoscaler: it decides nothing, and as many replicas as there are stay.",
    .effect_unit = "decisions withheld",
    .elsewhere = "No other tool has it: it is a controller that is paused or has lost its rights. "
                 "What it has begun goes on.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .fits = lz_fault_platform_fits,
    .params = params,
    .platform = LZ_PLATFORM_DECIDE,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
