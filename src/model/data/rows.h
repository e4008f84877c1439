/*
 * rows.h — a row map: key to version and value, for databases that are about rate and not SQL.
 *
 * The version of a row is the LSN of the write that made it; 0 means "no such row", and may be put
 * to say so. Its value is 64 bits that the write said, or its version as a value (value.h) when it
 * said none.
 *
 * Keys that follow one another lie side by side: most databases here are written to by ordinals of
 * requests, and a row at a random place would be a page touched for each. 256 consecutive keys are
 * a *group*; a hash table by linear probing leads to groups, and in a group a row has the place of
 * the low bits of its key, or the next one that is free. A group grows by doubling from the single
 * row that lies in the table itself to all 256, which then have a place of their own each.
 *
 *   groups  [ 7 │ · │ 0 │ 1 │ · ]         keys 0 .. 255, 256 .. 511, one of 1792 .. 2047
 *             row     │   └▶ [512][513] · [515]
 *                     └▶ [0][1][2] .. [255]
 *
 * Where no write says a value, all that has to be kept of a row of such a group is its version: the
 * group is *lean*, 8 bytes a row in place of 24, from its 49th row on and until a row has a value.
 */
#ifndef LZ_MODEL_DATA_ROWS_H
#define LZ_MODEL_DATA_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define LZ_ROWS_AHEAD 4 /* records whose rows are fetched while one is applied */

struct lz_mvcc;

struct lz_rows {
    struct lz_arena *arena;
    struct lz_mvcc *past; /* where what is replaced is kept for snapshots; NULL: nowhere */
    struct lz_row_group *groups;
    struct lz_row_group *latest;     /* one that was put into lately; NULL: none */
    uint32_t group_count, group_cap; /* the latter a power of two, or 0 */
    uint32_t count;                  /* rows, and those that say that there is none */
    size_t bytes;                    /* of rows outside of the table */
};

void lz_rows_init(struct lz_rows *r, struct lz_arena *arena);
void lz_rows_put(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value);

/* An older version again: what replaced it is gone, and for nobody the past. */
void lz_rows_put_back(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value);
void lz_rows_fetch(const struct lz_rows *r, uint64_t key);   /* into the cache: it will be put */
uint64_t lz_rows_get(const struct lz_rows *r, uint64_t key); /* its version; 0: no such row */

/* Its version, and its value by `value`, which is 0 if there is no such row. */
uint64_t lz_rows_read(const struct lz_rows *r, uint64_t key, uint64_t *value);

static inline bool lz_rows_is_empty(const struct lz_rows *r)
{
    return r->group_cap == 0;
}

/* One row after another, in no order that may matter: `at` begins at 0. False at the end. */
bool lz_rows_next(const struct lz_rows *r, uint64_t *at, uint64_t *key, uint64_t *version);

size_t lz_rows_bytes(const struct lz_rows *r);

/* Make `r` equal to `from`. */
void lz_rows_copy(struct lz_rows *r, const struct lz_rows *from);
void lz_rows_finish(struct lz_rows *r);

/* Equal for equal rows, whatever order they came in; a row that is not there counts nothing. */
uint64_t lz_rows_hash(const struct lz_rows *r);

#endif
