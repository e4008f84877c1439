#include "model/client/hot.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/through.h"

struct lz_hots {
    struct lz_hot *all; // 0 .. ; component 0: free
    uint32_t count, cap;
    uint32_t active;
};

uint32_t lz_hot_add(struct lz_world *w, const struct lz_hot *hot)
{
    LZ_ASSERT(hot->component != 0 && hot->touched != NULL);
    LZ_ASSERT(hot->ratio >= 0.0 && hot->ratio <= 1.0);
    if (w->hots == NULL)
        w->hots = lz_arena_alloc(w->arena, sizeof(*w->hots));
    lz_world_has(w, LZ_UNUSUAL_HOTS);
    struct lz_hots *hs = w->hots;
    uint32_t at = 0;
    while (at < hs->count && hs->all[at].component != 0)
        at++;
    if (at == hs->count)
        hs->count++;
    hs->all = lz_grow(w->arena, hs->all, &hs->cap, hs->count, sizeof(*hs->all));
    hs->all[at] = *hot;
    hs->active++;
    return at + 1;
}

void lz_hot_remove(struct lz_world *w, uint32_t id)
{
    struct lz_hots *hs = w->hots;
    LZ_ASSERT(hs != NULL && id >= 1 && id <= hs->count && hs->all[id - 1].component != 0);
    hs->all[id - 1] = (struct lz_hot){0};
    if (--hs->active == 0)
        w->unusual &= ~(uint32_t)LZ_UNUSUAL_HOTS;
}

static bool is_about(const struct lz_world *w, const struct lz_edge *e, lz_component_id component)
{
    if (e->opts.to == component)
        return true;
    return e->through != NULL && lz_edge_get(w, e->through->get)->opts.to == component;
}

// What a call is made of is about the same.
static bool is_part(const struct lz_call *c)
{
    return c->owner_kind == LZ_OWNER_FAN || c->owner_kind == LZ_OWNER_RACE ||
           c->owner_kind == LZ_OWNER_THROUGH;
}

uint64_t lz_hot_key(struct lz_world *w, const struct lz_edge *e, const struct lz_call *c)
{
    const struct lz_hots *hs = w->hots;
    uint64_t key = c->key;
    if (hs->active == 0 || is_part(c) || e->members != NULL)
        return key;
    if (e->opts.session)
        return key; // which transaction it is a statement of, no key of the data
    for (uint32_t i = 0; i < hs->count; i++) {
        const struct lz_hot *h = &hs->all[i];
        if (h->component == 0 || !is_about(w, e, h->component))
            continue;
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), lz_hash_mix(h->owner, c->path), LZ_PURPOSE_HOT, 0);
        if (lz_draw_unit(&draw) >= h->ratio)
            continue;
        key = h->key;
        (*h->touched)++;
    }
    return key;
}
