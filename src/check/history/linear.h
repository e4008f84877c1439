/*
 * linear.h — is a history linearizable?
 *
 * Herlihy and Wing (1990): each operation seems to take effect at one instant between its
 * invocation and its completion. The search is Wing and Gong's (1993) as Lowe improved it
 * (Testing for Linearizability, 2017): operations that may come next are tried in turn on a
 * sequential model, and a state of the search that was seen before is not entered again. What
 * is remembered is 128 bits of hash of the set of placed operations and the model's state: two
 * different ones are taken for one with probability below n^2 / 2^128.
 *
 * Four shortcuts, each sound:
 *   - an operation that never changes the state (a read) is placed as soon as it is legal;
 *   - of unknown outcomes that do the same, the one invoked first is placed first;
 *   - a write of unknown outcome to a register whose value nobody saw is left out: in an order that
 *     has it, whatever follows it overwrites it or has not looked;
 *   - objects that do not share state are checked one by one (locality).
 *
 * An operation of unknown outcome may be placed at any time after its invocation, or never. A
 * failed one is left out. The answer is unknown when an object's search has used its budget of
 * steps; steps are counted, not timed, so the answer is the same everywhere.
 */
#ifndef LZ_CHECK_HISTORY_LINEAR_H
#define LZ_CHECK_HISTORY_LINEAR_H

#include "check/history/history.h"

#define LZ_LINEAR_STEPS_MAX 50000000u /* per object, by default */

/* One operation as a model sees it. */
struct lz_linear_op {
    int64_t begin, end;
    uint32_t index; /* of the history's operation */
    uint32_t part_first, part_count;
    uint8_t f;
    bool is_known;
    bool is_pending; /* its outcome is unknown */
    bool is_pure;    /* it never changes a state */
    lz_atom value, value_b;
};

/* States of a model are numbers; those that are not plain atoms are interned texts of bytes. */
struct lz_linear_states;
uint32_t lz_linear_intern(struct lz_linear_states *states, const void *bytes, size_t size);
const void *lz_linear_bytes(const struct lz_linear_states *states, uint32_t state, size_t *size);

struct lz_linear_world {
    const struct lz_history *h;
    struct lz_linear_states *states;
};

struct lz_linear_model {
    const char *name;
    const char *doc;
    bool by_key; /* each key is an object */
    uint32_t (*first)(const struct lz_linear_world *w);
    /* May `op` come next in `state`? Then `*next` is the state after it. */
    bool (*step)(const struct lz_linear_world *w, uint32_t state, const struct lz_linear_op *op,
                 uint32_t *next);
    void (*show)(const struct lz_linear_world *w, uint32_t state, struct lz_str *out);
    unsigned parts; /* bits of lz_history_f that it knows; others are an error */
    bool is_txn;    /* operations of several parts are one step */
    bool forgets;   /* a write of unknown outcome that nobody saw need not have been */
};

/* The models: register, cas-register, multi-register, kv, mutex, queue. NULL past the end. */
const struct lz_linear_model *lz_linear_model(size_t i);

enum lz_linear_answer { LZ_LINEAR_YES, LZ_LINEAR_NO, LZ_LINEAR_UNKNOWN };

struct lz_linear_result {
    enum lz_linear_answer answer;
    uint32_t objects, operations;
    uint64_t steps;
    lz_atom key;            /* NO, UNKNOWN: of such an object */
    uint32_t placed, total; /* NO: of that object's completed operations, at most */
    uint32_t stuck;         /* NO: the operation that found no place: index in the history */
};

/*
 * Check. `why`, if not NULL, is given sentences about an object that is not linearizable.
 * False: the history has operations that the model does not know.
 */
bool lz_linear_check(const struct lz_linear_model *model, const struct lz_history *h,
                     uint64_t steps_max, struct lz_linear_result *result, struct lz_str *why,
                     struct lz_err *err) LZ_MUST_CHECK;

#endif
