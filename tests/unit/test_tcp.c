/*
 * Timeouts must be those of RFC 6298 with Linux' bounds, and give up when Linux does.
 *
 * Method: the sums of the waits, in ms, against the series of Linux' ip-sysctl.rst: tcp_syn_retries
 * = 6 before 6.5 and with tcp_syn_linear_timeouts = 4, tcp_synack_retries = 5, tcp_retries2 = 15.
 */
#include "model/net/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void syns_are_sent_again_and_given_up_as_linux_does(void **state)
{
    (void)state;
    static const struct {
        uint32_t linear;
        int64_t at_s[12]; /* of each retransmission, and of giving up; 0 ends */
    } rows[] = {
        {0, {1, 3, 7, 15, 31, 63, 127, 0}},
        {4, {1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131, 0}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        lz_time at = 0;
        for (uint32_t tries = 0; rows[i].at_s[tries] != 0; tries++) {
            at += lz_tcp_syn_wait(tries, rows[i].linear);
            assert_int_equal(at, rows[i].at_s[tries] * LZ_S);
        }
    }
    // A SYN-ACK with five retries: the last after 31 s, dropped after 63.
    lz_time at = 0;
    for (uint32_t tries = 0; tries < 5; tries++)
        at += lz_tcp_syn_wait(tries, 0);
    assert_int_equal(at, 31 * LZ_S);
    assert_int_equal(at + lz_tcp_syn_wait(5, 0), 63 * LZ_S);
}

static void timeouts_double_up_to_two_minutes(void **state)
{
    (void)state;
    static const int64_t expiries_ms[] = {200,    600,    1400,   3000,   6200,   12600,
                                          25400,  51000,  102200, 204600, 324600, 444600,
                                          564600, 684600, 804600, 924600};
    lz_time at = 0;
    for (uint32_t tries = 0; tries < COUNT(expiries_ms); tries++) {
        at += lz_tcp_backoff(lz_tcp_rto(1e6, 0.0), tries);
        assert_int_equal(at, expiries_ms[tries] * LZ_MS);
    }
}

static void a_timeout_is_the_mean_and_four_deviations_within_bounds(void **state)
{
    (void)state;
    static const struct {
        double smooth_ms, varying_ms;
        int64_t rto_ms;
    } rows[] = {
        {0, 0, 200},   {100, 10, 200}, {100, 25, 200},     {100, 50, 300},
        {300, 0, 300}, {80, 40, 240},  {1e6, 1e6, 120000},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(lz_tcp_rto(rows[i].smooth_ms * 1e6, rows[i].varying_ms * 1e6),
                         rows[i].rto_ms * LZ_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syns_are_sent_again_and_given_up_as_linux_does),
        cmocka_unit_test(timeouts_double_up_to_two_minutes),
        cmocka_unit_test(a_timeout_is_the_mean_and_four_deviations_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
