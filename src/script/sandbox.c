/*
 * sandbox.c — a Lua state in which a scenario can do no harm and see nothing that changes.
 *
 * Memory is the universe's. The instruction budget counts between two moments at which
 * virtual time is given back; once it is used up every further instruction raises, so
 * that no pcall can swallow it.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "base/arena_quick.h"
#include "base/check.h"
#include "script/state.h"

#define HOOK_EVERY 10000
#define HASH_SEED 0x10c2e42u
#define ASKING_MAX 1000000 // instructions beyond the budget

static void *allocate(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct lz_arena *arena = ((struct lz_script *)ud)->arena;
    if (new_size == 0) {
        if (ptr != NULL && !lz_arena_quick_give(arena, ptr, old_size))
            lz_arena_free(arena, ptr, old_size);
        return NULL;
    }
    if (ptr == NULL) { // old_size says what kind of object it will be, then
        void *new = lz_arena_quick_take(arena, new_size);
        return new != NULL ? new : lz_arena_try(arena, new_size);
    }
    return lz_arena_try_resize(arena, ptr, old_size, new_size);
}

#if LUA_VERSION_NUM < 505
// While the state is made, each block is looked at.
static void *allocate_first(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct lz_script *s = ud;
    void *new = allocate(ud, ptr, old_size, new_size);
    if (ptr == NULL && new != NULL)
        lz_seed_block(&s->seed, new);
    return new;
}
#endif

static void on_count(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct lz_script *s = lz_script_of(L);
    // A call's table is known to C or asked about in Lua, and which of them is a matter of
    // addresses: what the Lua half runs then cannot be what ends a script, unless it is led round
    // in circles.
    const uint64_t more = s->is_asking ? ASKING_MAX : 0;
    s->instructions += HOOK_EVERY;
    if (s->instructions < s->instructions_max + more)
        return;
    if (s->trouble != LZ_SCRIPT_RUNAWAY) {
        s->trouble = LZ_SCRIPT_RUNAWAY;
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    }
    luaL_error(L,
               "LZ510: the script ran %d million instructions without giving virtual time back; "
               "is this loop endless?",
               (int)(s->instructions_max / 1000000));
}

void lz_sandbox_watch(struct lz_script *s, lua_State *L)
{
    if (!s->opts.is_ticked)
        lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
}

// Raised again at every instruction, so that no pcall can swallow it.
static void on_interrupt(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct lz_script *s = lz_script_of(L);
    if (s->trouble == LZ_SCRIPT_OK)
        s->trouble = LZ_SCRIPT_TICKED;
    luaL_error(L, "interrupted");
}

static struct lz_script *volatile ticked;
static uint64_t slice_seen;

void lz_sandbox_tick(struct lz_script *s)
{
    slice_seen = 0;
    ticked = s;
}

// In a signal handler: lua_sethook is made for that, and all else is two words of ours.
void lz_script_tick(void)
{
    struct lz_script *s = ticked;
    if (s == NULL || s->running == NULL)
        return;
    if (s->slices == slice_seen)
        lua_sethook(s->running, on_interrupt, LUA_MASKCOUNT, 1);
    slice_seen = s->slices;
}

static int panic(lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    lz_check_failed(text != NULL ? text : "a Lua error nobody caught", "lua", 0);
}

// 5.5 takes the seed as a parameter; 5.4 draws its own, which seed.c overwrites.
static lua_State *new_state(struct lz_script *s)
{
    uint32_t value = s->opts.hash_seed != 0 ? s->opts.hash_seed : HASH_SEED;
#if LUA_VERSION_NUM >= 505
    return lua_newstate(allocate, s, value);
#else
    s->seed = (struct lz_seed){.value = value};
    lua_State *L = lua_newstate(allocate_first, s);
    if (L != NULL)
        lua_setallocf(L, allocate, s);
    return L;
#endif
}

void lz_sandbox_adopt(struct lz_script *s)
{
    lua_setallocf(s->L, allocate, s);
    *(struct lz_script **)lua_getextraspace(s->L) = s;
}

static void set_pause(lua_State *L, int percent)
{
#if LUA_VERSION_NUM >= 505
    lua_gc(L, LUA_GCPARAM, LUA_GCPPAUSE, percent);
#else
    lua_gc(L, LUA_GCINC, percent, 0, 0);
#endif
}

bool lz_sandbox_open(struct lz_script *s, struct lz_err *err)
{
    s->L = new_state(s);
    if (s->L == NULL)
        return lz_fail(err, LZ_EFULL, "no memory for a Lua state: the budget is %zu bytes",
                       s->opts.memory_max);
    *(struct lz_script **)lua_getextraspace(s->L) = s;
    lua_atpanic(s->L, panic);
    if (s->opts.gc_pause > 0)
        set_pause(s->L, (int)s->opts.gc_pause);
    return true;
}

/*
 * What a handler leaves behind dies young, beside a megabyte of the private half that never does:
 * collected by generations it comes back before a fifth of that megabyte has been filled, and so
 * from the cache, which a cycle of the whole heap walks through. A universe that is shaken has the
 * other collector, at another pace: that results are the same is compared each time. Before 5.4.4
 * generations were not safe (CVE-2021-44964).
 */
void lz_sandbox_settle(struct lz_script *s)
{
    if (s->opts.gc_pause == 0 && LUA_VERSION_RELEASE_NUM >= 50404)
        lua_gc(s->L, LUA_GCGEN, 0, 0);
    else
        lua_gc(s->L, LUA_GCCOLLECT);
}

// A budget that is used up is raised again, whatever caught it.
static int finish_pcall(lua_State *L, int status, lua_KContext extra)
{
    struct lz_script *s = lz_script_of(L);
    bool ok = status == LUA_OK || status == LUA_YIELD;
    if (status == LUA_ERRMEM && s->trouble == LZ_SCRIPT_OK)
        s->trouble = LZ_SCRIPT_MEMORY;
    if (!ok && s->trouble != LZ_SCRIPT_OK)
        return lua_error(L);
    if (!ok) {
        s->is_asking = false; // it may be what went wrong
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)extra;
}

static int safe_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
    return finish_pcall(L, status, 0);
}

static int safe_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int type = lua_type(L, 2);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    static const char *const refused[] = {"__gc", "__mode"};
    for (size_t i = 0; i < 2 && type == LUA_TTABLE; i++) {
        lua_pushstring(L, refused[i]);
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(
                L,
                "LZ501: %s is not available in a scenario: when it acts depends on the "
                "garbage collector",
                refused[i]);
        lua_pop(L, 1);
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

// Upvalue: the stock string.format. No address gets through %s or %p.
static int safe_format(lua_State *L)
{
    size_t len;
    const char *f = luaL_checklstring(L, 1, &len);
    for (size_t i = 0; i + 1 < len; i++) {
        if (f[i] != '%')
            continue;
        if (f[++i] == 'p')
            return luaL_error(L, "LZ501: %%p is not available in a scenario: addresses differ from "
                                 "run to run");
    }
    int n = lua_gettop(L);
    for (int i = 2; i <= n; i++) {
        int type = lua_type(L, i);
        if (type != LUA_TTABLE && type != LUA_TFUNCTION && type != LUA_TUSERDATA)
            continue;
        lua_pushcfunction(L, lz_order_tostring);
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        lua_replace(L, i);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, 1);
    return 1;
}

static double draw(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->loading || s->world.world == NULL)
        luaL_error(L, "LZ503: draws belong to the run: the top level only declares");
    LZ_ASSERT(s->world.world != NULL); // the error does not come back
    struct lz_draw d = lz_draw_begin(lz_sim_key(s->world.world->sim), s->draw_owner,
                                     LZ_PURPOSE_SCRIPT, s->draws++ & 0xffffffffff);
    return lz_draw_unit(&d);
}

static int keyed_random(lua_State *L)
{
    double u = draw(L);
    if (lua_gettop(L) == 0) {
        lua_pushnumber(L, u);
        return 1;
    }
    lua_Integer low = 1, high = luaL_checkinteger(L, 1);
    if (lua_gettop(L) >= 2) {
        low = high;
        high = luaL_checkinteger(L, 2);
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    double span = (double)high - (double)low + 1.0;
    lua_Integer v = low + (lua_Integer)(u * span);
    lua_pushinteger(L, v <= high ? v : high);
    return 1;
}

void lz_sandbox_random(lua_State *L)
{
    lua_pushcfunction(L, keyed_random);
}

static const struct {
    const char *name, *why;
} refused_names[] = {
    {"os", "it reads the real clock and machine; use now() for virtual time"},
    {"io", "a scenario reads and writes no files"},
    {"debug", "it could reach behind the sandbox"},
    {"package", "modules are brought in by the scenario's own words"},
    {"require",
     "what is read lies in the library or the project; use \"kubernetes\", use \"./shop.lua\""},
    {"dofile", "a scenario reads no files"},
    {"loadfile", "a scenario reads no files"},
    {"load", "only the scenario's own text is run"},
    {"print", "results go to the report; use log(\"...\") inside drive"},
    {"collectgarbage", "what it answers depends on the machine's memory"},
    {"coroutine", "the kernel alone resumes; use drive(\"name\", function() ... end)"},
    {"warn", "results go to the report; use log(\"...\") inside drive"},
    {"rawset", "handles cannot be changed"},
    {"rawget", "handles cannot be looked into"},
};

void lz_sandbox_refused(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof(refused_names) / sizeof(refused_names[0]); i++) {
        lua_pushstring(L, refused_names[i].why);
        lua_setfield(L, -2, refused_names[i].name);
    }
}

static void copy_fields(lua_State *L, const char *const *names)
{
    for (; *names != NULL; names++) { // [from to]
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
}

static void add_library(lua_State *L, const char *name, const char *const *names)
{
    lua_getglobal(L, name);
    lua_newtable(L); // [base lib copy]
    copy_fields(L, names);
    lua_remove(L, -2); // [base copy]
}

// Fields of libraries that people know from elsewhere.
static int no_randomseed(lua_State *L)
{
    return luaL_error(L,
                      "LZ501: math.randomseed is not available in a scenario: draws are keyed by "
                      "what they are for; lorenz run --seed sets what all of them begin with");
}

static int no_dump(lua_State *L)
{
    return luaL_error(L, "LZ501: string.dump is not available in a scenario: only the scenario's "
                         "own text is run");
}

static void add_math(lua_State *L)
{
    static const char *const names[] = {
        "abs",  "acos", "asin", "atan", "ceil",       "cos",  "deg",        "exp",  "floor",
        "fmod", "huge", "log",  "max",  "maxinteger", "min",  "mininteger", "modf", "pi",
        "rad",  "sin",  "sqrt", "tan",  "tointeger",  "type", "ult",        NULL};
    add_library(L, "math", names);
    lua_pushcfunction(L, keyed_random);
    lua_setfield(L, -2, "random");
    lua_pushcfunction(L, no_randomseed);
    lua_setfield(L, -2, "randomseed");
    lua_setfield(L, -2, "math");
}

// The methods of texts lead to the same table: ("x"):rep is string.rep.
static void add_string(lua_State *L)
{
    static const char *const names[] = {"byte",  "char",   "find",  "gmatch",   "gsub", "len",
                                        "lower", "match",  "pack",  "packsize", "rep",  "reverse",
                                        "sub",   "unpack", "upper", NULL};
    add_library(L, "string", names); // [base copy]
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_remove(L, -2);
    lua_pushcclosure(L, safe_format, 1);
    lua_setfield(L, -2, "format");
    lua_pushcfunction(L, no_dump);
    lua_setfield(L, -2, "dump");
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1); // [base copy "" meta]
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    lua_setfield(L, -2, "string");
}

void lz_sandbox_base(lua_State *L)
{
    static const char *const names[] = {"assert", "error",  "getmetatable", "ipairs", "rawequal",
                                        "rawlen", "select", "tonumber",     "type",   "_VERSION",
                                        NULL};
    static const char *const table_names[] = {"concat", "insert", "move", "pack",
                                              "remove", "unpack", NULL};
    static const char *const utf8_names[] = {"char", "charpattern", "codes", "codepoint",
                                             "len",  "offset",      NULL};
    static const luaL_Reg own[] = {
        {"pairs", lz_order_pairs},       {"next", lz_order_next},
        {"tostring", lz_order_tostring}, {"setmetatable", safe_setmetatable},
        {"pcall", safe_pcall},           {NULL, NULL},
    };
    lua_pushglobaltable(L);
    lua_newtable(L); // [_G base]
    copy_fields(L, names);
    lua_remove(L, -2);
    luaL_setfuncs(L, own, 0);
    add_math(L);
    add_string(L);
    add_library(L, "table", table_names);
    lua_pushcfunction(L, lz_order_sort);
    lua_setfield(L, -2, "sort");
    lua_setfield(L, -2, "table");
    add_library(L, "utf8", utf8_names);
    lua_setfield(L, -2, "utf8");
}
