/*
 * What users of Toxiproxy rely on, where its toxics have an edge: sizes that vary, bytes of one
 * stream, connections that were open before a toxic came, and what is left when it goes.
 *
 * Two things differ, and are held here as they are. What a LATENCY or a SLOW_CLOSE has put off when
 * it goes comes when it was to come, as what is on a long way does (and in a simulation); Toxiproxy
 * lets it go at once. What came while nothing passes comes afterwards, for TCP sends it again;
 * Toxiproxy's timeout drops it (test_door.c: a cut heals).
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define LONG 1000

// A message of 1,000 bytes comes back; into how many pieces it was cut.
static uint64_t pieces(const struct lz_toxic *t, uint64_t want)
{
    char out[LONG + 1], back[LONG];
    memset(out, 'x', LONG);
    out[LONG] = '\0';
    lz_proxy_toxic_id id = stage_add(&s, t);
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    stage_send(fd, out);
    assert_int_equal(stage_receive(fd, back, LONG), LONG);
    int64_t took = lz_loop_clock() - before;
    assert_memory_equal(out, back, LONG);
    uint64_t count = stage_touched(&s, id, want);
    assert_true(took >= (int64_t)(want - 1) * t->after_ns);
    stage_remove(&s, id);
    close(fd);
    return count;
}

static void pieces_vary_in_their_size(void **state)
{
    (void)state;
    struct lz_toxic t = {
        .kind = LZ_TOXIC_SLICER, .bytes = 10, .after_ns = MS / 10, .directions = LZ_TOXIC_DOWN};
    assert_true(pieces(&t, 100) >= 100);
    // 1 to 19 bytes, of variance 30: 100 pieces, of a standard deviation of 5.5 (renewals).
    t.variation = 9;
    uint64_t varied = pieces(&t, 53);
    assert_in_range(varied, 75, 130);
    // 5 to 15 of 10, never below: no more than 200.
    t.variation = 5;
    assert_in_range(pieces(&t, 67), 80, 125);
}

static void bytes_of_one_stream_are_counted_for_each_connection(void **state)
{
    (void)state;
    char back[64];
    struct lz_toxic t = {.kind = LZ_TOXIC_LIMIT_DATA, .bytes = 25, .directions = LZ_TOXIC_DOWN};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    for (uint64_t i = 1; i <= 2; i++) {
        int fd = stage_connect(&s);
        stage_echo(fd, "0123456789"); // ten up, ten back: twenty both ways
        stage_echo(fd, "0123456789");
        stage_send(fd, "0123456789");
        assert_int_equal(stage_receive(fd, back, sizeof(back)), 5);
        assert_int_equal(stage_touched(&s, id, i), i);
        close(fd);
    }
    stage_remove(&s, id);
    t.directions = LZ_TOXIC_UP;
    id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    stage_echo(fd, "0123456789");
    stage_echo(fd, "0123456789");
    stage_send(fd, "0123456789"); // five of them get there, and then it is over
    assert_in_range(stage_receive(fd, back, sizeof(back)), 0, 5);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    close(fd);
}

static void what_is_open_already_is_hit(void **state)
{
    (void)state;
    char back[16];
    int slow = stage_connect(&s), full = stage_connect(&s), ending = stage_connect(&s);
    stage_echo(slow, "before");
    stage_echo(full, "0123456789");
    stage_echo(ending, "before");
    struct lz_toxic latency = {.kind = LZ_TOXIC_LATENCY, .delay = lz_dist_constant(40 * MS)};
    lz_proxy_toxic_id id = stage_add(&s, &latency);
    assert_true(stage_echo(slow, "after") >= 80 * MS);
    stage_remove(&s, id);
    struct lz_toxic late_end = {.kind = LZ_TOXIC_SLOW_CLOSE, .after_ns = 60 * MS};
    id = stage_add(&s, &late_end);
    int64_t before = lz_loop_clock();
    shutdown(ending, SHUT_WR);
    assert_int_equal(stage_receive(ending, back, 1), 0);
    assert_true(lz_loop_clock() - before >= 120 * MS);
    stage_remove(&s, id);
    close(ending);
    // It has carried more than this lets it: ten up and ten back.
    id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_LIMIT_DATA, .bytes = 15});
    assert_int_equal(stage_receive(full, back, 1), 0);
    assert_true(stage_touched(&s, id, 1) >= 1);
    close(full);
    close(slow);
}

// Of each the rest of a message would take more than a minute, and this waits for half of one.
static void what_a_toxic_holds_goes_on_when_it_is_removed(void **state)
{
    (void)state;
    static const struct lz_toxic holds[] = {
        {.kind = LZ_TOXIC_BANDWIDTH, .rate = 1.0, .directions = LZ_TOXIC_DOWN},
        {.kind = LZ_TOXIC_SLICER, .bytes = 10, .after_ns = 60000 * MS, .directions = LZ_TOXIC_DOWN},
    };
    char out[LONG + 1], back[LONG];
    memset(out, 'x', LONG);
    out[LONG] = '\0';
    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        lz_proxy_toxic_id id = stage_add(&s, &holds[i]);
        int fd = stage_connect(&s);
        stage_send(fd, out);
        stage_touched(&s, id, 1);
        stage_remove(&s, id);
        assert_int_equal(stage_receive(fd, back, LONG), LONG);
        assert_memory_equal(out, back, LONG);
        close(fd);
    }
}

static void what_is_on_a_long_way_stays_on_it(void **state)
{
    (void)state;
    char back[8];
    struct lz_toxic t = {
        .kind = LZ_TOXIC_LATENCY, .delay = lz_dist_constant(300 * MS), .directions = LZ_TOXIC_DOWN};
    int fd = stage_connect(&s);
    stage_echo(fd, "quick");
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int64_t before = lz_loop_clock();
    stage_send(fd, "slow");
    stage_touched(&s, id, 1);
    stage_remove(&s, id);
    stage_send(fd, "next"); // does not overtake it
    assert_int_equal(stage_receive(fd, back, 8), 8);
    assert_memory_equal(back, "slownext", 8);
    assert_true(lz_loop_clock() - before >= 300 * MS);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_vary_in_their_size),
        TEST(bytes_of_one_stream_are_counted_for_each_connection),
        TEST(what_is_open_already_is_hit),
        TEST(what_a_toxic_holds_goes_on_when_it_is_removed),
        TEST(what_is_on_a_long_way_stays_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
