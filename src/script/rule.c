#include "script/rule.h"

#include <lauxlib.h>
#include <stdio.h>

#include "base/check.h"
#include "check/format.h"
#include "script/proc.h"
#include "script/state.h"
#include "script/value.h"

struct lz_rule {
    struct lz_script *s;
    const char *database;
    lua_State *L; // it runs on a thread of its own
    int ref_thread, ref_function;
    uint64_t owner, draws;
    // Of the question being asked.
    uint64_t key;
    const struct lz_multi_row *here, *there;
    enum lz_conflict_winner winner;
    lz_value value;
};

struct lz_rule *lz_rule_make(lua_State *L, int arg, const char *database)
{
    struct lz_script *s = lz_script_of(L);
    struct lz_rule *r = lz_arena_alloc(s->arena, sizeof(*r));
    LZ_ASSERT(lua_type(L, arg) == LUA_TFUNCTION);
    r->s = s;
    s->has_code = true;
    r->database = database;
    r->owner = lz_draw_name(lz_draw_name(0, "conflict"), database);
    lua_pushvalue(L, arg);
    r->ref_function = luaL_ref(L, LUA_REGISTRYINDEX);
    r->L = lua_newthread(s->L);
    r->ref_thread = luaL_ref(s->L, LUA_REGISTRYINDEX);
    lz_sandbox_watch(s, r->L);
    return r;
}

// [... row]
static void push_row(lua_State *L, const struct lz_rule *r, const struct lz_multi_row *row)
{
    lua_createtable(L, 0, 4);
    lz_value_push(L, r->s->world.world, row->value);
    lua_setfield(L, -2, "value");
    lua_pushnumber(L, (double)row->at / 1e9);
    lua_setfield(L, -2, "at");
    lua_pushinteger(L, row->node);
    lua_setfield(L, -2, "node");
    lua_pushinteger(L, (lua_Integer)r->key);
    lua_setfield(L, -2, "key");
}

static int ask(lua_State *L)
{
    struct lz_rule *r = lua_touserdata(L, 1);
    lua_settop(L, 0);
    push_row(L, r, r->here);
    push_row(L, r, r->there);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->ref_function); // [here there f]
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1); // [here there answer]
    if (lua_rawequal(L, 3, 1)) {
        r->winner = LZ_CONFLICT_HERE;
    } else if (lua_rawequal(L, 3, 2)) {
        r->winner = LZ_CONFLICT_THERE;
    } else if (lua_istable(L, 3) || lua_isnil(L, 3)) {
        return luaL_error(L, "conflict of %s: return one of the two rows, or a value, not %s",
                          r->database, lua_isnil(L, 3) ? "nothing" : "another table");
    } else {
        r->winner = LZ_CONFLICT_MERGED;
        r->value = lz_value_read(L, 3, r->s->world.world);
    }
    return 0;
}

enum lz_conflict_winner lz_rule_ask(void *ctx, uint64_t key, const struct lz_multi_row *here,
                                    const struct lz_multi_row *there, lz_value *value)
{
    struct lz_rule *r = ctx;
    struct lz_script *s = r->s;
    r->key = key;
    r->here = here;
    r->there = there;
    r->winner = LZ_CONFLICT_HERE;
    uint64_t outer_owner = s->draw_owner, outer_draws = s->draws;
    s->instructions = 0;
    s->draw_owner = r->owner;
    s->draws = r->draws;
    lua_settop(r->L, 0);
    lua_pushcfunction(r->L, ask);
    lua_pushlightuserdata(r->L, r);
    lua_State *before = lz_sandbox_enter(s, r->L);
    int status = lua_pcall(r->L, 1, 0, 0);
    lz_sandbox_leave(s, before);
    r->draws = s->draws;
    s->draw_owner = outer_owner;
    s->draws = outer_draws;
    if (status != LUA_OK) {
        char where[200], at[32];
        lz_format_instant(at, sizeof(at), lz_sim_now(s->world.world->sim));
        snprintf(where, sizeof(where), "at %s of virtual time, in a conflict of %s", at,
                 r->database);
        lz_procs_broken(s,
                        &(struct lz_proc_error){
                            .L = r->L, .thread = r->ref_thread, .status = status, .where = where});
    }
    *value = r->value;
    return r->winner;
}
