/*
 * judge.h — what was recorded in a run, against a model; black box against white box.
 *
 * The black box is a checker of verify.h over what clients did and saw. The white box knows from
 * the servers which version each operation wrote or saw. An object's operations in order of their
 * versions, reads after the write they saw, are an order that explains what was seen; if it agrees
 * with real time it proves that the history is linearizable. And a read of a version that another
 * completed write had replaced, in real time, before the read began, proves that it is not. What
 * versions say of other models is in white.h. The two must not contradict each other: if they do,
 * one of the program's own parts is wrong.
 */
#ifndef LZ_CHECK_HISTORY_JUDGE_H
#define LZ_CHECK_HISTORY_JUDGE_H

#include "check/history/verify.h"
#include "model/history/recorder.h"

#define LZ_JUDGE_PARTITIONS "partitions"

struct lz_judge_opts {
    const char *model;       /* of verify.h; LZ_JUDGE_PARTITIONS of a topic */
    const char *consistency; /* of transactions; NULL: strict-serializable */
    const char *column;      /* of a bank in SQL: "accounts.balance" */
    const char *tolerates;   /* of a topic's history, see partitions.h */
    uint64_t steps_max;      /* 0: the default */
};

enum lz_judge_white { LZ_JUDGE_PROVEN, LZ_JUDGE_REFUTED, LZ_JUDGE_NOT_TOLD };

struct lz_judge_result {
    enum lz_verify_answer answer;
    enum lz_judge_white white;
    bool is_contradiction;
    uint32_t operations;
    char anomaly[48]; /* the first kind found; may be empty */
    struct lz_str why, facts;
    lz_time at; /* of what was seen and should not have been; 0: not known */
};

/* `r` is filled in; lz_judge_finish gives its memory back. False: no model fits. */
bool lz_judge_run(const struct lz_world *w, const struct lz_recorder *recorder,
                  const struct lz_judge_opts *opts, struct lz_judge_result *r,
                  struct lz_err *err) LZ_MUST_CHECK;
void lz_judge_finish(struct lz_judge_result *r);

/* Operations that wrote nobody knows what, and may have been seen: with any, nothing is judged. */
uint64_t lz_judge_untold(const struct lz_recorder *recorder);

/* REFUTED: the read, the write it saw, and the one in between that it should have seen. */
struct lz_judge_witness {
    const struct lz_recorder_op *read, *seen, *missed;
};

/* By versions alone, of linearizable registers, a key each. */
enum lz_judge_white lz_judge_by_version(const struct lz_recorder *recorder,
                                        struct lz_judge_witness *out);

/* For those that judge beside it: an operation as the checkers know it, without parts; and whether
 * `key` is among `count` keys in ascending order. */
struct lz_history_op *lz_judge_add_op(struct lz_history *h, const struct lz_recorder_op *op);
bool lz_judge_has_key(const uint64_t *keys, uint32_t count, uint64_t key);

#endif
