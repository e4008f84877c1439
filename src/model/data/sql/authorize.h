/*
 * authorize.h — what a statement may not do: the guard between a scenario's SQL and the world.
 *
 * A statement reads and writes the tables of its database and changes their shape. It reaches no
 * file, loads nothing, and changes nothing about how the database itself works; that is refused
 * with a sentence, when the statement is prepared. So are transactions in SQL text (they are
 * `req:transaction`), virtual and temporary tables (replicas would not have them), and functions
 * whose answer is the machine's. A query that does not end is stopped by its steps, which
 * are counted: the same on every machine.
 *
 * The second wall is the volume (volume.h): within a run there is no other file to be opened.
 */
#ifndef LZ_MODEL_DATA_SQL_AUTHORIZE_H
#define LZ_MODEL_DATA_SQL_AUTHORIZE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define LZ_AUTHORIZE_STEPS_MAX 10000000u  /* of SQLite's virtual machine, of one statement */
#define LZ_AUTHORIZE_TABLE "lz_log"       /* ours in every database: nobody else sees it */
#define LZ_AUTHORIZE_BYTES_MAX (16 << 20) /* of a text or a row */

#define LZ_AUTHORIZE_TABLES_MAX 16

/* The tables that a statement names, as hashes. */
struct lz_authorize_touch {
    uint64_t reads[LZ_AUTHORIZE_TABLES_MAX], writes[LZ_AUTHORIZE_TABLES_MAX];
    uint8_t read_count, write_count;
    bool is_full; /* there are more */
};

struct lz_authorize {
    bool is_ours;                    /* the engine's own statement: everything goes */
    bool alters;                     /* the statement being prepared changes the schema */
    char altered[128];               /* the table whose columns it changes; empty: none's */
    struct lz_authorize_touch touch; /* of the statement being prepared */
    uint64_t steps;                  /* of the statement that runs; set to 0 before it */
    char refused[200];               /* why the latest was refused; empty: it was not */
};

/* On a fresh connection; `a` outlives it. */
void lz_authorize_install(sqlite3 *db, struct lz_authorize *a);

/* What to say of a failure: the sentence above, or SQLite's own. Good until the next call. */
const char *lz_authorize_message(const struct lz_authorize *a, sqlite3 *db);

#endif
