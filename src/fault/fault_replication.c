#include "fault/kinds.h"
#include "model/consensus/consensus_member.h"
#include "model/data/replicate.h"

/* fault_replication.c — what the faults of a database's log share. */

bool lz_fault_replication_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                               struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (c->instance_count < 2)
        return lz_fail(err, LZ_EINVAL, "%s has one node: it replicates to nobody", c->name);
    if (lz_consensus_is_group(w, o->target.id))
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s: %s is a Raft group: its log goes by messages that its leader "
                       "sends until a majority has them, and none is shipped later; disturb those: "
                       "fault.latency { %s.node[1], %s.node[2], ... }, or fault.partition",
                       o->kind, c->name, c->name, c->name);
    return true;
}

void lz_fault_replication_apply(struct lz_world *w, struct lz_fault *f,
                                const struct lz_replication_effect *e)
{
    *lz_fault_undo(w, f) = lz_replication_disturb(w, f->opts.target.id, e);
}

void lz_fault_replication_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL && f->undo[0] != 0);
    lz_replication_undo(w, f->opts.target.id, f->undo[0]);
}
