/*
 * A log must know how far each node has it, what a cut loses, and keep what is still needed.
 *
 * Method: "2314" are records in order of arrival; the expectation is how far the node has
 * the log after each.
 */
#include "model/data/wal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

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

static struct lz_wal make(uint64_t records)
{
    struct lz_wal l;
    lz_wal_init(&l, arena);
    for (uint64_t i = 1; i <= records; i++)
        assert_int_equal(lz_wal_append(&l, 100 + i, NULL, (lz_time)(10 * i)), i);
    return l;
}

static void records_are_numbered_from_one_and_kept(void **state)
{
    (void)state;
    struct lz_wal l = make(1000);
    for (uint64_t i = 1; i <= 1000; i++) {
        const struct lz_wal_record *r = lz_wal_get(&l, i);
        assert_int_equal(r->key, 100 + i);
        assert_int_equal(r->value, i); // none was said
        assert_int_equal(r->at, 10 * i);
        assert_int_equal(r->arrived, 0);
        assert_false(r->acked);
    }
    assert_null(lz_wal_get(&l, 0));
    assert_null(lz_wal_get(&l, 1001));
}

static void a_node_has_the_log_up_to_its_first_gap(void **state)
{
    (void)state;
    static const struct {
        const char *order, *have;
    } rows[] = {
        {"12345", "12345"}, {"54321", "00005"}, {"21435", "02245"}, {"31245", "01345"},
        {"13524", "11135"}, {"11122", "11122"}, {"33211", "00033"}, {"12678", "12222"}, // no such
        {"05000", "00000"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint32_t node = 0; node < 64; node += 21) {
            struct lz_wal l = make(5);
            uint64_t have = 0;
            for (size_t n = 0; rows[i].order[n] != '\0'; n++) {
                have = lz_wal_arrived(&l, node, have, (uint64_t)(rows[i].order[n] - '0'),
                                      (uint64_t)(rows[i].order[n] - '0'));
                if (have != (uint64_t)(rows[i].have[n] - '0'))
                    fail_msg("%s: has %d after %zu", rows[i].order, (int)have, n + 1);
            }
        }
    }
}

// A capital goes on in the next record.
static void a_node_has_a_transaction_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *records, *order, *have;
    } rows[] = {{"aBbc", "1234", "1134"},
                {"ABCd", "1234", "0004"},
                {"ABcd", "3214", "0034"},
                {"aBCd", "2341", "0004"},
                {"abCD", "1234", "1222"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_wal l = make(4);
        for (uint64_t n = 1; n <= 4; n++)
            lz_wal_get(&l, n)->more = rows[i].records[n - 1] <= 'Z';
        uint64_t have = 0;
        for (size_t n = 0; n < 4; n++) {
            have = lz_wal_arrived(&l, 3, have, (uint64_t)(rows[i].order[n] - '0'),
                                  (uint64_t)(rows[i].order[n] - '0'));
            if (have != (uint64_t)(rows[i].have[n] - '0'))
                fail_msg("%s, %s: has %d after %zu", rows[i].records, rows[i].order, (int)have,
                         n + 1);
        }
    }
}

static void a_record_carries_the_value_it_was_given(void **state)
{
    (void)state;
    struct lz_wal l = make(2);
    static const uint64_t values[] = {0, 7, UINT64_MAX};
    for (size_t i = 0; i < COUNT(values); i++)
        assert_int_equal(lz_wal_get(&l, lz_wal_append(&l, 1, &values[i], 0))->value, values[i]);
}

static void nodes_have_the_log_each_for_itself(void **state)
{
    (void)state;
    struct lz_wal l = make(3);
    assert_int_equal(lz_wal_arrived(&l, 0, 0, 2, 2), 0);
    assert_int_equal(lz_wal_arrived(&l, 63, 0, 3, 3), 0);
    assert_int_equal(lz_wal_arrived(&l, 63, 0, 1, 1), 1);
    assert_int_equal(lz_wal_arrived(&l, 0, 0, 1, 1), 2);
    assert_int_equal(lz_wal_arrived(&l, 63, 1, 2, 2), 3);
    assert_int_equal(lz_wal_append(&l, 9, NULL, 9), 4);
    assert_int_equal(lz_wal_arrived(&l, 0, 2, 4, 4), 2);
    assert_int_equal(lz_wal_arrived(&l, 0, 2, 3, 3), 4);
}

static void a_cut_counts_the_acknowledged_records_it_loses(void **state)
{
    (void)state;
    static const struct {
        const char *acked; // of records 1 ..
        uint64_t cut, lost;
    } rows[] = {{"++++", 4, 0}, {"++++", 5, 0}, {"++++", 3, 1}, {"++++", 0, 4}, {"----", 0, 0},
                {"+-+-", 1, 1}, {"-+--", 2, 0}, {"-+--", 1, 1}, {"", 0, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t count = strlen(rows[i].acked);
        struct lz_wal l = make(count);
        for (uint64_t n = 1; n <= count; n++)
            lz_wal_get(&l, n)->acked = rows[i].acked[n - 1] == '+';
        assert_int_equal(lz_wal_cut(&l, rows[i].cut), rows[i].lost);
        assert_int_equal(l.last, rows[i].cut < count ? rows[i].cut : count);
        assert_null(lz_wal_get(&l, rows[i].cut + 1));
    }
}

static void after_a_cut_numbers_are_used_again_with_nothing_left_on_them(void **state)
{
    (void)state;
    struct lz_wal l = make(3);
    lz_wal_get(&l, 3)->acked = true;
    assert_int_equal(lz_wal_arrived(&l, 5, 0, 3, 3), 0);
    lz_wal_cut(&l, 2);
    assert_int_equal(lz_wal_arrived(&l, 5, 0, 3, 3), 0); // of the old timeline, on its way
    assert_int_equal(lz_wal_append(&l, 77, NULL, 8), 3);
    assert_int_equal(lz_wal_get(&l, 3)->key, 77);
    assert_false(lz_wal_get(&l, 3)->acked);
    assert_int_equal(lz_wal_arrived(&l, 5, 0, 1, 1), 1);
    assert_int_equal(lz_wal_arrived(&l, 5, 1, 2, 2), 2);
}

static void what_is_not_dropped_stays_as_it_was(void **state)
{
    (void)state;
    struct lz_wal l = make(20000);
    for (uint64_t lsn = 0; lsn <= 20000; lsn += 500) {
        lz_wal_drop(&l, lsn);
        assert_true(l.base <= lsn);
        assert_true(lsn - l.base < 10000); // half of what is kept may be waiting to go
        assert_null(lz_wal_get(&l, l.base));
        for (uint64_t i = l.base + 1; i <= 20000; i++)
            assert_int_equal(lz_wal_get(&l, i)->key, 100 + i);
    }
    assert_int_equal(lz_wal_append(&l, 5, NULL, 6), 20001);
    assert_int_equal(lz_wal_get(&l, 20001)->key, 5);
    assert_int_equal(lz_wal_cut(&l, 20000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_numbered_from_one_and_kept),
        cmocka_unit_test(a_node_has_the_log_up_to_its_first_gap),
        cmocka_unit_test(a_node_has_a_transaction_whole_or_not_at_all),
        cmocka_unit_test(a_record_carries_the_value_it_was_given),
        cmocka_unit_test(nodes_have_the_log_each_for_itself),
        cmocka_unit_test(a_cut_counts_the_acknowledged_records_it_loses),
        cmocka_unit_test(after_a_cut_numbers_are_used_again_with_nothing_left_on_them),
        cmocka_unit_test(what_is_not_dropped_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
