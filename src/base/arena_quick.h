/*
 * arena_quick.h — small blocks taken and given back in place.
 *
 * Lua asks for one and gives one back some five times in each request that a handler serves. Most
 * of them lie on a free list: that is a dozen instructions, where a call of lz_arena_try is fifty.
 * The same blocks come in the same order either way; what is not that simple is arena.c's.
 */
#ifndef LZ_BASE_ARENA_QUICK_H
#define LZ_BASE_ARENA_QUICK_H

#include "base/arena.h"
#include "base/check.h"

#define LZ_ARENA_UNIT 16u /* bytes; blocks up to QUICK_MAX are multiples of it */
#define LZ_ARENA_QUICK_MAX 1024u
#define LZ_ARENA_CLASSES (LZ_ARENA_QUICK_MAX / LZ_ARENA_UNIT + 8 * 26)

struct lz_arena_block {
    struct lz_arena_block *next;
};

/* An arena begins with it. */
struct lz_arena_lists {
    struct lz_arena_block *free[LZ_ARENA_CLASSES]; /* the first ones by size / UNIT */
    size_t used_bytes;                             /* whole blocks */
    size_t peak_bytes;
    size_t first_offset; /* where blocks begin; the arena's own words are below */
    size_t extent_max;   /* no block is beyond */
};

/* Like lz_arena_try, or NULL: then it is to be asked. */
static inline void *lz_arena_quick_take(struct lz_arena *arena, size_t size)
{
    struct lz_arena_lists *lists = (struct lz_arena_lists *)arena;
    size_t class = (size - 1) / LZ_ARENA_UNIT; // of no bytes at all: a large one
    if (class >= LZ_ARENA_QUICK_MAX / LZ_ARENA_UNIT)
        return NULL;
    struct lz_arena_block *block = lists->free[class];
    if (block == NULL)
        return NULL;
    __builtin_prefetch(block->next); // which the next one of its size is going to read
    lists->free[class] = block->next;
    lists->used_bytes += (class + 1) * LZ_ARENA_UNIT;
    if (lists->used_bytes > lists->peak_bytes)
        lists->peak_bytes = lists->used_bytes;
    return block;
}

/* Like lz_arena_free of a block that is there, or false: then it is to be asked. */
static inline bool lz_arena_quick_give(struct lz_arena *arena, void *ptr, size_t size)
{
    struct lz_arena_lists *lists = (struct lz_arena_lists *)arena;
    struct lz_arena_block *block = ptr;
    size_t class = (size - 1) / LZ_ARENA_UNIT;
    if (class >= LZ_ARENA_QUICK_MAX / LZ_ARENA_UNIT)
        return false;
    LZ_ASSERT((uintptr_t)ptr - (uintptr_t)arena >= lists->first_offset);
    LZ_ASSERT((uintptr_t)ptr - (uintptr_t)arena < lists->extent_max);
    LZ_ASSERT(lists->used_bytes >= (class + 1) * LZ_ARENA_UNIT);
    lists->used_bytes -= (class + 1) * LZ_ARENA_UNIT;
    block->next = lists->free[class];
    lists->free[class] = block;
    return true;
}

#endif
