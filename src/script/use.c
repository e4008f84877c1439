/* use.c — modules for `use`: the standard library from the binary, files through the loader's
 * reader. */
#include "script/use.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "script/modules.h"
#include "script/state.h"

// stdlib(name) -> source | nil
static int stdlib(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (const struct lz_module *m = lz_stdlib; m->name != NULL; m++) {
        if (strcmp(m->name, name) != 0)
            continue;
        lua_pushlstring(L, (const char *)m->bytes, m->size);
        return 1;
    }
    return 0;
}

// stdlib_names() -> { name, ... }
static int stdlib_names(lua_State *L)
{
    lua_Integer n = 0;
    lua_newtable(L);
    for (const struct lz_module *m = lz_stdlib; m->name != NULL; m++) {
        lua_pushstring(L, m->name);
        lua_seti(L, -2, ++n);
    }
    return 1;
}

// read_file(path of the user of it, name) -> source, path, key | nil, message, is_outside
static int read_file(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    const char *from = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2);
    struct lz_script_file *file = &s->used;
    struct lz_err err;
    lz_str_clear(&file->text);
    lz_str_clear(&file->path);
    lz_str_clear(&file->key);
    if (s->opts.files.read == NULL) {
        lua_pushnil(L);
        lua_pushliteral(L, "this text has no folder, so no file stands beside it");
        return 2;
    }
    if (!s->opts.files.read(s->opts.files.ctx, from, name, file, &err)) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        lua_pushboolean(L, err.code == LZ_ERANGE);
        return 3;
    }
    // What was read is part of what the run depends on.
    uint64_t hash = lz_hash_bytes(file->text.text, file->text.len);
    s->text_hash = lz_hash_mix(s->text_hash, hash);
    lua_pushlstring(L, file->text.text, file->text.len);
    lua_pushlstring(L, file->path.text, file->path.len);
    lua_pushlstring(L, file->key.text, file->key.len);
    return 3;
}

void lz_use_bind(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"stdlib", stdlib},
        {"stdlib_names", stdlib_names},
        {"read_file", read_file},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
