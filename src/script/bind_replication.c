/* bind_replication.c — a database's log, and who leads it, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/data/agree.h"
#include "model/data/checkpoint.h"
#include "model/data/encrypt.h"
#include "model/data/failover.h"
#include "model/data/multi.h"
#include "model/data/reads.h"
#include "model/data/replicate.h"
#include "model/data/retain.h"
#include "script/read.h"
#include "script/rule.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static int answer(lua_State *L, bool ok, const struct lz_err *err)
{
    if (!ok)
        return lz_bind_refuse(L, err);
    lua_pushboolean(L, true);
    return 1;
}

static enum lz_commit_level level_of(const char *name)
{
    static const char *const names[] = {[LZ_COMMIT_LOCAL] = "local",
                                        [LZ_COMMIT_ASYNC] = "async",
                                        [LZ_COMMIT_REMOTE_WRITE] = "remote_write",
                                        [LZ_COMMIT_ON] = "on",
                                        [LZ_COMMIT_REMOTE_APPLY] = "remote_apply"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return (enum lz_commit_level)i;
    LZ_UNREACHABLE("the Lua half knows the words");
    return LZ_COMMIT_LOCAL;
}

// A list of nodes; what no node can have as its number is refused with the others.
static void read_priority(lua_State *L, struct lz_replication_opts *o)
{
    if (lua_getfield(L, 2, "priority") == LUA_TTABLE) { // [id opts list]
        lua_Integer len = luaL_len(L, -1);
        uint32_t max = sizeof(o->priority) / sizeof(o->priority[0]);
        o->priority_count = len < max ? (uint32_t)len : max;
        for (uint32_t i = 0; i < o->priority_count; i++) {
            lua_geti(L, -1, (lua_Integer)i + 1);
            lua_Integer node = luaL_checkinteger(L, -1);
            o->priority[i] = node >= 0 && node < UINT8_MAX ? (uint8_t)node : UINT8_MAX;
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

// replication(database, {commit, quorum, priority, wal_flush, ...}) -> true
static int replication(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_replication_opts o = {
        .commit = level_of(lz_read_text(L, 2, "commit")),
        .quorum = (uint32_t)lz_read_int(L, 2, "quorum", 0),
        .wal_writer_delay = lz_read_int(L, 2, "wal_writer_delay", 0),
        .sender_timeout = lz_read_int(L, 2, "sender_timeout", 0),
    };
    read_priority(L, &o);
    struct lz_err err;
    bool ok = lz_read_dist(L, 2, "wal_flush", &o.wal_flush, &err) &&
              lz_read_dist(L, 2, "standby_write", &o.standby_write, &err) &&
              lz_read_dist(L, 2, "apply_time", &o.apply_time, &err) &&
              lz_replication_declare(world_of(L), id, &o, &err);
    return answer(L, ok, &err);
}

// failover(database, {mode, detect, promote, lease, ...}) -> true
static int failover(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const char *mode = lz_read_text(L, 2, "mode"), *rejoin = lz_read_text(L, 2, "rejoin");
    struct lz_failover_opts o = {
        .mode = mode == NULL || strcmp(mode, "automatic") == 0 ? LZ_FAILOVER_AUTOMATIC
                : strcmp(mode, "manual") == 0                  ? LZ_FAILOVER_MANUAL
                                                               : LZ_FAILOVER_NONE,
        .detect = lz_read_int(L, 2, "detect", 0),
        .promote = lz_read_int(L, 2, "promote", 0),
        .is_leased = lz_read_bool(L, 2, "lease"),
        .store = (lz_component_id)lz_read_int(L, 2, "store", 0),
        .ttl = lz_read_int(L, 2, "ttl", 0),
        .loop_wait = lz_read_int(L, 2, "loop_wait", 0),
        .retry_timeout = lz_read_int(L, 2, "retry_timeout", 0),
        .poll = lz_read_int(L, 2, "poll", 0),
        .maximum_lag_bytes = lz_read_num(L, 2, "maximum_lag", -1),
        .unfenced = lz_read_bool(L, 2, "unfenced"),
        .discovery = lz_read_int(L, 2, "discovery", -1),
        .rejoin = rejoin == NULL                  ? LZ_REJOIN_AT_ONCE
                  : strcmp(rejoin, "rewind") == 0 ? LZ_REJOIN_REWIND
                                                  : LZ_REJOIN_REBUILD,
        .size = lz_read_num(L, 2, "size", 0),
        .rate = lz_read_num(L, 2, "rate", 0),
    };
    o.limits_lag = o.maximum_lag_bytes >= 0.0;
    o.is_discovered = o.discovery >= 0;
    struct lz_err err;
    return answer(L, lz_failover_declare(world_of(L), id, &o, &err), &err);
}

// force_failover(database, node from 1 or 0) -> true
static int force_failover(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_err err;
    uint32_t to = (uint32_t)luaL_checkinteger(L, 2);
    return answer(L, lz_failover_force(world_of(L), id, to, &err), &err);
}

// reads(database, {read_your_writes, max_lag}) -> true
static int reads(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_reads_opts o = {.read_your_writes = lz_read_bool(L, 2, "read_your_writes"),
                              .max_lag = lz_read_int(L, 2, "max_lag", 0)};
    struct lz_err err;
    return answer(L, lz_reads_declare(world_of(L), id, &o, &err), &err);
}

// multi(database, nil, rule: a word, a function or nil) -> true
static int multi(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_multi_opts o = {.rule = LZ_MULTI_LAST_WRITER};
    if (lua_type(L, 3) == LUA_TFUNCTION) {
        const char *name = lz_world_component(world_of(L), id)->name;
        o = (struct lz_multi_opts){
            .rule = LZ_MULTI_ASKED, .ask = lz_rule_ask, .ctx = lz_rule_make(L, 3, name)};
    } else if (strcmp(luaL_optstring(L, 3, ""), "first_writer_wins") == 0) {
        o.rule = LZ_MULTI_FIRST_WRITER;
    }
    struct lz_err err;
    return answer(L, lz_multi_declare(world_of(L), id, &o, &err), &err);
}

// raft(database, {heartbeat, election, ...}) -> true
static int raft(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const char *reads = lz_read_text(L, 2, "reads");
    const struct lz_consensus_opts o = {
        .members = (uint32_t)lz_read_int(L, 2, "members", 0),
        .heartbeat = lz_read_int(L, 2, "heartbeat", 0),
        .election = lz_read_int(L, 2, "election", 0),
        .no_pre_vote = lz_read_bool(L, 2, "no_pre_vote"),
        .no_check_quorum = lz_read_bool(L, 2, "no_check_quorum"),
        .reads = reads != NULL && strcmp(reads, "lease") == 0 ? LZ_READS_LEASE : LZ_READS_INDEX,
        .snapshot_every = (uint32_t)lz_read_int(L, 2, "snapshot_every", 0),
        .snapshot_keep = (uint32_t)lz_read_int(L, 2, "snapshot_keep", 0),
        .entry_bytes = (uint32_t)lz_read_num(L, 2, "entry_bytes", 0),
    };
    struct lz_err err;
    return answer(L, lz_agree_declare(world_of(L), id, &o, &err), &err);
}

// checkpoint(database, {timeout, completion_target, max_wal_size, ...}) -> true
static int checkpoint(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const struct lz_checkpoint_opts o = {
        .timeout = lz_read_int(L, 2, "timeout", 0),
        .completion_target = lz_read_num(L, 2, "completion_target", 0),
        .max_wal_size = lz_read_num(L, 2, "max_wal_size", 0),
        .no_full_pages = lz_read_bool(L, 2, "no_full_pages"),
        .pages = (uint32_t)lz_read_int(L, 2, "pages", 0),
        .record_bytes = lz_read_num(L, 2, "record", 0),
        .bandwidth = lz_read_num(L, 2, "bandwidth", 0),
    };
    struct lz_err err;
    return answer(L, lz_checkpoint_declare(world_of(L), id, &o, &err), &err);
}

// retain(database, {slots, keep, slot_keep, copy_after, copy_bytes, copy_rate}) -> true
static int retain(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const struct lz_retain_opts o = {
        .slots = lz_read_bool(L, 2, "slots"),
        .keep = lz_read_num(L, 2, "keep", 0),
        .slot_keep = lz_read_num(L, 2, "slot_keep", 0),
        .copy_after = lz_read_int(L, 2, "copy_after", 0),
        .copy_bytes = lz_read_num(L, 2, "copy_bytes", 0),
        .copy_rate = lz_read_num(L, 2, "copy_rate", 0),
    };
    struct lz_err err;
    return answer(L, lz_retain_declare(world_of(L), id, &o, &err), &err);
}

// A list of nodes by number, as bits; a number that no node can have is the highest bit.
static uint64_t read_nodes(lua_State *L, const char *name)
{
    uint64_t bits = 0;
    if (lua_getfield(L, 2, name) == LUA_TTABLE) // [id opts list]
        for (lua_Integer i = 1; i <= luaL_len(L, -1); i++) {
            lua_geti(L, -1, i);
            lua_Integer node = luaL_checkinteger(L, -1);
            bits |= 1ull << (node >= 1 && node <= 64 ? node - 1 : 63);
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
    return bits;
}

// encryption(database, {at_rest, rate, key_valid_for, in_transit, ...}) -> true
static int encryption(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const struct lz_encrypt_opts o = {
        .at_rest = lz_read_bool(L, 2, "at_rest"),
        .rate = lz_read_num(L, 2, "rate", 0),
        .key_valid_for = lz_read_int(L, 2, "key_valid_for", 0),
        .in_transit = lz_read_bool(L, 2, "in_transit"),
        .wrong_ca = read_nodes(L, "wrong_ca"),
        .plaintext = read_nodes(L, "plaintext"),
        .valid_for = lz_read_int(L, 2, "valid_for", 0),
    };
    struct lz_err err;
    return answer(L, lz_encrypt_declare(world_of(L), id, &o, &err), &err);
}

static const luaL_Reg functions[] = {
    {"encryption", encryption},
    {"checkpoint", checkpoint},
    {"retain", retain},
    {"raft", raft},
    {"multi", multi},
    {"reads", reads},
    {"failover", failover},
    {"force_failover", force_failover},
    {"replication", replication},
    {NULL, NULL},
};

void lz_bind_replication(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
