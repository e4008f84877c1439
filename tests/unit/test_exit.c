/* Exit codes: one row for each rule of precedence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "explore/exit.h"

static void the_worst_code_wins(void **state)
{
    (void)state;
    static const struct {
        int codes[4];
        int worst, report_only;
    } table[] = {
        {{0}, 0, 0},    {{1}, 1, 0},       {{3}, 3, 0},           {{1, 3}, 1, 0},
        {{3, 5}, 3, 5}, {{7, 3}, 7, 7},    {{1, 7}, 1, 7},        {{2, 1}, 2, 2},
        {{2, 6}, 6, 6}, {{6, 74}, 74, 74}, {{70, 74, 6}, 70, 70}, {{7, 2, 74}, 74, 74},
        {{5}, 5, 5},    {{1, 3, 7}, 1, 7},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_exit_set set = {0};
        for (size_t k = 0; k < 4; k++)
            lz_exit_add(&set, (enum lz_exit)table[i].codes[k]);
        assert_int_equal(lz_exit_worst(&set, false), table[i].worst);
        assert_int_equal(lz_exit_worst(&set, true), table[i].report_only);
    }
}

static void a_set_lists_each_code_once_worst_first(void **state)
{
    (void)state;
    struct lz_exit_set set = {0};
    int codes[LZ_EXIT_KINDS];
    assert_int_equal(lz_exit_list(&set, codes), 0);
    lz_exit_add(&set, LZ_EXIT_INCONCLUSIVE);
    lz_exit_add(&set, LZ_EXIT_FAILED);
    lz_exit_add(&set, LZ_EXIT_FAILED);
    lz_exit_add(&set, LZ_EXIT_WRITE);
    assert_int_equal(lz_exit_list(&set, codes), 3);
    assert_int_equal(codes[0], 74);
    assert_int_equal(codes[1], 1);
    assert_int_equal(codes[2], 3);
}

static void every_verdict_word_has_its_code(void **state)
{
    (void)state;
    assert_int_equal(lz_exit_verdict("pass"), 0);
    assert_int_equal(lz_exit_verdict("xfail"), 0);
    assert_int_equal(lz_exit_verdict("fail"), 1);
    assert_int_equal(lz_exit_verdict("xpass"), 1);
    assert_int_equal(lz_exit_verdict("error"), 2);
    assert_int_equal(lz_exit_verdict("inconclusive"), 3);
    assert_int_equal(lz_exit_verdict("budget"), 7);
    assert_int_equal(lz_exit_verdict("splendid"), 70);
}

static void an_interrupt_is_130(void **state)
{
    (void)state;
    assert_int_equal(lz_exit_signal(2), 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_code_wins),
        cmocka_unit_test(a_set_lists_each_code_once_worst_first),
        cmocka_unit_test(every_verdict_word_has_its_code),
        cmocka_unit_test(an_interrupt_is_130),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
