#include "model/service/platform.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/node/nodes.h"
#include "model/service/pods.h"
#include "model/service/rollout.h"
#include "sim/draw.h"

struct lz_platform {
    struct lz_platform_effect *all; // parts 0: a free place
    uint32_t count, cap;
    uint32_t active;
};

uint32_t lz_platform_add(struct lz_world *w, const struct lz_platform_effect *effect)
{
    LZ_ASSERT(effect->parts != 0);
    LZ_ASSERT(effect->touched != NULL || effect->parts == LZ_PLATFORM_PLACE);
    if (w->platform == NULL)
        w->platform = lz_arena_alloc(w->arena, sizeof(*w->platform));
    struct lz_platform *p = w->platform;
    uint32_t at = 0;
    while (at < p->count && p->all[at].parts != 0)
        at++;
    if (at == p->count)
        p->count++;
    p->all = lz_grow(w->arena, p->all, &p->cap, p->count, sizeof(*p->all));
    p->all[at] = *effect;
    p->active++;
    return at + 1;
}

void lz_platform_remove(struct lz_world *w, uint32_t id)
{
    struct lz_platform *p = w->platform;
    LZ_ASSERT(p != NULL && id >= 1 && id <= p->count && p->all[id - 1].parts != 0);
    p->all[id - 1] = (struct lz_platform_effect){0};
    p->active--;
    lz_pods_reconsider(w);
    lz_rollouts_reconsider(w);
}

// The control plane that looks after it (nodes.h), where it has one.
static bool is_ruled(struct lz_world *w, lz_component_id id)
{
    const struct lz_component *c = lz_world_component(w, id);
    return c->instance_count == 0 ||
           lz_nodes_is_ruled(w, lz_instance_get(w, c->instances_first)->host);
}

static bool is_any(const struct lz_world *w)
{
    return w->platform != NULL && w->platform->active > 0;
}

// The component itself, or one of its replicas stands there.
static bool covers(const struct lz_world *w, const struct lz_platform_effect *e, lz_component_id id)
{
    if (e->target->kind == LZ_TARGET_COMPONENT)
        return e->target->id == id;
    const struct lz_component *c = lz_world_component(w, id);
    for (uint32_t i = 0; i < c->instance_count; i++)
        if (lz_target_has(w, e->target, c->instances_first + i))
            return true;
    return false;
}

bool lz_platform_withholds(struct lz_world *w, lz_component_id id, enum lz_platform_part part)
{
    bool is_so = part == LZ_PLATFORM_DECIDE && !is_ruled(w, id);
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & part) == 0 || !covers(w, e, id))
            continue;
        ++*e->touched;
        is_so = true;
    }
    return is_so;
}

bool lz_platform_holds_start(struct lz_world *w, lz_instance_id id, bool is_news, lz_time *late)
{
    bool is_held = !is_ruled(w, lz_instance_get(w, id)->component);
    *late = 0;
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & LZ_PLATFORM_START) == 0 || !lz_target_has(w, e->target, id))
            continue;
        *e->touched += is_news;
        *late += e->delay;
        is_held = is_held || e->delay == 0;
    }
    return is_held;
}

bool lz_platform_is_down(struct lz_world *w, lz_region_id region)
{
    const unsigned parts = LZ_PLATFORM_DECIDE | LZ_PLATFORM_START;
    bool is_so = false;
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & parts) != parts)
            continue;
        const struct lz_target *t = e->target;
        bool is_here = t->kind == LZ_TARGET_REGION ? t->id == region
                                                   : t->kind == LZ_TARGET_CLOUD &&
                                                         t->id == lz_place_region_cloud(w, region);
        *e->touched += is_here;
        is_so = is_so || is_here;
    }
    return is_so;
}

bool lz_platform_is_stopped(struct lz_world *w, lz_component_id id)
{
    const unsigned parts = LZ_PLATFORM_DECIDE | LZ_PLATFORM_START;
    bool is_so = !is_ruled(w, id);
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & parts) != parts || !covers(w, e, id))
            continue;
        ++*e->touched;
        is_so = true;
    }
    return is_so;
}

static bool bars_host(const struct lz_world *w, const struct lz_platform_effect *e, lz_host_id host)
{
    for (uint32_t i = 0; e->hosts != NULL && i < e->host_count; i++)
        if (e->hosts[i] == host)
            return true;
    return e->hosts == NULL && lz_target_has_host(w, e->target, host);
}

const struct lz_target *lz_platform_cordon(const struct lz_world *w, lz_host_id host)
{
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & LZ_PLATFORM_PLACE) != 0 && bars_host(w, e, host))
            return e->target;
    }
    return NULL;
}

bool lz_platform_bars(const struct lz_world *w, lz_zone_id zone)
{
    lz_region_id region = lz_place_zone_region(w, zone);
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & LZ_PLATFORM_PLACE) == 0 || e->hosts != NULL)
            continue;
        const struct lz_target *t = e->target;
        if ((t->kind == LZ_TARGET_ZONE && t->id == zone) ||
            (t->kind == LZ_TARGET_REGION && t->id == region) ||
            (t->kind == LZ_TARGET_CLOUD && t->id == lz_place_region_cloud(w, region)))
            return true;
    }
    return false;
}

bool lz_platform_refuses_pull(struct lz_world *w, lz_instance_id id)
{
    bool is_so = false;
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & LZ_PLATFORM_PULL) == 0 || !lz_target_has(w, e->target, id))
            continue;
        ++*e->touched;
        is_so = true;
    }
    return is_so;
}

static struct lz_draw draw_of(const struct lz_world *w, const struct lz_platform_effect *e,
                              lz_component_id id, uint64_t nth)
{
    uint64_t owner = lz_draw_join(e->path, lz_world_component(w, id)->path);
    return lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_FILTER, nth);
}

bool lz_platform_loses_sample(struct lz_world *w, lz_component_id id, uint64_t nth)
{
    bool is_lost = false;
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        if ((e->parts & LZ_PLATFORM_SCRAPE) == 0 || !covers(w, e, id))
            continue;
        struct lz_draw draw = draw_of(w, e, id, nth);
        if (lz_draw_unit(&draw) >= e->ratio)
            continue;
        ++*e->touched;
        is_lost = true;
    }
    return is_lost;
}

// The first of them that it is about; 0: of none.
static lz_component_id covered(const struct lz_world *w, const struct lz_platform_effect *e,
                               const struct lz_platform_about *about)
{
    for (uint32_t i = 0; i < about->count; i++)
        if (covers(w, e, about->all[i]))
            return about->all[i];
    return 0;
}

lz_time lz_platform_alert_delay(struct lz_world *w, const struct lz_platform_about *about,
                                uint64_t nth)
{
    lz_time late = 0;
    for (uint32_t i = 0; is_any(w) && i < w->platform->count; i++) {
        const struct lz_platform_effect *e = &w->platform->all[i];
        lz_component_id of = (e->parts & LZ_PLATFORM_ALERT) != 0 ? covered(w, e, about) : 0;
        if (of == 0)
            continue;
        struct lz_draw draw = draw_of(w, e, of, nth);
        late += lz_dist_time(&e->add, &draw);
        ++*e->touched;
    }
    return late;
}
