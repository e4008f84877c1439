/* Messages of errors: what is too long says so, and the reason outlives its context. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CUT "…"

static char name[201]; // the longest there may be, of characters of two bytes

static bool ends_with(const char *text, const char *end)
{
    return strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void context_stands_before_the_reason(void **state)
{
    struct lz_err err;
    (void)state;
    assert_false(lz_fail(&err, LZ_ERANGE, "loss must be at most %d", 1));
    assert_false(lz_fail_in(&err, "link %s -> %s", "a", "b"));
    assert_string_equal(err.msg, "link a -> b: loss must be at most 1");
    assert_int_equal(err.code, LZ_ERANGE);
}

static void four_of_the_longest_names_fit(void **state)
{
    struct lz_err err;
    (void)state;
    assert_false(lz_fail(&err, LZ_EINVAL, "%s cannot be of %s", name, name));
    assert_false(lz_fail_in(&err, "edge '%s -> %s'", name, name));
    assert_true(ends_with(err.msg, name));
    assert_null(strstr(err.msg, CUT));
}

static void what_is_too_long_ends_with_a_whole_character(void **state)
{
    struct lz_err err;
    (void)state;
    for (int shift = 0; shift < 2; shift++) {
        lz_fail(&err, LZ_EINVAL, "%s%s%s%s%s%s%s", shift ? "x" : "", name, name, name, name, name,
                name);
        assert_in_range(strlen(err.msg), LZ_ERR_SIZE - 3, LZ_ERR_SIZE - 1);
        assert_true(ends_with(err.msg, "é" CUT));
    }
}

static void the_reason_outlives_its_context(void **state)
{
    struct lz_err err;
    (void)state;
    lz_fail(&err, LZ_EIO, "no space left");
    for (int i = 0; i < 10; i++)
        lz_fail_in(&err, "cannot write %s", name);
    assert_true(strlen(err.msg) < LZ_ERR_SIZE);
    assert_true(ends_with(err.msg, ": no space left"));
    assert_int_equal(err.code, LZ_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_stands_before_the_reason),
        cmocka_unit_test(four_of_the_longest_names_fit),
        cmocka_unit_test(what_is_too_long_ends_with_a_whole_character),
        cmocka_unit_test(the_reason_outlives_its_context),
    };
    for (size_t i = 0; i + 1 < sizeof(name); i += 2)
        memcpy(name + i, "é", 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
