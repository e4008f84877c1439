/*
 * disk.h — the disk of a node: how long operations take, what fails, and what is there after the
 * power was lost.
 *
 *   an operation begins when the disk is free for it: 1 / iops + bytes / bandwidth after the one
 *   before it; it then takes its latency, beside others
 *
 * So the disk is a D/1 queue with an infinite server behind it: with Poisson operations at rate r
 * the mean wait is r / (2 iops (iops - r)) (Pollaczek-Khinchine), a provisioned volume's limit.
 *
 * A database flushes each write (fsync) before it counts; reads that are not in memory
 * (miss_ratio) read. What was not declared takes no time: query_time includes it. Writes are
 * flushed one by one: there is no group commit.
 *
 * What a flush promised holds until the host loses power. A disk that lies keeps it in its cache
 * until it flushes honestly again; a lost write is never there; a torn one is half there. A log is
 * replayed up to its first record that is not whole, so all behind it is gone too (PostgreSQL:
 * xlogreader.c, "end of WAL"). The end of a process alone loses nothing: the system has it.
 *
 * Each instance has a disk of its own, unless its host has one: that is shared by all that stand
 * on it, with its queue, its fullness and its faults. What an instance keeps on it, its log, stays
 * its own.
 *
 * Whoever has no disk block and no fault has no state here and costs nothing.
 */
#ifndef LZ_MODEL_NODE_DISK_H
#define LZ_MODEL_NODE_DISK_H

#include "model/node/instance.h"
#include "model/world.h"

enum lz_disk_op { LZ_DISK_READ, LZ_DISK_WRITE, LZ_DISK_FSYNC };
#define LZ_DISK_OPS "read|write|fsync" /* for bits of lz_disk_effect.operations */

struct lz_disk_opts {
    struct lz_dist latency; /* NONE: no time */
    double iops, bandwidth; /* per second; 0: without end */
    double size, used;      /* bytes; size 0: never full */
    double write_bytes;     /* of a write's record; 0 means 8 KiB, a page */
    double miss_ratio;      /* of reads that are not in memory */
    bool checksums;         /* a changed page is an error, not an answer */
};

void lz_disks_init(struct lz_world *w);
bool lz_disk_declare(struct lz_world *w, lz_component_id id, const struct lz_disk_opts *opts,
                     struct lz_err *err) LZ_MUST_CHECK;

/* One for all that stand on a host: before any of them is declared. */
bool lz_disk_share(struct lz_world *w, lz_host_id host, const struct lz_disk_opts *opts,
                   struct lz_err *err) LZ_MUST_CHECK;
double lz_disk_on_host(const struct lz_world *w, lz_host_id host); /* share in use; 0: no size */

/* The component does something on its disk: faults of disks have something to touch. */
void lz_disk_serves(struct lz_world *w, lz_component_id id);
bool lz_disk_is_used(const struct lz_world *w, lz_component_id id);

/* What is read at every step begins disk.c's own struct. */
struct lz_disks_face {
    uint32_t made;    /* disks of which something is kept, */
    bool is_any;      /* or that hosts share */
    bool is_doubtful; /* one has not kept, at some time, what it was given */
};

/* Anything to wait for or to fail? If not, an operation needs no event. */
bool lz_disk_takes_part(const struct lz_world *w, lz_instance_id id);
static inline bool lz_disk_is_felt(const struct lz_world *w, lz_instance_id id)
{
    return ((const struct lz_disks_face *)w->disks)->is_any && lz_disk_takes_part(w, id);
}

/* Does the read that `owner` makes go to the disk? */
bool lz_disk_misses(struct lz_world *w, lz_instance_id id, uint64_t owner);

/* Begin; `done` or `failed` fires at the instance with the payload. */
struct lz_disk_request {
    enum lz_disk_op op;
    bool is_bare;     /* a flush of what was written before; others bring what they flush */
    bool is_in_place; /* what it writes has its room already */
    uint64_t owner;   /* of its draws */
    lz_kind done, failed;
    uint64_t payload;
};
void lz_disk_start(struct lz_world *w, lz_instance_id id, const struct lz_disk_request *request);

/* Faults; the id undoes it. All in force count; `touched` counts in the fault's unit. */
struct lz_disk_effect {
    struct lz_dist add; /* latency */
    double factor;      /* of latency; 0 means 1 */
    double iops;        /* 0: no limit */
    bool freezes;       /* nothing ends until it is over */
    bool is_detached;   /* everything fails */
    bool is_full;       /* only `keep` bytes are free */
    double keep;
    double error_ratio;  /* of `operations`, that fail */
    double slow_ratio;   /* of `operations`, that `add` and `factor` slow; 0: all */
    unsigned operations; /* bits of enum lz_disk_op; 0: all */
    double corrupt;      /* share of reads that are changed */
    bool lies, tears;    /* flushes; the last write */
    double loses;        /* share of writes */
    double misdirects;   /* share of writes, that get to another place */
    uint64_t path;       /* owner of its draws */
    uint64_t *touched;
};
uint32_t lz_disk_disturb(struct lz_world *w, lz_instance_id id,
                         const struct lz_disk_effect *effect);
void lz_disk_undo(struct lz_world *w, lz_instance_id id, uint32_t effect);

/* The log of an instance: record `lsn` was flushed; how far it holds if the power is lost now. */
void lz_disk_keep_flushed(struct lz_world *w, lz_instance_id id, uint64_t lsn);
uint64_t lz_disk_kept(const struct lz_world *w, lz_instance_id id, uint64_t lsn);
static inline void lz_disk_flushed(struct lz_world *w, lz_instance_id id, uint64_t lsn)
{
    if (((const struct lz_disks_face *)w->disks)->made > 0)
        lz_disk_keep_flushed(w, id, lsn);
}
static inline uint64_t lz_disk_durable(const struct lz_world *w, lz_instance_id id, uint64_t lsn)
{
    return ((const struct lz_disks_face *)w->disks)->is_doubtful ? lz_disk_kept(w, id, lsn) : lsn;
}

/* What becomes of the `nth` write to a file of the instance, as the faults in force have it. */
struct lz_disk_fate {
    bool lies, loses, tears, misdirects;
    double where; /* misdirected: to which share of the file */
};
struct lz_disk_fate lz_disk_fate(struct lz_world *w, lz_instance_id id, uint64_t nth);

/* Room for what is written later in place; false: so much is not free. And room given back. */
bool lz_disk_take(struct lz_world *w, lz_instance_id id, double bytes);
void lz_disk_give(struct lz_world *w, lz_instance_id id, double bytes);

/* Would a write be refused because nothing is free? */
bool lz_disk_is_full(const struct lz_world *w, lz_instance_id id);

/* Its process has ended, with the host if `is_lost`; how often, of a disk that is kept. One with
   files is read by the next process: what is nowhere shows without a loss of power. */
struct lz_disk_ends {
    uint16_t ends, losses; /* they may wrap around */
    bool has_files;
};
void lz_disk_ended(struct lz_world *w, lz_instance_id id, bool is_lost);
struct lz_disk_ends lz_disk_ends(const struct lz_world *w, lz_instance_id id);

/* The power was lost, and what the disk did not have forgotten: what is there is whole. */
void lz_disk_is_whole(struct lz_world *w, lz_instance_id id);

/* All was written and flushed anew, as at the end of a database's recovery: what was nowhere is
   there again, and what only the cache had is on the disk, unless that lies now too. */
void lz_disk_written_anew(struct lz_world *w, lz_instance_id id);

#endif
