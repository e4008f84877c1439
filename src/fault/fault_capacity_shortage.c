#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {
    {.name = "delay",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, after),
     .doc = "late by so much instead of not at all"},
    {0},
};

const struct lz_fault_kind lz_fault_capacity_shortage = {
    .name = "capacity_shortage",
    .doc = "Refuse new replicas, or give them late: the provider has no machines left. Who runs, "
           "runs on.",
    .effect_unit = "replicas refused",
    .elsewhere = "AWS FIS has it for EC2 (insufficient-instance-capacity-error), as an error of "
                 "the API; here replicas that an autoscaler adds wait, and come when it is over.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .fits = lz_fault_platform_fits,
    .params = params,
    .platform = LZ_PLATFORM_START,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
