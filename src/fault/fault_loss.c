#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .required = true,
     .doc = "share of messages lost, each by its own draw"},
    LZ_PARAM_DIRECTION,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_net_effect){.loss = f->opts.params.ratio});
}

const struct lz_fault_kind lz_fault_loss = {
    .name = "loss",
    .doc = "Lose messages; TCP sends each again after 200 ms, doubling.",
    .effect_unit = "messages lost",
    .targets = LZ_TARGETS_INSTANCES | LZ_TARGET_BIT(LZ_TARGET_LINK),
    .second = LZ_TARGETS_INSTANCES,
    .params = params,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
