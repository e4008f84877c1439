/*
 * execute.h — a database that speaks SQL: its nodes' stores, and the statements of its queries.
 *
 * A query's statement is what its call carries (statement.h), or, of a declared call, the call's
 * operation itself. On a node it runs once its time on the CPU, and a write's flush of the disk,
 * are over; a write is then committed with the next LSN, its image goes into the log, and its
 * client hears of it when the commit is safe (commit.c). What fails has changed nothing and is
 * answered as an error with SQLite's sentence.
 *
 * After a death a node reads what its disk kept (store.h). A log that the disk kept less of than
 * the log of the model says makes that shorter; what SQLite has beyond it is taken back by
 * the images' old rows. A file that SQLite finds broken (PRAGMA integrity_check) serves nothing
 * and cannot lead: it is rebuilt from the primary, or stays out.
 */
#ifndef LZ_MODEL_DATA_SQL_EXECUTE_H
#define LZ_MODEL_DATA_SQL_EXECUTE_H

#include "model/data/database.h"
#include "model/data/sql/store.h"

struct lz_database;
struct lz_task;

struct lz_execute_opts {
    const char *schema, *seed; /* texts of SQL; seed may be NULL */
    size_t schema_size, seed_size;
};

/* A database that was made speaks SQL from now on; before the run. */
bool lz_execute_declare(struct lz_world *w, lz_component_id id, const struct lz_execute_opts *o,
                        struct lz_err *err) LZ_MUST_CHECK;

/*
 * What is wrong with a schema, its rows, and statements that are to be run against them, without
 * a world. True: nothing. `which` says where: 0 the schema, 1 the seed, 2 on the statements.
 */
struct lz_execute_text {
    const char *bytes;
    size_t size;
};
bool lz_execute_check(struct lz_arena *arena, const struct lz_execute_text *texts, size_t count,
                      size_t *which, struct lz_store_fault *out);

static inline bool lz_execute_is_text(const char *op)
{
    return op[0] != '\0';
}

/* For model/data/: a query whose turn has come; answers it, now or when its commit is safe. */
void lz_execute_read(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_execute_write(struct lz_world *w, struct lz_database *d, struct lz_task *t);
/* Its disk has refused: SQLite says what that means. */
void lz_execute_failed(struct lz_world *w, struct lz_database *d, struct lz_task *t, bool is_full);

/* Its process has died; gives how far the disk has the log. */
uint64_t lz_execute_died(struct lz_world *w, struct lz_database *d, uint32_t node, bool silent,
                         uint64_t lsn);
void lz_execute_started(struct lz_world *w, struct lz_database *d, uint32_t node);
void lz_execute_rebuilt(struct lz_world *w, struct lz_database *d, uint32_t node);
bool lz_execute_can_lead(const struct lz_database *d, uint32_t node);

/* The log is about to be cut behind `lsn`: what nodes that follow it have beyond is taken back. */
void lz_execute_rewind(struct lz_database *d, uint64_t lsn);
/* One node's latest commit, at `lsn`, unless its file is without it. */
void lz_execute_take_back(struct lz_database *d, uint32_t node, uint64_t lsn,
                          const struct lz_image *image);

/* For isolate.c: the list of what a run takes back; used again by each. */
struct lz_sql_hidden {
    struct lz_image **all;
    uint32_t cap;
};
struct lz_sql_hidden *lz_execute_hidden(const struct lz_database *d);

struct lz_store *lz_execute_store(const struct lz_database *d, uint32_t node);

#endif
