#include "model/capacity.h"

#include "base/check.h"
#include "base/grow.h"

// One fault that takes something away; free places have factor 0.
struct lz_capacity_loss {
    double factor;
    double error_ratio;
    double share, cores;
    uint64_t *touched;
};

struct lz_capacities {
    struct lz_capacity **all; // by instance
    uint32_t cap;
    lz_kind tick;
};

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    lz_cpu_tick(w, lz_capacity_get(w, entity)->cpu);
}

void lz_capacities_init(struct lz_world *w)
{
    w->capacities = lz_arena_alloc(w->arena, sizeof(*w->capacities));
    w->capacities->tick = lz_sim_kind(w->sim, "cpu", on_tick, w);
}

struct lz_capacity *lz_capacity_create(struct lz_world *w, lz_instance_id instance, double cores,
                                       lz_kind done)
{
    LZ_ASSERT(!w->running);
    struct lz_capacities *cs = w->capacities;
    cs->all = lz_grow(w->arena, cs->all, &cs->cap, instance + 1, sizeof(struct lz_capacity *));
    LZ_ASSERT(cs->all[instance] == NULL);
    struct lz_capacity *c = lz_arena_alloc(w->arena, sizeof(*c));
    c->cpu = lz_cpu_create(w, cores, done, cs->tick, instance);
    c->factor = 1.0;
    cs->all[instance] = c;
    return c;
}

struct lz_capacity *lz_capacity_get(const struct lz_world *w, lz_instance_id instance)
{
    const struct lz_capacities *cs = w->capacities;
    return instance < cs->cap ? cs->all[instance] : NULL;
}

void lz_capacity_touch(struct lz_capacity *c)
{
    for (uint32_t i = 0; i < c->loss_count; i++)
        if (c->losses[i].touched != NULL)
            (*c->losses[i].touched)++;
}

static void recompute(struct lz_world *w, struct lz_capacity *c)
{
    double stolen = 0.0, right = 1.0;
    c->factor = 1.0;
    for (uint32_t i = 0; i < c->loss_count; i++) {
        const struct lz_capacity_loss *l = &c->losses[i];
        if (!(l->factor > 0.0))
            continue;
        c->factor *= l->factor;
        right *= 1.0 - l->error_ratio;
        stolen += l->share * lz_cpu_cores(c->cpu) + l->cores;
    }
    c->error_ratio = 1.0 - right;
    lz_cpu_steal(w, c->cpu, stolen);
}

static uint32_t add(struct lz_world *w, lz_instance_id instance,
                    const struct lz_capacity_loss *loss)
{
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL);
    LZ_ASSERT(loss->factor > 0.0);
    uint32_t at = 0;
    while (at < c->loss_count && c->losses[at].factor > 0.0)
        at++;
    if (at == c->loss_count) {
        c->losses = lz_grow(w->arena, c->losses, &c->loss_cap, at + 1, sizeof(*c->losses));
        c->loss_count++;
    }
    c->losses[at] = *loss;
    recompute(w, c);
    return at + 1;
}

uint32_t lz_capacity_degrade(struct lz_world *w, lz_instance_id instance, double factor,
                             double error_ratio, uint64_t *touched)
{
    return add(w, instance,
               &(struct lz_capacity_loss){
                   .factor = factor, .error_ratio = error_ratio, .touched = touched});
}

uint32_t lz_capacity_steal(struct lz_world *w, lz_instance_id instance, double share, double cores)
{
    return add(w, instance,
               &(struct lz_capacity_loss){.factor = 1.0, .share = share, .cores = cores});
}

void lz_capacity_undo(struct lz_world *w, lz_instance_id instance, uint32_t id)
{
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL);
    LZ_ASSERT(id >= 1 && id <= c->loss_count);
    LZ_ASSERT(c->losses[id - 1].factor > 0.0);
    c->losses[id - 1] = (struct lz_capacity_loss){0};
    recompute(w, c);
}
