/* A growing string: what is added is there, it always ends in NUL, and widths are columns. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_string_is_a_string(void **state)
{
    (void)state;
    struct lz_str s;
    lz_str_init(&s);
    assert_string_equal(s.text, "");
    lz_str_add(&s, "");
    lz_str_clear(&s);
    assert_int_equal(s.cap, 0);
    lz_str_finish(&s);
    assert_string_equal(s.text, "");
}

static void additions_follow_each_other(void **state)
{
    (void)state;
    struct lz_str s;
    lz_str_init(&s);
    lz_str_add(&s, "one ");
    lz_str_add_n(&s, "two and more", 3);
    lz_str_add_char(&s, ' ');
    lz_str_addf(&s, "%d %s", 3, "four");
    lz_str_add_repeat(&s, "-=", 3);
    assert_string_equal(s.text, "one two 3 four-=-=-=");
    assert_int_equal(s.len, strlen(s.text));
    lz_str_clear(&s);
    assert_string_equal(s.text, "");
    lz_str_add(&s, "again");
    assert_string_equal(s.text, "again");
    lz_str_finish(&s);
}

static void what_is_no_text_becomes_a_question_mark(void **state)
{
    static const char *const rows[][2] = {
        {"plain\ttext\n", "plain\ttext\n"},
        {"\xc3\xa9 \xf0\x9f\x98\x80", "\xc3\xa9 \xf0\x9f\x98\x80"},
        {"\033[2J\r\a\x7f", "?[2J???"},
        {"\xc2\x9b"
         "2J",
         "?2J"},
        {"\xff\xfe", "??"},
        {"\xc3", "?"},
        {"\xc3(", "?("},
        {"\xe2\x82", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xc0\x80", "??"},
        {"\xe0\x80\x80", "???"},
        {"\xf4\x90\x80\x80", "????"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_str s;
        lz_str_init(&s);
        lz_str_add(&s, "\033 ");
        lz_str_add(&s, rows[i][0]);
        lz_str_make_plain(&s, 2);
        assert_memory_equal(s.text, "\033 ", 2);
        assert_string_equal(s.text + 2, rows[i][1]);
        assert_int_equal(s.len, strlen(s.text));
        lz_str_finish(&s);
    }
}

static void long_texts_fit(void **state)
{
    (void)state;
    struct lz_str s;
    lz_str_init(&s);
    for (size_t i = 0; i < 1000; i++) {
        lz_str_addf(&s, "%0*zu", 100, i);
        assert_int_equal(s.len, 100 * (i + 1));
        assert_true(s.len < s.cap);
        assert_int_equal(s.text[s.len], '\0');
    }
    assert_memory_equal(s.text + s.len - 4, "0999", 5);
    lz_str_finish(&s);
}

static void nul_bytes_are_bytes(void **state)
{
    (void)state;
    struct lz_str s;
    lz_str_init(&s);
    lz_str_add_n(&s, "a\0b", 3);
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.text, "a\0b", 4);
    lz_str_finish(&s);
}

static void taking_leaves_an_empty_string(void **state)
{
    (void)state;
    struct lz_str s;
    lz_str_init(&s);
    char *nothing = lz_str_take(&s);
    lz_str_add(&s, "something");
    char *something = lz_str_take(&s);
    assert_string_equal(nothing, "");
    assert_string_equal(something, "something");
    assert_string_equal(s.text, "");
    free(nothing);
    free(something);
    lz_str_finish(&s);
}

static void widths_are_columns_of_a_terminal(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"na\xc3\xafve", 5},             // i with diaeresis, one code point
        {"nai\xcc\x88ve", 5},            // the same as i and a combining mark
        {"\xe2\x96\x81\xe2\x96\x88", 2}, // two block elements
        {"\xe6\x97\xa5\xe6\x9c\xac", 4}, // two ideographs
        {"\xf0\x9f\x94\xa5!", 3},        // an emoji
        {"\xe2\x9c\x93 ok", 4},          // a check mark is narrow
        {"\xff\x80 broken \xe6", 11},    // bytes that are not UTF-8 count one each
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(lz_str_width(cases[i].text), cases[i].width);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_string_is_a_string),
        cmocka_unit_test(additions_follow_each_other),
        cmocka_unit_test(what_is_no_text_becomes_a_question_mark),
        cmocka_unit_test(long_texts_fit),
        cmocka_unit_test(nul_bytes_are_bytes),
        cmocka_unit_test(taking_leaves_an_empty_string),
        cmocka_unit_test(widths_are_columns_of_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
