/* bind_check.h — matchers as the Lua half hands them over. */
#ifndef LZ_SCRIPT_BIND_CHECK_H
#define LZ_SCRIPT_BIND_CHECK_H

#include <lua.h>

#include "check/check.h"

/* The table at `idx`. Texts are copied to the arena. */
void lz_bind_read_matcher(lua_State *L, int idx, struct lz_matcher *out);

#endif
