/*
 * A cache must hit as often as theory says, and drop what its policy says.
 *
 * Method: independent requests by Zipf's law, a miss puts the key at once (the independent
 * reference model), against published numbers. Who goes is a table of operations.
 */
#include "model/cache/keyspace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/cache/pool.h"

#include "sim/dist.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

static struct lz_arena *arena_of(size_t bytes)
{
    struct lz_arena *arena;
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = bytes}, &arena, &err));
    return arena;
}

struct law {
    enum lz_eviction eviction;
    uint32_t samples;
    double alpha;
    uint32_t keys, entries;
    double hit_ratio, within;
    uint32_t requests;
};

// The share of hits, after as many requests as warm it up.
static double hits_of(const struct law *l)
{
    struct lz_arena *arena = arena_of(64 * MIB);
    struct lz_keyspace *k = lz_keyspace_create(&(struct lz_keyspace_opts){
        .arena = arena,
        .run_key = 11,
        .owner = 5,
        .eviction = l->eviction,
        .samples = l->samples,
        .entries = l->entries,
    });
    struct lz_dist zipf;
    struct lz_err err;
    assert_true(lz_dist_make(&zipf, LZ_DIST_ZIPF, l->keys, l->alpha, &err));
    uint32_t warm = l->requests / 5, hits = 0;
    for (uint32_t n = 1; n <= warm + l->requests; n++) {
        struct lz_draw draw = lz_draw_begin(3, 9, LZ_PURPOSE_KEY, n);
        uint64_t key = (uint64_t)lz_dist_value(&zipf, &draw);
        bool is_hit = lz_keyspace_get(k, key, 0) != NULL;
        hits += n > warm && is_hit;
        if (!is_hit)
            assert_non_null(
                lz_keyspace_put(k, &(struct lz_put){.key = key, .version = n, .size = 1}, 0));
    }
    assert_true(lz_keyspace_count(k) <= l->entries);
    lz_arena_destroy(arena);
    return (double)hits / l->requests;
}

static void check_laws(const struct law *laws, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double got = hits_of(&laws[i]);
        if (!(fabs(got - laws[i].hit_ratio) <= laws[i].within))
            fail_msg("policy %d, alpha %g, %u of %u: %.5f, not %.5f", (int)laws[i].eviction,
                     laws[i].alpha, laws[i].entries, laws[i].keys, got, laws[i].hit_ratio);
    }
}

// Che, Tung, Wang, "Hierarchical web caching systems" (2002), whose approximation is within 0.0015
// (Fricker, Robert, Roberts 2012); LFU is the popularity of the most popular.
static void hit_ratios_are_those_of_che(void **unused)
{
    (void)unused;
    enum { N = 600000 };
    static const struct law laws[] = {
        {LZ_EVICTION_LRU, 0, 0.8, 1000, 100, 0.37779, 0.003, N},
        {LZ_EVICTION_FIFO, 0, 0.8, 1000, 100, 0.33368, 0.003, N},
        {LZ_EVICTION_LFU, 0, 0.8, 1000, 100, 0.52583, 0.003, 2 * N},
        {LZ_EVICTION_LRU, 0, 1.0, 1000, 100, 0.57652, 0.003, N},
        {LZ_EVICTION_FIFO, 0, 1.0, 1000, 100, 0.52025, 0.003, N},
        {LZ_EVICTION_LFU, 0, 1.0, 1000, 100, 0.69299, 0.003, 2 * N},
        {LZ_EVICTION_LRU, 0, 1.0, 10000, 1000, 0.6756, 0.003, N},
        {LZ_EVICTION_FIFO, 0, 1.0, 10000, 1000, 0.63091, 0.003, N},
        {LZ_EVICTION_LFU, 0, 1.0, 10000, 1000, 0.76479, 0.003, 4 * N},
        {LZ_EVICTION_LRU, 0, 0.8, 10000, 100, 0.15662, 0.003, N},
        {LZ_EVICTION_FIFO, 0, 0.8, 10000, 100, 0.13362, 0.003, N},
        {LZ_EVICTION_LFU, 0, 0.8, 10000, 100, 0.30005, 0.003, 4 * N},
    };
    check_laws(laws, COUNT(laws));
}

// King, "Analysis of demand paging algorithms" (1971); Gelenbe, "A unified approach to the
// evaluation of a class of replacement algorithms" (1973): FIFO and RANDOM hit equally often.
static void tiny_caches_hit_as_king_and_gelenbe_say(void **unused)
{
    (void)unused;
    enum { N = 2000000 };
    static const struct law laws[] = {
        {LZ_EVICTION_LRU, 0, 1, 4, 2, 0.60385, 0.001, N},
        {LZ_EVICTION_FIFO, 0, 1, 4, 2, 0.58857, 0.001, N},
        {LZ_EVICTION_RANDOM, 0, 1, 4, 2, 0.58857, 0.001, N},
        {LZ_EVICTION_LRU, 0, 1, 8, 3, 0.53562, 0.001, N},
        {LZ_EVICTION_FIFO, 0, 1, 8, 3, 0.50896, 0.001, N},
        {LZ_EVICTION_RANDOM, 0, 1, 8, 3, 0.50896, 0.001, N},
        {LZ_EVICTION_LRU, 0, 1, 10, 4, 0.58451, 0.001, N},
        {LZ_EVICTION_FIFO, 0, 1, 10, 4, 0.54934, 0.001, N},
        {LZ_EVICTION_RANDOM, 0, 1, 10, 4, 0.54934, 0.001, N},
    };
    check_laws(laws, COUNT(laws));
}

static void fifo_and_random_hit_equally_often(void **unused)
{
    (void)unused;
    struct law fifo = {LZ_EVICTION_FIFO, 0, 1.0, 1000, 100, 0.520625, 0.001, 3000000};
    struct law random = {LZ_EVICTION_RANDOM, 0, 1.0, 1000, 100, 0.520796, 0.001, 3000000};
    assert_true(fabs(hits_of(&fifo) - hits_of(&random)) <= 0.001);
    check_laws(&fifo, 1);
    check_laws(&random, 1);
}

// With ten samples and the pool it is "very close" to the exact one (Redis' documentation, "Key
// eviction"); with one it is worse, as it should be.
static void sampled_lru_comes_close_to_the_exact_one(void **unused)
{
    (void)unused;
    struct law exact = {LZ_EVICTION_LRU, 0, 1.0, 1000, 100, 0, 0, 300000};
    struct law ten = exact, one = exact;
    ten.samples = 10;
    one.samples = 1;
    double best = hits_of(&exact), close = hits_of(&ten), worse = hits_of(&one);
    assert_true(best - close < 0.01);
    assert_true(close - worse > 0.0);
    struct law lfu = exact; // Redis' counters know what is popular
    lfu.eviction = LZ_EVICTION_LFU;
    lfu.samples = 5;
    assert_true(hits_of(&lfu) > best);
}

/*
 * A mini-language: "a" gets a, "+a" puts it (size 1), "-a" removes it, "3" is the instant 3 s from
 * now on, "^a" puts it with a second to live, "*a" puts it four times as large. What is left is
 * compared, in alphabetical order; "!" follows what was refused.
 */
static void play(struct lz_keyspace *k, const char *text, char *left)
{
    lz_time now = 0;
    uint64_t version = 0;
    char *out = left;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p >= '0' && *p <= '9') {
            now = (*p - '0') * LZ_S;
        } else if (strchr("+^*", *p) != NULL) {
            struct lz_put put = {.key = (uint64_t)p[1], .version = ++version, .size = 1};
            put.expires = *p == '^' ? now + LZ_S : 0;
            put.size = *p == '*' ? 4 : 1;
            if (lz_keyspace_put(k, &put, now) == NULL)
                *out++ = '!';
            p++;
        } else if (*p == '-') {
            lz_keyspace_remove(k, (uint64_t) * ++p, now);
        } else if (*p != ' ') {
            lz_keyspace_get(k, (uint64_t)*p, now);
        }
    }
    for (char c = 'a'; c <= 'z'; c++)
        if (lz_keyspace_peek(k, (uint64_t)c, now) != NULL)
            *out++ = c;
    *out = '\0';
}

static void what_goes_is_what_the_policy_says(void **unused)
{
    (void)unused;
    static const struct {
        enum lz_eviction eviction;
        uint32_t entries;
        uint64_t bytes;
        const char *play, *left;
    } rows[] = {
        {LZ_EVICTION_LRU, 3, 0, "+a +b +c a +d", "acd"},
        {LZ_EVICTION_LRU, 3, 0, "+a +b +c +a +d", "acd"}, // setting is a use
        {LZ_EVICTION_FIFO, 3, 0, "+a +b +c a +a +d", "bcd"},
        {LZ_EVICTION_LFU, 3, 0, "+a +b +c a a b +d", "abd"},
        {LZ_EVICTION_LFU, 2, 0, "+a a a +b b +c +b c +c", "bc"}, // a 3, b 3: a was written first
        {LZ_EVICTION_NONE, 2, 0, "+a +b +c", "!ab"},
        {LZ_EVICTION_NONE, 2, 0, "+a +b +a -b +c", "ac"},
        {LZ_EVICTION_LRU, 9, 4, "+a +b +c *d", "d"},
        {LZ_EVICTION_LRU, 9, 3, "+a *d", "!a"}, // larger than all there is
        {LZ_EVICTION_LRU, 9, 5, "+a +b *b", "ab"},
        {LZ_EVICTION_LRU, 9, 4, "+a +b *a", "a"},
        {LZ_EVICTION_LRU, 3, 0, "^a +b 2 a", "b"},
        {LZ_EVICTION_LRU, 3, 0, "^a +a 2", "a"}, // set anew without a time to live
        {LZ_EVICTION_NONE, 2, 0, "^a +b 2 +a", "ab"},
        {LZ_EVICTION_LRU, 3, 0, "+a -a +b -c", "b"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_arena *arena = arena_of(4 * MIB);
        struct lz_keyspace *k = lz_keyspace_create(&(struct lz_keyspace_opts){
            .arena = arena,
            .eviction = rows[i].eviction,
            .entries = rows[i].entries,
            .bytes = rows[i].bytes,
        });
        char left[40];
        play(k, rows[i].play, left);
        assert_string_equal(left, rows[i].left);
        lz_arena_destroy(arena);
    }
}

// Redis' active expiry leaves at most about a tenth behind, without anybody asking for them.
static void what_has_run_out_is_removed_by_itself(void **unused)
{
    (void)unused;
    struct lz_arena *arena = arena_of(16 * MIB);
    struct lz_keyspace *k =
        lz_keyspace_create(&(struct lz_keyspace_opts){.arena = arena, .entries = 10000});
    for (uint64_t key = 1; key <= 1000; key++)
        lz_keyspace_put(
            k, &(struct lz_put){.key = key, .version = key, .expires = key <= 800 ? LZ_S : 0}, 0);
    assert_int_equal(lz_keyspace_mortal(k), 800);
    assert_int_equal(lz_keyspace_expire_some(k, LZ_S - 1, 0), 0);
    uint32_t gone = 0;
    for (uint64_t nth = 1; nth <= 20; nth++)
        gone += lz_keyspace_expire_some(k, LZ_S, nth);
    assert_true(gone >= 700 && gone <= 800);
    assert_int_equal(lz_keyspace_count(k), 1000 - gone);
    assert_int_equal(lz_keyspace_mortal(k), 800 - gone);
    lz_arena_destroy(arena);
}

// createObject: 5, of this minute. Half an hour into a run as at its beginning.
static void a_new_key_begins_at_five(void **unused)
{
    (void)unused;
    struct lz_arena *arena = arena_of(16 * MIB);
    struct lz_keyspace *k = lz_keyspace_create(&(struct lz_keyspace_opts){
        .arena = arena, .entries = 10, .eviction = LZ_EVICTION_LFU, .samples = 5});
    for (lz_time now = 0; now <= 1800 * LZ_S; now += 600 * LZ_S) {
        const struct lz_put put = {.key = 1 + (uint64_t)now, .version = 1};
        assert_int_equal(lz_keyspace_put(k, &put, now)->used, 5);
        assert_int_equal(lz_keyspace_get(k, put.key, now)->used, 6);           // chance 1
        assert_int_equal(lz_keyspace_put(k, &put, now + 240 * LZ_S)->used, 3); // 4 minutes, 1 use
    }
    lz_arena_destroy(arena);
}

// Redis draws from db->expires, so that keys without a time to live do not hide those with one.
static void few_that_run_out_are_found_among_many_that_do_not(void **unused)
{
    (void)unused;
    struct lz_arena *arena = arena_of(16 * MIB);
    struct lz_keyspace_opts o = {.arena = arena, .entries = 10000};
    struct lz_keyspace *k = lz_keyspace_create(&o), *copy = lz_keyspace_create(&o);
    for (uint64_t key = 1; key <= 10000; key++)
        lz_keyspace_put(
            k, &(struct lz_put){.key = key, .version = key, .expires = key % 250 ? 0 : LZ_S}, 0);
    assert_true(lz_keyspace_expire(k, 250, 0, 0)); // PERSIST
    assert_true(lz_keyspace_expire(k, 1, LZ_S, 0));
    lz_keyspace_copy(copy, k);
    lz_keyspace_copy(copy, k); // the second one frees the first
    assert_int_equal(lz_keyspace_mortal(copy), 40);
    uint32_t gone = 0;
    for (uint64_t nth = 0; nth < 3; nth++)
        gone += lz_keyspace_expire_some(copy, LZ_S, nth);
    assert_int_equal(gone, 40); // each cycle goes on while there is any: all that is drawn is over
    assert_int_equal(lz_keyspace_mortal(copy), 0);
    assert_int_equal(lz_keyspace_mortal(k), 40);
    assert_non_null(lz_keyspace_peek(copy, 250, LZ_S));
    assert_null(lz_keyspace_peek(copy, 1, LZ_S));
    lz_arena_destroy(arena);
}

static void a_copy_is_equal_and_goes_its_own_way(void **unused)
{
    (void)unused;
    struct lz_arena *arena = arena_of(16 * MIB);
    struct lz_keyspace_opts o = {.arena = arena, .entries = 3};
    struct lz_keyspace *a = lz_keyspace_create(&o), *b = lz_keyspace_create(&o);
    char left[40];
    play(a, "+a +b +c a", left);
    play(b, "+x +y", left);
    lz_keyspace_copy(b, a);
    play(b, "+d", left);
    assert_string_equal(left, "acd");
    play(a, "", left);
    assert_string_equal(left, "abc");
    assert_int_equal(lz_keyspace_clear(a), 3);
    assert_int_equal(lz_keyspace_count(b), 3);
    lz_arena_destroy(arena);
}

// Redis' volatile-*: who never runs out stays, and where nobody else is there nothing is put. With
// so many samples of so few all are seen.
static void who_never_runs_out_stays_with_only_mortal(void **unused)
{
    (void)unused;
    static const struct {
        enum lz_eviction eviction;
        uint32_t samples;
        const char *play, *left;
    } rows[] = {
        {LZ_EVICTION_TTL, 64, "+a ^b +c +d", "acd"},
        {LZ_EVICTION_TTL, 64, "+a +b +c +d", "!abc"},
        {LZ_EVICTION_TTL, 64, "0 ^a 0 +b +c ^d", "bcd"},
        {LZ_EVICTION_LRU, 64, "^a ^b +c a +d", "acd"},
        {LZ_EVICTION_LRU, 64, "^a ^b +a +c b +d", "acd"}, // set anew without a time to live
        {LZ_EVICTION_LRU, 64, "^a +b +c +d +e", "!bcd"},
        {LZ_EVICTION_RANDOM, 0, "+a ^b +c +d", "acd"},
        {LZ_EVICTION_RANDOM, 0, "+a +b +c +d", "!abc"},
        {LZ_EVICTION_LFU, 64, "+a ^b +c +d", "acd"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_arena *arena = arena_of(16 * MIB);
        struct lz_keyspace *k =
            lz_keyspace_create(&(struct lz_keyspace_opts){.arena = arena,
                                                          .eviction = rows[i].eviction,
                                                          .only_mortal = true,
                                                          .samples = rows[i].samples,
                                                          .entries = 3});
        char left[40];
        play(k, rows[i].play, left);
        if (strcmp(left, rows[i].left) != 0)
            fail_msg("%s leaves %s, not %s", rows[i].play, left, rows[i].left);
        lz_arena_destroy(arena);
    }
}

static void collect(void *ctx, uint64_t key, const struct lz_entry *old)
{
    char *at = (char *)ctx + strlen(ctx);
    *at++ = (char)key;
    *at++ = old == NULL ? '+' : '-';
    *at = '\0';
}

static void changes_are_told_before_they_are_made_and_a_swap_tells_nobody(void **unused)
{
    (void)unused;
    struct lz_arena *arena = arena_of(16 * MIB);
    struct lz_keyspace_opts o = {.arena = arena, .entries = 2};
    struct lz_keyspace *a = lz_keyspace_create(&o), *b = lz_keyspace_create(&o);
    char left[40], told[80] = "";
    lz_keyspace_on_change(a, collect, told);
    play(a, "+a +b +a +c", left); // set anew, and evicted for another: `b`, used least lately
    assert_string_equal(told, "a+b+a-b-c+");
    lz_keyspace_swap(a, b);
    assert_int_equal(lz_keyspace_count(a), 0);
    assert_int_equal(lz_keyspace_count(b), 2);
    play(b, "", left);
    assert_string_equal(left, "ac");
    play(b, "+x", left);
    assert_string_equal(told, "a+b+a-b-c+"); // who is told has stayed with `a`
    play(a, "+y", left);
    assert_string_equal(told, "a+b+a-b-c+y+");
    lz_arena_destroy(arena);
}

// Redis' evictionPoolPopulate: sixteen, the worst first; who is better than all of them stays out.
static void the_pool_keeps_the_sixteen_worst_in_order(void **unused)
{
    (void)unused;
    struct lz_pool p = {0};
    uint64_t key = 0;
    assert_false(lz_pool_take(&p, &key));
    for (uint64_t i = 0; i < 40; i++) // 39, 38, ... 0, and no two alike
        lz_pool_offer(&p, 100 + i, 39 - i);
    lz_pool_offer(&p, 139, 7);  // it is there already, with 0
    lz_pool_offer(&p, 500, 15); // no better than the best of them is enough to stay out
    for (uint64_t i = 0; i < LZ_POOL_MAX; i++) {
        assert_true(lz_pool_take(&p, &key));
        assert_int_equal(key, 139 - i);
    }
    assert_false(lz_pool_take(&p, &key));
    lz_pool_offer(&p, 1, 5);
    lz_pool_offer(&p, 2, 5); // of equals the first
    assert_true(lz_pool_take(&p, &key));
    assert_int_equal(key, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_never_runs_out_stays_with_only_mortal),
        cmocka_unit_test(changes_are_told_before_they_are_made_and_a_swap_tells_nobody),
        cmocka_unit_test(the_pool_keeps_the_sixteen_worst_in_order),
        cmocka_unit_test(hit_ratios_are_those_of_che),
        cmocka_unit_test(tiny_caches_hit_as_king_and_gelenbe_say),
        cmocka_unit_test(fifo_and_random_hit_equally_often),
        cmocka_unit_test(sampled_lru_comes_close_to_the_exact_one),
        cmocka_unit_test(what_goes_is_what_the_policy_says),
        cmocka_unit_test(what_has_run_out_is_removed_by_itself),
        cmocka_unit_test(a_new_key_begins_at_five),
        cmocka_unit_test(few_that_run_out_are_found_among_many_that_do_not),
        cmocka_unit_test(a_copy_is_equal_and_goes_its_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
