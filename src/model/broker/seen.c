#include "model/broker/seen.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

void lz_seen_init(struct lz_seen *s, struct lz_arena *arena)
{
    *s = (struct lz_seen){.arena = arena};
}

// The first range that ends at or behind `at`: the one that has it, or touches it, or the next.
static uint32_t find(const struct lz_seen *s, uint64_t at)
{
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (s->ranges[middle].to < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct lz_seen *s, uint32_t i, uint64_t from, uint64_t to)
{
    s->ranges = lz_grow(s->arena, s->ranges, &s->cap, s->count + 1, sizeof(*s->ranges));
    memmove(&s->ranges[i + 1], &s->ranges[i], (s->count - i) * sizeof(*s->ranges));
    s->ranges[i] = (struct lz_seen_range){from, to};
    s->count++;
}

static uint64_t overlap(const struct lz_seen_range *r, uint64_t from, uint64_t to)
{
    uint64_t low = r->from > from ? r->from : from, high = r->to < to ? r->to : to;
    return low < high ? high - low : 0;
}

uint64_t lz_seen_add(struct lz_seen *s, uint64_t from, uint64_t to)
{
    LZ_ASSERT(from <= to);
    if (from == to)
        return 0;
    uint32_t i = find(s, from), last = i;
    uint64_t there = 0;
    while (last < s->count && s->ranges[last].from <= to)
        there += overlap(&s->ranges[last++], from, to);
    if (last == i) {
        insert(s, i, from, to);
        return 0;
    }
    struct lz_seen_range *r = &s->ranges[i];
    uint64_t end = s->ranges[last - 1].to;
    r->from = r->from < from ? r->from : from;
    r->to = end > to ? end : to;
    memmove(&s->ranges[i + 1], &s->ranges[last], (s->count - last) * sizeof(*s->ranges));
    s->count -= last - i - 1;
    LZ_ASSERT(there <= to - from);
    return there;
}

uint64_t lz_seen_missing(const struct lz_seen *s, uint64_t from, uint64_t to)
{
    LZ_ASSERT(from <= to);
    uint64_t there = 0;
    for (uint32_t i = find(s, from); i < s->count && s->ranges[i].from < to; i++)
        there += overlap(&s->ranges[i], from, to);
    return to - from - there;
}

uint64_t lz_seen_next(const struct lz_seen *s, uint64_t from)
{
    uint32_t i = find(s, from);
    if (i < s->count && s->ranges[i].from <= from && s->ranges[i].to > from)
        return s->ranges[i].to;
    return from;
}

void lz_seen_cut(struct lz_seen *s, uint64_t at)
{
    while (s->count > 0 && s->ranges[s->count - 1].from >= at)
        s->count--;
    if (s->count > 0 && s->ranges[s->count - 1].to > at)
        s->ranges[s->count - 1].to = at;
}
