/*
 * The limit must settle where Vegas' queue is between alpha and beta.
 *
 * Method: a server of so many cores shared evenly, on which a request alone takes 10 ms: with L in
 * flight each takes 10 ms * max(1, L / cores), so that the queue is L - cores and the limit has
 * to lie between cores + alpha and cores + beta (with log 1, 3 and 6).
 */
#include "model/service/vegas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MOST 1000u

static lz_time time_of(uint32_t in_flight, uint32_t cores)
{
    return in_flight > cores ? 10 * LZ_MS * in_flight / cores : 10 * LZ_MS;
}

static void the_limit_settles_between_alpha_and_beta(void **state)
{
    (void)state;
    static const struct {
        uint32_t cores, from;
    } rows[] = {{4, 20}, {4, 1}, {4, 900}, {20, 20}, {64, 20}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_vegas v = {.limit = rows[i].from, .noload = 10 * LZ_MS};
        for (int n = 0; n < 20000; n++) {
            v.answers = 0; // no probes: the shortest time is known
            lz_vegas_sample(&v, MOST, time_of(v.limit, rows[i].cores), v.limit, 0.5);
        }
        assert_in_range(v.limit, rows[i].cores + 3, rows[i].cores + 6);
    }
}

static void a_limit_that_holds_nobody_back_stays(void **state)
{
    (void)state;
    struct lz_vegas v = {.limit = 20, .noload = 10 * LZ_MS};
    lz_vegas_sample(&v, MOST, 11 * LZ_MS, 9, 0.5);
    assert_int_equal(v.limit, 20);
    lz_vegas_sample(&v, MOST, 10 * LZ_MS, 10, 0.5); // no queue: by beta
    assert_int_equal(v.limit, 26);
    lz_vegas_sample(&v, 27, 10 * LZ_MS, 26, 0.5);
    assert_int_equal(v.limit, 27);
}

static void the_shortest_time_is_forgotten(void **state)
{
    (void)state;
    struct lz_vegas v = {.limit = 2, .noload = LZ_MS};
    for (int n = 0; n < 29; n++)
        lz_vegas_sample(&v, 2, 5 * LZ_MS, 0, 0.5);
    assert_int_equal(v.noload, LZ_MS);
    lz_vegas_sample(&v, 2, 5 * LZ_MS, 0, 0.5); // 0.5 * 30 * 2
    assert_int_equal(v.noload, 5 * LZ_MS);
    assert_int_equal(v.probes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_settles_between_alpha_and_beta),
        cmocka_unit_test(a_limit_that_holds_nobody_back_stays),
        cmocka_unit_test(the_shortest_time_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
