/*
 * image.h — the rows that one commit changed, as they were and as they are.
 *
 * A log record carries the image of its commit to the replicas, which replay it: they run no
 * query of their own, so what a query drew, read from the clock or chose by itself is the same
 * everywhere (PostgreSQL's logical decoding, MySQL's binlog_format = ROW). Storage that is
 * a map of keys needs none: its record says it all.
 *
 * An image is bytes that its engine alone reads, in a block that counts who holds it: the record
 * in the log, a message on its way, an archive. The last to release it gives it back to the
 * arena. A cell is what SQL knows: null, integer, float, text, bytes.
 */
#ifndef LZ_MODEL_DATA_IMAGE_H
#define LZ_MODEL_DATA_IMAGE_H

#include <stdint.h>

#include "base/arena.h"

struct lz_image {
    struct lz_arena *arena;
    uint32_t holders;
    uint32_t size;
    unsigned char bytes[];
};

/* Of a copy of the bytes; the caller holds it. */
struct lz_image *lz_image_create(struct lz_arena *arena, const void *bytes, size_t size);
struct lz_image *lz_image_hold(struct lz_image *image); /* itself; NULL is allowed */
void lz_image_release(struct lz_image *image);          /* NULL is allowed */

enum lz_cell_kind {
    LZ_CELL_NULL,
    LZ_CELL_INTEGER,
    LZ_CELL_FLOAT,
    LZ_CELL_TEXT, /* UTF-8, not terminated */
    LZ_CELL_BLOB,
};

struct lz_cell {
    uint32_t kind; /* enum lz_cell_kind */
    uint32_t size; /* TEXT and BLOB: bytes */
    union {
        int64_t integer;
        double real;
        const char *bytes; /* whose they are is said by who hands the value out */
    };
};

/* One row: a name and a cell per column. */
struct lz_image_row {
    const char *table;
    const char *const *names;
    const struct lz_cell *cells;
    uint32_t count; /* 0: there is no such row */
};

#endif
