#include "model/cache/slot_lists.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/slots.h"

struct lz_slot_lists {
    struct lz_arena *arena;
    struct {
        uint32_t first, count;
    } of[LZ_SLOTS];
    struct link {
        uint32_t prev, next;
    } * links; // by entry
    uint32_t cap;
};

struct lz_slot_lists *lz_slot_lists_create(struct lz_arena *arena)
{
    struct lz_slot_lists *l = lz_arena_alloc(arena, sizeof(*l));
    l->arena = arena;
    return l;
}

void lz_slot_lists_add(struct lz_slot_lists *l, uint32_t slot, uint32_t entry)
{
    LZ_ASSERT(slot < LZ_SLOTS && entry > 0);
    l->links = lz_grow(l->arena, l->links, &l->cap, entry + 1, sizeof(*l->links));
    l->links[entry] = (struct link){.next = l->of[slot].first};
    if (l->of[slot].first != 0)
        l->links[l->of[slot].first].prev = entry;
    l->of[slot].first = entry;
    l->of[slot].count++;
}

void lz_slot_lists_drop(struct lz_slot_lists *l, uint32_t slot, uint32_t entry)
{
    LZ_ASSERT(slot < LZ_SLOTS && entry < l->cap && l->of[slot].count > 0);
    struct link at = l->links[entry];
    if (at.prev != 0)
        l->links[at.prev].next = at.next;
    else
        l->of[slot].first = at.next;
    if (at.next != 0)
        l->links[at.next].prev = at.prev;
    l->of[slot].count--;
    LZ_ASSERT((l->of[slot].count == 0) == (l->of[slot].first == 0));
}

void lz_slot_lists_copy(struct lz_slot_lists *l, const struct lz_slot_lists *from)
{
    memcpy(l->of, from->of, sizeof(l->of));
    l->links = lz_grow(l->arena, l->links, &l->cap, from->cap, sizeof(*l->links));
    if (from->cap > 0)
        memcpy(l->links, from->links, from->cap * sizeof(*l->links));
}

uint32_t lz_slot_lists_count(const struct lz_slot_lists *l, uint32_t slot)
{
    LZ_ASSERT(slot < LZ_SLOTS);
    return l->of[slot].count;
}

uint32_t lz_slot_lists_first(const struct lz_slot_lists *l, uint32_t slot)
{
    LZ_ASSERT(slot < LZ_SLOTS);
    return l->of[slot].first;
}

uint32_t lz_slot_lists_next(const struct lz_slot_lists *l, uint32_t entry)
{
    LZ_ASSERT(entry < l->cap);
    return l->links[entry].next;
}

size_t lz_slot_lists_bytes(const struct lz_slot_lists *l)
{
    return sizeof(*l) + l->cap * sizeof(*l->links);
}
