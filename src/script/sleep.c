/*
 * sleep.c — `sleep`, the word that scripts say most often.
 *
 * A script sleeps for a duration, or for a draw from a distribution. What its argument means
 * is asked of the Lua half once and remembered by the value itself, a text or a table, so that
 * a sleep in a loop is one call of C: no Lua, no allocation, one yield.
 */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "script/proc_state.h"
#include "script/read.h"
#include "sim/dist_row.h"

#define RECENT 64       // a power of two
#define KNOWN_MAX 4096  // texts and tables; then all is forgotten and learned again
#define INTERNED_MAX 40 // bytes of a text of which Lua keeps one object, however often it is made

// Upvalues of the word: what is known (value -> nanoseconds, or minus the number of a
// distribution), the Lua half's function, the metatable of durations, and the name of their
// only field.
enum { KNOWN = 1, ASK, DURATION, NS, UPVALUES = NS };

// A value that was slept for lately, by its address. It is kept alive by what is known, so that no
// other can come to lie there.
struct recent {
    const void *value; // NULL: none
    lua_Integer meaning;
};

struct lz_sleeper {
    struct lz_dist *dists; // 1 ..
    uint32_t dist_count, dist_cap;
    uint32_t known;
    struct recent recent[RECENT];
    const void *seen[RECENT]; // durations that were slept for once, if they are still there
};

static void forget(lua_State *L, struct lz_sleeper *z)
{
    lua_newtable(L);
    lua_replace(L, lua_upvalueindex(KNOWN));
    z->dist_count = 0;
    z->known = 0;
    memset(z->recent, 0, sizeof(z->recent));
}

static uint32_t place_of(const void *value)
{
    return (uint32_t)((uintptr_t)value / 16 % RECENT);
}

// [value ..]: it is known, and so kept.
static void note(lua_State *L, struct lz_sleeper *z, lua_Integer meaning)
{
    const void *value = lua_topointer(L, 1);
    if (value != NULL)
        z->recent[place_of(value)] = (struct recent){.value = value, .meaning = meaning};
}

// [value ..]: remember what it means, and keep it.
static void learn(lua_State *L, struct lz_sleeper *z, lua_Integer meaning)
{
    lua_pushvalue(L, 1);
    lua_pushinteger(L, meaning);
    lua_rawset(L, lua_upvalueindex(KNOWN));
    z->known++;
    note(L, z, meaning);
}

// [value]: a duration. Who makes a new one for each sleep leaves nothing behind; one that is
// slept for again is kept.
static void learn_duration(lua_State *L, struct lz_sleeper *z, lua_Integer ns)
{
    const void **seen = &z->seen[place_of(lua_topointer(L, 1))];
    if (*seen != lua_topointer(L, 1)) {
        *seen = lua_topointer(L, 1);
        return;
    }
    if (z->known >= KNOWN_MAX)
        forget(L, z);
    learn(L, z, ns);
}

// The distribution whose facts are on top; popped.
static lua_Integer add_dist(lua_State *L, struct lz_sleeper *z)
{
    struct lz_dist dist;
    struct lz_err err;
    if (!lz_read_dist_at(L, lua_gettop(L), &dist, &err))
        luaL_error(L, "sleep: %s", err.msg);
    z->dists = lz_grow(lz_script_of(L)->arena, z->dists, &z->dist_cap, z->dist_count + 2,
                       sizeof(*z->dists));
    z->dists[++z->dist_count] = dist;
    lua_pop(L, 1);
    return -(lua_Integer)z->dist_count;
}

// [value]: whether it is a duration, dur("5s"), which says itself how long it is.
static bool is_duration(lua_State *L, lua_Integer *ns)
{
    if (lua_type(L, 1) != LUA_TTABLE || !lua_getmetatable(L, 1))
        return false;
    bool is = lua_rawequal(L, -1, lua_upvalueindex(DURATION));
    if (is) {
        lua_pushvalue(L, lua_upvalueindex(NS));
        lua_rawget(L, 1);
        *ns = lua_tointeger(L, -1);
    }
    lua_settop(L, 1);
    return is && *ns >= 0;
}

// [value]: what it means. A duration's table may be another one each time, and is not kept.
static lua_Integer ask(lua_State *L, struct lz_sleeper *z)
{
    lua_pushvalue(L, lua_upvalueindex(ASK));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1); // [value answer]
    if (z->known >= KNOWN_MAX)
        forget(L, z);
    bool is_dist = lua_istable(L, -1);
    if (!is_dist && !lua_isinteger(L, -1))
        luaL_error(L, "this acts on virtual time: use it inside drive or a handler");
    lua_Integer meaning = is_dist ? add_dist(L, z) : lua_tointeger(L, -1);
    if (is_dist || lua_type(L, 1) == LUA_TSTRING)
        learn(L, z, meaning);
    lua_settop(L, 1);
    return meaning;
}

// [value ..]: what it means, if it was not slept for lately.
static lua_Integer look_up(lua_State *L, struct lz_sleeper *z)
{
    lua_Integer meaning;
    lua_settop(L, 1);
    if (is_duration(L, &meaning)) {
        learn_duration(L, z, meaning);
        return meaning;
    }
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(KNOWN)) != LUA_TNUMBER)
        return ask(L, z);
    meaning = lua_tointeger(L, -1);
    // An equal long text may be another object, which nothing keeps alive.
    if (lua_type(L, 1) != LUA_TSTRING || lua_rawlen(L, 1) <= INTERNED_MAX)
        note(L, z, meaning);
    return meaning;
}

// Draws of a `drive` body are counted from 0, so that a row of them can be made at once. It gets
// one with its second row: who sleeps a few times has no use for it.
static __attribute__((noinline)) struct lz_draw_row *make_row(struct lz_script *s,
                                                              struct lz_proc *p)
{
    p->row = lz_arena_alloc(s->arena, sizeof(*p->row));
    *p->row = (struct lz_draw_row){.owner = p->owner, .purpose = LZ_PURPOSE_SCRIPT};
    s->procs->glances[s->procs->current].row = p->row;
    return p->row;
}

// What the running coroutine p draws from distribution `meaning`, which is negative.
static lz_time draw(struct lz_script *s, struct lz_proc *p, lua_Integer meaning)
{
    const struct lz_sleeper *z = s->sleeper;
    LZ_ASSERT((uint32_t)-meaning <= z->dist_count);
    const struct lz_dist *dist = &z->dists[-meaning];
    const uint64_t key = lz_sim_key(s->world.world->sim);
    const uint64_t counter = s->draws++ & 0xffffffffff;
    if (p->kind != LZ_PROC_DRIVE || counter < LZ_DRAW_ROW || s->draw_owner != p->owner)
        return lz_dist_time_once(dist, key, s->draw_owner, LZ_PURPOSE_SCRIPT, counter);
    return lz_dist_row_time(dist, p->row != NULL ? p->row : make_row(s, p), key, counter);
}

// Not in a coroutine of the kernel's, or for what was not slept for lately.
static __attribute__((noinline)) int sleep_anyway(lua_State *L, struct lz_script *s)
{
    if (s->loading || s->world.world == NULL) { // the top level: the Lua half says so
        lua_settop(L, 1);
        lua_pushvalue(L, lua_upvalueindex(ASK));
        lua_insert(L, 1);
        lua_call(L, 1, 1);
        return 1;
    }
    struct lz_sleeper *z = s->sleeper;
    const void *value = lua_topointer(L, 1);
    const struct recent *recent = &z->recent[place_of(value)];
    bool is_recent = value != NULL && recent->value == value;
    lua_Integer meaning = is_recent ? recent->meaning : look_up(L, z);
    struct lz_proc *p = lz_proc_on(L);
    if (meaning < 0 && p == NULL)
        meaning = 0; // which is refused below
    return lz_proc_sleep(L, meaning >= 0 ? meaning : draw(s, p, meaning));
}

static int sleep_for(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    const void *value = lua_topointer(L, 1); // NULL of what is no text and no table
    struct lz_proc *p = lz_proc_on(L);
    if (p == NULL || value == NULL || !lua_isyieldable(L))
        return sleep_anyway(L, s);
    const struct recent *recent = &s->sleeper->recent[place_of(value)];
    if (recent->value != value)
        return sleep_anyway(L, s);
    lua_Integer meaning = recent->meaning;
    return lz_proc_rest(s, L, p, meaning >= 0 ? meaning : draw(s, p, meaning));
}

int lz_sleep_word(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    s->sleeper = lz_arena_alloc(s->arena, sizeof(*s->sleeper));
    lua_newtable(L);
    lua_insert(L, 1);
    lua_pushliteral(L, "ns"); // [known ask meta ns]
    lua_pushcclosure(L, sleep_for, UPVALUES);
    return 1;
}
