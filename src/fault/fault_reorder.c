#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_STRUCK("held back"),
    LZ_PARAM_PER,
    LZ_PARAM_CORRELATION,
    {.name = "gap",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, gap),
     .doc = "how much later they come; default 10ms"},
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_time gap = f->opts.params.gap > 0 ? f->opts.params.gap : 10 * LZ_MS;
    lz_fault_net_apply(
        w, f,
        &(struct lz_link_effect){.conditions = {.reorder = lz_fault_net_struck(f), .gap = gap}});
}

const struct lz_fault_kind lz_fault_reorder = {
    .name = "reorder",
    .doc = "Hold packets back behind later ones; TCP waits for the missing piece.",
    .effect_unit = "packets held back",
    .elsewhere = "tc netem and Chaos Mesh send the chosen packets at once and delay all others; "
                 "here the chosen ones come `gap` later than the rest. "
                 "TCP delivers in order, so that a message is as late as its latest packet; "
                 "retransmissions that reordering may provoke are not modelled. "
                 "Live it takes network = \"namespaces\"; TCP's own reaction is then real.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
