#include "script/atoms.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "script/modules.h"
#include "script/state.h"

struct question {
    const char *text;
    size_t len;
    struct lz_atoms *out;
};

static char *copy(const char *text)
{
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

static char *copy_field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    char *text = copy(lua_isstring(L, -1) ? lua_tostring(L, -1) : "");
    lua_pop(L, 1);
    return text;
}

static size_t get_number(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    lua_Integer n = lua_tointeger(L, -1);
    lua_pop(L, 1);
    LZ_ASSERT(n >= 0);
    return (size_t)n;
}

// The place of a field's text in a list of words, from 1; 0: it is none of them.
static int get_word(lua_State *L, const char *name, const char *const *words, int count)
{
    lua_getfield(L, -1, name);
    const char *word = lua_tostring(L, -1);
    int found = 0;
    for (int i = 0; i < count && word != NULL; i++)
        if (strcmp(words[i], word) == 0)
            found = i + 1;
    lua_pop(L, 1);
    return found;
}

// [... atom]
static void read_atom(lua_State *L, size_t index, struct lz_atom *atom)
{
    static const char *const kinds[] = {"statement", "item", "literal"};
    static const char *const roles[] = {"other",   "kept",  "scenario",  "param", "use",  "expect",
                                        "traffic", "place", "component", "drive", "fault"};
    size_t first = get_number(L, "first"), last = get_number(L, "last");
    size_t parent = get_number(L, "parent");
    *atom = (struct lz_atom){
        .kind = (enum lz_atom_kind)get_word(L, "kind", kinds, 3),
        .role = (enum lz_atom_role)get_word(L, "role", roles, 11),
        .from = first - 1,
        .size = last - first + 1,
        .parent = parent > 0 ? parent - 1 : index,
        .line = (uint32_t)get_number(L, "line"),
        .label = copy_field(L, "label"),
    };
    LZ_ASSERT(first >= 1 && last + 1 >= first && atom->kind != 0 && atom->role != 0);
    atom->of = copy_field(L, atom->kind == LZ_ATOM_STATEMENT ? "name" : "of");
    lua_getfield(L, -1, "is_list");
    atom->is_list = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

static int find_protected(lua_State *L)
{
    struct question *q = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lz_script_open_private(L);
    lua_settop(L, 0);
    lz_script_require(L, "atoms");
    lua_getfield(L, 1, "find");
    lua_pushlstring(L, q->text, q->len);
    lua_call(L, 1, 1);
    size_t count = (size_t)luaL_len(L, -1);
    q->out->items = lz_mem_alloc((count + 1) * sizeof(q->out->items[0]));
    for (; q->out->count < count; q->out->count++) {
        lua_geti(L, -1, (lua_Integer)q->out->count + 1);
        read_atom(L, q->out->count, &q->out->items[q->out->count]);
        lua_pop(L, 1);
    }
    return 0;
}

void lz_atoms_find(const char *text, size_t len, struct lz_atoms *out)
{
    *out = (struct lz_atoms){0};
    lua_State *L = luaL_newstate();
    LZ_ASSERT(L != NULL);
    struct question q = {text, len, out};
    lua_pushcfunction(L, find_protected);
    lua_pushlightuserdata(L, &q);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        lz_check_failed(lua_tostring(L, -1), "lua", 0);
    lua_close(L);
}

void lz_atoms_free(struct lz_atoms *atoms)
{
    for (size_t i = 0; i < atoms->count; i++) {
        free(atoms->items[i].label);
        free(atoms->items[i].of);
    }
    free(atoms->items);
    *atoms = (struct lz_atoms){0};
}
