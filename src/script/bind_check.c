/* bind_check.c — metrics by name, matchers, expectations. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "check/fenced.h"
#include "check/format.h"
#include "check/recorded.h"
#include "model/client/call.h"
#include "model/service/service.h"
#include "model/service/version.h"
#include "script/bind_check.h"
#include "script/read.h"
#include "script/state.h"

static int index_of(const char *const *names, const char *name)
{
    for (int i = 1; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    LZ_UNREACHABLE("the Lua half uses the same words");
    return 0;
}

static const char *const compare_names[] = {
    "", "below", "above", "at_least", "at_most", "equals", "between", "recovers_to", NULL};
static const char *const temporal_names[] = {"",       "always",    "never", "eventually",
                                             "at_end", "sometimes", "slo",   NULL};
static const char *const anchor_names[] = {"", "time", "fault", "fault_ends", "mark", NULL};

void lz_bind_read_matcher(lua_State *L, int idx, struct lz_matcher *out)
{
    *out = (struct lz_matcher){.mark = lz_read_text(L, idx, "mark"),
                               .comes_again = lz_read_bool(L, idx, "comes_again")};
    if (out->mark != NULL)
        return;
    out->metric = (lz_metric)lz_read_int(L, idx, "metric", 0);
    out->component = (lz_component_id)lz_read_int(L, idx, "component", 0);
    const char *compare = lz_read_text(L, idx, "compare");
    out->compare = compare != NULL ? (enum lz_compare)index_of(compare_names, compare) : 0;
    out->limit = lz_read_num(L, idx, "limit", 0);
    out->limit_b = lz_read_num(L, idx, "limit_b", 0);
    out->limit_text = lz_read_text(L, idx, "limit_text");
}

// The anchor in field `name` of the table at idx.
static struct lz_anchor read_anchor(lua_State *L, int idx, const char *name)
{
    struct lz_anchor a = {0};
    if (lua_getfield(L, idx, name) != LUA_TNIL) { // [... anchor]
        int at = lua_gettop(L);
        a.kind = (enum lz_anchor_kind)index_of(anchor_names, lz_read_text(L, at, "kind"));
        a.at = lz_read_int(L, at, "at", 0);
        a.fault = (lz_fault_id)lz_read_int(L, at, "fault", 0);
        a.mark = lz_read_text(L, at, "mark");
        a.may_stop = lz_read_bool(L, at, "may_stop");
    }
    lua_pop(L, 1);
    return a;
}

static const struct lz_scope *read_scopes(lua_State *L, const char *name, uint32_t *count)
{
    lua_getfield(L, 1, name); // [opts ... scopes]
    int list = lua_gettop(L);
    *count = (uint32_t)luaL_len(L, list);
    struct lz_scope *scopes =
        lz_arena_alloc(lz_script_of(L)->arena, (*count + 1) * sizeof(*scopes));
    for (uint32_t i = 0; i < *count; i++) {
        lua_geti(L, list, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        scopes[i] = (struct lz_scope){.after = read_anchor(L, at, "after"),
                                      .lasting = lz_read_int(L, at, "lasting", 0),
                                      .of = (lz_fault_id)lz_read_int(L, at, "of", 0)};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return scopes;
}

// expect{...} -> id
static int expect(lua_State *L)
{
    struct lz_expect_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .temporal = (enum lz_temporal)index_of(temporal_names, lz_read_text(L, 1, "temporal")),
        .over = lz_read_int(L, 1, "over", 0),
        .after = read_anchor(L, 1, "after"),
        .within = lz_read_int(L, 1, "within", 0),
        .holding = lz_read_int(L, 1, "holding", 0),
        .warn = lz_read_bool(L, 1, "warn"),
        .because = lz_read_text(L, 1, "because"),
        .objective = lz_read_num(L, 1, "objective", 0),
    };
    o.during = read_scopes(L, "during", &o.during_count);
    o.except = read_scopes(L, "except", &o.except_count);
    lua_getfield(L, 1, "matcher"); // [opts matcher]
    lz_bind_read_matcher(L, 2, &o.matcher);

    struct lz_err err;
    lz_expect_id id = 0;
    bool ok = lz_check_expect(lz_script_of(L)->world.checks, &o, &id, &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// expect_history{name, line, of, model, consistency, word, adds, reads, generates, per_key, steps,
// over, warn, because} -> id
static int expect_history(lua_State *L)
{
    const struct lz_recorded_opts history = {
        .model = lz_read_text(L, 1, "model"),
        .consistency = lz_read_text(L, 1, "consistency"),
        .column = lz_read_text(L, 1, "column"),
        .tolerates = lz_read_text(L, 1, "tolerates"),
        .word = lz_read_text(L, 1, "word"),
        .adds = lz_read_text(L, 1, "adds"),
        .reads = lz_read_text(L, 1, "reads"),
        .generates = lz_read_text(L, 1, "generates"),
        .per_key = lz_read_bool(L, 1, "per_key"),
        .steps_max = (uint64_t)lz_read_int(L, 1, "steps", 0),
    };
    const struct lz_expect_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .of = (lz_component_id)lz_read_int(L, 1, "of", 0),
        .history = &history,
        .over = lz_read_int(L, 1, "over", 0),
        .warn = lz_read_bool(L, 1, "warn"),
        .because = lz_read_text(L, 1, "because"),
    };
    struct lz_err err;
    lz_expect_id id = 0;
    struct lz_checks *checks = lz_script_of(L)->world.checks;
    bool is_fenced = strcmp(history.model, LZ_FENCED) == 0;
    if (is_fenced ? !lz_fenced_expect(checks, &o, &id, &err)
                  : !lz_recorded_expect(checks, &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// metric(component, name) -> id, 0 if there is none
static int metric(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    lz_component_id c = (lz_component_id)luaL_checkinteger(L, 1);
    const char *name = luaL_checkstring(L, 2);
    lz_call_measure(w, c, name);
    lua_pushinteger(L, lz_world_metric(w, c, name));
    return 1;
}

// replica_metric(component, ordinal, name) -> id
static int replica_metric(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    lz_component_id c = (lz_component_id)luaL_checkinteger(L, 1);
    uint32_t ordinal = (uint32_t)luaL_checkinteger(L, 2);
    const char *name = luaL_checkstring(L, 3);
    char full[96];
    snprintf(full, sizeof(full), "replica[%u].%s", ordinal, name);
    lz_metric id =
        w->running ? lz_world_metric(w, c, full) : lz_service_replica_metric(w, c, ordinal, name);
    lua_pushinteger(L, id);
    return 1;
}

// amplification(a, b) -> metric id
static int amplification(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    lua_pushinteger(L, lz_call_amplification(w, (lz_component_id)luaL_checkinteger(L, 1),
                                             (lz_component_id)luaL_checkinteger(L, 2)));
    return 1;
}

// metric_now(id) -> text of its latest window
static int metric_now(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    lz_metric id = (lz_metric)luaL_checkinteger(L, 1);
    struct lz_sample v = lz_metrics_window(w->metrics, id, 1);
    char text[64] = "no sample";
    if (v.present)
        lz_format_value(text, sizeof(text), v.value, lz_metrics_def(w->metrics, id)->unit);
    lua_pushstring(L, text);
    return 1;
}

// metric_value(id) -> number, nil without a sample: levels as they are, the rest of its latest
// window
static int metric_value(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    lz_metric id = (lz_metric)luaL_checkinteger(L, 1);
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, id);
    bool is_level = def->view == LZ_VIEW_LEVEL && !lz_metric_is_use(def);
    if (is_level && !lz_metrics_is_hidden(w->metrics, id)) {
        lua_pushnumber(L, lz_metrics_level(w->metrics, def->a));
        return 1;
    }
    struct lz_sample v = lz_metrics_window(w->metrics, id, 1);
    if (!v.present)
        return 0;
    lua_pushnumber(L, v.value);
    return 1;
}

static const char *unit_name(enum lz_unit unit)
{
    static const char *const names[] = {[LZ_UNIT_COUNT] = "count",
                                        [LZ_UNIT_RATIO] = "ratio",
                                        [LZ_UNIT_SECONDS] = "seconds",
                                        [LZ_UNIT_RATE] = "rate",
                                        [LZ_UNIT_BYTES] = "bytes"};
    return names[unit];
}

// [table]: unit and doc of each metric by its name, added to the table on top.
static void push_infos(lua_State *L, const struct lz_metric_info *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lua_newtable(L);
        lua_pushstring(L, unit_name(infos[i].unit));
        lua_setfield(L, -2, "unit");
        lua_pushstring(L, infos[i].doc);
        lua_setfield(L, -2, "doc");
        lua_setfield(L, -2, infos[i].name);
    }
}

// metrics() -> { service = { ["latency.p99"] = { unit, doc }, ... }, ... }
static int metrics(lua_State *L)
{
    lua_newtable(L);
    for (int k = LZ_COMPONENT_SERVICE; k < LZ_COMPONENT_KINDS; k++) {
        size_t count;
        const struct lz_metric_info *infos =
            lz_world_kind_metrics((enum lz_component_kind)k, &count);
        lua_newtable(L);
        push_infos(L, infos, count);
        if (lz_world_kind_calls((enum lz_component_kind)k)) {
            infos = lz_call_metrics(&count);
            push_infos(L, infos, count);
        }
        lua_setfield(L, -2, lz_world_kind_name((enum lz_component_kind)k));
    }
    size_t count;
    const struct lz_metric_info *infos = lz_version_metrics(&count);
    lua_newtable(L);
    push_infos(L, infos, count);
    lua_setfield(L, -2, "version");
    return 1;
}

static const luaL_Reg functions[] = {
    {"expect", expect},
    {"expect_history", expect_history},
    {"metric", metric},
    {"replica_metric", replica_metric},
    {"amplification", amplification},
    {"metric_now", metric_now},
    {"metric_value", metric_value},
    {"metrics", metrics},
    {NULL, NULL},
};

void lz_bind_check(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
