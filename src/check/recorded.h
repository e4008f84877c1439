/*
 * recorded.h — an expectation about what clients did and saw: the history of a component.
 *
 * It has the component's calls recorded (model/history/recorder.h) and is judged once, at the end.
 */
#ifndef LZ_CHECK_RECORDED_H
#define LZ_CHECK_RECORDED_H

#include "check/check.h"

/* What a history is expected to be. */
struct lz_recorded_opts {
    const char *model;                    /* of check/history/verify.h */
    const char *consistency;              /* of transactions; NULL: "serializable" */
    const char *tolerates;                /* of a topic, see history/partitions.h */
    const char *column;                   /* of accounts in SQL */
    const char *word;                     /* as the scenario says it: "linearizable" */
    const char *adds, *reads, *generates; /* of a service: its operations, a line each; or NULL */
    bool per_key;                         /* of a service: each key is an object */
    uint64_t steps_max;                   /* of the search, per key; 0: the default */
};

/* Before the run; `opts->history` and `opts->of` say what. All are copied. */
bool lz_recorded_expect(struct lz_checks *c, const struct lz_expect_opts *opts, lz_expect_id *id,
                        struct lz_err *err) LZ_MUST_CHECK;

#endif
