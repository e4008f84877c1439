#include "sim/line.h"

void lz_lines_init(struct lz_lines *ls, struct lz_arena *arena)
{
    *ls = (struct lz_lines){.heads[0].at = LZ_FOREVER, .arena = arena};
}

lz_line lz_lines_find(struct lz_lines *ls, lz_time delay)
{
    LZ_ASSERT(delay > 0);
    for (uint32_t i = 1; i <= ls->count; i++)
        if (ls->all[i].delay == delay)
            return (lz_line)i;
    if (ls->count == LZ_LINES_MAX || delay > LZ_FOREVER / 2)
        return 0;
    ls->all[++ls->count] = (struct lz_line_ring){.delay = delay};
    return (lz_line)ls->count;
}

void lz_lines_widen(struct lz_lines *ls, lz_line line)
{
    struct lz_line_ring *l = &ls->all[line];
    uint32_t cap = l->cap > 0 ? 2 * l->cap : 16;
    LZ_ASSERT(l->count == l->cap);
    struct lz_line_event *ring = lz_arena_alloc(ls->arena, cap * sizeof(*ring));
    for (uint32_t i = 0; i < l->count; i++)
        ring[i] = l->ring[(l->first + i) & (l->cap - 1)];
    lz_arena_free(ls->arena, l->ring, l->cap * sizeof(*ring));
    l->ring = ring;
    l->cap = cap;
    l->first = 0;
}

size_t lz_lines_bytes(const struct lz_lines *ls)
{
    size_t bytes = 0;
    for (uint32_t i = 1; i <= ls->count; i++)
        bytes += ls->all[i].cap * sizeof(*ls->all[i].ring);
    return bytes;
}
