/* fault_split_brain.c — a primary that is given up, and goes on. */
#include "fault/kinds.h"
#include "model/consensus/consensus_member.h"
#include "model/data/failover.h"

static const struct lz_param params[] = {
    {.name = "stay",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, stay),
     .preset = 0.5,
     .doc = "share of the callers, each by its own draw, that go on with the old primary; default "
            "50%"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_failover_split(w, f->opts.target.id, f->opts.params.stay, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_failover_mend(w, f->opts.target.id, &f->effect);
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (c->instance_count < 2)
        return lz_fail(err, LZ_EINVAL, "%s has one node: there is nobody to lead beside it",
                       c->name);
    if (!lz_failover_is_led(w, o->target.id))
        return lz_fail(err, LZ_EINVAL,
                       "fault.split_brain: all nodes of %s are masters: what it has instead comes "
                       "of fault.partition between them",
                       c->name);
    if (lz_consensus_is_group(w, o->target.id))
        return lz_fail(err, LZ_EINVAL,
                       "fault.split_brain: %s is a Raft group: of two that lead, only one has a "
                       "majority, and the other commits nothing; fault.partition shows it",
                       c->name);
    return true;
}

const struct lz_fault_kind lz_fault_split_brain = {
    .name = "split_brain",
    .doc =
        "The others take the primary for dead and one of them is promoted, while nobody stops "
        "it: two primaries take writes until this is over. Then the old one steps down, and what "
        "it took alone is given up.",
    .elsewhere = "No tool has it. fault.partition with fencing = false and `discovery` is how it "
                 "comes about; this is the state itself.",
    .effect_unit = "seconds with two primaries",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .fits = fits,
    .apply = apply,
    .revert = revert,
};
