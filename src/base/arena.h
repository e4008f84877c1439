/*
 * arena.h — the memory of one universe.
 *
 * A universe is one simulated run: its kernel, its model and its Lua state.
 * All three allocate here and nowhere else, so that ending a run is one
 * munmap, a memory budget is one number, and addresses repeat: the arena is
 * mapped at a fixed address whose base is a multiple of 4 GiB, because Lua
 * hashes the low 32 bits of addresses.
 *
 * Small sizes come from free lists by size class, large ones from runs of
 * pages; freed memory is reused in LIFO order. The same calls in the same
 * order give the same offsets from the base.
 *
 * Invariants:
 *   (1) every pointer handed out is 16-byte aligned;
 *   (2) used <= limit;
 *   (3) nothing here depends on the address it was mapped at.
 *
 * Ownership: the arena owns all of it. Freeing is optional.
 */
#ifndef LZ_BASE_ARENA_H
#define LZ_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LZ_ARENA_SLOTS 8 /* universes that may live at once in one process */

struct lz_arena;

struct lz_arena_opts {
    unsigned slot;      /* which fixed address, below LZ_ARENA_SLOTS */
    size_t limit_bytes; /* memory budget; 0 means 4 GiB */
};

/* Called when the budget is used up; must not return (it leaves the process or longjmps). */
typedef void lz_arena_full_fn(void *ctx, size_t used_bytes, size_t limit_bytes);

/* Map an empty arena. False if the address range is taken or memory is refused. */
bool lz_arena_create(const struct lz_arena_opts *opts, struct lz_arena **out,
                     struct lz_err *err) LZ_MUST_CHECK;

/*
 * How many bytes from the arena's beginning are in use or have been. 0 if that cannot be said:
 * the memory was once nearly used up.
 */
size_t lz_arena_extent(const struct lz_arena *arena);

/*
 * What is free between blocks stays so: what is made from here on lies together, after them. For
 * an image, of which a block in a hole would have a page copied.
 */
void lz_arena_settle(struct lz_arena *arena);

/*
 * What an arena held at one moment, for others to begin with: a file in memory, of which an arena
 * copies only the pages that it writes to. NULL if the extent cannot be said. It is its caller's,
 * and outlives every arena that began with it.
 */
struct lz_arena_image *lz_arena_image_create(const struct lz_arena *arena);
void lz_arena_image_destroy(struct lz_arena_image *image); /* NULL is allowed */
size_t lz_arena_image_size(const struct lz_arena_image *image);

/*
 * Like create, with what an arena of the same slot held when `image` was made. The budget may be
 * another one, not below the image's size; nobody is told when it is used up.
 */
bool lz_arena_revive(const struct lz_arena_opts *opts, const struct lz_arena_image *image,
                     struct lz_arena **out, struct lz_err *err) LZ_MUST_CHECK;

/*
 * Give everything back. NULL is allowed. A small one's pages are kept for the next of the same
 * slot and budget, which finds them as if they were new: making them anew took a third of a
 * small universe's time.
 */
void lz_arena_destroy(struct lz_arena *arena);

/* Unmap what was kept: before a fork, where every page of it would be copied to be cleared. */
void lz_arena_trim(void);

/* Who is told when the budget is used up. Without one, lz_arena_alloc aborts. */
void lz_arena_on_full(struct lz_arena *arena, lz_arena_full_fn *fn, void *ctx);

/* Zeroed memory; never NULL: a used-up budget goes to the on_full function. */
void *lz_arena_alloc(struct lz_arena *arena, size_t size);

/* Like alloc, not zeroed, but NULL when the budget is used up: for Lua, which can collect. */
void *lz_arena_try(struct lz_arena *arena, size_t size);

/*
 * Grow or shrink; the new part is zeroed. `old_size` must be what was asked for before; NULL
 * and 0 make a new block. Shrinking never moves the block and never fails.
 */
void *lz_arena_resize(struct lz_arena *arena, void *ptr, size_t old_size, size_t new_size);

/* Like resize, not zeroed, but NULL (and `ptr` as it was) when the budget is used up. */
void *lz_arena_try_resize(struct lz_arena *arena, void *ptr, size_t old_size, size_t new_size);

/* Give back `size` bytes at `ptr`, as they were asked for. NULL is allowed. */
void lz_arena_free(struct lz_arena *arena, void *ptr, size_t size);

/* A copy of `text` that lives as long as the arena. */
char *lz_arena_strdup(struct lz_arena *arena, const char *text);

size_t lz_arena_used(const struct lz_arena *arena); /* bytes handed out now */
size_t lz_arena_peak(const struct lz_arena *arena); /* the most `used` has been */

#endif
