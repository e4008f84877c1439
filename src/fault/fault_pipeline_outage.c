#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_platform_apply(w, f, &(struct lz_platform_effect){.parts = LZ_PLATFORM_DEPLOY});
}

const struct lz_fault_kind lz_fault_pipeline_outage = {
    .name = "pipeline_outage",
    .doc = "Fail deploys: `service:route { ... }` changes nothing, and says so.",
    .effect_unit = "deploys refused",
    .elsewhere = "No other tool has it: it is a CI system that is down when a fix is ready.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .fits = NULL,
    .params = params,
    .apply = apply,
    .revert = lz_fault_platform_revert,
};
