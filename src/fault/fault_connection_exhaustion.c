#include "fault/kinds.h"
#include "model/cache/cache.h"
#include "model/data/hold.h"
#include "model/net/connection.h"

static const struct lz_param params[] = {
    {.name = "limit",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .doc = "how many are left, of a pool to each calling instance; default 0"},
    {0},
};

// Of a pool: whose it is, and to what. Of a server: all that it takes.
static bool is_of_pool(const struct lz_fault_opts *o)
{
    return o->target_b.kind != 0;
}

static bool is_cache(const struct lz_world *w, const struct lz_fault *f)
{
    return lz_world_component(w, f->opts.target.id)->kind == LZ_COMPONENT_CACHE;
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    bool has_limit = c->kind == LZ_COMPONENT_DATABASE || c->kind == LZ_COMPONENT_CACHE;
    if (is_of_pool(o)) {
        const struct lz_component *to = lz_world_component(w, o->target_b.id);
        return lz_connection_has_pool(w, o->target.id, o->target_b.id) ||
               lz_fail(err, LZ_EINVAL,
                       "fault.connection_exhaustion: %s has no pool of connections to %s: give the "
                       "call one, pool = { max = 10 }",
                       c->name, to->name);
    }
    if (has_limit && o->target.kind == LZ_TARGET_COMPONENT)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.connection_exhaustion: %s: a database or a cache has a limit of "
                   "connections; for a caller's pool say to what, { web, db }",
                   c->name);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_opts *o = &f->opts;
    if (is_of_pool(o)) {
        lz_fault_connection_apply(
            w, f,
            &(struct lz_connection_effect){.fate = LZ_CONNECTION_TAKEN, .left = o->params.limit});
        return;
    }
    uint32_t *undo = lz_fault_undo(w, f);
    if (is_cache(w, f)) {
        *undo = lz_cache_hold_connections(w, o->target.id, o->params.limit, &f->effect);
        return;
    }
    *undo = lz_hold_begin(w, o->target.id,
                          &(struct lz_hold_opts){.has_connections = true,
                                                 .connections_left = o->params.limit,
                                                 .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    if (is_of_pool(&f->opts))
        lz_fault_connection_revert(w, f);
    else if (is_cache(w, f))
        lz_cache_release_connections(w, f->opts.target.id, f->undo[0]);
    else
        lz_hold_end(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_connection_exhaustion = {
    .name = "connection_exhaustion",
    .doc = "Take the connections of a database or a cache, all but so many, or with two targets "
           "those of the first's pool to the second, as a leak does. Who has one keeps it until "
           "it is done.",
    .elsewhere = "Other tools open connections until there are none left, which takes as many as "
                 "are free; here as many are left as `limit` says. None of them reaches into a "
                 "program's own pool.",
    .effect_unit = "calls that found none free",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE),
    .second = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE) | LZ_FAULT_ON(LZ_COMPONENT_CACHE) |
          LZ_FAULT_ON(LZ_COMPONENT_SERVICE) | LZ_FAULT_ON(LZ_COMPONENT_BALANCER) |
          LZ_FAULT_ON(LZ_COMPONENT_GATEWAY) | LZ_FAULT_ON(LZ_COMPONENT_CONSUMERS),
    .fits = fits,
    .params = params,
    .apply = apply,
    .revert = revert,
};
