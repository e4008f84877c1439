/* grow.h — arrays in the arena that double when they are full. */
#ifndef LZ_BASE_GROW_H
#define LZ_BASE_GROW_H

#include <stdint.h>

#include "base/arena.h"

/* Room for `need` items of `size` bytes; returns the array, new items zeroed. */
static inline void *lz_grow(struct lz_arena *arena, void *items, uint32_t *cap, uint32_t need,
                            size_t size)
{
    if (need <= *cap)
        return items;
    uint32_t wide = *cap > 0 ? *cap : 8;
    while (wide < need)
        wide *= 2;
    items = lz_arena_resize(arena, items, *cap * size, wide * size);
    *cap = wide;
    return items;
}

#endif
