#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache_state.h"

/* disturb.c — what faults do to a cache: connections taken, keys that go, room that is less. */

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

// ---------------------------------------------------------------- less room

// Of several the strictest, the first of equals. NULL: none.
static const struct lz_cache_limit *limit_of(const struct lz_cache *c, uint32_t node)
{
    const struct lz_cache_limit *least = NULL;
    for (uint32_t i = 0; i < c->limit_count; i++) {
        const struct lz_cache_limit *l = &c->limits[i];
        if (l->touched != NULL && l->node == node && (least == NULL || l->entries < least->entries))
            least = l;
    }
    return least;
}

bool lz_cache_makes_room(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t more)
{
    const struct lz_cache_limit *l = limit_of(c, node);
    struct lz_keyspace *keys = c->node[node].keys;
    if (l == NULL || lz_keyspace_count(keys) + more <= l->entries)
        return true;
    if (c->opts.eviction == LZ_EVICTION_NONE) {
        (*l->touched)++; // Redis above its maxmemory refuses what may grow, there or not (deny-oom)
        return false;
    }
    // What is put may be what goes: then it is new.
    uint32_t room = more > 0 ? more : 1;
    room = l->entries > room ? l->entries - room : 0;
    *l->touched += lz_keyspace_evict(keys, room, lz_sim_now(w->sim));
    lz_cache_account(w, c, node);
    if (lz_keyspace_count(keys) <= room)
        return true;
    (*l->touched)++; // who is left never runs out, and none of them may go
    return false;
}

uint32_t lz_cache_limit(struct lz_world *w, lz_instance_id node, uint32_t entries,
                        uint64_t *touched)
{
    struct lz_cache *c = lz_cache_of(w, node);
    uint32_t at = 0, n = node - c->first;
    LZ_ASSERT(entries > 0);
    LZ_ASSERT(touched != NULL);
    while (at < c->limit_count && c->limits[at].touched != NULL)
        at++;
    if (at == c->limit_count)
        c->limit_count++;
    c->limits = lz_grow(w->arena, c->limits, &c->limit_cap, c->limit_count, sizeof(*c->limits));
    c->limits[at] = (struct lz_cache_limit){.node = n, .entries = entries, .touched = touched};
    c->limits_active++;
    // As Redis does when its maxmemory is lowered: at once, not with the next write.
    bool evicts = c->opts.eviction != LZ_EVICTION_NONE;
    if (evicts && lz_cache_leads(w, node) && lz_cache_lives(w, node)) {
        *touched += lz_keyspace_evict(c->node[n].keys, limit_of(c, n)->entries, lz_sim_now(w->sim));
        lz_cache_account(w, c, n);
    }
    return at;
}

void lz_cache_unlimit(struct lz_world *w, lz_instance_id node, uint32_t limit)
{
    struct lz_cache *c = lz_cache_of(w, node);
    LZ_ASSERT(limit < c->limit_count && c->limits[limit].touched != NULL);
    c->limits[limit].touched = NULL;
    c->limits_active--;
}

uint32_t lz_cache_entries(const struct lz_world *w, lz_component_id id)
{
    return lz_cache_at(w, id)->opts.entries;
}
