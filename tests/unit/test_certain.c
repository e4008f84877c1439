/*
 * How sure a number of runs makes: published intervals, and decisions that are seldom wrong.
 *
 * Method: intervals against tables; the sequential test against coins of a known bias, which it
 * may call wrong no more often than it says, however long it is looked at.
 */
#include "explore/certain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"

static void intervals_are_clopper_and_pearsons(void **state)
{
    (void)state;
    // 0 of n: 1 - 0.05^(1/n). The others: R's binom.test.
    static const struct {
        uint64_t n, k;
        double confidence, low, high;
    } rows[] = {
        {500, 0, 0.95, 0.0, 0.0059734884},     {1, 0, 0.95, 0.0, 0.95},
        {100, 100, 0.95, 0.9704869, 1.0},      {10, 5, 0.95, 0.1870860, 0.8129140},
        {500, 12, 0.95, 0.0124645, 0.0415542}, {500, 29, 0.95, 0.0391764, 0.0822225},
        {20, 1, 0.99, 0.000250595, 0.317104},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_certain_interval in =
            lz_certain_interval(rows[i].n, rows[i].k, rows[i].confidence);
        if (in.low < rows[i].low - 1e-3 * rows[i].low - 1e-12 ||
            in.low > rows[i].low * 1.001 + 1e-12 || in.high < rows[i].high * 0.999 ||
            in.high > rows[i].high * 1.001)
            fail_msg("%zu: %.8g to %.8g", i, in.low, in.high);
    }
}

// Does a coin of this bias get a decision within so many tosses?
static enum lz_certain_decision toss(uint64_t coin, double bias, uint64_t tosses, double rate,
                                     double confidence)
{
    uint64_t k = 0;
    for (uint64_t n = 1; n <= tosses; n++) {
        k += (double)(lz_hash_mix(coin, n) >> 11) * 0x1p-53 < bias;
        enum lz_certain_decision d = lz_certain_decide(n, k, rate, confidence);
        if (d != LZ_CERTAIN_OPEN)
            return d;
    }
    return LZ_CERTAIN_OPEN;
}

static void a_decision_is_wrong_no_more_often_than_it_says(void **state)
{
    (void)state;
    enum { COINS = 400 };
    unsigned wrong_below = 0, wrong_above = 0;
    for (uint64_t coin = 1; coin <= COINS; coin++) {
        // A hair on either side of the rate: the hardest coins there are.
        wrong_below += toss(coin, 0.0505, 1500, 0.05, 0.9) == LZ_CERTAIN_BELOW;
        wrong_above += toss(coin, 0.0495, 1500, 0.05, 0.9) == LZ_CERTAIN_ABOVE;
    }
    // One in ten is allowed: 40, give or take 18 at three standard errors.
    assert_true(wrong_below <= 58);
    assert_true(wrong_above <= 58);
    assert_true(wrong_below + wrong_above > 0); // it does decide
}

static void clear_coins_are_decided(void **state)
{
    (void)state;
    for (uint64_t coin = 1; coin <= 20; coin++) {
        assert_int_equal(toss(coin, 0.005, 3000, 0.05, 0.99), LZ_CERTAIN_BELOW);
        assert_int_equal(toss(coin, 0.2, 3000, 0.05, 0.99), LZ_CERTAIN_ABOVE);
    }
}

static void without_a_failure_it_takes_a_known_number_of_runs(void **state)
{
    (void)state;
    uint64_t n = lz_certain_runs(0.01, 0.99);
    assert_int_equal(lz_certain_decide(n, 0, 0.01, 0.99), LZ_CERTAIN_BELOW);
    assert_int_equal(lz_certain_decide(n - 1, 0, 0.01, 0.99), LZ_CERTAIN_OPEN);
    // A test of one look would need ln(0.01) / ln(0.99) = 459.
    assert_true(n > 459 && n < 560);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_clopper_and_pearsons),
        cmocka_unit_test(a_decision_is_wrong_no_more_often_than_it_says),
        cmocka_unit_test(clear_coins_are_decided),
        cmocka_unit_test(without_a_failure_it_takes_a_known_number_of_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
