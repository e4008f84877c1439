/*
 * A row map must give back the last version put under a key, however it has grown.
 *
 * Method: keys that are dense, spread and extreme; versions follow from the key.
 */
#include "model/data/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/value.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define KEYS 20000

static struct lz_arena *arena;

static int setup(void **state)
{
    (void)state;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 64 * MIB};
    return lz_arena_create(&opts, &arena, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

static void the_last_version_put_is_the_one_got(void **state)
{
    (void)state;
    static const struct {
        uint64_t key, version;
    } puts[] = {{0, 1}, {UINT64_MAX, 2}, {7, 3}, {7, 4}, {0, 9}, {UINT64_MAX, 0}, {8, 0}};
    struct lz_rows r;
    lz_rows_init(&r, arena);
    assert_int_equal(lz_rows_get(&r, 0), 0); // no table yet
    for (size_t i = 0; i < COUNT(puts); i++) {
        lz_rows_put(&r, puts[i].key, puts[i].version, 0);
        assert_int_equal(lz_rows_get(&r, puts[i].key), puts[i].version);
    }
    assert_int_equal(lz_rows_get(&r, 0), 9);
    assert_int_equal(lz_rows_get(&r, 7), 4);
    assert_int_equal(lz_rows_get(&r, 9), 0);
}

static void a_row_is_read_with_its_value(void **state)
{
    (void)state;
    struct lz_rows r;
    uint64_t value = 5;
    lz_rows_init(&r, arena);
    assert_int_equal(lz_rows_read(&r, 1, &value), 0);
    assert_int_equal(value, 0);
    lz_rows_put(&r, 1, 10, UINT64_MAX);
    lz_rows_put(&r, 2, 11, 0);
    assert_int_equal(lz_rows_read(&r, 1, &value), 10);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(lz_rows_read(&r, 2, &value), 11);
    assert_int_equal(value, 0);
    lz_rows_put(&r, 1, 0, 9); // says that there is none
    assert_int_equal(lz_rows_read(&r, 1, &value), 0);
    assert_int_equal(value, 0);
}

static void every_row_survives_growth(void **state)
{
    (void)state;
    static const uint64_t strides[] = {1, 3, 64, 255, 256, 1ull << 32, 0x9e3779b97f4a7c15ull};
    for (size_t s = 0; s < COUNT(strides); s++) {
        struct lz_rows r;
        lz_rows_init(&r, arena);
        for (uint64_t i = 0; i < KEYS; i++) {
            lz_rows_put(&r, i * strides[s], i + 1, ~i);
            lz_rows_put(&r, i / 2 * strides[s], i / 2 + 7, i / 2); // again: not one more
        }
        assert_int_equal(r.count, KEYS);
        for (uint64_t i = 0; i < KEYS; i++)
            assert_int_equal(lz_rows_get(&r, i * strides[s]), i < KEYS / 2 ? i + 7 : i + 1);
        for (uint64_t i = KEYS; i < 2 * KEYS; i++)
            assert_int_equal(lz_rows_get(&r, i * strides[s]), 0);
    }
}

static void a_copy_is_equal_and_apart(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 48, 49, 5000, 10};
    struct lz_rows from, to;
    lz_rows_init(&to, arena);
    lz_rows_put(&to, 123456, 1, 1); // what was there before is gone
    for (size_t s = 0; s < COUNT(sizes); s++) {
        lz_rows_init(&from, arena);
        for (uint64_t i = 0; i < sizes[s]; i++)
            lz_rows_put(&from, i, i + 1, i);
        lz_rows_copy(&to, &from);
        assert_int_equal(to.count, sizes[s]);
        assert_int_equal(lz_rows_get(&to, 123456), 0);
        for (uint64_t i = 0; i < sizes[s]; i++) {
            lz_rows_put(&from, i, 99999, i);
            assert_int_equal(lz_rows_get(&to, i), i + 1);
        }
        lz_rows_put(&to, 123456, 5, 5);
        assert_int_equal(lz_rows_get(&to, 123456), 5);
        assert_int_equal(lz_rows_get(&from, 123456), 0);
    }
}

// What a walk over all finds, row by row, against what was put.
static void a_walk_meets_every_row_once(void **state)
{
    (void)state;
    static const uint64_t strides[] = {1, 3, 256, 0x9e3779b97f4a7c15ull};
    for (size_t s = 0; s < COUNT(strides); s++) {
        struct lz_rows r;
        lz_rows_init(&r, arena);
        for (uint64_t i = 0; i < 1000; i++)
            lz_rows_put(&r, i * strides[s], i % 10 == 0 ? 0 : i, i); // each tenth is none
        uint64_t key, version, at = 0, met = 0, sum = 0, wanted = 0;
        for (uint64_t i = 0; i < 1000; i++)
            wanted += i % 10 == 0 ? 0 : i;
        for (; lz_rows_next(&r, &at, &key, &version); met++) {
            assert_int_equal(key, version * strides[s]);
            sum += version;
        }
        assert_int_equal(met, 900);
        assert_int_equal(sum, wanted);
    }
}

// Ordinals: 24 bytes a row, and to write a thousand of them touches few pages.
// As a database writes: the version is the value unless another is given, to some rows or to all.
static void a_row_has_its_value_whatever_the_others_of_its_group_have(void **state)
{
    (void)state;
    static const uint64_t valued[] = {0, 1, 7, 100, 300}; // every so manieth has a value; 0: none
    for (size_t n = 0; n < COUNT(valued); n++) {
        struct lz_rows r, again;
        lz_rows_init(&r, arena);
        lz_rows_init(&again, arena);
        for (uint64_t round = 0; round < 2; round++)
            for (uint64_t i = 0; i < 1000; i++) {
                uint64_t version = 1 + i + 1000 * round;
                bool has_value = valued[n] > 0 && i % valued[n] == 0;
                lz_rows_put(&r, i, version,
                            has_value ? 5000 + i : lz_value_integer((int64_t)version));
            }
        lz_rows_put(&r, 3, 0, 0); // it is no more
        lz_rows_copy(&again, &r);
        assert_int_equal(lz_rows_hash(&r), lz_rows_hash(&again));
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t value, version = i == 3 ? 0 : 1001 + i;
            bool has_value = valued[n] > 0 && i % valued[n] == 0;
            assert_int_equal(lz_rows_read(&again, i, &value), version);
            if (version > 0)
                assert_int_equal(value, has_value ? 5000 + i : lz_value_integer((int64_t)version));
            else
                assert_int_equal(value, 0);
        }
        assert_int_equal(lz_rows_read(&again, 1000, &(uint64_t){0}), 0);
        uint64_t at = 0, key, version;
        uint32_t met = 0;
        while (lz_rows_next(&again, &at, &key, &version))
            met++;
        assert_int_equal(met, 999);
        // Four groups of 256: lean, or a row of three numbers for each key.
        assert_int_equal(lz_rows_bytes(&r), lz_rows_bytes(&again));
        if (valued[n] == 0)
            assert_true(lz_rows_bytes(&r) <= 1024 * 8 + 8 * 48);
        lz_rows_finish(&r);
        lz_rows_finish(&again);
    }
}

static void rows_with_keys_in_sequence_lie_side_by_side(void **state)
{
    (void)state;
    struct lz_rows r;
    lz_rows_init(&r, arena);
    for (uint64_t i = 0; i < 100000; i++)
        lz_rows_put(&r, i, i + 1, i);
    assert_true(lz_rows_bytes(&r) < 100000 * 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_version_put_is_the_one_got),
        cmocka_unit_test(a_row_is_read_with_its_value),
        cmocka_unit_test(every_row_survives_growth),
        cmocka_unit_test(a_copy_is_equal_and_apart),
        cmocka_unit_test(a_walk_meets_every_row_once),
        cmocka_unit_test(a_row_has_its_value_whatever_the_others_of_its_group_have),
        cmocka_unit_test(rows_with_keys_in_sequence_lie_side_by_side),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
