#include "model/node/rss.h"

#include <math.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/node/capacity.h"
#include "model/node/host.h"
#include "model/node/life.h"

struct rss {
    const struct lz_rss_opts *opts; // NULL: not declared
    uint32_t requests;
    double leaked; // up to `since`
    lz_time since;
    struct lz_rss_effect *effects; // free places have no `taken`
    uint32_t effect_count, effect_cap;
    double filled, leak; // of the effects in force: bytes, and bytes per second
    bool swaps;
    bool is_due; // being out of memory has been scheduled
    lz_event_id crossing;
};

struct lz_rsses {
    struct rss *all; // by instance
    uint32_t cap;
    bool *declared; // by component
    uint32_t declared_cap;
    lz_kind full, crossing;
};

static struct rss *rss_of(const struct lz_world *w, lz_instance_id id)
{
    struct lz_rsses *rs = w->rsses;
    return id < rs->cap && rs->all[id].opts != NULL ? &rs->all[id] : NULL;
}

bool lz_rss_is_declared(const struct lz_world *w, lz_component_id id)
{
    return id < w->rsses->declared_cap && w->rsses->declared[id];
}

static double leaked(const struct lz_world *w, const struct rss *r)
{
    return r->leaked + r->leak * (double)(lz_sim_now(w->sim) - r->since) / 1e9;
}

static double used_by(const struct lz_world *w, lz_instance_id id, const struct rss *r)
{
    double own = r->opts->base + r->opts->per_request * r->requests + leaked(w, r);
    return (lz_instance_runs(lz_instance_get(w, id)) ? own : 0.0) + r->filled;
}

double lz_rss_used(const struct lz_world *w, lz_instance_id id)
{
    const struct rss *r = rss_of(w, id);
    return r != NULL ? used_by(w, id, r) : 0.0;
}

double lz_rss_on_host(const struct lz_world *w, lz_host_id host)
{
    double sum = 0.0;
    for (lz_instance_id id = 1; id < w->rsses->cap; id++)
        if (rss_of(w, id) != NULL && lz_instance_get(w, id)->host == host)
            sum += lz_rss_used(w, id);
    return sum;
}

// ---- too much

// What is swapped out slows the rest down.
static void set_swap(struct lz_world *w, lz_instance_id id, const struct rss *r, double used)
{
    double over = r->swaps && used > r->opts->limit ? (used - r->opts->limit) / used : 0.0;
    lz_capacity_swap(w, id, 1.0 + r->opts->swap_penalty * over);
}

// When a leak reaches the limit, if nothing else happens before.
static void arm(struct lz_world *w, lz_instance_id id, struct rss *r, double used)
{
    lz_sim_cancel(w->sim, r->crossing);
    r->crossing = 0;
    if (!(r->leak > 0.0) || r->swaps || !lz_instance_runs(lz_instance_get(w, id)))
        return;
    double left = r->opts->limit - used;
    double memory = lz_host_memory(w, lz_instance_get(w, id)->host);
    if (memory > 0.0)
        left = fmin(left, memory - lz_rss_on_host(w, lz_instance_get(w, id)->host));
    // At least a microsecond: several that leak together come closer than each alone.
    double wait = fmax(1e3, ceil(left / r->leak * 1e9));
    if (wait < (double)(w->end - lz_sim_now(w->sim)) + 1e9)
        r->crossing =
            lz_sim_at(w->sim, lz_sim_now(w->sim) + (lz_time)wait, w->rsses->crossing, id, 0);
}

// Killing must not happen below somebody who is at work on the process: soon, not now.
static void review(struct lz_world *w, lz_instance_id id, struct rss *r)
{
    double used = used_by(w, id, r);
    lz_host_id host = lz_instance_get(w, id)->host;
    double memory = lz_host_memory(w, host);
    set_swap(w, id, r, used);
    bool is_full =
        (!r->swaps && used > r->opts->limit) || (memory > 0.0 && lz_rss_on_host(w, host) > memory);
    if (is_full && !r->is_due && lz_instance_runs(lz_instance_get(w, id))) {
        r->is_due = true;
        lz_sim_soon(w->sim, w->rsses->full, id, 0);
    }
}

// The kernel's badness; below zero: exempt.
static double score(const struct lz_world *w, lz_instance_id id, const struct rss *r, double memory)
{
    if (!lz_instance_runs(lz_instance_get(w, id)) || r->opts->oom_score_adj <= -1000.0)
        return -1.0;
    double own = used_by(w, id, r) - r->filled;
    return fmax(0.0, own / memory * 1000.0 + r->opts->oom_score_adj);
}

// Among equals the first.
static lz_instance_id worst_on(const struct lz_world *w, lz_host_id host, double memory)
{
    lz_instance_id worst = 0;
    double most = -1.0;
    for (lz_instance_id id = 1; id < w->rsses->cap; id++) {
        const struct rss *r = rss_of(w, id);
        if (r == NULL || lz_instance_get(w, id)->host != host)
            continue;
        double s = score(w, id, r, memory);
        if (s > most) {
            most = s;
            worst = id;
        }
    }
    return worst;
}

static void on_full(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct rss *r = rss_of(w, entity);
    r->is_due = false;
    if (!r->swaps && used_by(w, entity, r) > r->opts->limit)
        lz_life_crash(w, entity, "is killed: out of memory");
    lz_host_id host = lz_instance_get(w, entity)->host;
    double memory = lz_host_memory(w, host);
    for (lz_instance_id id; memory > 0.0 && lz_rss_on_host(w, host) > memory;) {
        id = worst_on(w, host, memory);
        if (id == 0 || !lz_life_crash(w, id, "is killed: its host is out of memory"))
            return;
    }
}

static void on_crossing(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct rss *r = rss_of(w, entity);
    r->crossing = 0;
    review(w, entity, r);
    if (!r->is_due)
        arm(w, entity, r, used_by(w, entity, r));
}

void lz_rss_count(struct lz_world *w, lz_instance_id id, int change)
{
    struct rss *r = rss_of(w, id);
    if (r == NULL)
        return;
    LZ_ASSERT(change > 0 || r->requests > 0);
    r->requests += (uint32_t)change;
    if (!(r->opts->per_request > 0.0))
        return;
    if (change > 0)
        review(w, id, r);
    else if (r->swaps)
        set_swap(w, id, r, used_by(w, id, r)); // less is out: who begins now is quicker
}

void lz_rss_begun(struct lz_world *w, lz_instance_id id)
{
    struct rss *r = rss_of(w, id);
    if (r == NULL)
        return;
    r->leaked = 0.0;
    r->since = lz_sim_now(w->sim);
    review(w, id, r);
    arm(w, id, r, used_by(w, id, r));
}

// ---- faults

static void recompute(struct lz_world *w, lz_instance_id id, struct rss *r)
{
    r->leaked = leaked(w, r);
    r->since = lz_sim_now(w->sim);
    r->filled = r->leak = 0.0;
    double fill = 0.0;
    r->swaps = r->opts->swaps;
    for (uint32_t i = 0; i < r->effect_count; i++) {
        const struct lz_rss_effect *e = &r->effects[i];
        if (e->taken == NULL)
            continue;
        fill += e->fill;
        r->filled += e->bytes;
        r->leak += e->leak;
        r->swaps = r->swaps || e->swaps;
    }
    r->filled += fill * r->opts->limit;
    review(w, id, r);
    arm(w, id, r, used_by(w, id, r));
}

uint32_t lz_rss_take(struct lz_world *w, lz_instance_id id, const struct lz_rss_effect *effect)
{
    struct rss *r = rss_of(w, id);
    LZ_ASSERT(effect->taken != NULL);
    if (r == NULL)
        return 0; // of a whole zone some may have said nothing about memory
    uint32_t at = 0;
    while (at < r->effect_count && r->effects[at].taken != NULL)
        at++;
    r->effects = lz_grow(w->arena, r->effects, &r->effect_cap, at + 1, sizeof(*r->effects));
    if (at == r->effect_count)
        r->effect_count++;
    r->effects[at] = *effect;
    *effect->taken += (uint64_t)(effect->fill * r->opts->limit + effect->bytes);
    recompute(w, id, r);
    return at + 1;
}

void lz_rss_undo(struct lz_world *w, lz_instance_id id, uint32_t effect)
{
    struct rss *r = rss_of(w, id);
    if (effect == 0)
        return;
    LZ_ASSERT(r != NULL && effect <= r->effect_count && r->effects[effect - 1].taken != NULL);
    r->effects[effect - 1].taken = NULL;
    recompute(w, id, r);
}

// ---- once a second: what grows by itself is counted and shown

static void count_leaks(struct lz_world *w, lz_instance_id id, struct rss *r)
{
    if (!lz_instance_runs(lz_instance_get(w, id)))
        return;
    for (uint32_t i = 0; i < r->effect_count; i++)
        if (r->effects[i].taken != NULL)
            *r->effects[i].taken += (uint64_t)r->effects[i].leak;
    if (r->leak > 0.0)
        review(w, id, r);
}

static void measure(struct lz_world *w, lz_component_id component)
{
    const struct lz_component *c = lz_world_component(w, component);
    lz_metric metric = lz_metrics_find(w->metrics, component, "memory");
    if (metric == 0)
        return;
    double most = 0.0;
    for (uint32_t i = 0; i < c->instance_count; i++)
        most = fmax(most, lz_rss_used(w, c->instances_first + i));
    lz_metrics_set(w->metrics, lz_metrics_def(w->metrics, metric)->a, lz_sim_now(w->sim), most);
}

void lz_rss_second(struct lz_world *w)
{
    struct lz_rsses *rs = w->rsses;
    for (lz_instance_id id = 1; id < rs->cap; id++)
        if (rs->all[id].opts != NULL && rs->all[id].effect_count > 0)
            count_leaks(w, id, &rs->all[id]);
    for (lz_component_id id = 1; id < rs->declared_cap; id++)
        if (rs->declared[id])
            measure(w, id);
}

// ---- declaring

static bool check(const struct lz_rss_opts *o, struct lz_err *err)
{
    if (!(o->limit > 0.0 && o->limit <= 1e18))
        return lz_fail(err, LZ_ERANGE, "memory: limit must be between 1B and 1e18 bytes, got %g",
                       o->limit);
    if (!(o->base >= 0.0 && o->per_request >= 0.0))
        return lz_fail(err, LZ_ERANGE, "memory: sizes must not be below 0");
    if (o->base > o->limit)
        return lz_fail(err, LZ_ERANGE,
                       "memory: base, %g bytes, is above the limit, %g bytes: no process would "
                       "live",
                       o->base, o->limit);
    if (!(o->oom_score_adj >= -1000.0 && o->oom_score_adj <= 1000.0))
        return lz_fail(err, LZ_ERANGE,
                       "memory: oom_score_adj must be between -1000 and 1000, got "
                       "%g",
                       o->oom_score_adj);
    return true;
}

bool lz_rss_declare(struct lz_world *w, lz_component_id id, const struct lz_rss_opts *opts,
                    struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_rsses *rs = w->rsses;
    if (!check(opts, err))
        return false;
    struct lz_rss_opts *own = lz_arena_alloc(w->arena, sizeof(*own));
    *own = *opts;
    if (!(own->swap_penalty > 0.0))
        own->swap_penalty = LZ_RSS_SWAP_PENALTY;
    const struct lz_component *c = lz_world_component(w, id);
    uint32_t end = c->instances_first + c->instance_count;
    rs->all = lz_grow(w->arena, rs->all, &rs->cap, end, sizeof(*rs->all));
    for (lz_instance_id i = c->instances_first; i < end; i++)
        rs->all[i] = (struct rss){.opts = own, .swaps = own->swaps};
    rs->declared = lz_grow(w->arena, rs->declared, &rs->declared_cap, id + 1, sizeof(bool));
    rs->declared[id] = true;
    if (own->per_request > 0.0)
        lz_world_has(w, LZ_UNUSUAL_RSS);
    return true;
}

void lz_rsses_init(struct lz_world *w)
{
    struct lz_rsses *rs = w->rsses = lz_arena_alloc(w->arena, sizeof(*rs));
    rs->full = lz_sim_kind(w->sim, "rss.full", on_full, w);
    rs->crossing = lz_sim_kind(w->sim, "rss.crossing", on_crossing, w);
}
