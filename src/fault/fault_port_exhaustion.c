#include "fault/kinds.h"

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_ulimit_apply(w, f, LZ_ULIMIT_PORTS);
}

const struct lz_fault_kind lz_fault_port_exhaustion = {
    .name = "port_exhaustion",
    .doc = "Run out of local ports: calls beyond the limit fail at once.",
    .effect_unit = "calls refused",
    .elsewhere = "No other tool has it. connect() answers EADDRNOTAVAIL: the call is sent nowhere, "
                 "and the server is not to blame. What is open stays open.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = lz_fault_ulimit_params,
    .apply = apply,
    .revert = lz_fault_ulimit_revert,
};
