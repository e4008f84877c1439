#include "script/read.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "script/state.h"

int64_t lz_read_int(lua_State *L, int idx, const char *name, int64_t fallback)
{
    int64_t v = fallback;
    if (lua_getfield(L, idx, name) != LUA_TNIL) // [... value]
        v = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return v;
}

double lz_read_num(lua_State *L, int idx, const char *name, double fallback)
{
    double v = fallback;
    if (lua_getfield(L, idx, name) != LUA_TNIL)
        v = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return v;
}

bool lz_read_bool(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

const char *lz_read_text(lua_State *L, int idx, const char *name)
{
    const char *v = NULL;
    if (lua_getfield(L, idx, name) != LUA_TNIL)
        v = lz_arena_strdup(lz_script_of(L)->arena, luaL_checkstring(L, -1));
    lua_pop(L, 1);
    return v;
}

static enum lz_dist_kind kind_of(const char *name)
{
    for (int k = LZ_DIST_CONSTANT; k <= LZ_DIST_EMPIRICAL; k++)
        if (strcmp(lz_dist_name((enum lz_dist_kind)k), name) == 0)
            return (enum lz_dist_kind)k;
    return LZ_DIST_NONE;
}

static bool read_points(lua_State *L, int idx, enum lz_dist_kind kind, struct lz_dist *out,
                        struct lz_err *err)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    size_t count = (size_t)luaL_len(L, idx);
    struct lz_dist_point *points = lz_arena_alloc(arena, (count + 1) * sizeof(*points));
    for (size_t i = 0; i < count; i++) {
        lua_geti(L, idx, (lua_Integer)i + 1); // [... point]
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2); // [... point at value]
        points[i] =
            (struct lz_dist_point){.at = luaL_checknumber(L, -2), .value = luaL_checknumber(L, -1)};
        lua_pop(L, 3);
    }
    return lz_dist_make_table(out, kind, arena, points, count, err);
}

bool lz_read_dist_at(lua_State *L, int idx, struct lz_dist *out, struct lz_err *err)
{
    idx = lua_absindex(L, idx);
    const char *name = lz_read_text(L, idx, "dist");
    LZ_ASSERT(name != NULL);
    enum lz_dist_kind kind = kind_of(name);
    LZ_ASSERT(kind != LZ_DIST_NONE);
    if (lua_getfield(L, idx, "points") != LUA_TNIL) { // [... points]
        bool ok = read_points(L, lua_gettop(L), kind, out, err);
        lua_pop(L, 1);
        return ok;
    }
    lua_pop(L, 1);
    return lz_dist_make(out, kind, lz_read_num(L, idx, "a", 0), lz_read_num(L, idx, "b", 0), err);
}

bool lz_read_dist(lua_State *L, int idx, const char *name, struct lz_dist *out, struct lz_err *err)
{
    *out = (struct lz_dist){0};
    bool ok = true;
    if (lua_getfield(L, idx, name) != LUA_TNIL)
        ok = lz_read_dist_at(L, -1, out, err);
    lua_pop(L, 1);
    if (!ok)
        return lz_fail_in(err, "`%s`", name);
    return true;
}

static double number_at(lua_State *L, int idx, lua_Integer n)
{
    lua_geti(L, idx, n);
    double v = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return v;
}

// points = { { at, rate, slope }, ... }
static bool read_pieces(lua_State *L, int idx, lz_time period, struct lz_shape *out,
                        struct lz_err *err)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    size_t count = (size_t)luaL_len(L, idx);
    struct lz_shape_point *points = lz_arena_alloc(arena, (count + 1) * sizeof(*points));
    for (size_t i = 0; i < count; i++) {
        lua_geti(L, idx, (lua_Integer)i + 1); // [... point]
        int at = lua_gettop(L);
        lua_geti(L, at, 1);
        points[i] = (struct lz_shape_point){.at = luaL_checkinteger(L, -1),
                                            .rate = number_at(L, at, 2),
                                            .slope = number_at(L, at, 3)};
        lua_settop(L, at - 1);
    }
    bool ok = lz_shape_pieces(out, arena, points, count, period, err);
    lz_arena_free(arena, points, (count + 1) * sizeof(*points));
    return ok;
}

bool lz_read_shape_at(lua_State *L, int idx, struct lz_shape *out, struct lz_err *err)
{
    idx = lua_absindex(L, idx);
    if (lua_type(L, idx) == LUA_TNUMBER)
        return lz_shape_constant(out, lua_tonumber(L, idx), err);
    lz_time period = lz_read_int(L, idx, "period", 0);
    if (lua_getfield(L, idx, "points") != LUA_TNIL) { // [... points]
        bool ok = read_pieces(L, lua_gettop(L), period, out, err);
        lua_pop(L, 1);
        return ok;
    }
    lua_pop(L, 1);
    if (period > 0)
        return lz_shape_sine(out, lz_read_num(L, idx, "mean", 0),
                             lz_read_num(L, idx, "amplitude", 0), period, err);
    return lz_shape_constant(out, lz_read_num(L, idx, "rate", 0), err);
}

bool lz_read_shape(lua_State *L, int idx, const char *name, struct lz_shape *out,
                   struct lz_err *err)
{
    *out = (struct lz_shape){0};
    bool ok = true;
    if (lua_getfield(L, idx, name) != LUA_TNIL)
        ok = lz_read_shape_at(L, -1, out, err);
    lua_pop(L, 1);
    if (!ok)
        return lz_fail_in(err, "`%s`", name);
    return true;
}

// netem's defaults: tc-netem(8), "loss state" and "loss gemodel".
void lz_read_burst(lua_State *L, int idx, const char *name, struct lz_loss *out)
{
    *out = (struct lz_loss){0};
    if (lua_getfield(L, idx, name) == LUA_TNIL) { // [... burst]
        lua_pop(L, 1);
        return;
    }
    int at = lua_gettop(L);
    bool has_states = lua_getfield(L, at, "p13") != LUA_TNIL; // [... burst p13]
    lua_pop(L, 1);
    if (has_states) {
        out->kind = LZ_LOSS_FOUR_STATES;
        out->p13 = lz_read_num(L, at, "p13", 0);
        out->p31 = lz_read_num(L, at, "p31", 1.0 - out->p13);
        out->p32 = lz_read_num(L, at, "p32", 0);
        out->p23 = lz_read_num(L, at, "p23", 1.0);
        out->p14 = lz_read_num(L, at, "p14", 0);
    } else {
        out->kind = LZ_LOSS_GILBERT_ELLIOTT;
        out->p = lz_read_num(L, at, "p", 0);
        out->r = lz_read_num(L, at, "r", 1.0 - out->p);
        out->bad = lz_read_num(L, at, "bad", 1.0);
        out->good = lz_read_num(L, at, "good", 0);
    }
    lua_pop(L, 1);
}

void lz_read_spread(lua_State *L, int idx, struct lz_spread *out)
{
    *out = (struct lz_spread){0};
    if (lua_getfield(L, idx, "spread") != LUA_TNIL) { // [... spread]
        int at = lua_gettop(L);
        out->host = (lz_host_id)lz_read_int(L, at, "host", 0);
        out->zone = (lz_zone_id)lz_read_int(L, at, "zone", 0);
        out->region = (lz_region_id)lz_read_int(L, at, "region", 0);
    }
    lua_pop(L, 1);
}

static enum lz_target_kind target_kind(const char *name)
{
    static const struct {
        const char *name;
        enum lz_target_kind kind;
    } kinds[] = {
        {"component", LZ_TARGET_COMPONENT}, {"instance", LZ_TARGET_INSTANCE},
        {"primary", LZ_TARGET_PRIMARY},     {"replica", LZ_TARGET_REPLICA},
        {"host", LZ_TARGET_HOST},           {"zone", LZ_TARGET_ZONE},
        {"region", LZ_TARGET_REGION},       {"cloud", LZ_TARGET_CLOUD},
        {"link", LZ_TARGET_LINK},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    LZ_UNREACHABLE("a target's kind is one of ours");
    return 0;
}

static const struct lz_target *read_end(lua_State *L, int idx, const char *name)
{
    struct lz_target *t = lz_arena_alloc(lz_script_of(L)->arena, sizeof(*t));
    lua_getfield(L, idx, name); // [... target]
    lz_read_target(L, lua_gettop(L), t);
    lua_pop(L, 1);
    return t;
}

void lz_read_target(lua_State *L, int idx, struct lz_target *out)
{
    *out = (struct lz_target){
        .kind = target_kind(lz_read_text(L, idx, "kind")),
        .id = (uint32_t)lz_read_int(L, idx, "id", 0),
        .ordinal = (uint32_t)lz_read_int(L, idx, "ordinal", 0),
    };
    if (out->kind == LZ_TARGET_LINK) {
        out->a = read_end(L, idx, "a");
        out->b = read_end(L, idx, "b");
    }
}
