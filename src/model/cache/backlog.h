/*
 * backlog.h — the latest writes of a primary, in order, for those who copy it.
 *
 * Records are known by their offset, 1 for the first; the oldest are forgotten when there are more
 * than fit (Redis' repl-backlog-size). Messages may overtake each other: what has arrived out of
 * order at a replica is marked, and the offset up to which a replica has everything moves on when
 * the gap is closed.
 */
#ifndef LZ_MODEL_CACHE_BACKLOG_H
#define LZ_MODEL_CACHE_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/cache/keyspace.h"

#define LZ_BACKLOG_RECORDS 16384u /* a power of two */

struct lz_record {
    struct lz_put put;
    uint64_t arrived; /* a bit for each node */
    bool removes;
    bool acked; /* its client was told that it is done */
};

struct lz_backlog {
    struct lz_arena *arena;
    struct lz_record *records; /* a ring; NULL until the first */
    uint64_t first;            /* offset before the oldest that is known */
    uint64_t final;            /* of the latest */
};

/* Empty; what comes next has the offset after `final`. */
void lz_backlog_begin(struct lz_backlog *b, struct lz_arena *arena, uint64_t final);
uint64_t lz_backlog_append(struct lz_backlog *b, const struct lz_record *record);

/* NULL if it is not known, or not any more. */
struct lz_record *lz_backlog_get(const struct lz_backlog *b, uint64_t offset);

/* `node`, which has everything up to `have`, got one more: up to where it has everything now. */
uint64_t lz_backlog_arrived(struct lz_backlog *b, uint32_t node, uint64_t have, uint64_t offset);

/* Records after `offset` whose clients believe in them. */
uint64_t lz_backlog_acked_after(const struct lz_backlog *b, uint64_t offset);

#endif
