/*
 * fault_net.c — what the network faults have in common: which messages they mean.
 *
 *   link(a, b)     messages between a and b, both ways unless `direction` says one
 *   { a, b }       the same
 *   one target     messages to and from it
 *
 * A role (db.primary) is who has it when the fault fires, and so is what `pick` chooses; other
 * targets are all that belong to them at any time.
 */
#include "base/check.h"
#include "fault/kinds.h"
#include "model/database.h"
#include "model/instance.h"

static bool is_same(const struct lz_target *a, const struct lz_target *b)
{
    return a->kind == b->kind && a->id == b->id && a->ordinal == b->ordinal;
}

bool lz_fault_net_check(const struct lz_fault_opts *o, struct lz_err *err)
{
    bool is_link = o->target.kind == LZ_TARGET_LINK;
    if ((is_link && is_same(o->target.a, o->target.b)) ||
        (o->target_b.kind != 0 && is_same(&o->target, &o->target_b)))
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s is between a thing and itself: name two things, or one for all "
                       "that goes to and from it",
                       o->kind);
    if (is_link && o->target_b.kind != 0)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s has a link and a second target: a link names both ends", o->kind);
    return true;
}

// The target with its role resolved. All replicas of a database are left for later.
static const struct lz_target *now_of(struct lz_world *w, const struct lz_target *t)
{
    lz_instance_id id = 0;
    if (t->kind == LZ_TARGET_PRIMARY)
        id = lz_database_primary(w, t->id);
    else if (t->kind == LZ_TARGET_REPLICA && t->ordinal > 0)
        id = lz_database_replica(w, t->id, t->ordinal);
    if (id == 0)
        return t;
    struct lz_target *now = lz_arena_alloc(w->arena, sizeof(*now));
    *now = (struct lz_target){
        .kind = LZ_TARGET_INSTANCE, .id = t->id, .ordinal = lz_instance_get(w, id)->ordinal};
    return now;
}

struct lz_loss lz_fault_net_struck(const struct lz_fault *f)
{
    return (struct lz_loss){.kind = LZ_LOSS_RATIO,
                            .ratio = f->opts.params.ratio,
                            .correlation = f->opts.params.correlation};
}

void lz_fault_net_apply(struct lz_world *w, struct lz_fault *f, struct lz_link_effect *e)
{
    const struct lz_fault_opts *o = &f->opts;
    if (f->undo == NULL)
        f->undo = lz_arena_alloc(w->arena, sizeof(*f->undo));
    struct lz_link_end first = {.target = now_of(w, &o->target)};
    if (f->is_resolved)
        first = (struct lz_link_end){.list = f->hits, .count = f->hit_count};
    if (o->target.kind == LZ_TARGET_LINK) {
        e->from.target = now_of(w, o->target.a);
        e->to.target = now_of(w, o->target.b);
    } else if (o->target_b.kind != 0) {
        e->from = first;
        e->to.target = now_of(w, &o->target_b);
    } else {
        e->to = first;
        e->around = e->cut == LZ_LINK_CUT;
    }
    e->is_shared = o->target.kind == LZ_TARGET_LINK || o->target_b.kind != 0;
    e->both_ways = o->params.direction == LZ_FAULT_BOTH;
    if (o->params.direction == LZ_FAULT_FROM) {
        struct lz_link_end from = e->from;
        e->from = e->to;
        e->to = from;
    }
    e->path = f->path;
    e->touched = &f->effect;
    f->undo[0] = lz_link_effect_add(w, e);
}

void lz_fault_net_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    lz_link_effect_remove(w, f->undo[0]);
}
