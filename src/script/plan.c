#include "script/plan.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "script/state.h"

static const struct {
    const char *name, *module, *function;
} formats[] = {
    {"text", "plan", "text"},
    {"mermaid", "plan_graph", "mermaid"},
    {"dot", "plan_graph", "dot"},
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static size_t find(const char *name)
{
    size_t i = 0;
    while (i < FORMAT_COUNT && strcmp(formats[i].name, name) != 0)
        i++;
    return i;
}

bool lz_plan_is_format(const char *name)
{
    return find(name) < FORMAT_COUNT;
}

// [options]: what plan.text takes.
static void push_options(lua_State *L, const struct lz_script *s, const struct lz_plan_opts *opts)
{
    char seed[24];
    snprintf(seed, sizeof(seed), "%" PRIu64, opts->seed);
    lua_newtable(L);
    lua_pushinteger(L, opts->width);
    lua_setfield(L, -2, "width");
    lua_pushstring(L, seed);
    lua_setfield(L, -2, "seed");
    lua_pushinteger(L, (lua_Integer)opts->seed);
    lua_setfield(L, -2, "seed_number");
    lua_pushinteger(L, opts->timeout_ns);
    lua_setfield(L, -2, "timeout_ns");
    lua_pushinteger(L, (lua_Integer)(s->opts.memory_max >> 20));
    lua_setfield(L, -2, "memory_mib");
    lua_pushnumber(L, (lua_Number)opts->events_max);
    lua_setfield(L, -2, "events_max");
}

static int write_protected(lua_State *L)
{
    const struct lz_plan_opts *opts = lua_touserdata(L, 1);
    struct lz_script *s = lz_script_of(L);
    size_t format = find(opts->format);
    lua_settop(L, 0);
    lz_script_require(L, formats[format].module);
    lua_getfield(L, 1, formats[format].function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    push_options(L, s, opts);
    lua_call(L, 2, 1);
    return 1;
}

void lz_plan_write(struct lz_script *s, const struct lz_plan_opts *opts, struct lz_str *out)
{
    LZ_ASSERT(lz_script_trouble(s) == LZ_SCRIPT_OK);
    LZ_ASSERT(lz_plan_is_format(opts->format) && opts->width > 0);
    lua_State *L = s->L;
    lua_settop(L, 0);
    lua_pushcfunction(L, write_protected);
    lua_pushlightuserdata(L, (void *)opts);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        lz_check_failed(lua_tostring(L, -1), "lua", 0);
    lz_str_add(out, lua_tostring(L, -1));
    lua_settop(L, 0);
}
