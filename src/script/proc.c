#include "script/proc.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "check/matcher.h"
#include "model/cache/cache.h"
#include "model/node/instance.h"
#include "model/service/platform.h"
#include "model/service/task.h"
#include "script/bind_sql.h"
#include "script/value.h"

#define GLANCES 4 // a coroutine's first turns show where it lies

enum proc_kind { DRIVE, HANDLER };

struct proc {
    lua_State *L;
    int ref; // keeps the coroutine alive
    uint8_t kind;
    bool is_idle;    // HANDLER: in the pool
    bool is_running; // inside resume
    bool is_gone;    // its request was dropped while it ran
    uint32_t turn;   // of wake-ups: an older one is stale
    uint32_t next_idle;
    bool waits;      // for a matcher
    uint64_t flight; // joined; 0: none
    uint64_t owner, draws;
    lz_task_id task;  // HANDLER; a switch reads no further
    const void *req;  // what its script knows the request by, once that was seen; NULL
    const char *name; // DRIVE
    struct lz_matcher matcher;
    lz_time over;
    lz_time told_at; // what it waits for was seen, and it hears of it then; 0: not yet
    int flight_value;
};

/*
 * Where a switch to a coroutine will look: with a thousand of them that is another two kilobytes
 * each time, which the second cache level does not hold. Only for fetching: nothing is read there,
 * so that it does not matter whether Lua has moved it meanwhile.
 */
struct glance {
    const char *thread, *body, *call; // the state, and its two innermost calls
    const char *stack;
    const void *function; // that the body is
};

struct handler {
    int ref;
    lz_component_id service;
};

struct lz_procs {
    struct proc *all; // 1 ..
    struct glance *glances;
    uint32_t count, cap, glance_cap;
    uint32_t idle_first;
    struct handler *handlers; // 1 ..
    uint32_t handler_count, handler_cap;
    uint32_t *by_task; // proc by the task's index
    uint32_t by_task_cap;
    uint32_t current; // that runs now; 0: none
    int ref_server;   // makes a handler's coroutine body
    int ref_outcomes[LZ_OUTCOMES];
    int *ref_ops; // their names, by number; 0: not needed so far
    uint32_t ref_op_cap;
    lz_kind wake, begin;
};

static struct proc *proc_at(struct lz_script *s, uint32_t i)
{
    LZ_ASSERT(i >= 1 && i <= s->procs->count);
    return &s->procs->all[i];
}

static uint32_t new_proc(struct lz_script *s, enum proc_kind kind)
{
    struct lz_procs *ps = s->procs;
    ps->all = lz_grow(s->arena, ps->all, &ps->cap, ps->count + 2, sizeof(*ps->all));
    ps->glances =
        lz_grow(s->arena, ps->glances, &ps->glance_cap, ps->count + 2, sizeof(*ps->glances));
    struct proc *p = &ps->all[++ps->count];
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
static void describe_where(const struct lz_script *s, const struct proc *p, char *out, size_t size)
{
    const struct lz_world *w = s->world.world;
    char part[400] = "a handler whose request has ended";
    const struct lz_task *t = p->kind == HANDLER ? lz_task_find(w, p->task) : NULL;
    if (t != NULL)
        describe_task(w, t, part, sizeof(part));
    else if (p->kind == DRIVE)
        snprintf(part, sizeof(part), "drive \"%s\"", p->name);
    snprintf(out, size, "at %.9gs of virtual time, in %s", (double)lz_sim_now(w->sim) / 1e9, part);
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

static void to_pool(struct lz_script *s, uint32_t i)
{
    struct proc *p = proc_at(s, i);
    p->is_idle = true;
    p->task = 0;
    p->req = NULL; // of a coroutine that was reset
    p->next_idle = s->procs->idle_first;
    s->procs->idle_first = i;
}

static void failed(struct lz_script *s, uint32_t i, int status)
{
    const struct proc *p = proc_at(s, i);
    char where[480];
    describe_where(s, p, where, sizeof(where));
    lz_procs_broken(
        s, &(struct lz_proc_error){.L = p->L, .thread = p->ref, .status = status, .where = where});
}

static void drop_if_gone(struct lz_script *s, uint32_t i)
{
    struct proc *p = proc_at(s, i);
    if (!p->is_gone)
        return;
    p->is_gone = false;
    lua_resetthread(p->L);
    to_pool(s, i);
}

// A handler ended over a statement that failed: its request has failed, and no more.
static void end_request(struct lz_script *s, uint32_t i)
{
    struct proc *p = proc_at(s, i);
    lz_task_id task = p->task;
    struct lz_world *w = s->world.world;
    lua_getfield(p->L, -1, "text");
    lz_bind_sql_note(p->L, task, lua_tostring(p->L, -1));
    lua_resetthread(p->L);
    to_pool(s, i);
    if (lz_handler_is_live(w, task))
        lz_handler_answer(w, task, 500);
}

// It has just yielded, from a function of ours that its body called.
static void note_glance(struct lz_script *s, uint32_t i)
{
    lua_State *L = proc_at(s, i)->L;
    struct glance *g = &s->procs->glances[i];
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
    const struct glance *g = &s->procs->glances[entity];
    LZ_ASSERT(entity >= 1 && entity <= s->procs->count);
    (void)payload;
    fetch(&s->procs->all[entity], 2);
    fetch(g->thread, 4);
    fetch(g->call, 2);
    fetch(g->body, 2);
    fetch(g->stack, 2);
    fetch(g->function, 1);
}

static void resume(struct lz_script *s, uint32_t i, int nargs)
{
    struct lz_procs *ps = s->procs;
    uint32_t outer = ps->current;
    uint64_t outer_owner = s->draw_owner, outer_draws = s->draws;
    struct proc *p = proc_at(s, i);
    LZ_ASSERT(!p->is_running);
    p->turn++;
    p->is_running = true;
    ps->current = i;
    s->instructions = 0;
    s->draw_owner = p->owner;
    s->draws = p->draws;
    int results = 0;
    lua_State *before = lz_sandbox_enter(s, p->L);
    int status = lua_resume(p->L, s->L, nargs, &results);
    lz_sandbox_leave(s, before);
    p = proc_at(s, i); // the table may have moved
    p->is_running = false;
    p->draws = s->draws;
    s->draw_owner = outer_owner;
    s->draws = outer_draws;
    ps->current = outer;
    bool is_over = status == LUA_ERRRUN && p->kind == HANDLER && lz_bind_sql_is_raised(p->L);
    if (is_over && !p->is_gone)
        end_request(s, i);
    else if (status != LUA_OK && status != LUA_YIELD && !is_over)
        failed(s, i, status);
    else if (status == LUA_YIELD)
        lua_pop(p->L, results);
    if (p->turn <= GLANCES && status == LUA_YIELD)
        note_glance(s, i);
    drop_if_gone(s, i);
}

static uint32_t current(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->procs == NULL || s->procs->current == 0 || proc_at(s, s->procs->current)->L != L)
        luaL_error(L, "this acts on virtual time: use it inside drive or a handler");
    LZ_ASSERT(s->procs != NULL); // the error does not come back
    return s->procs->current;
}

static uint64_t token(const struct proc *p)
{
    return p->turn;
}

static void on_wake(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_script *s = ctx;
    struct proc *p = proc_at(s, entity);
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
    resume(s, entity, nargs);
}

int lz_proc_sleep(lua_State *L, lz_time duration)
{
    struct lz_script *s = lz_script_of(L);
    uint32_t i = current(L);
    struct lz_sim *sim = s->world.world->sim;
    if (duration == 0) // gives way to what is due
        lz_sim_soon(sim, s->procs->wake, i, token(proc_at(s, i)));
    else
        lz_sim_at(sim, lz_sim_now(sim) + duration, s->procs->wake, i, token(proc_at(s, i)));
    return lua_yield(L, 0);
}

int lz_proc_wait(lua_State *L, const struct lz_matcher *m, lz_time over, lz_time timeout)
{
    struct lz_script *s = lz_script_of(L);
    uint32_t i = current(L);
    struct proc *p = proc_at(s, i);
    struct lz_sim *sim = s->world.world->sim;
    p->waits = true;
    p->told_at = 0;
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
    struct proc *p = proc_at(s, current(L));
    p->flight = flight;
    p->flight_value = LUA_NOREF;
    return lua_yield(L, 0);
}

void lz_proc_land(lua_State *L, uint64_t flight)
{
    struct lz_script *s = lz_script_of(L);
    for (uint32_t i = 1; i <= s->procs->count; i++) {
        struct proc *p = proc_at(s, i);
        if (p->flight != flight || p->is_idle)
            continue;
        lua_pushvalue(L, -1);
        p->flight_value = luaL_ref(L, LUA_REGISTRYINDEX);
        lz_sim_soon(s->world.world->sim, s->procs->wake, i, token(p));
    }
}

// The handler that runs on L and whose request is live, or NULL.
static struct proc *live_handler(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->procs == NULL || s->procs->current == 0)
        return NULL;
    struct proc *p = proc_at(s, s->procs->current);
    bool is_it = p->L == L && p->kind == HANDLER && lz_handler_is_live(s->world.world, p->task);
    return is_it ? p : NULL;
}

lz_task_id lz_proc_task(lua_State *L, const void *req)
{
    const struct proc *p = live_handler(L);
    return p != NULL && req != NULL && p->req == req ? p->task : 0;
}

bool lz_proc_own(lua_State *L, const void *req, lz_task_id task)
{
    struct proc *p = live_handler(L);
    if (p == NULL || p->task != task)
        return false;
    p->req = req;
    return true;
}

lz_instance_id lz_proc_instance(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->procs == NULL || s->procs->current == 0)
        return 0;
    const struct proc *p = proc_at(s, s->procs->current);
    struct lz_world *w = s->world.world;
    if (p->kind != HANDLER || !lz_handler_is_live(w, p->task))
        return 0;
    return lz_handler_instance(w, p->task);
}

int lz_proc_idle(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    uint32_t i = current(L);
    struct proc *p = proc_at(s, i);
    LZ_ASSERT(p->kind == HANDLER);
    p->task = 0;
    if (!p->is_gone) {
        p->is_idle = true;
        p->next_idle = s->procs->idle_first;
        s->procs->idle_first = i;
    }
    return lua_yield(L, 0);
}

// Whether who waits hears of it in this second: what it waits for has been seen, and the word of
// that has come.
static bool is_told(struct lz_script *s, struct proc *p, lz_time now)
{
    struct lz_world *w = s->world.world;
    if (p->told_at > 0)
        return now >= p->told_at;
    if (!lz_check_matches(s->world.checks, &p->matcher, p->over))
        return false;
    if (w->platform == NULL || !lz_matcher_is_metric(&p->matcher))
        return true;
    lz_component_id of = lz_metrics_component(w->metrics, p->matcher.metric);
    uint64_t second = (uint64_t)(now / LZ_S);
    if (of == 0 || lz_platform_loses_sample(w, of, second))
        return of == 0;
    lz_time late = lz_platform_alert_delay(w, of, second);
    p->told_at = late > 0 ? now + late : 0;
    return late == 0;
}

void lz_procs_second(struct lz_script *s, lz_time now)
{
    for (uint32_t i = 1; i <= s->procs->count; i++) {
        struct proc *p = proc_at(s, i);
        if (!p->waits || !is_told(s, p, now))
            continue;
        p->waits = false;
        p->told_at = 0;
        lua_pushboolean(p->L, 1);
        resume(s, i, 1);
    }
}

void lz_procs_drive(struct lz_script *s, lua_State *L, const char *name)
{
    lua_xmove(L, s->L, 1);
    uint32_t i = new_proc(s, DRIVE);
    struct proc *p = proc_at(s, i);
    p->name = lz_arena_strdup(s->arena, name);
    p->owner = lz_draw_name(lz_draw_name(0, "drive"), name);
    lua_xmove(s->L, p->L, 1);
}

void lz_procs_start(struct lz_script *s)
{
    for (uint32_t i = 1; i <= s->procs->count; i++)
        if (proc_at(s, i)->kind == DRIVE)
            lz_sim_soon(s->world.world->sim, s->procs->wake, i, token(proc_at(s, i)));
}

uint32_t lz_procs_handler(struct lz_script *s, lua_State *L, lz_component_id service)
{
    struct lz_procs *ps = s->procs;
    ps->handlers = lz_grow(s->arena, ps->handlers, &ps->handler_cap, ps->handler_count + 2,
                           sizeof(*ps->handlers));
    ps->handlers[++ps->handler_count] =
        (struct handler){.ref = luaL_ref(L, LUA_REGISTRYINDEX), .service = service};
    return ps->handler_count;
}

static uint32_t take_idle(struct lz_script *s)
{
    struct lz_procs *ps = s->procs;
    uint32_t i = ps->idle_first;
    if (i == 0)
        return new_proc(s, HANDLER);
    ps->idle_first = proc_at(s, i)->next_idle;
    proc_at(s, i)->is_idle = false;
    return i;
}

static void remember(struct lz_script *s, lz_task_id task, uint32_t proc)
{
    struct lz_procs *ps = s->procs;
    uint32_t index = (uint32_t)task;
    ps->by_task = lz_grow(s->arena, ps->by_task, &ps->by_task_cap, index + 1, sizeof(*ps->by_task));
    ps->by_task[index] = proc;
}

static uint32_t proc_of(struct lz_script *s, lz_task_id task)
{
    uint32_t index = (uint32_t)task;
    uint32_t i = index < s->procs->by_task_cap ? s->procs->by_task[index] : 0;
    return i != 0 && proc_at(s, i)->task == task ? i : 0;
}

// An operation's name, which is found by its number once it was pushed.
static void push_op(struct lz_script *s, lua_State *L, lz_op op)
{
    struct lz_procs *ps = s->procs;
    ps->ref_ops = lz_grow(s->arena, ps->ref_ops, &ps->ref_op_cap, op + 1u, sizeof(*ps->ref_ops));
    if (ps->ref_ops[op] == 0) {
        lua_pushstring(L, lz_call_op_name(s->world.world, op));
        ps->ref_ops[op] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, ps->ref_ops[op]);
}

// One request, from its start to `answer`; the arguments are those of actions.server's body.
static void serve(struct lz_script *s, lz_task_id task, uint32_t handler)
{
    struct lz_world *w = s->world.world;
    uint32_t i = take_idle(s);
    struct proc *p = proc_at(s, i);
    p->task = task;
    p->owner = lz_handler_path(w, task);
    p->draws = 0;
    remember(s, task, i);
    if (lua_status(p->L) != LUA_YIELD)
        lua_rawgeti(p->L, LUA_REGISTRYINDEX, s->procs->ref_server); // a fresh coroutine's body
    const struct handler *h = &s->procs->handlers[handler];
    lz_instance_id instance = lz_handler_instance(w, task);
    uint64_t life = (uint64_t)lz_instance_get(w, instance)->incarnation << 32 | instance;
    lua_rawgeti(p->L, LUA_REGISTRYINDEX, h->ref);
    lua_pushinteger(p->L, (lua_Integer)task);
    lua_pushinteger(p->L, h->service);
    lua_pushinteger(p->L, (lua_Integer)life);
    lua_pushinteger(p->L, (lua_Integer)lz_handler_key(w, task));
    push_op(s, p->L, lz_handler_op(w, task));
    lz_value_push(p->L, w, lz_handler_value(w, task));
    resume(s, i, 7);
}

static void on_begin(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_script *s = ctx;
    if (lz_handler_is_live(s->world.world, payload))
        serve(s, payload, entity);
}

// An answer may let the next request in while its own coroutine still runs: not now, soon.
static void start(void *ctx, lz_task_id task, uint32_t handler)
{
    struct lz_script *s = ctx;
    if (s->procs->current != 0)
        lz_sim_soon(s->world.world->sim, s->procs->begin, handler, task);
    else
        serve(s, task, handler);
}

// Of an operation on several keys: a list, with nothing where there was nothing.
static void push_values(lua_State *L, const struct lz_world *w, lz_argument_id answer)
{
    uint32_t size = 0;
    const struct lz_cache_pair *pairs = lz_argument_bytes(w, answer, &size);
    uint32_t count = size / (uint32_t)sizeof(*pairs);
    lua_createtable(L, (int)count, 0); // [values]
    for (uint32_t i = 0; i < count; i++) {
        lz_value_push(L, w, pairs[i].value);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void called(void *ctx, lz_task_id task, const struct lz_call_result *result)
{
    struct lz_script *s = ctx;
    uint32_t i = proc_of(s, task);
    LZ_ASSERT(i != 0);
    lua_State *L = proc_at(s, i)->L;
    lua_pushboolean(L, result->outcome == LZ_OUTCOME_OK && !result->is_no);
    lua_pushinteger(L, result->status);
    lz_value_push(L, s->world.world, result->value);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->procs->ref_outcomes[result->outcome]);
    if (result->is_pairs)
        push_values(L, s->world.world, result->answer);
    else if (result->answer != 0)
        lz_bind_sql_push(L, lz_statement_answer_of(s->world.world, result->answer));
    resume(s, i, result->answer != 0 ? 5 : 4);
}

static void woken(void *ctx, lz_task_id task)
{
    struct lz_script *s = ctx;
    uint32_t i = proc_of(s, task);
    LZ_ASSERT(i != 0);
    resume(s, i, 0);
}

static void dropped(void *ctx, lz_task_id task)
{
    struct lz_script *s = ctx;
    uint32_t i = proc_of(s, task);
    if (i == 0)
        return; // it had not begun
    struct proc *p = proc_at(s, i);
    p->is_gone = true;
    p->waits = false;
    p->flight = 0;
    p->turn++;
    if (!p->is_running)
        drop_if_gone(s, i);
}

void lz_procs_init(struct lz_script *s)
{
    struct lz_world *w = s->world.world;
    s->procs = lz_arena_alloc(s->arena, sizeof(*s->procs));
    s->procs->wake = lz_sim_kind(w->sim, "script.wake", on_wake, s);
    s->procs->begin = lz_sim_kind(w->sim, "script.begin", on_begin, s);
    lz_sim_foresee(w->sim, s->procs->wake, foresee_wake);
    lz_service_set_handlers(
        w, &(struct lz_service_handlers){
               .ctx = s, .start = start, .called = called, .woken = woken, .dropped = dropped});
    lua_State *L = s->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_main);
    lua_getfield(L, -1, "server");
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_call(L, 1, 1); // [main server]
    s->procs->ref_server = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    for (int i = 0; i < LZ_OUTCOMES; i++) {
        lua_pushstring(L, lz_request_outcome_name((enum lz_outcome)i));
        s->procs->ref_outcomes[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
}
