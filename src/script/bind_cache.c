/* bind_cache.c — caches, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/cache/cache.h"
#include "model/cache/slots.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

// "volatile-lru" is "lru" of those that run out.
#define VOLATILE "volatile-"

static bool is_volatile(const char *name)
{
    return strncmp(name, VOLATILE, sizeof(VOLATILE) - 1) == 0;
}

static enum lz_eviction eviction_of(const char *name)
{
    static const char *const names[] = {
        [LZ_EVICTION_LRU] = "lru",   [LZ_EVICTION_LFU] = "lfu",
        [LZ_EVICTION_FIFO] = "fifo", [LZ_EVICTION_RANDOM] = "random",
        [LZ_EVICTION_TTL] = "ttl",   [LZ_EVICTION_NONE] = "noeviction"};
    const char *plain = is_volatile(name) ? name + sizeof(VOLATILE) - 1 : name;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], plain) == 0)
            return (enum lz_eviction)i;
    LZ_UNREACHABLE("the Lua half knows the words");
    return LZ_EVICTION_LRU;
}

static enum lz_cache_mode mode_of(const char *name)
{
    if (name == NULL || strcmp(name, "single") == 0)
        return LZ_CACHE_SINGLE;
    return strcmp(name, "cluster") == 0 ? LZ_CACHE_CLUSTER : LZ_CACHE_SENTINEL;
}

static enum lz_appendfsync appendfsync_of(const char *name)
{
    if (name == NULL || strcmp(name, "everysec") == 0)
        return LZ_APPENDFSYNC_EVERYSEC;
    return strcmp(name, "always") == 0 ? LZ_APPENDFSYNC_ALWAYS : LZ_APPENDFSYNC_NO;
}

static uint32_t count(lua_State *L, const char *name)
{
    return (uint32_t)lz_read_int(L, 1, name, 0);
}

// cache{name, line, nodes, entries, ...} -> component id
static int cache(lua_State *L)
{
    struct lz_err err;
    struct lz_cache_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = count(L, "line"),
        .mode = mode_of(lz_read_text(L, 1, "mode")),
        .nodes = count(L, "nodes"),
        .sentinel = {.count = count(L, "sentinels"),
                     .quorum = count(L, "quorum"),
                     .down_after = lz_read_int(L, 1, "down_after", 0),
                     .failover_timeout = lz_read_int(L, 1, "failover_timeout", 0),
                     .parallel_syncs = count(L, "parallel_syncs")},
        .entries = count(L, "entries"),
        .max_memory = (uint64_t)lz_read_num(L, 1, "max_memory", 0),
        .value_size = (uint64_t)lz_read_num(L, 1, "value_size", 0),
        .ttl = lz_read_int(L, 1, "ttl", 0),
        .eviction = eviction_of(lz_read_text(L, 1, "eviction")),
        .only_mortal = is_volatile(lz_read_text(L, 1, "eviction")),
        .samples = count(L, "samples"),
        .cpu = lz_read_num(L, 1, "cpu", 0),
        .max_connections = count(L, "max_connections"),
        .read_replicas = lz_read_bool(L, 1, "read_replicas"),
        .min_replicas = count(L, "min_replicas"),
        .min_replicas_lag = lz_read_int(L, 1, "min_replicas_lag", 0),
        .cluster = {.replicas = count(L, "replicas"),
                    .node_timeout = lz_read_int(L, 1, "node_timeout", 0),
                    .validity_factor = count(L, "validity_factor"),
                    .redirects = count(L, "redirects"),
                    .is_partial = lz_read_bool(L, 1, "is_partial"),
                    .reads_when_down = lz_read_bool(L, 1, "reads_when_down"),
                    .migration_barrier = count(L, "migration_barrier"),
                    .no_migration = lz_read_bool(L, 1, "no_migration")},
        .persist = {.appendonly = lz_read_bool(L, 1, "appendonly"),
                    .appendfsync = appendfsync_of(lz_read_text(L, 1, "appendfsync")),
                    .save = lz_read_int(L, 1, "save", 0),
                    .save_changes = count(L, "save_changes"),
                    .save_rate = lz_read_num(L, 1, "save_rate", 0),
                    .load_rate = lz_read_num(L, 1, "load_rate", 0)},
    };
    lz_read_spread(L, 1, &o.spread);
    lz_component_id id = 0;
    if (!lz_read_dist(L, 1, "get_time", &o.get_time, &err) ||
        !lz_cache_create(world_of(L), &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// reshard(cache, slots, from, to, batch, timeout) -> true
static int reshard(lua_State *L)
{
    struct lz_err err;
    struct lz_reshard_opts o = {.slots = (uint32_t)luaL_checkinteger(L, 2),
                                .from = (uint32_t)luaL_checkinteger(L, 3),
                                .to = (uint32_t)luaL_checkinteger(L, 4),
                                .batch = (uint32_t)luaL_checkinteger(L, 5),
                                .timeout = luaL_checkinteger(L, 6)};
    if (!lz_cache_reshard(world_of(L), (lz_component_id)luaL_checkinteger(L, 1), &o, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// fix_slots(cache) -> true
static int fix_slots(lua_State *L)
{
    struct lz_err err;
    if (!lz_cache_fix(world_of(L), (lz_component_id)luaL_checkinteger(L, 1), &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// slot(key) -> the slot of a cluster that has it
static int slot(lua_State *L)
{
    size_t len = 0;
    const char *text = luaL_tolstring(L, 1, &len);
    lua_pushinteger(L, lz_slots_of_text(text, len));
    return 1;
}

static const luaL_Reg functions[] = {
    {"cache", cache}, {"reshard", reshard}, {"fix_slots", fix_slots}, {"slot", slot}, {NULL, NULL},
};

void lz_bind_cache(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
