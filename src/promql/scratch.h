/*
 * scratch.h — memory of one evaluation: handed out in a row, given back all at once.
 *
 * It lies in an arena, in chunks that are made one, a little larger, for the next evaluation: a
 * rule that is evaluated every 15 s takes about what its largest evaluation took and no more. What
 * is larger than LZ_PROMQL_SCRATCH_KEPT is given back in between.
 */
#ifndef LZ_PROMQL_SCRATCH_H
#define LZ_PROMQL_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define LZ_PROMQL_SCRATCH_KEPT ((size_t)16 << 20)

struct lz_promql_chunk;

struct lz_promql_scratch {
    struct lz_arena *arena;
    struct lz_promql_chunk *first, *now;
    size_t used;  /* of `now` */
    size_t total; /* of all chunks */
};

void lz_promql_scratch_init(struct lz_promql_scratch *s, struct lz_arena *arena);
void lz_promql_scratch_finish(struct lz_promql_scratch *s);

/* Nothing that was handed out may be used any more. */
void lz_promql_scratch_reset(struct lz_promql_scratch *s);

/* Zeroed, aligned for anything. */
void *lz_promql_scratch_alloc(struct lz_promql_scratch *s, size_t size);

/* A copy of `len` bytes, with a NUL behind. */
char *lz_promql_scratch_text(struct lz_promql_scratch *s, const char *text, size_t len);

/* Room for `need` items of `size` bytes, as lz_grow; an array that grows leaves its old place. */
void *lz_promql_scratch_grow(struct lz_promql_scratch *s, void *items, uint32_t *cap, uint32_t need,
                             size_t size);

#endif
