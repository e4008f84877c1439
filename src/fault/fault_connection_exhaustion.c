#include "fault/kinds.h"
#include "model/data/hold.h"

static const struct lz_param params[] = {
    {.name = "limit",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .doc = "how many are left; default 0"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    if (f->undo == NULL)
        f->undo = lz_arena_alloc(w->arena, sizeof(*f->undo));
    f->undo[0] = lz_hold_begin(w, f->opts.target.id,
                               &(struct lz_hold_opts){.has_connections = true,
                                                      .connections_left = f->opts.params.limit,
                                                      .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_hold_end(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_connection_exhaustion = {
    .name = "connection_exhaustion",
    .doc = "Take a database's connections, all but so many. Who has one keeps it.",
    .elsewhere = "Other tools open connections until there are none left, which takes as many as "
                 "are free; here as many are left as `limit` says.",
    .effect_unit = "calls that found none free",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .apply = apply,
    .revert = revert,
};
