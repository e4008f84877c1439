#include "script/bind_call.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/data/txn.h"
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

static const char *const isolations[] = {
    [LZ_READ_COMMITTED] = "read committed",
    [LZ_REPEATABLE_READ] = "repeatable read",
    [LZ_SERIALIZABLE] = "serializable",
};

static uint32_t count_at(lua_State *L, int idx, const char *name)
{
    int64_t n = lz_read_int(L, idx, name, 0);
    LZ_ASSERT(n >= 0 && n <= UINT32_MAX);
    return (uint32_t)n;
}

static const char *const jitters[] = {
    [LZ_JITTER_FULL] = "full",
    [LZ_JITTER_NONE] = "none",
    [LZ_JITTER_EQUAL] = "equal",
    [LZ_JITTER_DECORRELATED] = "decorrelated",
};

// Fills `out` from the block `name`; false if there is none. The block is at the top while
// `read` runs.
static bool read_block(lua_State *L, int idx, const char *name,
                       void (*read)(lua_State *L, int at, void *out), void *out)
{
    bool has = lua_getfield(L, idx, name) == LUA_TTABLE;
    if (has)
        read(L, lua_gettop(L), out);
    lua_pop(L, 1);
    return has;
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

static void read_slow_start(lua_State *L, int at, void *out)
{
    *(struct lz_slow_start_opts *)out = (struct lz_slow_start_opts){
        .window = lz_read_int(L, at, "window", 0),
        .aggression = lz_read_num(L, at, "aggression", 0),
        .least = lz_read_num(L, at, "least", 0),
    };
}

static void read_outliers(lua_State *L, int at, void *out)
{
    *(struct lz_outlier_opts *)out = (struct lz_outlier_opts){
        .on = true,
        .failures = count_at(L, at, "failures"),
        .every = lz_read_int(L, at, "every", 0),
        .ejection = lz_read_int(L, at, "ejection", 0),
        .ejection_max = lz_read_int(L, at, "ejection_max", 0),
        .share_max = lz_read_num(L, at, "share_max", 0),
    };
}

static void read_budget(lua_State *L, int at, void *out)
{
    *(struct lz_budget_opts *)out = (struct lz_budget_opts){
        .on = true,
        .tokens = lz_read_num(L, at, "tokens", 0),
        .per_call = lz_read_num(L, at, "per_call", 0),
        .per_success = lz_read_num(L, at, "per_success", 0),
        .per_failure = lz_read_num(L, at, "per_failure", 0),
        .cost = lz_read_num(L, at, "cost", 1),
        .timeout_cost = lz_read_num(L, at, "timeout_cost", 0),
        .above = lz_read_num(L, at, "above", 0),
        .refund = lz_read_bool(L, at, "refund"),
        .of_active = lz_read_num(L, at, "of_active", 0),
        .at_least = count_at(L, at, "at_least"),
    };
}

static void read_breaker(lua_State *L, int at, void *out)
{
    *(struct lz_breaker_opts *)out = (struct lz_breaker_opts){
        .on = true,
        .consecutive = count_at(L, at, "consecutive"),
        .ratio = lz_read_num(L, at, "ratio", 0),
        .volume = count_at(L, at, "volume"),
        .calls = count_at(L, at, "calls"),
        .over = lz_read_int(L, at, "over", 0),
        .open = lz_read_int(L, at, "open", 0),
        .probes = count_at(L, at, "probes"),
    };
}

static void read_throttle(lua_State *L, int at, void *out)
{
    *(struct lz_throttle_opts *)out = (struct lz_throttle_opts){
        .on = true,
        .k = lz_read_num(L, at, "k", 0),
        .over = lz_read_int(L, at, "over", 0),
    };
}

static void read_hedge(lua_State *L, int at, void *out)
{
    *(struct lz_hedge_opts *)out = (struct lz_hedge_opts){
        .attempts = (uint32_t)lz_read_int(L, at, "attempts", 2),
        .after = lz_read_int(L, at, "after", 0),
        .quantile = lz_read_num(L, at, "quantile", 0),
        .tied = lz_read_bool(L, at, "tied"),
        .leave = lz_read_bool(L, at, "leave"),
    };
}

// Outcomes by their names, statuses by their numbers.
static void read_retry_on(lua_State *L, int at, void *out)
{
    struct lz_edge_opts *o = out;
    uint32_t n = (uint32_t)luaL_len(L, at);
    uint16_t *statuses = lz_arena_alloc(lz_script_of(L)->arena, (n + 1) * sizeof(*statuses));
    for (uint32_t i = 1; i <= n; i++) {
        if (lua_geti(L, at, i) == LUA_TNUMBER) {
            statuses[o->retry_status_count++] = (uint16_t)lua_tointeger(L, -1);
        } else {
            const char *name = luaL_checkstring(L, -1);
            for (int k = 0; k < LZ_OUTCOMES; k++)
                if (strcmp(lz_request_outcome_name((enum lz_outcome)k), name) == 0)
                    o->retry_outcomes |= 1u << k;
        }
        lua_pop(L, 1);
    }
    o->retry_statuses = statuses;
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
    };
    read_block(L, idx, "slow_start", read_slow_start, &o.slow_start);
    read_block(L, idx, "outliers", read_outliers, &o.outliers);
    read_weights(L, idx, &o);
    return o;
}

// -1 is "unbounded".
static uint32_t read_pool_max(lua_State *L, int idx)
{
    int64_t max = lz_read_int(L, idx, "pool_max", -1);
    return max < 0 ? 0 : (uint32_t)max;
}

struct lz_edge_opts lz_bind_read_edge(lua_State *L, int idx)
{
    struct lz_edge_opts o = {
        .from = (lz_component_id)lz_read_int(L, idx, "from", 0),
        .to = (lz_component_id)lz_read_int(L, idx, "to", 0),
        .op = lz_read_text(L, idx, "op"),
        .fresh = lz_read_num(L, idx, "fresh", 0),
        .timeout = lz_read_int(L, idx, "timeout", 0),
        .retries = count_at(L, idx, "retries"),
        .overall_timeout = lz_read_int(L, idx, "overall_timeout", 0),
        .backoff = {.base = lz_read_int(L, idx, "backoff", 0),
                    .max = lz_read_int(L, idx, "backoff_max", 0),
                    .jitter = (enum lz_jitter)WORD("jitter", jitters)},
        .fan_out = count_at(L, idx, "fan_out"),
        .enough = count_at(L, idx, "enough"),
        .bulkhead = count_at(L, idx, "bulkhead"),
        .single_flight = lz_read_bool(L, idx, "single_flight"),
        .cancel = lz_read_bool(L, idx, "cancel"),
        .stream = lz_read_bool(L, idx, "stream"),
        .session = lz_read_bool(L, idx, "is_session"),
        .reads = (uint16_t)lz_read_int(L, idx, "reads", 0),
        .writes = (uint16_t)lz_read_int(L, idx, "writes", 0),
        .isolation = (uint8_t)WORD("isolation", isolations),
        .size = (uint64_t)lz_read_num(L, idx, "size", 0),
        .response_size = (uint64_t)lz_read_num(L, idx, "response_size", 0),
        .tcp = {.window = (uint64_t)lz_read_num(L, idx, "window", 0),
                .syn_retries = (uint32_t)lz_read_int(L, idx, "syn_retries", 0),
                .syn_linear = (uint32_t)lz_read_int(L, idx, "syn_linear", 0),
                .retries = (uint32_t)lz_read_int(L, idx, "tcp_retries", 0),
                .keepalive = lz_read_bool(L, idx, "keepalive"),
                .idle = lz_read_int(L, idx, "keepalive_time", 0),
                .interval = lz_read_int(L, idx, "keepalive_interval", 0),
                .probes = (uint32_t)lz_read_int(L, idx, "keepalive_probes", 0)},
        .pool = {.is_on = lz_read_bool(L, idx, "pool"),
                 .is_cold = lz_read_bool(L, idx, "pool_cold"),
                 .max = read_pool_max(L, idx),
                 .idle_timeout = lz_read_int(L, idx, "pool_idle", 0),
                 .max_age = lz_read_int(L, idx, "pool_age", 0)},
        .beta = lz_read_num(L, idx, "beta", 0),
        .through = count_at(L, idx, "through"),
        .consistent = lz_read_bool(L, idx, "consistent"),
        .ttl = lz_read_int(L, idx, "ttl", 0),
        .entry_size = (uint64_t)lz_read_num(L, idx, "value_size", 0),
        .priority = (uint32_t)(lz_read_int(L, idx, "priority", -1) + 1),
        .balance = read_balance(L, idx),
        .health = {.every = lz_read_int(L, idx, "health_every", 0),
                   .timeout = lz_read_int(L, idx, "health_timeout", 0),
                   .fails = count_at(L, idx, "health_fails"),
                   .passes = count_at(L, idx, "health_passes"),
                   .by_endpoints = lz_read_bool(L, idx, "by_endpoints")},
    };
    read_block(L, idx, "retry_budget", read_budget, &o.budget);
    read_block(L, idx, "breaker", read_breaker, &o.breaker);
    read_block(L, idx, "throttle", read_throttle, &o.throttle);
    read_block(L, idx, "hedge", read_hedge, &o.hedge);
    read_block(L, idx, "retry_on", read_retry_on, &o);
    return o;
}
