#include "base/check.h"
#include "fault/kinds.h"
#include "model/cache/cache.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .preset = 1.0,
     .doc = "share of the entries that run out, each by its own draw; default all"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.ratio > 0.0)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.expire: ratio must be above 0: nothing would run out");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    uint64_t owner = lz_draw_index(f->path, f->firings);
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_cache_expire(w, f->hits[i], f->opts.params.ratio, owner);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    (void)w;
    LZ_ASSERT(f->active);
}

const struct lz_fault_kind lz_fault_expire = {
    .name = "expire",
    .doc = "Let entries of a cache run out at once, a share of them or all. Those that are asked "
           "for come back one by one, from what stands behind the cache.",
    .elsewhere =
        "Chaos Mesh's RedisChaos (cache-expiration) sets a time to live on one key or all; "
        "here a share can be hit.",
    .effect_unit = "keys touched",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_CACHE),
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = revert,
};
