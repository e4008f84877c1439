/* bind_run.c — what scripts do while the world runs, and the compiler. */
#include <lauxlib.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache.h"
#include "model/journal.h"
#include "model/node/clock.h"
#include "model/service/fence.h"
#include "script/bind_check.h"
#include "script/proc.h"
#include "script/read.h"
#include "script/serving.h"
#include "script/value.h"

#define FRAMES_MAX 60

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static lz_task_id check_task(lua_State *L, int arg)
{
    lz_task_id task = (lz_task_id)luaL_checkinteger(L, arg);
    if (!lz_handler_is_live(world_of(L), task))
        luaL_error(L, "the request has ended: a handler may not go on with it");
    return task;
}

// compile(source, chunk name, environment) -> function | nil, message
static int compile(lua_State *L)
{
    size_t len;
    const char *source = luaL_checklstring(L, 1, &len);
    if (luaL_loadbufferx(L, source, len, luaL_checkstring(L, 2), "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushvalue(L, 3);
    const char *upvalue = lua_setupvalue(L, -2, 1);
    LZ_ASSERT(upvalue != NULL); // a main chunk has _ENV
    return 1;
}

// where(by chunk) -> file, line, the scenario's own line | nothing. The innermost frame that runs
// one of the user's files; asked for each block and field, so debug.getinfo would take too long.
static int where(lua_State *L)
{
    lua_Integer file = 0, line = 0;
    lua_Debug frame;
    for (int level = 1; level <= FRAMES_MAX && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.source[0] != '@' || lua_getfield(L, 1, frame.source) != LUA_TNUMBER) {
            lua_settop(L, 1);
            continue;
        }
        lua_Integer one = lua_tointeger(L, -1);
        lua_settop(L, 1);
        if (file == 0) {
            file = one;
            line = frame.currentline;
        }
        if (one == 1) { // the scenario itself: nothing below it is the user's
            lua_pushinteger(L, file);
            lua_pushinteger(L, line);
            lua_pushinteger(L, frame.currentline);
            return 3;
        }
    }
    if (file == 0)
        return 0;
    lua_pushinteger(L, file);
    lua_pushinteger(L, line);
    return 2;
}

// now() -> virtual time; in a handler what the clock of its host reads
static int now(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_instance_id at = lz_serving_instance(L);
    lua_pushinteger(L, at != 0 ? lz_clock_read(w, at) : lz_sim_now(w->sim));
    return 1;
}

// wait(matcher, over, timeout or -1) -> did it come true
static int wait_for(lua_State *L)
{
    struct lz_matcher m;
    lz_bind_read_matcher(L, 1, &m);
    lz_time over = luaL_checkinteger(L, 2), timeout = luaL_checkinteger(L, 3);
    return lz_proc_wait(L, &m, over, timeout);
}

static int mark(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    uint32_t line = (uint32_t)luaL_optinteger(L, 2, 0);

    struct lz_err err;
    bool ok = lz_journal_mark(world_of(L), name, line, &err);

    return ok ? 0 : luaL_error(L, "%s", err.msg);
}

static int log_line(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    uint32_t line = (uint32_t)luaL_optinteger(L, 2, 0);
    lz_journal_add(world_of(L), &(struct lz_journal_entry){.kind = "log", .line = line}, "%s",
                   text);
    return 0;
}

// drive(name, function)
static int drive(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lz_procs_drive(lz_script_of(L), L, name);
    return 0;
}

// handle(service, op, function) -> number | nil, message
static int handle(lua_State *L)
{
    lz_component_id s = (lz_component_id)luaL_checkinteger(L, 1);
    const char *op = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    uint32_t number = lz_serving_add(lz_script_of(L), L, s);

    struct lz_err err;
    bool ok = lz_service_handle(world_of(L), s, op, number, &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, number);
    return 1;
}

// call(task, edge, key, value it carries) -> ok, status, value, outcome
static int call(lua_State *L)
{
    lz_task_id task = lz_serving_task(L, 1);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 2);
    struct lz_world *w = world_of(L);
    uint64_t key = lz_value_read_key(L, 3);
    lz_value value = lz_value_read(L, 4, w);
    lz_argument_id argument = value != 0 ? lz_argument_value(w, value) : 0;
    lz_handler_call(w, task, edge, key, argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lz_proc_yield(L);
}

// call_fenced(task, edge, key, value it carries, a lock's token) -> as call
static int call_fenced(lua_State *L)
{
    lz_task_id task = lz_serving_task(L, 1);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 2);
    struct lz_world *w = world_of(L);
    lz_argument_id argument = lz_argument_value(w, lz_value_read(L, 4, w));
    lz_fence_show(w, argument, (uint64_t)luaL_checkinteger(L, 5));
    lz_handler_call(w, task, edge, lz_value_read_key(L, 3), argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lz_proc_yield(L);
}

// ignore_tokens(component)
static int ignore_tokens(lua_State *L)
{
    lz_fence_ignore(world_of(L), (lz_component_id)luaL_checkinteger(L, 1));
    return 0;
}

// call_many(task, edge, keys, values or nil) -> ok, status, value, outcome, values
static int call_many(lua_State *L)
{
    lz_task_id task = lz_serving_task(L, 1);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 2);
    struct lz_world *w = world_of(L);
    lua_Integer count = luaL_len(L, 3);
    luaL_argcheck(L, count >= 1 && count <= LZ_CACHE_MANY_MAX, 3, "too many keys");
    lz_argument_id argument =
        lz_argument_make(w, NULL, (uint32_t)count * (uint32_t)sizeof(struct lz_cache_pair));
    uint32_t size = 0;
    struct lz_cache_pair *pairs = lz_argument_bytes(w, argument, &size);
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, 3, i + 1); // [.. key]
        pairs[i].key = lz_value_read_key(L, -1);
        lua_pop(L, 1);
        if (!lua_istable(L, 4))
            continue;
        lua_rawgeti(L, 4, i + 1); // [.. value]
        pairs[i].value = lz_value_read(L, -1, w);
        lua_pop(L, 1);
    }
    lz_handler_call(w, task, edge, pairs[0].key, argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lz_proc_yield(L);
}

static int pause_for(lua_State *L)
{
    lz_task_id task = lz_serving_task(L, 1);
    lz_handler_sleep(world_of(L), task, luaL_checkinteger(L, 2));
    return lz_proc_yield(L);
}

#define DISTS_MAX 4096 // then all are forgotten: who makes a new one for each request has many

// keep_dist(dist) -> number, for drawn; 1: what was kept is forgotten
static int keep_dist(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    struct lz_dist dist;
    struct lz_err err;
    if (!lz_read_dist_at(L, 1, &dist, &err))
        return luaL_error(L, "%s", err.msg);
    if (s->dist_count == DISTS_MAX)
        s->dist_count = 0;
    s->dists = lz_grow(s->arena, s->dists, &s->dist_cap, s->dist_count + 1, sizeof(*s->dists));
    s->dists[s->dist_count] = dist;
    lua_pushinteger(L, ++s->dist_count);
    return 1;
}

// drawn(task, dist, n) -> nanoseconds: the request's n-th draw
static int drawn(lua_State *L)
{
    const struct lz_script *s = lz_script_of(L);
    lz_task_id task = check_task(L, 1);
    lua_Integer dist = luaL_checkinteger(L, 2), n = luaL_checkinteger(L, 3);
    LZ_ASSERT(dist >= 1 && dist <= s->dist_count);
    LZ_ASSERT(n >= 1);
    lua_pushinteger(L, lz_handler_draw(world_of(L), task, &s->dists[dist - 1], (uint64_t)n));
    return 1;
}

static int work(lua_State *L)
{
    lz_task_id task = lz_serving_task(L, 1);
    lz_handler_work(world_of(L), task, luaL_checkinteger(L, 2));
    return lz_proc_yield(L);
}

// io(task, "read" | "write" | "fsync") -> nothing, after it has ended
static int io(lua_State *L)
{
    static const char *const names[] = {"read", "write", "fsync", NULL};
    lz_task_id task = lz_serving_task(L, 1);
    int op = luaL_checkoption(L, 2, NULL, names);
    return lz_handler_disk(world_of(L), task, (enum lz_disk_op)op) ? lz_proc_yield(L) : 0;
}

static int io_failed(lua_State *L)
{
    lua_pushboolean(L, lz_handler_disk_failed(world_of(L), check_task(L, 1)));
    return 1;
}

// time_left(task) -> nanoseconds until its caller gives up, -1 if that is not known
static int time_left(lua_State *L)
{
    lua_pushinteger(L, lz_handler_time_left(world_of(L), check_task(L, 1)));
    return 1;
}

// version(task) -> number of the service's version, 0 if it has none
static int version(lua_State *L)
{
    lua_pushinteger(L, lz_handler_version(world_of(L), check_task(L, 1)));
    return 1;
}

static int priority(lua_State *L)
{
    lua_pushinteger(L, lz_handler_priority(world_of(L), check_task(L, 1)));
    return 1;
}

// say(task, value): what the answer that follows says
static int say(lua_State *L)
{
    lz_task_id task = (lz_task_id)luaL_checkinteger(L, 1);
    if (lz_handler_is_live(world_of(L), task))
        lz_handler_say(world_of(L), task, lz_value_read(L, 2, world_of(L)));
    return 0;
}

static int flight(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)++lz_script_of(L)->flights);
    return 1;
}

static int join(lua_State *L)
{
    return lz_proc_join(L, (uint64_t)luaL_checkinteger(L, 2));
}

// land(flight, value)
static int land(lua_State *L)
{
    lua_settop(L, 2);
    lz_proc_land(L, (uint64_t)luaL_checkinteger(L, 1));
    return 0;
}

static const luaL_Reg functions[] = {
    {"compile", compile},
    {"where", where},
    {"now", now},
    {"sleeper", lz_sleep_word},
    {"caller", lz_call_word},
    {"wait", wait_for},
    {"mark", mark},
    {"log", log_line},
    {"drive", drive},
    {"handle", handle},
    {"call", call},
    {"call_many", call_many},
    {"call_fenced", call_fenced},
    {"ignore_tokens", ignore_tokens},
    {"pause", pause_for},
    {"keep_dist", keep_dist},
    {"drawn", drawn},
    {"work", work},
    {"io", io},
    {"io_failed", io_failed},
    {"time_left", time_left},
    {"task_version", version},
    {"priority", priority},
    {"say", say},
    {"flight", flight},
    {"join", join},
    {"land", land},
    {NULL, NULL},
};

void lz_bind_run(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
    lz_sandbox_random(L); // [C random]
    lua_setfield(L, -2, "rand");
}
