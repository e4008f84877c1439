/*
 * value.h — values of rows, entries and records between Lua and the model (model/value.h).
 *
 * nil, an integer, a string or a boolean; a float that is a whole number counts as one. All else
 * raises an error that names what it is.
 */
#ifndef LZ_SCRIPT_VALUE_H
#define LZ_SCRIPT_VALUE_H

#include <lua.h>

#include "model/value.h"

lz_value lz_value_read(lua_State *L, int arg, struct lz_world *w);
void lz_value_push(lua_State *L, const struct lz_world *w, lz_value v);

/* A key is an integer, or a string: its hash. */
uint64_t lz_value_read_key(lua_State *L, int arg);

#endif
