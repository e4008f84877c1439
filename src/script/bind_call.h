/* bind_call.h — the options of a way to call, as the Lua half hands them over. */
#ifndef LZ_SCRIPT_BIND_CALL_H
#define LZ_SCRIPT_BIND_CALL_H

#include <lua.h>

#include "model/client/call.h"

/* Of the table at `idx`: from, to, op and whatever else `edge` of build.lua puts there. */
struct lz_edge_opts lz_bind_read_edge(lua_State *L, int idx);

#endif
