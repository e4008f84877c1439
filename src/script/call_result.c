#include "script/call_result.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "script/state.h"
#include "script/value.h"

void lz_call_result_push_outcome(lua_State *L, const struct lz_call_results *c,
                                 enum lz_outcome outcome)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref_outcomes[outcome]);
}

static void push_name(lua_State *L, const struct lz_call_results *c, enum lz_call_result_name name)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref_names[name]);
}

// [table]: a value that Lua may collect, or any where the layout is not known.
static void set_value(lua_State *L, const struct lz_call_results *c, lz_value value)
{
    push_name(L, c, LZ_RESULT_VALUE);
    lz_value_push(L, lz_script_of(L)->world.world, value);
    lua_rawset(L, -3);
}

// [table]: by Lua's own functions.
static void set_fields(lua_State *L, const struct lz_call_results *c,
                       const struct lz_call_result *r, bool ok)
{
    push_name(L, c, LZ_RESULT_OUTCOME);
    lz_call_result_push_outcome(L, c, r->outcome);
    lua_rawset(L, -3);
    if (r->value != 0)
        set_value(L, c, r->value);
    push_name(L, c, LZ_RESULT_STATUS);
    lua_pushinteger(L, r->status);
    lua_rawset(L, -3);
    push_name(L, c, LZ_RESULT_OK);
    lua_pushboolean(L, ok);
    lua_rawset(L, -3);
}

// Of a table with room for them and nothing in it: its fields at once.
static void fill(const struct lz_layout_table *t, const struct lz_call_results *c,
                 const struct lz_call_result *r, bool ok)
{
    const bool has_integer = lz_value_kind(r->value) == LZ_VALUE_INTEGER;
    const struct lz_call_mould *mould = &c->moulds[has_integer];
    memcpy(t->nodes, mould->nodes, sizeof(mould->nodes));
    lz_layout_write_boolean(&t->nodes[mould->at[LZ_RESULT_OK]], ok);
    lz_layout_write_integer(&t->nodes[mould->at[LZ_RESULT_STATUS]], r->status);
    lz_layout_write_text(&t->nodes[mould->at[LZ_RESULT_OUTCOME]], c->outcomes[r->outcome]);
    if (has_integer)
        lz_layout_write_integer(&t->nodes[mould->at[LZ_RESULT_VALUE]],
                                lz_value_to_integer(r->value));
}

void lz_call_result_push(lua_State *L, const struct lz_call_results *c,
                         const struct lz_call_result *r, bool ok)
{
    lua_createtable(L, 0, LZ_RESULT_NAMES); // [table]
    if (!lz_script_of(L)->knows_layout) {
        set_fields(L, c, r, ok);
        return;
    }
    fill(lz_layout_of(lua_topointer(L, -1)), c, r, ok);
    if (r->value != 0 && lz_value_kind(r->value) != LZ_VALUE_INTEGER)
        set_value(L, c, r->value);
}

// As Lua itself lays one out.
static void make_mould(lua_State *L, const struct lz_call_results *c, int names,
                       struct lz_call_mould *out)
{
    lua_createtable(L, 0, LZ_RESULT_NAMES); // [table]
    const struct lz_layout_table *t = lz_layout_of(lua_topointer(L, -1));
    LZ_ASSERT(lz_layout_node_count(t) == LZ_RESULT_NAMES);
    for (int i = 0; i < names; i++) {
        push_name(L, c, (enum lz_call_result_name)i);
        lua_pushboolean(L, 0);
        lua_rawset(L, -3);
    }
    memcpy(out->nodes, t->nodes, sizeof(out->nodes));
    for (int i = 0; i < names; i++) {
        push_name(L, c, (enum lz_call_result_name)i);
        const struct lz_layout_node *node = lz_layout_find(t, lua_topointer(L, -1));
        LZ_ASSERT(node != NULL);
        out->at[i] = (uint8_t)(node - t->nodes);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int ref_text(lua_State *L, const char *text)
{
    lua_pushstring(L, text);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void lz_call_result_init(lua_State *L, struct lz_call_results *c)
{
    static const char *const names[LZ_RESULT_NAMES] = {"ok", "status", "outcome", "value"};
    for (int i = 0; i < LZ_RESULT_NAMES; i++)
        c->ref_names[i] = ref_text(L, names[i]);
    for (int i = 0; i < LZ_OUTCOMES; i++) {
        c->ref_outcomes[i] = ref_text(L, lz_request_outcome_name((enum lz_outcome)i));
        lz_call_result_push_outcome(L, c, (enum lz_outcome)i);
        c->outcomes[i] = lua_topointer(L, -1);
        LZ_ASSERT(lua_rawlen(L, -1) <= LZ_LAYOUT_TEXT_MAX);
        lua_pop(L, 1);
    }
    if (!lz_script_of(L)->knows_layout)
        return;
    make_mould(L, c, LZ_RESULT_VALUE, &c->moulds[0]);
    make_mould(L, c, LZ_RESULT_NAMES, &c->moulds[1]);
}
