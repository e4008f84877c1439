/*
 * recorder_txn.h — what transactions did and saw, step by step.
 *
 * A transaction is one operation: from the instant its client sends the first statement until it
 * hears what became of COMMIT. `ok` is what COMMIT answered; `fail` what was rolled back, or whose
 * COMMIT was refused with an error that says so (40001, 40P01, ...), or that never said COMMIT;
 * all else is `unknown`. Its steps are what it read and wrote, in order: one for each row, or, in
 * SQL, one for each cell of a row, "accounts[1].balance". A step counts once its client has heard
 * the statement's answer.
 *
 * SQL: written is what the statement's row images say that has changed; of a row that is deleted
 * each cell is nothing. Read is what the answer says: a SELECT tells which cell a value is of if it
 * has the columns of the table's primary key beside it, under whatever name. Of a table that it
 * reads and whose key it does not give, nobody can say what was seen: it is counted as hidden.
 * That a row is not there is not read.
 *
 * White box: each write has the LSN of its commit; a read of a row the LSN of what it saw, and one
 * of SQL the LSN up to which it saw all commits (`is_upto`).
 *
 * Ownership and costs as of recorder.h; a transaction that nobody watches has `recorded` 0.
 */
#ifndef LZ_MODEL_HISTORY_RECORDER_TXN_H
#define LZ_MODEL_HISTORY_RECORDER_TXN_H

#include "model/history/recorder.h"

struct lz_txn;
struct lz_database;

enum lz_recorder_step_f { LZ_RECORDER_STEP_READ, LZ_RECORDER_STEP_WRITE, LZ_RECORDER_STEP_APPEND };

struct lz_recorder_step {
    uint64_t key;
    lz_value value; /* read, written, appended */
    lz_value whole; /* APPEND: what it came to */
    uint64_t version;
    uint32_t next; /* of the same transaction: step + 1 */
    uint8_t f;     /* enum lz_recorder_step_f */
    bool has_version;
    bool is_upto;
    bool is_heard;
};

struct lz_recorder_txn {
    uint64_t begin, end; /* as of struct lz_recorder_op */
    lz_time at, done;
    uint64_t who;
    uint32_t process;
    uint32_t first, last; /* steps, + 1 */
    uint32_t unheard;     /* the first that its client has not heard of, + 1; 0: none */
    uint8_t outcome;      /* enum lz_recorder_outcome */
    bool is_over;         /* its outcome is what it is */
    bool is_committed;    /* the server has it in its log */
    bool is_initial;      /* nobody's: what there was at the beginning, see check/history/units.h */
};

/* For txn.c: its client is done with it. */
void lz_recorder_txn_closed(struct lz_world *w, const struct lz_txn *x);

/* For session.c, of a transaction that is `recorded`. Its statement saw a row. */
void lz_recorder_txn_saw(struct lz_world *w, const struct lz_txn *x, uint64_t key, lz_value value,
                         uint64_t version);
/* What its APPEND came to. */
void lz_recorder_txn_grew(struct lz_world *w, const struct lz_txn *x, lz_value whole);
/* It has committed the key with that LSN. */
void lz_recorder_txn_wrote(struct lz_world *w, const struct lz_txn *x, uint64_t key, uint64_t lsn);

/*
 * For sql/: the cells that a statement read or changed; `x` is NULL for one that is its own
 * transaction. Each is a text such as "accounts[1].balance".
 */
struct lz_task;
bool lz_recorder_txn_wants(const struct lz_world *w, const struct lz_txn *x,
                           const struct lz_task *t);

struct lz_recorder_cell {
    const char *name;
    size_t size;
    lz_value value;
    uint64_t upto; /* a read's; 0 and not `has_upto`: not told */
    bool has_upto;
    bool is_write;
};
void lz_recorder_txn_cell(struct lz_world *w, const struct lz_txn *x, const struct lz_task *t,
                          const struct lz_recorder_cell *cell);
void lz_recorder_txn_hides(struct lz_world *w, const struct lz_txn *x, const struct lz_task *t);
void lz_recorder_txn_runs(struct lz_world *w, const struct lz_task *t); /* by itself, from anew */
/* All that it wrote is committed with that LSN. */
void lz_recorder_txn_committed(struct lz_world *w, const struct lz_txn *x, const struct lz_task *t,
                               uint64_t lsn);

#endif
