#include "script/value.h"

#include <inttypes.h>
#include <lauxlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/cache/slots.h"
#include "script/state.h"

static lz_value read_integer(lua_State *L, int arg)
{
    int is_whole = 0;
    lua_Integer n = lua_tointegerx(L, arg, &is_whole);
    if (!is_whole)
        luaL_error(L, "a value is an integer, a string or a boolean, got the number %f",
                   lua_tonumber(L, arg));
    if (n < LZ_VALUE_INTEGER_MIN || n > LZ_VALUE_INTEGER_MAX)
        luaL_error(L, "a value is an integer from -2^61 to 2^61 - 1, got %I", n);
    return lz_value_integer(n);
}

lz_value lz_value_read(lua_State *L, int arg, struct lz_world *w)
{
    size_t len = 0;
    const char *text;
    switch (lua_type(L, arg)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return 0;
    case LUA_TBOOLEAN:
        return lz_value_boolean(lua_toboolean(L, arg));
    case LUA_TNUMBER:
        return read_integer(L, arg);
    case LUA_TSTRING:
        text = lua_tolstring(L, arg, &len);
        if (len > LZ_VALUE_TEXT_MAX)
            luaL_error(L, "a value is a string of at most 1 MiB, got %I bytes", (lua_Integer)len);
        return lz_value_text(w, text, len);
    default:
        luaL_error(L, "a value is an integer, a string or a boolean, got a %s",
                   luaL_typename(L, arg));
    }
    LZ_UNREACHABLE("luaL_error does not return");
}

void lz_value_push(lua_State *L, const struct lz_world *w, lz_value v)
{
    size_t len = 0;
    const char *text;
    switch (lz_value_kind(v)) {
    case LZ_VALUE_NOTHING:
        lua_pushnil(L);
        break;
    case LZ_VALUE_INTEGER:
        lua_pushinteger(L, lz_value_to_integer(v));
        break;
    case LZ_VALUE_TEXT:
        text = lz_value_to_text(w, v, &len);
        lua_pushlstring(L, text, len);
        break;
    case LZ_VALUE_BOOLEAN:
        lua_pushboolean(L, lz_value_to_boolean(v));
        break;
    }
}

static uint64_t read_key_number(lua_State *L, int arg)
{
    int is_whole = 0;
    lua_Integer n = lua_tointegerx(L, arg, &is_whole);
    if (!is_whole && lua_type(L, arg) == LUA_TNUMBER)
        luaL_error(L, "a key is an integer or a text, got the number %f", lua_tonumber(L, arg));
    if (!is_whole)
        luaL_error(L, "a key is an integer or a text, got %s",
                   lua_isnoneornil(L, arg) ? "nil" : luaL_typename(L, arg));
    return (uint64_t)n;
}

uint64_t lz_value_read_key(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        return read_key_number(L, arg);
    size_t len = 0;
    const char *text = lua_tolstring(L, arg, &len);
    uint64_t key = lz_hash_bytes(text, len);
    struct lz_world *w = lz_script_of(L)->world.world;
    if (w != NULL)
        lz_slots_learn(w, key, text, len);
    return key;
}
