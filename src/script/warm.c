/*
 * warm.c — the universe that every scenario begins with, made once and copied.
 *
 * Before a scenario's own text is looked at, all universes are alike: Lua's libraries, the
 * private half, the vocabulary. An arena lies at a fixed address, so its bytes are valid again
 * wherever they are copied back to: what would be done anew for each universe is a copy of a
 * few hundred kilobytes, a tenth of the time. A parent that makes it before it forks has made
 * it for all its children.
 *
 * Only the ordinary universe is kept: one that is shaken (another slot, another seed, another
 * pace) is made step by step, which compares the two ways as well.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "script/state.h"

static struct {
    void *image; // NULL: none is kept
    size_t size;
    lua_State *L;
    int ref_main, ref_state;
} kept;

static bool is_ordinary(const struct lz_script *s)
{
    return s->opts.slot == 0 && s->opts.hash_seed == 0 && s->opts.gc_pause == 0;
}

bool lz_warm_revive(struct lz_script *s, struct lz_err *err)
{
    const struct lz_arena_opts opts = {.slot = s->opts.slot, .limit_bytes = s->opts.memory_max};
    LZ_ASSERT(s->arena == NULL);
    if (kept.image == NULL || !is_ordinary(s) || s->opts.memory_max < kept.size)
        return true;
    if (!lz_arena_revive(&opts, kept.image, kept.size, &s->arena, err))
        return false;
    s->L = kept.L;
    s->ref_main = kept.ref_main;
    s->ref_state = kept.ref_state;
    lz_sandbox_adopt(s);
    return true;
}

void lz_warm_keep(const struct lz_script *s)
{
    size_t size = lz_arena_extent(s->arena);
    if (kept.image != NULL || !is_ordinary(s) || s->trouble != LZ_SCRIPT_OK || size == 0)
        return;
    kept.image = lz_mem_alloc(size);
    memcpy(kept.image, s->arena, size);
    kept.size = size;
    kept.L = s->L;
    kept.ref_main = s->ref_main;
    kept.ref_state = s->ref_state;
}

void lz_script_warm(void)
{
    struct lz_script *s;
    struct lz_err err;
    const struct lz_script_opts opts = {.path = "warm", .source = ""};
    if (kept.image == NULL && lz_script_load(&opts, &s, &err))
        lz_script_destroy(s); // without memory for it, children will say so themselves
    lz_arena_trim();
}
