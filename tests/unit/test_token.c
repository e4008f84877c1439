/*
 * The token that brings a run back: written and read again, and refused when it is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "explore/token.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {0, 1, 42, UINT64_MAX};
    static const uint64_t texts[] = {0, 1, UINT64_MAX, 0x123456789abcdefull};
    for (size_t i = 0; i < COUNT(seeds); i++) {
        for (size_t k = 0; k < COUNT(texts); k++) {
            char text[LZ_TOKEN_SIZE];
            struct lz_token made = lz_token_make(seeds[i], texts[k]), read;
            struct lz_err err;
            assert_true(lz_token_read(lz_token_write(&made, text), &read, &err));
            assert_int_equal(read.seed, seeds[i]);
            assert_int_equal(read.scenario, made.scenario);
            assert_int_equal(read.engine, lz_token_engine());
        }
    }
}

static void what_is_not_plain_about_a_run_is_in_its_token(void **state)
{
    (void)state;
    static const struct {
        bool is_swarm;
        const char *order, *end;
    } rows[] = {
        {false, "", ""},
        {true, "", "-swarm"},
        {false, "random@1ms", "-random@1ms"},
        {true, "pct:2/90@500us", "-swarm-pct:2/90@500us"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[LZ_TOKEN_SIZE], order[LZ_ORDER_TEXT_SIZE];
        struct lz_token made = lz_token_make(3, 4), read;
        struct lz_err err;
        made.is_swarm = rows[i].is_swarm;
        if (rows[i].order[0] != '\0')
            assert_true(lz_order_parse(rows[i].order, &made.order, &err));
        lz_token_write(&made, text);
        assert_string_equal(text + 6 + 12 + 1 + 12, rows[i].end);
        assert_true(lz_token_read(text, &read, &err));
        assert_int_equal(read.is_swarm, rows[i].is_swarm);
        assert_string_equal(lz_order_write(&read.order, order), rows[i].order);
    }
}

static void another_text_has_another_token(void **state)
{
    (void)state;
    char a[LZ_TOKEN_SIZE], b[LZ_TOKEN_SIZE];
    struct lz_token one = lz_token_make(7, 1), other = lz_token_make(7, 2);
    assert_string_not_equal(lz_token_write(&one, a), lz_token_write(&other, b));
    assert_int_equal(strncmp(a, "lz1-7-", 6), 0);
    assert_int_equal(strlen(a), 6 + 12 + 1 + 12);
}

static void what_is_no_token_is_refused_with_its_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "lz1-",
        "lz1--0123456789ab-0123456789ab",
        "lz1-1-0123456789ab",
        "lz1-1-0123456789ab-",
        "lz1-1-0123456789ab-0123456789a",
        "lz1-1-0123456789ab-0123456789abc",
        "lz1-1-0123456789AB-0123456789ab",
        "lz1-1-0123456789ag-0123456789ab",
        "lz1-x-0123456789ab-0123456789ab",
        "lz1-18446744073709551616-0123456789ab-0123456789ab",
        "lz1-1-0123456789ab-0123456789ab ",
        "lz1-1 -0123456789ab-0123456789ab",
        "lz1-1-0123456789ab-0123456789ab-swarm-",
        "lz1-1-0123456789ab-0123456789ab-swarms",
        "lz1-1-0123456789ab-0123456789ab-random-swarm",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct lz_token token = {.seed = 99};
        struct lz_err err;
        assert_true(lz_token_is_meant(texts[i]));
        assert_false(lz_token_read(texts[i], &token, &err));
        assert_int_equal(token.seed, 99);
        assert_non_null(strstr(err.msg, texts[i]));
    }
    assert_false(lz_token_is_meant("12"));
    assert_false(lz_token_is_meant("random"));
    assert_false(lz_token_is_meant(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(another_text_has_another_token),
        cmocka_unit_test(what_is_not_plain_about_a_run_is_in_its_token),
        cmocka_unit_test(what_is_no_token_is_refused_with_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
