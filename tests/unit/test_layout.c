/*
 * Tables as Lua lays them out: what is found by their words is what Lua's functions say, and a
 * call's table is known again only if it says the same.
 *
 * Method: tables are written in Lua. Calls' tables are compared with one that was learned; what is
 * called and the operation are others' to compare (call_word.c).
 */
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "script/call_shape.h"

#define LEARNED "{ {}, 'select', timeout = '500ms', key = 5, retries = 3 }"

// [table]: what an expression makes, in a state that is held by its caller.
static const struct lz_layout_table *table_of(lua_State *L, const char *expression)
{
    lua_pushfstring(L, "return %s", expression);
    if (luaL_dostring(L, lua_tostring(L, -1)) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_remove(L, -2);
    return lz_layout_of(lua_topointer(L, -1));
}

// The address of a short text, which stays on the stack.
static const void *name_of(lua_State *L, const char *text)
{
    lua_pushstring(L, text);
    return lua_topointer(L, -1);
}

static void this_build_of_lua_is_known(void **state)
{
    (void)state;
    if (LUA_VERSION_NUM != 504)
        skip();
    assert_true(lz_layout_is_known());
}

static void what_is_laid_out_otherwise_is_not_known(void **state)
{
    (void)state;
    static const struct lz_layout_doubt rows[] = {
        {.size = 8},
        {.word = 1},
        {.tag = 16},
        {.tag = 64},
    };
    if (LUA_VERSION_NUM != 504)
        return;
    assert_true(lz_layout_fits(&(struct lz_layout_doubt){0}));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(lz_layout_fits(&rows[i]));
}

static void fields_are_found_by_the_address_of_their_name(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        int tag; // of its field `x`; LZ_LAYOUT_NIL: it is not found
    } rows[] = {
        {"{ x = 1 }", LZ_LAYOUT_INTEGER},
        {"{ x = 0.5, y = 1 }", LZ_LAYOUT_FLOAT},
        {"{ x = true }", LZ_LAYOUT_TRUE},
        {"{ x = false }", LZ_LAYOUT_FALSE},
        {"{ x = 'short' }", LZ_LAYOUT_TEXT},
        {"{ x = ('long'):rep(20) }", LZ_LAYOUT_LONG_TEXT},
        {"{ x = {}, 1, 2 }", LZ_LAYOUT_TABLE},
        {"{ y = 1 }", LZ_LAYOUT_NIL},
        {"{}", LZ_LAYOUT_NIL},
        {"{ 'x' }", LZ_LAYOUT_NIL},
        {"(function() local t = { x = 1 } t.x = nil return t end)()", LZ_LAYOUT_NIL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lua_State *L = luaL_newstate();
        luaL_requiref(L, "string", luaopen_string, 1);
        const void *name = name_of(L, "x");
        const struct lz_layout_node *node = lz_layout_find(table_of(L, rows[i].table), name);
        assert_int_equal(node != NULL ? node->tag : LZ_LAYOUT_NIL, rows[i].tag);
        lua_close(L);
    }
}

static void what_is_written_is_what_lua_reads(void **state)
{
    (void)state;
    lua_State *L = luaL_newstate();
    const void *name = name_of(L, "x"), *text = name_of(L, "text");
    struct lz_layout_node *node = lz_layout_find(table_of(L, "{ x = 1, y = 2 }"), name);
    assert_non_null(node);
    lz_layout_write_integer(node, INT64_MIN);
    assert_int_equal(lua_getfield(L, 3, "x"), LUA_TNUMBER);
    assert_int_equal(lua_tointeger(L, -1), INT64_MIN);
    lz_layout_write_boolean(node, true);
    assert_int_equal(lua_getfield(L, 3, "x"), LUA_TBOOLEAN);
    assert_true(lua_toboolean(L, -1));
    lz_layout_write_text(node, text);
    assert_int_equal(lua_getfield(L, 3, "x"), LUA_TSTRING);
    assert_string_equal(lua_tostring(L, -1), "text");
    lz_layout_write_nothing(node);
    assert_int_equal(lua_getfield(L, 3, "x"), LUA_TNIL);
    lua_close(L);
}

static void a_calls_table_is_known_again_only_if_it_says_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool fits;
        int64_t key; // 0: it says none
    } rows[] = {
        {LEARNED, true, 5},
        {"{ {}, 'select', timeout = '500ms', key = 6, retries = 3 }", true, 6},
        {"(function() local t = " LEARNED " t.key = nil return t end)()", true, 0},
        {"{ {}, 'select', timeout = '400ms', key = 5, retries = 3 }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5, retries = 4 }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5, retries = 3.0 }", false, 0},
        {"{ {}, 'select', timeout = 500, key = 5, retries = 3 }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5, retries = '3' }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5, retries = nil }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5 }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5, retries = 3, hedge = 1 }", false, 0},
        {"{ {}, 'select', timeout = '500ms', key = 5, hedge = 3 }", false, 0},
        {"{ {}, 'select', timeout = '500ms', value = 5, retries = 3 }", false, 0},
        {"{ {}, 'select', a = 1, timeout = '500ms', b = 1, retries = 3, c = 1 }", false, 0},
        {"{ {}, 'select' }", false, 0},
    };
    lua_State *L = luaL_newstate();
    struct lz_call_names names = {.key = name_of(L, "key"), .value = name_of(L, "value")};
    struct lz_call_shape shape = {0};
    struct lz_call_said said = {0};
    const struct lz_layout_table *learned = table_of(L, LEARNED);
    assert_false(lz_call_shape_fits(&shape, learned, &said));
    lz_call_shape_learn(&shape, learned, &names);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        said = (struct lz_call_said){0};
        const struct lz_layout_table *t = table_of(L, rows[i].body);
        if (lz_call_shape_fits(&shape, t, &said) != rows[i].fits)
            fail_msg("%s", rows[i].body);
        if (rows[i].fits)
            assert_int_equal(said.key != NULL ? (int64_t)said.key->word : 0, rows[i].key);
    }
    lua_close(L);
}

static void what_another_way_knows_is_not_learned(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "{ 'db' }",
        "{ {}, 5 }",
        "{ {}, 'a', 'b' }",
        "{ {}, 'a', [0.5] = 1 }",
        "{ {}, 'a', a = 1, b = 1, c = 1, d = 1, e = 1, f = 1, g = 1, h = 1, i = 1 }",
    };
    lua_State *L = luaL_newstate();
    struct lz_call_names names = {.key = name_of(L, "key"), .value = name_of(L, "value")};
    struct lz_call_shape shape = {0};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        lz_call_shape_learn(&shape, table_of(L, LEARNED), &names);
        assert_true(shape.is_known);
        lz_call_shape_learn(&shape, table_of(L, bodies[i]), &names);
        assert_false(shape.is_known);
    }
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_build_of_lua_is_known),
        cmocka_unit_test(what_is_laid_out_otherwise_is_not_known),
        cmocka_unit_test(fields_are_found_by_the_address_of_their_name),
        cmocka_unit_test(what_is_written_is_what_lua_reads),
        cmocka_unit_test(a_calls_table_is_known_again_only_if_it_says_the_same),
        cmocka_unit_test(what_another_way_knows_is_not_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
