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

#include "model/service/handler.h"
#include "script/call_shape.h"
#include "script/proc_state.h"
#include "script/value.h"

#define SITES 64 // a power of two
#define OPTIONS_MAX 8

// Upvalues of the word: what keeps the texts and tables of the sites alive, the Lua half's
// function, and the names of what a table says beside its options.
enum { KEPT = 1, ASK, KEY, VALUE, UPVALUES = VALUE };

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
    struct lz_call_shape shape; // of the table that said so last
};

struct lz_caller {
    struct lz_call_names names;
    struct site sites[SITES];
};

// Where in the stack the key and the value that a table says are; 0: it has none.
struct said {
    int key, value;
};

static uint32_t place_of(lz_component_id from, const void *to, const void *op)
{
    uintptr_t sum = (uintptr_t)to / 16 + (uintptr_t)op / 16 * 7 + from;
    return (uint32_t)(sum % SITES);
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

// [req body .. name value]: what lies there is a key or a value that can be taken as it is. It
// goes below what is being traversed, and its name stays.
static bool take_said(lua_State *L, bool is_key, struct said *said)
{
    if (!is_simple(L, -1, is_key))
        return false;
    int *one = is_key ? &said->key : &said->value, *other = is_key ? &said->value : &said->key;
    lua_insert(L, 3);
    *one = 3;
    *other += *other > 0;
    return true;
}

// [req body .. name value]: whether the site says the same under that name. A text is known by its
// address, as the site keeps it alive.
static bool is_known(lua_State *L, const struct site *site, const void *name)
{
    for (uint32_t i = 0; i < site->count; i++) {
        const struct option *known = &site->options[i];
        struct option o;
        if (known->name != name)
            continue;
        if (known->type == LUA_TSTRING)
            return known->v.pointer == lua_topointer(L, -1);
        return read_option(L, &o) && is_equal(known, &o);
    }
    return false;
}

// [req body .. name value]: whether what the table says from there on, if `has_more`, is just what
// the site does. What stays on the stack is its key and value.
static bool says(lua_State *L, const struct site *site, bool has_more, struct said *said)
{
    const struct lz_call_names *names = &lz_script_of(L)->caller->names;
    uint32_t options = 0;
    for (; has_more; has_more = lua_next(L, 2) != 0) {
        const void *name = lua_topointer(L, -2);
        if (name == NULL)
            return false; // no site knows it
        if (name == names->key || name == names->value) {
            if (!take_said(L, name == names->key, said))
                return false;
            continue;
        }
        if (!is_known(L, site, name))
            return false;
        options++;
        lua_pop(L, 1);
    }
    return options == site->count;
}

static bool is_entry(lua_State *L, lua_Integer i)
{
    return lua_isinteger(L, -2) && lua_tointeger(L, -2) == i;
}

// [req body]: the site that says what the table says, or NULL. What is called and the operation are
// known by their addresses, too: no number has one. A table that is written out is walked in its
// order, so that one walk is enough; one that was built otherwise is for the Lua half.
static struct site *find(lua_State *L, struct lz_caller *c, lz_component_id from, struct said *said)
{
    if (lua_type(L, 2) != LUA_TTABLE || lua_getmetatable(L, 2))
        return NULL;
    lua_pushnil(L);
    if (lua_next(L, 2) == 0 || !is_entry(L, 1))
        return NULL;
    const void *to = lua_topointer(L, -1), *op = NULL;
    lua_pop(L, 1); // [req body 1]
    bool has_more = lua_next(L, 2) != 0;
    if (has_more && is_entry(L, 2)) {
        op = lua_topointer(L, -1);
        lua_pop(L, 1); // [req body 2]
        if (op == NULL)
            return NULL;
        has_more = lua_next(L, 2) != 0;
    }
    struct site *site = &c->sites[place_of(from, to, op)];
    if (site->edge == 0 || site->from != from || site->to != to || site->op != op)
        return NULL;
    if (!says(L, site, has_more, said))
        return NULL;
    if (lz_script_of(L)->knows_layout)
        lz_call_shape_learn(&site->shape, lz_layout_of(lua_topointer(L, 2)), &c->names);
    return site;
}

// [req body]: remember what the table says, which means `edge`.
static void learn(lua_State *L, struct lz_caller *c, struct site *site, lz_edge_id edge)
{
    struct site new_site = *site;
    const struct lz_call_names *names = &c->names;
    lua_newtable(L); // [req body kept]: what the site knows by its address
    int kept = lua_gettop(L);
    new_site.count = 0;
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        const void *name = lua_topointer(L, -2);
        if (lua_type(L, -2) == LUA_TSTRING && name != names->key && name != names->value) {
            struct option o = {.name = name};
            if (new_site.count == OPTIONS_MAX || !read_option(L, &o)) {
                lua_settop(L, 2);
                return;
            }
            new_site.options[new_site.count++] = o;
        }
        if (lua_type(L, -2) != LUA_TSTRING || (name != names->key && name != names->value)) {
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

static int asked(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    lz_script_of(L)->is_asking = false;
    return 1;
}

// [req body]: as the Lua half does it.
static int ask(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(ASK));
    lua_insert(L, 1);
    lz_script_of(L)->is_asking = true;
    lua_callk(L, 2, 1, 0, asked);
    return asked(L, LUA_OK, 0);
}

// [req body ..]: the key that is said, or else the request's own. False: only the Lua half can
// tell.
static bool read_key(lua_State *L, const struct said *said, uint64_t *key)
{
    int at = said->key;
    if (at == 0) {
        lua_pushvalue(L, lua_upvalueindex(KEY));
        lua_rawget(L, 1);
        at = lua_gettop(L);
    }
    if (lua_isinteger(L, at)) {
        *key = (uint64_t)lua_tointeger(L, at);
        return true;
    }
    if (said->key == 0 && !is_simple(L, at, true))
        return false;
    *key = lz_value_read_key(L, at);
    return true;
}

// [req body]: as Lua's functions tell it.
static int walk(lua_State *L, struct lz_script *s, struct lz_proc *p)
{
    struct lz_world *w = s->world.world;
    struct said said = {0};
    uint64_t key;
    lua_settop(L, 2);
    const struct site *site = p != NULL ? find(L, s->caller, p->service, &said) : NULL;
    if (site == NULL || !read_key(L, &said, &key))
        return ask(L);
    lz_value value = said.value != 0 ? lz_value_read(L, said.value, w) : 0;
    lz_argument_id argument = value != 0 ? lz_argument_value(w, value) : 0;
    p->wants_table = true;
    lz_handler_call(w, p->task, site->edge, key, argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lua_yield(L, 0);
}

// The site that says what a table does, by how it lies; NULL: it has to be walked.
static const struct site *glance(const struct lz_caller *c, lz_component_id from,
                                 const struct lz_layout_table *t, struct lz_call_said *said)
{
    if (t->metatable != NULL || (t->flags & LZ_LAYOUT_LESS) != 0 ||
        t->entry_limit - 1 > 1) // one or two
        return NULL;
    uint8_t op_tag = t->entry_limit == 2 ? t->entries[1].tag : 0;
    const void *to = lz_layout_address(&t->entries[0]);
    const void *op = op_tag != 0 ? lz_layout_address(&t->entries[1]) : NULL;
    const struct site *site = &c->sites[place_of(from, to, op)];
    bool is = site->edge != 0 && site->from == from && site->to == to && site->op == op &&
              t->entries[0].tag == LZ_LAYOUT_TABLE && site->shape.op_tag == op_tag;
    return is && lz_call_shape_fits(&site->shape, t, said) ? site : NULL;
}

// The key that a table says, or the request has, if it is an integer.
static bool glance_key(const struct lz_procs *ps, const struct lz_proc *p,
                       const struct lz_call_said *said, uint64_t *key)
{
    const struct lz_layout_node *node =
        said->key != NULL ? said->key : lz_proc_fact(ps, p, LZ_FACT_KEY);
    if (node == NULL || node->tag != LZ_LAYOUT_INTEGER)
        return false;
    *key = node->word;
    return true;
}

static int call_for(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    struct lz_proc *p = lz_proc_on(L);
    struct lz_call_said said = {0};
    uint64_t key;
    if (p == NULL || p->req == NULL || p->req != lua_topointer(L, 1) || !lua_isyieldable(L) ||
        !lz_handler_is_live(s->world.world, p->task))
        return walk(L, s, NULL);
    if (!s->knows_layout || lua_type(L, 2) != LUA_TTABLE)
        return walk(L, s, p);
    const struct lz_layout_table *t = lz_layout_of(lua_topointer(L, 2));
    const struct site *site = glance(s->caller, p->service, t, &said);
    if (site == NULL || said.value != NULL || !glance_key(s->procs, p, &said, &key))
        return walk(L, s, p);
    p->wants_table = true;
    lz_handler_call(s->world.world, p->task, site->edge, key, 0);
    return lua_yield(L, 0);
}

// The word's second function: known(req, task, body, edge) by the Lua half, before it calls.
static int known(lua_State *L)
{
    struct lz_caller *c = lz_script_of(L)->caller;
    lz_task_id task = (lz_task_id)luaL_checkinteger(L, 2);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 4);
    lua_settop(L, 3);
    lua_remove(L, 2); // [req body]
    const struct lz_proc *p = lz_proc_on(L);
    if (p == NULL || p->req != lua_topointer(L, 1) || p->task != task)
        return 0;
    if (lua_type(L, 2) != LUA_TTABLE || lua_getmetatable(L, 2))
        return 0;
    bool is_table = lua_rawgeti(L, 2, 1) == LUA_TTABLE;
    const void *to = lua_topointer(L, -1);
    int type = lua_rawgeti(L, 2, 2);
    const void *op = type == LUA_TSTRING ? lua_topointer(L, -1) : NULL;
    lua_pop(L, 2);
    if (!is_table || (type != LUA_TSTRING && type != LUA_TNIL))
        return 0;
    struct site *site = &c->sites[place_of(p->service, to, op)];
    *site = (struct site){.from = p->service, .to = to, .op = op};
    learn(L, c, site, edge);
    return 0;
}

int lz_call_word(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    struct lz_script *s = lz_script_of(L);
    struct lz_caller *c = s->caller = lz_arena_alloc(s->arena, sizeof(*c));
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "key");
    lua_pushliteral(L, "value"); // [ask kept ask key value]
    c->names = (struct lz_call_names){.key = lua_topointer(L, -2), .value = lua_topointer(L, -1)};
    for (int i = 2; i <= UPVALUES + 1; i++)
        lua_pushvalue(L, i);
    lua_pushcclosure(L, call_for, UPVALUES);
    lua_insert(L, 2);
    lua_pushcclosure(L, known, UPVALUES); // [ask word known]
    return 2;
}
