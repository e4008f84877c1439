#include "script/bind_call.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "script/read.h"
#include "script/state.h"

static const char *const policies[] = {
    [LZ_BALANCE_ROUND_ROBIN] = "round_robin",
    [LZ_BALANCE_RANDOM] = "random",
    [LZ_BALANCE_LEAST_REQUESTS] = "least_requests",
    [LZ_BALANCE_POWER_OF_TWO] = "power_of_two",
    [LZ_BALANCE_JOIN_SHORTEST_QUEUE] = "join_shortest_queue",
    [LZ_BALANCE_RING_HASH] = "ring_hash",
    [LZ_BALANCE_MAGLEV] = "maglev",
};

// A word of a list that the schema has checked; the first if there is none.
static int word(lua_State *L, int idx, const char *name, const char *const *words, int count)
{
    const char *text = lz_read_text(L, idx, name);
    for (int i = 0; i < count && text != NULL; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    LZ_ASSERT(text == NULL);
    return 0;
}
#define WORD(name, words) word(L, idx, name, words, (int)(sizeof(words) / sizeof(words[0])))

static uint32_t count_at(lua_State *L, int idx, const char *name)
{
    int64_t n = lz_read_int(L, idx, name, 0);
    LZ_ASSERT(n >= 0 && n <= UINT32_MAX);
    return (uint32_t)n;
}

static void read_weights(lua_State *L, int idx, struct lz_balance_opts *o)
{
    if (lua_getfield(L, idx, "weights") == LUA_TTABLE) {
        o->weight_count = (uint32_t)luaL_len(L, -1);
        uint32_t *weights =
            lz_arena_alloc(lz_script_of(L)->arena, (o->weight_count + 1) * sizeof(*weights));
        for (uint32_t i = 0; i < o->weight_count; i++) {
            lua_geti(L, -1, (lua_Integer)i + 1);
            weights[i] = (uint32_t)luaL_checkinteger(L, -1);
            lua_pop(L, 1);
        }
        o->weights = weights;
    }
    lua_pop(L, 1);
}

static struct lz_slow_start_opts read_slow_start(lua_State *L, int idx)
{
    struct lz_slow_start_opts o = {0};
    if (lua_getfield(L, idx, "slow_start") == LUA_TTABLE) {
        int at = lua_gettop(L);
        o.window = lz_read_int(L, at, "window", 0);
        o.aggression = lz_read_num(L, at, "aggression", 0);
        o.least = lz_read_num(L, at, "least", 0);
    }
    lua_pop(L, 1);
    return o;
}

static struct lz_outlier_opts read_outliers(lua_State *L, int idx)
{
    struct lz_outlier_opts o = {0};
    if (lua_getfield(L, idx, "outliers") == LUA_TTABLE) {
        int at = lua_gettop(L);
        o.on = true;
        o.failures = count_at(L, at, "failures");
        o.every = lz_read_int(L, at, "every", 0);
        o.ejection = lz_read_int(L, at, "ejection", 0);
        o.ejection_max = lz_read_int(L, at, "ejection_max", 0);
        o.share_max = lz_read_num(L, at, "share_max", 0);
    }
    lua_pop(L, 1);
    return o;
}

static struct lz_balance_opts read_balance(lua_State *L, int idx)
{
    struct lz_balance_opts o = {
        .policy = (enum lz_balance)WORD("balance", policies),
        .choices = count_at(L, idx, "choices"),
        .replacement = lz_read_bool(L, idx, "replacement"),
        .virtual_nodes = count_at(L, idx, "virtual_nodes"),
        .table_size = count_at(L, idx, "table_size"),
        .load_bound = lz_read_num(L, idx, "load_bound", 0),
        .zone_aware = lz_read_bool(L, idx, "zone_aware"),
        .overprovisioning = lz_read_num(L, idx, "overprovisioning", 0),
        .panic = lz_read_num(L, idx, "panic", 0),
        .subset = count_at(L, idx, "subset"),
        .slow_start = read_slow_start(L, idx),
        .outliers = read_outliers(L, idx),
    };
    read_weights(L, idx, &o);
    return o;
}

struct lz_edge_opts lz_bind_read_edge(lua_State *L, int idx)
{
    return (struct lz_edge_opts){
        .from = (lz_component_id)lz_read_int(L, idx, "from", 0),
        .to = (lz_component_id)lz_read_int(L, idx, "to", 0),
        .op = lz_read_text(L, idx, "op"),
        .timeout = lz_read_int(L, idx, "timeout", 0),
        .retries = count_at(L, idx, "retries"),
        .backoff = lz_read_int(L, idx, "backoff", 0),
        .no_jitter = lz_read_bool(L, idx, "no_jitter"),
        .retry_budget = lz_read_num(L, idx, "retry_budget", 0),
        .cancel = lz_read_bool(L, idx, "cancel"),
        .balance = read_balance(L, idx),
        .health = {.every = lz_read_int(L, idx, "health_every", 0),
                   .timeout = lz_read_int(L, idx, "health_timeout", 0),
                   .fails = count_at(L, idx, "health_fails"),
                   .passes = count_at(L, idx, "health_passes")},
    };
}
