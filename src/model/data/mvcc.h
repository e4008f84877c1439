/*
 * mvcc.h — what rows were: versions that somebody with an older snapshot may still read.
 *
 * A snapshot is a log sequence number: who has it sees of each row the version of the highest LSN
 * that is not above. The row map has the newest versions; an older one is kept here from the moment
 * it is replaced until no snapshot is left that is older than what replaced it (PostgreSQL's dead
 * tuples between an update and vacuum, InnoDB's history list). Without a snapshot nothing is kept.
 *
 *   versions of a row   3 ──────── 17 ──────── 40
 *   snapshot 20 reads               ▲           kept: 17, because 20 < 40
 */
#ifndef LZ_MODEL_DATA_MVCC_H
#define LZ_MODEL_DATA_MVCC_H

#include "base/pool.h"
#include "model/data/rows.h"

struct lz_mvcc {
    struct lz_pool versions;
    uint32_t *table; /* the latest replaced version by key; open addressing */
    uint32_t count, cap;
    uint32_t first, last; /* kept versions, by when they were replaced */
    uint32_t kept;
    uint32_t dead;       /* of them, that were rows: the others say that there was none */
    uint64_t *snapshots; /* in force, as a bag: their LSNs ascending */
    uint32_t snapshot_count, snapshot_cap;
};

void lz_mvcc_init(struct lz_mvcc *m, struct lz_arena *arena);

/* A snapshot is taken, and given back: LSNs, of which the same may be taken several times. */
void lz_mvcc_hold(struct lz_mvcc *m, uint64_t snapshot);
void lz_mvcc_let_go(struct lz_mvcc *m, uint64_t snapshot);

static inline bool lz_mvcc_is_needed(const struct lz_mvcc *m)
{
    return m->snapshot_count > 0;
}

/* The row map is about to hold version `lsn` of a key: keep what it has. */
void lz_mvcc_replace(struct lz_mvcc *m, const struct lz_rows *rows, uint64_t key, uint64_t lsn);

/* As lz_rows_read, of a snapshot. */
uint64_t lz_mvcc_read(const struct lz_mvcc *m, const struct lz_rows *rows, uint64_t snapshot,
                      uint64_t key, uint64_t *value);

/* All of it is void: the rows are others (a copy of another node's). Snapshots stay. */
void lz_mvcc_clear(struct lz_mvcc *m);

size_t lz_mvcc_bytes(const struct lz_mvcc *m);

#endif
