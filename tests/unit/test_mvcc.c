/*
 * A snapshot must read what rows were when it was taken, whatever is written meanwhile, and what no
 * snapshot can read any more must not be kept.
 *
 * Method: a script of writes (a version is its place in the script), snapshots taken and given
 * back; against a table of all rows at all times.
 */
#include "model/data/mvcc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MIB ((size_t)1024 * 1024)
#define KEYS 7
#define STEPS 400

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

static void write(struct lz_mvcc *m, struct lz_rows *r, uint64_t key, uint64_t lsn)
{
    lz_mvcc_replace(m, r, key, lsn);
    lz_rows_put(r, key, lsn, 1000 + lsn);
}

static void without_a_snapshot_nothing_is_kept(void **state)
{
    (void)state;
    struct lz_mvcc m;
    struct lz_rows r;
    lz_mvcc_init(&m, arena);
    lz_rows_init(&r, arena);
    for (uint64_t lsn = 1; lsn <= 100; lsn++)
        write(&m, &r, lsn % KEYS, lsn);
    assert_int_equal(m.kept, 0);
    assert_false(lz_mvcc_is_needed(&m));
}

static void a_snapshot_reads_what_was_there_when_it_was_taken(void **state)
{
    (void)state;
    struct lz_mvcc m;
    struct lz_rows r;
    lz_mvcc_init(&m, arena);
    lz_rows_init(&r, arena);
    static uint64_t was[STEPS + 1][KEYS]; // version by time and key
    uint64_t held[4] = {0};               // the snapshots, by when they are given back
    for (uint64_t lsn = 1; lsn <= STEPS; lsn++) {
        uint64_t slot = lsn % 4;
        if (held[slot] != 0)
            lz_mvcc_let_go(&m, held[slot]);
        held[slot] = lsn - 1 > 0 ? lsn - 1 : 0;
        if (held[slot] != 0)
            lz_mvcc_hold(&m, held[slot]);
        uint64_t key = lsn * lsn % KEYS;
        write(&m, &r, key, lsn);
        for (uint64_t k = 0; k < KEYS; k++)
            was[lsn][k] = k == key ? lsn : was[lsn - 1][k];
        for (int s = 0; s < 4; s++)
            for (uint64_t k = 0; k < KEYS && held[s] != 0; k++) {
                uint64_t value, version = lz_mvcc_read(&m, &r, held[s], k, &value);
                assert_int_equal(version, was[held[s]][k]);
                assert_int_equal(value, version > 0 ? 1000 + version : 0);
            }
        assert_true(m.kept <= 4); // as many writes as the oldest snapshot is old
    }
    for (int s = 0; s < 4; s++)
        lz_mvcc_let_go(&m, held[s]);
    assert_int_equal(m.kept, 0);
    assert_int_equal(m.count, 0);
}

static void a_long_snapshot_keeps_all_that_was_replaced_since(void **state)
{
    (void)state;
    struct lz_mvcc m;
    struct lz_rows r;
    uint64_t value;
    lz_mvcc_init(&m, arena);
    lz_rows_init(&r, arena);
    for (uint64_t key = 0; key < 50; key++)
        write(&m, &r, key, key + 1);
    lz_mvcc_hold(&m, 50);
    lz_mvcc_hold(&m, 50); // two of the same
    for (uint64_t lsn = 51; lsn <= 1000; lsn++)
        write(&m, &r, lsn % 60, lsn);
    assert_int_equal(m.kept, 950);
    assert_int_equal(m.dead, 940); // ten keys had no row before
    lz_mvcc_hold(&m, 1000);
    lz_mvcc_let_go(&m, 50);
    assert_int_equal(m.kept, 950);
    for (uint64_t key = 0; key < 60; key++)
        assert_int_equal(lz_mvcc_read(&m, &r, 50, key, &value), key < 50 ? key + 1 : 0);
    lz_mvcc_let_go(&m, 50);
    assert_int_equal(m.kept, 0); // the other snapshot needs none of them
    write(&m, &r, 3, 1001);
    lz_mvcc_clear(&m);
    assert_int_equal(m.kept, 0);
    lz_mvcc_let_go(&m, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_snapshot_nothing_is_kept),
        cmocka_unit_test(a_snapshot_reads_what_was_there_when_it_was_taken),
        cmocka_unit_test(a_long_snapshot_keeps_all_that_was_replaced_since),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
