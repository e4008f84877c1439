#include "model/consensus/raft_log.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

void lz_raft_log_init(struct lz_raft_log *l, struct lz_arena *arena)
{
    *l = (struct lz_raft_log){.arena = arena};
}

static uint32_t count(const struct lz_raft_log *l)
{
    LZ_ASSERT(l->last >= l->base);
    return (uint32_t)(l->last - l->base);
}

uint64_t lz_raft_log_append(struct lz_raft_log *l, const struct lz_raft_entry *e)
{
    LZ_ASSERT(l->last == 0 || lz_raft_log_term(l, l->last) <= e->term);
    uint32_t kept = count(l);
    // Room that was dropped at the front is used again before more is asked for.
    if (l->head > 0 && l->head + kept == l->cap) {
        memmove(l->entries, l->entries + l->head, kept * sizeof(*l->entries));
        l->head = 0;
    }
    l->entries = lz_grow(l->arena, l->entries, &l->cap, l->head + kept + 1, sizeof(*l->entries));
    l->entries[l->head + kept] = *e;
    return ++l->last;
}

struct lz_raft_entry *lz_raft_log_get(const struct lz_raft_log *l, uint64_t index)
{
    if (index <= l->base || index > l->last)
        return NULL;
    return &l->entries[l->head + (uint32_t)(index - l->base - 1)];
}

uint64_t lz_raft_log_term(const struct lz_raft_log *l, uint64_t index)
{
    if (index == l->base)
        return l->base_term;
    const struct lz_raft_entry *e = lz_raft_log_get(l, index);
    return e != NULL ? e->term : 0;
}

void lz_raft_log_cut(struct lz_raft_log *l, uint64_t index)
{
    LZ_ASSERT(index >= l->base);
    if (index < l->last)
        l->last = index;
}

void lz_raft_log_drop(struct lz_raft_log *l, uint64_t index)
{
    if (index <= l->base)
        return;
    LZ_ASSERT(index <= l->last);
    l->base_term = lz_raft_log_term(l, index);
    l->head += (uint32_t)(index - l->base);
    l->base = index;
}

void lz_raft_log_reset(struct lz_raft_log *l, uint64_t index, uint64_t term)
{
    l->base = l->last = index;
    l->base_term = term;
    l->head = 0;
}
