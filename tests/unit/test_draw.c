/*
 * Draws must be Philox, keyed, and distributed as they say.
 *
 * Method: Philox against the known answers published with Random123. Shapes by counting
 * 200,000 draws of a fixed key below known quantiles: the count is deterministic, and four
 * standard deviations leave room for the key but not for a mistake.
 */
#include "sim/draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/math.h"
#include "sim/dist.h"
#include "sim/philox.h"

#define DRAWS 200000

static void philox_gives_the_published_answers(void **state)
{
    (void)state;
    const struct {
        uint32_t counter[4], key[2], want[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint32_t out[4];
        lz_draw_philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].want, sizeof(out));
    }
}

// Which way a block is made, a machine without wide vectors shall see too: by itself, here, and on
// whole registers.
static void a_block_is_the_same_whichever_way_it_is_made(void **state)
{
    (void)state;
    static const struct {
        uint64_t low, high, key, first, second;
    } known[] = {
        {0, 0, 0, 0xe169c58d6627e8d5, 0x9b00dbd8bc57ac4c},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x41c83b0e408f276d, 0x6d5451fda20bc7c6},
        {0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822, 0x94fdccebd16cfe09,
         0x24126ea15001e420},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct lz_philox plain = lz_philox_plain(known[i].low, known[i].high, known[i].key);
        struct lz_philox block = lz_philox_block(known[i].low, known[i].high, known[i].key);
        assert_true(plain.first == known[i].first && plain.second == known[i].second);
        assert_true(block.first == known[i].first && block.second == known[i].second);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        // Some halves of words are all ones, or none.
        uint64_t mask = i % 3 == 0 ? 0xffffffff00000000 : 0, more = i % 5 == 0 ? UINT32_MAX : 0;
        uint64_t low = (lz_hash_mix(i, 1) & ~mask) | more, high = lz_hash_mix(i, 2) | mask;
        uint64_t key = (lz_hash_mix(i, 3) | more) & ~(mask << 1);
        struct lz_philox plain = lz_philox_plain(low, high, key);
        struct lz_philox block = lz_philox_block(low, high, key);
        assert_true(block.first == plain.first && block.second == plain.second);
    }
}

static void a_block_gives_two_numbers_low_words_first(void **state)
{
    (void)state;
    uint64_t owner = 0x1122334455667788u, key = 0x99aabbccddeeff00u;
    struct lz_draw draw = lz_draw_begin(key, owner, LZ_PURPOSE_SERVICE, 5);
    for (uint32_t block = 0; block < 3; block++) {
        const uint32_t counter[4] = {5u << 16 | block, (uint32_t)LZ_PURPOSE_SERVICE << 24,
                                     0x55667788, 0x11223344};
        const uint32_t keys[2] = {0xddeeff00, 0x99aabbcc};
        uint32_t out[4];
        lz_draw_philox(counter, keys, out);
        assert_int_equal(lz_draw_u64(&draw), (uint64_t)out[1] << 32 | out[0]);
        assert_int_equal(lz_draw_u64(&draw), (uint64_t)out[3] << 32 | out[2]);
    }
}

static void every_part_of_the_key_matters(void **state)
{
    (void)state;
    const uint64_t web = lz_draw_name(0, "web"), db = lz_draw_name(0, "db");
    struct lz_draw draws[] = {
        lz_draw_begin(1, web, LZ_PURPOSE_SERVICE, 0),
        lz_draw_begin(2, web, LZ_PURPOSE_SERVICE, 0),
        lz_draw_begin(1, db, LZ_PURPOSE_SERVICE, 0),
        lz_draw_begin(1, web, LZ_PURPOSE_ERROR, 0),
        lz_draw_begin(1, web, LZ_PURPOSE_SERVICE, 1),
        lz_draw_begin(1, lz_draw_index(web, 0), LZ_PURPOSE_SERVICE, 0),
        lz_draw_begin(1, lz_draw_index(web, 1), LZ_PURPOSE_SERVICE, 0),
        lz_draw_begin(1, web, LZ_PURPOSE_SERVICE, ((uint64_t)1 << 40) - 1),
    };
    uint64_t seen[8];
    for (size_t i = 0; i < 8; i++) {
        seen[i] = lz_draw_u64(&draws[i]);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    }
}

static void numbers_below_n_are_below_n_and_equally_likely(void **state)
{
    (void)state;
    size_t counts[7] = {0};
    for (uint64_t i = 0; i < 70000; i++) {
        struct lz_draw draw = lz_draw_begin(3, 1, LZ_PURPOSE_PICK, i);
        uint64_t k = lz_draw_below(&draw, 7);
        assert_true(k < 7);
        counts[k]++;
        assert_int_equal(lz_draw_below(&draw, 1), 0);
        assert_true(lz_draw_below(&draw, ((uint64_t)3 << 62) + 1) <= (uint64_t)3 << 62);
    }
    for (size_t k = 0; k < 7; k++)
        assert_true(fabs((double)counts[k] - 10000) < 4 * sqrt(10000 * 6.0 / 7));
}

typedef double draw_fn(struct lz_draw *draw);

static double unit(struct lz_draw *draw)
{
    return lz_draw_unit(draw);
}

static double unit_quantile(double p)
{
    return p;
}

static double exponential_quantile(double p)
{
    return -lz_math_log1p(-p);
}

// The share of draws below the p-quantile must be p, for p from 10^-4 to 1 - 10^-4.
static void shares_below_quantiles_are_right(void **state)
{
    (void)state;
    const struct {
        draw_fn *fn;
        double (*quantile)(double p);
    } kinds[] = {
        {unit, unit_quantile},
        {lz_draw_exponential, exponential_quantile},
        {lz_draw_normal, lz_math_normal_quantile},
    };
    // The last two lie in the tails beyond the ziggurats' layers (7.697 and 3.654).
    const double ps[] = {1e-4, 1e-3, 0.01,  0.1,    0.25,    0.5,   0.75,
                         0.9,  0.99, 0.999, 0.9999, 0.99987, 0.9996};
    const size_t ps_count = sizeof(ps) / sizeof(ps[0]);
    for (size_t k = 0; k < 3; k++) {
        size_t below[sizeof(ps) / sizeof(ps[0])] = {0};
        for (uint64_t i = 0; i < DRAWS; i++) {
            struct lz_draw draw = lz_draw_begin(4, k, LZ_PURPOSE_SERVICE, i);
            double x = kinds[k].fn(&draw);
            for (size_t j = 0; j < ps_count; j++)
                below[j] += x < kinds[k].quantile(ps[j]);
        }
        for (size_t j = 0; j < ps_count; j++)
            assert_true(fabs((double)below[j] - DRAWS * ps[j]) <
                        4 * sqrt(DRAWS * ps[j] * (1 - ps[j])));
    }
}

// The first four moments see what quantiles do not: a layer with a wrong width.
static void moments_are_right(void **state)
{
    (void)state;
    const struct {
        draw_fn *fn;
        double moments[4], squares[4]; // E x^k, E x^2k
    } kinds[] = {
        {lz_draw_exponential, {1, 2, 6, 24}, {2, 24, 720, 40320}},
        {lz_draw_normal, {0, 1, 0, 3}, {1, 3, 15, 105}},
    };
    for (size_t k = 0; k < 2; k++) {
        double sums[4] = {0};
        for (uint64_t i = 0; i < DRAWS; i++) {
            struct lz_draw draw = lz_draw_begin(5, k, LZ_PURPOSE_SERVICE, i);
            double x = kinds[k].fn(&draw), power = 1;
            for (size_t j = 0; j < 4; j++)
                sums[j] += power *= x;
        }
        for (size_t j = 0; j < 4; j++) {
            double moment = kinds[k].moments[j];
            double sd = sqrt((kinds[k].squares[j] - moment * moment) / DRAWS);
            assert_true(fabs(sums[j] / DRAWS - moment) < 4 * sd);
        }
    }
}

// The bits of many draws, hashed: the ziggurats' rare paths must agree everywhere, too.
static void every_machine_and_compiler_draws_the_same(void **state)
{
    (void)state;
    uint64_t hash = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        struct lz_draw draw = lz_draw_begin(6, i, LZ_PURPOSE_SERVICE, 0);
        const double x[3] = {lz_draw_exponential(&draw), lz_draw_normal(&draw),
                             lz_draw_unit(&draw)};
        hash = lz_hash_mix(hash, lz_hash_bytes(x, sizeof(x)));
    }
    assert_int_equal(hash, 0xfdb01c5b4528b68du);
}

static void a_row_of_pairs_gives_what_each_gives_alone(void **state)
{
    (void)state;
    struct lz_draw_row row = {.owner = 0x123456789abcdef0, .purpose = LZ_PURPOSE_THINK};
    for (uint64_t i = 0; i < 4000; i++) {
        uint64_t counter = i < 2000 ? i : (i * 7919) % 100000; // in order, and not
        uint64_t key = i / 500 * 0x9e3779b97f4a7c15;           // that changes
        struct lz_draw_pair pair = lz_draw_exponential_pair(&row, key, counter);
        struct lz_draw alone = lz_draw_begin(key, row.owner, row.purpose, counter);
        double first = lz_draw_exponential(&alone), second = lz_draw_exponential(&alone);
        assert_memory_equal(&pair.first, &first, sizeof(first));
        assert_memory_equal(&pair.second, &second, sizeof(second));
        double next = lz_draw_exponential_next(&row, key, counter);
        assert_memory_equal(&next, &first, sizeof(first));
        alone = lz_draw_begin(key, row.owner, row.purpose, counter);
        uint64_t bits = lz_draw_u64_once(key, row.owner, row.purpose, counter);
        assert_true(bits == lz_draw_u64(&alone));
    }
}

// What a processor has of vectors decides how fast a row is made, and nothing else.
static void a_row_is_the_same_however_wide_the_vectors_are(void **state)
{
    (void)state;
    const unsigned lanes[] = {0, 2, 4};
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t key = lz_hash_mix(i, 1), owner = lz_hash_mix(i, 2);
        uint64_t from = (lz_hash_mix(i, 3) & 0xffffffffff) / LZ_DRAW_ROW * LZ_DRAW_ROW;
        struct lz_draw_row plain = {.owner = owner, .purpose = LZ_PURPOSE_THINK};
        assert_true(lz_draw_row_make(&plain, key, from, 1));
        for (size_t j = 0; j < sizeof(lanes) / sizeof(lanes[0]); j++) {
            struct lz_draw_row row = {.owner = owner, .purpose = LZ_PURPOSE_THINK};
            if (lz_draw_row_make(&row, key, from, lanes[j]))
                assert_memory_equal(row.bits, plain.bits, sizeof(row.bits));
            else
                assert_true(lanes[j] > 1); // this machine has none so wide
        }
    }
}

struct watched {
    struct lz_draw_watch_id anew; /* purpose 0: none is drawn anew */
    unsigned draws, numbers, durations;
};

static uint64_t on_key(void *ctx, const struct lz_draw_watch_id *id, uint64_t key)
{
    struct watched *w = ctx;
    w->draws++;
    bool is_it = w->anew.purpose == id->purpose && w->anew.owner == id->owner &&
                 w->anew.counter == id->counter;
    return is_it ? key + 1 : key;
}

static void on_number(void *ctx, const struct lz_draw_watch_id *id, uint64_t bits)
{
    struct watched *w = ctx;
    (void)bits;
    assert_true(id->counter < 300 && id->purpose != 0); // one that was begun
    w->numbers++;
}

static void on_duration(void *ctx, int64_t ns)
{
    assert_true(ns >= 0);
    ((struct watched *)ctx)->durations++;
}

// All ways to draw, as one hash; those of `counter` may be left out.
static uint64_t draw_all_ways(uint64_t key, uint64_t left_out)
{
    struct lz_draw_row row = {.owner = lz_draw_name(0, "row"), .purpose = LZ_PURPOSE_ARRIVAL};
    struct lz_dist dist;
    struct lz_err err;
    uint64_t hash = 0;
    assert_true(lz_dist_make(&dist, LZ_DIST_EXPONENTIAL, 1e6, 0, &err));
    for (uint64_t i = 0; i < 300; i++) {
        if (i == left_out)
            continue;
        struct lz_draw draw = lz_draw_begin(key, 7, LZ_PURPOSE_SERVICE, i);
        struct lz_draw_pair pair = lz_draw_exponential_pair(&row, key, i);
        const double x[] = {
            lz_draw_exponential(&draw),
            lz_draw_normal(&draw),
            pair.first,
            pair.second,
            lz_draw_exponential_once(key, 7, LZ_PURPOSE_BACKOFF, i),
        };
        const uint64_t n[] = {lz_draw_below(&draw, 100),
                              lz_draw_u64_once(key, 7, LZ_PURPOSE_KEY, i),
                              (uint64_t)lz_dist_time(&dist, &draw),
                              (uint64_t)lz_dist_time_once(&dist, key, 7, LZ_PURPOSE_THINK, i)};
        hash = lz_hash_mix(lz_hash_bytes(x, sizeof(x)),
                           lz_hash_mix(hash, lz_hash_bytes(n, sizeof(n))));
    }
    return hash;
}

static void who_watches_changes_nothing_but_the_draw_that_is_made_anew(void **state)
{
    (void)state;
    struct watched w = {0};
    const struct lz_draw_watch watch = {
        .ctx = &w, .key = on_key, .number = on_number, .duration = on_duration};
    uint64_t plain = draw_all_ways(3, UINT64_MAX), without = draw_all_ways(3, 150);
    lz_draw_watch_now = &watch;
    assert_true(draw_all_ways(3, UINT64_MAX) == plain);
    assert_int_equal(w.draws, 300 * 5); // service, pair, backoff, key, think
    assert_int_equal(w.durations, 300 * 2);
    assert_true(w.numbers > w.draws);
    static const struct {
        uint64_t owner;
        enum lz_purpose purpose;
    } rows[] = {{7, LZ_PURPOSE_SERVICE},
                {7, LZ_PURPOSE_BACKOFF},
                {7, LZ_PURPOSE_KEY},
                {7, LZ_PURPOSE_THINK},
                {0, LZ_PURPOSE_ARRIVAL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t owner = rows[i].owner != 0 ? rows[i].owner : lz_draw_name(0, "row");
        w.anew =
            (struct lz_draw_watch_id){.owner = owner, .counter = 150, .purpose = rows[i].purpose};
        assert_false(draw_all_ways(3, UINT64_MAX) == plain);
        assert_true(draw_all_ways(3, 150) == without); // all others are what they were
    }
    lz_draw_watch_now = NULL;
    assert_true(draw_all_ways(3, UINT64_MAX) == plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_watches_changes_nothing_but_the_draw_that_is_made_anew),
        cmocka_unit_test(a_row_of_pairs_gives_what_each_gives_alone),
        cmocka_unit_test(a_row_is_the_same_however_wide_the_vectors_are),
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(a_block_is_the_same_whichever_way_it_is_made),
        cmocka_unit_test(a_block_gives_two_numbers_low_words_first),
        cmocka_unit_test(every_part_of_the_key_matters),
        cmocka_unit_test(numbers_below_n_are_below_n_and_equally_likely),
        cmocka_unit_test(shares_below_quantiles_are_right),
        cmocka_unit_test(moments_are_right),
        cmocka_unit_test(every_machine_and_compiler_draws_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
