#include "script/prompt.h"

#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "check/matcher.h"
#include "script/bind_check.h"
#include "script/proc.h"
#include "script/state.h"

#define INSTRUCTIONS_EVERY 1000

// ---------------------------------------------------------------- the top level's locals

// [state locals]: of the chunk that is about to return.
static void keep_locals(lua_State *L, lua_Debug *ar)
{
    struct lz_script *s = lz_script_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_newtable(L);
    const char *name;
    for (int i = 1; (name = lua_getlocal(L, ar, i)) != NULL; i++) {
        if (name[0] == '(')
            lua_pop(L, 1);
        else
            lua_setfield(L, -2, name);
    }
    lua_setfield(L, -2, "locals");
    lua_pop(L, 1);
}

static void on_return(lua_State *L, lua_Debug *ar)
{
    lua_getinfo(L, "S", ar);
    if (strcmp(ar->what, "main") != 0 || ar->source[0] != '@' ||
        strcmp(ar->source + 1, lz_script_of(L)->opts.path) != 0)
        return;
    keep_locals(L, ar);
}

void lz_prompt_capture(struct lz_script *s, lua_State *thread)
{
    if (s->opts.captures)
        lua_sethook(thread, on_return, LUA_MASKRET, 0);
}

// ---------------------------------------------------------------- time

static int begin_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "running");
    lua_settop(L, 0);
    lz_procs_start(s);
    return 0;
}

void lz_prompt_begin(struct lz_script *s)
{
    LZ_ASSERT(s->world.world != NULL && s->trouble == LZ_SCRIPT_OK);
    struct lz_metrics *m = s->world.world->metrics;
    for (lz_metric id = 1; id <= lz_metrics_count(m); id++)
        lz_metrics_keep(m, id, LZ_PROMPT_WINDOWS);
    lz_script_guarded(s, begin_protected);
}

struct advance {
    struct lz_script *s;
    lz_time until;
    uint64_t left; // events; 0: any number
    const volatile int *stop;
};

static void on_event(void *ctx, const struct lz_event *event)
{
    (void)event;
    struct advance *a = ctx;
    bool is_used_up = a->left > 0 && --a->left == 0;
    if (is_used_up || (a->stop != NULL && *a->stop != 0))
        lz_sim_stop(a->s->world.world->sim);
}

static int advance_protected(lua_State *L)
{
    struct advance *a = lua_touserdata(L, lua_upvalueindex(1));
    struct lz_sim *sim = a->s->world.world->sim;
    lz_sim_watch(sim, on_event, a);
    a->s->stop = lz_world_run_until(a->s->world.world, a->until);
    lz_sim_watch(sim, NULL, NULL);
    return 0;
}

enum lz_sim_stop lz_prompt_advance(struct lz_script *s, lz_time until, uint64_t events_max,
                                   const volatile int *stop)
{
    struct advance a = {.s = s, .until = until, .left = events_max, .stop = stop};
    s->stop = LZ_SIM_STOPPED;
    lua_pushlightuserdata(s->L, &a);
    lua_pushcclosure(s->L, advance_protected, 1); // [f]
    lz_script_guarded_value(s);
    return s->stop;
}

static int finish_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lz_checks_finish(s->world.checks, lz_sim_now(s->world.world->sim));
    return 0;
}

void lz_prompt_finish(struct lz_script *s)
{
    lz_script_guarded(s, finish_protected);
}

// ---------------------------------------------------------------- lines

// Call a function of lua/prompt.lua with the state and a text: `results` values on the stack.
static bool ask(struct lz_script *s, const char *function, const char *text, int results,
                struct lz_str *out)
{
    lua_State *L = s->L;
    lua_settop(L, 0);
    lua_State *thread = lua_newthread(L); // [thread]
    lz_sandbox_watch(s, thread);
    s->instructions = 0;
    lz_script_require(thread, "prompt");
    lua_getfield(thread, -1, function);
    lua_remove(thread, 1);
    lua_rawgeti(thread, LUA_REGISTRYINDEX, s->ref_state);
    lua_pushstring(thread, text);
    lua_State *before = lz_sandbox_enter(s, thread);
    int status = lua_pcall(thread, 2, results, 0);
    lz_sandbox_leave(s, before);
    if (s->trouble == LZ_SCRIPT_RUNAWAY) {
        s->trouble = LZ_SCRIPT_OK; // the line is over, the world is not
        status = status == LUA_OK ? LUA_ERRRUN : status;
    }
    if (status != LUA_OK) {
        const char *why = lua_tostring(thread, -1);
        lz_str_add(out, why != NULL ? why : "an error that is not a text");
        return false;
    }
    lua_xmove(thread, L, results); // [thread results...]
    return true;
}

enum lz_prompt_outcome lz_prompt_eval(struct lz_script *s, const char *text, struct lz_str *out)
{
    if (!ask(s, "eval", text, 2, out))
        return LZ_PROMPT_WRONG;
    const char *how = lua_tostring(s->L, 2), *shown = lua_tostring(s->L, 3);
    enum lz_prompt_outcome outcome = strcmp(how, "ok") == 0           ? LZ_PROMPT_OK
                                     : strcmp(how, "incomplete") == 0 ? LZ_PROMPT_INCOMPLETE
                                                                      : LZ_PROMPT_WRONG;
    if (shown != NULL)
        lz_str_add(out, shown);
    lua_settop(s->L, 0);
    return outcome;
}

void lz_prompt_complete(struct lz_script *s, const char *text, struct lz_str *out)
{
    struct lz_str why;
    lz_str_init(&why);
    if (ask(s, "complete", text, 1, &why) && lua_tostring(s->L, 2) != NULL)
        lz_str_add(out, lua_tostring(s->L, 2));
    lua_settop(s->L, 0);
    lz_str_finish(&why);
}

enum lz_prompt_outcome lz_prompt_edit(struct lz_script *s, const char *text, struct lz_str *out)
{
    if (!ask(s, "edit", text, 1, out))
        return LZ_PROMPT_WRONG;
    size_t len = 0;
    const char *source = lua_tolstring(s->L, 2, &len);
    if (source != NULL)
        lz_str_add_n(out, source, len);
    lua_settop(s->L, 0);
    return source != NULL ? LZ_PROMPT_OK : LZ_PROMPT_INCOMPLETE;
}

bool lz_prompt_duration(struct lz_script *s, const char *text, lz_time *ns, struct lz_str *out)
{
    if (!ask(s, "duration", text, 1, out))
        return false;
    *ns = (lz_time)lua_tointeger(s->L, 2);
    lua_settop(s->L, 0);
    return true;
}

static int read_matcher(lua_State *L)
{
    lz_bind_read_matcher(L, 1, lua_touserdata(L, 2));
    return 0;
}

bool lz_prompt_watch(struct lz_script *s, const char *text, struct lz_matcher *m,
                     struct lz_str *out)
{
    if (!ask(s, "matcher", text, 1, out))
        return false;
    lua_State *L = s->L;
    lua_pushcfunction(L, read_matcher); // [thread matcher f]
    lua_pushvalue(L, 2);
    lua_pushlightuserdata(L, m);
    bool ok = lua_pcall(L, 2, 0, 0) == LUA_OK;
    if (!ok)
        lz_str_add(out, lua_tostring(L, -1));
    lua_settop(L, 0);
    return ok;
}

lz_metric lz_prompt_metric(struct lz_script *s, const char *text, struct lz_str *out)
{
    if (!ask(s, "metric", text, 1, out))
        return 0;
    lz_metric id = (lz_metric)lua_tointeger(s->L, 2);
    lua_settop(s->L, 0);
    return id;
}

void lz_prompt_style(struct lz_script *s, const struct lz_prompt_look *look)
{
    lua_State *L = s->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state); // [state]
    lua_pushinteger(L, look->width > 0 ? look->width : LZ_PROMPT_WIDTH);
    lua_setfield(L, -2, "width");
    lua_pushboolean(L, look->ascii);
    lua_setfield(L, -2, "ascii");
    lua_pop(L, 1);
}

// What a function of lua/prompt.lua makes of a text, as text; false with why.
static bool ask_text(struct lz_script *s, const char *function, const char *text,
                     struct lz_str *out)
{
    if (!ask(s, function, text, 1, out))
        return false;
    size_t len = 0;
    const char *answer = lua_tolstring(s->L, 2, &len);
    if (answer != NULL)
        lz_str_add_n(out, answer, len);
    lua_settop(s->L, 0);
    return answer != NULL;
}

bool lz_prompt_top(struct lz_script *s, struct lz_str *out)
{
    return ask_text(s, "top", "", out);
}

bool lz_prompt_topic(struct lz_script *s, const char *text, struct lz_str *out)
{
    return ask_text(s, "topic", text, out);
}
