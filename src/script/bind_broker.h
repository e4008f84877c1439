/* bind_broker.h — what a traffic says of writing to a topic; for bind_model.c. */
#ifndef LZ_SCRIPT_BIND_BROKER_H
#define LZ_SCRIPT_BIND_BROKER_H

#include <lua.h>

#include "model/broker/producer.h"

/* The table `name` of the one at `idx`; all default where there is none. */
struct lz_producer_opts lz_bind_read_producer(lua_State *L, int idx, const char *name);

#endif
