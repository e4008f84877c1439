#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAM_STRUCK("delivered twice"),
    LZ_PARAM_PER,
    LZ_PARAM_CORRELATION,
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(
        w, f, &(struct lz_link_effect){.conditions = {.duplicate = lz_fault_net_struck(f)}});
}

const struct lz_fault_kind lz_fault_duplicate = {
    .name = "duplicate",
    .doc = "Deliver packets twice: the receiver drops the copy, which costs bandwidth.",
    .effect_unit = "packets doubled",
    .elsewhere = "tc netem and Chaos Mesh duplicate the same packets; over TCP the copy is dropped "
                 "by the receiver, so that only bandwidth pays. "
                 "A request is never served twice by it: for that, let a caller retry. "
                 "Live it takes network = \"namespaces\", and a program that uses UDP gets both.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
