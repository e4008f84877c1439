/*
 * seen.h — which offsets of a partition have been worked on: a set of numbers as ranges.
 *
 * Ranges are [from, to), sorted, and neither touch nor overlap. A group that goes on without
 * trouble has one; each crash or rebalance may leave another, until its hole is filled. The arena
 * owns them; there is no maximum but the world's memory.
 */
#ifndef LZ_MODEL_BROKER_SEEN_H
#define LZ_MODEL_BROKER_SEEN_H

#include <stdint.h>

#include "base/arena.h"

struct lz_seen_range {
    uint64_t from, to;
};

struct lz_seen {
    struct lz_arena *arena;
    struct lz_seen_range *ranges;
    uint32_t count, cap;
};

void lz_seen_init(struct lz_seen *s, struct lz_arena *arena);

/* Add [from, to); returns how many of them were there already. */
uint64_t lz_seen_add(struct lz_seen *s, uint64_t from, uint64_t to);

/* How many of [from, to) are not there. */
uint64_t lz_seen_missing(const struct lz_seen *s, uint64_t from, uint64_t to);

/* The first number from `from` on that is not there. */
uint64_t lz_seen_next(const struct lz_seen *s, uint64_t from);

/* Forget what is at `at` and above: another record will have that offset. */
void lz_seen_cut(struct lz_seen *s, uint64_t at);

#endif
