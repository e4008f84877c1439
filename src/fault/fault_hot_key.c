#include "base/check.h"
#include "fault/kinds.h"
#include "model/cache/cache.h"
#include "model/client/hot.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .required = true,
     .ramp = LZ_RAMP_FROM_0,
     .doc =
         "share of the calls that are about the one key, whatever they were about; statements of "
         "transactions keep theirs"},
    {.name = "key",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, key),
     .preset = 1,
     .doc = "which; default 1, the most popular of dist.zipf; of a shard the first from it on that "
            "the shard has"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.ratio > 0.0)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.hot_key: ratio must be above 0: nothing would change");
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->target.kind != LZ_TARGET_PRIMARY || o->target.ordinal > 0)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.hot_key cannot target %s.primary: keys belong to a shard of a cluster, "
                   "%s.shard[1], or to all of it",
                   lz_world_component(w, o->target.id)->name,
                   lz_world_component(w, o->target.id)->name);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_target *t = &f->opts.target;
    uint64_t key = f->opts.params.key;
    if (t->kind == LZ_TARGET_PRIMARY)
        key = lz_cache_key_of_shard(w, t->id, t->ordinal, key);
    *lz_fault_undo(w, f) =
        lz_hot_add(w, &(struct lz_hot){.component = t->id,
                                       .key = key,
                                       .ratio = f->opts.params.ratio,
                                       .owner = lz_draw_index(f->path, f->firings),
                                       .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_hot_remove(w, f->undo[0]);
}

const struct lz_fault_kind lz_fault_hot_key = {
    .name = "hot_key",
    .doc = "Let one key be asked for by many: a share of the calls to a cache, a database or a "
           "store is about it. How many calls there are does not change (fault.surge does that); "
           "one partition, one row or one entry takes them.",
    .elsewhere = "No other tool has it: it is what a celebrity does, or a client with a bug.",
    .effect_unit = "calls touched",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_PRIMARY),
    .on = LZ_FAULT_ON(LZ_COMPONENT_CACHE) | LZ_FAULT_ON(LZ_COMPONENT_DATABASE) |
          LZ_FAULT_ON(LZ_COMPONENT_STORE),
    .params = params,
    .check = check,
    .fits = fits,
    .apply = apply,
    .revert = revert,
};
