/*
 * store_state.h — what the parts of a store share: store.c runs, store_engine.c is an engine,
 * replay.c applies what others committed.
 */
#ifndef LZ_MODEL_DATA_SQL_STORE_STATE_H
#define LZ_MODEL_DATA_SQL_STORE_STATE_H

#include "model/data/sql/store.h"

/* A scope of the store's (library.h); lz_library_leave ends it. All below is done within one. */
void lz_store_enter(struct lz_store *s, uint64_t owner, uint64_t counter);

/* Its connection; what lies on the volume is recovered as it is opened. */
bool lz_store_connect(struct lz_store *s, struct lz_err *out);
void lz_store_disconnect(struct lz_store *s);

/* Statements of the engine's own, which may do anything: one is compiled (NULL: SQLite will not
   have it), one is stepped once and reset. */
sqlite3_stmt *lz_store_own(struct lz_store *s, const char *sql);
int lz_store_step_own(struct lz_store *s, sqlite3_stmt *st);

/* A statement of the scenario's; `rest` is what stands behind it. */
sqlite3_stmt *lz_store_compile(struct lz_store *s, const char *sql, size_t size, const char **rest);

/* A parameter's value; one that the statement does not have is left out. */
void lz_store_bind(sqlite3_stmt *st, int at, const struct lz_cell *c);

/* Triggers and foreign keys, where there are any. */
void lz_store_set_rules(struct lz_store *s, bool on);

/* The schema is another one: nothing that was compiled holds. */
void lz_store_forget(struct lz_store *s);

/* What the connection has begun is committed with that LSN, or forgotten. */
int lz_store_commit_lsn(struct lz_store *s, uint64_t lsn);
void lz_store_roll_back(struct lz_store *s);

#endif
