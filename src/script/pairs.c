/*
 * pairs.c — `pairs` and `next` in a defined order, which stock Lua leaves to its hash.
 *
 * Numbers ascending, then strings by bytes, then false and true. It is a snapshot: keys that
 * are added meanwhile are not visited, keys that are removed are left out.
 *
 * Two ways, of equal result. A table without a hash part is walked by index, from 1 to its
 * last key; that takes as long as stock `pairs`. Of any other the keys are collected, the
 * Lua values in one table and what they are compared by in one block, sorted, and walked:
 * three to five times as long as stock `pairs` for strings (a merge sort over Lua values by
 * the C interface took up to twenty times as long).
 *
 * Whether a table has a hash part no function of Lua's tells. A table's header does: a pointer
 * there is NULL without one. Where it lies is found by comparing headers, as with the hash's
 * seed (seed.h); if that is not clear, every table goes the long way.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "script/state.h"

#define HEADER_WORDS 6 // of a table, read in search of the pointer
#define SAMPLES 4

// ---------------------------------------------------------------- tables without a hash part

static uintptr_t header_word(lua_State *L, int table, size_t word)
{
    uintptr_t value;
    memcpy(&value, (const char *)lua_topointer(L, table) + word * sizeof(value), sizeof(value));
    return value;
}

// The header's word that is zero exactly for tables without a hash part; 0 if none is.
static size_t calibrate(lua_State *L)
{
    bool fits[HEADER_WORDS];
    memset(fits, true, sizeof(fits));
    for (int i = 0; i < 2 * SAMPLES; i++) {
        bool has_hash = i % 2 == 1;
        lua_createtable(L, 0, has_hash ? 1 << i : 0);
        for (int k = 1; k <= i; k++) { // an array part grows, at times
            lua_pushboolean(L, 1);
            lua_rawseti(L, -2, k);
        }
        for (size_t w = 0; w < HEADER_WORDS; w++)
            fits[w] = fits[w] && (header_word(L, -1, w) != 0) == has_hash;
        lua_pop(L, 1);
    }
    size_t found = 0;
    for (size_t w = 1; w < HEADER_WORDS; w++) { // the first word links all objects
        if (fits[w] && found != 0)
            return 0;
        if (fits[w])
            found = w;
    }
    return found;
}

// The same for every state of the process: it is Lua's own layout.
static bool has_no_hash(lua_State *L, int table)
{
    static bool is_calibrated;
    static size_t word;
    if (!is_calibrated) {
        word = calibrate(L);
        is_calibrated = true;
    }
    return word != 0 && header_word(L, table, word) == 0;
}

// The last key of a table without a hash part, if what comes before is walked by index.
static bool last_index(lua_State *L, int table, lua_Integer *last)
{
    if (!has_no_hash(L, table))
        return false;
    *last = (lua_Integer)lua_rawlen(L, table);
    if (*last == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, *last);
    if (!lua_next(L, table))
        return true;
    lua_pop(L, 2); // a hole: rawlen said where one begins
    return false;
}

// Where a walk by index stands. Read from here and not from the loop's variable: one call of
// Lua's fewer for each key is what makes it as fast as stock `pairs`.
struct walk {
    lua_Integer at, last;
};

// Upvalue: the walk.
static int step_index(lua_State *L)
{
    struct walk *w = lua_touserdata(L, lua_upvalueindex(1));
    while (w->at < w->last) {
        lua_Integer i = ++w->at;
        lua_pushinteger(L, i);
        if (lua_rawgeti(L, 1, i) != LUA_TNIL)
            return 2;
        lua_pop(L, 2); // removed meanwhile
    }
    return 0;
}

// ---------------------------------------------------------------- any other table

enum rank { INTEGER = 1, FLOAT, TEXT, BOOLEAN };

// What a key is compared by. `place` is where its value stands in the list.
struct key {
    enum rank rank;
    uint32_t place;
    union {
        lua_Integer integer; // BOOLEAN too
        lua_Number number;
        uint64_t prefix; // TEXT: its first bytes, so that most comparisons end here
    } u;
    const char *text;
    size_t len;
};

static uint64_t prefix_of(const char *text, size_t len)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < len ? (unsigned char)text[i] : 0);
    return prefix;
}

// Exactly, without rounding the integer. A float that is a key is never a whole number that
// fits an integer, nor NaN.
static bool integer_before(lua_Integer a, lua_Number b)
{
    if (b >= 0x1p63)
        return true;
    return b > -0x1p63 && a <= (lua_Integer)floor(b);
}

static bool number_before(const struct key *a, const struct key *b)
{
    if (a->rank == b->rank)
        return a->rank == INTEGER ? a->u.integer < b->u.integer : a->u.number < b->u.number;
    return a->rank == INTEGER ? integer_before(a->u.integer, b->u.number)
                              : !integer_before(b->u.integer, a->u.number);
}

static inline bool text_before(const struct key *a, const struct key *b)
{
    if (a->u.prefix != b->u.prefix)
        return a->u.prefix < b->u.prefix;
    int c = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return c != 0 ? c < 0 : a->len < b->len;
}

static bool key_before(const struct key *a, const struct key *b)
{
    if (a->rank == TEXT && b->rank == TEXT)
        return text_before(a, b);
    if (a->rank <= FLOAT && b->rank <= FLOAT)
        return number_before(a, b);
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->u.integer < b->u.integer;
}

static void read_key(lua_State *L, struct key *key, size_t place)
{
    *key = (struct key){.place = (uint32_t)place};
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        key->rank = TEXT;
        key->text = lua_tolstring(L, -1, &key->len);
        key->u.prefix = prefix_of(key->text, key->len);
        return;
    case LUA_TNUMBER:
        key->rank = lua_isinteger(L, -1) ? INTEGER : FLOAT;
        if (key->rank == INTEGER)
            key->u.integer = lua_tointeger(L, -1);
        else
            key->u.number = lua_tonumber(L, -1);
        return;
    case LUA_TBOOLEAN:
        key->rank = BOOLEAN;
        key->u.integer = lua_toboolean(L, -1);
        return;
    default:
        luaL_error(L,
                   "LZ504: pairs has no order for a key that is a %s; use texts or numbers as "
                   "keys",
                   luaL_typename(L, -1));
    }
}

#define RUN 8 // sorted by insertion

static void sort_run(struct key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct key key = keys[i];
        size_t at = i;
        for (; at > 0 && key_before(&key, &keys[at - 1]); at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

// Merge sort; `spare` has room for as many. Returns which of the two holds the result.
static struct key *sort_keys(struct key *keys, struct key *spare, size_t count)
{
    for (size_t at = 0; at < count; at += RUN)
        sort_run(keys + at, count - at < RUN ? count - at : RUN);
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t mid = low + width < count ? low + width : count;
            size_t high = mid + width < count ? mid + width : count;
            size_t a = low, b = mid;
            for (size_t to = low; to < high; to++) {
                bool take_b = a == mid || (b < high && key_before(&keys[b], &keys[a]));
                spare[to] = keys[take_b ? b++ : a++];
            }
        }
        struct key *sorted = spare;
        spare = keys;
        keys = sorted;
    }
    return keys;
}

// [... list block]: the keys as Lua values, and what they are compared by, in no order yet.
// The list keeps the texts alive that the block points to.
static struct key *push_keys(lua_State *L, int table, size_t *count)
{
    size_t n = 0, cap = RUN;
    lua_newtable(L);
    int list = lua_gettop(L);
    struct key *keys = lua_newuserdatauv(L, cap * sizeof(*keys), 0);
    lua_pushnil(L);
    while (lua_next(L, table)) { // [... list block key value]
        lua_pop(L, 1);
        if (n == cap) {
            cap *= 2;
            struct key *more = lua_newuserdatauv(L, cap * sizeof(*keys), 0);
            memcpy(more, keys, n * sizeof(*keys));
            lua_replace(L, list + 1);
            keys = more;
        }
        read_key(L, &keys[n], n);
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, (lua_Integer)++n); // [... list block key]
    }
    *count = n;
    return keys;
}

// The same, in order. Returns how many.
static size_t push_sorted(lua_State *L, int table)
{
    size_t count;
    luaL_checkstack(L, 8, "pairs");
    struct key *keys = push_keys(L, table, &count); // [... list block]
    if (count <= RUN) {
        sort_run(keys, count);
        return count;
    }
    struct key *spare = lua_newuserdatauv(L, count * sizeof(*keys), 0); // [... list block spare]
    if (sort_keys(keys, spare, count) == spare)
        lua_replace(L, -2);
    else
        lua_pop(L, 1);
    return count;
}

// Upvalues: list, block, how many, which is next.
static int step_sorted(lua_State *L)
{
    const struct key *keys = lua_touserdata(L, lua_upvalueindex(2));
    lua_Integer count = lua_tointeger(L, lua_upvalueindex(3));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(4));
    while (i < count) {
        lua_rawgeti(L, lua_upvalueindex(1), (lua_Integer)keys[i++].place + 1); // [t k key]
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) { // [t k key value]
            lua_pushinteger(L, i);
            lua_replace(L, lua_upvalueindex(4));
            return 2;
        }
        lua_pop(L, 2); // removed meanwhile
    }
    return 0;
}

static int step_none(lua_State *L)
{
    (void)L;
    return 0;
}

int lz_order_pairs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer last;
    bool by_index = last_index(L, 1, &last);
    if (by_index && last == 0) {
        lua_pushcfunction(L, step_none); // [t step]
    } else if (by_index) {
        struct walk *w = lua_newuserdatauv(L, sizeof(*w), 0);
        *w = (struct walk){.last = last};
        lua_pushcclosure(L, step_index, 1); // [t step]
    } else {
        lua_Integer count = (lua_Integer)push_sorted(L, 1); // [t list block]
        lua_pushinteger(L, count);
        lua_pushinteger(L, 0);
        lua_pushcclosure(L, step_sorted, 4); // [t step]
    }
    lua_insert(L, 1); // [step t]
    lua_pushnil(L);
    return 3;
}

// next(t, key): the same order, found anew each time.
int lz_order_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    size_t count = push_sorted(L, 1); // [t key list block]
    const struct key *keys = lua_touserdata(L, 4);
    size_t i = 0;
    if (!lua_isnil(L, 2)) {
        while (i < count &&
               (lua_rawgeti(L, 3, (lua_Integer)keys[i].place + 1), !lua_rawequal(L, 2, -1))) {
            lua_pop(L, 1);
            i++;
        }
        if (i == count)
            return luaL_error(L, "next: the key is not in the table");
        i++;
    }
    if (i == count) {
        lua_pushnil(L);
        return 1;
    }
    lua_rawgeti(L, 3, (lua_Integer)keys[i].place + 1);
    lua_pushvalue(L, -1);
    lua_rawget(L, 1);
    return 2;
}
