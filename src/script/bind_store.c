/* bind_store.c — stores, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/service/argument.h"
#include "model/service/fence.h"
#include "model/service/handler.h"
#include "model/store/store.h"
#include "script/proc.h"
#include "script/read.h"
#include "script/serving.h"
#include "script/state.h"
#include "script/value.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static uint32_t count(lua_State *L, const char *name)
{
    return (uint32_t)lz_read_int(L, 1, name, 0);
}

static enum lz_versioning versioning_of(const char *name)
{
    if (name == NULL || strcmp(name, "off") == 0)
        return LZ_VERSIONING_OFF;
    return strcmp(name, "enabled") == 0 ? LZ_VERSIONING_ENABLED : LZ_VERSIONING_SUSPENDED;
}

static void read_regions(lua_State *L, struct lz_store_opts *o)
{
    if (lua_getfield(L, 1, "regions") == LUA_TTABLE) { // [opts list]
        lua_Integer len = luaL_len(L, -1);
        LZ_ASSERT(len >= 1 && len <= LZ_COPIES_MAX);
        o->region_count = (uint32_t)len;
        for (lua_Integer i = 1; i <= len; i++) {
            lua_geti(L, -1, i);
            o->regions[i - 1] = (lz_region_id)luaL_checkinteger(L, -1);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

static struct lz_quorum_opts read_quorum(lua_State *L)
{
    return (struct lz_quorum_opts){
        .is_on = lz_read_bool(L, 1, "quorum"),
        .n = count(L, "n"),
        .w = count(L, "w"),
        .r = count(L, "r"),
        .sloppy = lz_read_bool(L, 1, "sloppy"),
        .no_hints = lz_read_bool(L, 1, "no_hints"),
        .read_repair = lz_read_bool(L, 1, "read_repair"),
    };
}

static bool read_dists(lua_State *L, struct lz_store_opts *o, struct lz_err *err)
{
    return lz_read_dist(L, 1, "lag", &o->lag, err) &&
           lz_read_dist(L, 1, "get_time", &o->get_time, err) &&
           lz_read_dist(L, 1, "put_time", &o->put_time, err) &&
           lz_read_dist(L, 1, "write", &o->quorum.write, err) &&
           lz_read_dist(L, 1, "ack", &o->quorum.ack, err) &&
           lz_read_dist(L, 1, "read", &o->quorum.read, err) &&
           lz_read_dist(L, 1, "response", &o->quorum.response, err);
}

// store{name, line, is_object, nodes, regions, ...} -> component id
static int store(lua_State *L)
{
    struct lz_err err;
    struct lz_store_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = count(L, "line"),
        .kind = lz_read_bool(L, 1, "is_object") ? LZ_STORE_OBJECT : LZ_STORE_KEY_VALUE,
        .nodes = count(L, "nodes"),
        .error_ratio = lz_read_num(L, 1, "error_ratio", 0),
        .item_size = (uint64_t)lz_read_num(L, 1, "item_size", 0),
        .part_size = (uint64_t)lz_read_num(L, 1, "part_size", 0),
        .parallel_parts = count(L, "parallel_parts"),
        .stream_rate = lz_read_num(L, 1, "stream_rate", 0),
        .prefixes = count(L, "prefixes"),
        .versioning = versioning_of(lz_read_text(L, 1, "versioning")),
        .lifecycle = {.expiration = lz_read_int(L, 1, "expiration", 0),
                      .noncurrent = lz_read_int(L, 1, "noncurrent", 0),
                      .keep_noncurrent = count(L, "keep_noncurrent"),
                      .abort_uploads = lz_read_int(L, 1, "abort_uploads", 0),
                      .every = lz_read_int(L, 1, "lifecycle_every", 0)},
        .partitions = count(L, "partitions"),
        .read_capacity = lz_read_num(L, 1, "read_capacity", 0),
        .write_capacity = lz_read_num(L, 1, "write_capacity", 0),
        .rigid = lz_read_bool(L, 1, "rigid"),
        .strong = lz_read_bool(L, 1, "strong"),
        .quorum = read_quorum(L),
    };
    lz_read_spread(L, 1, &o.spread);
    read_regions(L, &o);
    lz_component_id id = 0;
    if (!read_dists(L, &o, &err) || !lz_store_create(world_of(L), &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// versioning(store, "enabled") -> true | nil, message
static int versioning(lua_State *L)
{
    struct lz_err err;
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    if (!lz_store_versioning(world_of(L), id, versioning_of(luaL_checkstring(L, 2)), &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

// [.. action]: { kind, key, value, match, at_least }
static struct lz_store_action read_action(lua_State *L)
{
    static const char *const kinds[] = {
        [LZ_ACTION_PUT] = "put",
        [LZ_ACTION_PUT_IF_ABSENT] = "put_if_absent",
        [LZ_ACTION_INCREMENT] = "increment",
        [LZ_ACTION_DELETE] = "delete",
        [LZ_ACTION_CHECK] = "check",
        [LZ_ACTION_CHECK_ABSENT] = "check_absent",
        [LZ_ACTION_CHECK_ABSENT + 1] = NULL,
    };
    struct lz_world *w = world_of(L);
    int at = lua_gettop(L);
    for (int i = 1; i <= 5; i++)
        lua_rawgeti(L, at, i); // [.. action kind key value match least]
    struct lz_store_action a = {.kind = (uint32_t)luaL_checkoption(L, at + 1, NULL, kinds),
                                .key = lz_value_read_key(L, at + 2),
                                .value = lz_value_read(L, at + 3, w),
                                .match = lz_value_read(L, at + 4, w),
                                .least = luaL_optinteger(L, at + 5, INT64_MIN)};
    lua_settop(L, at);
    return a;
}

// call_store(task, edge, key, value, match, version, token, actions, a lock's token) -> ok, status,
// value, outcome, what the answer brings
static int call_store(lua_State *L)
{
    lz_task_id task = lz_serving_task(L, 1);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 2);
    struct lz_world *w = world_of(L);
    uint32_t count = lua_istable(L, 8) ? (uint32_t)luaL_len(L, 8) : 0, size = 0;
    luaL_argcheck(L, count <= LZ_STORE_ACTIONS_MAX, 8, "too many actions");
    lz_argument_id argument = lz_argument_make(
        w, NULL, (uint32_t)(sizeof(struct lz_store_ask) + count * sizeof(struct lz_store_action)));
    struct lz_store_ask *ask = lz_argument_bytes(w, argument, &size);
    ask->value = lz_value_read(L, 4, w);
    ask->match = lz_value_read(L, 5, w);
    ask->version = lz_value_read(L, 6, w);
    lz_value token = lz_value_read(L, 7, w);
    ask->token = token != 0 ? lz_hash_mix(token, 11) | 1 : lz_store_token(w);
    ask->count = count;
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, 8, (lua_Integer)i + 1); // [.. action]
        ask->all[i] = read_action(L);
        lua_pop(L, 1);
    }
    if (lua_isinteger(L, 9))
        lz_fence_show(w, argument, (uint64_t)lua_tointeger(L, 9));
    lz_handler_call(w, task, edge, lz_value_read_key(L, 3), argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lz_proc_yield(L);
}

static const luaL_Reg functions[] = {
    {"store", store},
    {"versioning", versioning},
    {"call_store", call_store},
    {NULL, NULL},
};

void lz_bind_store(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
