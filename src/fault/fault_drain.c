#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "notice",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, notice),
     .doc = "how long replicas may take to finish; default their grace_period"},
    {0},
};

const struct lz_fault_kind lz_fault_drain = {
    .name = "drain",
    .doc = "Move work away from hosts, zones or regions: nothing is placed there, what runs there "
           "is evicted.",
    .effect_unit = "replicas evicted",
    .elsewhere = "`kubectl drain` evicts one after another within disruption budgets; Litmus' "
                 "node-drain and krkn's do the same and uncordon at the end. Here all go at once, "
                 "and what has moved stays where it is, as in Kubernetes.",
    .targets = LZ_TARGETS_PLACES | LZ_TARGET_BIT(LZ_TARGET_HOST),
    .per_instance = true,
    .params = params,
    .apply = lz_fault_evict_apply,
    .revert = lz_fault_stop_revert,
};
