#include "fault/kinds.h"

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_ulimit_apply(w, f, LZ_ULIMIT_PIDS);
}

const struct lz_fault_kind lz_fault_pid_limit = {
    .name = "pid_limit",
    .doc = "Run out of process ids: threads beyond the limit, the process itself counted, are "
           "refused.",
    .effect_unit = "refusals",
    .elsewhere = "krkn and ChaosBlade fill the pid space with processes; a cgroup's pids.max "
                 "refuses in the same way, without them.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = lz_fault_ulimit_params,
    .apply = apply,
    .revert = lz_fault_ulimit_revert,
};
