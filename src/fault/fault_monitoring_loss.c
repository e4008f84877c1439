#include "fault/kinds.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .preset = 1.0,
     .ramp = LZ_RAMP_FROM_0,
     .doc = "share of the samples, each by its own draw; default all"},
    {0},
};

const struct lz_fault_kind lz_fault_monitoring_loss = {
    .name = "monitoring_loss",
    .doc = "Lose samples: who scales by them does not know what is used, and wait_until does not "
           "see what it waits for; an alert has no last sample, and ranges have fewer. What is "
           "judged in the end is what was so.",
    .effect_unit = "samples lost",
    .elsewhere = "No other tool has it: it is a Prometheus that is down while it is needed.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON_ALL,
    .params = params,
    .platform = LZ_PLATFORM_SCRAPE,
    .apply = lz_fault_platform_apply,
    .revert = lz_fault_platform_revert,
};
