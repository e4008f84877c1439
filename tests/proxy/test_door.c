/*
 * An edge that is cut: what is open falls silent, nobody new gets in, and when it is mended TCP
 * goes on as if a cable had been pulled and put back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../child.h"
#include "fixture.h"

static bool is_silent(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 0;
}

static int try_to_connect(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(lz_proxy_port(s.proxy, s.edge))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (void *)&a, sizeof(a)), -1);
    assert_int_equal(errno, EINPROGRESS);
    return fd;
}

static bool is_connected(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof(error);
    return poll(&p, 1, ms) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
           error == 0;
}

static void a_cut_is_silence_and_no_reset_and_heals(void **state)
{
    (void)state;
    char back[8];
    int fd = stage_connect(&s);
    stage_echo(fd, "before");
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT});
    int64_t begun = lz_loop_clock();
    stage_send(fd, "lost?");
    assert_true(stage_touched(&s, id, 1) >= 1); // the proxy has come to see it
    assert_true(is_silent(fd, 250));
    stage_remove(&s, id);
    // Sent 0 s, again after 0.2 s, and then after 0.6 s: the first try after the cut's end, unless
    // that was even later.
    assert_int_equal(stage_receive(fd, back, 5), 5);
    assert_true(lz_loop_clock() - begun >= 590 * MS);
    assert_memory_equal(back, "lost?", 5);
    stage_echo(fd, "after");
    close(fd);
}

static void nobody_connects_through_a_cut(void **state)
{
    (void)state;
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT});
    int a = try_to_connect(), b = try_to_connect();
    assert_false(is_connected(a, 200));
    assert_false(is_connected(b, 0));
    // What was seen: SYNs that the kernel dropped.
    assert_true(stage_touched(&s, id, 2) >= 2); // it looks ten times a second
    stage_remove(&s, id);
    // Their next SYNs come a second after the first, then after 3, 7 and 15.
    assert_true(is_connected(a, STAGE_PATIENCE_S * 1000));
    assert_true(is_connected(b, STAGE_PATIENCE_S * 1000));
    close(a);
    close(b);
    // Our own connection, which kept the queue full, is not among those that were accepted.
    int fd = stage_connect(&s);
    stage_echo(fd, "in order");
    close(fd);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).accepted, 3);
}

static void a_cut_of_the_way_back_lets_requests_through(void **state)
{
    (void)state;
    int fd = stage_connect(&s);
    stage_echo(fd, "1234");
    lz_proxy_toxic_id id =
        stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT, .directions = LZ_TOXIC_DOWN});
    stage_send(fd, "5678");
    assert_true(is_silent(fd, 100));
    stage_wait_bytes(&s, 12);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).bytes_up, 8);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).bytes_down, 4);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    close(fd);
}

static void two_cuts_end_with_the_second(void **state)
{
    (void)state;
    int fd = stage_connect(&s);
    lz_proxy_toxic_id a = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT});
    lz_proxy_toxic_id b = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT});
    stage_send(fd, "x");
    stage_remove(&s, a);
    assert_true(is_silent(fd, 50));
    stage_remove(&s, b);
    assert_false(is_silent(fd, STAGE_PATIENCE_S * 1000));
    close(fd);
}

// A way is mended and cut again before the plug of the first cut has left the queue: the proxy is
// stopped until both commands lie there.
static void what_kept_the_door_shut_is_never_served(void **state)
{
    (void)state;
    struct lz_toxic cut = {.kind = LZ_TOXIC_CUT};
    lz_proxy_toxic_id id = stage_add(&s, &cut);
    kill(lz_proxy_pid(s.proxy), SIGSTOP);
    pid_t mends = child_fork();
    if (mends == 0) {
        stage_remove(&s, id);
        _exit(0);
    }
    pid_t wakes = child_fork();
    if (wakes == 0) {
        usleep(200000);
        kill(lz_proxy_pid(s.proxy), SIGCONT);
        _exit(0);
    }
    usleep(100000);
    id = stage_add(&s, &cut);
    assert_int_equal(waitpid(mends, NULL, 0), mends);
    assert_int_equal(waitpid(wakes, NULL, 0), wakes);
    stage_remove(&s, id);
    int fd = stage_connect(&s);
    stage_echo(fd, "in order");
    close(fd);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).accepted, 1);
}

static void a_cut_with_a_time_closes_what_it_holds(void **state)
{
    (void)state;
    char byte;
    int fd = stage_connect(&s);
    stage_echo(fd, "before");
    int64_t begun = lz_loop_clock();
    stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT, .after_ns = 80 * MS});
    assert_int_equal(stage_recv(fd, &byte, 1), 0);
    assert_true(lz_loop_clock() - begun >= 80 * MS);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cut_is_silence_and_no_reset_and_heals),
        TEST(nobody_connects_through_a_cut),
        TEST(a_cut_of_the_way_back_lets_requests_through),
        TEST(two_cuts_end_with_the_second),
        TEST(a_cut_with_a_time_closes_what_it_holds),
        TEST(what_kept_the_door_shut_is_never_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
