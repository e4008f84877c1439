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

#define GROUP_BITS 8
#define GROUP_MAX (1u << GROUP_BITS)
#define GROUP_FIRST 4u // of those that are not in the table
#define GROUPS_FIRST 8u

struct lz_row_group {
    uint64_t number; // of all whose keys begin so
    uint32_t count;
    uint32_t cap; // a power of two; 1: `one`, 0: free
    union {
        struct lz_row one;
        struct lz_row *rows;
    };
};

_Static_assert((GROUP_FIRST & (GROUP_FIRST - 1)) == 0 && GROUP_FIRST < GROUP_MAX, "doubled");

void lz_rows_init(struct lz_rows *r, struct lz_arena *arena)
{
    *r = (struct lz_rows){.arena = arena};
}

static struct lz_row_group *group_of(struct lz_row_group *groups, uint32_t cap, uint64_t number)
{
    uint32_t i = (uint32_t)lz_hash_mix(number, 2) & (cap - 1);
    while (groups[i].cap != 0 && groups[i].number != number)
        i = (i + 1) & (cap - 1);
    return &groups[i];
}

static struct lz_row *rows_of(struct lz_row_group *g)
{
    return g->cap == 1 ? &g->one : g->rows;
}

// Its own, or a free one: there always is one (needs_room).
static struct lz_row *place_of(struct lz_row *rows, uint32_t cap, uint64_t key)
{
    uint32_t i = (uint32_t)key & (cap - 1);
    while (rows[i].version != 0 && rows[i].key != key)
        i = (i + 1) & (cap - 1);
    return &rows[i];
}

// NULL: there is none, nor a place for it.
static const struct lz_row *find(const struct lz_rows *r, uint64_t key)
{
    if (r->group_cap == 0)
        return NULL;
    struct lz_row_group *g = group_of(r->groups, r->group_cap, key >> GROUP_BITS);
    if (g->cap <= 1)
        return g->cap == 1 && g->one.key == key ? &g->one : NULL;
    return place_of(g->rows, g->cap, key);
}

static void widen(struct lz_rows *r)
{
    uint32_t cap = r->group_cap > 0 ? 2 * r->group_cap : GROUPS_FIRST;
    struct lz_row_group *groups = lz_arena_alloc(r->arena, cap * sizeof(*groups));
    for (uint32_t i = 0; i < r->group_cap; i++)
        if (r->groups[i].cap != 0)
            *group_of(groups, cap, r->groups[i].number) = r->groups[i];
    lz_arena_free(r->arena, r->groups, r->group_cap * sizeof(*groups));
    r->groups = groups;
    r->group_cap = cap;
    r->latest = NULL;
}

// Would another row leave no place free? One with a place for each of its keys needs none.
static bool needs_room(const struct lz_row_group *g)
{
    return g->cap < GROUP_MAX && 4 * (g->count + 1) > 3 * g->cap;
}

static void grow(struct lz_rows *r, struct lz_row_group *g)
{
    LZ_ASSERT(g->cap > 0 && g->cap < GROUP_MAX);
    uint32_t cap = g->cap > 1 ? 2 * g->cap : GROUP_FIRST;
    struct lz_row *rows = lz_arena_alloc(r->arena, cap * sizeof(*rows));
    const struct lz_row *old = rows_of(g);
    for (uint32_t i = 0; i < g->cap; i++)
        if (old[i].version != 0)
            *place_of(rows, cap, old[i].key) = old[i];
    r->slots += cap;
    if (g->cap > 1) {
        r->slots -= g->cap;
        lz_arena_free(r->arena, g->rows, g->cap * sizeof(*rows));
    }
    g->rows = rows;
    g->cap = cap;
}

// The place of a row in its group, which may be new; the row may be too.
static struct lz_row *make_place(struct lz_rows *r, uint64_t key)
{
    if (4 * (r->group_count + 1) > 3 * r->group_cap)
        widen(r);
    struct lz_row_group *g = group_of(r->groups, r->group_cap, key >> GROUP_BITS);
    if (g->cap == 0) {
        *g = (struct lz_row_group){.number = key >> GROUP_BITS, .cap = 1};
        r->group_count++;
    } else if (g->cap == 1 && g->one.key != key) {
        grow(r, g);
    }
    struct lz_row *row = g->cap == 1 ? &g->one : place_of(g->rows, g->cap, key);
    if (row->version == 0 && g->cap > 1 && needs_room(g)) {
        grow(r, g);
        row = place_of(g->rows, g->cap, key);
    }
    g->count += row->version == 0;
    r->count += row->version == 0;
    r->latest = g;
    LZ_ASSERT(g->count <= g->cap);
    return row;
}

// The same in the group of the last time, if the row is at its own place there, or may be put
// there. NULL: it is not so easy.
static inline struct lz_row *place_near(struct lz_rows *r, uint64_t key)
{
    struct lz_row_group *g = r->latest;
    if (g == NULL || g->number != key >> GROUP_BITS || g->cap <= 1)
        return NULL;
    struct lz_row *row = &g->rows[(uint32_t)key & (g->cap - 1)];
    if (row->version != 0)
        return row->key == key ? row : NULL;
    if (needs_room(g))
        return NULL;
    g->count++;
    r->count++;
    return row;
}

void lz_rows_put(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value)
{
    if (r->past != NULL && lz_mvcc_is_needed(r->past))
        lz_mvcc_replace(r->past, r, key, version);
    struct lz_row *row = place_near(r, key);
    if (row == NULL)
        row = make_place(r, key);
    *row = (struct lz_row){.key = key, .version = version + 1, .value = value};
    LZ_ASSERT(r->group_count < r->group_cap);
}

void lz_rows_fetch(const struct lz_rows *r, uint64_t key)
{
    if (r->group_cap == 0)
        return;
    const struct lz_row_group *g = group_of(r->groups, r->group_cap, key >> GROUP_BITS);
    if (g->cap > 1)
        __builtin_prefetch(&g->rows[(uint32_t)key & (g->cap - 1)], 1);
}

uint64_t lz_rows_get(const struct lz_rows *r, uint64_t key)
{
    const struct lz_row *row = find(r, key);
    return row != NULL && row->version > 0 ? row->version - 1 : 0;
}

uint64_t lz_rows_read(const struct lz_rows *r, uint64_t key, uint64_t *value)
{
    *value = 0;
    const struct lz_row *row = find(r, key);
    if (row == NULL || row->version <= 1)
        return 0;
    *value = row->value;
    return row->version - 1;
}

static void clear(struct lz_rows *r)
{
    for (uint32_t i = 0; i < r->group_cap; i++) {
        struct lz_row_group *g = &r->groups[i];
        if (g->cap > 1)
            lz_arena_free(r->arena, g->rows, g->cap * sizeof(*g->rows));
    }
    lz_arena_free(r->arena, r->groups, r->group_cap * sizeof(*r->groups));
    *r = (struct lz_rows){.arena = r->arena, .past = r->past};
}

void lz_rows_copy(struct lz_rows *r, const struct lz_rows *from)
{
    LZ_ASSERT(r != from);
    if (r->past != NULL)
        lz_mvcc_clear(r->past);
    clear(r);
    r->count = from->count;
    r->slots = from->slots;
    r->group_count = from->group_count;
    r->group_cap = from->group_cap;
    if (from->group_cap == 0)
        return;
    r->groups = lz_arena_alloc(r->arena, from->group_cap * sizeof(*r->groups));
    memcpy(r->groups, from->groups, from->group_cap * sizeof(*r->groups));
    for (uint32_t i = 0; i < r->group_cap; i++) {
        struct lz_row_group *g = &r->groups[i];
        if (g->cap <= 1)
            continue;
        g->rows = lz_arena_alloc(r->arena, g->cap * sizeof(*g->rows));
        memcpy(g->rows, from->groups[i].rows, g->cap * sizeof(*g->rows));
    }
}

void lz_rows_finish(struct lz_rows *r)
{
    clear(r);
    *r = (struct lz_rows){.arena = r->arena};
}

bool lz_rows_next(const struct lz_rows *r, uint64_t *at, uint64_t *key, uint64_t *version)
{
    for (; *at >> GROUP_BITS < r->group_cap; *at = ((*at >> GROUP_BITS) + 1) << GROUP_BITS) {
        struct lz_row_group *g = &r->groups[*at >> GROUP_BITS];
        for (uint64_t i = *at & (GROUP_MAX - 1); i < g->cap; i++) {
            const struct lz_row *row = &rows_of(g)[i];
            if (row->version <= 1)
                continue;
            *key = row->key;
            *version = row->version - 1;
            *at += i - (*at & (GROUP_MAX - 1)) + 1; // may be the next group's first
            return true;
        }
    }
    return false;
}

uint64_t lz_rows_hash(const struct lz_rows *r)
{
    uint64_t sum = 0; // no order: places depend on what came first
    for (uint32_t i = 0; i < r->group_cap; i++) {
        struct lz_row_group *g = &r->groups[i];
        const struct lz_row *rows = rows_of(g);
        for (uint32_t k = 0; k < g->cap; k++)
            if (rows[k].version > 1)
                sum += lz_hash_mix(lz_hash_mix(rows[k].key, rows[k].value), rows[k].version);
    }
    return sum;
}

size_t lz_rows_bytes(const struct lz_rows *r)
{
    return (size_t)r->group_cap * sizeof(*r->groups) + r->slots * sizeof(struct lz_row);
}
