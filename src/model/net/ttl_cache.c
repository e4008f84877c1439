#include "model/net/ttl_cache.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"

struct entry {
    uint64_t key;
    lz_time since;         // put, or last found
    uint32_t newer, older; // by use; 0 ends
    uint32_t next;         // in its bucket; 0 ends
};

struct lz_ttl_cache {
    struct lz_arena *arena;
    uint32_t max;
    lz_time ttl;
    bool is_sliding;
    struct entry *entries; // 1 .. count; grows up to max
    uint32_t count, cap;
    uint32_t newest, oldest;
    uint32_t *buckets; // a power of two of them
    uint32_t bucket_count;
};

struct lz_ttl_cache *lz_ttl_cache_create(struct lz_arena *arena, uint32_t entries, lz_time ttl,
                                         bool is_sliding)
{
    LZ_ASSERT(entries >= 1 && entries <= LZ_TTL_CACHE_ENTRIES_MAX);
    LZ_ASSERT(ttl >= 0);
    struct lz_ttl_cache *c = lz_arena_alloc(arena, sizeof(*c));
    c->arena = arena;
    c->max = entries;
    c->ttl = ttl;
    c->is_sliding = is_sliding;
    c->bucket_count = 16;
    c->buckets = lz_arena_alloc(arena, c->bucket_count * sizeof(*c->buckets));
    return c;
}

static uint32_t *bucket_of(const struct lz_ttl_cache *c, uint64_t key)
{
    return &c->buckets[lz_hash_mix(key, 1) & (c->bucket_count - 1)];
}

static uint32_t find(const struct lz_ttl_cache *c, uint64_t key)
{
    uint32_t i = *bucket_of(c, key);
    while (i != 0 && c->entries[i].key != key)
        i = c->entries[i].next;
    return i;
}

static void unlink_use(struct lz_ttl_cache *c, uint32_t i)
{
    const struct entry *e = &c->entries[i];
    if (e->newer != 0)
        c->entries[e->newer].older = e->older;
    else
        c->newest = e->older;
    if (e->older != 0)
        c->entries[e->older].newer = e->newer;
    else
        c->oldest = e->newer;
}

static void link_newest(struct lz_ttl_cache *c, uint32_t i)
{
    c->entries[i].newer = 0;
    c->entries[i].older = c->newest;
    if (c->newest != 0)
        c->entries[c->newest].newer = i;
    else
        c->oldest = i;
    c->newest = i;
}

static void unlink_bucket(struct lz_ttl_cache *c, uint32_t i)
{
    uint32_t *at = bucket_of(c, c->entries[i].key);
    while (*at != i)
        at = &c->entries[*at].next;
    *at = c->entries[i].next;
}

static void link_bucket(struct lz_ttl_cache *c, uint32_t i)
{
    uint32_t *at = bucket_of(c, c->entries[i].key);
    c->entries[i].next = *at;
    *at = i;
}

static void widen(struct lz_ttl_cache *c)
{
    lz_arena_free(c->arena, c->buckets, c->bucket_count * sizeof(*c->buckets));
    c->bucket_count *= 2;
    c->buckets = lz_arena_alloc(c->arena, c->bucket_count * sizeof(*c->buckets));
    for (uint32_t i = 1; i <= c->count; i++)
        link_bucket(c, i);
}

bool lz_ttl_cache_get(struct lz_ttl_cache *c, uint64_t key, lz_time now)
{
    uint32_t i = find(c, key);
    if (i == 0 || (c->ttl > 0 && now - c->entries[i].since >= c->ttl))
        return false;
    if (c->is_sliding)
        c->entries[i].since = now;
    unlink_use(c, i);
    link_newest(c, i);
    return true;
}

// A place for one more: a new one, or that of the least recently used.
static uint32_t place(struct lz_ttl_cache *c)
{
    if (c->count == c->max) {
        uint32_t i = c->oldest;
        unlink_use(c, i);
        unlink_bucket(c, i);
        return i;
    }
    c->entries = lz_grow(c->arena, c->entries, &c->cap, c->count + 2, sizeof(*c->entries));
    c->count++;
    if (c->count > c->bucket_count) {
        c->count--; // the new one is linked by the caller
        widen(c);
        c->count++;
    }
    return c->count;
}

void lz_ttl_cache_put(struct lz_ttl_cache *c, uint64_t key, lz_time now)
{
    uint32_t i = find(c, key);
    if (i == 0) {
        i = place(c);
        c->entries[i] = (struct entry){.key = key};
        link_bucket(c, i);
    } else {
        unlink_use(c, i);
    }
    c->entries[i].since = now;
    link_newest(c, i);
    LZ_ASSERT(c->count <= c->max);
}

void lz_ttl_cache_clear(struct lz_ttl_cache *c)
{
    c->count = c->newest = c->oldest = 0;
    for (uint32_t i = 0; i < c->bucket_count; i++)
        c->buckets[i] = 0;
}

uint32_t lz_ttl_cache_count(const struct lz_ttl_cache *c)
{
    return c->count;
}
