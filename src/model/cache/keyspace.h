/*
 * keyspace.h — what one node of a cache holds: keys, their values, when they run out, and what
 * goes when it is full.
 *
 * The words are Redis'. Entries lie in one array, known by number from 1 and found by a hash table
 * of chains; those that are there are also listed densely, so that one can be drawn. Nothing is
 * allocated for an operation once the array is as large as it gets; get, put and remove are O(1)
 * (LFU by heap: O(log n), and mostly O(1), since a use raises a count by one).
 *
 *   eviction   who goes first
 *   LRU        the one whose last use is longest ago, exactly; with `samples` as Redis does it:
 *              so many are drawn, the best of these and of those remembered from before (a pool
 *              of 16) goes (antirez, "Random notes on improving the Redis LRU algorithm", 2016)
 *   LFU        the one used least often, counted since it was first asked for, absence included
 *              (up to 64 times as many absent keys are remembered as there are entries), among
 *              equals the one written first; with `samples` Redis' own: a logarithmic counter of 8
 *              bits that begins at 5, grows with chance 1 / (10 * (counter - 5) + 1) and loses 1 a
 *              minute
 *   FIFO       the one that was put first; a value set anew keeps its place
 *   RANDOM     any
 *   TTL        the one that runs out soonest, with `samples`
 *   NONE       nobody: a put that has no room is refused (Redis' noeviction)
 *
 * With `only_mortal` (Redis' volatile-*) one goes that may run out, drawn; where none may, a put
 * that has no room is refused.
 *
 * Full is more than `entries`, or more than `bytes`, of entries as large as their puts said.
 *
 * An entry past its time is not there for anyone (lazy expiry): whoever asks for it removes it.
 * lz_keyspace_expire_some is Redis' active expiry: draw 20 of those that may run out, remove what
 * has, and again while more than a tenth of them had (activeExpireCycle of 6.0 and later, with
 * active-expire-effort 1; before it was a quarter).
 *
 * Draws are keyed by the owner given at the beginning: nobody else's shift.
 *
 * A node of a cluster also lists its entries by slot, as Redis 7 does: those of one can be counted,
 * moved and dropped without looking at the others.
 */
#ifndef LZ_MODEL_CACHE_KEYSPACE_H
#define LZ_MODEL_CACHE_KEYSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "sim/draw.h"
#include "sim/time.h"

#define LZ_KEYSPACE_ENTRIES_MAX 50000000u

enum lz_eviction {
    LZ_EVICTION_LRU,
    LZ_EVICTION_LFU,
    LZ_EVICTION_FIFO,
    LZ_EVICTION_RANDOM,
    LZ_EVICTION_TTL, /* of those that run out: whose time is nearest */
    LZ_EVICTION_NONE,
};

typedef uint32_t lz_keyspace_slot_fn(const void *ctx, uint64_t key);

struct lz_keyspace_opts {
    struct lz_arena *arena;
    uint64_t run_key, owner; /* of its draws */
    enum lz_eviction eviction;
    bool only_mortal;             /* who never runs out stays; LRU, LFU and TTL need samples */
    uint32_t samples;             /* of LRU, LFU, TTL: drawn for an eviction; 0: exactly */
    uint32_t entries;             /* at most */
    uint64_t bytes;               /* at most; 0: any */
    lz_keyspace_slot_fn *slot_of; /* NULL: entries have no slots */
    const void *slot_ctx;
};

struct lz_entry {
    uint64_t key;
    uint64_t value;
    uint64_t version; /* of the write that made it */
    lz_time expires;  /* 0: never */
    lz_time cost;     /* how long it took to make, if whoever put it said so */
    uint64_t used;    /* LRU: number of its last use; LFU: how often it was */
    uint64_t size;
    uint32_t newer, older; /* LRU, FIFO; LFU: `older` is its place in the heap */
    uint32_t next;         /* in its bucket */
    uint32_t place;        /* among those that are there; 0: a memory of one that is not */
    uint32_t decayed;      /* minute in which Redis' LFU counter was last looked at */
    uint32_t bytes;        /* block of the value, see cache.c; 0: none */
    uint32_t mortal;       /* where it is among those that run out, if it does */
};

/* Told of each entry that goes to make room, or has run out, while it is still whole. */
typedef void lz_keyspace_gone_fn(void *ctx, const struct lz_entry *e, bool is_evicted);

/* Told of each change before it is made: what its key had; NULL: nothing. Not of copies. */
typedef void lz_keyspace_change_fn(void *ctx, uint64_t key, const struct lz_entry *old);

struct lz_keyspace;

struct lz_keyspace *lz_keyspace_create(const struct lz_keyspace_opts *opts);
const struct lz_keyspace_opts *lz_keyspace_options(const struct lz_keyspace *k);
void lz_keyspace_on_gone(struct lz_keyspace *k, lz_keyspace_gone_fn *fn, void *ctx);
void lz_keyspace_on_change(struct lz_keyspace *k, lz_keyspace_change_fn *fn, void *ctx);

/* A use: NULL if it is not there. Good until the next call. */
struct lz_entry *lz_keyspace_get(struct lz_keyspace *k, uint64_t key, lz_time now);

/* The same without being a use, and without removing what has run out. */
const struct lz_entry *lz_keyspace_peek(const struct lz_keyspace *k, uint64_t key, lz_time now);

struct lz_put {
    uint64_t key, value, version;
    lz_time expires, cost;
    uint64_t size;
    uint32_t bytes;
};

/* Put or set anew, which is a use; NULL: no room, and none may be made. */
struct lz_entry *lz_keyspace_put(struct lz_keyspace *k, const struct lz_put *put, lz_time now);

/* It runs out then; 0: never. False if it is not there. */
bool lz_keyspace_expire(struct lz_keyspace *k, uint64_t key, lz_time expires, lz_time now);

/* False if it was not there. */
bool lz_keyspace_remove(struct lz_keyspace *k, uint64_t key, lz_time now);

/* All of it, or each entry by the chance `ratio`; how many. `draw` is the caller's. */
uint32_t lz_keyspace_clear(struct lz_keyspace *k);
uint32_t lz_keyspace_expire_share(struct lz_keyspace *k, double ratio, struct lz_draw *draw);

/* Let go, as to make room, until no more than so many are there, or nobody may go; how many went.
 * Of one that evicts nobody: the caller's mistake. */
uint32_t lz_keyspace_evict(struct lz_keyspace *k, uint32_t most, lz_time now);

/* The same for so many more entries, of so many bytes. False: nobody may go, and there is no room.
 */
bool lz_keyspace_make_way(struct lz_keyspace *k, uint32_t more, uint64_t bytes, lz_time now);

/* One cycle of active expiry: how many it removed. `nth` counts cycles. */
uint32_t lz_keyspace_expire_some(struct lz_keyspace *k, lz_time now, uint64_t nth);

/* Make `k`'s entries equal to `from`'s, which has the same options. */
void lz_keyspace_copy(struct lz_keyspace *k, const struct lz_keyspace *from);

/* Each has the other's entries; who is told of them stays. */
void lz_keyspace_swap(struct lz_keyspace *k, struct lz_keyspace *other);

/* Each entry that is there, in no order that means anything but always the same. */
uint32_t lz_keyspace_count(const struct lz_keyspace *k);
const struct lz_entry *lz_keyspace_at(const struct lz_keyspace *k, uint32_t i); /* 0 .. count - 1 */

/* Of one slot: how many there are; any of them, NULL if there is none; the one after that. */
uint32_t lz_keyspace_slot_count(const struct lz_keyspace *k, uint32_t slot);
const struct lz_entry *lz_keyspace_slot_first(const struct lz_keyspace *k, uint32_t slot);
const struct lz_entry *lz_keyspace_slot_next(const struct lz_keyspace *k, const struct lz_entry *e);

uint32_t lz_keyspace_mortal(const struct lz_keyspace *k); /* that may run out */
uint64_t lz_keyspace_bytes_used(const struct lz_keyspace *k);
size_t lz_keyspace_memory(const struct lz_keyspace *k); /* of ours, not of the model's */

#endif
