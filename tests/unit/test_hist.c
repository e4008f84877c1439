/*
 * A histogram's quantiles must be those of the sorted values, within 1 %, before and after
 * packing and merging; its extremes, count and sum are exact.
 *
 * Method: fixed pseudo-random values of several shapes, against the values themselves, sorted.
 */
#include "sim/hist.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define VALUES 5000

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

static double unit(uint64_t *lcg)
{
    *lcg = *lcg * 6364136223846793005ull + 1442695040888963407ull;
    return ((double)(*lcg >> 11) + 0.5) * 0x1p-53;
}

static int64_t constant(double u)
{
    (void)u;
    return 123456789;
}

static int64_t small(double u)
{
    return (int64_t)(u * 200);
}

static int64_t uniform(double u)
{
    return (int64_t)(u * 1e9);
}

static int64_t exponential(double u)
{
    return (int64_t)(-log(u) * 5e6);
}

static int64_t pareto(double u)
{
    return (int64_t)(1000 * pow(u, -2));
}

static int64_t two_humps(double u)
{
    return (int64_t)(u < 0.97 ? 1e6 + u * 1e5 : 5e9 + u * 1e8);
}

static int64_t all_sizes(double u)
{
    return (int64_t)exp2(u * 62.9);
}

typedef int64_t shape_fn(double u);
static shape_fn *const shapes[] = {constant, small,     uniform,  exponential,
                                   pareto,   two_humps, all_sizes};

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void assert_is_of(const struct lz_hist *h, int64_t *values, uint32_t count)
{
    static const double qs[] = {0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};
    qsort(values, count, sizeof(*values), by_value);
    assert_int_equal(h->facts.count, count);
    assert_int_equal(h->facts.min, values[0]);
    assert_int_equal(h->facts.max, values[count - 1]);
    assert_true(lz_hist_quantile(h, 0) == (double)values[0]);
    assert_true(lz_hist_quantile(h, 1) == (double)values[count - 1]);
    for (size_t i = 0; i < COUNT(qs); i++) {
        double rank = ceil(qs[i] * count);
        double exact = (double)values[rank < 1 ? 0 : (size_t)rank - 1];
        double value = lz_hist_quantile(h, qs[i]);
        double allowed = exact < 2 * LZ_HIST_SUBS ? 0 : exact * 0.01;
        if (!(fabs(value - exact) <= allowed))
            fail_msg("q %g of %u is %g, not %g", qs[i], count, value, exact);
    }
}

// The sum, by halves of 32 bits so that nothing is carried out of sight.
static void assert_sum(const struct lz_hist *h, const int64_t *values, uint32_t count)
{
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < count; i++) {
        low += (uint64_t)values[i] & UINT32_MAX;
        high += (uint64_t)values[i] >> 32;
    }
    high += low >> 32;
    assert_int_equal(h->facts.sum_low, high << 32 | (low & UINT32_MAX));
    assert_int_equal(h->facts.sum_high, high >> 32);
}

static void quantiles_are_within_one_percent_and_extremes_exact(void **state)
{
    (void)state;
    static int64_t values[VALUES];
    for (size_t s = 0; s < COUNT(shapes); s++) {
        struct lz_hist h;
        lz_hist_init(&h, arena);
        uint64_t lcg = 1;
        for (uint32_t count = 1; count <= VALUES; count = 3 * count + 2) {
            lz_hist_clear(&h); // its buckets stay
            for (uint32_t i = 0; i < count; i++) {
                values[i] = shapes[s](unit(&lcg));
                lz_hist_add(&h, values[i]);
            }
            assert_sum(&h, values, count);
            assert_is_of(&h, values, count);
        }
    }
}

static void a_bucket_holds_what_its_middle_is_near_to(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (int64_t v = 0; v < INT64_MAX / 2; v += 1 + v / 1000) {
        uint32_t b = lz_hist_bucket(v);
        assert_true(b >= before && b <= before + 1);
        assert_true(fabs(lz_hist_value(b) - (double)v) <= 0.004 * (double)v);
        before = b;
    }
}

static void the_largest_value_has_a_bucket(void **state)
{
    (void)state;
    int64_t values[] = {0, INT64_MAX, INT64_MAX - 1};
    struct lz_hist h;
    lz_hist_init(&h, arena);
    for (size_t i = 0; i < COUNT(values); i++)
        lz_hist_add(&h, values[i]);
    assert_is_of(&h, values, COUNT(values));
}

// Both ways of merging must give what adding each value would.
static void merged_histograms_equal_one_of_all_values(void **state)
{
    (void)state;
    static int64_t values[2 * VALUES];
    for (size_t a = 0; a < COUNT(shapes); a++) {
        for (size_t b = 0; b < COUNT(shapes); b++) {
            struct lz_hist parts[2], merged, unpacked, again;
            lz_hist_init(&merged, arena);
            lz_hist_init(&unpacked, arena);
            lz_hist_init(&again, arena);
            uint32_t count = 0;
            uint64_t lcg = a * 8 + b;
            for (size_t i = 0; i < 2; i++) {
                struct lz_hist *part = &parts[i];
                lz_hist_init(part, arena);
                for (uint32_t n = 0; n < 300 + 200 * i; n++) {
                    values[count] = shapes[i == 0 ? a : b](unit(&lcg));
                    lz_hist_add(part, values[count++]);
                }
                lz_hist_merge(&merged, part);
                uint32_t size;
                unsigned char *packed = lz_hist_pack(part, &size);
                lz_hist_merge_packed(&unpacked, &part->facts, packed, size);
            }
            assert_is_of(&merged, values, count);
            assert_is_of(&unpacked, values, count);
            assert_sum(&merged, values, count);
            assert_sum(&unpacked, values, count);
            uint32_t size_merged, size_unpacked;
            unsigned char *x = lz_hist_pack(&merged, &size_merged);
            unsigned char *y = lz_hist_pack(&unpacked, &size_unpacked);
            assert_int_equal(size_merged, size_unpacked);
            assert_memory_equal(x, y, size_merged);
        }
    }
}

static void an_empty_histogram_packs_to_nothing_and_merges_as_nothing(void **state)
{
    (void)state;
    int64_t values[] = {3000, 4000};
    struct lz_hist empty, h;
    lz_hist_init(&empty, arena);
    lz_hist_init(&h, arena);
    for (int round = 0; round < 2; round++) {
        uint32_t size = 1;
        unsigned char *packed = lz_hist_pack(&empty, &size);
        assert_int_equal(size, 0);
        lz_hist_merge(&h, &empty);
        lz_hist_merge_packed(&h, &empty.facts, packed, size);
        assert_int_equal(h.facts.count, 0);
        lz_hist_add(&h, values[0]);
        lz_hist_add(&h, values[1]);
        lz_hist_merge(&h, &empty);
        lz_hist_merge_packed(&h, &empty.facts, packed, size);
        assert_is_of(&h, values, COUNT(values));
        lz_hist_add(&empty, 5); // emptied again it is as empty as before
        lz_hist_clear(&empty);
        lz_hist_clear(&h);
    }
}

static void a_value_added_many_times_is_that_many_values(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        uint64_t times;
    } rows[] = {{0, 0}, {0, 1}, {0, 7}, {1000, 3}, {INT64_MAX, 5}};
    struct lz_hist many, each;
    lz_hist_init(&many, arena);
    lz_hist_init(&each, arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        lz_hist_add_many(&many, rows[i].value, rows[i].times);
        for (uint64_t n = 0; n < rows[i].times; n++)
            lz_hist_add(&each, rows[i].value);
        assert_memory_equal(&many.facts, &each.facts, sizeof(many.facts));
        for (double q = 0.0; q <= 1.0 && each.facts.count > 0; q += 0.125)
            assert_true(lz_hist_quantile(&many, q) == lz_hist_quantile(&each, q));
    }
}

static void values_added_together_are_in_the_buckets_that_each_would_be_in(void **state)
{
    (void)state;
    static const int64_t values[] = {
        5000, 130,        129,       128,  127,  0,         1, 255,       256,
        257,  1000000007, 1ll << 40, 5000, 5000, INT64_MAX, 2, INT64_MAX, 77,
    };
    for (size_t together = 1; together <= COUNT(values); together++) {
        struct lz_hist all, each;
        lz_hist_init(&all, arena);
        lz_hist_init(&each, arena);
        for (size_t i = 0; i < COUNT(values); i += together)
            lz_hist_add_all(&all, values + i,
                            COUNT(values) - i < together ? COUNT(values) - i : together);
        for (size_t i = 0; i < COUNT(values); i++)
            lz_hist_add(&each, values[i]);
        assert_memory_equal(&all.facts, &each.facts, sizeof(all.facts));
        assert_int_equal(all.first, each.first);
        assert_int_equal(all.cap, each.cap);
        assert_memory_equal(all.counts, each.counts, all.cap * sizeof(*all.counts));
    }
    struct lz_hist none;
    lz_hist_init(&none, arena);
    lz_hist_add_all(&none, NULL, 0);
    assert_int_equal(none.facts.count, 0);
    assert_int_equal(none.cap, 0);
}

// 0.07 * 100 and 0.55 * 100 are a little more than 7 and 55 in binary.
static void the_rank_of_a_quantile_is_not_rounded_past_a_whole_number(void **state)
{
    (void)state;
    struct lz_hist h;
    lz_hist_init(&h, arena);
    for (int64_t v = 1; v <= 100; v++)
        lz_hist_add(&h, v);
    for (int percent = 1; percent <= 100; percent++)
        assert_true(lz_hist_quantile(&h, (double)percent / 100.0) == (double)percent);
    assert_true(lz_hist_quantile(&h, 0.551) == 56.0);
}

static void the_mean_is_of_the_exact_sum(void **state)
{
    (void)state;
    struct lz_hist h;
    lz_hist_init(&h, arena);
    for (int64_t i = 0; i < 1000; i++)
        lz_hist_add(&h, 1000003 + i);
    assert_true(lz_hist_mean(&h) == 1000003.0 + 499.5);
    for (int i = 0; i < 9; i++) // past 2^64
        lz_hist_add(&h, INT64_C(1) << 62);
    assert_int_equal(h.facts.sum_high, 2);
    assert_int_equal(h.facts.sum_low, (UINT64_C(1) << 62) + 1000502500);
}

static void an_idle_histogram_takes_no_memory(void **state)
{
    (void)state;
    size_t before = lz_arena_used(arena);
    struct lz_hist h, other;
    lz_hist_init(&h, arena);
    lz_hist_init(&other, arena);
    lz_hist_merge(&h, &other);
    lz_hist_clear(&h);
    uint32_t size;
    assert_null(lz_hist_pack(&h, &size));
    assert_int_equal(lz_arena_used(arena), before);
    lz_hist_add(&h, 20 * 1000 * 1000);
    lz_hist_add(&h, 30 * 1000 * 1000); // of the same octave
    assert_true(lz_arena_used(arena) - before <= 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_one_percent_and_extremes_exact),
        cmocka_unit_test(a_bucket_holds_what_its_middle_is_near_to),
        cmocka_unit_test(the_largest_value_has_a_bucket),
        cmocka_unit_test(merged_histograms_equal_one_of_all_values),
        cmocka_unit_test(an_empty_histogram_packs_to_nothing_and_merges_as_nothing),
        cmocka_unit_test(a_value_added_many_times_is_that_many_values),
        cmocka_unit_test(values_added_together_are_in_the_buckets_that_each_would_be_in),
        cmocka_unit_test(the_rank_of_a_quantile_is_not_rounded_past_a_whole_number),
        cmocka_unit_test(the_mean_is_of_the_exact_sum),
        cmocka_unit_test(an_idle_histogram_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
