/*
 * A line must take bytes / rate for a packet, keep the order, and drop what does not fit.
 *
 * Method: exact times. What a line of a given rate takes is arithmetic: 1500 bytes at 1 Gbit/s
 * 12 us, at 10 Mbit/s 1.2 ms; 1 MB that waits at 10 Mbit/s 800 ms; 1 GB at 1 Gbit/s 8 s.
 */
#include "model/net/pipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define GBIT (1e9 / 8)
#define MBIT (1e6 / 8)

static struct lz_draw none(void)
{
    return lz_draw_begin(1, 2, LZ_PURPOSE_NET_OUT, 3);
}

static struct lz_pipe_answer offer(struct lz_pipe *p, lz_time at, double bytes, double packet)
{
    struct lz_draw draw = none();
    return lz_pipe_offer(p, &(struct lz_pipe_load){.at = at, .bytes = bytes, .packet = packet},
                         &draw);
}

static void a_packet_takes_its_bytes_by_the_rate(void **state)
{
    (void)state;
    static const struct {
        double rate, bytes;
        lz_time takes;
    } rows[] = {
        {GBIT, 1500, 12 * LZ_US},
        {10 * MBIT, 1500, 1200 * LZ_US},
        {10 * MBIT, 1e6, 800 * LZ_MS},
        {GBIT, 1e9, 8 * LZ_S},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_pipe p = {.rate = rows[i].rate, .buffer = 2e9};
        struct lz_pipe_answer a = offer(&p, 5 * LZ_S, rows[i].bytes, 1500);
        assert_true(a.accepted >= rows[i].bytes);
        assert_int_equal(a.leaves, 5 * LZ_S + rows[i].takes);
    }
}

static void a_megabyte_that_waits_adds_800_ms(void **state)
{
    (void)state;
    struct lz_pipe p = {.rate = 10 * MBIT, .buffer = 1e6};
    for (int i = 0; i < 1000; i++)
        assert_true(offer(&p, 0, 1000, 1000).accepted > 0);
    struct lz_pipe_answer last = offer(&p, 0, 1000, 1000); // 1 MB waits: it does not fit
    assert_true(last.accepted <= 0.0);
    p.buffer = 2e6;
    assert_int_equal(offer(&p, 0, 1000, 1000).leaves, 800 * LZ_MS + 800 * LZ_US);
    assert_int_equal((int)lz_pipe_backlog(&p, 400 * LZ_MS), 501000);
}

static void an_idle_line_takes_one_packet_whatever_the_buffer(void **state)
{
    (void)state;
    struct lz_pipe p = {.rate = MBIT, .buffer = 0};
    assert_int_equal((int)offer(&p, 0, 3000, 1000).accepted, 1000);
    assert_int_equal((int)offer(&p, LZ_MS, 1000, 1000).accepted, 0); // it is busy until 8 ms
    assert_int_equal((int)offer(&p, 8 * LZ_MS, 1000, 1000).accepted, 1000);
}

static void the_tail_is_dropped_in_whole_packets(void **state)
{
    (void)state;
    struct lz_pipe p = {.rate = MBIT, .buffer = 10000};
    struct lz_pipe_answer a = offer(&p, 0, 14600, 1460);
    assert_int_equal((int)a.accepted, 6 * 1460);
    assert_int_equal(a.first_leaves, 1460 * 8 * LZ_US);
    struct lz_draw draw = none();
    struct lz_pipe q = {.rate = MBIT, .buffer = 10000};
    a = lz_pipe_offer(&q, &(struct lz_pipe_load){.bytes = 14600, .packet = 1460, .room = 5000},
                      &draw);
    assert_int_equal((int)a.accepted, 14600); // paced packets need less of the buffer
}

static void junk_below_the_rate_delays_and_above_it_takes_its_share(void **state)
{
    (void)state;
    struct lz_pipe p = {.rate = MBIT, .buffer = 100000};
    lz_pipe_set_junk(&p, 0, MBIT / 2);
    assert_true(lz_pipe_backlog(&p, LZ_S) <= 0.0);
    offer(&p, LZ_S, 50000, 50000); // 400 ms of line, while 25 kB of junk come: 200 ms more
    assert_int_equal(offer(&p, LZ_S + 400 * LZ_MS, 1000, 1000).first_leaves, LZ_S + 608 * LZ_MS);
    lz_pipe_set_junk(&p, 2 * LZ_S, 4 * MBIT);
    int got = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        struct lz_draw draw = lz_draw_begin(1, 2, LZ_PURPOSE_NET_OUT, i);
        struct lz_pipe_load load = {.at = (10 + i) * LZ_S, .bytes = 100, .packet = 100};
        got += lz_pipe_offer(&p, &load, &draw).accepted > 0.0;
    }
    assert_in_range(got, 2400, 2600); // a quarter
    lz_pipe_set_junk(&p, 20000 * LZ_S, 0.0);
    assert_int_equal(offer(&p, 30000 * LZ_S, 100, 100).leaves, 30000 * LZ_S + 800 * LZ_US);
}

static void what_waits_waits_on_when_the_rate_changes(void **state)
{
    (void)state;
    struct lz_pipe p = {.rate = 10 * MBIT, .buffer = 2e6};
    offer(&p, 0, 1e6, 1500); // 800 ms at 10 Mbit/s
    lz_pipe_set_rate(&p, 400 * LZ_MS, 5 * MBIT);
    assert_true(lz_pipe_backlog(&p, 400 * LZ_MS) > 499999.0);
    assert_true(lz_pipe_backlog(&p, 400 * LZ_MS) < 500001.0);
    assert_int_equal(p.free_at, 1200 * LZ_MS); // the half that is left, at half the rate
    lz_pipe_set_rate(&p, 2 * LZ_S, MBIT);
    assert_int_equal(p.free_at, 1200 * LZ_MS); // nothing waited
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_waits_on_when_the_rate_changes),
        cmocka_unit_test(a_packet_takes_its_bytes_by_the_rate),
        cmocka_unit_test(a_megabyte_that_waits_adds_800_ms),
        cmocka_unit_test(an_idle_line_takes_one_packet_whatever_the_buffer),
        cmocka_unit_test(the_tail_is_dropped_in_whole_packets),
        cmocka_unit_test(junk_below_the_rate_delays_and_above_it_takes_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
