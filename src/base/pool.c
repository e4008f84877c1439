#include "base/pool.h"

void lz_pool_grow(struct lz_pool *p)
{
    if (p->chunk_count == p->chunk_cap) {
        uint32_t cap = p->chunk_cap > 0 ? 2 * p->chunk_cap : 16;
        p->chunks = lz_arena_resize(p->arena, p->chunks, p->chunk_cap * sizeof(*p->chunks),
                                    cap * sizeof(*p->chunks));
        p->chunk_cap = cap;
    }
    p->chunks[p->chunk_count++] = lz_arena_alloc(p->arena, (size_t)LZ_POOL_CHUNK * p->item_size);
    LZ_ASSERT(p->chunk_count <= p->chunk_cap);
}
