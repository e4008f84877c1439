/*
 * Lua's hash seed decides the order of hash nodes; pinned, two states agree.
 *
 * Method: make states with the seed of our choice and list a table's keys by lua_next.
 */
#include "script/seed.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct universe {
    struct lz_seed seed;
    bool is_opening;
};

static void *allocate(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct universe *u = ctx;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    void *new = realloc(ptr, new_size);
    if (ptr == NULL && u->is_opening)
        lz_seed_block(&u->seed, new);
    return new;
}

// The keys of a table of words, in the order of the walk.
static void order_of(uint32_t seed, char *out, size_t size)
{
    struct universe u = {.seed = {.value = seed}, .is_opening = true};
    lua_State *L = lua_newstate(allocate, &u);
    u.is_opening = false;
    assert_non_null(L);
    lua_newtable(L);
    for (char c = 'a'; c <= 'z'; c++) {
        char key[8] = {'k', 'e', 'y', c};
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, key);
    }
    size_t at = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        assert_true(at + 1 < size);
        out[at++] = lua_tostring(L, -1)[3];
    }
    out[at] = '\0';
    lua_close(L);
}

static void this_lua_lets_its_seed_be_pinned(void **state)
{
    (void)state;
    assert_true(lz_seed_is_pinnable());
}

static void equal_seeds_give_equal_orders_and_others_do_not(void **state)
{
    (void)state;
    char first[40], second[40], other[40];
    order_of(7, first, sizeof(first));
    order_of(7, second, sizeof(second));
    order_of(8, other, sizeof(other));
    assert_int_equal(strlen(first), 26);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_lua_lets_its_seed_be_pinned),
        cmocka_unit_test(equal_seeds_give_equal_orders_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
