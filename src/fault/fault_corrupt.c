#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_STRUCK("damaged"), LZ_PARAM_PER, LZ_PARAM_CORRELATION,
    LZ_PARAM_DIRECTION,         LZ_PARAM_BY,  {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f,
                       &(struct lz_link_effect){.conditions = {.corrupt = lz_fault_net_struck(f)}});
}

const struct lz_fault_kind lz_fault_corrupt = {
    .name = "corrupt",
    .doc = "Damage packets: their checksum fails, they are dropped and sent again.",
    .effect_unit = "packets damaged",
    .elsewhere =
        "tc netem and Chaos Mesh flip a bit; hardware or TCP's checksum then drops the packet, as "
        "here. "
        "One damaged packet in 65,536 would pass TCP's checksum alone: that is not modelled. "
        "Live, in namespaces, one bit is turned and checksums stay as they were; through a proxy, "
        "which writes packets anew, no checksum notices.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
