/*
 * persist.h — what of a cache outlives its process: files on the disk of each node, as Redis has
 * them.
 *
 *   appendonly  every change is appended to a file (AOF), and flushed by `appendfsync`:
 *               always    before anything is answered; what comes meanwhile goes with the next
 *               everysec  once a second, beside it. Under a flush that takes longer changes wait in
 *                         the process for 2 s, then it waits itself, and nobody is answered
 *                         (flushAppendOnlyFile)
 *               no        by the kernel, after 30 s (dirty_expire_centisecs)
 *   save        a snapshot (RDB) once so long has passed since the last and `save_changes` keys
 *               have changed: by a child, whose fork takes 12.8 ms a GB of the process' time
 *               (redis.io/docs/management/optimization/latency, "Fork time in different systems"),
 *               and whose file counts once it is flushed
 *
 *   ends            with the AOF               with snapshots alone
 *   a process       has what the system has:   has the last snapshot
 *                   all but what waited
 *   and its power   has what the disk has      has the last snapshot
 *
 * Who is told to end flushes first, and with `save` writes a last snapshot, at `save_rate`, for
 * which its grace may be too short (SHUTDOWN).
 *
 * With both the AOF is what is read, as Redis does. A new process reads at `load_rate` and answers
 * 503 (LOADING) meanwhile. Who cannot write its files takes no more writes (503, MISCONF:
 * stop-writes-on-bgsave-error and the AOF's status) until it can: an AOF is tried again each
 * second, a snapshot after 5 s (CONFIG_BGSAVE_RETRY_DELAY). With `always` it ends itself.
 *
 * A file that its disk has not kept whole is read up to where it is (redis-check-aof --fix); of a
 * snapshot nothing is left. The AOF is not rewritten: it is as long to read as what it makes.
 *
 * What takes changes back after the power was lost is a list of what was there before each of them
 * that may not be on the disk: a second's, mostly.
 */
#ifndef LZ_MODEL_CACHE_PERSIST_H
#define LZ_MODEL_CACHE_PERSIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/traffic/request.h"
#include "sim/time.h"

struct lz_cache;
struct lz_task;
struct lz_world;

enum lz_appendfsync { LZ_APPENDFSYNC_EVERYSEC, LZ_APPENDFSYNC_ALWAYS, LZ_APPENDFSYNC_NO };

struct lz_persist_opts {
    bool appendonly;
    enum lz_appendfsync appendfsync;
    lz_time save;          /* 0: no snapshots */
    uint64_t save_changes; /* 0 means 1 */
    double save_rate;      /* bytes per second that a snapshot is written at; 0 means 150 MB */
    double load_rate;      /* ... that files are read at; 0 means 200 MB */
};

/* Whether there are files at all. */
static inline bool lz_persist_is_any(const struct lz_persist_opts *o)
{
    return o->appendonly || o->save > 0;
}

void lz_persist_create(struct lz_world *w, struct lz_cache *c);

/* The process of a node ends, and is there again; its keys are whole in both. */
void lz_persist_ended(struct lz_world *w, struct lz_cache *c, uint32_t node, bool is_lost);
void lz_persist_powerless(struct lz_world *w, struct lz_cache *c, uint32_t node);
void lz_persist_started(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* It is told to end, and does not before it has written all. */
void lz_persist_stopping(struct lz_world *w, struct lz_cache *c, uint32_t node);
bool lz_persist_is_leaving(const struct lz_cache *c, uint32_t node);

/* Its keys are a copy of another's from now on. */
void lz_persist_copied(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* The latest change was a client's, who is told that it is done. */
void lz_persist_acked(struct lz_world *w, struct lz_cache *c, uint32_t node);

bool lz_persist_is_loading(const struct lz_cache *c, uint32_t node);
bool lz_persist_refuses_writes(const struct lz_cache *c, uint32_t node);

/* An answer that has to wait for the disk: it is given later. */
bool lz_persist_holds(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                      enum lz_outcome outcome, uint16_t status);

size_t lz_persist_bytes(const struct lz_cache *c, uint32_t node);

#endif
