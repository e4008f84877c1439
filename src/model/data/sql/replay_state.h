/* replay_state.h — what taking (capture.c) and replaying (replay.c) row images share. */
#ifndef LZ_MODEL_DATA_SQL_REPLAY_STATE_H
#define LZ_MODEL_DATA_SQL_REPLAY_STATE_H

#include "model/data/sql/replay.h"

/*
 * Of a row: op, length of the table's name, the name, then the number of columns (16 bits), rowid
 * before, rowid after, the row's keys before and after (0: no such row), and the cells: of an
 * update those before, then those after. Of a text: op, its size (32 bits), the text.
 */
enum op { OP_INSERT = 1, OP_UPDATE, OP_DELETE, OP_TEXT };

struct lz_replay_table {
    char *name;
    uint32_t columns;
    const char **names;
    bool *is_key;
    bool has_rowid; /* and no column is it */
    bool by_rowid;  /* how a row is found again */
    int alias;      /* the column that is the rowid; -1: none */
    const char *rowid;
    sqlite3_stmt *insert, *update, *erase, *fetch, *force, *replace;
};

/* A row of an image; good while the function is called that is given it. */
struct lz_replay_row {
    const struct lz_replay_table *table; /* NULL: there is no such table any more */
    uint32_t columns;
    int64_t rowid_before, rowid_after;
    uint64_t key_before, key_after;
    const struct lz_cell *before, *after; /* NULL: there was, or is, none */
};

/* The rows of an image, with the connection open. */
void lz_replay_each_row(struct lz_replay *r, const struct lz_image *image,
                        void (*fn)(void *ctx, const struct lz_replay_row *row), void *ctx);

/* A statement of ours; NULL if SQLite will not have it. */
sqlite3_stmt *lz_replay_prepare(struct lz_replay *r, const char *sql);

/* NULL: there is none, or its rows cannot be images. */
struct lz_replay_table *lz_replay_table_of(struct lz_replay *r, const char *name);

#endif
