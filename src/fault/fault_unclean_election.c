/*
 * fault_unclean_election.c — a leader that is behind.
 *
 * What is lost is lost. When the fault is over the first copies lead again where they are in sync
 * by then, as auto.leader.rebalance.enable would have it some minutes later.
 */
#include "fault/kinds.h"
#include "model/broker/broker.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_target *t = &f->opts.target;
    f->effect += lz_broker_elect_unclean(w, t->id, t->ordinal);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_target *t = &f->opts.target;
    lz_broker_elect_preferred(w, t->id, t->ordinal);
}

const struct lz_fault_kind lz_fault_unclean_election = {
    .name = "unclean_election",
    .doc = "Elect the live copy of each partition that is most behind, in sync or not: what it "
           "lacks is gone.",
    .effect_unit = "records that the new leaders lack",
    .elsewhere =
        "kafka-leader-election --election-type unclean elects only where a partition has no "
        "leader; here one that leads is deposed. Among copies that are all in sync nothing that "
        "was acknowledged is lost; after fault.isr_shrink, or with acks = \"leader\", it is.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE),
    .on = LZ_FAULT_ON(LZ_COMPONENT_BROKER) | LZ_FAULT_ON(LZ_COMPONENT_TOPIC),
    .fits = lz_fault_is_log,
    .params = params,
    .apply = apply,
    .revert = revert,
};
