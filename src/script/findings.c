#include "script/findings.h"

#include <lauxlib.h>

#include "base/check.h"
#include "script/read.h"
#include "script/state.h"

static int lint_protected(lua_State *L)
{
    lz_script_push_main(lua_touserdata(L, 1), lua_touserdata(L, 2));
    lua_call(L, 1, 0);
    return 0;
}

// An error is a bug of ours, unless there was no memory for it: then there are no warnings.
static bool ask(struct lz_script *s, lua_CFunction body, int results, void *arg)
{
    lua_settop(s->L, 0);
    lua_pushcfunction(s->L, body);
    lua_pushlightuserdata(s->L, s);
    lua_pushlightuserdata(s->L, arg);
    int status = lua_pcall(s->L, 2, results, 0);
    if (status == LUA_ERRMEM)
        return false;
    if (status != LUA_OK)
        lz_check_failed(lua_tostring(s->L, -1), "lua", 0);
    return true;
}

void lz_findings_lint(struct lz_script *s)
{
    LZ_ASSERT(lz_script_trouble(s) == LZ_SCRIPT_OK);
    char what[] = "lint";
    (void)ask(s, lint_protected, 0, what);
    lua_settop(s->L, 0);
}

void lz_findings_lint_built(struct lz_script *s)
{
    LZ_ASSERT(lz_script_trouble(s) == LZ_SCRIPT_OK && s->world.world != NULL);
    char what[] = "lint_built";
    (void)ask(s, lint_protected, 0, what);
    lua_settop(s->L, 0);
}

struct list {
    struct lz_finding *items;
    size_t count;
    bool colour;
};

static void read_one(lua_State *L, int at, struct lz_finding *f)
{
    *f = (struct lz_finding){
        .code = lz_read_text(L, at, "code"),
        .title = lz_read_text(L, at, "title"),
        .text = lz_read_text(L, at, "text"),
        .help = lz_read_text(L, at, "help"),
        .path = lz_read_text(L, at, "path"),
        .shown = lz_read_text(L, at, "shown"),
        .line = (uint32_t)lz_read_int(L, at, "line", 0),
        .col = (uint32_t)lz_read_int(L, at, "col", 0),
        .len = (uint32_t)lz_read_int(L, at, "len", 0),
        .is_warning = lz_read_bool(L, at, "is_warning"),
        .fix =
            {
                .line = (uint32_t)lz_read_int(L, at, "fix_line", 0),
                .col = (uint32_t)lz_read_int(L, at, "fix_col", 0),
                .len = (uint32_t)lz_read_int(L, at, "fix_len", 0),
                .char_col = (uint32_t)lz_read_int(L, at, "fix_char_col", 0),
                .char_len = (uint32_t)lz_read_int(L, at, "fix_char_len", 0),
                .with = lz_read_text(L, at, "fix_with"),
            },
    };
    LZ_ASSERT(f->code != NULL && f->text != NULL && f->path != NULL && f->shown != NULL);
}

static int get_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    struct list *list = lua_touserdata(L, 2);
    lz_script_push_main(s, "findings");
    lua_pushboolean(L, list->colour);
    lua_call(L, 2, 1); // [findings]
    int all = lua_gettop(L);
    size_t count = (size_t)luaL_len(L, all);
    list->items = lz_arena_alloc(s->arena, (count + 1) * sizeof(list->items[0]));
    for (size_t i = 0; i < count; i++) {
        lua_geti(L, all, (lua_Integer)i + 1);
        read_one(L, all + 1, &list->items[i]);
        lua_settop(L, all);
    }
    list->count = count;
    return 0;
}

size_t lz_findings_get(struct lz_script *s, bool colour, const struct lz_finding **out)
{
    struct list list = {.colour = colour};
    if (lz_script_trouble(s) == LZ_SCRIPT_MEMORY || !ask(s, get_protected, 0, &list))
        list.count = 0;
    lua_settop(s->L, 0);
    *out = list.items;
    return list.count;
}
