#include "script/probe.h"

#include <float.h>
#include <lauxlib.h>
#include <locale.h>
#include <lualib.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "record/record.h"
#include "script/script.h"
#include "script/seed.h"
#include "sim/sim.h"

#define ANSWER_SIZE 2048
#define OTHER_SEED 0x0dd5eedu

// What differs between two universes that are asked the same.
struct place {
    unsigned slot;
    uint32_t hash_seed; // 0: the pinned one
};
static const struct place here = {0, 0}, elsewhere = {1, 0}, reseeded = {0, OTHER_SEED};

// A top level cannot print, but the sentence of its scenario can be read.
static bool answer(const char *body, const struct place *place, char *out)
{
    char source[4096];
    snprintf(source, sizeof(source), "local out = {}\n%s\nscenario(%s) { duration = '1s' }\n", body,
             "#out > 0 and table.concat(out, ' ') or 'nothing'");
    const struct lz_script_opts opts = {
        .path = "probe.lua",
        .source = source,
        .source_len = strlen(source),
        .slot = place->slot,
        .hash_seed = place->hash_seed,
    };
    struct lz_script *s;
    struct lz_err err;
    if (!lz_script_load(&opts, &s, &err)) {
        snprintf(out, ANSWER_SIZE, "%s", err.msg);
        return false;
    }
    bool ok = lz_script_trouble(s) == LZ_SCRIPT_OK;
    snprintf(out, ANSWER_SIZE, "%s", ok ? lz_script_scenario(s) : lz_script_diagnostics(s, false));
    lz_script_destroy(s);
    return ok;
}

static bool answers_agree(const char *body, const struct place *a, const struct place *b, char *saw,
                          size_t size)
{
    static char first[ANSWER_SIZE], second[ANSWER_SIZE];
    bool ok = answer(body, a, first) && answer(body, b, second);
    bool equal = ok && strcmp(first, second) == 0;
    snprintf(saw, size, "%s", equal ? "two universes agree" : ok ? "two universes differ" : first);
    return equal;
}

static bool ask_addresses(char *saw, size_t size)
{
    void *seen[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        struct lz_arena *arena;
        struct lz_err err;
        if (!lz_arena_create(&(struct lz_arena_opts){.slot = 0}, &arena, &err)) {
            snprintf(saw, size, "%s", err.msg);
            return false;
        }
        seen[i] = lz_arena_alloc(arena, 100);
        lz_arena_destroy(arena);
    }
    snprintf(saw, size, "the first block is at %p each time", seen[0]);
    return seen[0] == seen[1];
}

static bool ask_memory(char *saw, size_t size)
{
    struct lz_arena *arena;
    struct lz_err err;
    if (!lz_arena_create(&(struct lz_arena_opts){.slot = 0}, &arena, &err)) {
        snprintf(saw, size, "%s", err.msg);
        return false;
    }
    unsigned char *block = lz_arena_alloc(arena, 4096);
    memset(block, 0xa5, 4096);
    lz_arena_free(arena, block, 4096);
    const unsigned char *again = lz_arena_alloc(arena, 4096);
    size_t dirty = 0;
    for (size_t i = 0; i < 4096; i++)
        dirty += again[i] != 0;
    snprintf(saw, size, "%zu bytes of a used block are not zero", dirty);
    lz_arena_destroy(arena);
    return dirty == 0;
}

static bool ask_hash_seed(char *saw, size_t size)
{
    bool is_pinned = lz_seed_is_pinnable();
    snprintf(saw, size, "%s",
             is_pinned ? "found in the state, and overwritten before anything is hashed"
                       : "not found in this Lua; pairs has its order all the same");
    return is_pinned;
}

#define WORDS                                                                                      \
    "local t = {}\n"                                                                               \
    "for _, w in ipairs { 'amber', 'birch', 'cedar', 'dahlia', 'elm', 'fir', 'hazel', 'ivy' } "    \
    "do\n"                                                                                         \
    "  t[w], t[#w] = 1, 1\n"                                                                       \
    "end\n"

static bool ask_pairs(char *saw, size_t size)
{
    return answers_agree(WORDS "for k in pairs(t) do out[#out + 1] = tostring(k) end", &here,
                         &reseeded, saw, size);
}

static bool ask_holes(char *saw, size_t size)
{
    return answers_agree("for n = 1, 40 do\n"
                         "  local t = {}\n"
                         "  for i = 1, n do t[i], t['k' .. i] = i, i end\n"
                         "  for i = 2, n, 3 do t[i] = nil end\n"
                         "  out[n] = tostring(#t)\n"
                         "end",
                         &here, &elsewhere, saw, size);
}

static bool ask_sort(char *saw, size_t size)
{
    static char out[ANSWER_SIZE];
    bool ok = answer("local t = {}\n"
                     "for i = 1, 100 do t[i] = { i % 7, i } end\n"
                     "table.sort(t, function(a, b) return a[1] < b[1] end)\n"
                     "local moved = 0\n"
                     "for i = 2, 100 do\n"
                     "  local a, b = t[i - 1], t[i]\n"
                     "  if a[1] == b[1] and a[2] > b[2] then moved = moved + 1 end\n"
                     "end\n"
                     "out[1] = moved .. ' of 100 ties change places'",
                     &here, out);
    snprintf(saw, size, "%s", out);
    return ok && strncmp(out, "0 of", 4) == 0;
}

// The sum of what the functions give, in all its bits, where it was first computed.
#define FLOATS_KNOWN "8e3aace5275c6254"

static bool ask_floats(char *saw, size_t size)
{
    static char out[ANSWER_SIZE];
    bool ok =
        answer("local h = 0\n"
               "local function mix(x)\n"
               "  h = (h ~ string.unpack('i8', string.pack('n', x))) * 0x100000001b3\n"
               "end\n"
               "for i = 1, 4000 do\n"
               "  local x = i * 0.0137\n"
               "  mix(math.exp(x / 3)); mix(math.log(x)); mix(x ^ 1.7); mix(1.0001 ^ i)\n"
               "  mix(math.sin(x)); mix(math.cos(x)); mix(math.tan(x)); mix(math.atan(x, 2))\n"
               "  mix(math.asin(i / 4000)); mix(math.acos(i / 4000)); mix(math.sqrt(x))\n"
               "  mix(math.log(x, 10)); mix(math.fmod(x, 0.7)); mix(x * x - 0.1)\n"
               "end\n"
               "out[1] = ('%016x'):format(h)",
               &here, out);
    bool equal = ok && strcmp(out, FLOATS_KNOWN) == 0 && FLT_EVAL_METHOD == 0;
    snprintf(saw, size, "56 000 results are %s other machines (%.40s)",
             equal ? "those of" : "not those of", out);
    return equal;
}

static bool ask_refused(char *saw, size_t size)
{
    static char out[ANSWER_SIZE];
    bool ok = answer(
        "local asked, refused = 0, 0\n"
        "local function try(f)\n"
        "  asked = asked + 1\n"
        "  local ok, why = pcall(f)\n"
        "  if not ok and tostring(why):find('LZ501', 1, true) then refused = refused + 1 end\n"
        "end\n"
        "try(function() return collectgarbage end)\n"
        "try(function() return os end)\n"
        "try(function() return io end)\n"
        "try(function() return debug end)\n"
        "try(function() return require end)\n"
        "try(function() return load end)\n"
        "try(function() return coroutine end)\n"
        "try(function() setmetatable({}, { __gc = function() end }) end)\n"
        "try(function() setmetatable({}, { __mode = 'k' }) end)\n"
        "try(function() return ('%p'):format({}) end)\n"
        "out[1] = refused .. ' of ' .. asked .. ' tries are refused'",
        &here, out);
    snprintf(saw, size, "%s", out);
    return ok && strcmp(out, "10 of 10 tries are refused") == 0;
}

static bool ask_tostring(char *saw, size_t size)
{
    return answers_agree("for i = 1, 4 do out[i] = tostring({}) .. tostring(function() end) end",
                         &here, &elsewhere, saw, size);
}

static bool ask_draws(char *saw, size_t size)
{
    // Known answers of Random123 for Philox4x32-10: all bits one, and digits of pi.
    static const uint32_t counters[2][4] = {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                            {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
    static const uint32_t keys[2][2] = {{0xffffffff, 0xffffffff}, {0xa4093822, 0x299f31d0}};
    static const uint32_t known[2][4] = {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    bool equal = true;
    for (int i = 0; i < 2; i++) {
        uint32_t out[4];
        lz_draw_philox(counters[i], keys[i], out);
        equal = equal && memcmp(out, known[i], sizeof(out)) == 0;
    }
    snprintf(saw, size, "Philox4x32-10 %s", equal ? "gives its known answers" : "is wrong here");
    return equal;
}

// What the C library tells Lua: by way of its own os.time and os.clock, which a scenario has not.
static bool ask_clocks(char *saw, size_t size)
{
    static const struct lz_script_opts opts = {.path = "probe.lua", .source = ""};
    struct lz_script *s;
    struct lz_err err;
    if (!lz_script_load(&opts, &s, &err)) {
        snprintf(saw, size, "%s", err.msg);
        return false;
    }
    lua_State *L = luaL_newstate();
    LZ_ASSERT(L != NULL);
    luaL_openlibs(L);
    bool ok = luaL_dostring(L, "return os.date '!%Y-%m-%d %H:%M:%S' .. ' and ' .. os.clock()") == 0;
    snprintf(saw, size, "inside a run they say %s", lua_tostring(L, -1));
    ok = ok && strcmp(lua_tostring(L, -1), "2000-01-01 00:00:00 and 0.0") == 0;
    lua_close(L);
    lz_script_destroy(s);
    return ok;
}

static bool ask_sqlite(char *saw, size_t size)
{
    sqlite3_int64 drawn[2] = {0, 1};
    for (int i = 0; i < 2; i++) {
        sqlite3 *db = lz_record_memory();
        sqlite3_stmt *q = NULL;
        if (db != NULL && sqlite3_prepare_v2(db, "select random()", -1, &q, NULL) == SQLITE_OK &&
            sqlite3_step(q) == SQLITE_ROW)
            drawn[i] = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
        sqlite3_close(db);
    }
    bool equal = drawn[0] == drawn[1];
    snprintf(saw, size, "its random() %s in each database", equal ? "begins alike" : "differs");
    return equal;
}

static bool ask_locale(char *saw, size_t size)
{
    const char *name = setlocale(LC_ALL, NULL);
    snprintf(saw, size, "it is \"%s\", whatever LANG says", name);
    return strcmp(name, "C") == 0;
}

struct ties {
    char order[8];
    size_t count;
};

static void on_tie(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct ties *t = ctx;
    t->order[t->count++] = (char)('a' + entity);
}

static bool ask_ties(char *saw, size_t size)
{
    struct lz_arena *arena;
    struct lz_err err;
    if (!lz_arena_create(&(struct lz_arena_opts){.slot = 0}, &arena, &err)) {
        snprintf(saw, size, "%s", err.msg);
        return false;
    }
    struct lz_sim *sim = lz_sim_create(&(struct lz_sim_opts){.arena = arena, .run_key = 1});
    struct ties ties = {.count = 0};
    lz_kind kind = lz_sim_kind(sim, "tie", on_tie, &ties);
    lz_lane lane = lz_sim_lane(sim, 5, kind);
    lz_sim_at(sim, 5, kind, 0, 0);
    lz_sim_arm(sim, lane, 1, 0);
    lz_sim_at(sim, 5, kind, 2, 0);
    lz_sim_arm(sim, lane, 3, 0);
    lz_sim_run(sim, 10);
    lz_arena_destroy(arena);
    snprintf(saw, size, "events of one instant fire as %s", ties.order);
    return strcmp(ties.order, "abcd") == 0;
}

static const struct lz_probe probes[] = {
    {"addresses", "one arena for each universe, at a fixed address", ask_addresses},
    {"fresh memory", "the arena hands out zeroes", ask_memory},
    {"seed of Lua's hash", "pinned", ask_hash_seed},
    {"order of pairs", "defined: numbers, texts, booleans", ask_pairs},
    {"# of tables with holes", "the layout of tables is pinned with the seed", ask_holes},
    {"ties in table.sort", "a stable merge sort", ask_sort},
    {"ties in time", "first come, first served", ask_ties},
    {"float functions", "our own, from + - * / without fused steps", ask_floats},
    {"tostring", "numbers in the order of showing, no addresses", ask_tostring},
    {"garbage, clock, files", "what would show them is refused by name", ask_refused},
    {"random numbers", "a function of seed, owner, purpose and counter", ask_draws},
    {"clocks of the C library", "virtual inside a run", ask_clocks},
    {"SQLite's randomness", "seeded when a database is opened", ask_sqlite},
    {"locale", "never set", ask_locale},
};

const struct lz_probe *lz_probe_get(size_t i)
{
    return i < sizeof(probes) / sizeof(probes[0]) ? &probes[i] : NULL;
}
