#include "model/data/rows.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/data/mvcc.h"

struct lz_row {
    uint64_t key;
    uint64_t version; // plus one; 0: free
    uint64_t value;
};

#define CAP_FIRST 64u

void lz_rows_init(struct lz_rows *r, struct lz_arena *arena)
{
    *r = (struct lz_rows){.arena = arena};
}

static struct lz_row *place_of(struct lz_row *rows, uint32_t cap, uint64_t key)
{
    uint32_t i = (uint32_t)lz_hash_mix(key, 2) & (cap - 1);
    while (rows[i].version != 0 && rows[i].key != key)
        i = (i + 1) & (cap - 1);
    return &rows[i];
}

static void widen(struct lz_rows *r)
{
    uint32_t cap = r->cap > 0 ? 2 * r->cap : CAP_FIRST;
    struct lz_row *rows = lz_arena_alloc(r->arena, cap * sizeof(*rows));
    for (uint32_t i = 0; i < r->cap; i++)
        if (r->rows[i].version != 0)
            *place_of(rows, cap, r->rows[i].key) = r->rows[i];
    lz_arena_free(r->arena, r->rows, r->cap * sizeof(*rows));
    r->rows = rows;
    r->cap = cap;
}

void lz_rows_put(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value)
{
    if (r->past != NULL && lz_mvcc_is_needed(r->past))
        lz_mvcc_replace(r->past, r, key, version);
    if (4 * (r->count + 1) > 3 * r->cap)
        widen(r);
    struct lz_row *row = place_of(r->rows, r->cap, key);
    if (row->version == 0)
        r->count++;
    *row = (struct lz_row){.key = key, .version = version + 1, .value = value};
    LZ_ASSERT(r->count < r->cap);
}

uint64_t lz_rows_get(const struct lz_rows *r, uint64_t key)
{
    if (r->cap == 0)
        return 0;
    uint64_t version = place_of(r->rows, r->cap, key)->version;
    return version > 0 ? version - 1 : 0;
}

uint64_t lz_rows_read(const struct lz_rows *r, uint64_t key, uint64_t *value)
{
    *value = 0;
    if (r->cap == 0)
        return 0;
    const struct lz_row *row = place_of(r->rows, r->cap, key);
    if (row->version <= 1)
        return 0;
    *value = row->value;
    return row->version - 1;
}

void lz_rows_copy(struct lz_rows *r, const struct lz_rows *from)
{
    LZ_ASSERT(r != from);
    if (r->past != NULL)
        lz_mvcc_clear(r->past);
    lz_arena_free(r->arena, r->rows, r->cap * sizeof(*r->rows));
    r->rows = NULL;
    r->count = from->count;
    r->cap = from->cap;
    if (from->cap == 0)
        return;
    r->rows = lz_arena_alloc(r->arena, from->cap * sizeof(*r->rows));
    memcpy(r->rows, from->rows, from->cap * sizeof(*r->rows));
}

void lz_rows_finish(struct lz_rows *r)
{
    lz_arena_free(r->arena, r->rows, r->cap * sizeof(*r->rows));
    *r = (struct lz_rows){.arena = r->arena};
}

uint64_t lz_rows_hash(const struct lz_rows *r)
{
    uint64_t sum = 0; // no order: places depend on what came first
    for (uint32_t i = 0; i < r->cap; i++)
        if (r->rows[i].version > 1)
            sum += lz_hash_mix(lz_hash_mix(r->rows[i].key, r->rows[i].value), r->rows[i].version);
    return sum;
}

bool lz_rows_next(const struct lz_rows *r, uint32_t *at, uint64_t *key, uint64_t *version)
{
    while (*at < r->cap) {
        const struct lz_row *row = &r->rows[(*at)++];
        if (row->version <= 1)
            continue;
        *key = row->key;
        *version = row->version - 1;
        return true;
    }
    return false;
}

size_t lz_rows_bytes(const struct lz_rows *r)
{
    return (size_t)r->cap * sizeof(*r->rows);
}
