#include "fault/kinds.h"
#include "model/cache/cache.h"
#include "model/data/hold.h"

static const struct lz_param params[] = {
    {.name = "limit",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .doc = "how many are left; default 0"},
    {0},
};

static bool is_cache(const struct lz_world *w, const struct lz_fault *f)
{
    return lz_world_component(w, f->opts.target.id)->kind == LZ_COMPONENT_CACHE;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    uint32_t *undo = lz_fault_undo(w, f);
    if (is_cache(w, f)) {
        *undo = lz_cache_hold_connections(w, f->opts.target.id, f->opts.params.limit, &f->effect);
        return;
    }
    *undo = lz_hold_begin(w, f->opts.target.id,
                          &(struct lz_hold_opts){.has_connections = true,
                                                 .connections_left = f->opts.params.limit,
                                                 .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    if (is_cache(w, f))
        lz_cache_release_connections(w, f->opts.target.id, f->undo[0]);
    else
        lz_hold_end(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_connection_exhaustion = {
    .name = "connection_exhaustion",
    .doc = "Take the connections of a database or a cache, all but so many. Who has one keeps it.",
    .elsewhere = "Other tools open connections until there are none left, which takes as many as "
                 "are free; here as many are left as `limit` says.",
    .effect_unit = "calls that found none free",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE) | LZ_FAULT_ON(LZ_COMPONENT_CACHE),
    .params = params,
    .apply = apply,
    .revert = revert,
};
