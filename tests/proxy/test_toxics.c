/*
 * What each toxic does to the bytes of an edge, over real sockets: it is seen while it is there,
 * counted, and gone when it is removed. Times are real: only lower bounds are tested, which a
 * busy machine cannot break.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../child.h"
#include "fixture.h"

#define BIG (3u << 20)

static struct lz_toxic latency(int64_t ns)
{
    return (struct lz_toxic){.kind = LZ_TOXIC_LATENCY, .delay = lz_dist_constant(ns)};
}

static void bytes_pass_and_a_half_close_is_kept(void **state)
{
    (void)state;
    int fd = stage_connect(&s);
    char *out = malloc(BIG), *back = malloc(BIG + 1);
    for (size_t i = 0; i < BIG; i++)
        out[i] = (char)(i * 31 + (i >> 9));
    pid_t writer = child_fork();
    if (writer == 0) {
        for (size_t at = 0; at < BIG;) {
            ssize_t n = stage_push(fd, out + at, BIG - at);
            at += n > 0 ? (size_t)n : 0;
        }
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
    // One byte more is asked for: the end comes behind all of them.
    assert_int_equal(stage_receive(fd, back, BIG + 1), BIG);
    assert_memory_equal(out, back, BIG);
    waitpid(writer, NULL, 0);
    close(fd);
    stage_wait_bytes(&s, 2 * BIG);
    struct lz_proxy_edge_counts counts = lz_proxy_counts(s.proxy, s.edge);
    assert_int_equal(counts.accepted, 1);
    assert_int_equal(counts.bytes_up, BIG);
    assert_int_equal(counts.bytes_down, BIG);
    free(out);
    free(back);
}

static void latency_is_paid_each_way_and_by_the_handshake(void **state)
{
    (void)state;
    struct lz_toxic t = latency(20 * MS);
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int64_t before = lz_loop_clock();
    int fd = stage_connect(&s);
    stage_echo(fd, "first");
    assert_true(lz_loop_clock() - before >= 80 * MS); // two round trips
    assert_true(stage_echo(fd, "second") >= 40 * MS);
    assert_true(stage_touched(&s, id, 4) >= 4);
    stage_remove(&s, id);
    int64_t until = lz_loop_clock() + STAGE_PATIENCE_S * 1000 * MS;
    while (stage_echo(fd, "third") >= 20 * MS)
        assert_true(lz_loop_clock() < until);
    close(fd);
}

static void latencies_add_up_in_the_directions_they_are_for(void **state)
{
    (void)state;
    int fd = stage_connect(&s);
    struct lz_toxic a = latency(30 * MS), b = latency(25 * MS);
    a.directions = LZ_TOXIC_UP;
    b.directions = LZ_TOXIC_UP;
    stage_add(&s, &a);
    lz_proxy_toxic_id second = stage_add(&s, &b);
    assert_true(stage_echo(fd, "both") >= 55 * MS);
    stage_remove(&s, second);
    int64_t took = stage_echo(fd, "one");
    assert_true(took >= 30 * MS);
    close(fd);
}

static void bandwidth_is_shared_by_connections(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_BANDWIDTH, .rate = 1e6, .directions = LZ_TOXIC_DOWN};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int a = stage_connect(&s), b = stage_connect(&s);
    static char out[60000], back[60000];
    int64_t before = lz_loop_clock();
    assert_int_equal(stage_push(a, out, sizeof(out)), sizeof(out));
    assert_int_equal(stage_push(b, out, sizeof(out)), sizeof(out));
    assert_int_equal(stage_receive(a, back, sizeof(back)), sizeof(back));
    assert_int_equal(stage_receive(b, back, sizeof(back)), sizeof(back));
    // 120 kB at 1 MB/s, but for what being woken late saves up and what is in the last piece; twice
    // if the second was sent when the first was through.
    assert_true(lz_loop_clock() - before >= 90 * MS);
    assert_int_equal(stage_touched(&s, id, 2 * sizeof(out)), 2 * sizeof(out));
    close(a);
    close(b);
}

static void what_is_open_is_reset_and_what_is_opened_too(void **state)
{
    (void)state;
    int open = stage_connect(&s);
    stage_echo(open, "well");
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_RESET});
    stage_is_reset(&s, open);
    stage_is_reset(&s, -1);
    assert_int_equal(stage_touched(&s, id, 2), 2);
    stage_remove(&s, id);
    int fresh = stage_connect(&s);
    stage_echo(fresh, "well again");
    close(fresh);
}

static void only_the_first_connections_are_reset(void **state)
{
    (void)state;
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_RESET, .first = 2});
    stage_is_reset(&s, -1);
    stage_is_reset(&s, -1);
    for (int i = 0; i < 2; i++) {
        int fd = stage_connect(&s);
        stage_echo(fd, "through");
        close(fd);
    }
    assert_int_equal(stage_touched(&s, id, 2), 2);
}

static void a_connection_is_reset_in_the_third_byte_of_its_second_response(void **state)
{
    (void)state;
    char back[8];
    struct lz_toxic t = {.kind = LZ_TOXIC_RESET, .bytes = 3, .response = 2};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    stage_echo(fd, "abcdef");
    assert_int_equal(stage_touched(&s, id, 0), 0);
    stage_send(fd, "ghijkl");
    ssize_t n = stage_recv(fd, back, sizeof(back));
    // The reset may overtake the three bytes on its way through the client's kernel.
    assert_true(n == 3 || (n == -1 && errno == ECONNRESET));
    assert_true(stage_recv(fd, back, sizeof(back)) <= 0);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    stage_wait_bytes(&s, 21);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).bytes_down, 9);
    close(fd);
}

static void a_connection_is_closed_once_it_has_carried_what_it_may(void **state)
{
    (void)state;
    char back[64];
    struct lz_toxic t = {.kind = LZ_TOXIC_LIMIT_DATA, .bytes = 15};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    stage_send(fd, "0123456789");
    // Both ways count: ten went up, so five come back.
    assert_int_equal(stage_receive(fd, back, sizeof(back)), 5);
    assert_memory_equal(back, "01234", 5);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    close(fd);
}

static void an_end_is_passed_on_later(void **state)
{
    (void)state;
    char back[16];
    struct lz_toxic t = {.kind = LZ_TOXIC_SLOW_CLOSE, .after_ns = 60 * MS};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    stage_echo(fd, "well");
    int64_t before = lz_loop_clock();
    shutdown(fd, SHUT_WR);
    assert_int_equal(stage_receive(fd, back, 1), 0);
    assert_true(lz_loop_clock() - before >= 120 * MS); // there and back
    assert_int_equal(stage_touched(&s, id, 2), 2);
    close(fd);
}

static void messages_come_in_pieces(void **state)
{
    (void)state;
    char back[16];
    struct lz_toxic t = {
        .kind = LZ_TOXIC_SLICER, .bytes = 4, .after_ns = 20 * MS, .directions = LZ_TOXIC_DOWN};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    stage_send(fd, "0123456789");
    assert_int_equal(stage_recv(fd, back, 4), 4);
    assert_int_equal(stage_receive(fd, back, 6), 6);
    assert_true(lz_loop_clock() - before >= 40 * MS);
    assert_int_equal(stage_touched(&s, id, 3), 3);
    stage_echo(fd, "tiny"); // no larger than a piece
    assert_int_equal(stage_touched(&s, id, 3), 3);
    close(fd);
}

// Which of eight messages lost how many packets, a digit each.
static uint64_t struck(uint64_t run_key, bool with_neighbour)
{
    struct stage mine;
    stage_up(&mine, 'e', run_key);
    struct lz_toxic other = latency(MS / 50);
    struct lz_toxic t = {.kind = LZ_TOXIC_STALL,
                         .loss = {.kind = LZ_LOSS_RATIO, .ratio = 0.3},
                         .directions = LZ_TOXIC_UP,
                         .owner = 7};
    other.owner = 8;
    if (with_neighbour)
        stage_add(&mine, &other);
    uint64_t digits = 0, before = 0;
    for (int c = 0; c < 2; c++) {
        int fd = stage_connect(&mine);
        lz_proxy_toxic_id id = stage_add(&mine, &t);
        for (int i = 0; i < 4; i++) {
            before = lz_proxy_touched(mine.proxy, id);
            stage_echo(fd, "message");
            digits = digits * 10 + lz_proxy_touched(mine.proxy, id) - before;
        }
        stage_remove(&mine, id);
        close(fd);
    }
    stage_down(&mine);
    return digits;
}

static void a_seed_repeats_which_messages_are_hit_and_nobody_shifts_that(void **state)
{
    (void)state;
    uint64_t a = struck(3, false);
    assert_true(a > 0);
    assert_int_equal(struck(3, false), a);
    assert_int_equal(struck(3, true), a);
    assert_int_not_equal(struck(4, false), a);
}

static void lost_packets_stall_the_stream(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_STALL,
                         .loss = {.kind = LZ_LOSS_RATIO, .ratio = 0.3},
                         .directions = LZ_TOXIC_UP};
    int fd = stage_connect(&s);
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int hit = 0;
    for (int i = 0; i < 10; i++) {
        uint64_t before = lz_proxy_touched(s.proxy, id);
        int64_t took = stage_echo(fd, "message");
        if (lz_proxy_touched(s.proxy, id) == before)
            continue;
        hit++;
        assert_true(took >= 200 * MS); // Linux' least retransmission timeout
    }
    assert_in_range(hit, 1, 9);
    close(fd);
}

static int bits_changed(const char *a, const char *b, size_t len)
{
    int count = 0;
    for (size_t i = 0; i < len; i++)
        count += __builtin_popcount((unsigned char)(a[i] ^ b[i]));
    return count;
}

// Three packets, all of them or half of them hit, one bit each; the same for the same seed.
static void a_bit_of_each_packet_that_is_hit_is_another(void **state)
{
    (void)state;
    static char out[2 * LZ_TOXIC_PACKET + 100], back[3][sizeof(out)];
    struct lz_toxic t = {.kind = LZ_TOXIC_CORRUPT,
                         .loss = {.kind = LZ_LOSS_RATIO, .ratio = 1.0},
                         .directions = LZ_TOXIC_UP,
                         .owner = 3};
    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (char)(i * 7);
    for (int run = 0; run < 3; run++) {
        struct stage mine;
        stage_up(&mine, 'e', 1);
        t.loss.ratio = run < 2 ? 1.0 : 1e-9;
        lz_proxy_toxic_id id = stage_add(&mine, &t);
        int fd = stage_connect(&mine);
        assert_int_equal(stage_push(fd, out, sizeof(out)), sizeof(out));
        assert_int_equal(stage_receive(fd, back[run], sizeof(out)), sizeof(out));
        assert_int_equal(bits_changed(out, back[run], sizeof(out)), run < 2 ? 3 : 0);
        assert_int_equal(stage_touched(&mine, id, run < 2 ? 3 : 0), run < 2 ? 3 : 0);
        stage_remove(&mine, id);
        close(fd);
        fd = stage_connect(&mine);
        stage_echo(fd, "whole again");
        close(fd);
        stage_down(&mine);
    }
    // Of the first packet all came in one read, whatever the kernel did with the rest.
    assert_memory_equal(back[0], back[1], LZ_TOXIC_PACKET);
}

static void a_refusing_server_is_a_reset_and_counted(void **state)
{
    (void)state;
    struct lz_err err;
    struct lz_proxy_edge_opts edge = {
        .name = "to nobody", .upstream_host = "127.0.0.1", .upstream_port = (uint16_t)stage_port()};
    assert_true(lz_proxy_edge(s.proxy, &edge, &s.edge, &err));
    stage_is_reset(&s, -1);
    for (int i = 0; i < 3000 && lz_proxy_counts(s.proxy, s.edge).refused == 0; i++)
        usleep(10000);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).refused, 1);
}

static void edge_fails(const struct lz_proxy_edge_opts *o, const char *want)
{
    struct lz_err err;
    lz_proxy_edge_id id;
    assert_false(lz_proxy_edge(s.proxy, o, &id, &err));
    if (strstr(err.msg, want) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
}

static void bad_edges_are_refused_with_the_reason(void **state)
{
    (void)state;
    struct lz_err err;
    lz_proxy_edge_id id;
    struct lz_proxy_edge_opts o = {
        .name = "a", .port = s.server_port, .upstream_host = "127.0.0.1", .upstream_port = 1};
    edge_fails(&o, "edge 'a': port ");
    edge_fails(&o, "is in use: stop what listens there");
    o.port = 0;
    o.upstream_port = 0;
    edge_fails(&o, "no port to lead to");
    o.upstream_host = "no-such-host.invalid";
    o.upstream_port = 80;
    edge_fails(&o, "host 'no-such-host.invalid' has no address");
    o.upstream_host = "127.0.0.1";
    o.port = o.upstream_port = (uint16_t)stage_port();
    edge_fails(&o, "a proxy loop: 'a' leads back to its own port");
    // In two steps: b leads to a port where c is to listen, which leads to b.
    uint16_t there = (uint16_t)stage_port();
    struct lz_proxy_edge_opts b = {
        .name = "b", .upstream_host = "127.0.0.1", .upstream_port = there};
    assert_true(lz_proxy_edge(s.proxy, &b, &id, &err));
    struct lz_proxy_edge_opts c = {.name = "c",
                                   .port = there,
                                   .upstream_host = "127.0.0.1",
                                   .upstream_port = lz_proxy_port(s.proxy, id)};
    edge_fails(&c, "a proxy loop: 'c', then 'b' leads back to its own port");
}

static void bad_toxics_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        struct lz_toxic toxic;
        const char *want;
    } bad[] = {
        {{.kind = LZ_TOXIC_LATENCY}, "latency needs a delay"},
        {{.kind = LZ_TOXIC_STALL}, "stall needs a ratio or a burst"},
        {{.kind = LZ_TOXIC_CORRUPT}, "corrupt needs a ratio or a burst"},
        {{.kind = LZ_TOXIC_BANDWIDTH}, "rate must be above 0, got 0"},
        {{.kind = LZ_TOXIC_LIMIT_DATA}, "limit_data: bytes must be at least 1"},
        {{.kind = LZ_TOXIC_SLICER, .bytes = 5, .variation = 5}, "variation must be below bytes"},
        {{.kind = LZ_TOXIC_RESET, .bytes = 1, .after_ns = 1}, "one of them"},
        {{.kind = LZ_TOXIC_HTTP_ABORT}, "the edge carries plain bytes"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lz_err err;
        lz_proxy_toxic_id id;
        assert_false(lz_proxy_add(s.proxy, s.edge, &bad[i].toxic, &id, &err));
        if (strstr(err.msg, bad[i].want) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.msg, bad[i].want);
    }
}

// A run of its own that is killed; its proxy's port is told through the pipe.
static _Noreturn void run_to_be_killed(int out)
{
    struct stage mine;
    stage_up(&mine, 'e', 1);
    uint16_t port = lz_proxy_port(mine.proxy, mine.edge);
    pid_t pid = lz_proxy_pid(mine.proxy);
    (void)!write(out, &port, sizeof(port));
    (void)!write(out, &pid, sizeof(pid));
    for (;;)
        pause();
}

static void the_proxy_and_its_port_are_gone_when_the_run_is_killed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t run = child_fork();
    if (run == 0)
        run_to_be_killed(ends[1]);
    uint16_t port;
    pid_t pid;
    assert_int_equal(read(ends[0], &port, sizeof(port)), sizeof(port));
    assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
    kill(run, SIGKILL);
    waitpid(run, NULL, 0);
    struct lz_err err;
    lz_proxy_edge_id id;
    struct lz_proxy_edge_opts again = {
        .name = "again", .port = port, .upstream_host = "127.0.0.1", .upstream_port = 1};
    bool is_free = false;
    for (int i = 0; i < 3000 && !is_free; i++) {
        is_free = lz_proxy_edge(s.proxy, &again, &id, &err);
        if (!is_free)
            usleep(10000);
    }
    assert_true(is_free);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_pass_and_a_half_close_is_kept),
        TEST(latency_is_paid_each_way_and_by_the_handshake),
        TEST(latencies_add_up_in_the_directions_they_are_for),
        TEST(bandwidth_is_shared_by_connections),
        TEST(what_is_open_is_reset_and_what_is_opened_too),
        TEST(only_the_first_connections_are_reset),
        TEST(a_connection_is_reset_in_the_third_byte_of_its_second_response),
        TEST(a_connection_is_closed_once_it_has_carried_what_it_may),
        TEST(an_end_is_passed_on_later),
        TEST(messages_come_in_pieces),
        cmocka_unit_test(a_seed_repeats_which_messages_are_hit_and_nobody_shifts_that),
        TEST(lost_packets_stall_the_stream),
        cmocka_unit_test(a_bit_of_each_packet_that_is_hit_is_another),
        TEST(a_refusing_server_is_a_reset_and_counted),
        TEST(bad_edges_are_refused_with_the_reason),
        TEST(bad_toxics_are_refused_with_the_reason),
        TEST(the_proxy_and_its_port_are_gone_when_the_run_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
