/*
 * Copies of a key must be as stale as theory says, and throughput must be what was provisioned.
 *
 * Method: Bailis et al., "Probabilistically Bounded Staleness for Practical Partial Quorums",
 * VLDB 2012: the closed form of k-staleness (section 3.1), and t-visibility under exponential WARS
 * (section 5.3 and figure 4, recomputed with four million trials). Buckets: a table of instants.
 */
#include "model/store/copies.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/store/throughput.h"
#include "sim/draw.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

// Which copies are quickest is drawn; nobody else hears of a write.
static void order(struct lz_copies_times *t, uint32_t n, uint64_t nth)
{
    struct lz_draw draw = lz_draw_begin(5, 1, LZ_PURPOSE_QUORUM, nth);
    for (uint32_t i = 0; i < n; i++) {
        t->there[i] = 0;
        t->back[i] = (lz_time)(lz_draw_unit(&draw) * 1e6) + 1;
    }
}

// The share of reads that are at most k - 1 versions behind.
static double within(uint32_t r, uint32_t w, uint64_t k)
{
    enum { TRIALS = 400000 };
    const struct lz_copies_opts o = {.n = 3, .w = w, .r = r};
    struct lz_copies c = {0};
    uint32_t good = 0;
    for (uint64_t i = 1; i <= TRIALS; i++) {
        struct lz_copies_times t;
        order(&t, 3, 2 * i);
        lz_time now = (lz_time)i * LZ_S;
        lz_copies_put(&o, &c, &(struct lz_copies_write){.version = i, .value = i}, &t, now);
        order(&t, 3, 2 * i + 1);
        struct lz_copies_seen seen = lz_copies_get(&o, &c, &t, now + LZ_S / 2);
        good += seen.version + k > i;
    }
    return (double)good / TRIALS;
}

static void reads_are_as_many_versions_behind_as_pbs_says(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t r, w;
        uint64_t k;
        double p; // 1 - (C(N-W, R) / C(N, R))^k
    } rows[] = {
        {1, 1, 1, 0.33333},  {1, 1, 2, 0.55556},  {1, 1, 3, 0.7037},   {1, 1, 5, 0.86831},
        {1, 1, 10, 0.98266}, {1, 2, 1, 0.66667},  {1, 2, 2, 0.88889},  {1, 2, 3, 0.96296},
        {1, 2, 5, 0.99588},  {1, 2, 10, 0.99998}, {2, 1, 1, 0.66667},  {2, 1, 2, 0.88889},
        {2, 1, 3, 0.96296},  {2, 1, 5, 0.99588},  {2, 1, 10, 0.99998}, {2, 2, 1, 1.0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(fabs(within(rows[i].r, rows[i].w, rows[i].k) - rows[i].p) <= 0.003);
}

static lz_time exponential(struct lz_draw *draw, double mean_ms)
{
    return (lz_time)(lz_draw_exponential(draw) * mean_ms * 1e6);
}

// The share of reads that begin `after` a write was committed and see it.
static double visible(double rate, double after_ms)
{
    enum { TRIALS = 200000 };
    const struct lz_copies_opts o = {.n = 3, .w = 1, .r = 1, .propagates = true};
    uint32_t good = 0;
    for (uint64_t i = 1; i <= TRIALS; i++) {
        struct lz_copies c = {0};
        struct lz_copies_times out, in;
        struct lz_draw draw = lz_draw_begin(5, 2, LZ_PURPOSE_QUORUM, i);
        for (uint32_t n = 0; n < 3; n++) {
            out.there[n] = exponential(&draw, 1.0 / rate);
            out.back[n] = exponential(&draw, 1.0);
            in.there[n] = exponential(&draw, 1.0);
            in.back[n] = exponential(&draw, 1.0);
        }
        lz_time wait = lz_copies_put(&o, &c, &(struct lz_copies_write){.version = 1}, &out, 0);
        struct lz_copies_seen seen = lz_copies_get(&o, &c, &in, wait + (lz_time)(after_ms * 1e6));
        assert_int_equal(seen.is_stale, seen.version == 0);
        good += seen.version == 1;
    }
    return (double)good / TRIALS;
}

static void writes_become_visible_as_fast_as_pbs_says(void **unused)
{
    (void)unused;
    static const struct {
        double rate, after_ms, p, within;
    } rows[] = {
        {4, 0, 0.943, 0.01},     {4, 1, 0.999, 0.01},        {1, 0, 0.752, 0.01},
        {0.5, 0, 0.625, 0.01},   {0.1, 0, 0.42, 0.01},       {4, 1.01, 0.999, 0.0005},
        {1, 5.5, 0.999, 0.0005}, {0.5, 11.9, 0.999, 0.0005}, {0.1, 63.6, 0.999, 0.0005},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double got = visible(rows[i].rate, rows[i].after_ms);
        if (!(fabs(got - rows[i].p) <= rows[i].within))
            fail_msg("rate %g, %g ms: %.5f, not %g", rows[i].rate, rows[i].after_ms, got,
                     rows[i].p);
    }
}

static void hints_wait_for_a_copy_and_reads_repair_it(void **unused)
{
    (void)unused;
    struct lz_copies_opts o = {.n = 3, .w = 2, .r = 1, .propagates = true, .hints = true};
    const struct lz_copies_times near = {.there = {1, 1, -1}, .back = {1, 1, -1}};
    const struct lz_copies_times third = {.there = {-1, -1, 1}, .back = {-1, -1, 1}};
    const struct lz_copies_times all = {.there = {1, 1, 1}, .back = {1, 1, 9}};
    const struct lz_copies_write write = {.version = 7, .value = 70};
    struct lz_copies c = {0};
    assert_int_equal(lz_copies_put(&o, &c, &write, &near, 100), 2);
    assert_true(lz_copies_get(&o, &c, &third, 200).is_stale);
    assert_true(lz_copies_deliver(&c, 2, 300));
    assert_false(lz_copies_deliver(&c, 2, 400));
    assert_true(lz_copies_get(&o, &c, &third, 298).is_stale);
    assert_int_equal(lz_copies_get(&o, &c, &third, 300).value, 70);

    struct lz_copies d = {0};
    o.hints = false;
    o.read_repair = true;
    lz_copies_put(&o, &d, &write, &near, 100);
    assert_false(lz_copies_deliver(&d, 2, 200));
    assert_int_equal(lz_copies_get(&o, &d, &all, 300).version, 7);
    assert_false(lz_copies_get(&o, &d, &third, 400).is_stale);

    o.w = 3; // cannot be met: nothing is written
    assert_true(lz_copies_put(&o, &d, &(struct lz_copies_write){.version = 8}, &near, 500) ==
                LZ_FOREVER);
    assert_int_equal(lz_copies_committed(&d, 600), 7);
}

// How many of `asked` writes a second to one key pass in the second that ends at `at_s`.
static uint32_t passed(const struct lz_throughput_opts *o, uint32_t asked, uint32_t at_s)
{
    struct lz_arena *arena;
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 4 * MIB}, &arena, &err));
    struct lz_throughput *t = lz_throughput_create(arena, o);
    uint32_t count = 0;
    for (uint32_t i = 0; i < asked * at_s; i++) {
        bool is_last = i >= asked * (at_s - 1);
        count += lz_throughput_take(t, 1, LZ_THROUGHPUT_WRITE, 1.0, (lz_time)i * LZ_S / asked) &&
                 is_last;
    }
    lz_arena_destroy(arena);
    return count;
}

static void throughput_is_what_was_provisioned_and_saved(void **unused)
{
    (void)unused;
    // 400 writes a second over 4 partitions, one key: its share is 100, the table's all of it.
    struct lz_throughput_opts o = {
        .parts = 4, .part_rate = {3000, 1000}, .rate = {400, 400}, .saved_s = 300};
    assert_int_equal(passed(&o, 500, 60), 500); // 300 s of 100 were saved: 75 s of 400 more
    assert_int_equal(passed(&o, 500, 90), 100);
    o.adaptive = true;
    assert_int_equal(passed(&o, 500, 900), 500); // 300 s of 400 were saved
    assert_int_equal(passed(&o, 500, 1300), 400);
    assert_int_equal(passed(&o, 2000, 10), 1000); // no partition does more
    o.rate[LZ_THROUGHPUT_WRITE] = 0;              // on demand
    assert_int_equal(passed(&o, 2000, 100), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_as_many_versions_behind_as_pbs_says),
        cmocka_unit_test(writes_become_visible_as_fast_as_pbs_says),
        cmocka_unit_test(hints_wait_for_a_copy_and_reads_repair_it),
        cmocka_unit_test(throughput_is_what_was_provisioned_and_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
