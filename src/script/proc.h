/*
 * proc.h — coroutines on virtual time: `drive` bodies and handlers. For script/ only.
 *
 * The kernel alone resumes: by a wake-up event, by the end of a call, or when windows have
 * closed. A handler's coroutine serves one request after another and goes back to a pool.
 */
#ifndef LZ_SCRIPT_PROC_H
#define LZ_SCRIPT_PROC_H

#include <lua.h>

#include "check/check.h"
#include "script/state.h"

/* Begin a drive body at time 0: the function is on top of the stack, and popped. */
void lz_procs_drive(struct lz_script *s, lua_State *L, const char *name);

/* The scenario's Lua went wrong: the error is on top of `L`, which is in the registry by `thread`.
 */
struct lz_proc_error {
    lua_State *L;
    int thread, status;
    const char *where;
};

/* Say so, and end the run. */
void lz_procs_broken(struct lz_script *s, const struct lz_proc_error *e);

/* The run begins: `drive` bodies get their first wake-up. */
void lz_procs_start(struct lz_script *s);

/* For primitives, on the coroutine that calls: it will be resumed later. Each yields. */
int lz_proc_sleep(lua_State *L, lz_time duration);
int lz_sleep_word(lua_State *L); /* sleep.c: (the Lua half's, meta) -> the word */
int lz_call_word(lua_State *L);  /* call_word.c: (the Lua half's) -> the word, what it learns by */
int lz_proc_wait(lua_State *L, const struct lz_matcher *m, lz_time over, lz_time timeout);
int lz_proc_yield(lua_State *L);                  /* somebody else resumes it */
int lz_proc_join(lua_State *L, uint64_t flight);  /* until the flight lands */
void lz_proc_land(lua_State *L, uint64_t flight); /* the value is on top; it stays */

#endif
