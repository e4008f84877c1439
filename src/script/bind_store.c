/* bind_store.c — stores, for the Lua half. */
#include <lauxlib.h>

#include "base/check.h"
#include "model/store/store.h"
#include "script/read.h"
#include "script/state.h"

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

static const luaL_Reg functions[] = {
    {"store", store},
    {NULL, NULL},
};

void lz_bind_store(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
