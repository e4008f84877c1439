/*
 * order.c — what stock Lua leaves to addresses and hash seeds, defined.
 *
 * `pairs` and `next` visit numbers ascending, then strings by bytes, then false and true,
 * over a snapshot of the keys. `table.sort` is a stable merge sort. `tostring` shows no
 * addresses: a table is numbered when it is first shown.
 */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "script/state.h"

#define SEEN "lz.seen"

static int rank_of(lua_State *L, int idx)
{
    switch (lua_type(L, idx)) {
    case LUA_TNUMBER:
        return 1;
    case LUA_TSTRING:
        return 2;
    case LUA_TBOOLEAN:
        return 3;
    default:
        return 0;
    }
}

static bool key_before(lua_State *L, int a, int b)
{
    int ra = rank_of(L, a), rb = rank_of(L, b);
    if (ra != rb)
        return ra < rb;
    if (ra == 3)
        return !lua_toboolean(L, a) && lua_toboolean(L, b);
    if (ra == 2) { // by bytes: lua_compare would ask the locale
        size_t la, lb;
        const char *ta = lua_tolstring(L, a, &la), *tb = lua_tolstring(L, b, &lb);
        int c = memcmp(ta, tb, la < lb ? la : lb);
        return c != 0 ? c < 0 : la < lb;
    }
    return lua_compare(L, a, b, LUA_OPLT);
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

// [... keys]: the table's keys in order. A sequence comes out of the walk in order already.
static lua_Integer push_keys(lua_State *L, int table)
{
    lua_newtable(L); // [... keys]
    int keys = lua_gettop(L);
    lua_Integer n = 0;
    bool in_order = true;
    lua_pushnil(L);
    while (lua_next(L, table)) { // [... keys key value]
        lua_pop(L, 1);
        if (rank_of(L, -1) == 0)
            luaL_error(
                L, "LZ504: pairs has no order for a key that is a %s; use texts or numbers as keys",
                luaL_typename(L, -1));
        n++;
        in_order = in_order && lua_isinteger(L, -1) && lua_tointeger(L, -1) == n;
        lua_pushvalue(L, -1);
        lua_rawseti(L, keys, n); // [... keys key]
    }
    if (!in_order)
        merge_sort(L, keys, n, key_before);
    return n;
}

// Upvalues: keys, how many, which is next.
static int step(lua_State *L)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(2));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
    while (++i <= n) {
        lua_rawgeti(L, lua_upvalueindex(1), i); // [t k key]
        lua_pushvalue(L, -1);
        lua_rawget(L, 1); // [t k key value]
        if (!lua_isnil(L, -1)) {
            lua_pushinteger(L, i);
            lua_replace(L, lua_upvalueindex(3));
            return 2;
        }
        lua_settop(L, 2); // removed since the walk began
    }
    return 0;
}

int lz_order_pairs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer n = push_keys(L, 1); // [t keys]
    lua_pushinteger(L, n);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step, 3); // [t step]
    lua_insert(L, 1);             // [step t]
    lua_pushnil(L);
    return 3;
}

// next(t, key): the same order, found anew each time.
int lz_order_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    lua_Integer n = push_keys(L, 1); // [t key keys]
    lua_Integer i = 1;
    if (!lua_isnil(L, 2)) {
        while (i <= n && (lua_rawgeti(L, 3, i), !lua_rawequal(L, 2, -1))) {
            lua_pop(L, 1);
            i++;
        }
        if (i > n)
            return luaL_error(L, "next: the key is not in the table");
        i++;
    }
    if (i > n) {
        lua_pushnil(L);
        return 1;
    }
    lua_rawgeti(L, 3, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, 1);
    return 2;
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
        return key_before(L, a, b);
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
