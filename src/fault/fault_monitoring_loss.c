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

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_platform_apply(
        w, f,
        &(struct lz_platform_effect){.parts = LZ_PLATFORM_SCRAPE, .ratio = f->opts.params.ratio});
}

const struct lz_fault_kind lz_fault_monitoring_loss = {
    .name = "monitoring_loss",
    .doc = "Lose samples: who scales by them does not know what is used, and wait_until does not "
           "see what it waits for. What is judged in the end is what was so.",
    .effect_unit = "samples lost",
    .elsewhere = "No other tool has it: it is a Prometheus that is down while it is needed.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGETS_PLACES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE) | LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .fits = NULL,
    .params = params,
    .apply = apply,
    .revert = lz_fault_platform_revert,
};
