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
#include "model/data/database.h"
#include "model/node/instance.h"

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
    if (o->params.per == LZ_FAULT_PER_CONNECTION && o->params.correlation > 0.0)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s has `correlation` and `per`: all that a connection carries fares "
                       "alike as it is",
                       o->kind);
    return true;
}

// Of a cache, whichever node has the role: a shard's too.
static lz_instance_id cache_node(const struct lz_world *w, const struct lz_target *t)
{
    bool is_one = t->kind == LZ_TARGET_PRIMARY || t->ordinal > 0;
    lz_instance_id id = 0;
    return is_one && lz_target_instances(w, t, &id, 1) > 0 ? id : 0;
}

// The target with its role resolved. All replicas of a database are left for later.
static const struct lz_target *now_of(struct lz_world *w, const struct lz_target *t)
{
    lz_instance_id id = 0;
    bool is_role = t->kind == LZ_TARGET_PRIMARY || t->kind == LZ_TARGET_REPLICA;
    if (is_role && lz_world_component(w, t->id)->kind == LZ_COMPONENT_CACHE)
        id = cache_node(w, t);
    else if (t->kind == LZ_TARGET_PRIMARY)
        id = lz_target_leader(w, t->id);
    else if (t->kind == LZ_TARGET_REPLICA && t->ordinal > 0)
        id = lz_database_replica(w, t->id, t->ordinal);
    if (id == 0)
        return t;
    struct lz_target *now = lz_arena_alloc(w->arena, sizeof(*now));
    *now = (struct lz_target){
        .kind = LZ_TARGET_INSTANCE, .id = t->id, .ordinal = lz_instance_get(w, id)->ordinal};
    return now;
}

bool lz_fault_share_check(const struct lz_fault_opts *o, const char *what, struct lz_err *err)
{
    if (o->params.ratio > 0.0)
        return true;
    return lz_fail(err, LZ_ERANGE, "`ratio` of fault.%s must be above 0%%: no %s would be hit",
                   o->kind, what);
}

// A connection that is struck fares so with all it carries.
struct lz_loss lz_fault_net_struck(const struct lz_fault *f)
{
    bool is_whole = f->opts.params.per == LZ_FAULT_PER_CONNECTION;
    return (struct lz_loss){.kind = LZ_LOSS_RATIO,
                            .ratio = is_whole ? 1.0 : f->opts.params.ratio,
                            .correlation = f->opts.params.correlation};
}

struct ends {
    struct lz_link_end from, to;
};

// What the targets mean now. One target alone is the second end; the first is anything.
static struct ends ends_of(struct lz_world *w, const struct lz_fault *f)
{
    const struct lz_fault_opts *o = &f->opts;
    struct lz_link_end first = {.target = now_of(w, &o->target)};
    if (f->is_resolved)
        first = (struct lz_link_end){.list = f->hits, .count = f->hit_count};
    if (o->target.kind == LZ_TARGET_LINK)
        return (struct ends){{.target = now_of(w, o->target.a)},
                             {.target = now_of(w, o->target.b)}};
    if (o->target_b.kind != 0)
        return (struct ends){first, {.target = now_of(w, &o->target_b)}};
    return (struct ends){.to = first};
}

// From now on the connections between them are things of their own.
static uint32_t mark(struct lz_world *w, struct lz_fault *f, const struct ends *ends)
{
    return lz_connection_effect_add(w, &(struct lz_connection_effect){.fate = LZ_CONNECTION_MARKED,
                                                                      .from = ends->from,
                                                                      .to = ends->to,
                                                                      .touched = &f->effect});
}

void lz_fault_net_apply(struct lz_world *w, struct lz_fault *f, struct lz_link_effect *e)
{
    const struct lz_fault_opts *o = &f->opts;
    struct ends ends = ends_of(w, f);
    bool is_reversed = o->params.direction == LZ_FAULT_FROM;
    e->from = is_reversed ? ends.to : ends.from;
    e->to = is_reversed ? ends.from : ends.to;
    e->is_shared = o->target.kind == LZ_TARGET_LINK || o->target_b.kind != 0;
    e->around = !e->is_shared && e->cut == LZ_LINK_CUT;
    e->both_ways = o->params.direction == LZ_FAULT_BOTH;
    e->path = f->path;
    e->touched = &f->effect;
    if (o->params.per == LZ_FAULT_PER_CONNECTION) {
        e->connections = o->params.ratio;
        e->mark = mark(w, f, &ends);
    }
    *lz_fault_undo(w, f) = lz_link_effect_add(w, e);
}

void lz_fault_net_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    uint32_t mark = lz_link_effect_mark(w, f->undo[0]);
    lz_link_effect_remove(w, f->undo[0]);
    if (mark != 0)
        lz_connection_effect_remove(w, mark);
}

void lz_fault_connection_apply(struct lz_world *w, struct lz_fault *f,
                               struct lz_connection_effect *e)
{
    struct ends ends = ends_of(w, f);
    e->from = ends.from;
    e->to = ends.to;
    _Static_assert((int)LZ_FAULT_TO == LZ_CONNECTION_TO && (int)LZ_FAULT_FROM == LZ_CONNECTION_FROM,
                   "one word for both");
    e->way = (enum lz_connection_way)f->opts.params.direction;
    e->share = f->opts.params.ratio < 1.0 ? f->opts.params.ratio : 0.0;
    e->path = f->path;
    e->touched = &f->effect;
    *lz_fault_undo(w, f) = lz_connection_effect_add(w, e);
}

void lz_fault_connection_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    lz_connection_effect_remove(w, f->undo[0]);
}
