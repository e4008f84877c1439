/*
 * isolate.h — what a statement sees of others: snapshots, overtakers and conflicts, for SQL.
 *
 * A SQLite has one state, its newest. A statement that is to see an older one runs in a transaction
 * of its connection in which the commits since are taken back, by their row images, from the newest
 * to the oldest; then its own transaction's images are replayed, it runs, and all of it is rolled
 * back. That is exact, and costs a replay for each commit since: as PostgreSQL's long transactions
 * do, those here get slower as others go on.
 *
 *   read committed    back to what has been acknowledged (visible.c); a statement that writes, and
 *                     looks at no rows but those it writes, runs on the newest: it has their locks
 *   repeatable read   back to the snapshot of the first statement. Who would write a row that has
 *                     been written since fails (40001: the first updater wins)
 *   serializable      that, and no dangerous structure (serial.h). Read is what PostgreSQL's
 *                     relation locks would say: the tables that a statement names, or, of an UPDATE
 *                     or DELETE by rowid, its row; written are rows, and so their tables. A SELECT
 *                     of one row conflicts with who writes another of its table: more is refused
 *                     than with PostgreSQL's row locks, and nothing less.
 *
 * A schema that has changed since the snapshot fails the statement (40001). With many masters there
 * is no one log to go back along: read committed only, which sees the newest.
 */
#ifndef LZ_MODEL_DATA_SQL_ISOLATE_H
#define LZ_MODEL_DATA_SQL_ISOLATE_H

#include "model/data/sql/store.h"
#include "model/data/txn.h"

struct lz_database;
struct lz_txn;

/*
 * What a run on the node is to take back; `x` is NULL for a statement that is its own transaction.
 * False: its snapshot cannot be had any more. The list is good until the next call.
 */
bool lz_isolate_hide(struct lz_world *w, struct lz_database *d, uint32_t node,
                     const struct lz_txn *x, struct lz_store_run *run);

/* A change that looks at other rows than those it changes, whose locks it will have. */
bool lz_isolate_looks_around(const struct lz_sql_statement *st);

/* A statement has run: may its transaction go on? Its rows' locks are taken. */
enum lz_txn_error lz_isolate_ran(struct lz_database *d, const struct lz_txn *x,
                                 const struct lz_store_run *run);

/*
 * The LSN up to which a statement that runs now sees all commits, and none behind it; `x` as above.
 * False: it sees some of those behind and not others, or, with many masters, there is no such one.
 */
bool lz_isolate_upto(const struct lz_world *w, const struct lz_database *d, uint32_t node,
                     const struct lz_txn *x, uint64_t *upto);

/* The oldest log sequence number behind which commits may still be taken back at a node. */
uint64_t lz_isolate_oldest(const struct lz_database *d);

#endif
