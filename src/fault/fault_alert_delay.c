#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .offset = offsetof(struct lz_fault_params, add),
     .required = true,
     .ramp = LZ_RAMP_FROM_0,
     .doc = "how much later; a duration or a distribution"},
    {0},
};

const struct lz_fault_kind lz_fault_alert_delay = {
    .name = "alert_delay",
    .doc = "Notify late: wait_until goes on so much after what it waited for was seen, "
           "and notifications of alerts come so much later.",
    .effect_unit = "alerts delayed",
    .elsewhere = "No other tool has it: it is a pager, or a queue before it, that is slow.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON_ALL,
    .params = params,
    .platform = LZ_PLATFORM_ALERT,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
