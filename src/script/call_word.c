/*
 * call_word.c — `req:call`, the word that handlers say most often.
 *
 * Which way to call is meant by a table such as { db, "select item", timeout = "500ms" } is asked
 * of the Lua half once and remembered by what the table says: who is called, by which operation,
 * and each option, as long as these are texts, numbers, truths or things that are the same each
 * time. A table that says the same again is one call of C: no Lua, no allocation but the result's.
 *
 * Whatever is otherwise, a mistake above all, goes to the Lua half as if this file were not there.
 */
#include <lauxlib.h>

#include "base/check.h"
#include "script/proc.h"
#include "script/value.h"

#define SITES 64 // a power of two
#define OPTIONS_MAX 8

// Upvalues of the word: what keeps the texts and tables of the sites alive, the struct below, the
// Lua half's function, the names of what a table says beside its options, and of what it gets.
enum { KEPT = 1, STATE, ASK, KEY, VALUE, OK, STATUS, OUTCOME, UPVALUES = OUTCOME };

struct option {
    const void *name;
    int type; // of Lua
    bool is_integer;
    union {
        const void *pointer;
        lua_Integer integer;
        lua_Number number;
    } v;
};

// A way to call that was used lately.
struct site {
    lz_edge_id edge; // 0: none
    lz_component_id from;
    const void *to, *op; // `op` NULL: the table has none
    uint32_t count;
    struct option options[OPTIONS_MAX];
};

struct caller {
    const void *key, *value; // the names, by their addresses
    struct site sites[SITES];
};

// Where in the stack the key and the value that a table says are; 0: it has none.
struct said {
    int key, value;
};

static struct site *site_of(struct caller *c, lz_component_id from, const void *to, const void *op)
{
    uintptr_t sum = (uintptr_t)to / 16 + (uintptr_t)op / 16 * 7 + from;
    return &c->sites[sum % SITES];
}

// What is at the top of the stack, as a site remembers it. False: it cannot be.
static bool read_option(lua_State *L, struct option *o)
{
    o->type = lua_type(L, -1);
    o->is_integer = false;
    switch (o->type) {
    case LUA_TBOOLEAN:
        o->v.integer = lua_toboolean(L, -1);
        return true;
    case LUA_TNUMBER:
        o->is_integer = lua_isinteger(L, -1) != 0;
        if (o->is_integer)
            o->v.integer = lua_tointeger(L, -1);
        else
            o->v.number = lua_tonumber(L, -1);
        return true;
    case LUA_TSTRING:
        o->v.pointer = lua_topointer(L, -1);
        return true;
    default: // a table may say something else the next time
        return false;
    }
}

static bool is_equal(const struct option *a, const struct option *b)
{
    if (a->type != b->type || a->is_integer != b->is_integer)
        return false;
    if (a->type == LUA_TSTRING)
        return a->v.pointer == b->v.pointer;
    if (a->type == LUA_TBOOLEAN || a->is_integer)
        return a->v.integer == b->v.integer;
    return !__builtin_islessgreater(a->v.number, b->v.number);
}

static bool has_option(const struct site *site, const struct option *o)
{
    for (uint32_t i = 0; i < site->count; i++)
        if (site->options[i].name == o->name)
            return is_equal(&site->options[i], o);
    return false;
}

// A text, an integer or a truth, which cannot be wrong; what else it may be the Lua half knows.
static bool is_simple(lua_State *L, int at, bool is_key)
{
    int type = lua_type(L, at);
    if (type == LUA_TSTRING)
        return lua_rawlen(L, at) <= LZ_VALUE_TEXT_MAX;
    if (type == LUA_TBOOLEAN)
        return !is_key;
    if (type != LUA_TNUMBER || !lua_isinteger(L, at))
        return false;
    lua_Integer n = lua_tointeger(L, at);
    return is_key || (n >= LZ_VALUE_INTEGER_MIN && n <= LZ_VALUE_INTEGER_MAX);
}

// [req body ..]: whether the table says just what the site does. What stays on the stack is its key
// and value.
static bool says(lua_State *L, const struct caller *c, const struct site *site, struct said *said)
{
    uint32_t seen = 0;
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) { // [.. name value]
        struct option o;
        if (lua_type(L, -2) == LUA_TNUMBER) { // 1 and 2 were looked at
            lua_Integer i = lua_tointeger(L, -2);
            if (i != 1 && i != 2)
                return false;
            lua_pop(L, 1);
            continue;
        }
        o.name = lua_topointer(L, -2);
        if (o.name == c->key || o.name == c->value) {
            bool is_key = o.name == c->key;
            if (!is_simple(L, -1, is_key))
                return false;
            lua_insert(L, 3); // below the traversal
            *(is_key ? &said->key : &said->value) = 3;
            *(is_key ? &said->value : &said->key) += *(is_key ? &said->value : &said->key) > 0;
            continue;
        }
        if (!read_option(L, &o) || !has_option(site, &o))
            return false;
        seen++;
        lua_pop(L, 1);
    }
    return seen == site->count;
}

// [req body]: remember what the table says, which means `edge`.
static void learn(lua_State *L, struct caller *c, struct site *site, lz_edge_id edge)
{
    struct site new_site = *site;
    lua_newtable(L); // [req body kept]: what the site knows by its address
    int kept = lua_gettop(L);
    new_site.count = 0;
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        const void *name = lua_topointer(L, -2);
        if (lua_type(L, -2) == LUA_TSTRING && name != c->key && name != c->value) {
            struct option o = {.name = name};
            if (new_site.count == OPTIONS_MAX || !read_option(L, &o)) {
                lua_settop(L, 2);
                return;
            }
            new_site.options[new_site.count++] = o;
        }
        if (lua_type(L, -2) != LUA_TSTRING || (name != c->key && name != c->value)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, kept);
        }
        lua_pop(L, 1);
    }
    new_site.edge = edge;
    *site = new_site;
    lua_rawseti(L, lua_upvalueindex(KEPT), (lua_Integer)(site - c->sites) + 1);
    lua_settop(L, 2);
}

// [.. table]: its field of the name, which is an upvalue, is what lies at `from`
static inline void set(lua_State *L, int table, int name, int from)
{
    lua_pushvalue(L, lua_upvalueindex(name));
    lua_pushvalue(L, from);
    lua_rawset(L, table);
}

// [.. ok status value outcome]: what the script gets of it. The names are there already: to find
// them by their texts took a third of this.
static int result(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    lua_createtable(L, 0, 4);
    int table = lua_gettop(L);
    set(L, table, OUTCOME, table - 1);
    set(L, table, VALUE, table - 2);
    set(L, table, STATUS, table - 3);
    set(L, table, OK, table - 4);
    return 1;
}

static int asked(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 1;
}

// [req body]: as the Lua half does it.
static int ask(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(ASK));
    lua_insert(L, 1);
    lua_callk(L, 2, 1, 0, asked);
    return 1;
}

// [req body ..]: who is called and by which operation. False: that is nothing a site knows.
static bool read_callee(lua_State *L, const void **to, const void **op)
{
    if (lua_type(L, 2) != LUA_TTABLE || lua_getmetatable(L, 2))
        return false;
    bool is_table = lua_rawgeti(L, 2, 1) == LUA_TTABLE;
    *to = lua_topointer(L, -1);
    int type = lua_rawgeti(L, 2, 2);
    *op = lua_topointer(L, -1);
    lua_pop(L, 2);
    return is_table && (type == LUA_TSTRING || type == LUA_TNIL);
}

static int call_for(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    struct caller *c = lua_touserdata(L, lua_upvalueindex(STATE));
    const void *to, *op;
    lua_settop(L, 2);
    lz_task_id task = lz_proc_task(L, lua_topointer(L, 1));
    if (task == 0 || !read_callee(L, &to, &op))
        return ask(L);
    lz_component_id from = lz_instance_get(w, lz_handler_instance(w, task))->component;
    struct site *site = site_of(c, from, to, op);
    struct said said = {0};
    bool is_it = site->edge != 0 && site->from == from && site->to == to && site->op == op;
    if (!is_it || !says(L, c, site, &said))
        return ask(L);
    if (said.key == 0) { // the request's own
        lua_pushvalue(L, lua_upvalueindex(KEY));
        lua_rawget(L, 1);
        said.key = lua_gettop(L);
        if (!is_simple(L, said.key, true))
            return ask(L);
    }
    lz_value value = said.value != 0 ? lz_value_read(L, said.value, w) : 0;
    lz_argument_id argument = value != 0 ? lz_argument_value(w, value) : 0;
    lz_handler_call(w, task, site->edge, lz_value_read_key(L, said.key), argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lua_yieldk(L, 0, 0, result);
}

// The word's second function: known(req, task, body, edge) by the Lua half, before it calls.
static int known(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    struct caller *c = lua_touserdata(L, lua_upvalueindex(STATE));
    lz_task_id task = (lz_task_id)luaL_checkinteger(L, 2);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 4);
    const void *to, *op;
    lua_settop(L, 3);
    lua_remove(L, 2); // [req body]
    if (!lz_proc_own(L, lua_topointer(L, 1), task) || !read_callee(L, &to, &op))
        return 0;
    lz_component_id from = lz_instance_get(w, lz_handler_instance(w, task))->component;
    struct site *site = site_of(c, from, to, op);
    site->edge = 0;
    site->from = from;
    site->to = to;
    site->op = op;
    learn(L, c, site, edge);
    return 0;
}

int lz_call_word(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    struct caller *c = lz_arena_alloc(lz_script_of(L)->arena, sizeof(*c));
    lua_newtable(L);
    lua_pushlightuserdata(L, c);
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "key");
    lua_pushliteral(L, "value"); // [ask kept state ask key value]
    c->key = lua_topointer(L, -2);
    c->value = lua_topointer(L, -1);
    lua_pushliteral(L, "ok");
    lua_pushliteral(L, "status");
    lua_pushliteral(L, "outcome"); // [ask kept state ask key value ok status outcome]
    for (int i = 2; i <= UPVALUES + 1; i++)
        lua_pushvalue(L, i);
    lua_pushcclosure(L, call_for, UPVALUES);
    lua_insert(L, 2);
    lua_pushcclosure(L, known, UPVALUES); // [ask word known]
    return 2;
}
