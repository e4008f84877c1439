/*
 * lock.h — who may touch a row: locks by 64-bit key, a FIFO line each, and deadlocks.
 *
 * A lock is *shared* (any number of owners at once) or *exclusive*. Who asks for one that somebody
 * else has in a mode that does not go with it waits in line behind all who came before, so that a
 * stream of readers starves no writer (PostgreSQL: lmgr/README, "lock queues"). One who has it
 * shared and wants it exclusively goes to the head of the line: nobody behind could be served
 * before it anyway. An *owner* (a transaction, or one statement that is its own) waits for at most
 * one lock, holds as many as it likes, and gives all of them up at once when it ends: strict
 * two-phase locking.
 *
 *   (nothing) ──take──▶ GRANTED ──end──▶ (nothing)
 *                └────▶ WAITING ──those before it end──▶ GRANTED, told by lz_lock_granted
 *                          └─ give_up: it leaves the line
 *
 * The waits-for graph has an edge from who waits to each holder and each one before it in line
 * whose mode does not go with its own. lz_lock_cycle searches it from one owner; when that is done
 * is for the caller to say (PostgreSQL: deadlock_timeout after the wait began; InnoDB: at once). A
 * cycle that would end if the line were in another order is one too: PostgreSQL would reorder it.
 *
 * An owner that begins with a row which nobody else has or wants, and mostly ends with it, is a
 * *sole* owner (lz_lock_take_sole): it needs one record, not three, as PostgreSQL has a fast path
 * for locks that nobody can be waiting for (lmgr/README, "Fast Path Locking"). It gets the others
 * when somebody comes.
 *
 * Keys are hashes: two rows of one hash share a lock, which makes them wait but never err.
 * Ownership: all in the arena; a lock that nobody has or wants takes no room.
 */
#ifndef LZ_MODEL_DATA_LOCK_H
#define LZ_MODEL_DATA_LOCK_H

#include "base/pool.h"

enum lz_lock_mode { LZ_LOCK_SHARED, LZ_LOCK_EXCLUSIVE };

struct lz_locks {
    struct lz_pool owners, claims, locks;
    uint32_t *table; /* lock by key; open addressing */
    uint32_t count, cap;
    uint32_t waiting;                     /* owners in line */
    uint32_t granted_first, granted_last; /* owners to be told */
    uint32_t round;                       /* of searches: marks what one has seen */
};

typedef uint32_t lz_lock_owner; /* 0: none */

void lz_locks_init(struct lz_locks *l, struct lz_arena *arena);

/* `payload` is what the caller knows it by. */
lz_lock_owner lz_lock_begin(struct lz_locks *l, uint64_t payload);

/* Begin, and have that key exclusively; 0 if anybody has it or wants it. */
lz_lock_owner lz_lock_take_sole(struct lz_locks *l, uint64_t payload, uint64_t key);

/* True: it has it. False: it waits, and must not ask for another meanwhile. */
bool lz_lock_take(struct lz_locks *l, lz_lock_owner owner, uint64_t key, enum lz_lock_mode mode);

/* It waits no longer; what it has it keeps. Nothing, if it does not wait. */
void lz_lock_give_up(struct lz_locks *l, lz_lock_owner owner);

/* All it has is free, it waits for nothing and is no more. */
void lz_lock_end(struct lz_locks *l, lz_lock_owner owner);

/* The payloads of those that were granted what they waited for, in that order; 0: no more. */
uint64_t lz_lock_granted(struct lz_locks *l);

bool lz_lock_waits(const struct lz_locks *l, lz_lock_owner owner);
bool lz_lock_holds(const struct lz_locks *l, lz_lock_owner owner, uint64_t key,
                   enum lz_lock_mode mode);

/* Who has it exclusively, by its payload; 0: nobody. */
uint64_t lz_lock_holder(const struct lz_locks *l, uint64_t key);

#define LZ_LOCK_CYCLE_MAX 8 /* owners of a cycle that are named */

/*
 * The cycle of waits that an owner is part of: payloads by `out`, beginning with its own, at most
 * LZ_LOCK_CYCLE_MAX; returns how many are in it, 0 if there is none.
 */
uint32_t lz_lock_cycle(struct lz_locks *l, lz_lock_owner owner, uint64_t *out);

size_t lz_locks_bytes(const struct lz_locks *l);

#endif
