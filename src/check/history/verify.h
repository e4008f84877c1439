/*
 * verify.h — a history against a model of what it may look like, and the answer.
 *
 * Black-box checking: only what clients did and saw is known (history.h). Three answers: the
 * history is as the model says, it is not, or it does not tell (nothing was read, a search used
 * its budget, two writes cannot be told apart).
 *
 *   linear_models.c  objects that are linearizable
 *   txn_append.c     transactions that append to lists
 *   txn_register.c   transactions that read and write registers
 *   weak.c           ... below snapshots: read committed, read atomic, causal
 *   guarantee.c      what one client may rely on; whether all come to agree
 *   partitions.c     a topic's log
 *   tally.c          sets, counters, accounts, ids, queues
 *
 * A new model is a function and a row in verify.c.
 */
#ifndef LZ_CHECK_HISTORY_VERIFY_H
#define LZ_CHECK_HISTORY_VERIFY_H

#include "check/history/history.h"

enum lz_verify_answer { LZ_VERIFY_HOLDS, LZ_VERIFY_VIOLATED, LZ_VERIFY_UNKNOWN };

struct lz_verify_opts {
    const char *consistency; /* of transactions; NULL: strict-serializable */
    const char *initial; /* of registers: a number, "nil" or a text; NULL: as the format has it */
    uint64_t steps_max;  /* of one object's search; 0: LZ_LINEAR_STEPS_MAX */
    bool has_total;      /* of a bank; default what the first read saw */
    int64_t total;
    bool negative;         /* a bank's accounts may be below 0 */
    const char *tolerates; /* of a topic, see partitions.h */
};

#define LZ_VERIFY_ANOMALIES_MAX 24 /* kinds of them that are told */

struct lz_verify_anomaly {
    const char *name; /* "G-single", "lost-update" */
    uint32_t count;
};

struct lz_verify {
    const struct lz_verify_opts *opts;
    struct lz_history *h;
    enum lz_verify_answer answer;
    struct lz_verify_anomaly anomalies[LZ_VERIFY_ANOMALIES_MAX];
    uint32_t anomaly_count;
    struct lz_str why;   /* sentences, a line each: the first of each kind */
    struct lz_str facts; /* what was looked at: "74 operations on 1 object" */
};

struct lz_verify_model {
    const char *name;
    const char *doc;
    bool (*check)(struct lz_verify *v, const struct lz_verify_model *model, struct lz_err *err);
};

/* The models; NULL past the end, or if there is none of the name. */
const struct lz_verify_model *lz_verify_model(size_t i);
const struct lz_verify_model *lz_verify_find(const char *name);

/* Levels of consistency for transactions, weakest first; NULL past the end. */
const char *lz_verify_consistency(size_t i);

/*
 * Check. `v` is filled in; lz_verify_finish gives its memory back. False: the history is not
 * one for the model, or an option has an unknown value.
 */
bool lz_verify_run(struct lz_verify *v, const struct lz_verify_model *model, struct lz_history *h,
                   const struct lz_verify_opts *opts, struct lz_err *err) LZ_MUST_CHECK;
void lz_verify_finish(struct lz_verify *v);

/*
 * For checkers: one more anomaly of a kind. True if it is the first: then `why` wants telling.
 * Names are constants. The answer stays as it is.
 */
bool lz_verify_found(struct lz_verify *v, const char *name);
bool lz_verify_has(const struct lz_verify *v, const char *name);

#endif
