#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {{0}};

const struct lz_fault_kind lz_fault_pipeline_outage = {
    .name = "pipeline_outage",
    .doc = "Fail deploys: `service:route { ... }` changes nothing, and says so.",
    .effect_unit = "deploys refused",
    .elsewhere = "No other tool has it: it is a CI system that is down when a fix is ready.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .params = params,
    .platform = LZ_PLATFORM_DEPLOY,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
