#include "model/cache/keyspace.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "model/cache/lfu.h"
#include "model/cache/pool.h"
#include "model/cache/slot_lists.h"

#define CYCLE_DRAWS 20u // ACTIVE_EXPIRE_CYCLE_KEYS_PER_LOOP
#define CYCLE_LOOPS 16u // a cycle stops at some time
#define MEMORIES 64u    // absent keys that exact LFU remembers, for each entry

struct lz_keyspace {
    struct lz_keyspace_opts opts;
    struct lz_slot_lists *slots; // NULL: entries have none
    lz_keyspace_gone_fn *gone;
    void *gone_ctx;
    lz_keyspace_change_fn *change;
    void *change_ctx;
    struct lz_entry *entries; // 1 .. used; grows
    uint32_t used, cap, free;
    uint32_t *there; // numbers of those that are there, 0 .. count - 1; of LFU a heap
    uint32_t count, there_cap;
    uint32_t *buckets; // a power of two of them
    uint32_t bucket_count, linked;
    uint32_t newest, oldest; // LRU, FIFO: of those there; LFU: of the memories
    uint32_t memories;
    uint32_t *mortals; // numbers of those that run out, 0 .. mortal - 1
    uint32_t mortal, mortal_cap;
    uint64_t bytes;
    uint64_t uses;      // numbers them
    uint64_t evictions; // counts draws
    struct lz_pool pool;
};

// Redis' own LFU.
static bool counts_logs(const struct lz_keyspace *k)
{
    return k->opts.eviction == LZ_EVICTION_LFU && k->opts.samples > 0;
}

static bool is_exact_lfu(const struct lz_keyspace *k)
{
    return k->opts.eviction == LZ_EVICTION_LFU && k->opts.samples == 0;
}

static bool is_listed(const struct lz_keyspace *k)
{
    return k->opts.eviction == LZ_EVICTION_FIFO ||
           (k->opts.eviction == LZ_EVICTION_LRU && k->opts.samples == 0);
}

static uint32_t *bucket_of(const struct lz_keyspace *k, uint64_t key)
{
    return &k->buckets[lz_hash_mix(key, 3) & (k->bucket_count - 1)];
}

// Whether it is there or a memory; 0: neither.
static uint32_t find(const struct lz_keyspace *k, uint64_t key)
{
    uint32_t i = *bucket_of(k, key);
    while (i != 0 && k->entries[i].key != key)
        i = k->entries[i].next;
    return i;
}

static uint32_t find_there(const struct lz_keyspace *k, uint64_t key)
{
    uint32_t i = find(k, key);
    return i != 0 && k->entries[i].place != 0 ? i : 0;
}

static void link_bucket(struct lz_keyspace *k, uint32_t i)
{
    uint32_t *at = bucket_of(k, k->entries[i].key);
    k->entries[i].next = *at;
    *at = i;
}

static void widen(struct lz_keyspace *k)
{
    uint32_t *old = k->buckets, old_count = k->bucket_count;
    k->bucket_count *= 2;
    k->buckets = lz_arena_alloc(k->opts.arena, k->bucket_count * sizeof(*k->buckets));
    for (uint32_t b = 0; b < old_count; b++)
        for (uint32_t i = old[b], next; i != 0; i = next) {
            next = k->entries[i].next;
            link_bucket(k, i);
        }
    lz_arena_free(k->opts.arena, old, old_count * sizeof(*old));
}

static uint32_t take(struct lz_keyspace *k, uint64_t key)
{
    uint32_t i = k->free;
    if (i != 0) {
        k->free = k->entries[i].next;
    } else {
        i = ++k->used;
        k->entries = lz_grow(k->opts.arena, k->entries, &k->cap, i + 1, sizeof(*k->entries));
    }
    k->entries[i] = (struct lz_entry){.key = key};
    if (++k->linked > k->bucket_count)
        widen(k);
    link_bucket(k, i);
    return i;
}

static void give(struct lz_keyspace *k, uint32_t i)
{
    uint32_t *at = bucket_of(k, k->entries[i].key);
    while (*at != i)
        at = &k->entries[*at].next;
    *at = k->entries[i].next;
    k->linked--;
    k->entries[i].next = k->free;
    k->free = i;
}

static void link_newest(struct lz_keyspace *k, uint32_t i)
{
    k->entries[i].newer = 0;
    k->entries[i].older = k->newest;
    if (k->newest != 0)
        k->entries[k->newest].newer = i;
    else
        k->oldest = i;
    k->newest = i;
}

static void unlink_use(struct lz_keyspace *k, uint32_t i)
{
    const struct lz_entry *e = &k->entries[i];
    if (e->newer != 0)
        k->entries[e->newer].older = e->older;
    else
        k->newest = e->older;
    if (e->older != 0)
        k->entries[e->older].newer = e->newer;
    else
        k->oldest = e->newer;
}

// The heap of exact LFU: the least used above, among equals the oldest use. The dense list is the
// heap; an entry's place says where in it, plus one.
static bool is_above(const struct lz_keyspace *k, uint32_t a, uint32_t b)
{
    const struct lz_entry *x = &k->entries[a], *y = &k->entries[b];
    return x->used != y->used ? x->used < y->used : x->version < y->version;
}

static void set_there(struct lz_keyspace *k, uint32_t at, uint32_t i)
{
    k->there[at] = i;
    k->entries[i].place = at + 1;
}

static void sift_up(struct lz_keyspace *k, uint32_t at)
{
    uint32_t i = k->there[at];
    while (at > 0 && is_above(k, i, k->there[(at - 1) / 2])) {
        set_there(k, at, k->there[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set_there(k, at, i);
}

static void sift_down(struct lz_keyspace *k, uint32_t at)
{
    uint32_t i = k->there[at];
    for (uint32_t child = 2 * at + 1; child < k->count; child = 2 * at + 1) {
        if (child + 1 < k->count && is_above(k, k->there[child + 1], k->there[child]))
            child++;
        if (!is_above(k, k->there[child], i))
            break;
        set_there(k, at, k->there[child]);
        at = child;
    }
    set_there(k, at, i);
}

static uint32_t slot_of(const struct lz_keyspace *k, uint32_t i)
{
    return k->opts.slot_of(k->opts.slot_ctx, k->entries[i].key);
}

static void add_there(struct lz_keyspace *k, uint32_t i)
{
    if (k->slots != NULL)
        lz_slot_lists_add(k->slots, slot_of(k, i), i);
    k->there = lz_grow(k->opts.arena, k->there, &k->there_cap, k->count + 1, sizeof(*k->there));
    set_there(k, k->count++, i);
    if (is_exact_lfu(k))
        sift_up(k, k->count - 1);
}

static void drop_there(struct lz_keyspace *k, uint32_t i)
{
    uint32_t at = k->entries[i].place - 1;
    LZ_ASSERT(at < k->count && k->there[at] == i);
    if (k->slots != NULL)
        lz_slot_lists_drop(k->slots, slot_of(k, i), i);
    uint32_t moved = k->there[--k->count];
    k->entries[i].place = 0;
    if (moved == i)
        return;
    set_there(k, at, moved);
    if (is_exact_lfu(k)) {
        sift_up(k, at);
        sift_down(k, k->entries[moved].place - 1);
    }
}

// One that was there and is remembered by exact LFU; the oldest memory goes when there are many.
static void remember(struct lz_keyspace *k, uint32_t i)
{
    link_newest(k, i);
    if (++k->memories <= MEMORIES * (uint64_t)k->opts.entries)
        return;
    uint32_t oldest = k->oldest;
    unlink_use(k, oldest);
    k->memories--;
    give(k, oldest);
}

// From now on it runs out at `expires`.
static void set_expires(struct lz_keyspace *k, uint32_t i, lz_time expires)
{
    struct lz_entry *e = &k->entries[i];
    if (e->expires != 0 && expires == 0) {
        uint32_t last = k->mortals[--k->mortal];
        k->mortals[e->mortal] = last;
        k->entries[last].mortal = e->mortal;
    } else if (e->expires == 0 && expires != 0) {
        k->mortals =
            lz_grow(k->opts.arena, k->mortals, &k->mortal_cap, k->mortal + 1, sizeof(*k->mortals));
        e->mortal = k->mortal++;
        k->mortals[e->mortal] = i;
    }
    e->expires = expires;
}

static void leave(struct lz_keyspace *k, uint32_t i, bool is_evicted)
{
    struct lz_entry *e = &k->entries[i];
    if (k->change != NULL)
        k->change(k->change_ctx, e->key, e);
    if (k->gone != NULL)
        k->gone(k->gone_ctx, e, is_evicted);
    if (is_listed(k))
        unlink_use(k, i);
    drop_there(k, i);
    set_expires(k, i, 0);
    k->bytes -= e->size;
    e->size = e->version = 0;
    if (is_exact_lfu(k))
        remember(k, i);
    else
        give(k, i);
}

static bool has_run_out(const struct lz_entry *e, lz_time now)
{
    return e->expires != 0 && now >= e->expires;
}

// Redis' counter: the higher, the less likely a use raises it.
static void count_use(struct lz_keyspace *k, struct lz_entry *e, lz_time now)
{
    e->used = lz_lfu_decay(e->used, e->decayed, now);
    e->decayed = lz_lfu_minute(now);
    struct lz_draw draw =
        lz_draw_begin(k->opts.run_key, k->opts.owner, LZ_PURPOSE_COUNTER, k->uses);
    if (lz_draw_unit(&draw) < lz_lfu_chance(e->used))
        e->used++;
}

static void use(struct lz_keyspace *k, uint32_t i, lz_time now)
{
    struct lz_entry *e = &k->entries[i];
    k->uses++;
    switch (k->opts.eviction) {
    case LZ_EVICTION_LRU:
        e->used = k->uses;
        if (k->opts.samples == 0 && k->newest != i) {
            unlink_use(k, i);
            link_newest(k, i);
        }
        return;
    case LZ_EVICTION_LFU:
        if (k->opts.samples > 0) {
            count_use(k, e, now);
            return;
        }
        e->used++;
        sift_down(k, e->place - 1);
        return;
    case LZ_EVICTION_FIFO:
    case LZ_EVICTION_RANDOM:
    case LZ_EVICTION_TTL:
    case LZ_EVICTION_NONE:
        return;
    }
}

struct lz_keyspace *lz_keyspace_create(const struct lz_keyspace_opts *opts)
{
    LZ_ASSERT(opts->entries >= 1 && opts->entries <= LZ_KEYSPACE_ENTRIES_MAX);
    LZ_ASSERT(LZ_IMPLIES(opts->eviction == LZ_EVICTION_TTL, opts->only_mortal));
    LZ_ASSERT(
        LZ_IMPLIES(opts->only_mortal, opts->samples > 0 || opts->eviction == LZ_EVICTION_RANDOM));
    struct lz_keyspace *k = lz_arena_alloc(opts->arena, sizeof(*k));
    k->opts = *opts;
    k->bucket_count = 16;
    k->buckets = lz_arena_alloc(opts->arena, k->bucket_count * sizeof(*k->buckets));
    if (opts->slot_of != NULL)
        k->slots = lz_slot_lists_create(opts->arena);
    return k;
}

void lz_keyspace_on_gone(struct lz_keyspace *k, lz_keyspace_gone_fn *fn, void *ctx)
{
    k->gone = fn;
    k->gone_ctx = ctx;
}

void lz_keyspace_on_change(struct lz_keyspace *k, lz_keyspace_change_fn *fn, void *ctx)
{
    k->change = fn;
    k->change_ctx = ctx;
}

const struct lz_keyspace_opts *lz_keyspace_options(const struct lz_keyspace *k)
{
    return &k->opts;
}

struct lz_entry *lz_keyspace_get(struct lz_keyspace *k, uint64_t key, lz_time now)
{
    uint32_t i = find_there(k, key);
    if (i == 0)
        return NULL;
    if (has_run_out(&k->entries[i], now)) {
        leave(k, i, false);
        return NULL;
    }
    use(k, i, now);
    return &k->entries[i];
}

const struct lz_entry *lz_keyspace_peek(const struct lz_keyspace *k, uint64_t key, lz_time now)
{
    uint32_t i = find_there(k, key);
    return i != 0 && !has_run_out(&k->entries[i], now) ? &k->entries[i] : NULL;
}

static uint64_t worth_of(const struct lz_keyspace *k, const struct lz_entry *e, lz_time now)
{
    if (k->opts.eviction == LZ_EVICTION_LRU)
        return e->used;
    if (k->opts.eviction == LZ_EVICTION_TTL)
        return (uint64_t)e->expires;
    return lz_lfu_decay(e->used, e->decayed, now);
}

static bool may_go(const struct lz_keyspace *k, uint32_t i)
{
    return i != 0 && (!k->opts.only_mortal || k->entries[i].expires != 0);
}

// Those that may go, and how many they are.
static const uint32_t *candidates(const struct lz_keyspace *k, uint32_t *count)
{
    *count = k->opts.only_mortal ? k->mortal : k->count;
    return k->opts.only_mortal ? k->mortals : k->there;
}

static bool has_victim(const struct lz_keyspace *k)
{
    uint32_t count;
    (void)candidates(k, &count);
    return k->opts.eviction != LZ_EVICTION_NONE && count > 0;
}

// Draw some into the pool; the worst in it that is still there goes.
static uint32_t sample(struct lz_keyspace *k, struct lz_draw *draw, lz_time now)
{
    uint32_t count;
    const uint32_t *from = candidates(k, &count);
    for (;;) {
        for (uint32_t n = 0; n < k->opts.samples; n++) {
            const struct lz_entry *e = &k->entries[from[lz_draw_below(draw, count)]];
            lz_pool_offer(&k->pool, e->key, worth_of(k, e, now));
        }
        uint64_t key = 0;
        while (lz_pool_take(&k->pool, &key)) {
            uint32_t i = find_there(k, key);
            if (may_go(k, i))
                return i;
        }
    }
}

static uint32_t victim(struct lz_keyspace *k, lz_time now)
{
    LZ_ASSERT(has_victim(k));
    if (is_listed(k))
        return k->oldest;
    if (is_exact_lfu(k))
        return k->there[0];
    struct lz_draw draw =
        lz_draw_begin(k->opts.run_key, k->opts.owner, LZ_PURPOSE_EVICT, k->evictions++);
    if (k->opts.eviction == LZ_EVICTION_RANDOM) {
        uint32_t count;
        const uint32_t *from = candidates(k, &count);
        return from[lz_draw_below(&draw, count)];
    }
    return sample(k, &draw, now);
}

static bool is_full(const struct lz_keyspace *k, const struct lz_put *put)
{
    uint32_t i = find_there(k, put->key);
    uint64_t old = i != 0 ? k->entries[i].size : 0;
    return k->count + (i == 0) > k->opts.entries ||
           (k->opts.bytes > 0 && k->bytes - old + put->size > k->opts.bytes);
}

// The one that is set anew may go itself, if it is its turn: it comes back.
static bool make_room(struct lz_keyspace *k, const struct lz_put *put, lz_time now)
{
    if (k->opts.bytes > 0 && put->size > k->opts.bytes)
        return false;
    while (is_full(k, put)) {
        if (!has_victim(k))
            return false;
        leave(k, victim(k, now), true);
    }
    return true;
}

uint32_t lz_keyspace_evict(struct lz_keyspace *k, uint32_t most, lz_time now)
{
    uint32_t before = k->count;
    LZ_ASSERT(k->opts.eviction != LZ_EVICTION_NONE);
    while (k->count > most && has_victim(k))
        leave(k, victim(k, now), true);
    return before - k->count;
}

bool lz_keyspace_make_way(struct lz_keyspace *k, uint32_t more, uint64_t bytes, lz_time now)
{
    if (more > k->opts.entries || (k->opts.bytes > 0 && bytes > k->opts.bytes))
        return false;
    while (k->count + more > k->opts.entries ||
           (k->opts.bytes > 0 && k->bytes + bytes > k->opts.bytes)) {
        if (!has_victim(k))
            return false;
        leave(k, victim(k, now), true);
    }
    return true;
}

static void come(struct lz_keyspace *k, uint64_t key, lz_time now)
{
    uint32_t i = find(k, key);
    if (i == 0)
        i = take(k, key);
    struct lz_entry *e = &k->entries[i];
    if (is_exact_lfu(k) && e->used > 0) { // a memory
        unlink_use(k, i);
        k->memories--;
    }
    if (counts_logs(k)) {
        e->used = LZ_LFU_INIT;
        e->decayed = lz_lfu_minute(now);
    }
    add_there(k, i);
    if (is_listed(k))
        link_newest(k, i);
}

// One that has run out is put anew, as if it had never been there.
struct lz_entry *lz_keyspace_put(struct lz_keyspace *k, const struct lz_put *put, lz_time now)
{
    uint32_t i = find_there(k, put->key);
    if (i != 0 && has_run_out(&k->entries[i], now))
        leave(k, i, false);
    if (!make_room(k, put, now))
        return NULL;
    i = find_there(k, put->key);
    bool is_new = i == 0;
    if (k->change != NULL)
        k->change(k->change_ctx, put->key, is_new ? NULL : &k->entries[i]);
    if (is_new)
        come(k, put->key, now);
    i = find_there(k, put->key);
    struct lz_entry *e = &k->entries[i];
    set_expires(k, i, put->expires);
    k->bytes += put->size;
    k->bytes -= e->size;
    e->value = put->value;
    e->version = put->version;
    e->cost = put->cost;
    e->size = put->size;
    e->bytes = put->bytes;
    if (!is_new || !counts_logs(k)) // createObject: it is as it was made
        use(k, i, now);
    LZ_ASSERT(k->count <= k->opts.entries);
    return e;
}

bool lz_keyspace_expire(struct lz_keyspace *k, uint64_t key, lz_time expires, lz_time now)
{
    struct lz_entry *e = lz_keyspace_get(k, key, now);
    if (e == NULL)
        return false;
    if (k->change != NULL)
        k->change(k->change_ctx, key, e);
    set_expires(k, (uint32_t)(e - k->entries), expires);
    return true;
}

bool lz_keyspace_remove(struct lz_keyspace *k, uint64_t key, lz_time now)
{
    uint32_t i = find_there(k, key);
    if (i == 0)
        return false;
    bool was_there = !has_run_out(&k->entries[i], now);
    leave(k, i, false);
    return was_there;
}

uint32_t lz_keyspace_clear(struct lz_keyspace *k)
{
    uint32_t count = k->count;
    while (k->count > 0)
        leave(k, k->there[k->count - 1], false);
    LZ_ASSERT(k->bytes == 0 && k->mortal == 0);
    return count;
}

uint32_t lz_keyspace_expire_share(struct lz_keyspace *k, double ratio, struct lz_draw *draw)
{
    uint32_t gone = 0;
    for (uint32_t i = 1; i <= k->used; i++) { // by number: leaving moves places
        if (k->entries[i].place == 0 || lz_draw_unit(draw) >= ratio)
            continue;
        leave(k, i, false);
        gone++;
    }
    return gone;
}

uint32_t lz_keyspace_expire_some(struct lz_keyspace *k, lz_time now, uint64_t nth)
{
    uint32_t gone = 0;
    struct lz_draw draw = lz_draw_begin(k->opts.run_key, k->opts.owner, LZ_PURPOSE_EXPIRE, nth);
    for (uint32_t loop = 0; loop < CYCLE_LOOPS && k->mortal > 0; loop++) {
        uint32_t seen = 0, expired = 0;
        for (; seen < CYCLE_DRAWS && k->mortal > 0; seen++) {
            uint32_t i = k->mortals[lz_draw_below(&draw, k->mortal)];
            if (!has_run_out(&k->entries[i], now))
                continue;
            leave(k, i, false);
            expired++;
        }
        gone += expired;
        if (10 * expired <= seen)
            break;
    }
    return gone;
}

// Its own array, with what another has in its.
static void *copy_array(struct lz_arena *arena, const void *from, uint32_t count, size_t size)
{
    void *own = count > 0 ? lz_arena_alloc(arena, count * size) : NULL;
    if (count > 0)
        memcpy(own, from, count * size);
    return own;
}

// Its draws are its own, and who is told.
static void stay(struct lz_keyspace *k, const struct lz_keyspace *own)
{
    k->opts.owner = own->opts.owner;
    k->evictions = own->evictions;
    k->gone = own->gone;
    k->gone_ctx = own->gone_ctx;
    k->change = own->change;
    k->change_ctx = own->change_ctx;
}

void lz_keyspace_swap(struct lz_keyspace *k, struct lz_keyspace *other)
{
    const struct lz_keyspace one = *k, two = *other;
    *k = two;
    *other = one;
    stay(k, &one);
    stay(other, &two);
}

void lz_keyspace_copy(struct lz_keyspace *k, const struct lz_keyspace *from)
{
    LZ_ASSERT(k != from);
    LZ_ASSERT(k->opts.eviction == from->opts.eviction && k->opts.entries == from->opts.entries);
    LZ_ASSERT((k->slots == NULL) == (from->slots == NULL));
    struct lz_arena *arena = k->opts.arena;
    const struct lz_keyspace own = *k;
    lz_arena_free(arena, k->entries, k->cap * sizeof(*k->entries));
    lz_arena_free(arena, k->there, k->there_cap * sizeof(*k->there));
    lz_arena_free(arena, k->mortals, k->mortal_cap * sizeof(*k->mortals));
    lz_arena_free(arena, k->buckets, k->bucket_count * sizeof(*k->buckets));
    *k = *from;
    k->slots = own.slots;
    stay(k, &own);
    k->entries = copy_array(arena, from->entries, from->cap, sizeof(*k->entries));
    k->there = copy_array(arena, from->there, from->there_cap, sizeof(*k->there));
    k->mortals = copy_array(arena, from->mortals, from->mortal_cap, sizeof(*k->mortals));
    k->buckets = copy_array(arena, from->buckets, from->bucket_count, sizeof(*k->buckets));
    if (k->slots != NULL)
        lz_slot_lists_copy(k->slots, from->slots);
}

uint32_t lz_keyspace_slot_count(const struct lz_keyspace *k, uint32_t slot)
{
    LZ_ASSERT(k->slots != NULL);
    return lz_slot_lists_count(k->slots, slot);
}

const struct lz_entry *lz_keyspace_slot_first(const struct lz_keyspace *k, uint32_t slot)
{
    LZ_ASSERT(k->slots != NULL);
    uint32_t i = lz_slot_lists_first(k->slots, slot);
    return i != 0 ? &k->entries[i] : NULL;
}

const struct lz_entry *lz_keyspace_slot_next(const struct lz_keyspace *k, const struct lz_entry *e)
{
    uint32_t i = lz_slot_lists_next(k->slots, (uint32_t)(e - k->entries));
    return i != 0 ? &k->entries[i] : NULL;
}

uint32_t lz_keyspace_count(const struct lz_keyspace *k)
{
    return k->count;
}

const struct lz_entry *lz_keyspace_at(const struct lz_keyspace *k, uint32_t i)
{
    LZ_ASSERT(i < k->count);
    return &k->entries[k->there[i]];
}

uint32_t lz_keyspace_mortal(const struct lz_keyspace *k)
{
    return k->mortal;
}

uint64_t lz_keyspace_bytes_used(const struct lz_keyspace *k)
{
    return k->bytes;
}

size_t lz_keyspace_memory(const struct lz_keyspace *k)
{
    return k->cap * sizeof(*k->entries) + k->there_cap * sizeof(*k->there) +
           k->mortal_cap * sizeof(*k->mortals) + k->bucket_count * sizeof(*k->buckets) +
           (k->slots != NULL ? lz_slot_lists_bytes(k->slots) : 0);
}
