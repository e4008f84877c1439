/* bind_consensus.c — groups that agree, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/consensus/consensus.h"
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

void lz_bind_consensus(lua_State *L)
{
    lua_pushcfunction(L, consensus);
    lua_setfield(L, -2, "consensus");
}
