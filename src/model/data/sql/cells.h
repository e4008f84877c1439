/*
 * cells.h — which cells of which rows a statement of SQL read and wrote, for who writes it down.
 *
 * A cell is a column of a row: "accounts[1].balance", the row being known by its primary key. What
 * was written is in the row images: of an update the columns that have changed. What was read is in
 * the answer: SQLite says of each column of a result which table's column it is
 * (SQLITE_ENABLE_COLUMN_METADATA, compiled in wherever its preupdate hook is). A row of the answer
 * tells the cells of a table if it has all columns of that table's primary key, each once; of a
 * table that is read without that, what was seen is hidden (recorder_txn.h).
 *
 * Only databases whose history somebody wants come here.
 */
#ifndef LZ_MODEL_DATA_SQL_CELLS_H
#define LZ_MODEL_DATA_SQL_CELLS_H

#include "model/data/sql/store.h"
#include "model/data/txn.h"

struct lz_database;
struct lz_txn;

/* Of a statement that has run on the task's node; `x` is NULL for one by itself. */
struct lz_cells_where {
    struct lz_database *d;
    const struct lz_txn *x;
    const struct lz_task *t;
    struct lz_store *store;
};

/* It only read: what it answers is in `b`. */
void lz_cells_read(struct lz_world *w, const struct lz_cells_where *at,
                   const struct lz_sql_statement *st, const struct lz_statement_builder *b);

/* It wrote: what is in `image`. */
void lz_cells_wrote(struct lz_world *w, const struct lz_cells_where *at,
                    const struct lz_sql_statement *st, const struct lz_image *image);

#endif
