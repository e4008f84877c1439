/*
 * A cache with a time to live must hit as often as renewal theory says.
 *
 * Method: Poisson requests for one key, against the closed forms (reference X05): fixed
 * lambda T / (1 + lambda T) (Jung, Berger, Balakrishnan, "Modeling TTL-based Internet caches",
 * INFOCOM 2003), sliding 1 - exp(-lambda T); the tolerance is 0.003. Eviction is a table of keys.
 */
#include "model/net/ttl_cache.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/draw.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

static struct lz_arena *arena_of(size_t bytes)
{
    struct lz_arena *arena;
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = bytes}, &arena, &err));
    return arena;
}

static void it_hits_as_renewal_theory_says(void **unused)
{
    (void)unused;
    static const struct {
        double load, fixed, sliding; // lambda T and the ratios of hits
    } rows[] = {
        {0.1, 0.090909, 0.095163}, {1, 0.5, 0.63212},  {5, 0.83333, 0.99326},
        {10, 0.90909, 0.99995},    {60, 0.98361, 1.0}, {100, 0.9901, 1.0},
    };
    enum { REQUESTS = 1000000 };
    struct lz_arena *arena = arena_of(4 * MIB);
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        bool is_sliding = i % 2 == 1;
        struct lz_ttl_cache *c = lz_ttl_cache_create(arena, 10, LZ_S, is_sliding);
        double hits = 0.0, now = 0.0;
        for (int k = 0; k < REQUESTS; k++) {
            struct lz_draw draw = lz_draw_begin(7, i, LZ_PURPOSE_ARRIVAL, (uint64_t)k);
            now += lz_draw_exponential(&draw) / rows[i / 2].load * 1e9;
            if (lz_ttl_cache_get(c, 42, (lz_time)now))
                hits++;
            else
                lz_ttl_cache_put(c, 42, (lz_time)now);
        }
        double want = is_sliding ? rows[i / 2].sliding : rows[i / 2].fixed;
        assert_true(fabs(hits / REQUESTS - want) < 0.003);
    }
    lz_arena_destroy(arena);
}

static void the_least_recently_used_is_pushed_out(void **unused)
{
    (void)unused;
    static const struct {
        const char *line, *held; // lower case puts, upper case gets
    } rows[] = {
        {"abc", "ABC"}, {"abcd", "BCD"}, {"abcAd", "ACD"}, {"abcaDd", "ACD"}, {"aaaa", "A"}};
    struct lz_arena *arena = arena_of(4 * MIB);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_ttl_cache *c = lz_ttl_cache_create(arena, 3, 0, false);
        for (const char *at = rows[i].line; *at != '\0'; at++) {
            if (*at >= 'a')
                lz_ttl_cache_put(c, (uint64_t)*at, 0);
            else
                lz_ttl_cache_get(c, (uint64_t)(*at - 'A' + 'a'), 0);
        }
        assert_int_equal(lz_ttl_cache_count(c), strlen(rows[i].held));
        for (const char *at = rows[i].held; *at != '\0'; at++)
            assert_true(lz_ttl_cache_get(c, (uint64_t)(*at - 'A' + 'a'), 0));
    }
    lz_arena_destroy(arena);
}

static void many_keys_are_found_again(void **unused)
{
    (void)unused;
    struct lz_arena *arena = arena_of(16 * MIB);
    struct lz_ttl_cache *c = lz_ttl_cache_create(arena, 5000, 0, false);
    for (uint64_t key = 0; key < 20000; key++)
        lz_ttl_cache_put(c, key * 977, 0);
    assert_int_equal(lz_ttl_cache_count(c), 5000);
    for (uint64_t key = 0; key < 20000; key++)
        assert_int_equal(lz_ttl_cache_get(c, key * 977, 0), key >= 15000);
    lz_ttl_cache_clear(c);
    assert_false(lz_ttl_cache_get(c, 19999 * 977, 0));
    lz_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_hits_as_renewal_theory_says),
        cmocka_unit_test(the_least_recently_used_is_pushed_out),
        cmocka_unit_test(many_keys_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
