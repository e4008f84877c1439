/* bind_alert.c — alerting rules and who is told of them, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "check/alerting.h"
#include "model/alert/alert_doubt.h"
#include "model/alert/alert_record.h"
#include "script/bind_check.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static void *make(lua_State *L, size_t count, size_t size)
{
    return lz_arena_alloc(lz_script_of(L)->arena, (count + 1) * size);
}

// Field `name` of the table at `idx` is a list: [list], and how long it is; absent is empty.
static uint32_t push_list(lua_State *L, int idx, const char *name)
{
    if (lua_getfield(L, idx, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    return (uint32_t)luaL_len(L, -1);
}

static struct lz_alert_names read_names(lua_State *L, int idx, const char *name)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    uint32_t count = push_list(L, idx, name); // [.. list]
    const char **all = make(L, count, sizeof(*all));
    for (uint32_t i = 0; i < count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        all[i] = lz_arena_strdup(arena, luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return (struct lz_alert_names){.all = all, .count = count};
}

// { { "severity", "page" }, ... } as labels.
static struct lz_alert_labels read_labels(lua_State *L, int idx, const char *name)
{
    uint32_t count = push_list(L, idx, name);
    struct lz_alert_label *all = make(L, count, sizeof(*all));
    for (uint32_t i = 0; i < count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1); // [.. list pair]
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2);
        all[i] = (struct lz_alert_label){
            .name = lz_arena_strdup(lz_script_of(L)->arena, luaL_checkstring(L, -2)),
            .value = lz_arena_strdup(lz_script_of(L)->arena, luaL_checkstring(L, -1))};
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
    return (struct lz_alert_labels){.all = all, .count = count};
}

// { { name =, kind =, values = }, ... } as matchers.
static struct lz_alert_matchers read_matchers(lua_State *L, int idx, const char *name)
{
    static const char *const kinds[] = {"", "one_of", "any", "none", NULL};
    uint32_t count = push_list(L, idx, name);
    struct lz_alert_matcher *all = make(L, count, sizeof(*all));
    for (uint32_t i = 0; i < count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1); // [.. list matcher]
        int at = lua_gettop(L);
        all[i].name = lz_read_text(L, at, "name");
        lua_getfield(L, at, "kind");
        all[i].kind = (enum lz_alert_matcher_kind)luaL_checkoption(L, -1, NULL, kinds);
        lua_pop(L, 1);
        all[i].values = read_names(L, at, "values");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return (struct lz_alert_matchers){.all = all, .count = count};
}

static struct lz_alert_route read_route(lua_State *L, int at)
{
    return (struct lz_alert_route){
        .receiver = lz_read_text(L, at, "receiver"),
        .match = read_matchers(L, at, "match"),
        .goes_on = lz_read_bool(L, at, "goes_on"),
        .is_each = lz_read_bool(L, at, "is_each"),
        .no_resolved = lz_read_bool(L, at, "no_resolved"),
        .group_by = read_names(L, at, "group_by"),
        .group_wait = lz_read_int(L, at, "group_wait", 0),
        .group_interval = lz_read_int(L, at, "group_interval", 0),
        .repeat_interval = lz_read_int(L, at, "repeat_interval", 0),
    };
}

static void read_routes(lua_State *L, struct lz_alerts_opts *o)
{
    o->route_count = push_list(L, 1, "routes"); // [opts list]
    struct lz_alert_route *all = make(L, o->route_count, sizeof(*all));
    for (uint32_t i = 0; i < o->route_count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        all[i] = read_route(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    o->routes = all;
}

static void read_inhibitions(lua_State *L, struct lz_alerts_opts *o)
{
    o->inhibition_count = push_list(L, 1, "inhibit"); // [opts list]
    struct lz_alert_inhibition *all = make(L, o->inhibition_count, sizeof(*all));
    for (uint32_t i = 0; i < o->inhibition_count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        all[i] = (struct lz_alert_inhibition){.source = read_matchers(L, at, "source"),
                                              .target = read_matchers(L, at, "target"),
                                              .equal = read_names(L, at, "equal")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    o->inhibitions = all;
}

static void read_silences(lua_State *L, struct lz_alerts_opts *o)
{
    o->silence_count = push_list(L, 1, "silences"); // [opts list]
    struct lz_alert_silence *all = make(L, o->silence_count, sizeof(*all));
    for (uint32_t i = 0; i < o->silence_count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        all[i] = (struct lz_alert_silence){.match = read_matchers(L, at, "match"),
                                           .from = lz_read_int(L, at, "from", 0),
                                           .until = lz_read_int(L, at, "until", LZ_FOREVER)};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    o->silences = all;
}

// monitoring{scrape_interval, evaluation_interval, routes, inhibit, silences}
// -> true | nil, message
static int monitoring(lua_State *L)
{
    struct lz_err err;
    struct lz_alerts_opts o = {
        .scrape_interval = lz_read_int(L, 1, "scrape_interval", 0),
        .evaluation_interval = lz_read_int(L, 1, "evaluation_interval", 0),
    };
    read_routes(L, &o);
    read_inhibitions(L, &o);
    read_silences(L, &o);
    if (!lz_alerts_monitor(world_of(L), &o, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

// alert{name, line, labels, pending, keep_firing_for, conditions = { { matcher, over }, ... },
// expr, every, because} -> id
static int alert(lua_State *L)
{
    struct lz_err err;
    struct lz_alerting_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .because = lz_read_text(L, 1, "because"),
        .labels = read_labels(L, 1, "labels"),
        .pending = lz_read_int(L, 1, "pending", 0),
        .keep_firing = lz_read_int(L, 1, "keep_firing_for", 0),
        .every = lz_read_int(L, 1, "every", 0),
        .expr = lz_read_text(L, 1, "expr"),
    };
    o.condition_count = push_list(L, 1, "conditions"); // [opts list]
    struct lz_alerting_condition *all = make(L, o.condition_count, sizeof(*all));
    for (uint32_t i = 0; i < o.condition_count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        lua_getfield(L, at, "matcher");
        lz_bind_read_matcher(L, at + 1, &all[i].matcher);
        all[i].over = lz_read_int(L, at, "over", 0);
        lua_pop(L, 2);
    }
    o.conditions = all;
    lz_component_id id = 0;
    if (!lz_alerting_create(world_of(L), &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// promise(name, every): rules will record it -> true | nil, message
static int promise(lua_State *L)
{
    struct lz_err err;
    const char *name = lz_arena_strdup(lz_script_of(L)->arena, luaL_checkstring(L, 1));
    if (!lz_alert_record_promise(world_of(L), name, luaL_optinteger(L, 2, 0), &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

// rule{name, line, record, expr, labels, every} -> id | nil, message
static int rule(lua_State *L)
{
    struct lz_err err;
    lz_component_id id = 0;
    const struct lz_alert_record_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .record = lz_read_text(L, 1, "record"),
        .expr = lz_read_text(L, 1, "expr"),
        .labels = read_labels(L, 1, "labels"),
        .every = lz_read_int(L, 1, "every", 0),
    };
    if (!lz_alert_record_create(world_of(L), &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// promql(text) -> true | nil, message, byte from 0, bytes; before there is a world too
static int promql(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    const struct lz_promql_query *q = NULL;
    struct lz_promql_fault fault = {0};
    struct lz_promql_scratch s;
    lz_promql_scratch_init(&s, lz_script_of(L)->arena);
    bool ok = lz_promql_parse(&s, text, &q, &fault);
    if (ok && lz_promql_query_type(q) != LZ_PROMQL_VECTOR &&
        lz_promql_query_type(q) != LZ_PROMQL_SCALAR) {
        ok = lz_fail(&fault.err, LZ_EINVAL,
                     "a rule takes an instant vector or a scalar, and this is a %s",
                     lz_promql_type_name(lz_promql_query_type(q)));
        fault.len = strlen(text);
    }
    lz_promql_scratch_finish(&s);
    if (ok) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, fault.err.msg);
    lua_pushinteger(L, (lua_Integer)fault.at);
    lua_pushinteger(L, (lua_Integer)fault.len);
    return 4;
}

// [list of names]
static void push_names(lua_State *L, const struct lz_promql_names *names)
{
    lua_createtable(L, (int)names->count, 0);
    for (uint32_t i = 0; i < names->count; i++) {
        lua_pushstring(L, names->all[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void set_text(lua_State *L, const char *field, const char *text)
{
    lua_pushstring(L, text); // NULL: nil
    lua_setfield(L, -2, field);
}

// doubts(text) -> list of {kind, text, label, value, others}: what nothing that is declared has
static int doubts(lua_State *L)
{
    static const char *const kinds[] = {[LZ_PROMQL_DOUBT_METRIC] = "metric",
                                        [LZ_PROMQL_DOUBT_VALUE] = "value",
                                        [LZ_PROMQL_DOUBT_TOGETHER] = "together",
                                        [LZ_PROMQL_DOUBT_GROUP] = "group"};
    const char *text = luaL_checkstring(L, 1);
    const struct lz_promql_query *q = NULL;
    const struct lz_promql_doubt *all = NULL;
    struct lz_promql_fault fault = {0};
    struct lz_promql_scratch s;
    lz_promql_scratch_init(&s, lz_script_of(L)->arena);
    bool ok = lz_promql_parse(&s, text, &q, &fault);
    uint32_t count = ok ? lz_alert_doubts(world_of(L), q, &s, &all) : 0;
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        lua_createtable(L, 0, 5); // [list doubt]
        set_text(L, "kind", kinds[all[i].kind]);
        lua_pushlstring(L, text + all[i].at, all[i].len);
        lua_setfield(L, -2, "text");
        set_text(L, "label", all[i].label);
        set_text(L, "value", all[i].value);
        push_names(L, &all[i].others);
        lua_setfield(L, -2, "others");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lz_promql_scratch_finish(&s);
    return 1;
}

static const luaL_Reg functions[] = {
    {"monitoring", monitoring}, {"alert", alert},   {"promise", promise}, {"rule", rule},
    {"promql", promql},         {"doubts", doubts}, {NULL, NULL}};

void lz_bind_alert(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
