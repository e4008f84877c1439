/*
 * serving.c — handlers' coroutines: begun with a request, resumed when what they wait for has
 * ended, and given back to the pool with their answer.
 *
 * A coroutine does not yield between two requests: it ends, and is begun again. That is one switch
 * less for each request than a loop in Lua that yields for the next one, no call back into C to
 * answer, and nothing for the second resume to unwind.
 */
#include "script/serving.h"

#include <lauxlib.h>
#include <string.h>

#include "base/grow.h"
#include "model/cache/cache.h"
#include "model/node/instance.h"
#include "model/service/fence.h"
#include "script/bind_sql.h"
#include "script/call_result.h"
#include "script/proc_state.h"
#include "script/value.h"

// At the bottom of a handler's stack: its object, and the function and the operation's name of the
// last request. A copy from there costs a third of a look into the registry.
enum { REQ = 1, FUNCTION, OP, BOTTOM = OP };

struct handler {
    int ref;
    lz_component_id service;
};

struct lz_serving {
    uint32_t idle_first;
    struct handler *handlers; // 1 ..
    uint32_t handler_count, handler_cap;
    uint32_t *by_task; // coroutine by the task's index
    uint32_t by_task_cap;
    int ref_new, ref_conclude; // actions.lua's
    int ref_facts[LZ_FACTS];   // their names
    struct lz_call_results results;
    int *ref_ops; // their names, by number; 0: not needed so far
    uint32_t ref_op_cap;
    lz_kind begin;
};

static struct lz_serving *serving_of(struct lz_script *s)
{
    LZ_ASSERT(s->procs != NULL && s->procs->serving != NULL);
    return s->procs->serving;
}

static void to_pool(struct lz_script *s, uint32_t i)
{
    struct lz_proc *p = lz_proc_at(s, i);
    LZ_ASSERT(!p->is_idle && p->kind == LZ_PROC_HANDLER);
    p->is_idle = true;
    p->task = 0;
    p->next_idle = serving_of(s)->idle_first;
    serving_of(s)->idle_first = i;
}

// What it had begun is over, wherever it stands. Its object goes with it.
static void reset(struct lz_script *s, uint32_t i)
{
    struct lz_proc *p = lz_proc_at(s, i);
    p->req = NULL;
    p->wants_table = false;
    p->is_unseen = false;
    p->handler = 0;
    lua_resetthread(p->L);
    to_pool(s, i);
}

static uint32_t take_idle(struct lz_script *s)
{
    struct lz_serving *v = serving_of(s);
    uint32_t i = v->idle_first;
    if (i == 0)
        return lz_proc_make(s, LZ_PROC_HANDLER);
    struct lz_proc *p = lz_proc_at(s, i);
    LZ_ASSERT(p->is_idle && p->task == 0);
    v->idle_first = p->next_idle;
    p->is_idle = false;
    return i;
}

static void remember(struct lz_script *s, lz_task_id task, uint32_t proc)
{
    struct lz_serving *v = serving_of(s);
    uint32_t index = (uint32_t)task;
    v->by_task = lz_grow(s->arena, v->by_task, &v->by_task_cap, index + 1, sizeof(*v->by_task));
    v->by_task[index] = proc;
}

static uint32_t proc_of(struct lz_script *s, lz_task_id task)
{
    const struct lz_serving *v = serving_of(s);
    uint32_t index = (uint32_t)task;
    uint32_t i = index < v->by_task_cap ? v->by_task[index] : 0;
    return i != 0 && lz_proc_at(s, i)->task == task ? i : 0;
}

// An operation's name, which is found by its number once it was pushed.
static void push_op(struct lz_script *s, lua_State *L, lz_op op)
{
    struct lz_serving *v = serving_of(s);
    v->ref_ops = lz_grow(s->arena, v->ref_ops, &v->ref_op_cap, op + 1u, sizeof(*v->ref_ops));
    if (v->ref_ops[op] == 0) {
        lua_pushstring(L, lz_call_op_name(s->world.world, op));
        v->ref_ops[op] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->ref_ops[op]);
}

// [inner name] of the coroutine whose number is the upvalue: what is not in the table itself.
static int facts(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    const struct lz_proc *p = lz_proc_at(s, (uint32_t)lua_tointeger(L, lua_upvalueindex(1)));
    const char *name = luaL_checkstring(L, 2);
    if (strcmp(name, "task") == 0) {
        lua_pushinteger(L, (lua_Integer)p->task);
    } else if (strcmp(name, "service") == 0) {
        lua_pushinteger(L, p->service);
    } else if (strcmp(name, "instance") == 0) { // a process of it: another one has other flights
        if (!lz_handler_is_live(s->world.world, p->task))
            luaL_error(L, "the request has ended: a handler may not go on with it");
        lz_instance_id id = lz_handler_instance(s->world.world, p->task);
        uint64_t life = lz_instance_get(s->world.world, id)->incarnation;
        lua_pushinteger(L, (lua_Integer)(life << 32 | id));
    } else {
        lua_pushnil(L);
    }
    return 1;
}

// A coroutine that is fresh, or was reset, gets what is at its bottom.
static void furnish(struct lz_script *s, uint32_t i)
{
    const struct lz_serving *v = serving_of(s);
    lua_State *L = s->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->ref_new);
    lua_pushinteger(L, i);
    lua_pushcclosure(L, facts, 1);
    lua_call(L, 1, 1); // [req]
    lua_pushnil(L);
    lua_pushnil(L); // [req function op]
    struct lz_proc *p = lz_proc_at(s, i);
    memset(p->at, 0, sizeof(p->at));
    lua_settop(p->L, 0); // an error may be there, which it was reset over
    lua_xmove(L, p->L, BOTTOM);
    p->req = lua_topointer(p->L, REQ);
}

// The function of its handler and the name of its operation: at the bottom from here on.
static void prepare(struct lz_script *s, struct lz_proc *p, uint32_t handler, lz_op op)
{
    if (p->handler == handler && p->op == op)
        return;
    lua_rawgeti(p->L, LUA_REGISTRYINDEX, serving_of(s)->handlers[handler].ref);
    lua_replace(p->L, FUNCTION);
    push_op(s, p->L, op);
    lua_replace(p->L, OP);
    p->handler = handler;
    p->op = op;
    bool is_short = lua_rawlen(p->L, OP) <= LZ_LAYOUT_TEXT_MAX;
    p->op_text = is_short ? lua_topointer(p->L, OP) : NULL;
}

// Where the object has it, if that is elsewhere than it was.
static __attribute__((noinline)) struct lz_layout_node *
find_fact(const struct lz_procs *ps, struct lz_proc *p, enum lz_fact fact)
{
    const struct lz_layout_table *t = lz_layout_of(p->req);
    struct lz_layout_node *node = lz_layout_find(t, ps->fact_names[fact]);
    if (node != NULL && node - t->nodes <= UINT8_MAX)
        p->at[fact] = (uint8_t)(node - t->nodes);
    return node;
}

static inline struct lz_layout_node *fact_of(const struct lz_procs *ps, struct lz_proc *p,
                                             enum lz_fact fact)
{
    struct lz_layout_node *node = lz_proc_fact(ps, p, fact);
    return node != NULL ? node : find_fact(ps, p, fact);
}

// Its object says what the request is about, if it has fields for that already. False: it has not.
static bool tell(const struct lz_procs *ps, struct lz_proc *p, const struct lz_handler_facts *f)
{
    if (p->op_text == NULL || f->value != 0)
        return false;
    struct lz_layout_node *key = fact_of(ps, p, LZ_FACT_KEY), *op = fact_of(ps, p, LZ_FACT_OP);
    if (key == NULL || op == NULL)
        return false;
    lz_layout_write_integer(key, (int64_t)f->key);
    lz_layout_write_text(op, p->op_text);
    struct lz_layout_node *value = fact_of(ps, p, LZ_FACT_VALUE);
    if (value != NULL)
        lz_layout_write_nothing(value);
    return true;
}

// The same by Lua's functions, but raw: a script has no say in it.
static void tell_in_words(struct lz_script *s, const struct lz_proc *p,
                          const struct lz_handler_facts *f)
{
    const int *names = serving_of(s)->ref_facts;
    lua_State *L = p->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, names[LZ_FACT_KEY]);
    lua_pushinteger(L, (lua_Integer)f->key);
    lua_rawset(L, REQ);
    lua_rawgeti(L, LUA_REGISTRYINDEX, names[LZ_FACT_OP]);
    lua_pushvalue(L, OP);
    lua_rawset(L, REQ);
    lua_rawgeti(L, LUA_REGISTRYINDEX, names[LZ_FACT_VALUE]);
    lz_value_push(L, s->world.world, f->value);
    lua_rawset(L, REQ);
}

// One request, from its start to its answer. None of its instructions is Lua's before the handler's
// first, and those are counted from there: how often they are looked at is the same whether the
// layout is known or not, so that a handler near the limit ends in a shaken universe as elsewhere.
static void serve(struct lz_script *s, lz_task_id task, uint32_t handler)
{
    const struct handler *h = &serving_of(s)->handlers[handler];
    const struct lz_handler_facts f = lz_handler_facts(s->world.world, task);
    uint32_t i = take_idle(s);
    if (lz_proc_at(s, i)->req == NULL)
        furnish(s, i);
    struct lz_proc *p = lz_proc_at(s, i);
    p->task = task;
    p->service = h->service;
    p->owner = f.path;
    p->draws = 0;
    remember(s, task, i);
    lua_State *L = p->L;
    LZ_ASSERT(lua_gettop(L) == BOTTOM);
    prepare(s, p, handler, f.op);
    if (!s->knows_layout || !tell(s->procs, p, &f))
        tell_in_words(s, p, &f);
    lz_sandbox_watch(s, L);
    lua_pushvalue(L, FUNCTION);
    lua_pushvalue(L, REQ);
    lz_proc_resume(s, i, 1);
}

bool lz_serving_returned(struct lz_script *s, uint32_t i, int *nargs)
{
    struct lz_proc *p = lz_proc_at(s, i);
    lua_State *L = p->L;
    if (lua_gettop(L) == BOTTOM + 1 && lua_isinteger(L, BOTTOM + 1) && !p->is_unseen) {
        lua_Integer status = lua_tointeger(L, BOTTOM + 1);
        p->status = (uint16_t)status;
        if (status >= 100 && status <= 599)
            return true;
    }
    p->is_unseen = false;
    lua_settop(L, BOTTOM + 2); // [.. status answer]
    lua_rawgeti(L, LUA_REGISTRYINDEX, serving_of(s)->ref_conclude);
    lua_pushvalue(L, REQ);
    lua_rotate(L, BOTTOM + 1, 2); // [.. conclude req status answer]
    *nargs = 3;
    return false;
}

void lz_serving_answer(struct lz_script *s, uint32_t i)
{
    struct lz_proc *p = lz_proc_at(s, i);
    LZ_ASSERT(p->status >= 100 && p->status <= 599);
    lua_settop(p->L, BOTTOM);
    if (lz_handler_is_live(s->world.world, p->task))
        lz_handler_answer(s->world.world, p->task, p->status);
    if (!lz_proc_at(s, i)->is_gone)
        to_pool(s, i);
}

void lz_serving_drop(struct lz_script *s, uint32_t i)
{
    lz_proc_at(s, i)->is_gone = false;
    reset(s, i);
}

// A handler ended over a statement that failed: its request has failed, and no more.
void lz_serving_fail(struct lz_script *s, uint32_t i)
{
    struct lz_proc *p = lz_proc_at(s, i);
    lz_task_id task = p->task;
    struct lz_world *w = s->world.world;
    lua_getfield(p->L, -1, "text");
    lz_bind_sql_note(p->L, task, lua_tostring(p->L, -1));
    reset(s, i);
    if (lz_handler_is_live(w, task))
        lz_handler_answer(w, task, 500);
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
        lz_sim_soon(s->world.world->sim, serving_of(s)->begin, handler, task);
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

// For the Lua half: ok, status, value, outcome, what an answer brings beside, and a lock's token.
static int push_all(struct lz_script *s, lua_State *L, const struct lz_call_result *r, bool ok,
                    uint64_t token)
{
    lua_pushboolean(L, ok);
    lua_pushinteger(L, r->status);
    lz_value_push(L, s->world.world, r->value);
    lz_call_result_push_outcome(L, &serving_of(s)->results, r->outcome);
    if (r->is_pairs)
        push_values(L, s->world.world, r->answer);
    else if (r->answer != 0)
        lz_bind_sql_push(L, lz_statement_answer_of(s->world.world, r->answer));
    else if (token != 0)
        lua_pushnil(L);
    if (token != 0)
        lua_pushinteger(L, (lua_Integer)token);
    return token != 0 ? 6 : r->answer != 0 ? 5 : 4;
}

// [result]
static void push_token(lua_State *L, uint64_t token)
{
    lua_pushinteger(L, (lua_Integer)token);
    lua_setfield(L, -2, "token");
}

static void called(void *ctx, lz_task_id task, const struct lz_call_result *result)
{
    struct lz_script *s = ctx;
    uint32_t i = proc_of(s, task);
    LZ_ASSERT(i != 0);
    struct lz_proc *p = lz_proc_at(s, i);
    bool ok = result->outcome == LZ_OUTCOME_OK && !result->is_no;
    uint64_t token = lz_fence_take(s->world.world, task);
    int nargs = 1;
    token = ok ? token : 0;
    if (p->wants_table) {
        lz_call_result_push(p->L, &serving_of(s)->results, result, ok);
        if (token != 0)
            push_token(p->L, token);
    } else {
        nargs = push_all(s, p->L, result, ok, token);
    }
    p->wants_table = false;
    lz_sandbox_watch(s, p->L); // what called may have been the Lua half, or not (call_word.c)
    lz_proc_resume(s, i, nargs);
}

static void woken(void *ctx, lz_task_id task)
{
    struct lz_script *s = ctx;
    uint32_t i = proc_of(s, task);
    LZ_ASSERT(i != 0);
    lz_proc_resume(s, i, 0);
}

static void dropped(void *ctx, lz_task_id task)
{
    struct lz_script *s = ctx;
    uint32_t i = proc_of(s, task);
    if (i == 0)
        return; // it had not begun
    struct lz_proc *p = lz_proc_at(s, i);
    p->is_gone = true;
    p->waits = false;
    p->flight = 0;
    p->turn++;
    if (!p->is_running)
        lz_serving_drop(s, i);
}

lz_instance_id lz_serving_instance(lua_State *L)
{
    const struct lz_script *s = lz_script_of(L);
    const struct lz_proc *p = lz_proc_on(L);
    if (p == NULL || p->kind != LZ_PROC_HANDLER || !lz_handler_is_live(s->world.world, p->task))
        return 0;
    return lz_handler_instance(s->world.world, p->task);
}

lz_task_id lz_serving_task(lua_State *L, int arg)
{
    lz_task_id task = (lz_task_id)luaL_checkinteger(L, arg);
    const struct lz_proc *p = lz_proc_on(L);
    if (!lz_handler_is_live(lz_script_of(L)->world.world, task))
        luaL_error(L, "the request has ended: a handler may not go on with it");
    if (!lua_isyieldable(L))
        luaL_error(L, "a handler cannot wait inside a function that Lua itself calls, such as that "
                      "of table.sort or gsub");
    if (p == NULL || p->task != task)
        luaL_error(L, "this request is another handler's, which is busy with it: a handler acts on "
                      "the one that it was given");
    return task;
}

void lz_serving_unseen(lua_State *L)
{
    struct lz_proc *p = lz_proc_on(L);
    if (p != NULL)
        p->is_unseen = true;
}

uint32_t lz_serving_add(struct lz_script *s, lua_State *L, lz_component_id service)
{
    struct lz_serving *v = serving_of(s);
    LZ_ASSERT(lua_isfunction(L, -1));
    s->has_code = true;
    v->handlers =
        lz_grow(s->arena, v->handlers, &v->handler_cap, v->handler_count + 2, sizeof(*v->handlers));
    v->handlers[++v->handler_count] =
        (struct handler){.ref = luaL_ref(L, LUA_REGISTRYINDEX), .service = service};
    return v->handler_count;
}

// The names of what an object says are known by their addresses from here on.
static void learn_facts(struct lz_procs *ps, lua_State *L)
{
    static const char *const names[LZ_FACTS] = {"key", "op", "value"};
    for (int i = 0; i < LZ_FACTS; i++) {
        lua_pushstring(L, names[i]);
        ps->fact_names[i] = lua_topointer(L, -1);
        ps->serving->ref_facts[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

void lz_serving_init(struct lz_script *s)
{
    struct lz_world *w = s->world.world;
    struct lz_serving *v = lz_arena_alloc(s->arena, sizeof(*v));
    s->procs->serving = v;
    v->begin = lz_sim_kind(w->sim, "script.begin", on_begin, s);
    lz_service_set_handlers(
        w, &(struct lz_service_handlers){
               .ctx = s, .start = start, .called = called, .woken = woken, .dropped = dropped});
    lua_State *L = s->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_main);
    lua_getfield(L, -1, "server");
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_call(L, 1, 2); // [main new conclude]
    v->ref_conclude = luaL_ref(L, LUA_REGISTRYINDEX);
    v->ref_new = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    s->knows_layout = s->opts.hash_seed == 0 && lz_layout_is_known();
    learn_facts(s->procs, L);
    lz_call_result_init(L, &v->results);
}
