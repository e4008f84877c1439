#include "base/check.h"
#include "fault/kinds.h"
#include "model/cache/cache.h"

static const struct lz_param params[] = {
    {.name = "entries",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .min = 1,
     .doc = "how many a node may hold"},
    {.name = "share",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, fill),
     .doc = "instead: of those that it is declared to hold"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    if (p->limit > 0 && p->fill > 0.0)
        return lz_fail(err, LZ_EINVAL, "fault.cache_limit has `entries` and `share`: one of them");
    return p->limit > 0 || p->fill > 0.0 ||
           lz_fail(err, LZ_EINVAL,
                   "fault.cache_limit needs `entries` (such as 100) or `share` (such as \"10%%\")");
}

// A share of some is at least one.
static uint32_t entries_of(const struct lz_world *w, const struct lz_fault *f, lz_instance_id node)
{
    const struct lz_fault_params *p = &f->opts.params;
    if (p->limit > 0)
        return p->limit;
    uint32_t all = lz_cache_entries(w, lz_instance_get(w, node)->component);
    double share = p->fill * (double)all;
    return share < 1.0 ? 1 : (uint32_t)share;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_cache_limit(w, f->hits[i], entries_of(w, f, f->hits[i]), &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_cache_unlimit(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_cache_limit = {
    .name = "cache_limit",
    .doc = "Let the nodes of a cache hold fewer entries: what is beyond them is evicted; where "
           "nothing "
           "may be, it stays, and until there is less all writes are refused, as by Redis.",
    .effect_unit = "entries evicted or refused",
    .elsewhere =
        "Chaos Mesh's redis-cacheLimit lowers maxmemory (`cacheSize`, or a `percent` of it): "
        "bytes there, entries here. A replica holds what its primary holds, and is limited "
        "once it leads.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_CACHE),
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = revert,
};
