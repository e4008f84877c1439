#include "sim/line.h"

void lz_lines_init(struct lz_lines *ls, struct lz_arena *arena)
{
    *ls = (struct lz_lines){.at = LZ_FOREVER, .arena = arena};
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
    ls->heads[ls->count] = LZ_FOREVER;
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

// Of two that are due at one instant, which was scheduled first?
static bool is_older(const struct lz_line_ring *a, const struct lz_line_ring *b)
{
    if (a->count == 0 || b->count == 0)
        return false;
    return a->ring[a->first].rank < b->ring[b->first].rank;
}

void lz_lines_choose(struct lz_lines *ls)
{
    uint32_t next = 1;
    lz_time at = ls->heads[1];
    for (uint32_t i = 2; i <= ls->count; i++) {
        if (__builtin_expect(ls->heads[i] == at, 0) && is_older(&ls->all[i], &ls->all[next]))
            next = i;
        // Told that nobody knows, the compiler moves instead of jumping.
        bool is_sooner = __builtin_expect_with_probability(ls->heads[i] < at, 1, 0.5);
        next = is_sooner ? i : next;
        at = is_sooner ? ls->heads[i] : at;
    }
    ls->next = next;
    ls->at = at;
}

size_t lz_lines_bytes(const struct lz_lines *ls)
{
    size_t bytes = 0;
    for (uint32_t i = 1; i <= ls->count; i++)
        bytes += ls->all[i].cap * sizeof(*ls->all[i].ring);
    return bytes;
}
