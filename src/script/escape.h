/*
 * escape.h — `check("sentence", function(w) ... end)`: an expectation in code, for what the verdict
 * words cannot say.
 *
 * The function is called when the verdict is decided, after the last event, with what it may ask:
 * whole-run values of metrics, and when marks happened. It says true, or false and why. Whatever
 * else it returns, and an error in it, is a mistake of the scenario and no verdict. The prompt
 * decides more than once: it must only look.
 */
#ifndef LZ_SCRIPT_ESCAPE_H
#define LZ_SCRIPT_ESCAPE_H

#include <lua.h>

/* [C]: expect_script, metric_whole, marked_at */
void lz_escape_bind(lua_State *L);

#endif
