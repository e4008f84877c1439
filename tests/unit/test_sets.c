/*
 * Sets of caches: what was added is there, in its order, in the version that it was added to and
 * in those that come from it, and in no other; and memory grows with what is added, not with what
 * the set had before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/cache/cache_state.h"
#include "model/cache/sets.h"

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
    if (w->caches == NULL)
        w->caches = lz_arena_alloc(arena, sizeof(*w->caches));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

static uint64_t add(uint64_t set, const char *element)
{
    uint64_t out = lz_sets_add(w, set, element, strlen(element));
    assert_true(lz_sets_is(out));
    return out;
}

static void assert_holds(uint64_t set, const char *expected)
{
    size_t len;
    assert_string_equal(lz_value_to_text(w, lz_sets_text(w, set), &len), expected);
}

static void a_version_has_what_was_added_to_it_and_no_other(void **state)
{
    (void)state;
    uint64_t a = add(0, "a"), ab = add(a, "b"), abc = add(ab, "c");
    uint64_t ad = add(a, "d"); // a replica that had not heard of b and c, promoted
    uint64_t adc = add(ad, "c"), abce = add(abc, "e"), abf = add(ab, "f"), adcg = add(adc, "g");
    uint64_t adh = add(ad, "h"), adhb = add(adh, "b"), other = add(0, "b");
    const struct {
        uint64_t set;
        const char *text;
    } rows[] = {
        {0, ""},        {a, "a"},          {ab, "a,b"},       {abc, "a,b,c"}, {ad, "a,d"},
        {adc, "a,d,c"}, {abf, "a,b,f"},    {abce, "a,b,c,e"}, {adh, "a,d,h"}, {adcg, "a,d,c,g"},
        {other, "b"},   {adhb, "a,d,h,b"}, {ab, "a,b"}, // again, after others
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_holds(rows[i].set, rows[i].text);
    assert_true(add(abce, "a") == abce && add(abc, "c") == abc && add(adhb, "d") == adhb);
    assert_true(add(adhb, "c") != adhb && add(a, "c") != a);
}

static void memory_grows_with_what_is_added(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    uint64_t set = 0;
    size_t before = lz_arena_used(arena);
    for (int i = 0; i < COUNT; i++) {
        char one[16];
        snprintf(one, sizeof(one), "%d", 100000 + i);
        set = add(set, one);
    }
    assert_true(lz_arena_used(arena) - before < (size_t)COUNT * 512);
    size_t len;
    (void)lz_value_to_text(w, lz_sets_text(w, set), &len);
    assert_int_equal(len, COUNT * 7 - 1);
}

static void a_set_is_no_larger_than_a_text(void **state)
{
    (void)state;
    static char large[LZ_VALUE_TEXT_MAX / 2];
    memset(large, 'x', sizeof(large));
    uint64_t set = lz_sets_add(w, 0, large, sizeof(large) - 2), tip;
    large[0] = 'y';
    tip = lz_sets_add(w, set, large, sizeof(large) - 2);
    assert_true(lz_sets_is(tip) && tip != set);
    large[0] = 'z';
    assert_int_equal(lz_sets_add(w, tip, large, sizeof(large) - 2), 0);
    assert_true(lz_sets_is(lz_sets_add(w, set, large, sizeof(large) - 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_version_has_what_was_added_to_it_and_no_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(memory_grows_with_what_is_added, setup, teardown),
        cmocka_unit_test_setup_teardown(a_set_is_no_larger_than_a_text, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
