/* bind_txn.c — a handler's transactions (model/data/txn.h), for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/data/pooler.h"
#include "model/data/txn.h"
#include "model/service/handler.h"
#include "script/bind_call.h"
#include "script/proc.h"
#include "script/read.h"
#include "script/serving.h"
#include "script/value.h"

#define PATH_OF_TRANSACTIONS (1u << 24) /* above any number of calls */

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static lz_txn_id check_txn(lua_State *L, int arg)
{
    lz_txn_id id = (lz_txn_id)luaL_checkinteger(L, arg);
    if (!lz_txn_is_open(world_of(L), id))
        luaL_error(L, "the transaction has ended: its statements are made inside its function");
    return id;
}

// tx_open(task, edge, number, isolation, read only) -> transaction
static int tx_open(lua_State *L)
{
    static const char *const names[] = {[LZ_READ_COMMITTED] = "read committed",
                                        [LZ_REPEATABLE_READ] = "repeatable read",
                                        [LZ_SERIALIZABLE] = "serializable",
                                        NULL};
    struct lz_world *w = world_of(L);
    lz_task_id task = lz_serving_task(L, 1);
    uint64_t number = (uint64_t)luaL_checkinteger(L, 3);
    struct lz_txn_opts o = {
        .edge = (lz_edge_id)luaL_checkinteger(L, 2),
        .client = lz_handler_instance(w, task),
        .isolation = (enum lz_isolation)luaL_checkoption(L, 4, "read committed", names),
        .is_read_only = lua_toboolean(L, 5),
        .path = lz_draw_index(lz_handler_path(w, task), PATH_OF_TRANSACTIONS + number),
    };
    lua_pushinteger(L, (lua_Integer)lz_txn_open(w, &o));
    return 1;
}

// tx_call(task, edge, transaction, what, key, last key or value) -> ok, status, value, outcome
static int tx_call(lua_State *L)
{
    static const char *const names[] = {
        [LZ_STATEMENT_READ] = "read",         [LZ_STATEMENT_WRITE] = "write",
        [LZ_STATEMENT_LOCK] = "lock",         [LZ_STATEMENT_APPEND] = "append",
        [LZ_STATEMENT_SCAN] = "scan",         [LZ_STATEMENT_COMMIT] = "commit",
        [LZ_STATEMENT_ROLLBACK] = "rollback", [LZ_STATEMENT_ROLLBACK + 1] = NULL,
    };
    struct lz_world *w = world_of(L);
    lz_task_id task = lz_serving_task(L, 1);
    lz_txn_id id = check_txn(L, 3);
    struct lz_statement s = {.kind = (enum lz_statement_kind)luaL_checkoption(L, 4, NULL, names)};
    if (s.kind < LZ_STATEMENT_COMMIT)
        s.key = lz_value_read_key(L, 5);
    if (s.kind == LZ_STATEMENT_WRITE || s.kind == LZ_STATEMENT_APPEND)
        s.value = lz_value_read(L, 6, w);
    if (s.kind == LZ_STATEMENT_SCAN)
        s.to = lz_value_read_key(L, 6);
    lz_txn_say(w, id, &s);
    lz_handler_call(w, task, (lz_edge_id)luaL_checkinteger(L, 2), id, 0);
    return lz_proc_yield(L);
}

// tx_why(transaction) -> SQLSTATE, sentence | nothing, if nothing is wrong
static int tx_why(lua_State *L)
{
    enum lz_txn_error error = lz_txn_why(world_of(L), check_txn(L, 1));
    if (error == LZ_TXN_OK)
        return 0;
    lua_pushstring(L, lz_txn_error_code(error));
    lua_pushstring(L, lz_txn_error_text(error));
    return 2;
}

// tx_rows(transaction) -> { { key = ..., value = ... }, ... } of the last scan
static int tx_rows(lua_State *L)
{
    uint32_t count = 0;
    const struct lz_world *w = world_of(L);
    const struct lz_txn_row *rows = lz_txn_rows(w, check_txn(L, 1), &count);
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        lua_createtable(L, 0, 2); // [rows row]
        lua_pushinteger(L, (lua_Integer)rows[i].key);
        lua_setfield(L, -2, "key");
        lz_value_push(L, w, rows[i].value);
        lua_setfield(L, -2, "value");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

// tx_close(transaction)
static int tx_close(lua_State *L)
{
    lz_txn_id id = (lz_txn_id)luaL_checkinteger(L, 1);
    if (lz_txn_is_open(world_of(L), id))
        lz_txn_close(world_of(L), id);
    return 0;
}

// sessions(database, {reserved, deadlock_timeout, ...}) -> true | nil, message
static int sessions(lua_State *L)
{
    struct lz_session_opts o = {
        .refuses = lz_read_bool(L, 2, "refuses"),
        .reserved = (uint32_t)lz_read_int(L, 2, "reserved", 0),
        .deadlock_timeout = lz_read_int(L, 2, "deadlock_timeout", 0),
        .lock_timeout = lz_read_int(L, 2, "lock_timeout", 0),
        .idle_timeout = lz_read_int(L, 2, "idle_timeout", 0),
    };
    struct lz_err err;
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    if (!lz_session_declare(world_of(L), id, &o, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// pooler(database, {mode, size, max_clients, queue_timeout}) -> true | nil, message
static int pooler(lua_State *L)
{
    static const char *const modes[] = {[LZ_POOLING_SESSION] = "session",
                                        [LZ_POOLING_TRANSACTION] = "transaction",
                                        [LZ_POOLING_STATEMENT] = "statement"};
    struct lz_pooler_opts o = {
        .size = (uint32_t)lz_read_int(L, 2, "size", 0),
        .max_clients = (uint32_t)lz_read_int(L, 2, "max_clients", 0),
        .queue_timeout = lz_read_int(L, 2, "queue_timeout", 0),
    };
    const char *mode = lz_read_text(L, 2, "mode");
    while (strcmp(modes[o.mode], mode) != 0)
        o.mode++;
    struct lz_err err;
    if (!lz_pooler_declare(world_of(L), (lz_component_id)luaL_checkinteger(L, 1), &o, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

static const luaL_Reg functions[] = {
    {"sessions", sessions}, {"pooler", pooler},   {"tx_open", tx_open},   {"tx_call", tx_call},
    {"tx_why", tx_why},     {"tx_rows", tx_rows}, {"tx_close", tx_close}, {NULL, NULL},
};

void lz_bind_txn(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
