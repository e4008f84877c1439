/*
 * serving.h — handlers: functions of a scenario that serve a service's requests.
 *
 * Each request has a coroutine to itself while it is served, one of a pool. The object that the
 * function is given is the coroutine's, so a script that kept it beyond its request has a request
 * that has ended, or the next one that the same coroutine serves.
 */
#ifndef LZ_SCRIPT_SERVING_H
#define LZ_SCRIPT_SERVING_H

#include <lua.h>

#include "model/service/handler.h"
#include "script/state.h"

/* Register the function on top of the stack as a handler; its number. Popped. */
uint32_t lz_serving_add(struct lz_script *s, lua_State *L, lz_component_id service);

/* Where the handler that runs now serves; 0: it is no handler, or its request is gone. */
lz_instance_id lz_serving_instance(lua_State *L);

/*
 * The task whose number is an argument, which the handler that runs on L serves. An error if its
 * request has ended, or if it is another handler's, which does something at this moment itself.
 */
lz_task_id lz_serving_task(lua_State *L, int arg);

/* A statement of the handler that runs on L has failed: before its answer counts, it is asked of
 * the Lua half whether it was looked at. */
void lz_serving_unseen(lua_State *L);

#endif
