/*
 * The keys of the kernel's lines stay in order, whatever comes and goes.
 *
 * Method: a row of six is kept beside by sorting it, through some thousands of changes drawn at
 * random, among which are equals, the least and the greatest that a key may be.
 */
#include "sim/line_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

#define LEAST (1ull << 52)
#define STEPS 20000

// `key` into the row, whose last goes.
static void expect_enter(uint64_t *row, uint64_t key)
{
    uint32_t i = LZ_LINE_KEYS - 1;
    if (key >= row[i])
        return;
    for (; i > 0 && row[i - 1] > key; i--)
        row[i] = row[i - 1];
    row[i] = key;
}

static void expect_change(uint64_t *row, uint64_t key)
{
    for (uint32_t i = 0; i + 1 < LZ_LINE_KEYS; i++)
        row[i] = row[i + 1];
    row[LZ_LINE_KEYS - 1] = LZ_LINE_KEYS_MOST;
    expect_enter(row, key);
}

static uint64_t drawn(uint64_t step)
{
    uint64_t draw = lz_hash_mix(step, 7);
    switch (draw % 8) {
    case 0:
        return LEAST;
    case 1:
        return LZ_LINE_KEYS_MOST;
    case 2:
        return LEAST + draw / 8 % 4; // equals
    default:
        return LEAST + (draw >> 3) % (LZ_LINE_KEYS_MOST - LEAST);
    }
}

static void keys_are_in_order_whatever_comes_and_goes(void **state)
{
    (void)state;
    struct lz_line_keys keys;
    uint64_t row[LZ_LINE_KEYS];
    for (uint32_t i = 0; i < LZ_LINE_KEYS; i++)
        keys.all[i] = row[i] = LZ_LINE_KEYS_MOST;
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint64_t key = drawn(step);
        if (lz_hash_mix(step, 9) % 2 == 0) {
            lz_line_keys_enter(&keys, key);
            expect_enter(row, key);
        } else {
            lz_line_keys_change(&keys, key);
            expect_change(row, key);
        }
        for (uint32_t i = 0; i < LZ_LINE_KEYS; i++)
            assert_int_equal(keys.all[i], row[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_in_order_whatever_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
