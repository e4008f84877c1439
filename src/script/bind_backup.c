/* bind_backup.c — a database's backups, for the Lua half. */
#include <lauxlib.h>

#include "base/check.h"
#include "model/data/backup.h"
#include "script/bind_call.h"
#include "script/read.h"
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

// backup(database, {full, archive, drill, to, keep, size, throughput, replay_rate}) -> true
static int backup(lua_State *L)
{
    struct lz_backup_opts o = {
        .full = lz_read_int(L, 2, "full", 0),
        .archive = lz_read_int(L, 2, "archive", 0),
        .drill = lz_read_int(L, 2, "drill", 0),
        .to = (lz_component_id)lz_read_int(L, 2, "to", 0),
        .keep = (uint32_t)lz_read_int(L, 2, "keep", 0),
        .size = lz_read_num(L, 2, "size", 0),
        .throughput = lz_read_num(L, 2, "throughput", 0),
        .replay_rate = lz_read_num(L, 2, "replay_rate", 0),
    };
    struct lz_err err;
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    return answer(L, lz_backup_declare(world_of(L), id, &o, &err), &err);
}

// restore(database, instant or -1) -> true
static int restore(lua_State *L)
{
    struct lz_err err;
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    return answer(L, lz_backup_restore(world_of(L), id, luaL_checkinteger(L, 2), &err), &err);
}

static const luaL_Reg functions[] = {{"backup", backup}, {"restore", restore}, {NULL, NULL}};

void lz_bind_backup(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
