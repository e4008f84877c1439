#include "sim/line.h"

void lz_lines_init(struct lz_lines *ls, struct lz_arena *arena)
{
    *ls = (struct lz_lines){.arena = arena};
    for (uint32_t i = 0; i < LZ_LINES_MAX; i++)
        ls->keys.all[i] = lz_lines_key(LZ_LINES_NEVER, 0);
    ls->first_at = LZ_LINES_NEVER;
    ls->all[0].ring = lz_arena_alloc(arena, sizeof(*ls->all[0].ring)); // of NONE
}

// Places have changed.
static void find_keys(struct lz_lines *ls)
{
    for (uint32_t i = 0; i < LZ_LINES_MAX; i++)
        ls->keys.all[i] = lz_lines_key(LZ_LINES_NEVER, 0);
    for (uint32_t i = 1; i <= ls->count; i++) {
        const struct lz_line_ring *l = &ls->all[i];
        if (l->first != l->last)
            lz_line_keys_enter(&ls->keys, lz_lines_key(l->ring[l->first & l->mask].at, i));
    }
    ls->first_at = lz_lines_time(ls->keys.all[0]);
}

lz_line lz_lines_find(struct lz_lines *ls, lz_time delay)
{
    LZ_ASSERT(delay > 0);
    uint32_t place = 1;
    for (lz_line i = 1; i <= ls->count; i++) {
        lz_time its = ls->all[ls->places[i]].delay;
        if (its == delay)
            return i;
        place += its > delay;
    }
    if (ls->count == LZ_LINES_MAX || delay >= LZ_LINES_UNTIL || ls->is_closed)
        return 0;
    for (uint32_t i = ++ls->count; i > place; i--)
        ls->all[i] = ls->all[i - 1];
    for (uint32_t i = 1; i < ls->count; i++)
        ls->places[i] = (uint8_t)(ls->places[i] + (ls->places[i] >= place));
    ls->all[place] = (struct lz_line_ring){.delay = delay, .ring = ls->all[0].ring};
    ls->places[ls->count] = (uint8_t)place;
    find_keys(ls);
    return (lz_line)ls->count;
}

void lz_lines_widen(struct lz_lines *ls, lz_line line)
{
    struct lz_line_ring *l = lz_lines_ring(ls, line);
    uint32_t count = l->last - l->first, places = l->mask > 0 ? 2 * (l->mask + 1) : 16;
    LZ_ASSERT(count == l->room && !ls->is_closed);
    struct lz_line_event *ring = lz_arena_alloc(ls->arena, places * sizeof(*ring));
    for (uint32_t i = 0; i < count; i++)
        ring[i] = l->ring[(l->first + i) & l->mask];
    if (l->mask > 0)
        lz_arena_free(ls->arena, l->ring, places / 2 * sizeof(*ring));
    l->ring = ring;
    l->room = l->mask = places - 1;
    l->first = 0;
    l->last = count;
}

void lz_lines_close(struct lz_lines *ls)
{
    ls->is_closed = true;
    for (uint32_t i = 1; i <= ls->count; i++)
        ls->all[i].room = 0;
}

size_t lz_lines_bytes(const struct lz_lines *ls)
{
    size_t bytes = 0;
    for (uint32_t i = 1; i <= ls->count; i++)
        bytes += ls->all[i].mask > 0 ? (ls->all[i].mask + 1) * sizeof(*ls->all[i].ring) : 0;
    return bytes;
}
