// What programs say of accounts and records, read as it is meant or not at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "live/told.h"

static void accounts_are_read_from_whatever_lists_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *name; // of the last
        int64_t holds;
        const char *why; // instead
    } rows[] = {
        {"1000\n", 1, "total", 1000, NULL},
        {"ann|70\nbob|30\n", 2, "bob", 30, NULL},
        {"{\"ann\": 70, \"bob\": -5}", 2, "bob", -5, NULL},
        {"ann,70\r\nbob,30\r\n", 2, "bob", 30, NULL},
        {"1 = 70; 2 = 30", 2, "2", 30, NULL},
        {"", 0, NULL, 0, "0 words"},
        {"ann 70 bob", 0, NULL, 0, "3 words"},
        {"ann 70\nbob much", 0, NULL, 0, "\"much\" of bob is no whole number"},
        {"ann 70.50", 0, NULL, 0, "\"70.50\" of ann"},
        {"ann 1234567890123456789", 0, NULL, 0, "no whole number"},
        {"[{\"id\":1,\"balance\":100},{\"id\":2,\"balance\":100}]", 0, NULL, 0, "names id twice"},
        {"ann 70 bob 30 ann 5", 0, NULL, 0, "names ann twice"},
        {"ann \x1bmuch", 0, NULL, 0, "\"?much\" of ann"},
        {"ann 1234567890123456789012345678901234567\u20ac\u20ac", 0, NULL, 0,
         "4567\u20ac\" of ann"},
        {"ann 12345678901234567890123456789012345678\u20ac", 0, NULL, 0, "45678\" of ann"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[160] = "";
        size_t count = 0;
        struct lz_recorder_account *all =
            lz_told_accounts(rows[i].text, strlen(rows[i].text), &count, why, sizeof(why));
        if (rows[i].why != NULL) {
            assert_null(all);
            assert_non_null(strstr(why, rows[i].why));
            continue;
        }
        assert_non_null(all);
        assert_int_equal(count, rows[i].count);
        const struct lz_recorder_account *last = &all[count - 1];
        assert_int_equal(last->size, strlen(rows[i].name));
        assert_memory_equal(last->name, rows[i].name, last->size);
        assert_int_equal(last->holds, rows[i].holds);
        free(all);
    }
}

static void a_place_is_an_offset_or_a_partition_and_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_place;
        uint32_t partition;
        uint64_t offset;
    } rows[] = {
        {"17\n", true, 0, 17},
        {"3 17", true, 3, 17},
        {"{\"offsets\":[{\"partition\":3,\"offset\":17,\"error\":null}]}", true, 3, 17},
        {"1700000000000-2\n", true, 0, UINT64_C(1700000000000) << 20 | 2},
        {"{\"error_code\":200,\"cluster_id\":\"lkc-x\",\"partition_id\":3,\"offset\":17}", true, 3,
         17},
        {"{\"offset\":17,\"partition\":3}", true, 3, 17},
        {"{\"offset\":17,\"timestamp\":1700000000000}", true, 0, 17},
        {"Delivered to partition 3 (Offset 17)", true, 3, 17},
        {"{\"partition\":null,\"offset\":null,\"error_code\":50003}", false, 0, 0},
        {"ok", false, 0, 0},
        {"-1", false, 0, 0},
        {"17-", false, 0, 0},
        {"99999999999 17", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_recorder_place at = {0};
        assert_int_equal(lz_told_place(rows[i].text, strlen(rows[i].text), &at), rows[i].is_place);
        if (!rows[i].is_place)
            continue;
        assert_int_equal(at.partition, rows[i].partition);
        assert_int_equal(at.offset, rows[i].offset);
    }
}

static void records_are_lines_and_what_is_cut_off_is_none(void **state)
{
    (void)state;
    static const char text[] = "offset value\n5 1\n2 6 2\n\n1700000000000-1 3\n"
                               "% Reached end of topic orders [0] at offset 3\n7 4";
    size_t count = 0;
    struct lz_recorder_told *all = lz_told_records(text, sizeof(text) - 1, false, &count);
    assert_int_equal(count, 4);
    assert_int_equal(all[0].at.partition, 0);
    assert_int_equal(all[0].at.offset, 5);
    assert_int_equal(all[0].send, 1);
    assert_int_equal(all[1].at.partition, 2);
    assert_int_equal(all[1].at.offset, 6);
    assert_int_equal(all[2].at.offset, UINT64_C(1700000000000) << 20 | 1);
    assert_int_equal(all[3].send, 4);
    free(all);
    all = lz_told_records(text, sizeof(text) - 1, true, &count);
    assert_int_equal(count, 3);
    free(all);
}

static void what_is_shown_is_a_line_of_whole_characters_that_commands_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"", ""},
        {"one\ntwo", "one"},
        {"a\tb\x1b[1m\x7f", "a?b?[1m?"},
        {"\xc2\x85\u00a0", "\xc2?\u00a0"},
        {"123456789", "123456789"},
        {"1234567890", "123456789"},
        {"1234567\u20ac", "1234567"},
        {"123456\u20ac9", "123456\u20ac"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char shown[10];
        lz_told_excerpt(rows[i].text, strlen(rows[i].text), shown, sizeof(shown));
        assert_string_equal(shown, rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_read_from_whatever_lists_them),
        cmocka_unit_test(a_place_is_an_offset_or_a_partition_and_one),
        cmocka_unit_test(records_are_lines_and_what_is_cut_off_is_none),
        cmocka_unit_test(what_is_shown_is_a_line_of_whole_characters_that_commands_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
