#include "model/broker/plog.h"

#include "base/check.h"

#define CAP_LEAST 16u

void lz_plog_init(struct lz_plog *l, struct lz_arena *arena, const struct lz_pool *batches)
{
    *l = (struct lz_plog){.arena = arena, .batches = batches};
}

// A ring twice as wide begins anew at its first entry.
static void widen(struct lz_plog *l)
{
    uint32_t cap = l->cap > 0 ? 2 * l->cap : CAP_LEAST;
    struct lz_plog_entry *ring = lz_arena_alloc(l->arena, cap * sizeof(*ring));
    for (uint32_t i = 0; i < l->count; i++)
        ring[i] = *lz_plog_entry(l, i);
    if (l->cap > 0)
        lz_arena_free(l->arena, l->ring, l->cap * sizeof(*ring));
    l->ring = ring;
    l->cap = cap;
    l->first = 0;
}

void lz_plog_append(struct lz_plog *l, struct lz_batch *b, uint64_t lsn)
{
    LZ_ASSERT(b->offset == l->end);
    LZ_ASSERT(b->count > 0);
    if (l->count == l->cap)
        widen(l);
    l->ring[(l->first + l->count) & (l->cap - 1)] =
        (struct lz_plog_entry){.batch = b->head.index, .lsn = lsn};
    l->count++;
    l->end = lz_batch_end(b);
    b->refs++;
}

struct lz_batch *lz_plog_pop(struct lz_plog *l)
{
    LZ_ASSERT(l->count > 0);
    struct lz_batch *b = lz_plog_at(l, l->count - 1);
    LZ_ASSERT(lz_batch_end(b) == l->end && b->refs > 0);
    l->count--;
    l->end = b->offset;
    b->refs--;
    return b;
}

struct lz_batch *lz_plog_drop(struct lz_plog *l)
{
    LZ_ASSERT(l->count > 0);
    struct lz_batch *b = lz_plog_at(l, 0);
    LZ_ASSERT(b->offset == l->start && b->refs > 0);
    l->first = (l->first + 1) & (l->cap - 1);
    l->count--;
    l->start = lz_batch_end(b);
    b->refs--;
    return b;
}

uint32_t lz_plog_find(const struct lz_plog *l, uint64_t offset)
{
    LZ_ASSERT(offset >= l->start);
    if (offset >= l->end)
        return l->count;
    uint32_t low = 0, high = l->count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (lz_plog_at(l, middle)->offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool lz_plog_has(const struct lz_plog *l, const struct lz_batch *b)
{
    if (b->offset < l->start || b->offset >= l->end)
        return false;
    uint32_t i = lz_plog_find(l, b->offset);
    return lz_plog_entry(l, i)->batch == b->head.index;
}

void lz_plog_restart(struct lz_plog *l, uint64_t offset)
{
    LZ_ASSERT(l->count == 0);
    l->start = l->end = offset;
}
