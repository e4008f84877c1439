/*
 * past.h — what lies behind the worlds of a tree: who has which copy in its past.
 *
 * A *history* is what a branch did since it began, or since it went back, then what its parent had
 * done up to there (tree.h). A copy is in the past of a branch if its node is in that history and
 * its number is not above what of the node belongs to it.
 *
 *   node 0   ──1──2──3──4──5        main
 *   node 1         └──6──7          a: 1, 2, 6, 7
 *
 * The *gap* at a copy is what would have to be run again from there to what follows it in a
 * history: the next copy, or where the branch stands. Of those that share a copy the one with the
 * larger gap counts.
 */
#ifndef LZ_REPL_PAST_H
#define LZ_REPL_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "repl/tree.h"

/* Does the history of `node` have what was done in `whose` as number `order`? */
bool lz_past_has(const struct lz_tree *t, uint32_t whose, uint64_t order, uint32_t node);

/* Has any branch? */
bool lz_past_is_reachable(const struct lz_tree *t, uint32_t whose, uint64_t order);

/* The latest copy in the past of the current branch that is not after `at`; the count: none. */
uint32_t lz_past_nearest(const struct lz_tree *t, lz_time at);

/* What has happened since that copy of the current world; and whether it is enough for another. */
struct lz_past_since {
    uint64_t events;
    lz_time span;
};
struct lz_past_since lz_past_since(const struct lz_tree *t);
bool lz_past_is_due(const struct lz_tree *t);

/* The number of the last thing in the current history that is not after `at`. */
uint64_t lz_past_last(const struct lz_tree *t, lz_time at);

/* The copies in the past of the current branch, first to last; `out` has room for all there are. */
uint32_t lz_past_list(const struct lz_tree *t, uint32_t *out);

/* The largest gap of the current branch, in events. */
uint64_t lz_past_gap(const struct lz_tree *t);

/*
 * Of the copies that may go the one whose going leaves the smallest gap; the count: none may. Those
 * that may not are the first of each world and the one that was taken last. `ctx` is the tree.
 */
uint32_t lz_past_least_missed(const void *ctx);

#endif
