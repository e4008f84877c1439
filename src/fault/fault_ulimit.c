#include "fault/kinds.h"

const struct lz_param lz_fault_ulimit_params[] = {
    {.name = "limit",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .required = true,
     .doc = "how many each process may have"},
    {0},
};

void lz_fault_ulimit_apply(struct lz_world *w, struct lz_fault *f, enum lz_ulimit_kind what)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_ulimit_lower(w, f->hits[i], what, f->opts.params.limit, &f->effect);
}

void lz_fault_ulimit_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_ulimit_undo(w, f->hits[i], f->undo[i]);
}
