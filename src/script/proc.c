#include "script/proc_state.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "check/format.h"
#include "check/matcher.h"
#include "model/node/instance.h"
#include "model/service/platform.h"
#include "model/service/task.h"
#include "script/bind_sql.h"

_Static_assert(LUA_OK == 0 && LUA_YIELD == 1, "what is more is an error");

#define GLANCES 4 // a coroutine's first turns show where it lies

uint32_t lz_proc_make(struct lz_script *s, enum lz_proc_kind kind)
{
    struct lz_procs *ps = s->procs;
    ps->all = lz_grow(s->arena, ps->all, &ps->cap, ps->count + 2, sizeof(*ps->all));
    ps->glances =
        lz_grow(s->arena, ps->glances, &ps->glance_cap, ps->count + 2, sizeof(*ps->glances));
    struct lz_proc *p = &ps->all[++ps->count];
    s->has_code = true;
    p->kind = (uint8_t)kind;
    p->L = lua_newthread(s->L);
    p->ref = luaL_ref(s->L, LUA_REGISTRYINDEX);
    lz_sandbox_watch(s, p->L);
    return ps->count;
}

// "web[2], serving GET /item, request 3119 of users"
static void describe_task(const struct lz_world *w, const struct lz_task *t, char *out, size_t size)
{
    char who[80];
    lz_instance_describe(w, t->server, who, sizeof(who));
    const struct lz_request *r = lz_request_find(w, t->request);
    const char *op = lz_call_op_name(w, t->op);
    int n = snprintf(out, size, "%s, serving %s", who, op[0] != '\0' ? op : "a request");
    if (r != NULL && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, ", request %" PRIu64 " of %s", (uint64_t)r->ordinal,
                 lz_world_component(w, r->traffic)->name);
}

// Virtual time, component and request, for a message about an error inside the run.
static void describe_where(const struct lz_script *s, const struct lz_proc *p, char *out,
                           size_t size)
{
    const struct lz_world *w = s->world.world;
    char part[400] = "a handler whose request has ended";
    const struct lz_task *t = p->kind == LZ_PROC_HANDLER ? lz_task_find(w, p->task) : NULL;
    if (t != NULL)
        describe_task(w, t, part, sizeof(part));
    else if (p->kind == LZ_PROC_DRIVE)
        snprintf(part, sizeof(part), "drive \"%s\"", p->name);
    char at[32];
    lz_format_instant(at, sizeof(at), lz_sim_now(w->sim));
    snprintf(out, size, "at %s of virtual time, in %s", at, part);
}

void lz_procs_broken(struct lz_script *s, const struct lz_proc_error *e)
{
    if (e->status == LUA_ERRMEM && s->trouble == LZ_SCRIPT_OK)
        s->trouble = LZ_SCRIPT_MEMORY;
    if (s->trouble == LZ_SCRIPT_OK)
        s->trouble = LZ_SCRIPT_WRONG;
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, s->ref_main);
    lua_getfield(s->L, -1, "script_error");
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, s->ref_state);
    const char *text = lua_tostring(e->L, -1);
    lua_pushstring(s->L, text != NULL ? text : "an error that is not a text");
    lua_pushstring(s->L, e->where);
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, e->thread);
    if (lua_pcall(s->L, 4, 0, 0) != LUA_OK)
        lua_pop(s->L, 1);
    lua_pop(s->L, 1);
    lz_sim_stop(s->world.world->sim);
}

static void failed(struct lz_script *s, uint32_t i, int status)
{
    const struct lz_proc *p = lz_proc_at(s, i);
    char where[480];
    describe_where(s, p, where, sizeof(where));
    lz_procs_broken(
        s, &(struct lz_proc_error){.L = p->L, .thread = p->ref, .status = status, .where = where});
}

// It has just yielded, from a function of ours that its body called.
static void note_glance(struct lz_script *s, uint32_t i)
{
    lua_State *L = lz_proc_at(s, i)->L;
    struct lz_proc_glance *g = &s->procs->glances[i];
    lua_Debug ar;
    g->thread = (const char *)L;
    if (lua_getstack(L, 0, &ar) == 0)
        return;
    g->call = (const char *)ar.i_ci;
    if (lua_getstack(L, 1, &ar) == 0 || lua_getinfo(L, "f", &ar) == 0)
        return;
    g->body = (const char *)ar.i_ci;
    memcpy(&g->stack, ar.i_ci, sizeof(g->stack)); // a call begins with its place on the stack
    g->function = lua_topointer(L, -1);
    lua_pop(L, 1);
}

// Nothing may be there, or less: an address is only told.
static void fetch(const void *at, size_t lines)
{
    for (size_t i = 0; i < lines; i++)
        __builtin_prefetch((const void *)((uintptr_t)at + i * 64));
}

static void foresee_wake(void *ctx, uint32_t entity, uint64_t payload)
{
    const struct lz_script *s = ctx;
    const struct lz_proc_glance *g = &s->procs->glances[entity];
    LZ_ASSERT(entity >= 1 && entity <= s->procs->count);
    (void)payload;
    fetch(&s->procs->all[entity], 2);
    fetch(g->thread, 4);
    fetch(g->call, 2);
    fetch(g->body, 2);
    fetch(g->stack, 2);
    fetch(g->function, 1);
    fetch(g->row, 2);
}

// It has gone wrong, or was dropped while it ran.
static void stopped(struct lz_script *s, uint32_t i, int status)
{
    struct lz_proc *p = lz_proc_at(s, i);
    bool is_failed = status > LUA_YIELD;
    bool is_sql = is_failed && status == LUA_ERRRUN && p->kind == LZ_PROC_HANDLER &&
                  lz_bind_sql_is_raised(p->L);
    if (is_sql && !p->is_gone)
        lz_serving_fail(s, i);
    else if (is_failed && !is_sql)
        failed(s, i, status);
    if (p->is_gone)
        lz_serving_drop(s, i);
}

// Until it yields or ends. A handler that ended has answered when this returns.
static inline int run(struct lz_script *s, uint32_t i, const struct lz_proc *p, int nargs)
{
    const bool serves = p->kind == LZ_PROC_HANDLER;
    lua_State *L = p->L; // the table may move while it runs
    int results = 0;
    lua_State *before = lz_sandbox_enter(s, L);
    int status = lua_resume(L, s->L, nargs, &results);
    if (status == LUA_OK && serves) {
        while (status == LUA_OK && !lz_serving_returned(s, i, &nargs))
            status = lua_resume(L, s->L, nargs, &results);
        if (status == LUA_OK)
            lz_serving_answer(s, i);
    }
    lz_sandbox_leave(s, before);
    return status;
}

// It has given back one of its first times, or went wrong, or was dropped meanwhile.
static __attribute__((noinline)) void given_back(struct lz_script *s, uint32_t i, int status)
{
    const struct lz_proc *p = lz_proc_at(s, i);
    if (p->turn <= GLANCES && status == LUA_YIELD)
        note_glance(s, i);
    if (status > LUA_YIELD || p->is_gone)
        stopped(s, i, status);
}

static inline __attribute__((always_inline)) void resume(struct lz_script *s, uint32_t i,
                                                         struct lz_proc *p, int nargs)
{
    struct lz_procs *ps = s->procs;
    const uint32_t outer = ps->current;
    const uint64_t outer_owner = s->draw_owner, outer_draws = s->draws;
    LZ_ASSERT(!p->is_running);
    const uint32_t turn = ++p->turn;
    p->is_running = true;
    ps->current = i;
    s->instructions = 0;
    s->is_asking = false;
    s->draw_owner = p->owner;
    s->draws = p->draws;
    int status = run(s, i, p, nargs);
    p = lz_proc_at(s, i); // the table may have moved
    p->is_running = false;
    p->draws = s->draws;
    s->draw_owner = outer_owner;
    s->draws = outer_draws;
    ps->current = outer;
    if (turn <= GLANCES || status > LUA_YIELD || p->is_gone)
        given_back(s, i, status);
}

void lz_proc_resume(struct lz_script *s, uint32_t i, int nargs)
{
    resume(s, i, lz_proc_at(s, i), nargs);
}

static uint32_t current(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->procs == NULL || s->procs->current == 0 || lz_proc_at(s, s->procs->current)->L != L)
        luaL_error(L, "this acts on virtual time: use it inside drive or a handler");
    LZ_ASSERT(s->procs != NULL); // the error does not come back
    if (!lua_isyieldable(L))
        luaL_error(L, "this waits, which a function that Lua itself calls cannot, such as that of "
                      "table.sort or gsub");
    return s->procs->current;
}

static uint64_t token(const struct lz_proc *p)
{
    return p->turn;
}

static void on_wake(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_script *s = ctx;
    struct lz_proc *p = lz_proc_at(s, entity);
    if (p->turn != payload || p->is_idle)
        return;
    int nargs = 0;
    if (p->waits) { // the timeout of a wait
        p->waits = false;
        lua_pushboolean(p->L, 0);
        nargs = 1;
    } else if (p->flight != 0) {
        p->flight = 0;
        lua_rawgeti(p->L, LUA_REGISTRYINDEX, p->flight_value);
        luaL_unref(p->L, LUA_REGISTRYINDEX, p->flight_value);
        nargs = 1;
    }
    resume(s, entity, p, nargs);
}

int lz_proc_sleep(lua_State *L, lz_time duration)
{
    struct lz_script *s = lz_script_of(L);
    return lz_proc_rest(s, L, lz_proc_at(s, current(L)), duration);
}

int lz_proc_wait(lua_State *L, const struct lz_matcher *m, lz_time over, lz_time timeout)
{
    struct lz_script *s = lz_script_of(L);
    uint32_t i = current(L);
    struct lz_proc *p = lz_proc_at(s, i);
    struct lz_sim *sim = s->world.world->sim;
    p->waits = true;
    p->told_at = 0;
    p->since = lz_sim_now(sim);
    p->matcher = *m;
    p->over = over;
    if (timeout >= 0)
        lz_sim_at(sim, lz_sim_now(sim) + timeout, s->procs->wake, i, token(p));
    return lua_yield(L, 0);
}

int lz_proc_yield(lua_State *L)
{
    current(L);
    return lua_yield(L, 0);
}

int lz_proc_join(lua_State *L, uint64_t flight)
{
    struct lz_script *s = lz_script_of(L);
    struct lz_proc *p = lz_proc_at(s, current(L));
    p->flight = flight;
    p->flight_value = LUA_NOREF;
    return lua_yield(L, 0);
}

void lz_proc_land(lua_State *L, uint64_t flight)
{
    struct lz_script *s = lz_script_of(L);
    for (uint32_t i = 1; i <= s->procs->count; i++) {
        struct lz_proc *p = lz_proc_at(s, i);
        if (p->flight != flight || p->is_idle)
            continue;
        lua_pushvalue(L, -1);
        p->flight_value = luaL_ref(L, LUA_REGISTRYINDEX);
        lz_sim_soon(s->world.world->sim, s->procs->wake, i, token(p));
    }
}

// Whether who waits hears of it in this second: what it waits for has been seen, and the word of
// that has come.
static bool is_told(struct lz_script *s, struct lz_proc *p, lz_time now)
{
    struct lz_world *w = s->world.world;
    if (p->told_at > 0)
        return now >= p->told_at;
    if (!lz_check_matches(s->world.checks, &p->matcher, p->over, p->since))
        return false;
    if (w->platform == NULL || !lz_matcher_is_metric(&p->matcher))
        return true;
    lz_component_id of = lz_metrics_component(w->metrics, p->matcher.metric);
    uint64_t second = (uint64_t)(now / LZ_S);
    if (of == 0 || lz_platform_loses_sample(w, of, second))
        return of == 0;
    lz_time late =
        lz_platform_alert_delay(w, &(struct lz_platform_about){.all = &of, .count = 1}, second);
    p->told_at = late > 0 ? now + late : 0;
    return late == 0;
}

void lz_procs_second(struct lz_script *s, lz_time now)
{
    for (uint32_t i = 1; i <= s->procs->count; i++) {
        struct lz_proc *p = lz_proc_at(s, i);
        if (!p->waits || !is_told(s, p, now))
            continue;
        p->waits = false;
        p->told_at = 0;
        lua_pushboolean(p->L, 1);
        lz_proc_resume(s, i, 1);
    }
}

void lz_procs_drive(struct lz_script *s, lua_State *L, const char *name)
{
    lua_xmove(L, s->L, 1);
    uint32_t i = lz_proc_make(s, LZ_PROC_DRIVE);
    struct lz_proc *p = lz_proc_at(s, i);
    p->name = lz_arena_strdup(s->arena, name);
    p->owner = lz_draw_name(lz_draw_name(0, "drive"), name);
    lua_xmove(s->L, p->L, 1);
}

void lz_procs_start(struct lz_script *s)
{
    for (uint32_t i = 1; i <= s->procs->count; i++)
        if (lz_proc_at(s, i)->kind == LZ_PROC_DRIVE)
            lz_sim_soon(s->world.world->sim, s->procs->wake, i, token(lz_proc_at(s, i)));
}

void lz_procs_init(struct lz_script *s)
{
    struct lz_world *w = s->world.world;
    s->procs = lz_arena_alloc(s->arena, sizeof(*s->procs));
    s->procs->wake = lz_sim_kind(w->sim, "script.wake", on_wake, s);
    lz_sim_foresee(w->sim, s->procs->wake, foresee_wake);
    lz_serving_init(s);
}
