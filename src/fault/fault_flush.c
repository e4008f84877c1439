#include "base/check.h"
#include "fault/kinds.h"
#include "model/cache/cache.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_cache_flush(w, f->hits[i]);
}

// What is gone is gone: it comes back by being asked for.
static void revert(struct lz_world *w, struct lz_fault *f)
{
    (void)w;
    LZ_ASSERT(f->active);
}

const struct lz_fault_kind lz_fault_flush = {
    .name = "flush",
    .doc = "Empty a cache, as FLUSHALL does, its replicas with it. Without processes that end: "
           "connections stay, and the next to ask misses.",
    .elsewhere = "Chaos Mesh's RedisChaos has cache-expiration, which is fault.expire; other tools "
                 "restart the process, which is fault.kill and breaks connections as well.",
    .effect_unit = "keys touched",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON(LZ_COMPONENT_CACHE),
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
