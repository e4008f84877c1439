/*
 * CoDel must drop when RFC 8289 says, and only then.
 *
 * Method: a queue in which everybody waits as long as a table says is emptied at a steady pace,
 * and the times of the drops are noted. The times to be met are the control law's, interval /
 * sqrt(count) (RFC 8289 sections 4.3 and 5.5), for the parameters of Facebook's services, target
 * 5 ms and interval 100 ms (Maurer, "Fail at Scale", ACM Queue 13(8), 2015): the first drop after
 * 100 ms, the next 100, 70.71, 57.74 and 50 ms one after the other.
 */
#include "model/service/codel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define STEP (10 * LZ_US)

static const struct lz_codel_opts opts = {.target = 5 * LZ_MS, .interval = 100 * LZ_MS};

// Take one request every 10 us from `from` until `until`, all of which waited `wait`; notes at
// most `max` times of drops. A drop's successor is asked about at once.
static size_t run(struct lz_codel *c, lz_time from, lz_time until, lz_time wait, lz_time *drops,
                  size_t max)
{
    size_t count = 0;
    for (lz_time now = from; now < until; now += STEP)
        while (lz_codel_drops(c, &opts, now, wait, false) && count < max)
            drops[count++] = now;
    return count;
}

static void drops_follow_the_control_law(void **state)
{
    (void)state;
    static const double after_ms[] = {100.0, 200.0, 270.71, 328.45, 378.45};
    struct lz_codel c = {0};
    lz_time drops[COUNT(after_ms)];
    size_t count = run(&c, 0, 400 * LZ_MS, 6 * LZ_MS, drops, COUNT(drops));
    assert_int_equal(count, COUNT(after_ms));
    for (size_t i = 0; i < count; i++) {
        double off = (double)drops[i] / 1e6 - after_ms[i];
        assert_true(off > -0.011 && off < 0.021); // it is asked every 0.01 ms
    }
}

static void good_queues_lose_nothing(void **state)
{
    (void)state;
    struct lz_codel c = {0};
    lz_time drops[1];
    assert_int_equal(run(&c, 0, 5 * LZ_S, 5 * LZ_MS - 1, drops, 1), 0);
    // Above target, but never for a whole interval.
    for (lz_time at = 5 * LZ_S; at < 10 * LZ_S; at += 100 * LZ_MS) {
        assert_int_equal(run(&c, at, at + 99 * LZ_MS, 50 * LZ_MS, drops, 1), 0);
        assert_int_equal(run(&c, at + 99 * LZ_MS, at + 100 * LZ_MS, LZ_MS, drops, 1), 0);
    }
    // One that holds nothing else does not stand.
    for (lz_time now = 10 * LZ_S; now < 11 * LZ_S; now += STEP)
        assert_false(lz_codel_drops(&c, &opts, now, 50 * LZ_MS, true));
}

static void dropping_ends_when_the_wait_is_good(void **state)
{
    (void)state;
    struct lz_codel c = {0};
    lz_time drops[64];
    assert_int_equal(run(&c, 0, 1000 * LZ_MS, 6 * LZ_MS, drops, 64), 27);
    assert_int_equal(run(&c, 1000 * LZ_MS, 1010 * LZ_MS, LZ_MS, drops, 64), 0);
    assert_false(c.is_dropping);
    // It takes an interval to begin again, and then goes on at about the rate it had.
    assert_int_equal(run(&c, 1010 * LZ_MS, 1110 * LZ_MS, 6 * LZ_MS, drops, 64), 0);
    assert_int_equal(run(&c, 1110 * LZ_MS, 1131 * LZ_MS, 6 * LZ_MS, drops, 64), 2);
    assert_int_equal(c.count, 27); // 27 less the 1 it began with, and one more
    // Long after, it begins with the first.
    assert_int_equal(run(&c, 1131 * LZ_MS, 4000 * LZ_MS, LZ_MS, drops, 64), 0);
    assert_int_equal(run(&c, 4000 * LZ_MS, 4101 * LZ_MS, 6 * LZ_MS, drops, 64), 1);
    assert_int_equal(c.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_follow_the_control_law),
        cmocka_unit_test(good_queues_lose_nothing),
        cmocka_unit_test(dropping_ends_when_the_wait_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
