#include "fault/kinds.h"

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_ulimit_apply(w, f, LZ_ULIMIT_THREADS);
}

const struct lz_fault_kind lz_fault_thread_limit = {
    .name = "thread_limit",
    .doc = "Run out of threads: requests beyond the limit are refused.",
    .effect_unit = "refusals",
    .elsewhere = "No other tool has it. AWS Kinesis went down by it in November 2020, when each "
                 "server needed a thread for each other one.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = lz_fault_ulimit_params,
    .apply = apply,
    .revert = lz_fault_ulimit_revert,
};
