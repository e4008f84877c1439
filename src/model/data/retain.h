/*
 * retain.h — which of its log a primary keeps: segments, replication slots, a disk that they fill.
 *
 * As PostgreSQL has it (documentation, 26.2.5 and 26.2.6, wal_keep_size, max_slot_wal_keep_size;
 * xlog.c, KeepLogSeg and RemoveOldXlogFiles; slot.c, InvalidateObsoleteReplicationSlots). The log
 * lies in segments of 16 MiB. When a checkpoint ends, those are removed that lie before all of
 *
 *   redo      the segment in which that checkpoint began
 *   slots     if standbys have them: the first that one of them has not flushed; no further back
 *             than max_slot_wal_keep_size / 16 MiB segments
 *   keep      wal_keep_size / 16 MiB segments before the one that is written now
 *   archive   with backup.archive: the first that is not archived
 *
 * A standby whose next record lay in one of them has lost its way: "requested WAL segment has
 * already been removed". It gets no more of the log, whether it runs or comes back later, until it
 * is copied anew (pg_basebackup); who has an archive takes what it lacks from there
 * (restore_command), and never loses it. Its rows stay as they were: it serves reads and may lead.
 *
 * Segments take room on the primary's disk, 16 MiB each as it is begun; rows take none, for they
 * are written where they were. Where there is no room for the next one the server stops with a
 * PANIC, and stops again whenever it is started and there is still none.
 *
 * Who is promoted keeps what a standby would have: from the latest checkpoint on, and
 * wal_keep_size; its log goes on in a new segment. Segments that are kept for use again
 * (min_wal_size), a standby's own, and archive_timeout's half empty ones are not counted.
 */
#ifndef LZ_MODEL_DATA_RETAIN_H
#define LZ_MODEL_DATA_RETAIN_H

#include "model/world.h"

struct lz_database;

#define LZ_RETAIN_SEGMENT 16777216.0 /* bytes: wal_segment_size */

struct lz_retain_opts {
    bool slots;
    double keep;                  /* bytes, wal_keep_size */
    double slot_keep;             /* bytes, max_slot_wal_keep_size; 0: without end */
    lz_time copy_after;           /* a standby that has lost its way is copied anew; 0: never */
    double copy_bytes, copy_rate; /* rate 0 means 200 MB/s */
};

/* Of a database that has checkpoints. */
bool lz_retain_declare(struct lz_world *w, lz_component_id id, const struct lz_retain_opts *opts,
                       struct lz_err *err) LZ_MUST_CHECK;

/* For model/data/: what happens to the log that counts. */
void lz_retain_wrote(struct lz_world *w, struct lz_database *d, uint64_t lsn, double bytes);
void lz_retain_checkpoint_began(struct lz_database *d);
void lz_retain_checkpoint_ended(struct lz_world *w, struct lz_database *d);
void lz_retain_cut(struct lz_database *d, uint64_t lsn); /* it goes on behind that, elsewhere */
void lz_retain_promoted(struct lz_world *w, struct lz_database *d);
void lz_retain_started(struct lz_world *w, struct lz_database *d, uint32_t node);
void lz_retain_rejoined(struct lz_world *w, struct lz_database *d, uint32_t node);

/* False: it has lost its way and is not to be copied yet, or it has no room for its log. */
bool lz_retain_can_follow(const struct lz_database *d, uint32_t node);
double lz_retain_copies(const struct lz_database *d, uint32_t node); /* bytes, if it is copied */
double lz_retain_copy_rate(const struct lz_database *d);
bool lz_retain_is_full(const struct lz_database *d, uint32_t node);

size_t lz_retain_bytes(const struct lz_database *d);

#endif
