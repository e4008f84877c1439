/* bind_consensus.c — groups that agree, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/consensus/consensus.h"
#include "model/consensus/consensus_member.h"
#include "script/read.h"
#include "script/state.h"

static enum lz_consensus_reads reads_of(const char *name)
{
    if (name == NULL || strcmp(name, "index") == 0)
        return LZ_READS_INDEX;
    return strcmp(name, "lease") == 0 ? LZ_READS_LEASE : LZ_READS_STALE;
}

// consensus{...} -> component id
static int consensus(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    LZ_ASSERT(s->world.world != NULL);
    struct lz_err err;
    struct lz_consensus_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .nodes = (uint32_t)lz_read_int(L, 1, "nodes", 0),
        .members = (uint32_t)lz_read_int(L, 1, "members", 0),
        .heartbeat = lz_read_int(L, 1, "heartbeat", 0),
        .election = lz_read_int(L, 1, "election", 0),
        .no_pre_vote = lz_read_bool(L, 1, "no_pre_vote"),
        .no_check_quorum = lz_read_bool(L, 1, "no_check_quorum"),
        .reads = reads_of(lz_read_text(L, 1, "reads")),
        .cpu = lz_read_num(L, 1, "cpu", 0),
        .request_timeout = lz_read_int(L, 1, "request_timeout", 0),
        .lease = lz_read_int(L, 1, "lease", 0),
        .snapshot_every = (uint32_t)lz_read_int(L, 1, "snapshot_every", 0),
        .snapshot_keep = (uint32_t)lz_read_int(L, 1, "snapshot_keep", 0),
        .entry_bytes = (uint32_t)lz_read_num(L, 1, "entry_bytes", 0),
    };
    lz_read_spread(L, 1, &o.spread);
    if (!lz_read_dist(L, 1, "request_time", &o.request_time, &err) ||
        !lz_read_dist(L, 1, "snapshot_time", &o.snapshot_time, &err))
        return lz_bind_refuse(L, &err);

    lz_component_id id = 0;
    if (!lz_consensus_create(s->world.world, &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// The group that is the first argument; a database need not be one.
static bool group_of(lua_State *L, lz_component_id *id, struct lz_err *err)
{
    const struct lz_world *w = lz_script_of(L)->world.world;
    *id = (lz_component_id)luaL_checkinteger(L, 1);
    if (lz_consensus_is_group(w, *id))
        return true;
    return lz_fail(err, LZ_EINVAL, "%s has no members to change: that is of replication = \"raft\"",
                   lz_world_component(w, *id)->name);
}

// member(group, change, node from 1) -> true
static int member(lua_State *L)
{
    static const char *const words[] = {"add", "add_learner", "promote", "remove", NULL};
    enum lz_member_change what = (enum lz_member_change)luaL_checkoption(L, 2, NULL, words);
    uint32_t node = (uint32_t)luaL_checkinteger(L, 3);
    struct lz_world *w = lz_script_of(L)->world.world;
    lz_component_id id = 0;
    struct lz_err err;
    if (!group_of(L, &id, &err) || !lz_consensus_change(w, id, what, node, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// move_leader(group, node from 1 or 0) -> true
static int move_leader(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    uint32_t to = (uint32_t)luaL_checkinteger(L, 2);
    lz_component_id id = 0;
    struct lz_err err;
    if (!group_of(L, &id, &err) || !lz_consensus_transfer(w, id, to, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// snapshot_save(group, node from 1 or 0) -> index
static int snapshot_save(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    uint32_t from = (uint32_t)luaL_checkinteger(L, 2);
    lz_component_id id = 0;
    uint64_t index = 0;
    struct lz_err err;
    if (!group_of(L, &id, &err) || !lz_consensus_save(w, id, from, &index, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, (lua_Integer)index);
    return 1;
}

// snapshot_restore(group) -> true
static int snapshot_restore(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    lz_component_id id = 0;
    struct lz_err err;
    if (!group_of(L, &id, &err) || !lz_consensus_restore(w, id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

static const luaL_Reg functions[] = {
    {"consensus", consensus},
    {"member", member},
    {"move_leader", move_leader},
    {"snapshot_save", snapshot_save},
    {"snapshot_restore", snapshot_restore},
    {NULL, NULL},
};

void lz_bind_consensus(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
