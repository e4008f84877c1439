#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache_state.h"

/* disturb.c — what faults do to a cache: connections taken, keys that go. */

// Whether faults leave nothing for one more.
bool lz_cache_is_exhausted(const struct lz_cache *c)
{
    bool is_so = false;
    for (uint32_t i = 0; i < c->hold_count; i++) {
        if (c->holds[i].touched == NULL || c->connections < c->holds[i].left)
            continue;
        ++*c->holds[i].touched;
        is_so = true;
    }
    return is_so;
}

uint32_t lz_cache_hold_connections(struct lz_world *w, lz_component_id id, uint32_t left,
                                   uint64_t *touched)
{
    struct lz_cache *c = lz_cache_at(w, id);
    uint32_t at = 0;
    while (at < c->hold_count && c->holds[at].touched != NULL)
        at++;
    if (at == c->hold_count)
        c->hold_count++;
    c->holds = lz_grow(w->arena, c->holds, &c->hold_cap, c->hold_count, sizeof(*c->holds));
    c->holds[at] = (struct lz_cache_hold){.left = left, .touched = touched};
    return at;
}

void lz_cache_release_connections(struct lz_world *w, lz_component_id id, uint32_t hold)
{
    struct lz_cache *c = lz_cache_at(w, id);
    LZ_ASSERT(hold < c->hold_count && c->holds[hold].touched != NULL);
    c->holds[hold].touched = NULL;
}

uint64_t lz_cache_flush(struct lz_world *w, lz_instance_id node)
{
    struct lz_cache *c = lz_cache_of(w, node);
    uint32_t n = node - c->first;
    if (!lz_cache_leads(w, node) || !lz_cache_lives(w, node))
        return 0;
    uint32_t gone = lz_keyspace_clear(c->node[n].keys);
    lz_cache_account(w, c, n);
    return gone;
}

uint64_t lz_cache_expire(struct lz_world *w, lz_instance_id node, double ratio, uint64_t owner)
{
    struct lz_cache *c = lz_cache_of(w, node);
    uint32_t n = node - c->first;
    if (!lz_cache_leads(w, node) || !lz_cache_lives(w, node))
        return 0;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(owner, n), LZ_PURPOSE_EXPIRE, 0);
    uint32_t gone = lz_keyspace_expire_share(c->node[n].keys, ratio, &draw);
    lz_cache_account(w, c, n);
    return gone;
}
