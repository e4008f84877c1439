#include "fault/kinds.h"
#include "model/data/failover.h"
#include "model/journal.h"

/* fault_failover.c — somebody moves the primary's role, and moves it back. */

static const struct lz_param params[] = {
    {.name = "to",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, node),
     .min = 1,
     .doc = "the number of the node that leads then; default the best"},
    {0},
};

// What speaks against it is told, not raised: it is the world's.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    struct lz_err err;
    if (lz_failover_move(w, f->opts.target.id, f->opts.params.node, &err))
        f->effect++;
    else
        lz_journal_add(w, &(struct lz_journal_entry){.kind = "fault", .line = f->opts.line},
                       "%s is refused: %s", f->name, err.msg);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_failover_move_back(w, f->opts.target.id);
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (c->instance_count < 2)
        return lz_fail(err, LZ_EINVAL, "%s has one node: there is nobody to fail over to", c->name);
    if (o->params.node > c->instance_count)
        return lz_fail(err, LZ_ERANGE, "`to` must be a node of %s, 1 to %u, got %u", c->name,
                       c->instance_count, o->params.node);
    return true;
}

const struct lz_fault_kind lz_fault_failover = {
    .name = "failover",
    .doc = "Move the primary's role to another node, as an operator does: a primary that can be "
           "reached hands over when the other has all of the log. After `lasting` it goes back to "
           "who had it.",
    .elsewhere = "AWS FIS' rds:failover-db-cluster and Azure's Cosmos DB failover are this without "
                 "`lasting`: the role stays where it is.",
    .effect_unit = "roles moved",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .fits = fits,
    .apply = apply,
    .revert = revert,
};
