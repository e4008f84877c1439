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

int lz_snapshots_release(struct lz_snapshots *s, uint32_t i)
{
    LZ_ASSERT(i < s->count);
    int line = s->all[i].line;
    s->count--;
    memmove(&s->all[i], &s->all[i + 1], (s->count - i) * sizeof(s->all[0]));
    return line;
}

void lz_snapshots_forget(struct lz_snapshots *s, uint32_t i)
{
    close(lz_snapshots_release(s, i));
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

void lz_snapshots_thin(struct lz_snapshots *s, uint32_t (*pick)(const void *ctx), const void *ctx)
{
    size_t budget = s->budget_bytes > 0 ? s->budget_bytes : LZ_SNAPSHOTS_BUDGET;
    bool is_many = s->count > LZ_SNAPSHOTS_MAX;
    if (!is_many && lz_snapshots_bytes(s) <= budget)
        return;
    lz_snapshots_measure(s);
    size_t goal = lz_snapshots_bytes(s) > budget ? budget - budget / 8 : budget;
    uint32_t most = is_many ? LZ_SNAPSHOTS_MAX * 7 / 8 : LZ_SNAPSHOTS_MAX;
    while (lz_snapshots_bytes(s) > goal || s->count > most) {
        uint32_t i = pick(ctx);
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
}
