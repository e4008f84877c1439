/*
 * wire.h — values in a message from a worker to its parent.
 *
 * Both ends are the same program on the same machine, so a message is the values one
 * after another: integers as eight bytes, texts and blobs with their length before them.
 * Reading never trusts a length: the first thing that does not fit makes the reader
 * `broken`, and from then on everything reads as zero and "".
 */
#ifndef LZ_EXPLORE_WIRE_H
#define LZ_EXPLORE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

void lz_wire_put_u64(struct lz_str *out, uint64_t value);
void lz_wire_put_blob(struct lz_str *out, const void *bytes, size_t size);
void lz_wire_put_text(struct lz_str *out, const char *text); /* NULL is kept apart from "" */

struct lz_wire {
    const char *at;
    size_t left;
    bool broken;
};

uint64_t lz_wire_get_u64(struct lz_wire *in);

/* The caller frees both. A blob is never NULL; a text is NULL if it was put as NULL. */
void *lz_wire_get_blob(struct lz_wire *in, size_t *size);
char *lz_wire_get_text(struct lz_wire *in);

#endif
