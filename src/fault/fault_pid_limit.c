#include "fault/kinds.h"
#include "model/node/ulimit.h"

static const struct lz_param params[] = {
    {.name = "limit",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .required = true,
     .doc = "how many each process may have"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] =
            lz_ulimit_lower(w, f->hits[i], LZ_ULIMIT_PIDS, f->opts.params.limit, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_ulimit_undo(w, f->hits[i], f->undo[i]);
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
    .params = params,
    .apply = apply,
    .revert = revert,
};
