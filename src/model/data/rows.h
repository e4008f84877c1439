/*
 * rows.h — a row map: key to version and value, for databases that are about rate and not SQL.
 *
 * Open addressing with linear probing over 24-byte entries. The version of a row is the
 * LSN of the write that made it; 0 means "no such row", and may be put to say so. Its value is
 * 64 bits that the write said, or its version when it said none.
 */
#ifndef LZ_MODEL_DATA_ROWS_H
#define LZ_MODEL_DATA_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct lz_mvcc;

struct lz_rows {
    struct lz_arena *arena;
    struct lz_mvcc *past; /* where what is replaced is kept for snapshots; NULL: nowhere */
    struct lz_row *rows;
    uint32_t count, cap; /* cap is a power of two, or 0 */
};

void lz_rows_init(struct lz_rows *r, struct lz_arena *arena);
void lz_rows_put(struct lz_rows *r, uint64_t key, uint64_t version, uint64_t value);
uint64_t lz_rows_get(const struct lz_rows *r, uint64_t key); /* its version; 0: no such row */

/* Its version, and its value by `value`, which is 0 if there is no such row. */
uint64_t lz_rows_read(const struct lz_rows *r, uint64_t key, uint64_t *value);

/* One row after another, in no order that may matter: `at` begins at 0. False at the end. */
bool lz_rows_next(const struct lz_rows *r, uint32_t *at, uint64_t *key, uint64_t *version);

size_t lz_rows_bytes(const struct lz_rows *r);

/* Make `r` equal to `from`. */
void lz_rows_copy(struct lz_rows *r, const struct lz_rows *from);
void lz_rows_finish(struct lz_rows *r);

/* Equal for equal rows, whatever order they came in; a row that is not there counts nothing. */
uint64_t lz_rows_hash(const struct lz_rows *r);

#endif
