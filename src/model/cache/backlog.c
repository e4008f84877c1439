#include "model/cache/backlog.h"

#include "base/check.h"

void lz_backlog_begin(struct lz_backlog *b, struct lz_arena *arena, uint64_t final)
{
    b->arena = arena;
    b->first = b->final = final;
}

static struct lz_record *at(const struct lz_backlog *b, uint64_t offset)
{
    return &b->records[offset & (LZ_BACKLOG_RECORDS - 1)];
}

uint64_t lz_backlog_append(struct lz_backlog *b, const struct lz_record *record)
{
    if (b->records == NULL)
        b->records = lz_arena_alloc(b->arena, LZ_BACKLOG_RECORDS * sizeof(*b->records));
    b->final++;
    if (b->final - b->first > LZ_BACKLOG_RECORDS)
        b->first = b->final - LZ_BACKLOG_RECORDS;
    *at(b, b->final) = *record;
    at(b, b->final)->arrived = 0;
    return b->final;
}

struct lz_record *lz_backlog_get(const struct lz_backlog *b, uint64_t offset)
{
    return offset > b->first && offset <= b->final ? at(b, offset) : NULL;
}

uint64_t lz_backlog_arrived(struct lz_backlog *b, uint32_t node, uint64_t have, uint64_t offset)
{
    LZ_ASSERT(node < 64);
    struct lz_record *r = lz_backlog_get(b, offset);
    if (r != NULL)
        r->arrived |= 1ull << node;
    for (r = lz_backlog_get(b, have + 1); r != NULL && (r->arrived >> node & 1u) != 0;
         r = lz_backlog_get(b, have + 1))
        have++;
    return have;
}

uint64_t lz_backlog_acked_after(const struct lz_backlog *b, uint64_t offset)
{
    uint64_t count = 0;
    for (uint64_t o = offset > b->first ? offset + 1 : b->first + 1; o <= b->final; o++)
        count += at(b, o)->acked;
    return count;
}
