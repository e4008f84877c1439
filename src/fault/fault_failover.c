#include "base/check.h"
#include "fault/kinds.h"
#include "model/cache/cache.h"
#include "model/consensus/consensus_member.h"
#include "model/data/failover.h"
#include "model/journal.h"

/*
 * fault_failover.c — somebody moves the primary's role, and moves it back: of a database, of a
 * shard of a cluster, of what sentinels watch, or of a group that agrees.
 */

static const struct lz_param params[] = {
    {.name = "to",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, node),
     .min = 1,
     .doc = "the number of the node that leads then; default the best"},
    {.name = "mode",
     .type = LZ_PARAM_CHOICE,
     .offset = offsetof(struct lz_fault_params, mode),
     .choices = "graceful|force|takeover",
     .doc = "of a cluster's shard, as CLUSTER FAILOVER: the primary hands over, is not asked, or "
            "nobody is; default graceful"},
    {0},
};

static bool is_cache(const struct lz_world *w, const struct lz_fault_opts *o)
{
    return lz_world_component(w, o->target.id)->kind == LZ_COMPONENT_CACHE;
}

static bool is_group(const struct lz_world *w, const struct lz_fault_opts *o)
{
    return lz_world_component(w, o->target.id)->kind == LZ_COMPONENT_CONSENSUS;
}

static void refuse(struct lz_world *w, const struct lz_fault *f, const struct lz_err *err)
{
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "fault", .line = f->opts.line},
                   "%s is refused: %s", f->name, err->msg);
}

// What leads before is remembered, to give it back. Without shards the target has no ordinal.
static bool move_shard(struct lz_world *w, struct lz_fault *f, uint32_t to, struct lz_err *err)
{
    const struct lz_target *t = &f->opts.target;
    struct lz_cache_failover move = {.shard = t->ordinal,
                                     .node = to,
                                     .mode = (enum lz_cluster_failover)f->opts.params.mode,
                                     .touched = &f->effect};
    return lz_cache_failover(w, t->id, &move, err);
}

static bool move(struct lz_world *w, struct lz_fault *f, struct lz_err *err)
{
    lz_component_id id = f->opts.target.id;
    uint32_t to = f->opts.params.node;
    return is_group(w, &f->opts) ? lz_consensus_move(w, id, to, err)
                                 : lz_failover_move(w, id, to, err);
}

// What speaks against it is told, not raised: it is the world's.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    struct lz_err err;
    if (is_cache(w, &f->opts)) {
        *lz_fault_undo(w, f) = lz_cache_shard_primary(w, f->opts.target.id, f->opts.target.ordinal);
        if (!move_shard(w, f, f->opts.params.node, &err))
            refuse(w, f, &err);
    } else if (move(w, f, &err)) {
        f->effect++;
    } else {
        refuse(w, f, &err);
    }
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_target *t = &f->opts.target;
    struct lz_err err;
    if (is_group(w, &f->opts))
        lz_consensus_move_back(w, t->id);
    else if (!is_cache(w, &f->opts))
        lz_failover_move_back(w, t->id);
    else if (f->undo[0] != 0 && lz_cache_shard_primary(w, t->id, t->ordinal) != f->undo[0] &&
             !move_shard(w, f, f->undo[0], &err))
        refuse(w, f, &err);
}

// Who leads what sentinels watch is one; shards of a cluster have each their own.
static bool fits_role(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const char *name = lz_world_component(w, o->target.id)->name;
    if (lz_cache_is_cluster(w, o->target.id)) {
        if (o->target.kind == LZ_TARGET_PRIMARY && o->target.ordinal > 0)
            return true;
        return lz_fail(err, LZ_EINVAL, "fault.failover: say which shard of %s: %s.shard[1]", name,
                       name);
    }
    if (!lz_cache_has_sentinels(w, o->target.id))
        return lz_fail(err, LZ_EINVAL,
                       "fault.failover: who leads %s is its first node for ever: that can be moved "
                       "in mode = \"sentinel\" or \"cluster\"",
                       name);
    if (o->params.mode != 0)
        return lz_fail(err, LZ_EINVAL,
                       "fault.failover: `mode` is of a cluster's shard: sentinels never ask the "
                       "primary");
    if (o->target.kind != LZ_TARGET_COMPONENT && o->target.kind != LZ_TARGET_PRIMARY)
        return lz_fail(err, LZ_EINVAL, "fault.failover moves the primary of all of %s: write %s",
                       name, name);
    return true;
}

static bool fits_cache(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    uint32_t nodes = lz_cache_nodes(w, o->target.id);
    if (!fits_role(w, o, err))
        return false;
    if (o->params.node > nodes)
        return lz_fail(err, LZ_ERANGE, "`to` must be a node of %s, 1 to %u, got %u", c->name, nodes,
                       o->params.node);
    return true;
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (c->kind == LZ_COMPONENT_CACHE)
        return fits_cache(w, o, err);
    if (o->target.kind != LZ_TARGET_COMPONENT)
        return lz_fail(err, LZ_EINVAL, "fault.failover moves the %s of all of %s: write %s",
                       is_group(w, o) ? "leader" : "primary", c->name, c->name);
    if (o->params.mode != 0)
        return lz_fail(err, LZ_EINVAL, "fault.failover: `mode` is of a cluster's shard");
    if (c->kind == LZ_COMPONENT_DATABASE && !lz_failover_is_led(w, o->target.id))
        return lz_fail(err, LZ_EINVAL, "fault.failover: all nodes of %s are masters: nobody leads",
                       c->name);
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
           "who had it. Of a database, of a shard of a cluster (CLUSTER FAILOVER), of a group that "
           "agrees "
           "or a database with replication = \"raft\" (a leadership transfer: the leader sends "
           "TimeoutNow when the other has all of its log), or of a cache with sentinels (SENTINEL "
           "FAILOVER: no agreement is asked, the primary is not told for eight "
           "seconds, and what it takes meanwhile is lost).",
    .elsewhere =
        "AWS FIS' rds:failover-db-cluster and Azure's Cosmos DB failover are this without "
        "`lasting`: the role stays where it is. `mode` is Redis' FORCE and TAKEOVER; `to` is "
        "what replica-priority says to sentinels; of a group it is etcdctl move-leader.",
    .effect_unit = "roles moved",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_PRIMARY),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE) | LZ_FAULT_ON(LZ_COMPONENT_CACHE) |
          LZ_FAULT_ON(LZ_COMPONENT_CONSENSUS),
    .params = params,
    .fits = fits,
    .apply = apply,
    .revert = revert,
};
