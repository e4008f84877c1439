/*
 * history_read_parts.h — what an operation of a history did: its words and values, as Jepsen's
 * tests write them, as parts.
 */
#ifndef LZ_CHECK_HISTORY_HISTORY_READ_PARTS_H
#define LZ_CHECK_HISTORY_HISTORY_READ_PARTS_H

#include "check/history/history.h"
#include "check/history/value.h"

/* What was asked for; what is not there is nil. */
struct lz_history_asked {
    struct lz_value f, value, key;
    uint32_t client; /* of the caller's instances, plus 1; 0: not known */
};

/* The parts of an operation, from what was asked and, if it completed, what came back (else NULL).
 */
bool lz_history_read_parts(struct lz_history *h, uint32_t op_index,
                           const struct lz_history_asked *asked, const struct lz_value *back,
                           struct lz_err *err) LZ_MUST_CHECK;

/* False: nobody knows that f. */
bool lz_history_read_unknown(const struct lz_value *f, uint32_t line,
                             struct lz_err *err) LZ_MUST_CHECK;

/* Equal values are equal atoms. */
lz_atom lz_history_read_atom(struct lz_history *h, const struct lz_value *v);

#endif
