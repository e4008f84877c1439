// Which copies stand still is decided when it begins; who leads then leads on.
#include "fault/kinds.h"
#include "model/broker/broker.h"
#include "model/broker/topic.h"

static const struct lz_param params[] = {
    {.name = "keep",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .min = 1,
     .preset = 1,
     .doc = "copies of each partition that go on, the leader among them; default 1"},
    {0},
};

// Also of unclean_election: a part of a broker is a node, and those have no copies of their own
// that a fault could name.
bool lz_fault_is_log(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (c->kind == LZ_COMPONENT_TOPIC || o->target.kind == LZ_TARGET_COMPONENT)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s is about partitions: target %s, a topic or one of its partitions, "
                   "such as orders.partition[1]",
                   o->kind, c->name);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_target *t = &f->opts.target;
    *lz_fault_undo(w, f) = lz_broker_hold(w, t->id, t->ordinal, f->opts.params.limit, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_broker_release(w, f->undo[0]);
}

const struct lz_fault_kind lz_fault_isr_shrink = {
    .name = "isr_shrink",
    .doc = "Let copies stand still: they copy nothing and are out of sync at once.",
    .effect_unit = "records held back or refused",
    .elsewhere =
        "No other tool has it; a throttled or stopped follower does it to Kafka after "
        "replica.lag.time.max.ms. With min_isr above `keep`, acks = \"all\" is refused until it is "
        "over; a copy comes back into sync once it has caught up.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE),
    .on = LZ_FAULT_ON(LZ_COMPONENT_BROKER) | LZ_FAULT_ON(LZ_COMPONENT_TOPIC),
    .fits = lz_fault_is_log,
    .params = params,
    .apply = apply,
    .revert = revert,
};
