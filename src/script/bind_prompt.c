/* bind_prompt.c — what lua/prompt.lua and its neighbours ask a world that stands still. */
#include <lauxlib.h>

#include "base/check.h"
#include "check/format.h"
#include "model/data/database.h"
#include "model/node/instance.h"
#include "model/status.h"
#include "model/traffic/request.h"
#include "script/prompt.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static void set_number(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

// recent(metric, windows) -> text, samples, value | nil
static int recent(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_metric id = (lz_metric)luaL_checkinteger(L, 1);
    uint32_t windows = (uint32_t)luaL_optinteger(L, 2, LZ_PROMPT_WINDOWS);
    LZ_ASSERT(windows >= 1 && windows <= LZ_PROMPT_WINDOWS);
    struct lz_sample v = lz_metrics_window(w->metrics, id, windows);
    if (!v.present)
        return 0;
    char text[64];
    lz_format_value(text, sizeof(text), v.value, lz_metrics_def(w->metrics, id)->unit);
    lua_pushstring(L, text);
    lua_pushinteger(L, (lua_Integer)v.count);
    lua_pushnumber(L, v.value);
    return 3;
}

// format(value, "seconds" | "count" | "bytes" | "instant") -> text
static int format(lua_State *L)
{
    static const char *const units[] = {"seconds", "count", "bytes", "instant", NULL};
    double value = luaL_checknumber(L, 1);
    char text[64];
    switch (luaL_checkoption(L, 2, "count", units)) {
    case 0:
        lz_format_value(text, sizeof(text), value, LZ_UNIT_SECONDS);
        break;
    case 2:
        lz_format_value(text, sizeof(text), value, LZ_UNIT_BYTES);
        break;
    case 3:
        lz_format_instant(text, sizeof(text), (lz_time)(value * 1e9 + 0.5));
        break;
    default:
        lz_format_count(text, sizeof(text), value);
        break;
    }
    lua_pushstring(L, text);
    return 1;
}

static const char *state_name(const struct lz_instance *i)
{
    static const char *const names[] = {[LZ_INSTANCE_UP] = "up",
                                        [LZ_INSTANCE_PAUSED] = "paused",
                                        [LZ_INSTANCE_DEAD] = "dead",
                                        [LZ_INSTANCE_LOST] = "lost",
                                        [LZ_INSTANCE_STARTING] = "starting",
                                        [LZ_INSTANCE_STOPPING] = "stopping"};
    return names[i->state];
}

// instances(component) -> { { state, zone, out, absent }, ... }; absent: nobody stands there
static int instances(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const struct lz_component *c = lz_world_component(w, id);
    lua_newtable(L);
    for (uint32_t n = 0; n < c->instance_count; n++) {
        const struct lz_instance *i = lz_instance_get(w, c->instances_first + n);
        lz_zone_id zone = lz_place_host_zone(w, i->host);
        lua_newtable(L);
        set_text(L, "state", state_name(i));
        set_text(L, "zone", zone != 0 ? lz_place_zone_name(w, zone) : "");
        set_bool(L, "out", i->is_out);
        set_bool(L, "absent", i->is_away && !lz_instance_runs(i));
        lua_seti(L, -2, (lua_Integer)n + 1);
    }
    return 1;
}

// ---------------------------------------------------------------- facts

// [rows] -> [rows row]
static void push_row(lua_State *L, uint32_t row)
{
    if (lua_geti(L, -1, row) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_seti(L, -3, row);
}

static void tell_text(void *ctx, uint32_t row, const char *name, const char *value)
{
    lua_State *L = ctx;
    push_row(L, row);
    set_text(L, name, value);
    lua_pop(L, 1);
}

static void tell_number(void *ctx, uint32_t row, const char *name, double value)
{
    lua_State *L = ctx;
    push_row(L, row);
    set_number(L, name, value);
    lua_pop(L, 1);
}

// status(component) -> { [0] = { facts of its own }, { of its first part }, ... }
static int status(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    lua_newtable(L);
    push_row(L, 0);
    lua_pop(L, 1);
    const struct lz_status to = {.ctx = L, .text = tell_text, .number = tell_number};
    lz_status_tell(w, id, &to);
    return 1;
}

// begun() -> whether anything has happened: before the first event nobody leads, and nothing is
// there
static int begun(lua_State *L)
{
    lua_pushboolean(L, lz_sim_events(world_of(L)->sim) > 0);
    return 1;
}

// components() -> { { id, name, kind }, ... } in the order they were declared
static int components(lua_State *L)
{
    struct lz_world *w = world_of(L);
    lua_newtable(L);
    for (lz_component_id id = 1; id <= w->component_count; id++) {
        const struct lz_component *c = lz_world_component(w, id);
        lua_newtable(L);
        set_integer(L, "id", id);
        set_text(L, "name", c->name);
        set_text(L, "kind", lz_world_kind_name(c->kind));
        lua_seti(L, -2, id);
    }
    return 1;
}

// broken() -> { { name, since (seconds), effect, unit }, ... }: the faults in force
static int broken(lua_State *L)
{
    const struct lz_faults *faults = lz_script_of(L)->world.faults;
    lua_Integer count = 0;
    lua_newtable(L);
    for (lz_fault_id id = 1; id <= lz_fault_count(faults); id++) {
        const struct lz_fault *f = lz_fault_get(faults, id);
        if (!f->active)
            continue;
        lua_newtable(L);
        set_text(L, "name", f->name);
        set_number(L, "since", (double)f->started / 1e9);
        set_integer(L, "effect", f->effect);
        set_text(L, "unit", f->kind->effect_unit);
        lua_seti(L, -2, ++count);
    }
    return 1;
}

// ---------------------------------------------------------------- requests

static const char *component_name(const struct lz_world *w, lz_component_id id)
{
    return id != 0 ? lz_world_component(w, id)->name : "";
}

static const char *owner_of(const struct lz_world *w, lz_instance_id id)
{
    return id != 0 ? component_name(w, lz_instance_get(w, id)->component) : "";
}

static void push_span(lua_State *L, const struct lz_world *w, const struct lz_span *s)
{
    lua_newtable(L);
    set_text(L, "component", component_name(w, s->component));
    set_text(L, "client", owner_of(w, s->client));
    set_integer(L, "server", s->server != 0 ? lz_instance_get(w, s->server)->ordinal : 0);
    set_text(L, "op", lz_call_op_name(w, s->op));
    set_integer(L, "call", s->call);
    set_integer(L, "parent_call", s->parent_call);
    set_integer(L, "attempt", s->attempt);
    set_integer(L, "status", s->status);
    set_text(L, "outcome", lz_request_outcome_name(s->outcome));
    set_number(L, "start", (double)s->start / 1e9);
    set_number(L, "latency", (double)(s->end - s->start) / 1e9);
    for (enum lz_phase p = 0; p < LZ_PHASES; p++)
        set_number(L, lz_request_phase_name(p), (double)s->phase[p] / 1e9);
}

static void push_request(lua_State *L, const struct lz_world *w, const struct lz_trace_kept *k)
{
    double sums[LZ_PHASES] = {0};
    lua_newtable(L);
    set_text(L, "traffic", component_name(w, k->traffic));
    set_integer(L, "ordinal", k->ordinal);
    set_number(L, "at", (double)k->intended / 1e9);
    set_number(L, "latency", (double)(k->end - k->intended) / 1e9);
    set_text(L, "outcome", lz_request_outcome_name(k->outcome));
    set_integer(L, "status", k->status);
    set_text(L, "kept_as", lz_request_kept_name(k->kept_as));
    set_integer(L, "attempts", k->span_count);
    lua_createtable(L, (int)k->span_count, 0);
    for (uint32_t i = 0; i < k->span_count; i++) {
        push_span(L, w, &k->spans[i]);
        lua_seti(L, -2, i + 1);
        for (enum lz_phase p = 0; p < LZ_PHASES; p++)
            sums[p] += (double)k->spans[i].phase[p] / 1e9;
    }
    lua_setfield(L, -2, "spans");
    for (enum lz_phase p = 0; p < LZ_PHASES; p++)
        set_number(L, lz_request_phase_name(p), sums[p]);
}

// requests() -> those whose way was kept; durations in seconds
static int requests(lua_State *L)
{
    const struct lz_world *w = world_of(L);
    size_t count = lz_requests_kept(w);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_request(L, w, lz_requests_kept_get(w, i));
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"recent", recent},     {"format", format}, {"instances", instances},
    {"status", status},     {"broken", broken}, {"components", components},
    {"requests", requests}, {"begun", begun},   {NULL, NULL}};

void lz_bind_prompt(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
