#include "model/data/rows.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/data/mvcc.h"
#include "model/value.h"

struct lz_row {
    uint64_t key;
    uint64_t version; // plus one; 0: free
    uint64_t value;
};

#define GROUP_BITS 8
#define GROUP_MAX (1u << GROUP_BITS)
#define GROUP_FIRST 4u // of those that are not in the table
#define GROUPS_FIRST 8u
#define LEAN_FROM 64u // of so many places a group becomes lean, if it can

struct lz_row_group {
    uint64_t number; // of all whose keys begin so
    uint16_t count;
    uint16_t cap; // a power of two; 1: `one`, 0: free
    bool is_lean; // `versions`, plus one, of all its keys: 0 is free
    union {
        struct lz_row one;
        struct lz_row *rows;
        uint64_t *versions;
    };
};

_Static_assert((GROUP_FIRST & (GROUP_FIRST - 1)) == 0 && GROUP_FIRST < GROUP_MAX, "doubled");
_Static_assert(sizeof(uint64_t) * GROUP_MAX < 2 * LEAN_FROM * sizeof(struct lz_row), "less room");

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

// Its own, or a free one: there always is one (needs_room).
static inline struct lz_row *place_of(struct lz_row *rows, uint32_t cap, uint64_t key)
{
    uint32_t i = (uint32_t)key & (cap - 1);
    while (rows[i].version != 0 && rows[i].key != key)
        i = (i + 1) & (cap - 1);
    return &rows[i];
}

// Of a row that was written without one: see lz_database_write. The version is plus one.
static inline uint64_t value_of(uint64_t version)
{
    return lz_value_integer((int64_t)(version - 1));
}

// Place `i` of a group; its version is 0 if it is free.
static struct lz_row row_at(const struct lz_row_group *g, uint32_t i)
{
    if (!g->is_lean)
        return g->cap == 1 ? g->one : g->rows[i];
    uint64_t version = g->versions[i];
    return (struct lz_row){.key = g->number << GROUP_BITS | i,
                           .version = version,
                           .value = version > 1 ? value_of(version) : 0};
}

// Its version is 0 if there is none.
static struct lz_row find(const struct lz_rows *r, uint64_t key)
{
    struct lz_row none = {0};
    if (r->group_cap == 0)
        return none;
    const struct lz_row_group *g = group_of(r->groups, r->group_cap, key >> GROUP_BITS);
    if (g->is_lean)
        return row_at(g, (uint32_t)key & (GROUP_MAX - 1));
    if (g->cap <= 1)
        return g->cap == 1 && g->one.key == key ? g->one : none;
    return *place_of(g->rows, g->cap, key);
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

// Of keys that begin so: it may be new, and is the latest from now on.
static struct lz_row_group *make_group(struct lz_rows *r, uint64_t number)
{
    if (4 * (r->group_count + 1) > 3 * r->group_cap)
        widen(r);
    struct lz_row_group *g = group_of(r->groups, r->group_cap, number);
    if (g->cap == 0) {
        *g = (struct lz_row_group){.number = number, .cap = 1};
        r->group_count++;
    }
    LZ_ASSERT(r->group_count < r->group_cap);
    r->latest = g;
    return g;
}

// Bytes outside of the table.
static size_t bytes_of(const struct lz_row_group *g)
{
    if (g->is_lean)
        return GROUP_MAX * sizeof(*g->versions);
    return g->cap > 1 ? g->cap * sizeof(*g->rows) : 0;
}

// What a group of another shape has in its place: as much as `to` says that it is.
static void exchange(struct lz_rows *r, struct lz_row_group *g, struct lz_row_group to)
{
    size_t bytes = bytes_of(g), more = bytes_of(&to);
    void *old = bytes > 0 ? (void *)g->rows : NULL;
    lz_arena_free(r->arena, old, bytes);
    r->bytes = r->bytes - bytes + more;
    *g = to;
}

// Its version says its value too, or there is no such row.
static inline bool is_plain(const struct lz_row *row)
{
    return row->version <= 1 || row->value == value_of(row->version);
}

static bool can_be_lean(const struct lz_row_group *g)
{
    bool all = true;
    for (uint32_t i = 0; i < g->cap; i++)
        all = all && (g->rows[i].version == 0 || is_plain(&g->rows[i]));
    return all;
}

// There was no room for a row, or it would be the first that has a value of its own.
static void grow(struct lz_rows *r, struct lz_row_group *g, const struct lz_row *row)
{
    struct lz_row_group to = *g;
    LZ_ASSERT(g->is_lean || g->cap < GROUP_MAX);
    to.is_lean = !g->is_lean && g->cap >= LEAN_FROM && is_plain(row) && can_be_lean(g);
    uint32_t cap = g->cap > 1 ? 2u * g->cap : GROUP_FIRST;
    to.cap = (uint16_t)(g->is_lean || to.is_lean ? GROUP_MAX : cap);
    to.rows = lz_arena_alloc(r->arena, bytes_of(&to));
    for (uint32_t i = 0; i < g->cap; i++) {
        struct lz_row old = row_at(g, i);
        if (old.version != 0 && to.is_lean)
            to.versions[(uint32_t)old.key & (GROUP_MAX - 1)] = old.version;
        else if (old.version != 0)
            *place_of(to.rows, to.cap, old.key) = old;
    }
    exchange(r, g, to);
}

// One with a place for each of its keys needs no more.
static inline bool needs_room(const struct lz_row_group *g)
{
    return g->cap < GROUP_MAX && 4 * (g->count + 1u) > 3u * g->cap;
}

// False: the group must be another first.
static inline bool put_into(struct lz_rows *r, struct lz_row_group *g, const struct lz_row *row)
{
    bool is_new;
    if (g->is_lean) {
        if (!is_plain(row))
            return false;
        uint64_t *version = &g->versions[(uint32_t)row->key & (GROUP_MAX - 1)];
        is_new = *version == 0;
        *version = row->version;
    } else {
        struct lz_row *at = g->cap > 1 ? place_of(g->rows, g->cap, row->key) : &g->one;
        is_new = at->version == 0;
        if (is_new ? g->cap > 1 && needs_room(g) : at->key != row->key)
            return false;
        *at = *row;
    }
    g->count = (uint16_t)(g->count + is_new);
    r->count += is_new;
    LZ_ASSERT(g->count <= g->cap);
    return true;
}

// The usual: a group of versions alone, the latest, and a row that is no more than one.
static inline bool put_version(struct lz_rows *r, const struct lz_row *row)
{
    struct lz_row_group *g = r->latest;
    if (g == NULL || !g->is_lean || g->number != row->key >> GROUP_BITS || !is_plain(row))
        return false;
    uint64_t *version = &g->versions[(uint32_t)row->key & (GROUP_MAX - 1)];
    bool is_new = *version == 0;
    *version = row->version;
    g->count = (uint16_t)(g->count + is_new);
    r->count += is_new;
    return true;
}

void lz_rows_put(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value)
{
    if (r->past != NULL && lz_mvcc_is_needed(r->past))
        lz_mvcc_replace(r->past, r, key, version);
    const struct lz_row row = {.key = key, .version = version + 1, .value = value};
    if (put_version(r, &row))
        return;
    struct lz_row_group *g = r->latest;
    if (g == NULL || g->number != key >> GROUP_BITS)
        g = make_group(r, key >> GROUP_BITS);
    while (!put_into(r, g, &row))
        grow(r, g, &row);
}

void lz_rows_put_back(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value)
{
    struct lz_mvcc *past = r->past;
    LZ_ASSERT(version <= lz_rows_get(r, key));
    r->past = NULL;
    lz_rows_put(r, key, version, value);
    r->past = past;
}

void lz_rows_fetch(const struct lz_rows *r, uint64_t key)
{
    if (r->group_cap == 0)
        return;
    const struct lz_row_group *g = group_of(r->groups, r->group_cap, key >> GROUP_BITS);
    if (g->is_lean)
        __builtin_prefetch(&g->versions[(uint32_t)key & (GROUP_MAX - 1)], 1);
    else if (g->cap > 1)
        __builtin_prefetch(&g->rows[(uint32_t)key & (g->cap - 1u)], 1);
}

uint64_t lz_rows_get(const struct lz_rows *r, uint64_t key)
{
    uint64_t version = find(r, key).version;
    return version > 0 ? version - 1 : 0;
}

uint64_t lz_rows_read(const struct lz_rows *r, uint64_t key, uint64_t *value)
{
    struct lz_row row = find(r, key);
    *value = row.version > 1 ? row.value : 0;
    return row.version > 1 ? row.version - 1 : 0;
}

static void clear(struct lz_rows *r)
{
    for (uint32_t i = 0; i < r->group_cap; i++) {
        struct lz_row_group *g = &r->groups[i];
        if (bytes_of(g) > 0)
            lz_arena_free(r->arena, g->rows, bytes_of(g));
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
    r->bytes = from->bytes;
    r->group_count = from->group_count;
    r->group_cap = from->group_cap;
    if (from->group_cap == 0)
        return;
    r->groups = lz_arena_alloc(r->arena, from->group_cap * sizeof(*r->groups));
    memcpy(r->groups, from->groups, from->group_cap * sizeof(*r->groups));
    for (uint32_t i = 0; i < r->group_cap; i++) {
        struct lz_row_group *g = &r->groups[i];
        size_t bytes = bytes_of(g);
        if (bytes == 0)
            continue;
        g->rows = lz_arena_alloc(r->arena, bytes);
        memcpy(g->rows, from->groups[i].rows, bytes);
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
            struct lz_row row = row_at(g, (uint32_t)i);
            if (row.version <= 1)
                continue;
            *key = row.key;
            *version = row.version - 1;
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
        for (uint32_t k = 0; k < r->groups[i].cap; k++) {
            struct lz_row row = row_at(&r->groups[i], k);
            if (row.version > 1)
                sum += lz_hash_mix(lz_hash_mix(row.key, row.value), row.version);
        }
    }
    return sum;
}

size_t lz_rows_bytes(const struct lz_rows *r)
{
    return (size_t)r->group_cap * sizeof(*r->groups) + r->bytes;
}
