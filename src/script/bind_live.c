/* bind_live.c — what a live run needs beside the world: targets, edges, probes, requests. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/history/recorder_real.h"
#include "model/history/recorder_tell.h"
#include "model/real.h"
#include "script/bind_check.h"
#include "script/live_plan.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static struct lz_live_plan *plan_of(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->live == NULL)
        s->live = lz_arena_alloc(s->arena, sizeof(*s->live));
    return s->live;
}

const struct lz_live_plan *lz_script_live_plan(const struct lz_script *s)
{
    static const struct lz_live_plan none;
    return s->live != NULL ? s->live : &none;
}

// One more of a list in the arena, zeroed. Lists are short, and grow only while the plan is built.
static void *add(lua_State *L, void *items, size_t *count, size_t size)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    char *wider = lz_arena_alloc(arena, (*count + 1) * size);
    if (*count > 0)
        memcpy(wider, items, *count * size);
    memset(wider + *count * size, 0, size);
    (*count)++;
    return wider;
}

// real(name, line, kind) -> component id | nil, message
static int real(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 3);
    enum lz_component_kind k = LZ_COMPONENT_PROCESS;
    while (strcmp(lz_world_kind_name(k), kind) != 0)
        k++;
    lz_component_id id = 0;
    struct lz_err err;

    bool ok = lz_real_create(world_of(L), luaL_checkstring(L, 1), k,
                             (uint32_t)luaL_checkinteger(L, 2), &id, &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// real_query(prometheus, name) -> metric
static int real_query(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    lua_pushinteger(L, lz_real_query(world_of(L), id, luaL_checkstring(L, 2)));
    return 1;
}

// real_measured(path) -> whether who sees requests can tell it
static int real_measured(lua_State *L)
{
    lua_pushboolean(L, lz_real_is_measured(luaL_checkstring(L, 1)));
    return 1;
}

// The list of texts on top, ended by NULL; popped.
static struct lz_live_argv take_argv(lua_State *L)
{
    struct lz_live_argv argv = {.count = (size_t)luaL_len(L, -1)};
    struct lz_arena *arena = lz_script_of(L)->arena;
    const char **items = lz_arena_alloc(arena, (argv.count + 1) * sizeof(*items));
    for (size_t i = 0; i < argv.count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        items[i] = lz_arena_strdup(arena, luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    items[argv.count] = NULL;
    argv.items = items;
    lua_pop(L, 1);
    return argv;
}

static struct lz_live_argv read_argv(lua_State *L, int idx, const char *name)
{
    if (lua_getfield(L, idx, name) != LUA_TNIL)
        return take_argv(L);
    lua_pop(L, 1);
    return (struct lz_live_argv){0};
}

// A list of { name, text } in the order of the names.
static struct lz_live_pairs read_pairs(lua_State *L, int idx, const char *name)
{
    struct lz_live_pairs out = {0};
    if (lua_getfield(L, idx, name) != LUA_TNIL) { // [... list]
        struct lz_arena *arena = lz_script_of(L)->arena;
        out.count = (size_t)luaL_len(L, -1);
        struct lz_live_pair *items = lz_arena_alloc(arena, (out.count + 1) * sizeof(*items));
        for (size_t i = 0; i < out.count; i++) {
            lua_geti(L, -1, (lua_Integer)i + 1);
            lua_geti(L, -1, 1);
            lua_geti(L, -2, 2); // [... list pair name text]
            items[i].name = lz_arena_strdup(arena, luaL_checkstring(L, -2));
            items[i].value = lz_arena_strdup(arena, luaL_checkstring(L, -1));
            lua_pop(L, 3);
        }
        out.items = items;
    }
    lua_pop(L, 1);
    return out;
}

// The table at idx, as build_live.lua's `asking` makes it.
static struct lz_live_probe read_probe(lua_State *L, int idx)
{
    struct lz_live_probe p = {
        .name = lz_read_text(L, idx, "name"),
        .component = (lz_component_id)lz_read_int(L, idx, "component", 0),
        .line = (uint32_t)lz_read_int(L, idx, "line", 0),
        .of = (uint32_t)lz_read_int(L, idx, "of", 0),
        .argv = read_argv(L, idx, "command"),
        .contains = lz_read_text(L, idx, "contains"),
        .ca_file = lz_read_text(L, idx, "ca_file"),
        .status = (uint32_t)lz_read_int(L, idx, "status", 0),
        .has_value = lz_read_bool(L, idx, "value"),
        .reads = (lz_component_id)lz_read_int(L, idx, "reads", 0),
        .every = lz_read_int(L, idx, "every", LZ_S),
        .timeout = lz_read_int(L, idx, "timeout", LZ_S),
        .fails = (uint32_t)lz_read_int(L, idx, "fails", 1),
        .passes = (uint32_t)lz_read_int(L, idx, "passes", 1),
    };
    const char *http = lz_read_text(L, idx, "http"), *tcp = lz_read_text(L, idx, "tcp");
    p.kind = p.argv.count > 0 ? LZ_LIVE_PROBE_COMMAND
             : http != NULL   ? LZ_LIVE_PROBE_HTTP
                              : LZ_LIVE_PROBE_TCP;
    p.url = http != NULL ? http : tcp != NULL && tcp[0] != '\0' ? tcp : NULL;
    LZ_ASSERT(p.every > 0 && p.timeout > 0);
    return p;
}

static void read_setup(lua_State *L, struct lz_live_target *t)
{
    if (lua_getfield(L, 1, "setup") != LUA_TNIL) {
        size_t count = (size_t)luaL_len(L, -1);
        struct lz_live_argv *list =
            lz_arena_alloc(lz_script_of(L)->arena, (count + 1) * sizeof(*list));
        for (size_t i = 0; i < count; i++) {
            lua_geti(L, -1, (lua_Integer)i + 1);
            list[i] = take_argv(L);
        }
        t->setup = list;
        t->setup_count = count;
    }
    lua_pop(L, 1);
}

// live_target{...} -> its number, from 1 | nil, message
static int live_target(lua_State *L)
{
    struct lz_live_plan *plan = plan_of(L);
    if (plan->target_count == LZ_LIVE_TARGETS_MAX)
        return luaL_error(L, "at most %d processes and endpoints", LZ_LIVE_TARGETS_MAX);
    struct lz_live_target t = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .component = (lz_component_id)lz_read_int(L, 1, "component", 0),
        .of = (lz_component_id)lz_read_int(L, 1, "of", 0),
        .ordinal = (uint32_t)lz_read_int(L, 1, "ordinal", 1),
        .protocol = lz_read_bool(L, 1, "is_http") ? LZ_LIVE_HTTP : LZ_LIVE_TCP,
        .is_tls = lz_read_bool(L, 1, "is_tls"),
        .is_v6 = lz_read_bool(L, 1, "is_v6"),
        .url = lz_read_text(L, 1, "url"),
        .run = read_argv(L, 1, "run"),
        .env = read_pairs(L, 1, "env"),
        .files = read_pairs(L, 1, "files"),
        .cwd = lz_read_text(L, 1, "cwd"),
        .user = lz_read_text(L, 1, "user"),
        .port = (uint32_t)lz_read_int(L, 1, "port", 0),
        .ready_within = lz_read_int(L, 1, "ready_within", 0),
        .grace = lz_read_int(L, 1, "grace", 0),
        .stop_signal = (int)lz_read_int(L, 1, "stop_signal", 15),
        .is_restarted = lz_read_bool(L, 1, "is_restarted"),
        .backoff = lz_read_int(L, 1, "backoff", 0),
    };
    read_setup(L, &t);
    if (lua_getfield(L, 1, "ready") != LUA_TNIL) {
        t.ready = read_probe(L, lua_gettop(L));
        t.ready.of = (uint32_t)plan->target_count + 1;
        t.has_ready = true;
    }
    if (lua_getfield(L, 1, "primary") != LUA_TNIL) {
        t.primary = read_probe(L, lua_gettop(L));
        t.primary.of = (uint32_t)plan->target_count + 1;
        t.has_primary = true;
    }
    const struct lz_component *of = lz_world_component(world_of(L), t.of);
    LZ_ASSERT(t.ordinal >= 1 && t.ordinal <= of->instance_count);
    t.instance = of->instances_first + t.ordinal - 1;
    plan->targets = add(L, plan->targets, &plan->target_count, sizeof(t));
    plan->targets[plan->target_count - 1] = t;
    lua_pushinteger(L, (lua_Integer)plan->target_count);
    return 1;
}

static int live_namespaces(lua_State *L)
{
    plan_of(L)->network = LZ_LIVE_NAMESPACES;
    return 0;
}

static int live_edge(lua_State *L)
{
    struct lz_live_plan *plan = plan_of(L);
    plan->edges = add(L, plan->edges, &plan->edge_count, sizeof(*plan->edges));
    plan->edges[plan->edge_count - 1] = (struct lz_live_edge){
        .from = (uint32_t)lz_read_int(L, 1, "from", 0),
        .to = (uint32_t)lz_read_int(L, 1, "to", 0) - 1,
        .client = (lz_component_id)lz_read_int(L, 1, "client", 0),
        .server = (lz_component_id)lz_read_int(L, 1, "server", 0),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
    };
    return 0;
}

static int live_probe(lua_State *L)
{
    struct lz_live_plan *plan = plan_of(L);
    if (plan->probe_count == LZ_LIVE_PROBES_MAX)
        return luaL_error(L, "at most %d probes", LZ_LIVE_PROBES_MAX);
    plan->probes = add(L, plan->probes, &plan->probe_count, sizeof(*plan->probes));
    plan->probes[plan->probe_count - 1] = read_probe(L, 1);
    return 0;
}

static int live_traffic(lua_State *L)
{
    struct lz_live_plan *plan = plan_of(L);
    plan->traffics = add(L, plan->traffics, &plan->traffic_count, sizeof(*plan->traffics));
    plan->traffics[plan->traffic_count - 1] = (struct lz_live_traffic){
        .component = (lz_component_id)lz_read_int(L, 1, "component", 0),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .method = lz_read_text(L, 1, "method"),
        .path = lz_read_text(L, 1, "path"),
        .body = lz_read_text(L, 1, "body"),
        .headers = read_pairs(L, 1, "headers"),
        .command = read_argv(L, 1, "command"),
        .ca_file = lz_read_text(L, 1, "ca_file"),
        .http2 = lz_read_bool(L, 1, "http2"),
        .if_match = lz_read_bool(L, 1, "if_match"),
        .connections = (uint32_t)lz_read_int(L, 1, "connections", 0),
    };
    return 0;
}

// live_operation(component, op) -> what it does to a recorded component, whether it
// writes what it brings, whether it is about a key
static int live_operation(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    lz_op op = lz_call_op(w, luaL_checkstring(L, 2));
    enum lz_recorder_f f = lz_recorder_real_f(w, id, op);
    bool writes = f == LZ_RECORDER_WRITE || f == LZ_RECORDER_CREATE || f == LZ_RECORDER_INSERT;
    lua_pushstring(L, f == LZ_RECORDER_OTHER ? "other" : lz_recorder_f_name(f));
    lua_pushboolean(L, writes && !lz_recorder_is_removal(w, op));
    lua_pushboolean(L, lz_recorder_real_is_keyed(w, id));
    return 3;
}

// live_accounts(component): what is read of it is what its accounts hold
static int live_accounts(lua_State *L)
{
    lz_recorder_tell_accounts(world_of(L), (lz_component_id)luaL_checkinteger(L, 1));
    return 0;
}

static int live_prometheus(lua_State *L)
{
    struct lz_live_plan *plan = plan_of(L);
    struct lz_live_prometheus p = {
        .name = lz_read_text(L, 1, "name"),
        .url = lz_read_text(L, 1, "url"),
        .component = (lz_component_id)lz_read_int(L, 1, "component", 0),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .every = lz_read_int(L, 1, "every", LZ_S),
        .timeout = lz_read_int(L, 1, "timeout", LZ_S),
    };
    lua_getfield(L, 1, "queries"); // [opts queries]
    p.query_count = (size_t)luaL_len(L, -1);
    struct lz_live_query *queries =
        lz_arena_alloc(lz_script_of(L)->arena, (p.query_count + 1) * sizeof(*queries));
    for (size_t i = 0; i < p.query_count; i++) {
        lua_geti(L, 2, (lua_Integer)i + 1);
        queries[i] = (struct lz_live_query){
            .name = lz_read_text(L, 3, "name"),
            .promql = lz_read_text(L, 3, "promql"),
            .metric = (lz_metric)lz_read_int(L, 3, "metric", 0),
        };
        lua_settop(L, 2);
    }
    p.queries = queries;
    plan->prometheus = add(L, plan->prometheus, &plan->prometheus_count, sizeof(p));
    plan->prometheus[plan->prometheus_count - 1] = p;
    return 0;
}

static int live_abort(lua_State *L)
{
    struct lz_live_plan *plan = plan_of(L);
    struct lz_live_abort a = {.text = lz_read_text(L, 1, "text")};
    lua_getfield(L, 1, "matcher"); // [opts matcher]
    lz_bind_read_matcher(L, 2, &a.matcher);
    plan->aborts = add(L, plan->aborts, &plan->abort_count, sizeof(a));
    plan->aborts[plan->abort_count - 1] = a;
    return 0;
}

static const luaL_Reg functions[] = {
    {"real", real},
    {"real_query", real_query},
    {"real_measured", real_measured},
    {"live_target", live_target},
    {"live_namespaces", live_namespaces},
    {"live_edge", live_edge},
    {"live_probe", live_probe},
    {"live_traffic", live_traffic},
    {"live_operation", live_operation},
    {"live_accounts", live_accounts},
    {"live_prometheus", live_prometheus},
    {"live_abort", live_abort},
    {NULL, NULL},
};

void lz_bind_live(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
