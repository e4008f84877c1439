#include "repl/snapshots.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

void lz_snapshots_finish(struct lz_snapshots *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        close(s->all[i].line);
    free(s->all);
    *s = (struct lz_snapshots){.budget_bytes = s->budget_bytes};
}

void lz_snapshots_forget(struct lz_snapshots *s, uint32_t i)
{
    LZ_ASSERT(i < s->count);
    close(s->all[i].line);
    s->count--;
    memmove(&s->all[i], &s->all[i + 1], (s->count - i) * sizeof(s->all[0]));
}

size_t lz_snapshots_bytes(const struct lz_snapshots *s)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < s->count; i++)
        sum += s->all[i].bytes;
    return sum;
}

void lz_snapshots_measure(struct lz_snapshots *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        s->all[i].bytes = lz_memory_of(s->all[i].pid);
}

// Its neighbour in the same history; the count: none.
static uint32_t neighbour(const struct lz_snapshots *s, uint32_t i, bool before)
{
    uint32_t step = before ? UINT32_MAX : 1;
    for (uint32_t k = i + step; k < s->count; k += step)
        if (s->all[k].node == s->all[i].node)
            return k;
    return s->count;
}

// Of those that may go the one that is missed least; the count: none may.
static uint32_t least_missed(const struct lz_snapshots *s)
{
    uint32_t best = s->count;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        uint32_t before = neighbour(s, i, true), next = neighbour(s, i, false);
        uint64_t from = before < s->count ? s->all[before].events : 0;
        uint64_t to = next < s->count ? s->all[next].events : s->all[i].events;
        if (s->all[i].is_first || to - from >= least)
            continue;
        least = to - from;
        best = i;
    }
    return best;
}

static void thin(struct lz_snapshots *s)
{
    size_t budget = s->budget_bytes > 0 ? s->budget_bytes : LZ_SNAPSHOTS_BUDGET;
    bool is_many = s->count > LZ_SNAPSHOTS_MAX;
    if (!is_many && lz_snapshots_bytes(s) <= budget)
        return;
    lz_snapshots_measure(s);
    size_t goal = lz_snapshots_bytes(s) > budget ? budget - budget / 8 : budget;
    uint32_t most = is_many ? LZ_SNAPSHOTS_MAX * 7 / 8 : LZ_SNAPSHOTS_MAX;
    while (lz_snapshots_bytes(s) > goal || s->count > most) {
        uint32_t i = least_missed(s);
        if (i == s->count)
            return;
        lz_snapshots_forget(s, i);
    }
}

void lz_snapshots_add(struct lz_snapshots *s, const struct lz_snapshot *one)
{
    if (s->count == s->cap) {
        s->cap = s->cap > 0 ? 2 * s->cap : 64;
        s->all = lz_mem_resize(s->all, s->cap * sizeof(s->all[0]));
    }
    if (s->count > 0)
        s->all[s->count - 1].bytes = lz_memory_of(s->all[s->count - 1].pid);
    s->all[s->count++] = *one;
    thin(s);
}
