/*
 * A value must come back as it went in, and two are equal exactly if what they say is equal; a
 * block that somebody holds stays, and one that nobody holds gives its memory back.
 *
 * Method: every kind at its limits, many texts, and holders in every order.
 */
#include "model/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/service/argument.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define TEXTS 5000

static struct lz_arena *arena;
static struct lz_world *w;

static int setup(void **state)
{
    (void)state;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {0};
    if (!lz_arena_create(&opts, &arena, &err))
        return -1;
    w = lz_world_create(&(struct lz_world_opts){.arena = arena, .end = LZ_S});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

static void an_integer_comes_back_whatever_its_sign(void **state)
{
    (void)state;
    static const int64_t all[] = {0, 1, -1, 42, -42, LZ_VALUE_INTEGER_MAX, LZ_VALUE_INTEGER_MIN};
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_true(lz_value_to_integer(lz_value_integer(all[i])) == all[i]);
        assert_true(lz_value_integer(all[i]) != 0); // 0 is nothing
        for (size_t k = 0; k < i; k++)
            assert_true(lz_value_integer(all[i]) != lz_value_integer(all[k]));
    }
}

static void texts_are_equal_exactly_if_their_bytes_are(void **state)
{
    (void)state;
    lz_value first[TEXTS];
    char text[32];
    size_t len = 0;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < TEXTS; i++) {
            snprintf(text, sizeof(text), "user %d", i);
            lz_value v = lz_value_text(w, text, strlen(text));
            if (round == 0)
                first[i] = v;
            assert_true(v == first[i]);
            assert_string_equal(lz_value_to_text(w, v, &len), text);
            assert_int_equal(len, strlen(text));
        }
    assert_true(lz_value_text(w, "a\0b", 3) != lz_value_text(w, "a\0c", 3));
    assert_true(lz_value_text(w, "", 0) != 0);
}

static void a_value_shows_as_it_is_written(void **state)
{
    (void)state;
    char out[32];
    const struct {
        lz_value v;
        const char *text;
    } all[] = {{0, "nil"},
               {lz_value_integer(-7), "-7"},
               {lz_value_boolean(true), "true"},
               {lz_value_boolean(false), "false"},
               {lz_value_text(w, "x y", 3), "\"x y\""}};
    for (size_t i = 0; i < COUNT(all); i++)
        assert_string_equal(lz_value_show(w, all[i].v, out, sizeof(out)), all[i].text);
    assert_int_equal(strlen(lz_value_show(w, lz_value_text(w, "longer than it fits", 19), out, 8)),
                     7);
}

static void a_block_lives_as_long_as_somebody_holds_it(void **state)
{
    (void)state;
    assert_int_equal(lz_arguments_bytes(w), 0);
    uint32_t size = 0;
    lz_argument_id a = lz_argument_make(w, "select 1", 9);
    lz_argument_keep(w, a);
    lz_argument_drop(w, a);
    assert_string_equal(lz_argument_bytes(w, a, &size), "select 1");
    assert_int_equal(size, 9);
    size_t with = lz_arguments_bytes(w);
    lz_argument_drop(w, a);
    assert_int_equal(lz_arguments_bytes(w), with - 9);
    lz_argument_id v = lz_argument_value(w, lz_value_integer(5));
    assert_true(lz_argument_to_value(w, v) == lz_value_integer(5));
    assert_int_equal(lz_argument_to_value(w, 0), 0);
    assert_null(lz_argument_bytes(w, 0, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_integer_comes_back_whatever_its_sign, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_equal_exactly_if_their_bytes_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_value_shows_as_it_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_lives_as_long_as_somebody_holds_it, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
