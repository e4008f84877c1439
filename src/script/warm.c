/*
 * warm.c — the universe that every scenario begins with, made once and copied.
 *
 * Before a scenario's own text is looked at, all universes are alike: Lua's libraries, the
 * private half, the vocabulary. An arena lies at a fixed address, so its bytes are valid again
 * wherever they are put back: what would be done anew for each universe is a copy of the few
 * dozen pages that it writes to, of some three hundred. A parent that makes them before it forks
 * has made them for all its children.
 *
 * Only the ordinary universe is kept: one that is shaken (another slot, another seed, another
 * pace) is made step by step, which compares the two ways as well.
 */
#include "base/arena.h"
#include "base/check.h"
#include "script/layout.h"
#include "script/state.h"

static struct {
    struct lz_arena_image *image; // NULL: none is kept
    lua_State *L;
    int ref_main, ref_state;
    struct lz_sleeper *sleeper;
} kept;

static bool is_ordinary(const struct lz_script *s)
{
    return s->opts.slot == 0 && s->opts.hash_seed == 0 && s->opts.gc_pause == 0;
}

bool lz_warm_revive(struct lz_script *s, struct lz_err *err)
{
    const struct lz_arena_opts opts = {.slot = s->opts.slot, .limit_bytes = s->opts.memory_max};
    LZ_ASSERT(s->arena == NULL);
    if (kept.image == NULL || !is_ordinary(s) ||
        s->opts.memory_max < lz_arena_image_size(kept.image))
        return true;
    if (!lz_arena_revive(&opts, kept.image, &s->arena, err))
        return false;
    s->L = kept.L;
    s->ref_main = kept.ref_main;
    s->ref_state = kept.ref_state;
    s->sleeper = kept.sleeper;
    lz_sandbox_adopt(s);
    return true;
}

void lz_warm_keep(const struct lz_script *s)
{
    if (kept.image != NULL || !is_ordinary(s) || s->trouble != LZ_SCRIPT_OK)
        return;
    lz_layout_is_known(); // so that no child has to look
    kept.image = lz_arena_image_create(s->arena);
    kept.L = s->L;
    kept.ref_main = s->ref_main;
    kept.ref_state = s->ref_state;
    kept.sleeper = s->sleeper;
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
