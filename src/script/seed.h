/*
 * seed.h — Lua's hash seed, the same in every run.
 *
 * Unmodified Lua 5.4 draws the seed of its string hash inside lua_newstate from the time, the
 * address of the first block, of a local variable and of a function. It decides the order of
 * hash nodes, and with it what `#t` says of a table with holes. It is overwritten after it
 * has been drawn and before anything is hashed: lua_newstate asks for its second block in
 * between. Where it lies in the first block is found by calibration; see seed.c.
 *
 * One `struct lz_seed` serves one state.
 */
#ifndef LZ_SCRIPT_SEED_H
#define LZ_SCRIPT_SEED_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if this build of Lua lets its seed be pinned. Calibrates when first asked. */
bool lz_seed_is_pinnable(void);

/* What to remember of a state while it is made; begin with the seed and zeros. */
struct lz_seed {
    uint32_t value;
    unsigned blocks;      /* asked for so far */
    unsigned char *first; /* the block that holds the seed */
};

/* To be told of each new block `ptr` (not NULL), before Lua gets it. */
void lz_seed_block(struct lz_seed *seed, void *ptr);

#endif
