/* bind_sql.c — SQL of a scenario: its schemas, the statements of its handlers, and their rows. */
#include "script/bind_sql.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/data/sql/execute.h"
#include "model/data/txn.h"
#include "model/journal.h"
#include "model/node/instance.h"
#include "model/service/handler.h"
#include "script/proc.h"
#include "script/serving.h"
#include "script/state.h"
#include "script/value.h"

#define NOTES_MAX 200u // a journal has room for other things

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

// sql_check(schema, seed, {statement, ...}) -> true | false, which, message, byte offset
static int sql_check(lua_State *L)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    size_t count = 2 + (size_t)luaL_len(L, 3), which = 0;
    size_t bytes = count * sizeof(struct lz_execute_text);
    struct lz_execute_text *texts = lz_arena_alloc(arena, bytes);
    for (size_t i = 0; i < 2; i++)
        texts[i].bytes = luaL_checklstring(L, (int)i + 1, &texts[i].size);
    for (size_t i = 2; i < count; i++) {
        lua_geti(L, 3, (lua_Integer)i - 1);
        texts[i].bytes = luaL_checklstring(L, -1, &texts[i].size); // the list keeps it
        lua_pop(L, 1);
    }
    struct lz_store_fault f;
    bool ok = lz_execute_check(arena, texts, count, &which, &f);
    lz_arena_free(arena, texts, bytes);
    lua_pushboolean(L, ok);
    if (ok)
        return 1;
    lua_pushinteger(L, (lua_Integer)which);
    lua_pushstring(L, f.text);
    lua_pushinteger(L, (lua_Integer)f.at);
    return 4;
}

// sql_declare(database, schema, seed or nil) -> true | nil, message
static int sql_declare(lua_State *L)
{
    struct lz_execute_opts o = {0};
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    o.schema = luaL_checklstring(L, 2, &o.schema_size);
    o.seed = luaL_optlstring(L, 3, NULL, &o.seed_size);
    struct lz_err err;
    if (!lz_execute_declare(world_of(L), id, &o, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// sql_verb(text) -> "select", "insert", ...
static int sql_verb(lua_State *L)
{
    char verb[16];
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    lua_pushstring(L, lz_statement_verb(text, size, verb));
    return 1;
}

static struct lz_cell cell_at(lua_State *L, int idx)
{
    struct lz_cell c = {.kind = LZ_CELL_NULL};
    size_t size;
    switch (lua_type(L, idx)) {
    case LUA_TBOOLEAN: // as SQLite has them
        return (struct lz_cell){.kind = LZ_CELL_INTEGER, .integer = lua_toboolean(L, idx)};
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx))
            return (struct lz_cell){.kind = LZ_CELL_INTEGER, .integer = lua_tointeger(L, idx)};
        return (struct lz_cell){.kind = LZ_CELL_FLOAT, .real = lua_tonumber(L, idx)};
    case LUA_TSTRING:
        c.kind = LZ_CELL_TEXT;
        c.bytes = lua_tolstring(L, idx, &size);
        c.size = (uint32_t)size;
        return c;
    default:
        return c;
    }
}

// Values too long to be one are refused here: SQLite's own limit is of what it stores.
static const struct lz_cell *read_cells(lua_State *L, int idx, uint32_t count)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    struct lz_cell *cells = lz_arena_alloc(arena, (count + 1) * sizeof(*cells));
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        cells[i] = cell_at(L, -1); // the list keeps its texts
        lua_pop(L, 1);
        if (cells[i].kind == LZ_CELL_TEXT && cells[i].size > LZ_AUTHORIZE_BYTES_MAX) {
            lz_arena_free(arena, cells, (count + 1) * sizeof(*cells));
            luaL_error(L, "req:sql: value %d has more than 16 MiB", (int)i + 1);
        }
    }
    return cells;
}

// The statement that the arguments from 4 on are: text, values or nil, count.
static lz_argument_id read_statement(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    size_t size;
    struct lz_sql_statement st = {.text = luaL_checklstring(L, 4, &size)};
    if (size > LZ_STATEMENT_BYTES_MAX)
        luaL_error(L, "a statement of SQL has at most 1 MiB");
    st.size = (uint32_t)size;
    st.count = (uint32_t)luaL_checkinteger(L, 6);
    st.cells = st.count > 0 ? read_cells(L, 5, st.count) : NULL;
    lz_argument_id argument = lz_statement_make(world_of(L), &st);
    if (st.count > 0)
        lz_arena_free(s->arena, (void *)st.cells, (st.count + 1) * sizeof(*st.cells));
    return argument;
}

// sql(task, edge, key, text, values or nil, count) -> ok, status, value, outcome, answer
static int sql(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_task_id task = lz_serving_task(L, 1);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 2);
    uint64_t key = lz_value_read_key(L, 3);
    lz_argument_id argument = read_statement(L);
    lz_handler_call(w, task, edge, key, argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return lz_proc_yield(L);
}

// tx_sql(task, edge, transaction, text, values or nil, count) -> as sql
static int tx_sql(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_task_id task = lz_serving_task(L, 1);
    lz_edge_id edge = (lz_edge_id)luaL_checkinteger(L, 2);
    lz_txn_id id = (lz_txn_id)luaL_checkinteger(L, 3);
    if (!lz_txn_is_open(w, id))
        return luaL_error(L, "the transaction has ended");
    char verb[16];
    size_t size;
    const char *text = luaL_checklstring(L, 4, &size);
    struct lz_statement said = {.kind = LZ_STATEMENT_SQL,
                                .to = strcmp(lz_statement_verb(text, size, verb), "select") == 0};
    lz_argument_id argument = read_statement(L);
    lz_txn_say(w, id, &said);
    lz_handler_call(w, task, edge, id, argument);
    lz_argument_drop(w, argument);
    return lz_proc_yield(L);
}

bool lz_bind_sql_is_raised(lua_State *L)
{
    if (luaL_getmetafield(L, -1, "__name") == LUA_TNIL)
        return false;
    const char *name = lua_tostring(L, -1);
    bool is_raised = name != NULL && strcmp(name, "sql error") == 0;
    lua_pop(L, 1);
    return is_raised;
}

void lz_bind_sql_note(lua_State *L, lz_task_id task, const char *text)
{
    struct lz_script *s = lz_script_of(L);
    struct lz_world *w = world_of(L);
    if (!lz_handler_is_live(w, task) || s->sql_noted_count == NOTES_MAX)
        return;
    lz_instance_id at = lz_handler_instance(w, task);
    uint64_t hash = lz_hash_mix(lz_hash_text(text), lz_instance_get(w, at)->component);
    for (uint32_t i = 0; i < s->sql_noted_count; i++)
        if (s->sql_noted[i] == hash)
            return;
    s->sql_noted = lz_grow(s->arena, s->sql_noted, &s->sql_noted_cap, s->sql_noted_count + 1,
                           sizeof(*s->sql_noted));
    s->sql_noted[s->sql_noted_count++] = hash;
    lz_instance_note(w, at, "sql", "%s", text);
}

// sql_note(task, text): in the journal of whatever serves the task
static int sql_note(lua_State *L)
{
    lz_bind_sql_note(L, (lz_task_id)luaL_checkinteger(L, 1), luaL_checkstring(L, 2));
    return 0;
}

// sql_unseen(): a statement of the handler that runs has failed
static int sql_unseen(lua_State *L)
{
    lz_serving_unseen(L);
    return 0;
}

static void push_cell(lua_State *L, const struct lz_cell *c)
{
    switch (c->kind) {
    case LZ_CELL_INTEGER:
        lua_pushinteger(L, c->integer);
        break;
    case LZ_CELL_FLOAT:
        lua_pushnumber(L, c->real);
        break;
    case LZ_CELL_TEXT:
    case LZ_CELL_BLOB:
        lua_pushlstring(L, c->bytes, c->size);
        break;
    default:
        lua_pushnil(L);
    }
}

void lz_bind_sql_push(lua_State *L, const struct lz_sql_answer *a)
{
    if (a == NULL) {
        lua_pushnil(L);
        return;
    }
    luaL_checkstack(L, 8, "an answer");
    lua_createtable(L, 0, 8); // [answer]
    if (!a->ok) {
        lua_pushstring(L, a->error);
        lua_setfield(L, -2, "error");
        lua_pushstring(L, a->code);
        lua_setfield(L, -2, "code");
        return;
    }
    lua_createtable(L, (int)a->rows, 0); // [answer rows]
    for (uint32_t r = 0; r < a->rows; r++) {
        lua_createtable(L, 0, (int)a->columns);
        for (uint32_t c = 0; c < a->columns; c++) {
            push_cell(L, &a->cells[(size_t)r * a->columns + c]);
            lua_setfield(L, -2, a->names[c]);
        }
        lua_rawseti(L, -2, (lua_Integer)r + 1);
    }
    lua_setfield(L, -2, "rows");
    lua_pushinteger(L, a->changes);
    lua_setfield(L, -2, "changes");
    lua_pushinteger(L, a->last_id);
    lua_setfield(L, -2, "last_id");
}

static const luaL_Reg functions[] = {
    {"sql", sql},
    {"sql_check", sql_check},
    {"sql_declare", sql_declare},
    {"sql_note", sql_note},
    {"sql_unseen", sql_unseen},
    {"sql_verb", sql_verb},
    {"tx_sql", tx_sql},
    {NULL, NULL},
};

void lz_bind_sql(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
