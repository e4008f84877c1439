/*
 * store.h — the `sqlite` engine: one node's SQLite, in the memory of the run.
 *
 * The database lies on a volume (volume.h), in write-ahead mode with synchronous = FULL: each
 * commit is a write of its pages to the log and a flush. Beside the scenario's tables it has one
 * of ours that says which LSN it has; it commits with the rows, so what a disk kept says
 * by itself how far it is. One connection, that only this node has.
 *
 *   run ──▶ its changes are there, uncommitted ──commit(lsn)──▶ image for the log
 *                                              └──undo──▶ as before
 *
 * SQLite has one writer. A statement is run and committed, or undone, within one event;
 * transactions that stay open keep their images beside and have them replayed before their
 * next statement (`pend`), so that any number of them may be open at a time.
 *
 * Foreign keys and triggers work for statements and not for images; where a schema has some, the
 * connection is switched between the two, and its statements are compiled anew.
 */
#ifndef LZ_MODEL_DATA_SQL_STORE_H
#define LZ_MODEL_DATA_SQL_STORE_H

#include "model/data/engine.h"
#include "model/data/sql/library.h"
#include "model/data/sql/replay.h"
#include "model/data/sql/statement.h"
#include "model/data/sql/volume.h"

#define LZ_STORE_CACHE 256u /* prepared statements of a node; a power of two */

struct lz_store_opts {
    struct lz_arena *arena;
    /* Fills time, run key and owner of a scope; NULL: all zero. */
    void (*scope)(void *ctx, struct lz_library_scope *out);
    void *ctx;
};

struct lz_store_cached {
    uint64_t hash, used;
    uint32_t size;
    sqlite3_stmt *st; /* NULL: free */
};

struct lz_store {
    struct lz_engine base; /* first */
    struct lz_store_opts opts;
    struct lz_volume volume;
    struct lz_authorize guard;
    struct lz_replay replay;
    sqlite3 *db; /* NULL: no process has it open */
    sqlite3_stmt *begin, *commit, *rollback, *set_lsn;
    struct lz_store_cached cache[LZ_STORE_CACHE];
    uint64_t uses, lsn;
    bool has_rules; /* triggers or foreign keys */
    bool rules_are_on;
    bool is_open;     /* a statement's changes are there, uncommitted */
    bool was_altered; /* by the statement that runs */
};

/* Where in a text of SQL something is wrong. */
struct lz_store_fault {
    size_t at; /* byte */
    char text[320];
};

void lz_store_init(struct lz_store *s, const struct lz_store_opts *opts);
void lz_store_finish(struct lz_store *s);

/* Run a text of any number of statements and commit it all, at LSN 0. False: and where it failed.
 */
bool lz_store_load(struct lz_store *s, const char *sql, size_t size, struct lz_store_fault *out);

/* Compile only. */
bool lz_store_check(struct lz_store *s, const char *sql, size_t size, struct lz_store_fault *out);

/* What is run: owner and counter are of its draws. */
struct lz_store_run {
    const struct lz_sql_statement *statement;
    uint64_t key; /* for a parameter :key that has no cell */
    uint64_t owner, counter;
    bool reads_only;                 /* a standby: what would write is refused */
    struct lz_image *const *pending; /* of the transaction it belongs to, in order */
    uint32_t pending_count;
    /* Of commits that nobody sees yet, in order: taken back while it runs. What such a statement
       changes can only be set aside. A change of the schema is seen at once. */
    struct lz_image *const *hidden;
    uint32_t hidden_count;
};

/*
 * Run it; what it answers goes to `out`. False: it failed, `out` says how, and nothing has
 * changed. True and `s->is_open`: it wants to be committed or undone.
 */
bool lz_store_run(struct lz_store *s, const struct lz_store_run *run,
                  struct lz_statement_builder *out);

/*
 * The tables that a statement names; `is_point` if it looks for rows by one rowid alone. It is
 * compiled for that, with what is open left as it is.
 */
void lz_store_look(struct lz_store *s, const struct lz_sql_statement *st,
                   struct lz_authorize_touch *out, bool *is_point);

/* The rows that the open statement has changed, as keys for locks. */
const uint64_t *lz_store_keys(const struct lz_store *s, uint32_t *count);

/* What the open statement changed, which is undone: for a transaction that stays open. */
struct lz_image *lz_store_set_aside(struct lz_store *s);

/*
 * Commit it; the caller holds the image. NULL: it failed, nothing has changed, and `out` says how,
 * unless `out` is NULL.
 */
struct lz_image *lz_store_commit(struct lz_store *s, uint64_t lsn,
                                 struct lz_statement_builder *out);
void lz_store_undo(struct lz_store *s);

/* The latest commit, whose image it is, is undone: its old rows come back. A change of the schema
   stays. False: the rows are not those the commit left. */
bool lz_store_take_back(struct lz_store *s, const struct lz_image *image);

/* One image of several, in their order; the caller holds it. */
struct lz_image *lz_store_join(struct lz_arena *arena, struct lz_image *const *all, uint32_t count);

/* A transaction's images, replayed and committed as one. NULL: as above. */
struct lz_image *lz_store_commit_all(struct lz_store *s, struct lz_image *const *pending,
                                     uint32_t count, uint64_t lsn,
                                     struct lz_statement_builder *out);

/* The process ends; with `power` the disk keeps what it kept. What is there is read again when
   the store is next used. */
void lz_store_close(struct lz_store *s, bool power);

/* After that: read what is there. False: it is not whole, and why. */
bool lz_store_recover(struct lz_store *s, struct lz_err *out);

#endif
