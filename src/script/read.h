/*
 * read.h — fields of the tables that the Lua half hands over: checked already, in base
 * units. A wrong type here is a bug of ours and raises.
 */
#ifndef LZ_SCRIPT_READ_H
#define LZ_SCRIPT_READ_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/net/loss.h"
#include "model/place.h"
#include "model/target.h"
#include "sim/dist.h"
#include "sim/shape.h"

/* Field `name` of the table at `idx`; the default where it is absent. */
int64_t lz_read_int(lua_State *L, int idx, const char *name, int64_t fallback);
double lz_read_num(lua_State *L, int idx, const char *name, double fallback);
bool lz_read_bool(lua_State *L, int idx, const char *name);
const char *lz_read_text(lua_State *L, int idx,
                         const char *name); /* NULL if absent; a copy in the arena */

/* Kind NONE if absent. False with a message if the parameters make no sense. */
bool lz_read_dist(lua_State *L, int idx, const char *name, struct lz_dist *out, struct lz_err *err);
bool lz_read_dist_at(lua_State *L, int idx, struct lz_dist *out, struct lz_err *err);

/* A number is a constant rate; kind CONSTANT with 0 if absent. */
bool lz_read_shape(lua_State *L, int idx, const char *name, struct lz_shape *out,
                   struct lz_err *err);
bool lz_read_shape_at(lua_State *L, int idx, struct lz_shape *out, struct lz_err *err);

/* A model of loss in bursts: kind NONE if absent, the defaults of netem for what is not said. */
void lz_read_burst(lua_State *L, int idx, const char *name, struct lz_loss *out);

void lz_read_spread(lua_State *L, int idx, struct lz_spread *out);
void lz_read_target(lua_State *L, int idx, struct lz_target *out); /* the table at idx is one */

#endif
