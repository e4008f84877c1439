/*
 * The parts of a broker that know nothing of time: hashes of keys, assignments of partitions, sets
 * of offsets, and logs that share batches.
 *
 * Method: tables. An assignment is written as a member per partition, "001122"; a set as the ranges
 * it was given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/broker/assign.h"
#include "model/broker/murmur.h"
#include "model/broker/plog.h"
#include "model/broker/seen.h"
#include "model/broker/transaction.h"

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

// org.apache.kafka.common.utils.UtilsTest.testMurmur2 (Apache-2.0).
static void murmur2_gives_what_kafkas_own_test_expects(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t hash;
    } rows[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal((int32_t)lz_murmur_bytes(rows[i].text, strlen(rows[i].text)),
                         rows[i].hash);
}

static void a_key_is_eight_bytes_the_most_significant_first(void **state)
{
    (void)state;
    static const unsigned char seven[8] = {0, 0, 0, 0, 0, 0, 0, 7};
    uint32_t hash = lz_murmur_bytes(seven, sizeof(seven)) & 0x7fffffffu;
    assert_int_equal(lz_murmur_partition(7, 24), hash % 24);
    assert_int_equal(lz_murmur_partition(7, 1), 0);
}

static void keys_spread_evenly_over_partitions(void **state)
{
    (void)state;
    uint32_t counts[12] = {0};
    for (uint64_t key = 0; key < 120000; key++)
        counts[lz_murmur_partition(key, 12)]++;
    for (size_t i = 0; i < COUNT(counts); i++) // sd is 96
        assert_in_range(counts[i], 9500, 10500);
}

static void assignments_are_kafkas(void **state)
{
    (void)state;
    static const struct {
        enum lz_assign how;
        uint32_t members;
        const char *before, *after; // "." is nobody
    } rows[] = {
        {LZ_ASSIGN_RANGE, 3, "......", "001122"},       {LZ_ASSIGN_RANGE, 4, "......", "001123"},
        {LZ_ASSIGN_RANGE, 3, ".......", "0001122"},     {LZ_ASSIGN_RANGE, 8, "......", "012345"},
        {LZ_ASSIGN_ROUND_ROBIN, 4, "......", "012301"}, {LZ_ASSIGN_STICKY, 3, "......", "012012"},
        {LZ_ASSIGN_STICKY, 2, "001122", "001101"}, // member 2 has gone
        {LZ_ASSIGN_STICKY, 3, "000111", "002112"}, // member 2 has come
        {LZ_ASSIGN_STICKY, 4, "000111", "002113"},      {LZ_ASSIGN_STICKY, 2, "0000000", "0000111"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t owner[16], load[16], n = (uint32_t)strlen(rows[i].before);
        char got[17] = {0};
        for (uint32_t p = 0; p < n; p++)
            owner[p] =
                rows[i].before[p] == '.' ? LZ_ASSIGN_NOBODY : (uint32_t)(rows[i].before[p] - '0');
        lz_assign(rows[i].how, n, rows[i].members, owner, load);
        for (uint32_t p = 0; p < n; p++)
            got[p] = (char)('0' + owner[p]);
        assert_string_equal(got, rows[i].after);
    }
}

static void what_is_seen_again_is_counted(void **state)
{
    (void)state;
    static const struct {
        uint64_t from, to, again;
    } rows[] = {
        {0, 10, 0},  {20, 30, 0}, {5, 12, 5},  {12, 20, 0},
        {0, 30, 30}, {40, 40, 0}, {50, 60, 0}, {25, 55, 10},
    };
    struct lz_seen s;
    lz_seen_init(&s, arena);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(lz_seen_add(&s, rows[i].from, rows[i].to), rows[i].again);
    assert_int_equal(s.count, 1);
    assert_int_equal(lz_seen_next(&s, 0), 60);
    assert_int_equal(lz_seen_next(&s, 60), 60);
}

static void holes_are_what_was_never_seen(void **state)
{
    (void)state;
    struct lz_seen s;
    lz_seen_init(&s, arena);
    lz_seen_add(&s, 10, 20);
    lz_seen_add(&s, 30, 40);
    assert_int_equal(lz_seen_missing(&s, 0, 50), 30);
    assert_int_equal(lz_seen_missing(&s, 15, 35), 10);
    assert_int_equal(lz_seen_missing(&s, 12, 18), 0);
    assert_int_equal(lz_seen_next(&s, 5), 5);
    lz_seen_cut(&s, 35);
    assert_int_equal(lz_seen_missing(&s, 30, 40), 5);
    lz_seen_cut(&s, 30);
    assert_int_equal(lz_seen_next(&s, 10), 20);
    assert_int_equal(s.count, 1);
}

static struct lz_batch *batch(struct lz_pool *pool, uint64_t offset, uint32_t count)
{
    struct lz_batch *b = lz_pool_take(pool);
    b->offset = offset;
    b->count = count;
    return b;
}

static void copies_agree_where_they_have_the_same_batches(void **state)
{
    (void)state;
    struct lz_pool pool;
    struct lz_plog a, b;
    lz_pool_init(&pool, arena, sizeof(struct lz_batch));
    lz_plog_init(&a, arena, &pool);
    lz_plog_init(&b, arena, &pool);
    struct lz_batch *shared = batch(&pool, 0, 10), *own = batch(&pool, 10, 5),
                    *other = batch(&pool, 10, 7);
    lz_plog_append(&a, shared, 1);
    lz_plog_append(&b, shared, 1);
    lz_plog_append(&a, own, 2);
    lz_plog_append(&b, other, 2);
    assert_int_equal(shared->refs, 2);
    assert_true(lz_plog_has(&b, shared));
    assert_false(lz_plog_has(&b, own)); // the same offset, another leader's
    assert_ptr_equal(lz_plog_pop(&a), own);
    assert_int_equal(own->refs, 0);
    assert_int_equal(a.end, 10);
    lz_plog_append(&a, other, 3);
    assert_int_equal(a.end, b.end);
}

static void a_log_finds_a_record_after_its_head_was_dropped(void **state)
{
    (void)state;
    struct lz_pool pool;
    struct lz_plog l;
    lz_pool_init(&pool, arena, sizeof(struct lz_batch));
    lz_plog_init(&l, arena, &pool);
    for (uint32_t i = 0; i < 100; i++) // the ring wraps more than once
        lz_plog_append(&l, batch(&pool, i * 10ull, 10), i + 1);
    for (uint32_t i = 0; i < 90; i++)
        lz_plog_drop(&l);
    for (uint32_t i = 100; i < 120; i++)
        lz_plog_append(&l, batch(&pool, i * 10ull, 10), i + 1);
    assert_int_equal(l.start, 900);
    assert_int_equal(l.end, 1200);
    assert_int_equal(l.cap, 128);
    for (uint64_t offset = 900; offset < 1200; offset++)
        assert_int_equal(lz_plog_at(&l, lz_plog_find(&l, offset))->offset, offset / 10 * 10);
    assert_int_equal(lz_plog_find(&l, 1200), l.count);
}

// A marker's number has sixteen bits for whose it is.
static void a_broker_has_room_for_65536_transactional_members(void **state)
{
    (void)state;
    const struct lz_broker b = {.opts = {.name = "kafka"}};
    struct lz_err err = {0};
    assert_true(lz_transaction_has_room(&b, 65536, &err));
    assert_false(lz_transaction_has_room(&b, 65537, &err));
    assert_string_equal(err.msg, "a broker has at most 65536 members with transactions, and kafka "
                                 "has 0 already");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_gives_what_kafkas_own_test_expects),
        cmocka_unit_test(a_key_is_eight_bytes_the_most_significant_first),
        cmocka_unit_test(keys_spread_evenly_over_partitions),
        cmocka_unit_test(assignments_are_kafkas),
        cmocka_unit_test(a_broker_has_room_for_65536_transactional_members),
        cmocka_unit_test_setup_teardown(what_is_seen_again_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(holes_are_what_was_never_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_agree_where_they_have_the_same_batches, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_log_finds_a_record_after_its_head_was_dropped, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
