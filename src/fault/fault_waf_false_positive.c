#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = LZ_FAULT_AT(ratio),
     .required = true,
     .doc = "share of good requests that a rule takes for bad ones, each by its own draw"},
    {.name = "path",
     .type = LZ_PARAM_TEXT,
     .offset = LZ_FAULT_AT(path),
     .doc = "only requests to it; \"/api/*\" is all that begin like it"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_filter_apply(
        w, f,
        &(struct lz_filter){.act = LZ_FILTER_ABORT, .outcome = LZ_OUTCOME_REFUSED, .status = 403});
}

const struct lz_fault_kind lz_fault_waf_false_positive = {
    .name = "waf_false_positive",
    .doc = "Block good requests with 403, as a bad rule of a web application firewall does.",
    .elsewhere =
        "No other tool has it. It stands before a service, a balancer or a gateway; a gateway's "
        "own `waf` goes on beside it.",
    .effect_unit = "requests blocked",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE) | LZ_FAULT_ON(LZ_COMPONENT_BALANCER) |
          LZ_FAULT_ON(LZ_COMPONENT_GATEWAY),
    .per_instance = true,
    .params = params,
    .check = lz_fault_filter_check,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
