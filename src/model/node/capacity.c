#include "model/node/capacity.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/node/cpu_host.h"
#include "model/node/host.h"

// One fault that takes something away; free places have factor 0.
struct lz_capacity_loss {
    double factor;
    double error_ratio;
    double share, cores;
    double quota; // share that may be used; 0: all
    uint64_t *touched;
    double told; // of what is withheld, ms that were not whole yet
};

// What the instances of a component are declared to have.
struct lz_capacity_family {
    struct lz_capacity_places places; // NULL: there are none
    double cores;
    lz_kind done;
};

struct lz_capacities {
    struct lz_capacity_family *families; // by component
    uint32_t cap;
    lz_kind tick;
};

// Milliseconds of CPU that were withheld since the last time: to each throttle in force.
static void tell_withheld(struct lz_capacity *c)
{
    double more_ms = (lz_cpu_withheld(c->cpu) - c->withheld) / 1e6;
    c->withheld = lz_cpu_withheld(c->cpu);
    for (uint32_t i = 0; i < c->loss_count; i++) {
        struct lz_capacity_loss *l = &c->losses[i];
        if (!(l->factor > 0.0) || !(l->quota > 0.0))
            continue;
        l->told += more_ms;
        *l->touched += (uint64_t)l->told;
        l->told -= (double)(uint64_t)l->told;
    }
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_capacity *c = lz_capacity_find(w, entity);
    lz_cpu_tick(w, c->cpu);
    if (c->loss_count > 0)
        tell_withheld(c);
}

// Whoever measures what it does hears of what no request of its own has done.
static void on_load(struct lz_world *w, uint32_t entity)
{
    const struct lz_instance *i = lz_instance_get(w, entity);
    if (i->ops->loaded != NULL)
        i->ops->loaded(w, entity);
}

void lz_capacities_init(struct lz_world *w)
{
    w->capacities = lz_arena_alloc(w->arena, sizeof(*w->capacities));
    w->capacities->tick = lz_sim_kind(w->sim, "cpu", on_tick, w);
}

static void join_host(struct lz_world *w, struct lz_capacity *c, lz_host_id host)
{
    if (lz_host_cpu(w, host) != NULL)
        lz_cpu_host_add(w, lz_host_cpu(w, host), c->cpu, c->weight);
}

// Where the pointer to an instance's is; NULL: its component has none.
static struct lz_capacity **place_of(const struct lz_world *w, lz_instance_id instance)
{
    const struct lz_capacities *cs = w->capacities;
    lz_component_id id = lz_instance_get(w, instance)->component;
    if (id >= cs->cap || cs->families[id].places.first == NULL)
        return NULL;
    const struct lz_capacity_places *p = &cs->families[id].places;
    size_t index = instance - lz_world_component(w, id)->instances_first;
    void *place = (char *)p->first + index * p->stride;
    return place;
}

struct lz_capacity *lz_capacity_find(const struct lz_world *w, lz_instance_id instance)
{
    struct lz_capacity **place = place_of(w, instance);
    return place != NULL ? *place : NULL;
}

static struct lz_capacity *make(struct lz_world *w, lz_instance_id instance)
{
    const struct lz_instance *i = lz_instance_get(w, instance);
    const struct lz_capacity_family *f = &w->capacities->families[i->component];
    struct lz_capacity *c = lz_arena_alloc(w->arena, sizeof(*c));
    c->cpu = lz_cpu_create(w, f->cores, f->done, w->capacities->tick, instance);
    c->factor = c->swap = 1.0;
    c->period = LZ_CAPACITY_PERIOD_NS;
    c->weight = LZ_CPU_WEIGHT;
    uint64_t owner = lz_instance_path(w, instance);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_PHASE, 0);
    lz_cpu_set_phase(c->cpu, (lz_time)(lz_draw_unit(&draw) * 1e9));
    lz_cpu_watch(c->cpu, on_load);
    join_host(w, c, i->host);
    return c;
}

struct lz_capacity *lz_capacity_get(struct lz_world *w, lz_instance_id instance)
{
    struct lz_capacity **place = place_of(w, instance);
    if (place == NULL)
        return NULL;
    if (*place == NULL)
        *place = make(w, instance);
    return *place;
}

void lz_capacity_declare(struct lz_world *w, lz_component_id component, double cores, lz_kind done,
                         struct lz_capacity_places places)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(cores > 0.0);
    struct lz_capacities *cs = w->capacities;
    const struct lz_component *c = lz_world_component(w, component);
    cs->families = lz_grow(w->arena, cs->families, &cs->cap, component + 1, sizeof(*cs->families));
    LZ_ASSERT(cs->families[component].places.first == NULL);
    LZ_ASSERT(places.first != NULL);
    cs->families[component] =
        (struct lz_capacity_family){.places = places, .cores = cores, .done = done};
    for (uint32_t i = 0; i < c->instance_count; i++)
        if (lz_host_cpu(w, lz_instance_get(w, c->instances_first + i)->host) != NULL)
            lz_capacity_get(w, c->instances_first + i);
}

// One that was not used yet joins a host that shares its cores, as it does where it is declared.
void lz_capacity_moved(struct lz_world *w, lz_instance_id instance, lz_host_id from)
{
    struct lz_capacity *c = lz_capacity_find(w, instance);
    lz_host_id to = lz_instance_get(w, instance)->host;
    if (c == NULL) {
        if (lz_host_cpu(w, to) != NULL)
            lz_capacity_get(w, instance);
        return;
    }
    if (lz_host_cpu(w, from) != NULL)
        lz_cpu_host_remove(w, lz_host_cpu(w, from), c->cpu);
    join_host(w, c, to);
}

bool lz_capacity_weigh(struct lz_world *w, lz_instance_id instance, double weight,
                       struct lz_err *err)
{
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL);
    if (!(weight >= 1.0 && weight <= 10000.0))
        return lz_fail(err, LZ_ERANGE, "cpu_weight must be between 1 and 10000, got %g", weight);
    lz_host_id host = lz_instance_get(w, instance)->host;
    c->weight = weight;
    if (lz_host_cpu(w, host) != NULL) {
        lz_cpu_host_remove(w, lz_host_cpu(w, host), c->cpu);
        join_host(w, c, host);
    }
    return true;
}

void lz_capacity_touch(struct lz_capacity *c)
{
    for (uint32_t i = 0; i < c->loss_count; i++)
        if (c->losses[i].touched != NULL && !(c->losses[i].quota > 0.0))
            (*c->losses[i].touched)++;
}

// Nested cgroups: the tightest decides.
static void apply_quota(struct lz_world *w, struct lz_capacity *c, double share)
{
    double cores = c->limit > 0.0 ? c->limit : share < 1.0 ? lz_cpu_cores(c->cpu) : 0.0;
    double quota = cores * share * (double)c->period;
    if (quota > c->quota || quota < c->quota)
        lz_cpu_limit(w, c->cpu, quota, c->period);
    c->quota = quota;
}

static void recompute(struct lz_world *w, struct lz_capacity *c)
{
    double stolen = 0.0, right = 1.0, quota = 1.0;
    c->factor = c->swap;
    for (uint32_t i = 0; i < c->loss_count; i++) {
        const struct lz_capacity_loss *l = &c->losses[i];
        if (!(l->factor > 0.0))
            continue;
        c->factor *= l->factor;
        right *= 1.0 - l->error_ratio;
        stolen += l->share * lz_cpu_cores(c->cpu) + l->cores;
        quota = l->quota > 0.0 && l->quota < quota ? l->quota : quota;
    }
    c->error_ratio = 1.0 - right;
    lz_cpu_steal(w, c->cpu, stolen);
    apply_quota(w, c, quota);
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

uint32_t lz_capacity_throttle(struct lz_world *w, lz_instance_id instance, double share,
                              uint64_t *withheld_ms)
{
    LZ_ASSERT(share > 0.0 && share <= 1.0);
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL);
    tell_withheld(c);
    return add(w, instance,
               &(struct lz_capacity_loss){.factor = 1.0, .quota = share, .touched = withheld_ms});
}

void lz_capacity_rethrottle(struct lz_world *w, lz_instance_id instance, uint32_t id, double share)
{
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL && id >= 1 && id <= c->loss_count && share > 0.0);
    LZ_ASSERT(c->losses[id - 1].quota > 0.0);
    c->losses[id - 1].quota = share;
    if (!(c->quota > 0.0)) { // all of its cores were no limit
        recompute(w, c);
        return;
    }
    double tightest = 1.0;
    for (uint32_t i = 0; i < c->loss_count; i++)
        if (c->losses[i].factor > 0.0 && c->losses[i].quota > 0.0)
            tightest = c->losses[i].quota < tightest ? c->losses[i].quota : tightest;
    double cores = c->limit > 0.0 ? c->limit : lz_cpu_cores(c->cpu);
    c->quota = cores * tightest * (double)c->period;
    lz_cpu_set_quota(c->cpu, c->quota);
}

void lz_capacity_undo(struct lz_world *w, lz_instance_id instance, uint32_t id)
{
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL);
    LZ_ASSERT(id >= 1 && id <= c->loss_count);
    LZ_ASSERT(c->losses[id - 1].factor > 0.0);
    tell_withheld(c);
    c->losses[id - 1] = (struct lz_capacity_loss){0};
    recompute(w, c);
}

bool lz_capacity_limit(struct lz_world *w, lz_instance_id instance, double cores, lz_time period,
                       struct lz_err *err)
{
    struct lz_capacity *c = lz_capacity_get(w, instance);
    LZ_ASSERT(c != NULL);
    c->period = period > 0 ? period : LZ_CAPACITY_PERIOD_NS;
    // The bounds of cpu.cfs_period_us and cpu.cfs_quota_us (sched-bwc.rst).
    if (c->period < LZ_MS || c->period > LZ_S)
        return lz_fail(err, LZ_ERANGE, "cpu_period must be between 1ms and 1s, got %g ms",
                       (double)c->period / 1e6);
    if (!(cores * (double)c->period >= 1e6))
        return lz_fail(err, LZ_ERANGE,
                       "cpu_limit = %g is %g us of CPU in each period, less than the least quota, "
                       "1 ms: raise it, or the period",
                       cores, cores * (double)c->period / 1e3);
    c->limit = cores < lz_cpu_cores(c->cpu) ? cores : 0.0;
    recompute(w, c);
    return true;
}

void lz_capacity_swap(struct lz_world *w, lz_instance_id instance, double factor)
{
    struct lz_capacity *c = lz_capacity_find(w, instance);
    double now = c != NULL ? c->swap : 1.0;
    if (!(factor < now || factor > now))
        return;
    c = lz_capacity_get(w, instance);
    if (c == NULL)
        return;
    c->swap = factor;
    recompute(w, c);
}
