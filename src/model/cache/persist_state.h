/*
 * persist_state.h — what the parts of persist.h share; for them only.
 *
 *   persist.c      ends and beginnings of a process, answers that wait; the rest's events
 *   persist_log.c  the append-only file: what was flushed, and taking back what was not
 *   persist_save.c snapshots
 *
 * Changes are numbered. With an AOF one is made, then with the system, then flushed, and at last
 * surely on the disk, so that
 *
 *   sure <= synced <= paged <= written
 *
 * and what was there before each that is not sure is known. A disk counts flushes, not changes:
 * `marks` say up to which change each went that it may still take back, the latest always among
 * them, as it may be torn.
 *
 * What is under way has a number, so that what comes of a process that has ended is not taken for
 * it.
 */
#ifndef LZ_MODEL_CACHE_PERSIST_STATE_H
#define LZ_MODEL_CACHE_PERSIST_STATE_H

#include "model/cache/cache_state.h"

#define LZ_PERSIST_STEP_SHIFT 56 /* in a payload; below it the number */

enum lz_persist_step {
    LZ_PERSIST_FLUSH, /* of the AOF */
    LZ_PERSIST_FLUSHED,
    LZ_PERSIST_STUCK,
    LZ_PERSIST_SAVE, /* of snapshots */
    LZ_PERSIST_FORKED,
    LZ_PERSIST_WRITTEN,
    LZ_PERSIST_SAVED,
    LZ_PERSIST_LAST, /* the one of a process that was told to end is written */
    LZ_PERSIST_LOADED,
};

struct lz_persist_change {
    struct lz_put before;
    bool was_there, is_acked;
};

struct lz_persist_held {
    uint64_t task, number; /* of the latest change then */
    enum lz_outcome outcome;
    uint16_t status;
};

struct lz_persist {
    struct lz_keyspace *files; /* read at a start; with an AOF only while no process has it */
    struct lz_keyspace *child; /* a snapshot on its way */
    struct lz_persist_change *changes; /* after `sure` */
    uint32_t first, count, cap;
    uint64_t sure, synced, paged, written;
    uint64_t *marks; /* of the flushes after the `marked`-th */
    uint32_t mark_count, mark_cap;
    uint64_t marked, flushes;
    uint64_t ids; /* of what is under way; 0 where nothing is: */
    uint64_t due, flushing, save_due, saving, loading;
    uint64_t flushing_to, stuck_at;
    lz_time flush_began, saved_at;
    uint64_t dirty, child_dirty; /* changes since the last snapshot; in the one under way */
    uint64_t acked, child_acked, saved_acked; /* writes; the same */
    uint64_t answered; /* at its end, the last change whose client may have been answered */
    uint64_t lost;     /* acknowledged writes that the files lack */
    bool is_postponed, is_stuck, is_forking;
    bool is_leaving;              /* told to end, it has not written all yet */
    bool has_failed, has_unsaved; /* the latest flush; the latest snapshot */
    struct lz_persist_held *held;
    uint32_t held_first, held_count, held_cap;
};

/* Whose it is. */
struct lz_persist_at {
    struct lz_world *w;
    struct lz_cache *c;
    uint32_t node;
};

/* --- persist.c --- */
void lz_persist_plan(struct lz_persist_at at, lz_time when, enum lz_persist_step step, uint64_t id);
void lz_persist_measure(const struct lz_persist_at *at);

/* A flush; what comes of it is `done`, or the same as failed. */
void lz_persist_ask_disk(struct lz_persist_at at, uint64_t id, enum lz_persist_step done);

/* Answers that wait for nothing any more. */
void lz_persist_release(const struct lz_persist_at *at, struct lz_persist *p);

/* It cannot write, and takes no writes; it can again. */
void lz_persist_misconf(const struct lz_persist_at *at, bool *has_failed, const char *what);
void lz_persist_fine(const struct lz_persist_at *at, bool *has_failed, const char *what);

/* Told to end, it may have written all by now. */
void lz_persist_leave(struct lz_persist_at at, struct lz_persist *p);

/* --- persist_log.c --- */
static inline bool lz_aof_is_always(const struct lz_cache *c)
{
    return c->opts.persist.appendonly && c->opts.persist.appendfsync == LZ_APPENDFSYNC_ALWAYS;
}

/* A change that is about to be made, of what was there; NULL: nothing. */
void lz_aof_append(struct lz_persist_at at, struct lz_persist *p, uint64_t key,
                   const struct lz_entry *old);
void lz_aof_plan(struct lz_persist_at at, struct lz_persist *p); /* the next flush */
void lz_aof_step(struct lz_persist_at at, struct lz_persist *p, enum lz_persist_step step);
void lz_aof_failed(struct lz_persist_at at, struct lz_persist *p);
bool lz_aof_leaves(struct lz_persist_at at, struct lz_persist *p); /* nothing is unflushed */

/* Up to which change the disk has it, were the power lost now. */
uint64_t lz_aof_durable(const struct lz_persist_at *at, const struct lz_persist *p);
void lz_aof_is_sure(struct lz_persist *p); /* all that was made is on the disk */

/* Changes after `number` were never made; how many of those up to `answered` a client believes
   in. */
uint64_t lz_aof_take_back(struct lz_persist *p, struct lz_keyspace *keys, uint64_t number,
                          uint64_t answered, lz_time now);

/* --- persist_save.c --- */
void lz_rdb_want(struct lz_persist_at at, struct lz_persist *p); /* when it is due */
void lz_rdb_step(struct lz_persist_at at, struct lz_persist *p, enum lz_persist_step step);
void lz_rdb_failed(struct lz_persist_at at, struct lz_persist *p);
void lz_rdb_leave(struct lz_persist_at at, struct lz_persist *p); /* a last one, whatever is due */

#endif
