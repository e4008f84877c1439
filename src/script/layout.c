/*
 * layout.c — whether Lua lays a table out as layout.h says.
 *
 * Tables are made in a state of their own, whose allocator keeps a list of the blocks it has given.
 * Nothing is read but words of a block that was asked for with just the size that it should have,
 * so that looking is safe whatever the layout is.
 */
#include "script/layout.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 8 // that the allocator remembers
#define FIELDS 4

struct probe {
    struct {
        const void *at;
        size_t size;
    } blocks[BLOCKS];
    unsigned count; // of all there were
    const struct lz_layout_doubt *doubt;
};

static void *allocate(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct probe *p = ctx;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    void *new = realloc(ptr, new_size);
    p->blocks[p->count % BLOCKS].at = new;
    p->blocks[p->count++ % BLOCKS].size = new_size + p->doubt->size;
    return new;
}

// Whether one of the last blocks is this one, of this size.
static bool is_block(const struct probe *p, const void *at, size_t size)
{
    for (unsigned i = 0; i < BLOCKS && i < p->count; i++)
        if (p->blocks[i].at == at && p->blocks[i].size == size)
            return true;
    return false;
}

// [table]: its parts, if each is where it should be and as large.
static const struct lz_layout_table *parts(lua_State *L, const struct probe *p, unsigned entries,
                                           unsigned nodes_log2)
{
    const struct lz_layout_table *t = lz_layout_of(lua_topointer(L, -1));
    size_t nodes_size = sizeof(struct lz_layout_node) << nodes_log2;
    bool is = is_block(p, t, sizeof(*t)) && t->entry_limit == entries &&
              (t->flags & LZ_LAYOUT_LESS) == 0 && t->node_count_log2 == nodes_log2 &&
              t->metatable == NULL &&
              is_block(p, t->entries, entries * sizeof(struct lz_layout_value)) &&
              is_block(p, t->nodes, nodes_size);
    return is ? t : NULL;
}

// Values of each kind, as the word and the tag that they should have.
static bool push_kind(lua_State *L, int kind, struct lz_layout_value *v)
{
    static const double half = 0.5;
    switch (kind) {
    case 0:
        lua_pushboolean(L, false);
        v->tag = LZ_LAYOUT_FALSE;
        return true;
    case 1:
        lua_pushboolean(L, true);
        v->tag = LZ_LAYOUT_TRUE;
        return true;
    case 2:
        lua_pushinteger(L, -7);
        *v = (struct lz_layout_value){(uint64_t)-7, LZ_LAYOUT_INTEGER};
        return true;
    case 3:
        lua_pushnumber(L, half);
        v->tag = LZ_LAYOUT_FLOAT;
        memcpy(&v->word, &half, sizeof(half));
        return true;
    case 4:
        lua_pushliteral(L, "forty bytes, the most of a short text: x");
        *v = (struct lz_layout_value){(uintptr_t)lua_topointer(L, -1), LZ_LAYOUT_TEXT};
        return true;
    case 5:
        lua_pushliteral(L, "forty-one bytes, so that it is a long one");
        *v = (struct lz_layout_value){(uintptr_t)lua_topointer(L, -1), LZ_LAYOUT_LONG_TEXT};
        return true;
    case 6:
        lua_pushvalue(L, 1);
        *v = (struct lz_layout_value){(uintptr_t)lua_topointer(L, -1), LZ_LAYOUT_TABLE};
        return true;
    default:
        return false;
    }
}

// Each kind of value as an entry and as a field of a new table with an entry and a field more.
static bool has_values(lua_State *L, const struct probe *p)
{
    struct lz_layout_value v = {0};
    lua_newtable(L); // [known]
    for (int kind = 0; push_kind(L, kind, &v); kind++) {
        v.tag ^= p->doubt->tag;
        v.word += p->doubt->word;
        lua_createtable(L, 2, 2); // [known value table]
        const struct lz_layout_table *t = parts(L, p, 2, 1);
        if (t == NULL)
            return false;
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, 2);
        lua_pushliteral(L, "name");
        const void *name = lua_topointer(L, -1);
        lua_pushvalue(L, -3);
        lua_rawset(L, -3);
        const struct lz_layout_value *entry = &t->entries[1];
        const struct lz_layout_node *node = lz_layout_find(t, name);
        if (node == NULL || node->tag != v.tag || entry->tag != v.tag ||
            !lz_layout_is_nothing(t->entries[0].tag))
            return false;
        if (lz_layout_has_word(v.tag) && (node->word != v.word || entry->word != v.word))
            return false;
        lua_pushnil(L);
        lua_setfield(L, -2, "name"); // [known value table]
        if (!lz_layout_is_nothing(node->tag))
            return false;
        lua_settop(L, 1);
    }
    lua_newtable(L);
    lua_setmetatable(L, 1);
    const struct lz_layout_table *t = lz_layout_of(lua_topointer(L, 1));
    bool is =
        t->metatable != NULL && lua_getmetatable(L, 1) != 0 && t->metatable == lua_topointer(L, -1);
    lua_settop(L, 0);
    return is;
}

// A table that was filled by copying another one's nodes, and written to, is what Lua's functions
// would have made of it.
static bool can_be_filled(lua_State *L, const struct probe *p)
{
    static const char *const names[FIELDS] = {"ok", "status", "outcome", "value"};
    const struct lz_layout_table *full;
    lua_createtable(L, 0, FIELDS); // [full]
    for (int i = 0; i + 1 < FIELDS; i++) {
        lua_pushboolean(L, i);
        lua_setfield(L, 1, names[i]);
    }
    full = lz_layout_of(lua_topointer(L, 1));
    lua_createtable(L, 0, FIELDS); // [full table]
    const struct lz_layout_table *t = lz_layout_of(lua_topointer(L, 2));
    if (!is_block(p, t->nodes, FIELDS * sizeof(struct lz_layout_node)) ||
        lz_layout_node_count(t) != FIELDS || lz_layout_node_count(full) != FIELDS)
        return false;
    memcpy(t->nodes, full->nodes, FIELDS * sizeof(struct lz_layout_node));
    lua_pushstring(L, names[1]);
    struct lz_layout_node *node = lz_layout_find(t, lua_topointer(L, -1));
    if (node == NULL)
        return false;
    lz_layout_write_integer(node, 503);
    lua_settop(L, 2);
    for (int i = 0; i < 2; i++) { // the last name, and one for which there is no room
        lua_pushinteger(L, i);
        lua_setfield(L, 2, i == 0 ? names[FIELDS - 1] : "more");
    }
    int fields = 0;
    for (lua_pushnil(L); lua_next(L, 2) != 0; fields++)
        lua_pop(L, 1);
    bool is = lua_getfield(L, 2, names[1]) == LUA_TNUMBER && lua_tointeger(L, -1) == 503 &&
              lua_getfield(L, 2, names[0]) == LUA_TBOOLEAN && !lua_toboolean(L, -1) &&
              lua_getfield(L, 2, names[2]) == LUA_TBOOLEAN && lua_toboolean(L, -1);
    return is && fields == FIELDS + 1;
}

static int look(lua_State *L)
{
    const struct probe *p = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_pushboolean(L, has_values(L, p) && can_be_filled(L, p));
    return 1;
}

bool lz_layout_fits(const struct lz_layout_doubt *doubt)
{
    struct probe p = {.doubt = doubt};
    lua_State *L = lua_newstate(allocate, &p);
    if (L == NULL)
        return false;
    lua_gc(L, LUA_GCSTOP);
    lua_pushcfunction(L, look);
    lua_pushlightuserdata(L, &p);
    bool is = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_toboolean(L, -1);
    lua_close(L);
    return is;
}

bool lz_layout_is_known(void)
{
    static bool was_asked, is_known;
    if (!was_asked) {
        is_known = LUA_VERSION_NUM == 504 && lz_layout_fits(&(struct lz_layout_doubt){0});
        was_asked = true;
    }
    return is_known;
}

struct lz_layout_node *lz_layout_find(const struct lz_layout_table *t, const void *name)
{
    for (uint32_t i = 0; i < lz_layout_node_count(t); i++)
        if (lz_layout_is_field(&t->nodes[i], name) && !lz_layout_is_nothing(t->nodes[i].tag))
            return &t->nodes[i];
    return NULL;
}
