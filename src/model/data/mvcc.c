#include "model/data/mvcc.h"

#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

struct version {
    struct lz_pool_head head;
    uint64_t key, version, value;
    uint64_t replaced; // by the version of that LSN
    uint32_t older;    // of the same row
    uint32_t later;    // replaced next, of all
};

#define CAP_FIRST 64u

void lz_mvcc_init(struct lz_mvcc *m, struct lz_arena *arena)
{
    *m = (struct lz_mvcc){0};
    lz_pool_init(&m->versions, arena, sizeof(struct version));
}

static struct version *version_at(const struct lz_mvcc *m, uint32_t i)
{
    return lz_pool_at(&m->versions, i);
}

static uint32_t home_of(const struct lz_mvcc *m, uint64_t key)
{
    return (uint32_t)lz_hash_mix(key, 4) & (m->cap - 1);
}

static uint32_t place_of(const struct lz_mvcc *m, uint64_t key)
{
    uint32_t i = home_of(m, key);
    while (m->table[i] != 0 && version_at(m, m->table[i])->key != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static void widen(struct lz_mvcc *m)
{
    uint32_t old_cap = m->cap, *old = m->table;
    m->cap = old_cap > 0 ? 2 * old_cap : CAP_FIRST;
    m->table = lz_arena_alloc(m->versions.arena, m->cap * sizeof(*m->table));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i] != 0)
            m->table[place_of(m, version_at(m, old[i])->key)] = old[i];
    lz_arena_free(m->versions.arena, old, old_cap * sizeof(*old));
}

// Those behind move up, so that no gap hides them (Knuth, TAOCP 3, 6.4, algorithm R).
static void close_gap(struct lz_mvcc *m, uint32_t gap)
{
    for (uint32_t i = (gap + 1) & (m->cap - 1); m->table[i] != 0; i = (i + 1) & (m->cap - 1)) {
        uint32_t home = home_of(m, version_at(m, m->table[i])->key);
        if (((i - home) & (m->cap - 1)) < ((i - gap) & (m->cap - 1)))
            continue;
        m->table[gap] = m->table[i];
        gap = i;
    }
    m->table[gap] = 0;
    m->count--;
}

// The one that was replaced first of all is the oldest of its row.
static void forget_first(struct lz_mvcc *m)
{
    struct version *v = version_at(m, m->first);
    uint32_t place = place_of(m, v->key), at = m->table[place];
    if (at == v->head.index) {
        close_gap(m, place);
    } else {
        while (version_at(m, at)->older != v->head.index)
            at = version_at(m, at)->older;
        version_at(m, at)->older = 0;
    }
    m->first = v->later;
    if (m->first == 0)
        m->last = 0;
    m->kept--;
    m->dead -= v->version != 0;
    lz_pool_give(&m->versions, v);
}

void lz_mvcc_hold(struct lz_mvcc *m, uint64_t snapshot)
{
    m->snapshots = lz_grow(m->versions.arena, m->snapshots, &m->snapshot_cap, m->snapshot_count + 1,
                           sizeof(*m->snapshots));
    uint32_t i = m->snapshot_count++;
    for (; i > 0 && m->snapshots[i - 1] > snapshot; i--)
        m->snapshots[i] = m->snapshots[i - 1];
    m->snapshots[i] = snapshot;
}

void lz_mvcc_let_go(struct lz_mvcc *m, uint64_t snapshot)
{
    uint32_t i = 0;
    while (i < m->snapshot_count && m->snapshots[i] != snapshot)
        i++;
    LZ_ASSERT(i < m->snapshot_count);
    m->snapshot_count--;
    memmove(&m->snapshots[i], &m->snapshots[i + 1],
            (m->snapshot_count - i) * sizeof(*m->snapshots));
    while (m->first != 0 &&
           (m->snapshot_count == 0 || version_at(m, m->first)->replaced <= m->snapshots[0]))
        forget_first(m);
}

void lz_mvcc_replace(struct lz_mvcc *m, const struct lz_rows *rows, uint64_t key, uint64_t lsn)
{
    if (m->snapshot_count == 0)
        return;
    if (4 * (m->count + 1) > 3 * m->cap)
        widen(m);
    struct version *v = lz_pool_take_sized(&m->versions, sizeof(*v));
    v->key = key;
    v->version = lz_rows_read(rows, key, &v->value);
    v->replaced = lsn;
    LZ_ASSERT(v->version < lsn);
    uint32_t place = place_of(m, key);
    v->older = m->table[place];
    m->count += v->older == 0;
    m->table[place] = v->head.index;
    if (m->last != 0)
        version_at(m, m->last)->later = v->head.index;
    else
        m->first = v->head.index;
    m->last = v->head.index;
    m->kept++;
    m->dead += v->version != 0;
}

uint64_t lz_mvcc_read(const struct lz_mvcc *m, const struct lz_rows *rows, uint64_t snapshot,
                      uint64_t key, uint64_t *value)
{
    uint64_t version = lz_rows_read(rows, key, value);
    if (version <= snapshot || m->cap == 0)
        return version;
    for (uint32_t i = m->table[place_of(m, key)]; i != 0; i = version_at(m, i)->older) {
        const struct version *v = version_at(m, i);
        version = v->version;
        *value = v->value;
        if (version <= snapshot)
            return version;
    }
    return version;
}

void lz_mvcc_clear(struct lz_mvcc *m)
{
    while (m->first != 0)
        forget_first(m);
    LZ_ASSERT(m->kept == 0);
}

size_t lz_mvcc_bytes(const struct lz_mvcc *m)
{
    return lz_pool_bytes(&m->versions) + (size_t)m->cap * sizeof(*m->table) +
           (size_t)m->snapshot_cap * sizeof(*m->snapshots);
}
