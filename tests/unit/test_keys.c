/*
 * Rows of keys must come out in order, whatever they were.
 *
 * Method: a network of exchanges sorts everything if it sorts all rows of zeroes and ones (Knuth,
 * The Art of Computer Programming, vol. 3, 5.3.4, theorem Z): there are 65,536. Longer rows are
 * held against how many keys of theirs are smaller.
 */
#include "sim/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

// The first that is out of order, or `count`.
static uint32_t first_wrong(const double *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (keys[i] < keys[i - 1])
            return i;
    return count;
}

static void each_row_of_sixteen_zeroes_and_ones_is_sorted(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < 65536; row++) {
        double keys[16];
        for (uint32_t i = 0; i < 16; i++)
            keys[i] = lz_keys_of(row >> i & 1u);
        lz_keys_sort_sixteen(keys);
        assert_int_equal(first_wrong(keys, 16), 16);
        uint32_t ones = (uint32_t)__builtin_popcount(row);
        for (uint32_t i = 0; i < 16; i++)
            assert_int_equal(lz_keys_to(keys[i]), i >= 16 - ones);
    }
}

static void what_is_out_of_order_is_seen(void **state)
{
    (void)state;
    const double keys[] = {lz_keys_of(1), lz_keys_of(3), lz_keys_of(2), lz_keys_of(4)};
    assert_int_equal(first_wrong(keys, 4), 2);
}

static void rows_of_all_lengths_are_sorted(void **state)
{
    (void)state;
    for (uint32_t count = 0; count <= LZ_KEYS_MAX; count++) {
        for (uint32_t round = 0; round < 10; round++) {
            double keys[LZ_KEYS_MAX], sorted[LZ_KEYS_MAX];
            uint32_t bits = 1 + (uint32_t)lz_hash_mix(count, round) % 61;
            for (uint32_t i = 0; i < count; i++)
                keys[i] = sorted[i] = lz_keys_of(lz_hash_mix(count << 8 | i, round) >> (64 - bits));
            lz_keys_sort(sorted, count);
            assert_int_equal(first_wrong(sorted, count), count);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t smaller = 0, equal = 0;
                for (uint32_t j = 0; j < count; j++) {
                    smaller += keys[j] < keys[i];
                    equal += keys[j] == keys[i];
                }
                for (uint32_t j = smaller; j < smaller + equal; j++)
                    assert_true(sorted[j] == keys[i]);
            }
        }
    }
}

static void a_key_is_what_it_was_made_of_and_before_the_last(void **state)
{
    (void)state;
    static const uint64_t keys[] = {0, 1, 127, 1ull << 52, (1ull << 60) + 1, LZ_KEYS_END - 1};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(lz_keys_to(lz_keys_of(keys[i])), keys[i]);
        assert_true(lz_keys_of(keys[i]) < LZ_KEYS_LAST);
        assert_true(i == 0 || lz_keys_of(keys[i - 1]) < lz_keys_of(keys[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_sixteen_zeroes_and_ones_is_sorted),
        cmocka_unit_test(what_is_out_of_order_is_seen),
        cmocka_unit_test(rows_of_all_lengths_are_sorted),
        cmocka_unit_test(a_key_is_what_it_was_made_of_and_before_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
