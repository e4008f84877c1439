/* How uneven a split of pairs is, against tables of the binomial with p = 1/2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "explore/compare.h"

static void a_split_is_as_likely_as_coins_are(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, k;
        double p;
    } table[] = {
        {0, 0, 1.0},          {1, 1, 1.0},           {2, 1, 1.0},
        {5, 0, 2.0 / 32.0},   {6, 0, 2.0 / 64.0},    {6, 6, 2.0 / 64.0},
        {10, 1, 22.0 / 1024}, {10, 2, 112.0 / 1024}, {20, 5, 2.0 * 21700.0 / 1048576.0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_true(fabs(lz_compare_split(table[i].n, table[i].k) - table[i].p) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_split_is_as_likely_as_coins_are)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
