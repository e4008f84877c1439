/* bind_version.c — builds of a service and the route between them. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/service/autoscale.h"
#include "model/service/platform.h"
#include "model/service/rollout.h"
#include "model/service/version.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static enum lz_version_fails fails_of(const char *word)
{
    static const char *const words[] = {[LZ_VERSION_FAILS_READINESS] = "readiness",
                                        [LZ_VERSION_FAILS_START] = "start",
                                        [LZ_VERSION_FAILS_IMAGE] = "image"};
    for (unsigned i = 1; word != NULL && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], word) == 0)
            return (enum lz_version_fails)i;
    return LZ_VERSION_FAILS_NOT;
}

// version{service, name, error_ratio, service_time, cpu_time, fails} -> number
static int version(lua_State *L)
{
    struct lz_err err;
    lz_component_id service = (lz_component_id)lz_read_int(L, 1, "service", 0);
    struct lz_version_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .error_ratio = lz_read_num(L, 1, "error_ratio", -1.0),
        .fails = fails_of(lz_read_text(L, 1, "fails")),
    };
    o.has_error_ratio = o.error_ratio >= 0.0;
    if (!lz_read_dist(L, 1, "service_time", &o.service_time, &err) ||
        !lz_read_dist(L, 1, "cpu_time", &o.cpu_time, &err))
        return lz_bind_refuse(L, &err);

    uint32_t number = 0;
    bool ok = lz_version_add(world_of(L), service, &o, &number, &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, number);
    return 1;
}

// first_version(service, number)
static int first_version(lua_State *L)
{
    lz_component_id service = (lz_component_id)luaL_checkinteger(L, 1);
    lz_version_set_first(world_of(L), service, (uint32_t)luaL_checkinteger(L, 2));
    return 0;
}

static int refuse_outage(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "the pipeline is out: nothing is deployed");
    lua_pushliteral(L, "outage");
    return 3;
}

// route(service, { share of version 1, of version 2, ... }) -> true | nil, message
static int route(lua_State *L)
{
    double shares[LZ_VERSIONS_MAX];
    lz_component_id service = (lz_component_id)luaL_checkinteger(L, 1);
    lua_Integer count = luaL_len(L, 2);
    LZ_ASSERT(count >= 0 && count <= LZ_VERSIONS_MAX);
    for (lua_Integer i = 0; i < count; i++) {
        lua_geti(L, 2, i + 1);
        shares[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }

    if (lz_platform_withholds(world_of(L), service, LZ_PLATFORM_DEPLOY))
        return refuse_outage(L);
    struct lz_err err;
    bool ok = lz_version_route(world_of(L), service, shares, (uint32_t)count, &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// deploy(service, number | nil: the same again) -> true | nil, message, code
static int deploy(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_component_id service = (lz_component_id)luaL_checkinteger(L, 1);
    if (lz_platform_withholds(w, service, LZ_PLATFORM_DEPLOY))
        return refuse_outage(L);
    if (lz_platform_is_stopped(w, service)) {
        lua_pushnil(L);
        lua_pushliteral(L, "the control plane is down: nothing is deployed");
        lua_pushliteral(L, "outage");
        return 3;
    }
    struct lz_err err;
    bool ok = lua_isnoneornil(L, 2)
                  ? lz_rollout_restart(w, service, &err)
                  : lz_rollout_deploy(w, service, (uint32_t)luaL_checkinteger(L, 2), &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// scale(service, replicas) -> true | nil, message, code
static int scale(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_component_id service = (lz_component_id)luaL_checkinteger(L, 1);
    if (lz_platform_is_stopped(w, service)) {
        lua_pushnil(L);
        lua_pushliteral(L, "the control plane is down: nothing is scaled");
        lua_pushliteral(L, "outage");
        return 3;
    }
    struct lz_err err;
    bool ok = lz_autoscale_set(w, service, (uint32_t)luaL_checkinteger(L, 2), &err);

    if (!ok) {
        int count = lz_bind_refuse(L, &err);
        if (err.code != LZ_EFULL)
            return count;
        lua_pushliteral(L, "full");
        return count + 1;
    }
    lua_pushboolean(L, true);
    return 1;
}

// version_metric(service, number, name) -> id, 0 if there is none
static int version_metric(lua_State *L)
{
    lz_component_id service = (lz_component_id)luaL_checkinteger(L, 1);
    uint32_t number = (uint32_t)luaL_checkinteger(L, 2);
    lua_pushinteger(L, lz_version_metric(world_of(L), service, number, luaL_checkstring(L, 3)));
    return 1;
}

static const luaL_Reg functions[] = {
    {"version", version}, {"first_version", first_version},
    {"route", route},     {"version_metric", version_metric},
    {"deploy", deploy},   {"scale", scale},
    {NULL, NULL},
};

void lz_bind_version(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
