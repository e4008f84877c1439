#include "script/script.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/wall.h"
#include "model/data/sql/library.h"
#include "script/escape.h"
#include "script/modules.h"
#include "script/state.h"
#include "script/use.h"

#define INSTRUCTIONS_MAX 100000000u
#define MEMORY_MAX ((size_t)1 << 30)
#define LOADED "lz.loaded"

// The private half's `require`: a module of ours, from bytecode, once.
static int require_module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LOADED); // [name loaded]
    if (lua_getfield(L, -1, name) != LUA_TNIL)
        return 1;
    for (const struct lz_module *m = lz_modules; m->name != NULL; m++) {
        if (strcmp(m->name, name) != 0)
            continue;
        if (luaL_loadbufferx(L, (const char *)m->bytes, m->size, m->name, "b") != LUA_OK)
            return lua_error(L);
        lua_call(L, 0, 1); // [name loaded nil module]
        lua_pushvalue(L, -1);
        lua_setfield(L, 2, name);
        return 1;
    }
    return luaL_error(L, "no module %s", name);
}

void lz_script_open_private(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},
        {LUA_STRLIBNAME, luaopen_string},
        {LUA_TABLIBNAME, luaopen_table},
        {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},
        {LUA_DBLIBNAME, luaopen_debug},
        {NULL, NULL},
    };
    for (const luaL_Reg *l = libraries; l->name != NULL; l++) {
        luaL_requiref(L, l->name, l->func, 1);
        lua_pop(L, 1);
    }
    lua_pushcfunction(L, require_module);
    lua_setglobal(L, "require");
}

void lz_script_require(lua_State *L, const char *module)
{
    lua_pushcfunction(L, require_module);
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

// [options]: what main.load takes.
static void push_options(struct lz_script *s)
{
    lua_State *L = s->L;
    lua_newtable(L);
    lua_pushlstring(L, s->opts.source, s->opts.source_len);
    lua_setfield(L, -2, "source");
    lua_pushstring(L, s->opts.path);
    lua_setfield(L, -2, "path");
    lua_newtable(L);
    for (size_t i = 0; i < s->opts.set_count; i++) {
        lua_pushstring(L, s->opts.sets[i].value);
        lua_setfield(L, -2, s->opts.sets[i].name);
    }
    lua_setfield(L, -2, "pins");
    lua_pushboolean(L, s->opts.hands != NULL);
    lua_setfield(L, -2, "live");
}

// [world]: what main.prepare takes.
static void push_world(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L); // [world C]
    lz_bind_model(L);
    lz_bind_consensus(L);
    lz_bind_names(L);
    lz_bind_node(L);
    lz_bind_chaos(L);
    lz_bind_fault(L);
    lz_bind_version(L);
    lz_bind_replication(L);
    lz_bind_broker(L);
    lz_bind_cache(L);
    lz_bind_alert(L);
    lz_bind_store(L);
    lz_bind_check(L);
    lz_escape_bind(L);
    lz_bind_run(L);
    lz_bind_txn(L);
    lz_bind_backup(L);
    lz_bind_sql(L);
    lz_bind_live(L);
    lz_bind_prompt(L);
    lz_use_bind(L);
    lua_getfield(L, -1, "fault_kinds");
    lua_call(L, 0, 1);
    lua_setfield(L, -3, "fault_kinds");
    lua_getfield(L, -1, "metrics");
    lua_call(L, 0, 1);
    lua_setfield(L, -3, "metrics");
    lua_setfield(L, -2, "C");
    lz_sandbox_base(L);
    lua_setfield(L, -2, "base");
    lz_sandbox_refused(L);
    lua_setfield(L, -2, "refused");
}

void lz_script_push_main(struct lz_script *s, const char *function)
{
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, s->ref_main);
    lua_getfield(s->L, -1, function);
    lua_remove(s->L, -2);
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, s->ref_state);
}

static void run_chunk(struct lz_script *s)
{
    lua_State *L = s->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state); // [state]
    if (lua_getfield(L, -1, "chunk") == LUA_TNIL) {  // did not compile; said already
        lua_pop(L, 2);
        return;
    }
    // In a coroutine of its own, whose stack is still there to look at after an error.
    lua_State *thread = lua_newthread(L); // [state chunk thread]
    lua_pushvalue(L, 2);
    lua_xmove(L, thread, 1);
    lz_sandbox_watch(s, thread);
    lz_prompt_capture(s, thread);
    int results = 0;
    lua_State *before = lz_sandbox_enter(s, thread);
    int status = lua_resume(thread, L, 0, &results);
    lz_sandbox_leave(s, before);
    LZ_ASSERT(status != LUA_YIELD); // nothing yields while the top level runs
    if (status == LUA_ERRMEM)
        s->trouble = LZ_SCRIPT_MEMORY;
    const char *text = status == LUA_OK ? "" : lua_tostring(thread, -1);
    lz_script_push_main(s, "loaded");
    lua_pushboolean(L, status == LUA_OK);
    lua_pushstring(L, text != NULL ? text : "an error that is not a text");
    lua_pushvalue(L, 3);
    lua_call(L, 4, 0);
    lua_settop(L, 0);
}

static const char *copy_field(struct lz_script *s, const char *name)
{
    const char *text = NULL;
    if (lua_getfield(s->L, -1, name) != LUA_TNIL)
        text = lz_arena_strdup(s->arena, luaL_checkstring(s->L, -1));
    lua_pop(s->L, 1);
    return text;
}

// The list of texts in field `name` of the table on top.
static const char **copy_list(struct lz_script *s, const char *name, size_t *count)
{
    lua_State *L = s->L;
    lua_getfield(L, -1, name);
    *count = (size_t)luaL_len(L, -1);
    const char **list = lz_arena_alloc(s->arena, (*count + 1) * sizeof(*list));
    for (size_t i = 0; i < *count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        list[i] = lz_arena_strdup(s->arena, luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return list;
}

static void read_summary(struct lz_script *s)
{
    lua_State *L = s->L;
    lz_script_push_main(s, "summary");
    lua_call(L, 1, 1); // [summary]
    s->name = copy_field(s, "name");
    s->about = copy_field(s, "about");
    s->tags = copy_list(s, "tags", &s->tag_count);
    lua_getfield(L, -1, "duration");
    s->duration = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, -1, "seeds");
    s->seeds = (uint64_t)luaL_checkinteger(L, -1);
    lua_getfield(L, -2, "warmup");
    s->warmup = luaL_checkinteger(L, -1);
    lua_settop(L, 0);
}

static void read_cases(struct lz_script *s)
{
    lua_State *L = s->L;
    lz_script_push_main(s, "cases");
    lua_call(L, 1, 1); // [cases]
    s->case_count = (size_t)luaL_len(L, 1);
    s->cases = lz_arena_alloc(s->arena, s->case_count * sizeof(*s->cases));
    for (size_t i = 0; i < s->case_count; i++) {
        struct lz_script_case *c = &s->cases[i];
        lua_geti(L, 1, (lua_Integer)i + 1); // [cases case]
        c->names = copy_list(s, "names", &c->count);
        c->values = copy_list(s, "texts", &c->count);
        lua_getfield(L, -1, "xfail");
        c->xfail = lua_toboolean(L, -1);
        lua_settop(L, 1);
    }
    lua_settop(L, 0);
}

// What is the same for every scenario. Nothing here may look at the options; see warm.c.
static int prepare_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lz_script_open_private(L);
    lz_script_require(L, "main"); // [main]
    lua_pushvalue(L, -1);
    s->ref_main = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "prepare");
    push_world(L);
    lua_call(L, 1, 1); // [main state]
    s->ref_state = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_settop(L, 0);
    lz_sandbox_settle(s);
    lz_arena_settle(s->arena);
    return 0;
}

// Everything that may raise, under one protected call.
static int load_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lz_script_push_main(s, "load");
    push_options(s);
    lua_call(L, 2, 0);
    run_chunk(s);
    if (s->trouble == LZ_SCRIPT_OK && lz_script_error_count(s) > 0)
        s->trouble = LZ_SCRIPT_WRONG;
    if (s->trouble == LZ_SCRIPT_OK) {
        read_summary(s);
        read_cases(s);
    }
    return 0;
}

static void on_full(void *ctx, size_t used_bytes, size_t limit_bytes)
{
    (void)used_bytes;
    (void)limit_bytes;
    struct lz_script *s = ctx;
    s->trouble = LZ_SCRIPT_MEMORY;
    lz_library_abandon();
    LZ_ASSERT(s->full != NULL);
    longjmp(*s->full, 1);
}

/*
 * Run `body` where a used-up memory budget, the model's or Lua's, ends it. What is left
 * behind is never resumed: the run is over, and the universe goes as a whole.
 */
static void guarded_call(struct lz_script *s, int arguments)
{
    jmp_buf full;
    if (setjmp(full) != 0) {
        s->full = NULL;
        return;
    }
    s->full = &full;
    int status = lua_pcall(s->L, arguments, 0, 0);
    s->full = NULL;
    if (status == LUA_OK)
        return;
    if (status == LUA_ERRMEM && s->trouble == LZ_SCRIPT_OK)
        s->trouble = LZ_SCRIPT_MEMORY;
    if (s->trouble != LZ_SCRIPT_OK)
        return;
    const char *text = lua_tostring(s->L, -1);
    lz_check_failed(text != NULL ? text : "the Lua half failed", "lua", 0);
}

void lz_script_guarded(struct lz_script *s, lua_CFunction body)
{
    lua_pushcfunction(s->L, body);
    lua_pushlightuserdata(s->L, s);
    guarded_call(s, 1);
}

void lz_script_guarded_value(struct lz_script *s)
{
    guarded_call(s, 0);
}

// Of what is kept, or step by step.
static bool make_universe(struct lz_script *s, struct lz_err *err)
{
    if (!lz_warm_revive(s, err))
        return false;
    if (s->arena != NULL) {
        lz_arena_on_full(s->arena, on_full, s);
        return true;
    }
    const struct lz_arena_opts opts = {.slot = s->opts.slot, .limit_bytes = s->opts.memory_max};
    if (!lz_arena_create(&opts, &s->arena, err))
        return false;
    lz_arena_on_full(s->arena, on_full, s);
    if (!lz_sandbox_open(s, err))
        return false;
    lz_script_guarded(s, prepare_protected);
    lz_warm_keep(s);
    return true;
}

static const lz_time before_all; // what clocks tell until there is a world

bool lz_script_load(const struct lz_script_opts *opts, struct lz_script **out, struct lz_err *err)
{
    struct lz_script *s = calloc(1, sizeof(*s));
    LZ_ASSERT(s != NULL);
    s->opts = *opts;
    s->text_hash = lz_hash_bytes(opts->source, opts->source_len);
    if (s->opts.memory_max == 0)
        s->opts.memory_max = MEMORY_MAX;
    s->instructions_max = opts->instructions_max > 0 ? opts->instructions_max : INSTRUCTIONS_MAX;
    s->loading = true;
    lz_str_init(&s->diagnostics);
    lz_str_init(&s->used.text);
    lz_str_init(&s->used.path);
    lz_str_init(&s->used.key);
    lz_wall_enter(&before_all); // the sandbox is a part of the run
    if (opts->is_ticked)
        lz_sandbox_tick(s);
    if (!make_universe(s, err)) {
        lz_script_destroy(s);
        return false;
    }
    if (s->trouble == LZ_SCRIPT_OK)
        lz_script_guarded(s, load_protected);
    s->loading = false;
    *out = s;
    return true;
}

void lz_script_destroy(struct lz_script *s)
{
    if (s == NULL)
        return;
    lz_wall_leave();
    lz_sandbox_tick(NULL);
    // The Lua state lives in the arena, holds nothing outside it, and goes with it.
    lz_arena_destroy(s->arena);
    lz_str_finish(&s->diagnostics);
    lz_str_finish(&s->used.text);
    lz_str_finish(&s->used.path);
    lz_str_finish(&s->used.key);
    free(s);
}

enum lz_script_trouble lz_script_trouble(const struct lz_script *s)
{
    return s->trouble;
}

static int count_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_getfield(L, -1, "diag");
    lua_getfield(L, -1, "list");
    lua_pushinteger(L, luaL_len(L, -1));
    return 1;
}

size_t lz_script_error_count(const struct lz_script *s)
{
    lua_State *L = s->L;
    size_t n = 0;
    lua_pushcfunction(L, count_protected);
    lua_pushlightuserdata(L, (void *)s);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        n = (size_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

static int render_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    bool colour = lua_toboolean(L, 2);
    lz_script_push_main(s, "render");
    lua_pushboolean(L, colour);
    lua_call(L, 2, 1);
    return 1;
}

const char *lz_script_diagnostics(struct lz_script *s, bool colour)
{
    lua_State *L = s->L;
    lz_str_clear(&s->diagnostics);
    if (s->trouble == LZ_SCRIPT_MEMORY) {
        lz_str_addf(&s->diagnostics,
                    "%s: the memory budget of %zu MiB is used up; a table or a text grows without "
                    "end?\n",
                    s->opts.path, s->opts.memory_max >> 20);
        return s->diagnostics.text;
    }
    lua_settop(L, 0);
    lua_pushcfunction(L, render_protected);
    lua_pushlightuserdata(L, s);
    lua_pushboolean(L, colour);
    if (lua_pcall(L, 2, 1, 0) == LUA_OK)
        lz_str_add(&s->diagnostics, lua_tostring(L, -1));
    else
        lz_str_addf(&s->diagnostics, "%s: the script went wrong\n", s->opts.path);
    lua_settop(L, 0);
    return s->diagnostics.text;
}

const char *lz_script_scenario(const struct lz_script *s)
{
    return s->name;
}

const char *lz_script_about(const struct lz_script *s)
{
    return s->about;
}

size_t lz_script_tag_count(const struct lz_script *s)
{
    return s->tag_count;
}

const char *lz_script_tag(const struct lz_script *s, size_t i)
{
    LZ_ASSERT(i < s->tag_count);
    return s->tags[i];
}

uint64_t lz_script_text_hash(const struct lz_script *s)
{
    return s->text_hash;
}

uint64_t lz_script_seeds(const struct lz_script *s)
{
    return s->seeds;
}

lz_time lz_script_duration(const struct lz_script *s)
{
    return s->duration;
}

size_t lz_script_case_count(const struct lz_script *s)
{
    return s->case_count;
}

const struct lz_script_case *lz_script_case(const struct lz_script *s, size_t i)
{
    LZ_ASSERT(i < s->case_count);
    return &s->cases[i];
}
