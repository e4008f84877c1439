#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .offset = offsetof(struct lz_fault_params, add),
     .required = true,
     .doc = "how much later a request comes in: a duration or a distribution"},
    LZ_PARAMS_REQUESTS,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_filter_apply(w, f,
                          &(struct lz_filter){.act = LZ_FILTER_DELAY, .add = f->opts.params.add});
}

const struct lz_fault_kind lz_fault_http_delay = {
    .name = "http_delay",
    .doc = "Hold requests at the door of a replica; its own latency does not count that.",
    .elsewhere =
        "Chaos Mesh (HTTPChaos delay) and Envoy's fault filter hold a request once, as this "
        "does. Toxiproxy's latency and tc's netem delay packets: see fault.latency.",
    .effect_unit = "requests held",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = lz_fault_filter_check,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
