/*
 * backup.h — backups of a database: full ones, the log's archive, and what they are worth.
 *
 *   full backup   every `full`: what the primary has when it begins; good once it is copied, after
 *                 size / throughput. The run begins with one.
 *   archive       every `archive` the log up to then is put beside them (archive_timeout); with it
 *                 any moment since the oldest full backup can be had again (point in time recovery)
 *   restore       the newest full backup before the moment is copied back, size / throughput, and
 *                 the archived log is replayed, `replay_rate` times as fast as it was written.
 *                 One that cannot be read is noticed when it has been copied: then the one before
 *                 it is tried. Meanwhile nobody is answered.
 *   drill         every `drill` a restore to a machine of its own, which changes nothing but tells
 *                 whether it could be done. One that fails brings a new full backup.
 *
 * They are kept at `to`, a component whose instances must be reachable from the primary: what
 * stands where the primary stands is lost with it. Without it they are kept where nothing reaches
 * them.
 *
 * `rpo` is the age of the newest state that could really be had, be it known or not; `rto` what
 * the latest restore or drill took. Acknowledged writes that a restore does not bring back are
 * counted in lost_acks, one by one.
 */
#ifndef LZ_MODEL_DATA_BACKUP_H
#define LZ_MODEL_DATA_BACKUP_H

#include "model/world.h"
#include "sim/time.h"

#define LZ_BACKUP_KEEP_MAX 64

struct lz_backup_opts {
    lz_time full;       /* 0 means 24 h */
    lz_time archive;    /* 0: the log is not archived */
    lz_time drill;      /* 0: never */
    lz_component_id to; /* 0: elsewhere */
    uint32_t keep;      /* full backups; 0 means 7 */
    double size;        /* bytes; 0: copying takes no time */
    double throughput;  /* bytes per second; 0 means 200 MB/s */
    double replay_rate; /* times the speed at which it was written; 0 means 5 */
};

struct lz_backups;
struct lz_database;

bool lz_backup_declare(struct lz_world *w, lz_component_id database,
                       const struct lz_backup_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

/* Bring back what was there at `at`, or with -1 as much as there is. False: it cannot begin. */
bool lz_backup_restore(struct lz_world *w, lz_component_id database, lz_time at,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Faults: while in force backups fail, or what is written of them cannot be read. */
struct lz_backup_effect {
    lz_component_id of; /* whose they are, or what keeps them: then all that are kept there */
    bool fails, corrupts;
    uint64_t *touched; /* backups; NULL: a free place */
};
uint32_t lz_backup_disturb(struct lz_world *w, const struct lz_backup_effect *effect);
void lz_backup_undo(struct lz_world *w, uint32_t effect);
bool lz_backup_is_any(const struct lz_world *w, lz_component_id of);

/* For model/data/. A record was written; records have been acknowledged; the log was cut. */
void lz_backup_wrote(struct lz_world *w, struct lz_database *d, uint64_t lsn);
void lz_backup_acked(struct lz_database *d, uint64_t first, uint64_t last);
void lz_backup_cut(struct lz_database *d, uint64_t lsn);
void lz_backup_measure(struct lz_world *w, struct lz_database *d); /* every second */

size_t lz_backup_bytes(const struct lz_database *d);

#endif
