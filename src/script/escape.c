#include "script/escape.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/check.h"
#include "model/journal.h"
#include "script/proc.h"
#include "script/read.h"
#include "script/state.h"

#define SAYS_MAX 96

// One check: its function, what that is given, and what it said last.
struct escape {
    struct lz_script *script;
    const char *name;
    uint32_t line;
    int function, witness; // in the registry
    char says[SAYS_MAX];
};

static void broken(const struct escape *e, lua_State *co, int thread, int status)
{
    char where[240]; // a name has at most 200 bytes
    snprintf(where, sizeof(where), "when check \"%s\" was decided", e->name);
    lz_procs_broken(e->script, &(struct lz_proc_error){
                                   .L = co, .thread = thread, .status = status, .where = where});
}

// What is too long ends with a whole character and a sign that it was cut.
static void keep_words(struct escape *e, const char *says)
{
    static const char cut[] = "\u2026";
    size_t n = strlen(says);
    if (n < sizeof(e->says)) {
        memcpy(e->says, says, n + 1);
        return;
    }
    n = sizeof(e->says) - sizeof(cut);
    while (n > 0 && ((unsigned char)says[n] & 0xc0) == 0x80)
        n--;
    memcpy(e->says, says, n);
    memcpy(e->says + n, cut, sizeof(cut));
}

// [...]: its answer, on the coroutine. False: it is none.
static bool read_answer(struct escape *e, lua_State *co, int results)
{
    if (results == 0 || !lua_isboolean(co, -results)) {
        lua_pushfstring(co, "check \"%s\" (line %d) must return true, or false and why, got %s",
                        e->name, (int)e->line,
                        results == 0 ? "nothing" : luaL_typename(co, -results));
        return false;
    }
    const char *says = results > 1 ? lua_tostring(co, 1 - results) : NULL;
    keep_words(e, says != NULL ? says : "");
    return true;
}

// A coroutine of its own, so that an error can be told with the variables of its line.
static bool judge(void *ctx, uint32_t ref)
{
    (void)ref;
    struct escape *e = ctx;
    struct lz_script *s = e->script;
    lua_State *co = lua_newthread(s->L); // [.. thread]
    int thread = luaL_ref(s->L, LUA_REGISTRYINDEX);
    lz_sandbox_watch(s, co);
    lua_rawgeti(co, LUA_REGISTRYINDEX, e->function);
    lua_rawgeti(co, LUA_REGISTRYINDEX, e->witness);
    uint64_t owner = s->draw_owner, draws = s->draws;
    s->draw_owner = lz_draw_name(0, e->name);
    s->draws = 0;
    s->instructions = 0;
    s->judges = true;
    int results = 0;
    lua_State *before = lz_sandbox_enter(s, co);
    int status = lua_resume(co, s->L, 1, &results);
    lz_sandbox_leave(s, before);
    s->judges = false;
    s->draw_owner = owner;
    s->draws = draws;
    LZ_ASSERT(status != LUA_YIELD); // words that wait are refused outside drive and handlers
    bool answers = status == LUA_OK && read_answer(e, co, results);
    bool yes = answers && lua_toboolean(co, -results);
    if (!answers)
        broken(e, co, thread, status == LUA_OK ? LUA_ERRRUN : status);
    luaL_unref(s->L, LUA_REGISTRYINDEX, thread);
    return yes;
}

static const char *says(const void *ctx)
{
    const struct escape *e = ctx;
    return e->says[0] != '\0' ? e->says : NULL;
}

// expect_script({name, line, warn, because}, function, witness) -> id
static int expect_script(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    struct escape *e = lz_arena_alloc(s->arena, sizeof(*e));
    s->has_code = true;
    *e = (struct escape){.script = s, .line = (uint32_t)lz_read_int(L, 1, "line", 0)};
    e->name = lz_arena_strdup(s->arena, lz_read_text(L, 1, "name"));
    const struct lz_expect_opts o = {
        .name = e->name,
        .line = e->line,
        .temporal = LZ_AT_END,
        .matcher = {.script = judge, .script_says = says, .script_ctx = e},
        .warn = lz_read_bool(L, 1, "warn"),
        .because = lz_read_text(L, 1, "because"),
    };
    struct lz_err err;
    lz_expect_id id = 0;
    if (!lz_check_expect(s->world.checks, &o, &id, &err))
        return lz_bind_refuse(L, &err);
    lua_settop(L, 3);
    e->witness = luaL_ref(L, LUA_REGISTRYINDEX);
    e->function = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushinteger(L, id);
    return 1;
}

// judges() -> is code that judges running?
static int judges(lua_State *L)
{
    lua_pushboolean(L, lz_script_of(L)->judges);
    return 1;
}

// metric_whole(id) -> number in base units, of the whole run; nil without a sample
static int metric_whole(lua_State *L)
{
    const struct lz_metrics *m = lz_script_of(L)->world.world->metrics;
    struct lz_sample v = lz_metrics_whole(m, (lz_metric)luaL_checkinteger(L, 1));
    if (v.present)
        lua_pushnumber(L, v.value);
    else
        lua_pushnil(L);
    return 1;
}

// marked_at(name) -> nanoseconds; nil: it has not happened
static int marked_at(lua_State *L)
{
    lz_time at = lz_journal_marked(lz_script_of(L)->world.world, luaL_checkstring(L, 1));
    if (at >= 0)
        lua_pushinteger(L, at);
    else
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"expect_script", expect_script}, {"judges", judges}, {"metric_whole", metric_whole},
    {"marked_at", marked_at},         {NULL, NULL},
};

void lz_escape_bind(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
