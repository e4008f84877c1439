/*
 * replay.h — row images of SQLite: taken by its preupdate hook, replayed by prepared statements.
 *
 * An image is the rows of one commit in the order they were changed, each as it was and as it is,
 * or the text of a statement that changed the schema, which replicas run themselves. A
 * session object per transaction would cost thirty times as much (a row: 0.24 us against
 * 16 us, its application 22 us).
 *
 * A row is found again by its primary key, or by its rowid where the key is the rowid or there is
 * none; rowids are kept as they were wherever they are free. It *matches* if all of it is as it
 * was before the change: what is compared is the old image, in the WHERE of the statement that
 * replays it. A row that does not match is a conflict, for engine.h's rule.
 *
 * Generated columns are refused when a table is first changed: an image could not say which of
 * them are to be written.
 *
 * Triggers and foreign keys are off while an image is replayed: what they did is in it.
 */
#ifndef LZ_MODEL_DATA_SQL_REPLAY_H
#define LZ_MODEL_DATA_SQL_REPLAY_H

#include <sqlite3.h>

#include "model/data/engine.h"
#include "model/data/sql/authorize.h"

struct lz_replay_table;

struct lz_replay {
    struct lz_arena *arena;
    struct lz_authorize *guard;
    sqlite3 *db;
    struct lz_replay_table *tables;
    uint32_t table_count, table_cap;
    unsigned char *bytes; /* the image that is being taken */
    uint32_t size, cap;
    uint64_t *keys; /* of the rows in it: equal for equal rows of a node */
    uint32_t key_count, key_cap;
    struct lz_cell *cells; /* of the row that is replayed: old, then new */
    uint32_t cell_cap;
    bool takes;
    bool failed; /* an image could not be taken */
};

void lz_replay_init(struct lz_replay *r, struct lz_arena *arena, struct lz_authorize *guard);
void lz_replay_open(struct lz_replay *r, sqlite3 *db);
void lz_replay_close(struct lz_replay *r);  /* before the connection is closed */
void lz_replay_forget(struct lz_replay *r); /* the schema has changed */

/* From now on changes are taken; forgets those before. */
void lz_replay_take(struct lz_replay *r);
void lz_replay_stop(struct lz_replay *r);
/*
 * A table has got another column: its rows are written anew. Of a row that was written before,
 * SQLite's hook would say that the column was null, whatever its default is.
 */
void lz_replay_rewrite(struct lz_replay *r);
void lz_replay_take_text(struct lz_replay *r, const char *text, size_t size);

/* What was taken; NULL: nothing. The caller holds it. */
struct lz_image *lz_replay_image(const struct lz_replay *r);

/* Within a transaction of the connection. False: SQLite's own error, such as a full disk. */
bool lz_replay_apply(struct lz_replay *r, const struct lz_image *image,
                     struct lz_conflicts *conflicts);

/* The other way round: from the last row to the first, each as it was before. */
bool lz_replay_take_back(struct lz_replay *r, const struct lz_image *image,
                         struct lz_conflicts *conflicts);

/* Does it change the schema? */
bool lz_replay_has_text(const struct lz_image *image);

/* The keys of the rows in it; needs no connection. */
void lz_replay_each_key(const struct lz_image *image, void (*fn)(void *ctx, uint64_t key),
                        void *ctx);

#endif
