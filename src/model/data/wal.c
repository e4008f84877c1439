#include "model/data/wal.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

void lz_wal_init(struct lz_wal *l, struct lz_arena *arena)
{
    *l = (struct lz_wal){.arena = arena};
}

uint64_t lz_wal_append(struct lz_wal *l, uint64_t key, const uint64_t *value, lz_time at)
{
    uint64_t kept = l->last - l->base;
    LZ_ASSERT(kept < UINT32_MAX);
    l->records = lz_grow(l->arena, l->records, &l->cap, (uint32_t)kept + 1, sizeof(*l->records));
    l->last++;
    l->records[kept] =
        (struct lz_wal_record){.key = key, .value = value != NULL ? *value : l->last, .at = at};
    return l->last;
}

uint64_t lz_wal_arrived(struct lz_wal *l, uint32_t n, uint64_t have, uint64_t first, uint64_t lsn)
{
    LZ_ASSERT(n < 64);
    LZ_ASSERT(first <= lsn);
    if (lz_wal_get(l, lsn) == NULL || lsn <= have)
        return have; // of a timeline that was cut, or sent twice
    uint64_t from = first > have ? first : have + 1, whole = have;
    bool is_next = from == have + 1 && have >= l->base; // nothing is missing before it
    if (from <= l->base)
        from = l->base + 1;
    struct lz_wal_record *r = lz_wal_get(l, from), *end = lz_wal_get(l, lsn) + 1;
    for (uint64_t i = from; r < end; r++, i++) {
        r->arrived |= 1ull << n;
        if (is_next && !r->more)
            whole = i;
    }
    // Those that came before it; or, of a transaction that is not whole, all from its beginning on.
    uint64_t i = is_next ? lsn + 1 : have + 1;
    for (r = lz_wal_get(l, i); r != NULL && (r->arrived >> n & 1) != 0; r = lz_wal_get(l, ++i))
        if (!r->more)
            whole = i;
    return whole;
}

uint64_t lz_wal_cut(struct lz_wal *l, uint64_t lsn)
{
    LZ_ASSERT(lsn >= l->base);
    uint64_t lost = 0;
    while (l->last > lsn) {
        struct lz_wal_record *r = lz_wal_get(l, l->last);
        lost += r->acked;
        lz_image_release(r->image);
        l->last--;
    }
    return lost;
}

uint64_t lz_wal_fork(struct lz_wal *l, uint64_t lsn, struct lz_wal *branch)
{
    LZ_ASSERT(branch->last == 0 && branch->records == NULL);
    LZ_ASSERT(lsn >= l->base);
    uint64_t acked = 0, count = l->last - lsn;
    branch->base = branch->last = lsn;
    for (uint64_t i = lsn + 1; i <= l->last; i++)
        acked += lz_wal_get(l, i)->acked;
    if (count > 0) {
        branch->records =
            lz_grow(branch->arena, NULL, &branch->cap, (uint32_t)count, sizeof(*branch->records));
        memcpy(branch->records, lz_wal_get(l, lsn + 1), count * sizeof(*branch->records));
    }
    branch->last = l->last;
    l->last = lsn; // images are the branch's now
    return acked;
}

void lz_wal_finish(struct lz_wal *l)
{
    lz_wal_cut(l, l->base);
    lz_arena_free(l->arena, l->records, l->cap * sizeof(*l->records));
    *l = (struct lz_wal){.arena = l->arena};
}

void lz_wal_drop(struct lz_wal *l, uint64_t lsn)
{
    LZ_ASSERT(lsn <= l->last);
    uint64_t kept = l->last - l->base;
    // Moving costs what is kept: only when most of it can go.
    if (!lz_wal_may_drop(l, lsn) || 2 * (lsn - l->base) < kept)
        return;
    for (uint64_t i = 0; i < lsn - l->base; i++)
        lz_image_release(l->records[i].image);
    memmove(l->records, &l->records[lsn - l->base], (l->last - lsn) * sizeof(*l->records));
    l->base = lsn;
}
