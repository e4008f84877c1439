/*
 * ring.h — a consistent hash ring.
 *
 * Every replica has points on the circle of 64-bit numbers; a key belongs to the owner of the
 * first point at or after the key's hash. A replica that goes away leaves its keys to the
 * owners of the points that follow, and to nobody else. With V points each, a replica's share
 * of the circle is off the mean by about 1 / sqrt(V) of it (Lamping and Veach, "A Fast, Minimal
 * Memory, Consistent Hash Algorithm", arXiv:1406.2294, table 1).
 */
#ifndef LZ_MODEL_CLIENT_RING_H
#define LZ_MODEL_CLIENT_RING_H

#include "base/arena.h"

struct lz_ring_point {
    uint64_t at;
    uint32_t owner;
};

struct lz_ring {
    struct lz_ring_point *points; /* by `at`, then owner */
    uint32_t count;
};

/* `points[i]` of owner i, from 0; where they lie follows from `path` and the owner alone. */
void lz_ring_build(struct lz_ring *ring, struct lz_arena *arena, uint64_t path,
                   const uint32_t *points, uint32_t owner_count);

/* Index of the point that a key's hash belongs to; the next is one further, round the end. */
uint32_t lz_ring_find(const struct lz_ring *ring, uint64_t hash);

#endif
