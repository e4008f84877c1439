/*
 * wal.h — a write-ahead log: one timeline of records, and how far each node has it.
 *
 * Records have consecutive log sequence numbers (LSNs) from 1. Nodes receive them out
 * of order over the network and have the log up to the first gap. A promotion cuts the
 * timeline at the promoted node's LSN: what lies beyond is gone, and what of it had been
 * acknowledged is lost. Records that every node has are dropped. A record holds the image of
 * its commit, if it has one, and releases it when it is cut or dropped.
 *
 * A transaction's records follow one another, each but the last with `more`. A node has them all
 * or none: how far it has the log is always the end of a transaction.
 */
#ifndef LZ_MODEL_DATA_WAL_H
#define LZ_MODEL_DATA_WAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/data/image.h"
#include "sim/time.h"

struct lz_wal_record {
    uint64_t key, value;
    struct lz_image *image; /* held by it; NULL: key and value say it all */
    uint64_t arrived;       /* bit per node, for records beyond its gap */
    lz_time at;             /* when it was written */
    uint64_t before;        /* the version that it replaced where it was written; 0: none */
    union {
        lz_time stamp;     /* many masters: when it was written, by its node's clock */
        uint64_t replaced; /* one: the value of that version */
    };
    uint32_t batch; /* records that were sent together, this being the last; 0: not it */
    bool is_lost;   /* and it gave way to another */
    bool more;      /* its transaction goes on in the next */
    bool acked;     /* its client has been told that it is safe */
    bool is_seen;   /* before its turn: who waited for it has given up (visible.c) */
};

_Static_assert(sizeof(struct lz_wal_record) == 64, "a line of a cache");

struct lz_wal {
    struct lz_arena *arena;
    struct lz_wal_record *records; /* of base + 1 .. last */
    uint64_t base, last;
    uint32_t cap;
};

void lz_wal_init(struct lz_wal *l, struct lz_arena *arena);

/* Its LSN. The value is what the row has from then on; without one it is the LSN itself. */
uint64_t lz_wal_append(struct lz_wal *l, uint64_t key, const uint64_t *value, lz_time at);
static inline struct lz_wal_record *lz_wal_get(const struct lz_wal *l, uint64_t lsn)
{
    return lsn > l->base && lsn <= l->last ? &l->records[lsn - l->base - 1] : NULL; /* not kept */
}

/*
 * Node `n` got the records from `first` to `lsn` and has the log up to `have`; returns how far it
 * has it now.
 */
uint64_t lz_wal_arrived(struct lz_wal *l, uint32_t n, uint64_t have, uint64_t first, uint64_t lsn);

/* Forget everything beyond `lsn`; returns how many acknowledged records that were. */
uint64_t lz_wal_cut(struct lz_wal *l, uint64_t lsn);

/* The same, but `branch`, which is empty, goes on with them from there. */
uint64_t lz_wal_fork(struct lz_wal *l, uint64_t lsn, struct lz_wal *branch);

/* Everything goes; how it was made is forgotten too. */
void lz_wal_finish(struct lz_wal *l);

/* Everybody has the log up to `lsn`. It is not worth the while for few records, see may_drop. */
void lz_wal_drop(struct lz_wal *l, uint64_t lsn);

#define LZ_WAL_DROPS 512 /* at least: the log stays in a cache, and moves seldom */
static inline bool lz_wal_may_drop(const struct lz_wal *l, uint64_t lsn)
{
    return lsn > l->base && lsn - l->base >= LZ_WAL_DROPS;
}

#endif
