/*
 * serial.h — serializable transactions over snapshots (SSI), for one node.
 *
 * Each runs under snapshot isolation. What it reads and writes is marked; a *conflict* T1 -> T2
 * says that T1 read a row as it was before T2, which runs beside it, wrote it. Every execution
 * that is not serializable has a *dangerous structure*
 *
 *     T0 ──▶ pivot ──▶ T3      T3 commits before both (T0 and T3 may be the same)
 *
 * (Cahill, Roehm, Fekete, "Serializable Isolation for Snapshot Databases", SIGMOD 2008; Ports and
 * Grittner, "Serializable Snapshot Isolation in PostgreSQL", VLDB 2012, section 3.3.1). As in
 * PostgreSQL one of it is rolled back: the pivot, or if that has committed, who is still active. A
 * structure need not be part of a cycle, so there are false positives; PostgreSQL's exception for
 * transactions that only read (its section 4.1) is left out, and gives a few more.
 *
 * Marks are per row, also of rows that are not there: that is how a scan meets an insert.
 * A transaction that has committed is kept until all that ran beside it have ended.
 */
#ifndef LZ_MODEL_DATA_SERIAL_H
#define LZ_MODEL_DATA_SERIAL_H

#include "base/pool.h"

struct lz_serial {
    struct lz_pool all, marks, conflicts;
    uint32_t *table; /* the latest mark of a key; open addressing */
    uint32_t count, cap;
    uint32_t first, last;            /* transactions in the order they began */
    uint64_t now;                    /* counts commits */
    struct lz_serial_hidden *hidden; /* of those, that no snapshot sees yet, in their order */
    uint32_t hidden_count, hidden_cap;
};

struct lz_serial_hidden {
    uint64_t commit, lsn;
};

void lz_serial_init(struct lz_serial *s, struct lz_arena *arena);

uint32_t lz_serial_begin(struct lz_serial *s); /* its snapshot is taken now */

/* False: it cannot go on, and is to be aborted. */
bool lz_serial_read(struct lz_serial *s, uint32_t me, uint64_t key);
bool lz_serial_write(struct lz_serial *s, uint32_t me, uint64_t key);

/*
 * True: it has, and is no longer ours. With `hidden` it ends at that LSN and is not seen before
 * lz_serial_show says so: who begins until then runs beside it.
 */
bool lz_serial_commit(struct lz_serial *s, uint32_t me, uint64_t hidden);
void lz_serial_show(struct lz_serial *s, uint64_t lsn); /* all up to there are seen */

void lz_serial_show(struct lz_serial *s, uint64_t lsn);

void lz_serial_abort(struct lz_serial *s, uint32_t me);

size_t lz_serial_bytes(const struct lz_serial *s);

#endif
