#include "fault/kinds.h"

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_ulimit_apply(w, f, LZ_ULIMIT_FDS);
}

const struct lz_fault_kind lz_fault_fd_limit = {
    .name = "fd_limit",
    .doc = "Run out of file descriptors: requests and calls beyond the limit are refused.",
    .effect_unit = "refusals",
    .elsewhere = "No other tool has it; it is a low `ulimit -n`. A request there takes one "
                 "descriptor and a call it has open another; what is open stays open.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = lz_fault_ulimit_params,
    .apply = apply,
    .revert = lz_fault_ulimit_revert,
};
