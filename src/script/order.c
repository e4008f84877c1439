/*
 * order.c — what stock Lua leaves to its algorithm and to addresses, defined.
 *
 * `table.sort` is a stable merge sort. `tostring` shows no addresses: a table is numbered when
 * it is first shown. The order of `pairs` is in pairs.c.
 */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "script/state.h"

#define SEEN "lz.seen"

// By bytes: lua_compare would ask the locale.
static bool text_before(lua_State *L, int a, int b)
{
    size_t la, lb;
    const char *ta = lua_tolstring(L, a, &la), *tb = lua_tolstring(L, b, &lb);
    int c = memcmp(ta, tb, la < lb ? la : lb);
    return c != 0 ? c < 0 : la < lb;
}

typedef bool before_fn(lua_State *L, int a, int b);

// One pair of runs, [low, mid) and [mid, high), from one list into another.
static void merge(lua_State *L, const int lists[2], const lua_Integer runs[3], before_fn *before)
{
    lua_Integer a = runs[0], b = runs[1];
    for (lua_Integer k = runs[0]; k < runs[2]; k++) {
        bool take_b = a >= runs[1];
        if (a < runs[1] && b < runs[2]) {
            lua_rawgeti(L, lists[0], a);
            lua_rawgeti(L, lists[0], b); // [... va vb]
            int top = lua_gettop(L);
            take_b = before(L, top, top - 1);
            lua_settop(L, top - 2);
        }
        lua_rawgeti(L, lists[0], take_b ? b++ : a++);
        lua_rawseti(L, lists[1], k);
    }
}

static lua_Integer at_most(lua_Integer a, lua_Integer b)
{
    return a < b ? a : b;
}

// Merge sort of list[1..n] by way of a second list; both are plain tables on the stack.
static void merge_sort(lua_State *L, int list, lua_Integer n, before_fn *before)
{
    luaL_checkstack(L, 8, "sort");
    lua_createtable(L, (int)n, 0);
    int lists[2] = {list, lua_gettop(L)};
    for (lua_Integer width = 1; width < n; width *= 2) {
        for (lua_Integer low = 1; low <= n; low += 2 * width) {
            const lua_Integer runs[3] = {low, at_most(low + width, n + 1),
                                         at_most(low + 2 * width, n + 1)};
            merge(L, lists, runs, before);
        }
        int t = lists[0];
        lists[0] = lists[1];
        lists[1] = t;
    }
    for (lua_Integer i = 1; i <= n && lists[0] != list; i++) {
        lua_rawgeti(L, lists[0], i);
        lua_rawseti(L, list, i);
    }
    lua_settop(L, lua_gettop(L) - 1);
}

static bool by_function(lua_State *L, int a, int b)
{
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool r = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return r;
}

static bool by_less(lua_State *L, int a, int b)
{
    if (lua_type(L, a) == LUA_TSTRING && lua_type(L, b) == LUA_TSTRING)
        return text_before(L, a, b);
    return lua_compare(L, a, b, LUA_OPLT);
}

int lz_order_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
    merge_sort(L, 1, n, lua_isnil(L, 2) ? by_less : by_function);
    return 0;
}

int lz_order_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    int type = lua_type(L, 1);
    bool shows_address = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
                         type == LUA_TTHREAD || type == LUA_TLIGHTUSERDATA;
    if (!shows_address || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
        luaL_tolstring(L, 1, NULL);
        return 1;
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, SEEN); // [v seen]
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TNIL) { // [v seen nil]
        lua_pop(L, 1);
        lua_Integer n = (lua_Integer)lua_rawlen(L, -1) + 1;
        lua_pushvalue(L, 1);
        lua_rawseti(L, -2, n);
        lua_pushvalue(L, 1);
        lua_pushinteger(L, n);
        lua_rawset(L, -3);
        lua_pushinteger(L, n);
    }
    lua_pushfstring(L, "%s %I", luaL_typename(L, 1), lua_tointeger(L, -1));
    return 1;
}
