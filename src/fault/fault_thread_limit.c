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
            lz_ulimit_lower(w, f->hits[i], LZ_ULIMIT_THREADS, f->opts.params.limit, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_ulimit_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_thread_limit = {
    .name = "thread_limit",
    .doc = "Run out of threads: requests beyond the limit are refused.",
    .effect_unit = "refusals",
    .elsewhere = "No other tool has it. AWS Kinesis went down by it in November 2020, when each "
                 "server needed a thread for each other one.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
