/* bind_broker.c — brokers, topics and consumers, for the Lua half. */
#include "script/bind_broker.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/broker/broker.h"
#include "model/broker/consumers.h"
#include "model/broker/topic.h"
#include "model/service/handler.h"
#include "script/read.h"
#include "script/state.h"
#include "script/value.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static int answer(lua_State *L, bool ok, lz_component_id id, const struct lz_err *err)
{
    if (!ok)
        return lz_bind_refuse(L, err);
    lua_pushinteger(L, id);
    return 1;
}

static uint32_t count(lua_State *L, const char *name)
{
    return (uint32_t)lz_read_int(L, 1, name, 0);
}

// Which of the words, that the schema has checked; the first if there is none.
static unsigned word(const char *text, const char *const *words, unsigned n)
{
    for (unsigned i = 0; i < n && text != NULL; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    LZ_ASSERT(text == NULL);
    return 0;
}

// broker{name, line, nodes, spread, ...} -> component id
static int broker(lua_State *L)
{
    struct lz_err err;
    struct lz_broker_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = count(L, "line"),
        .nodes = count(L, "nodes"),
        .election = lz_read_int(L, 1, "election", 0),
        .replica_lag_time = lz_read_int(L, 1, "replica_lag_time", 0),
        .flush = lz_read_int(L, 1, "flush", -1),
    };
    lz_read_spread(L, 1, &o.spread);
    lz_component_id id = 0;
    bool ok = lz_read_dist(L, 1, "disk_write", &o.append, &err) &&
              lz_broker_create(world_of(L), &o, &id, &err);
    return answer(L, ok, id, &err);
}

// topic{name, line, broker, partitions, ...} -> component id
static int topic(lua_State *L)
{
    struct lz_err err;
    const struct lz_topic_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = count(L, "line"),
        .broker = count(L, "broker"),
        .partitions = count(L, "partitions"),
        .replication = count(L, "replication"),
        .min_isr = count(L, "min_isr"),
        .unclean = lz_read_bool(L, 1, "unclean"),
        .retention = lz_read_int(L, 1, "retention", 0),
        .retention_bytes = lz_read_num(L, 1, "retention_bytes", 0),
    };
    lz_component_id id = 0;
    bool ok = lz_topic_create(world_of(L), &o, &id, &err);
    return answer(L, ok, id, &err);
}

// consumers{name, line, topic, members, ...} -> component id
static int consumers(lua_State *L)
{
    static const char *const assignments[] = {[LZ_ASSIGN_RANGE] = "range",
                                              [LZ_ASSIGN_ROUND_ROBIN] = "round_robin",
                                              [LZ_ASSIGN_STICKY] = "sticky"};
    static const char *const errors[] = {[LZ_CONSUMERS_RETRY] = "retry",
                                         [LZ_CONSUMERS_SKIP] = "skip",
                                         [LZ_CONSUMERS_CRASH] = "crash"};
    struct lz_err err;
    struct lz_consumers_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = count(L, "line"),
        .topic = count(L, "topic"),
        .members = count(L, "members"),
        .batch = count(L, "batch"),
        .cpu = lz_read_num(L, 1, "cpu", 0),
        .session = lz_read_int(L, 1, "session", 0),
        .heartbeat = lz_read_int(L, 1, "heartbeat", 0),
        .max_poll_interval = lz_read_int(L, 1, "max_poll_interval", 0),
        .is_cooperative = lz_read_bool(L, 1, "is_cooperative"),
        .is_static = lz_read_bool(L, 1, "is_static"),
        .assignment = (enum lz_assign)word(lz_read_text(L, 1, "assignment"), assignments, 3),
        .commit_every = lz_read_int(L, 1, "commit_every", 0),
        .commit_batch = lz_read_bool(L, 1, "commit_batch"),
        .at_most_once = lz_read_bool(L, 1, "at_most_once"),
        .reads_committed = lz_read_bool(L, 1, "reads_committed"),
        .transaction_timeout = lz_read_int(L, 1, "transaction_timeout", 0),
        .from_earliest = lz_read_bool(L, 1, "from_earliest"),
        .on_error = (enum lz_consumers_on_error)word(lz_read_text(L, 1, "on_error"), errors, 3),
        .is_handled = lz_read_bool(L, 1, "is_handled"),
    };
    lz_read_spread(L, 1, &o.spread);
    lz_component_id id = 0;
    bool ok = lz_read_dist(L, 1, "work", &o.work, &err) &&
              lz_consumers_create(world_of(L), &o, &id, &err);
    return answer(L, ok, id, &err);
}

// record(task) -> partition, offset, value, when it was made; of the record that is handled
static int record(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_task_id task = (lz_task_id)luaL_checkinteger(L, 1);
    LZ_ASSERT(lz_handler_is_live(w, task));
    const struct lz_consumers_record r = lz_consumers_record(w, lz_handler_instance(w, task));
    lua_pushinteger(L, r.partition);
    lua_pushinteger(L, (lua_Integer)r.offset);
    lz_value_push(L, w, r.value);
    lua_pushinteger(L, r.at);
    return 4;
}

static void read_also(lua_State *L, int idx, struct lz_producer_opts *o)
{
    if (lua_getfield(L, idx, "also_to") == LUA_TTABLE) { // [... topics]
        lua_Integer n = luaL_len(L, -1);
        LZ_ASSERT(n <= LZ_PRODUCER_ALSO_MAX);
        for (lua_Integer i = 1; i <= n; i++) {
            lua_geti(L, -1, i); // [... topics id]
            o->also[o->also_count++] = (lz_component_id)lua_tointeger(L, -1);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

struct lz_producer_opts lz_bind_read_producer(lua_State *L, int idx, const char *name)
{
    static const char *const acks[] = {"all", "leader", "none"};
    struct lz_producer_opts o = {0};
    if (lua_getfield(L, idx, name) == LUA_TTABLE) { // [... producer]
        int at = lua_gettop(L);
        o = (struct lz_producer_opts){
            .acks = word(lz_read_text(L, at, "acks"), acks, 3),
            .linger = lz_read_int(L, at, "linger", 0),
            .batch_size = lz_read_num(L, at, "batch_size", 0),
            .max_in_flight = (uint32_t)lz_read_int(L, at, "max_in_flight", 0),
            .buffer = lz_read_num(L, at, "buffer", 0),
            .transactional_id = lz_read_text(L, at, "transactional_id"),
            .transaction_timeout = lz_read_int(L, at, "transaction_timeout", 0),
            .aborts = lz_read_num(L, at, "aborts", 0),
        };
        read_also(L, at, &o);
        if (lua_getfield(L, at, "idempotent") != LUA_TNIL)
            o.idempotence = lua_toboolean(L, -1) ? LZ_IDEMPOTENCE_ON : LZ_IDEMPOTENCE_OFF;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return o;
}

static const luaL_Reg functions[] = {
    {"broker", broker}, {"topic", topic}, {"consumers", consumers},
    {"record", record}, {NULL, NULL},
};

void lz_bind_broker(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
