#include "script/docs.h"

#include <lauxlib.h>
#include <lualib.h>

#include "base/check.h"
#include "base/mem.h"
#include "script/modules.h"
#include "script/state.h"

struct lz_docs {
    lua_State *L;
};

// What a question is made of; a number of 0 is left out.
struct question {
    const char *module, *function;
    const char *text;
    int number;
};

// [facts]: what the pages are made from.
static void push_facts(lua_State *L)
{
    static const char *const tables[] = {"fault_kinds", "metrics"};
    lua_newtable(L);
    lua_newtable(L); // [facts C]
    lz_bind_chaos(L);
    lz_bind_fault(L);
    lz_bind_check(L);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        lua_getfield(L, -1, tables[i]);
        lua_call(L, 0, 1);
        lua_setfield(L, -3, tables[i]);
    }
    lua_pop(L, 1);
    lz_sandbox_refused(L);
    lua_setfield(L, -2, "refused");
    lua_newtable(L); // [facts modules]
    for (const struct lz_module *m = lz_stdlib; m->name != NULL; m++) {
        lua_pushlstring(L, (const char *)m->bytes, m->size);
        lua_setfield(L, -2, m->name);
    }
    lua_setfield(L, -2, "modules");
}

static int ask_protected(lua_State *L)
{
    const struct question *q = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lz_script_require(L, q->module);
    lua_getfield(L, 1, q->function);
    push_facts(L);
    int args = 1;
    if (q->text != NULL) {
        lua_pushstring(L, q->text);
        args++;
    }
    if (q->number != 0) {
        lua_pushinteger(L, q->number);
        args++;
    }
    lua_call(L, args, 1);
    return 1;
}

// Nothing here depends on what a user wrote but the topic, so an error is a bug of ours.
static const char *ask(struct lz_docs *docs, const struct question *q)
{
    lua_State *L = docs->L;
    lua_settop(L, 0);
    lua_pushcfunction(L, ask_protected);
    lua_pushlightuserdata(L, (void *)q);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        lz_check_failed(lua_tostring(L, -1), "lua", 0);
    LZ_ASSERT(lua_gettop(L) == 1);
    return lua_tostring(L, -1); // stays on the stack until the next question
}

static int open_protected(lua_State *L)
{
    lz_script_open_private(L);
    return 0;
}

struct lz_docs *lz_docs_create(void)
{
    struct lz_docs *docs = lz_mem_alloc(sizeof(*docs));
    docs->L = luaL_newstate();
    LZ_ASSERT(docs->L != NULL);
    lua_pushcfunction(docs->L, open_protected);
    if (lua_pcall(docs->L, 0, 0, 0) != LUA_OK)
        lz_check_failed(lua_tostring(docs->L, -1), "lua", 0);
    return docs;
}

void lz_docs_destroy(struct lz_docs *docs)
{
    if (docs == NULL)
        return;
    lua_close(docs->L);
    free(docs);
}

const char *lz_docs_page(struct lz_docs *docs, const char *topic, int width)
{
    LZ_ASSERT(topic != NULL && width > 0);
    return ask(docs, &(struct question){"docs", "page", topic, width});
}

const char *lz_docs_near(struct lz_docs *docs, const char *topic)
{
    LZ_ASSERT(topic != NULL);
    return ask(docs, &(struct question){"docs", "near", topic, 0});
}

const char *lz_docs_index(struct lz_docs *docs, int width)
{
    LZ_ASSERT(width > 0);
    return ask(docs, &(struct question){"docs", "index", NULL, width});
}

const char *lz_docs_names(struct lz_docs *docs)
{
    return ask(docs, &(struct question){"docs", "names", NULL, 0});
}

const char *lz_docs_man(struct lz_docs *docs)
{
    return ask(docs, &(struct question){"docs_man", "scenario", NULL, 0});
}

const char *lz_docs_types(struct lz_docs *docs)
{
    return ask(docs, &(struct question){"docs_meta", "library", NULL, 0});
}

const char *lz_docs_types_config(struct lz_docs *docs)
{
    return ask(docs, &(struct question){"docs_meta", "config", NULL, 0});
}
