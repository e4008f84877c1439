#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {{0}};

const struct lz_fault_kind lz_fault_registry_outage = {
    .name = "registry_outage",
    .doc =
        "Fail image pulls: replicas that are added or put somewhere else cannot start. Each tries "
        "again after 10 s, then after twice as long, up to 5 min, so some start that much "
        "after it is over. Where one has run, its image is; `image = { pull_policy = "
        "\"always\" }` asks the registry even there.",
    .effect_unit = "pulls refused",
    .elsewhere = "No other tool has it: it is Kubernetes' ImagePullBackOff.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE),
    .params = params,
    .platform = LZ_PLATFORM_PULL,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
