/*
 * What is behind the proxy and not ready: a server that is slow to accept, so that the proxy's own
 * handshake is under way for long; and what of the handshake goes with the first bytes.
 *
 * The server is this process. A listener with a queue of one place, in which a connection of the
 * test's own lies, drops every SYN until that is accepted; TCP tries again a second later.
 */
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define SYN_RTO_NS (1000 * MS) // RFC 6298, 2.1
#define ATTEMPTS 20

static int listener, plug;

static int listen_at(struct sockaddr_in *at, int backlog)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (void *)at, len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (void *)at, &len), 0);
    return fd;
}

static void lead_to(const struct sockaddr_in *at)
{
    struct lz_err err;
    struct lz_proxy_edge_opts edge = {
        .name = "to us", .upstream_host = "127.0.0.1", .upstream_port = ntohs(at->sin_port)};
    if (!lz_proxy_edge(s.proxy, &edge, &s.edge, &err))
        fail_msg("%s", err.msg);
}

static int up_with_full_queue(void **state)
{
    struct sockaddr_in at;
    up(state);
    listener = listen_at(&at, 0);
    lead_to(&at);
    plug = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(plug, (void *)&at, sizeof(at));
}

static int down_with_queue(void **state)
{
    close(plug);
    close(listener);
    return down(state);
}

static struct lz_proxy_edge_counts wait_for(uint64_t accepted, uint64_t open)
{
    struct lz_proxy_edge_counts counts;
    for (int i = 0; i < STAGE_PATIENCE_S * 500; i++) {
        counts = lz_proxy_counts(s.proxy, s.edge);
        if (counts.accepted == accepted && counts.open == open)
            break;
        usleep(2000);
    }
    return counts;
}

// A client that has said something, and whose connection leads nowhere yet.
static int begin(void)
{
    int fd = stage_connect(&s);
    stage_send(fd, "early");
    wait_for(1, 1);
    usleep(20000);
    struct lz_proxy_edge_counts counts = lz_proxy_counts(s.proxy, s.edge);
    assert_int_equal(counts.open, 1);
    assert_int_equal(counts.bytes_up, 0);
    assert_int_equal(counts.refused, 0);
    return fd;
}

static void what_was_said_to_a_server_slow_to_accept_is_there_when_it_does(void **state)
{
    (void)state;
    char bytes[8];
    int64_t began = lz_loop_clock();
    int fd = begin();
    close(accept(listener, NULL, NULL)); // there is room now
    int server = accept(listener, NULL, NULL);
    assert_int_equal(stage_receive(server, bytes, 5), 5);
    assert_true(lz_loop_clock() - began >= SYN_RTO_NS);
    assert_memory_equal(bytes, "early", 5);
    stage_send(server, "late");
    assert_int_equal(stage_receive(fd, bytes, 4), 4);
    // And more, both ways: that there was no room to write is forgotten.
    stage_send(fd, "and on");
    assert_int_equal(stage_receive(server, bytes, 6), 6);
    stage_wait_bytes(&s, 15);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).bytes_up, 11);
    close(server);
    assert_int_equal(stage_receive(fd, bytes, 1), 0);
    close(fd);
    assert_int_equal(wait_for(1, 0).open, 0);
}

static void a_client_that_has_gone_meanwhile_is_still_heard(void **state)
{
    (void)state;
    char bytes[8];
    close(begin());
    close(accept(listener, NULL, NULL));
    int server = accept(listener, NULL, NULL);
    assert_int_equal(stage_receive(server, bytes, 6), 5); // and the end
    close(server);
    assert_int_equal(wait_for(1, 0).open, 0);
}

static void a_server_that_goes_away_meanwhile_has_refused(void **state)
{
    (void)state;
    int fd = begin();
    close(listener);
    stage_is_reset(&s, fd);
    assert_int_equal(wait_for(1, 0).refused, 1);
}

static void a_client_that_gives_up_meanwhile_is_not_kept(void **state)
{
    (void)state;
    int fd = begin();
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    assert_int_equal(wait_for(1, 0).open, 0);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).refused, 0);
}

static void a_reset_does_not_wait_for_the_server(void **state)
{
    (void)state;
    int fd = begin();
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_RESET});
    stage_is_reset(&s, fd);
    assert_int_equal(stage_touched(&s, id, 1), 1);
}

static void a_limit_of_time_counts_from_when_the_client_came(void **state)
{
    (void)state;
    char byte;
    int64_t began = lz_loop_clock();
    stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_RESET, .after_ns = 150 * MS});
    int fd = begin();
    assert_int_equal(stage_recv(fd, &byte, 1), -1);
    assert_true(lz_loop_clock() - began >= 150 * MS);
    close(fd);
}

// Segments that came to a server until it had read the first bytes.
static uint32_t segments_until_read(int from)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    char bytes[5];
    int fd = accept(from, NULL, NULL);
    assert_int_equal(stage_receive(fd, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    close(fd);
    return info.tcpi_segs_in;
}

// The client's bytes lie there before the proxy looks at it.
static uint32_t segments_by_proxy(int from)
{
    kill(lz_proxy_pid(s.proxy), SIGSTOP);
    int fd = stage_connect(&s);
    stage_send(fd, "hello");
    kill(lz_proxy_pid(s.proxy), SIGCONT);
    uint32_t segments = segments_until_read(from);
    close(fd);
    return segments;
}

// A plain client's handshake ends with an ACK of its own. That of one connection may be late, for
// the kernel's timer sends it if this machine stands still: the best of some is looked at.
static void the_handshakes_last_step_goes_with_the_first_bytes(void **state)
{
    (void)state;
    struct sockaddr_in at;
    int from = listen_at(&at, 8);
    uint32_t best = UINT32_MAX;
    lead_to(&at);
    int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(plain, (void *)&at, sizeof(at)), 0);
    stage_send(plain, "hello");
    uint32_t with_own = segments_until_read(from); // SYN, ACK, data
    close(plain);
    for (int i = 0; i < ATTEMPTS && best >= with_own; i++) {
        uint32_t segments = segments_by_proxy(from);
        best = segments < best ? segments : best;
    }
    assert_int_equal(best, with_own - 1);
    close(from);
}

static void a_proxy_that_hangs_is_given_up(void **state)
{
    (void)state;
    struct lz_err err;
    lz_proxy_toxic_id id;
    const struct lz_toxic cut = {.kind = LZ_TOXIC_CUT};
    kill(lz_proxy_pid(s.proxy), SIGSTOP);
    assert_false(lz_proxy_add(s.proxy, s.edge, &cut, &id, &err));
    assert_non_null(strstr(err.msg, "does not answer, and was ended"));
    // Nobody would know what it still did.
    assert_false(lz_proxy_add(s.proxy, s.edge, &cut, &id, &err));
    int64_t until = lz_loop_clock() + STAGE_PATIENCE_S * 1000 * MS;
    while (lz_proxy_pid(s.proxy) != 0 && lz_loop_clock() < until)
        lz_loop_turn(s.loop, until);
    assert_int_equal(lz_proxy_pid(s.proxy), 0);
}

#define SLOW(name) cmocka_unit_test_setup_teardown(name, up_with_full_queue, down_with_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SLOW(what_was_said_to_a_server_slow_to_accept_is_there_when_it_does),
        SLOW(a_client_that_has_gone_meanwhile_is_still_heard),
        SLOW(a_server_that_goes_away_meanwhile_has_refused),
        SLOW(a_client_that_gives_up_meanwhile_is_not_kept),
        SLOW(a_reset_does_not_wait_for_the_server),
        SLOW(a_limit_of_time_counts_from_when_the_client_came),
        TEST(the_handshakes_last_step_goes_with_the_first_bytes),
        TEST(a_proxy_that_hangs_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
