/*
 * units.h — what was recorded of a component, as transactions.
 *
 * A unit is a transaction of a database (recorder_txn.h) or, outside of one, what one request of a
 * handler did. Its steps are in the order they were made; a step that its client has not heard of
 * is not one, what certainly did not happen neither. Units are in order of begin, so that a unit's
 * index is that of its operation in the history that is made of them.
 *
 * Transactions that only append and read are histories of lists, as Elle wants them; others of
 * registers, in which an append is a write of all the list. What a transaction wrote that certainly
 * failed is left out where another wrote the same: it was tried again, with what it had to write. A
 * key that was deleted once is left out of registers: nothing would then be a value that several
 * wrote.
 */
#ifndef LZ_CHECK_HISTORY_UNITS_H
#define LZ_CHECK_HISTORY_UNITS_H

#include "check/history/history.h"
#include "check/history/verify.h"
#include "check/history/white.h"
#include "model/history/recorder_txn.h"

struct lz_units_one {
    uint64_t begin, end;
    uint32_t process;
    uint32_t first, count; /* steps */
    uint8_t outcome;       /* enum lz_recorder_outcome */
    bool is_committed;     /* its server has its writes */
    bool is_repeated;      /* it took effect more than once, or was tried again */
    bool is_initial;       /* what there was at the beginning */
};

struct lz_units {
    const struct lz_recorder *r;
    struct lz_units_one *all;
    uint32_t count, cap;
    struct lz_recorder_step *steps;
    uint32_t step_count, step_cap;
    bool are_lists;
    bool has_unknown; /* a transaction may have written, and its server does not say that it has */
};

/*
 * A recorder in which what SQL leaves unsaid is said: a read that saw all commits up to one has the
 * version of its key that this is, and what the tables held at the beginning was written by one
 * more transaction, before all others. lz_units_complete_finish gives it back.
 */
void lz_units_complete(const struct lz_recorder *r, struct lz_recorder *out);
void lz_units_complete_finish(const struct lz_recorder *r, struct lz_recorder *out);

/* Memory is malloc's; lz_units_finish gives it back. */
void lz_units_make(struct lz_units *u, const struct lz_recorder *r);
void lz_units_finish(struct lz_units *u);

/* The history that its clients could tell. */
void lz_units_history(const struct lz_units *u, const struct lz_world *w, struct lz_history *h);

/*
 * A recorder whose transactions are single operations, one for each key they read or wrote, of the
 * time of all of it: for models that know no transactions. lz_units_flat_finish gives it back.
 */
void lz_units_flatten(const struct lz_recorder *r, struct lz_recorder *out);
void lz_units_flat_finish(struct lz_recorder *out);

/*
 * What the servers' versions say: which unit wrote before, read of and was overwritten by which
 * (Adya's direct serialization graph). PROVEN: all is told, and no cycle is there that the level of
 * consistency forbids. REFUTED: there is one; `v` explains it, over `h`, which lz_units_history has
 * made. lz_verify_finish gives `v` back.
 */
enum lz_judge_white lz_units_judge(const struct lz_units *u, const struct lz_world *w,
                                   struct lz_history *h, const struct lz_verify_opts *opts,
                                   struct lz_verify *v);

/*
 * Accounts that must add up: the history of the transactions that read all of them, and whether the
 * servers' versions prove that each saw what was there after some commit, and that commits keep the
 * total. `column`, "accounts.balance", says what they are in SQL. Gives how many accounts there
 * are.
 */
uint32_t lz_units_bank(const struct lz_units *u, const struct lz_world *w, const char *column,
                       struct lz_history *h);
enum lz_judge_white lz_units_bank_judge(const struct lz_units *u, const struct lz_world *w,
                                        const char *column);

/* Two units read one version of a key, and both replaced it: their clients could see that too. */
bool lz_units_lose_updates(const struct lz_units *u);

/* What other units can see of step `at`: the last that its unit wrote to the key, or a read before
 * it wrote there. */
bool lz_units_is_external(const struct lz_recorder_step *steps, uint32_t count, uint32_t at);

/* "3,17,4", what appends made of a key: each element by itself. */
void lz_units_list(struct lz_history *h, const struct lz_world *w, struct lz_history_part *p,
                   lz_value list);

/* So many processes, named by their numbers. */
void lz_units_processes(struct lz_history *h, uint32_t count);

/* Of the history's keys and values, as the recorder has them. */
lz_atom lz_units_key(struct lz_history *h, const struct lz_world *w, const struct lz_recorder *r,
                     uint64_t key);
lz_atom lz_units_value(struct lz_history *h, const struct lz_world *w, lz_value v);

#endif
