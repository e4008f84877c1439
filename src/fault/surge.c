#include "fault/surge.h"

#include "base/check.h"
#include "model/traffic/traffic.h"

#define FACTOR_MAX 1e6

const struct lz_param lz_surge_params[] = {
    {.name = "factor",
     .type = LZ_PARAM_NUMBER,
     .offset = offsetof(struct lz_fault_params, factor),
     .min = 1.000001,
     .max = FACTOR_MAX,
     .doc = "how many times as many requests in all (3: three times); of an open loop"},
    {.name = "rate",
     .type = LZ_PARAM_LOAD,
     .offset = offsetof(struct lz_fault_params, more),
     .doc = "requests per second more: a rate or a shape, whose time counts from the fault's "
            "beginning"},
    {0},
};

static bool has_rate(const struct lz_shape *s)
{
    return s->kind != LZ_SHAPE_CONSTANT || s->mean > 0.0;
}

bool lz_surge_check(const struct lz_fault_opts *o, struct lz_err *err)
{
    bool by_factor = o->params.factor > 0.0, by_rate = has_rate(&o->params.more);
    if (by_factor != by_rate)
        return true;
    return lz_fail(err, LZ_EINVAL, "fault.%s needs either `factor` or a `rate` above 0/s", o->kind);
}

// The traffic that the target means, from `from` on; 0: no more.
static lz_component_id next_traffic(const struct lz_world *w, const struct lz_target *t,
                                    lz_component_id from)
{
    for (lz_component_id id = from; id <= w->component_count; id++)
        if (lz_world_component(w, id)->kind == LZ_COMPONENT_TRAFFIC &&
            (id == t->id || lz_traffic_to(w, id) == t->id))
            return id;
    return 0;
}

bool lz_surge_fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    lz_component_id id = next_traffic(w, &o->target, 1);
    if (id == 0)
        return lz_fail(err, LZ_EINVAL,
                       "no traffic calls %s itself: name the traffic that fault.%s adds to",
                       lz_world_component(w, o->target.id)->name, o->kind);
    for (; id != 0; id = next_traffic(w, &o->target, id + 1))
        if (o->params.factor > 0.0 && lz_traffic_is_closed(w, id))
            return lz_fail(err, LZ_EINVAL,
                           "the users of %s are a closed loop and have no rate that a `factor` "
                           "could multiply: give fault.%s a `rate`",
                           lz_world_component(w, id)->name, o->kind);
    return true;
}

static void scale(struct lz_shape *s, double factor, struct lz_arena *arena)
{
    s->mean *= factor;
    s->amplitude *= factor;
    if (s->count == 0 || factor == 1.0)
        return;
    struct lz_shape_point *points = lz_arena_alloc(arena, s->count * sizeof(*points));
    for (uint32_t i = 0; i < s->count; i++)
        points[i] = (struct lz_shape_point){s->points[i].at, s->points[i].rate * factor,
                                            s->points[i].slope * factor};
    s->points = points;
}

static void begin(struct lz_world *w, struct lz_fault *f, bool are_bots)
{
    const struct lz_fault_opts *o = &f->opts;
    uint32_t count = 0;
    for (lz_component_id id = next_traffic(w, &o->target, 1); id != 0;
         id = next_traffic(w, &o->target, id + 1))
        count++;
    LZ_ASSERT(count > 0);
    struct lz_shape rate = o->params.more;
    scale(&rate, 1.0 / count, w->arena);
    f->hit_count = 0;
    if (f->undo == NULL)
        f->undo = lz_arena_alloc(w->arena, count * sizeof(*f->undo));
    for (lz_component_id id = next_traffic(w, &o->target, 1); id != 0;
         id = next_traffic(w, &o->target, id + 1))
        f->undo[f->hit_count++] =
            lz_traffic_surge(w, &(struct lz_traffic_surge){
                                    .traffic = id,
                                    .factor = o->params.factor,
                                    .rate = rate,
                                    .ramp = o->ramp,
                                    .are_bots = are_bots,
                                    .path = lz_draw_index(f->path, f->firings),
                                    .touched = &f->effect,
                                });
}

void lz_surge_users(struct lz_world *w, struct lz_fault *f)
{
    begin(w, f, false);
}

void lz_surge_bots(struct lz_world *w, struct lz_fault *f)
{
    begin(w, f, true);
}

void lz_surge_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_traffic_calm(w, f->undo[i]);
}
