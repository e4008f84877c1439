/*
 * statement.h — what a call in SQL carries, and what its answer brings back: blocks of argument.h.
 *
 * A statement is its text and a cell for each parameter, in order, or by name: of the declared
 * form `:key` is the request's key. An answer says how it went and holds the rows, column by
 * column within each row. Both are one block each, whose pointers point into itself.
 */
#ifndef LZ_MODEL_DATA_SQL_STATEMENT_H
#define LZ_MODEL_DATA_SQL_STATEMENT_H

#include "model/data/image.h"
#include "model/service/argument.h"

#define LZ_STATEMENT_BYTES_MAX (1u << 20) /* of its text */
#define LZ_STATEMENT_CELLS_MAX 32766u     /* SQLite's default */
#define LZ_STATEMENT_ANSWER_MAX (64u << 20)

struct lz_sql_statement {
    uint32_t tag; /* tells it from other blocks */
    uint32_t size, count;
    const char *text; /* `size` bytes and a 0 */
    const struct lz_cell *cells;
    uint64_t txn; /* of the caller's open transaction; 0: none */
};

/* Copied into a block; text and cells may be anywhere. */
lz_argument_id lz_statement_make(struct lz_world *w, const struct lz_sql_statement *st);

/* NULL: the block is something else, or none. */
const struct lz_sql_statement *lz_statement_of(const struct lz_world *w, lz_argument_id id);

/*
 * The word that says what it does, in lower case: select, insert, update, delete, create ...
 * Of `with` that of the statement behind; `values` and `explain` count as select. "" for none.
 */
const char *lz_statement_verb(const char *text, size_t size, char out[16]);

struct lz_sql_answer {
    uint32_t tag;
    uint16_t status; /* as of HTTP: 200, 400 a wrong statement, 409 a conflict, 500 the disk */
    bool ok;
    uint32_t columns, rows;
    int64_t changes, last_id;
    const char *code;  /* "constraint", "syntax", ...; "" if ok */
    const char *error; /* a sentence; "" if ok */
    const char *const *names;
    const struct lz_cell *cells; /* rows * columns */
};

const struct lz_sql_answer *lz_statement_answer_of(const struct lz_world *w, lz_argument_id id);

/* An answer as it is made. Keeps its memory from one to the next. */
struct lz_statement_builder {
    struct lz_arena *arena;
    struct lz_sql_answer answer; /* names and cells come from below */
    char error[LZ_ERR_SIZE];
    struct lz_cell *cells; /* bytes: offsets into `bytes` */
    uint32_t cell_count, cell_cap;
    char *bytes;
    uint32_t size, cap;
    uint32_t names[500]; /* offsets */
};

void lz_statement_begin(struct lz_statement_builder *b);
void lz_statement_name(struct lz_statement_builder *b, const char *name); /* of the next column */
bool lz_statement_add(struct lz_statement_builder *b, const struct lz_cell *cell); /* false: full */
void lz_statement_fail(struct lz_statement_builder *b, uint16_t status, const char *code,
                       const char *error);
/* The same rows, or the same failure. */
bool lz_statement_is_same(const struct lz_statement_builder *a,
                          const struct lz_statement_builder *b);

lz_argument_id lz_statement_end(struct lz_statement_builder *b, struct lz_world *w);

#endif
