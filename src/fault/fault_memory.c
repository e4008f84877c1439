/*
 * fault_memory.c — memory that is gone: taken by something else, or leaked by the process itself.
 */
#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/rss.h"

enum { KILL, SWAP };

static const struct lz_param params[] = {
    {.name = "fill",
     .type = LZ_PARAM_RATIO,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, fill),
     .doc = "share of its limit that something else takes"},
    {.name = "size",
     .type = LZ_PARAM_SIZE,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, size),
     .max = 1e15,
     .doc = "instead: so much of it, such as \"256MB\""},
    {.name = "leak",
     .type = LZ_PARAM_SPEED,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, leak),
     .max = 1e15,
     .doc = "what each process loses; a fresh one begins with nothing lost"},
    {.name = "oom",
     .type = LZ_PARAM_CHOICE,
     .offset = offsetof(struct lz_fault_params, oom),
     .choices = "kill|swap",
     .doc = "what happens when there is no more; default kill"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    if (p->fill > 0.0 && p->size > 0.0)
        return lz_fail(err, LZ_EINVAL, "fault.memory has `fill` (a share) and `size`: one of them");
    if (p->fill > 0.0 || p->size > 0.0 || p->leak > 0.0)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.memory needs `fill` (a share), `size` (such as \"256MB\") or `leak` "
                   "(such as \"1MiB/s\")");
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->target.kind > LZ_TARGET_REPLICA || lz_rss_is_declared(w, o->target.id))
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.memory: \"%s\" has not said how much memory it has: give it memory = "
                   "{ limit = \"512MiB\" }",
                   lz_world_component(w, o->target.id)->name);
}

// In a place there may be others, who have not said what they have.
static bool takes(const struct lz_world *w, lz_instance_id id)
{
    return lz_rss_is_declared(w, lz_instance_get(w, id)->component);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_rss_take(w, f->hits[i],
                                 &(struct lz_rss_effect){.fill = p->fill,
                                                         .bytes = p->size,
                                                         .leak = p->leak,
                                                         .swaps = p->oom == SWAP,
                                                         .taken = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_rss_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_memory = {
    .name = "memory",
    .doc = "Take memory, or let processes leak it, until they are killed or swapped out.",
    .effect_unit = "bytes taken",
    .elsewhere = "Chaos Mesh's and Gremlin's memory stress run a process in the same cgroup, which "
                 "the kernel may kill in place of the target; here what is taken belongs to nobody "
                 "that could be killed. None of them leaks inside the target itself. What has "
                 "leaked stays until the process ends.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .fits = fits,
    .takes = takes,
    .apply = apply,
    .revert = revert,
};
