/* Expressions over names: a word holds when it is one letter of the name that is asked about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "explore/match.h"

static bool has(const void *ctx, const char *word)
{
    return strstr(ctx, word) != NULL;
}

static void an_expression_holds_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        bool holds;
    } table[] = {
        {"a", "abc", true},
        {"d", "abc", false},
        {"not d", "abc", true},
        {"not not a", "abc", true},
        {"a and b", "abc", true},
        {"a and d", "abc", false},
        {"d or b", "abc", true},
        {"a or b and d", "abc", true}, // `and` binds stronger
        {"(a or b) and d", "abc", false},
        {"not d and a", "abc", true}, // `not` binds stronger
        {"not (d or a)", "abc", false},
        {"'a and'", "a and b", true},
        {"\"(\"", "f(x)", true},
        {"not(d)and(a)", "abc", true},
        {"notes", "notes", true}, // a word may begin like an operator
        {"retries=3", "retries=3,b=off", true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_match *match;
        struct lz_err err;
        assert_true(lz_match_parse(table[i].text, &match, &err));
        assert_int_equal(lz_match_holds(match, has, table[i].name), table[i].holds);
        lz_match_destroy(match);
    }
}

static void what_makes_no_sense_is_said(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"", "expected a name at the end of \"\""},
        {"and a", "expected a name before \"and\" in \"and a\""},
        {"a or", "expected a name at the end of \"a or\""},
        {"(a", "expected \")\" at the end of \"(a\""},
        {"a)", "expected \"and\" or \"or\" before \")\" in \"a)\""},
        {"a b", "expected \"and\" or \"or\" before \"b\" in \"a b\""},
        {"not", "expected a name at the end of \"not\""},
        {"'a", "a quote is not closed, or is empty, in \"'a\""},
        {"''", "a quote is not closed, or is empty, in \"''\""},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_match *match = NULL;
        struct lz_err err;
        assert_false(lz_match_parse(table[i][0], &match, &err));
        assert_string_equal(err.msg, table[i][1]);
        assert_null(match);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[4 * LZ_MATCH_TERMS_MAX + 16];
    static const char *const parts[] = {"not ", "(", "a or "};
    for (size_t i = 0; i < 3; i++) {
        text[0] = '\0';
        for (int k = 0; k <= LZ_MATCH_TERMS_MAX / 2 + 100 && strlen(text) + 8 < sizeof(text); k++)
            strcat(text, parts[i]);
        struct lz_match *match = NULL;
        struct lz_err err;
        assert_false(lz_match_parse(text, &match, &err));
        assert_int_equal(err.code, LZ_EFULL);
    }
}

static void a_part_is_found_in_any_capitals(void **state)
{
    (void)state;
    assert_true(lz_match_contains("Checkout survives", "SURV"));
    assert_true(lz_match_contains("abc", "c"));
    assert_true(lz_match_contains("", ""));
    assert_false(lz_match_contains("ab", "abc"));
    assert_false(lz_match_contains("", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_holds_or_not),
        cmocka_unit_test(what_makes_no_sense_is_said),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_part_is_found_in_any_capitals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
