/*
 * linear_search.h — an order for the operations of one object; for linear.c only.
 *
 * Wing and Gong's search as Lowe improved it, see linear.h. What is remembered is where the search
 * has been before; a state that it reaches while it gets farther than ever is new for certain, and
 * is not looked up nor remembered. So a state may be entered twice, never more often, and what goes
 * well at first go costs no memory.
 */
#ifndef LZ_CHECK_HISTORY_LINEAR_SEARCH_H
#define LZ_CHECK_HISTORY_LINEAR_SEARCH_H

#include "check/history/linear.h"

struct lz_linear_task {
    const struct lz_linear_model *model;
    const struct lz_linear_world *world;
    const struct lz_linear_op *ops; /* of one object, in order of begin */
    uint32_t count;
    uint64_t steps_max;
};

struct lz_linear_found {
    enum lz_linear_answer answer;
    uint64_t steps;
    uint32_t placed, total; /* of completed operations: at most in order, of how many */
    uint32_t stuck, state;  /* NO: the operation that found no place, and the state before it */
};

void lz_linear_search(const struct lz_linear_task *task, struct lz_linear_found *out);

#endif
