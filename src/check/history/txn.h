/*
 * txn.h — what the checkers of transactions share; for check/ only.
 *
 * A write is known by key and value: a history in which one value is written twice to a key
 * cannot tell whose a read saw, and is answered "unknown".
 */
#ifndef LZ_CHECK_HISTORY_TXN_H
#define LZ_CHECK_HISTORY_TXN_H

#include "check/history/depend.h"
#include "check/history/verify.h"

struct lz_txn_write {
    lz_atom key, value;
    uint32_t op;
    bool is_last; /* of its transaction, to that key */
    bool is_seen; /* an append that some read shows */
};

struct lz_txn_writes {
    struct lz_txn_write *all; /* by key, then value */
    uint32_t count;
};

/* All writes (or appends, as `f` says); false if two are the same: told in `v`. */
bool lz_txn_writes(struct lz_verify *v, enum lz_history_f f, struct lz_txn_writes *out);
void lz_txn_writes_finish(struct lz_txn_writes *writes);
const struct lz_txn_write *lz_txn_writer(const struct lz_txn_writes *writes, lz_atom key,
                                         lz_atom value);

/* Those of one key are `*count` from the result on. */
const struct lz_txn_write *lz_txn_writes_of(const struct lz_txn_writes *writes, lz_atom key,
                                            uint32_t *count);

/* A sentence about an operation, for the first anomaly of its kind. */
void lz_txn_found(struct lz_verify *v, const char *anomaly, const struct lz_history_op *op,
                  lz_atom key, lz_atom value, const char *what);

/*
 * The value that a read saw of another transaction: unwritten, aborted, intermediate? These are
 * told. Returns its writer, or NULL if there is none to be relied on.
 */
const struct lz_txn_write *lz_txn_saw(struct lz_verify *v, const struct lz_txn_writes *writes,
                                      uint32_t reader, lz_atom key, lz_atom value);

/*
 * With all ww, wr and rw edges in `d`: add sessions and real time, look for every class of
 * cycle, and answer by the level of consistency that is asked for.
 */
bool lz_txn_judge(struct lz_verify *v, struct lz_depend *d, struct lz_err *err);

/* weak.c: the level ("read-committed", "read-atomic", "causal"), or NULL. */
const char *lz_weak_level(const char *consistency);
bool lz_weak_check(struct lz_verify *v, const char *level, struct lz_err *err);

/* Models of verify.c's table. */
bool lz_txn_append_check(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_txn_register_check(struct lz_verify *v, const struct lz_verify_model *m,
                           struct lz_err *err);
bool lz_guarantee_check(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_guarantee_convergence(struct lz_verify *v, const struct lz_verify_model *m,
                              struct lz_err *err);
bool lz_tally_bank(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_tally_counter(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_tally_fork(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_tally_ids(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_tally_queue(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_tally_set(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);
bool lz_tally_set_full(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err);

#endif
