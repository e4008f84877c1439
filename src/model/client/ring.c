#include "model/client/ring.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/sort.h"

static int by_place(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_ring_point *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

void lz_ring_build(struct lz_ring *ring, struct lz_arena *arena, uint64_t path,
                   const uint32_t *points, uint32_t owner_count)
{
    LZ_ASSERT(owner_count > 0);
    uint32_t count = 0;
    for (uint32_t i = 0; i < owner_count; i++)
        count += points[i];
    LZ_ASSERT(count > 0);
    ring->count = count;
    ring->points = lz_arena_alloc(arena, count * sizeof(*ring->points));
    uint32_t next = 0;
    for (uint32_t i = 0; i < owner_count; i++) {
        // Two rounds: neighbouring numbers must not become neighbouring points.
        uint64_t owner = lz_hash_mix(lz_hash_mix(path, i + 1), 0x72696e67);
        for (uint32_t p = 0; p < points[i]; p++)
            ring->points[next++] = (struct lz_ring_point){
                .at = lz_hash_mix(lz_hash_mix(owner, p + 1), owner), .owner = i};
    }
    LZ_ASSERT(next == count);
    lz_sort(ring->points, count, sizeof(*ring->points), by_place, NULL);
}

uint32_t lz_ring_find(const struct lz_ring *ring, uint64_t hash)
{
    LZ_ASSERT(ring->count > 0);
    uint32_t low = 0, high = ring->count; // the first point at or after it lies in low .. high
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ring->points[middle].at < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low == ring->count ? 0 : low;
}
