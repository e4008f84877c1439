#include "promql/scratch.h"

#include <string.h>

#include "base/check.h"

#define CHUNK_BYTES 16384
#define ALIGN 16

struct lz_promql_chunk {
    struct lz_promql_chunk *next;
    size_t size; // of what follows
    _Alignas(ALIGN) char bytes[];
};

void lz_promql_scratch_init(struct lz_promql_scratch *s, struct lz_arena *arena)
{
    LZ_ASSERT(arena != NULL);
    *s = (struct lz_promql_scratch){.arena = arena};
}

void lz_promql_scratch_finish(struct lz_promql_scratch *s)
{
    struct lz_promql_chunk *c = s->first;
    while (c != NULL) {
        struct lz_promql_chunk *next = c->next;
        lz_arena_free(s->arena, c, sizeof(*c) + c->size);
        c = next;
    }
    *s = (struct lz_promql_scratch){.arena = s->arena};
}

// Behind what there is: at least a quarter more than that, so that chunks are few.
static void add_chunk(struct lz_promql_scratch *s, size_t size)
{
    size_t more = s->total / 4, room = size > more ? size : more;
    room = (room + CHUNK_BYTES - 1) / CHUNK_BYTES * CHUNK_BYTES;
    struct lz_promql_chunk *c = lz_arena_alloc(s->arena, sizeof(*c) + room);
    c->next = NULL;
    c->size = room;
    if (s->now != NULL)
        s->now->next = c;
    else
        s->first = c;
    s->now = c;
    s->used = 0;
    s->total += room;
}

void lz_promql_scratch_reset(struct lz_promql_scratch *s)
{
    size_t total = s->total;
    if (s->first != s->now || total > LZ_PROMQL_SCRATCH_KEPT) {
        lz_promql_scratch_finish(s);
        if (total <= LZ_PROMQL_SCRATCH_KEPT)
            add_chunk(s, total);
    }
    s->used = 0;
}

void *lz_promql_scratch_alloc(struct lz_promql_scratch *s, size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (s->now == NULL || s->now->size - s->used < size)
        add_chunk(s, size);
    void *p = s->now->bytes + s->used;
    s->used += size;
    LZ_ASSERT(s->used <= s->now->size);
    return memset(p, 0, size);
}

char *lz_promql_scratch_text(struct lz_promql_scratch *s, const char *text, size_t len)
{
    char *copy = lz_promql_scratch_alloc(s, len + 1);
    memcpy(copy, text, len);
    return copy;
}

void *lz_promql_scratch_grow(struct lz_promql_scratch *s, void *items, uint32_t *cap, uint32_t need,
                             size_t size)
{
    if (need <= *cap)
        return items;
    uint32_t wide = *cap > 0 ? *cap : 8;
    while (wide < need)
        wide *= 2;
    void *wider = lz_promql_scratch_alloc(s, wide * size);
    if (items != NULL)
        memcpy(wider, items, *cap * size);
    *cap = wide;
    return wider;
}
