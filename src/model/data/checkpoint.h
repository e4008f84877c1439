/*
 * checkpoint.h — checkpoints, and what they make of the log: write amplification as latency.
 *
 * As PostgreSQL has them (documentation, 30.5 "WAL Configuration"; xlog.c, checkpointer.c):
 *
 *   when     every `timeout`, or sooner when so much log has been written since the last one began
 *            as max_wal_size / (1 + completion_target) (CalculateCheckpointSegments)
 *   writes   the pages that were changed before it began, evenly over completion_target of the
 *            time from one to the next (CheckpointWriteDelay looks every 100 ms), on the node's
 *            disk: flushes wait behind them there (disk.h)
 *   log      who changes a page for the first time since one began logs all of it, 8 KiB, beside
 *            his record (full_page_writes), so that a torn page can be repaired; a flush takes
 *            wal_flush and the time that its bytes take at `bandwidth`
 *
 * A row lies on one of `pages`, by a hash of its key. Writes to uniformly drawn keys, W of them
 * between two checkpoints over P pages, touch P (1 - (1 - 1/P)^W) of them, so the log grows by
 *
 *   W record + 8192 P (1 - (1 - 1/P)^W)
 *
 * and half the interval means up to twice the pages: that is the amplification people tune away.
 *
 * A replica that is promoted begins with a checkpoint. Standbys write nothing of their own here
 * (restartpoints), and the way to them is as long for a long record as for a short one.
 */
#ifndef LZ_MODEL_DATA_CHECKPOINT_H
#define LZ_MODEL_DATA_CHECKPOINT_H

#include "model/world.h"

struct lz_database;
struct lz_image;
struct lz_log;

#define LZ_CHECKPOINT_PAGE 8192u          /* bytes */
#define LZ_CHECKPOINT_PAGES_MAX 10000000u /* of a database */

struct lz_checkpoint_opts {
    lz_time timeout;          /* 0 means 5 min */
    double completion_target; /* 0 means 0.9 */
    double max_wal_size;      /* bytes; 0 means 1 GiB */
    bool no_full_pages;
    uint32_t pages;      /* of its data; 0 means 100000 */
    double record_bytes; /* of a change in the log; 0 means 128 */
    double bandwidth;    /* of a flush, bytes per second; 0: bytes take no time */
};

/* Of a database with one log that counts. */
bool lz_checkpoint_declare(struct lz_world *w, lz_component_id id,
                           const struct lz_checkpoint_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

/* For model/data/: a record of that key, or of that image's rows, is in the log: its bytes. */
double lz_checkpoint_wrote(struct lz_world *w, struct lz_database *d, uint64_t key,
                           const struct lz_image *image);

/* The bytes that are not flushed yet: what they add to a flush that takes them all. */
lz_time lz_checkpoint_flush(struct lz_database *d);

/* Another leads. */
void lz_checkpoint_promoted(struct lz_world *w, struct lz_database *d);

size_t lz_checkpoint_bytes(const struct lz_database *d);

#endif
