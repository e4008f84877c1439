#include "base/check.h"
#include "fault/kinds.h"
#include "model/client/hot.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .required = true,
     .ramp = LZ_RAMP_FROM_0,
     .doc = "share of the calls that are about the one key, whatever they were about"},
    {.name = "key",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, key),
     .preset = 1,
     .doc = "which; default 1, the most popular of dist.zipf"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.ratio > 0.0)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.hot_key: ratio must be above 0: nothing would change");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    if (f->undo == NULL)
        f->undo = lz_arena_alloc(w->arena, sizeof(*f->undo));
    f->undo[0] = lz_hot_add(w, &(struct lz_hot){.component = f->opts.target.id,
                                                .key = f->opts.params.key,
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
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_CACHE) | LZ_FAULT_ON(LZ_COMPONENT_DATABASE) |
          LZ_FAULT_ON(LZ_COMPONENT_STORE),
    .params = params,
    .check = check,
    .apply = apply,
    .revert = revert,
};
