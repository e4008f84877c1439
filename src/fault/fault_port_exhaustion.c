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
            lz_ulimit_lower(w, f->hits[i], LZ_ULIMIT_PORTS, f->opts.params.limit, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_ulimit_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_port_exhaustion = {
    .name = "port_exhaustion",
    .doc = "Run out of local ports: calls beyond the limit fail at once.",
    .effect_unit = "calls refused",
    .elsewhere = "No other tool has it. connect() answers EADDRNOTAVAIL: the call is sent nowhere, "
                 "and the server is not to blame. What is open stays open.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
