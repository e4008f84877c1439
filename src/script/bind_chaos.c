/* bind_chaos.c — what chaos.lua draws by, and the scenario with what it brings written down. */
#include "script/chaos.h"

#include <lauxlib.h>

#include "base/check.h"
#include "script/state.h"

// chaos_unit(seed|nil, owner, counter) -> a number from 0 up to 1; nil: the seed of the run
static int chaos_unit(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    bool is_planned = !lua_isnoneornil(L, 1);
    LZ_ASSERT(is_planned || s->world.world != NULL);
    uint64_t key = is_planned ? lz_script_run_key(s, (uint64_t)luaL_checkinteger(L, 1))
                              : lz_sim_key(s->world.world->sim);
    struct lz_draw draw = lz_draw_begin(key, lz_draw_name(0, luaL_checkstring(L, 2)),
                                        LZ_PURPOSE_CHAOS, (uint64_t)luaL_checkinteger(L, 3));
    lua_pushnumber(L, lz_draw_unit(&draw));
    return 1;
}

// chaos_absent(kind, target): of a set, it did not come
static int chaos_absent(lua_State *L)
{
    const struct lz_script *s = lz_script_of(L);
    lz_fault_note_absent(s->world.faults, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    return 0;
}

// chaos_barren(name): of a block, nothing came
static int chaos_barren(lua_State *L)
{
    const struct lz_script *s = lz_script_of(L);
    lz_fault_note_barren(s->world.faults, luaL_checkstring(L, 1));
    return 0;
}

static const luaL_Reg functions[] = {{"chaos_unit", chaos_unit},
                                     {"chaos_absent", chaos_absent},
                                     {"chaos_barren", chaos_barren},
                                     {NULL, NULL}};

void lz_bind_chaos(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}

struct question {
    uint64_t seed;
    struct lz_str *out;
};

static int pin_protected(lua_State *L)
{
    const struct question *q = lua_touserdata(L, 1);
    struct lz_script *s = lz_script_of(L);
    lua_settop(L, 0);
    lz_script_require(L, "chaos_pin");
    lua_getfield(L, 1, "pin");
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_pushinteger(L, (lua_Integer)q->seed);
    lua_call(L, 2, 1);
    lz_str_add(q->out, luaL_checkstring(L, -1));
    return 0;
}

void lz_chaos_pin(struct lz_script *s, uint64_t seed, struct lz_str *out)
{
    LZ_ASSERT(lz_script_trouble(s) == LZ_SCRIPT_OK);
    struct question q = {seed, out};
    lua_State *L = s->L;
    lua_settop(L, 0);
    lua_pushcfunction(L, pin_protected);
    lua_pushlightuserdata(L, &q);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        lz_check_failed(lua_tostring(L, -1), "lua", 0);
    lua_settop(L, 0);
}
