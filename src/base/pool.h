/*
 * pool.h — fixed-size records known by index, with generations.
 *
 * Records live in chunks that never move, so a pointer stays good while its record
 * is live; others hold an id (generation and index), and a stale id is recognised.
 * Index 0 is never issued. Each record begins with `struct lz_pool_head`.
 */
#ifndef LZ_BASE_POOL_H
#define LZ_BASE_POOL_H

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"

#define LZ_POOL_CHUNK 1024u

struct lz_pool_head {
    uint32_t index; /* while live: its own; while free: the next free one */
    uint32_t gen;   /* odd while live */
};

struct lz_pool {
    struct lz_arena *arena;
    unsigned char **chunks;
    uint32_t chunk_count, chunk_cap;
    uint32_t item_size;
    uint32_t free_first;
    uint32_t used; /* indices issued so far; 0 is a dummy */
    uint32_t live;
};

static inline void lz_pool_init(struct lz_pool *p, struct lz_arena *arena, size_t item_size)
{
    *p = (struct lz_pool){.arena = arena, .item_size = (uint32_t)item_size, .used = 1};
}

static inline void *lz_pool_at(const struct lz_pool *p, uint32_t index)
{
    return p->chunks[index / LZ_POOL_CHUNK] + (size_t)(index % LZ_POOL_CHUNK) * p->item_size;
}

/* Known `size`, which is the pool's own, saves a product. */
static inline void *lz_pool_at_sized(const struct lz_pool *p, uint32_t index, size_t size)
{
    return p->chunks[index / LZ_POOL_CHUNK] + (size_t)(index % LZ_POOL_CHUNK) * size;
}

void lz_pool_grow(struct lz_pool *p);

/*
 * Of a size known where it is compiled, so that it becomes a row of stores: for what has more than
 * a hundred bytes gcc writes `rep stos`, which takes some thirty cycles to begin.
 */
static inline void lz_pool_clear(void *item, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
    memset(item, 0, size); // checked as one; in parts gcc warns of bounds that it made up
    size = 0;
#endif
    char *at = item;
    for (; size >= 64; size -= 64, at += 64) {
        memset(at, 0, 32);
        memset(at + 32, 0, 32);
    }
    if (size >= 32)
        memset(at, 0, 32);
    at += size & 32u;
    for (size &= 31u; size >= 8; size -= 8, at += 8)
        memset(at, 0, 8);
    for (; size > 0; size--)
        *at++ = 0;
}

/* A zeroed record, but for its head. */
static inline void *lz_pool_take_sized(struct lz_pool *p, size_t size)
{
    LZ_ASSERT(size == p->item_size);
    uint32_t index = p->free_first;
    struct lz_pool_head *head;
    if (index != 0) {
        head = lz_pool_at_sized(p, index, size);
        p->free_first = head->index;
    } else {
        if (p->used >= p->chunk_count * LZ_POOL_CHUNK)
            lz_pool_grow(p);
        index = p->used++;
        head = lz_pool_at_sized(p, index, size);
    }
    uint32_t gen = head->gen + 1;
    lz_pool_clear(head, size);
    head->index = index;
    head->gen = gen;
    p->live++;
    return head;
}

static inline void *lz_pool_take(struct lz_pool *p)
{
    return lz_pool_take_sized(p, p->item_size);
}

static inline void lz_pool_give(struct lz_pool *p, void *item)
{
    struct lz_pool_head *head = item;
    LZ_ASSERT(head->gen & 1u);
    uint32_t index = head->index;
    head->gen++;
    head->index = p->free_first;
    p->free_first = index;
    p->live--;
}

static inline uint64_t lz_pool_id(const void *item)
{
    const struct lz_pool_head *head = item;
    return (uint64_t)head->gen << 32 | head->index;
}

/* Of all records there ever were at once. */
static inline size_t lz_pool_bytes(const struct lz_pool *p)
{
    return (size_t)(p->used - 1) * p->item_size;
}

/* NULL if the record has been given back. An id is 0 or one that was issued. */
static inline void *lz_pool_find_sized(const struct lz_pool *p, uint64_t id, size_t size)
{
    LZ_ASSERT((uint32_t)id < p->used);
    if (id == 0)
        return NULL;
    struct lz_pool_head *head = lz_pool_at_sized(p, (uint32_t)id, size);
    return head->gen == (uint32_t)(id >> 32) ? head : NULL;
}

static inline void *lz_pool_find(const struct lz_pool *p, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    if (index == 0 || index >= p->used)
        return NULL;
    struct lz_pool_head *head = lz_pool_at(p, index);
    return head->gen == (uint32_t)(id >> 32) ? head : NULL;
}

#endif
