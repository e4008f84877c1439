/*
 * fault_net.c — what the network faults have in common: which messages they mean.
 *
 *   link(a, b)     messages between a and b, both ways unless `direction` says one
 *   { a, b }       the same
 *   one target     messages to and from it
 */
#include "base/check.h"
#include "fault/kinds.h"

void lz_fault_net_apply(struct lz_world *w, struct lz_fault *f, struct lz_net_effect *e)
{
    const struct lz_fault_opts *o = &f->opts;
    if (f->undo == NULL)
        f->undo = lz_arena_alloc(w->arena, sizeof(*f->undo));
    if (o->target.kind == LZ_TARGET_LINK) {
        e->from = o->target.a;
        e->to = o->target.b;
    } else if (o->target_b.kind != 0) {
        e->from = &f->opts.target;
        e->to = &f->opts.target_b;
    } else {
        e->to = &f->opts.target;
    }
    e->both_ways = o->params.direction == LZ_FAULT_BOTH;
    if (o->params.direction == LZ_FAULT_FROM) {
        const struct lz_target *from = e->from;
        e->from = e->to;
        e->to = from;
    }
    e->path = f->path;
    e->touched = &f->effect;
    f->undo[0] = lz_net_effect_add(w, e);
}

void lz_fault_net_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    lz_net_effect_remove(w, f->undo[0]);
}
