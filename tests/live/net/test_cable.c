/*
 * Packets between namespaces, for real: this process moves into some, sends datagrams and a TCP
 * stream from one to the other, and counts what arrives. What must be exact is: received, lost,
 * doubled and damaged packets add up to those that were sent. Times have lower bounds only, and
 * whatever is waited for is waited for as long as it takes.
 *
 * Skipped, with the reason, where namespaces or the queue cannot be had.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/net/cable.h"
#include "live/net/nfqueue.h"
#include "live/net/packet.h"
#include "live/net/spaces.h"

#define MS INT64_C(1000000)
#define PATIENCE_MS 120000
#define NUMBERS 8192
#define PORT 7000
#define DOOR_PORT 7001

enum { A, B }; // nodes

static struct lz_loop *loop;
static struct lz_spaces *spaces;
static struct lz_cable *cable;
static int own = -1, from = -1, to = -1; // the run's namespace; datagram sockets in A and in B
static int carrier_deaths;

// ---------------------------------------------------------------- the stage

static void go(int fd)
{
    assert_true(lz_spaces_join(fd));
}

static struct sockaddr_in address(uint32_t host, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};
}

static int bound(int type, uint32_t host, uint16_t port)
{
    const struct sockaddr_in at = address(host, port);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    assert_return_code(bind(fd, (const void *)&at, sizeof(at)), 0);
    return fd;
}

static int socket_in(int node, int type)
{
    go(lz_spaces_fd(spaces, (size_t)node));
    int fd = bound(type, lz_spaces_node((size_t)node), PORT);
    go(own);
    return fd;
}

static void on_died(void *ctx, int status)
{
    (void)ctx;
    (void)status;
    carrier_deaths++;
}

static int up(void **state)
{
    struct lz_err err;
    (void)state;
    const struct lz_cable_edge edges[] = {
        {.name = "a -> b", .client = lz_spaces_node(A), .server = lz_spaces_node(B)},
        {.name = "users -> b", .door = lz_spaces_door(0), .door_port = DOOR_PORT},
    };
    assert_true(lz_loop_create(&loop, &err));
    if (!lz_spaces_create(2, 1, &spaces, &err))
        fail_msg("%s", err.msg);
    own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    from = socket_in(A, SOCK_DGRAM);
    to = socket_in(B, SOCK_DGRAM);
    const struct lz_cable_opts opts = {
        .loop = loop, .run_key = 1, .edges = edges, .edge_count = 2, .died = on_died};
    if (!lz_cable_create(&cable, &opts, &err))
        fail_msg("%s", err.msg);
    return 0;
}

static int down(void **state)
{
    (void)state;
    lz_cable_destroy(cable);
    close(own);
    close(from);
    close(to);
    lz_spaces_destroy(spaces);
    lz_loop_destroy(loop);
    return 0;
}

static struct lz_toxic struck(enum lz_toxic_kind kind, double ratio)
{
    return (struct lz_toxic){
        .kind = kind, .owner = 7, .loss = {.kind = LZ_LOSS_RATIO, .ratio = ratio}};
}

static struct lz_toxic delayed(int64_t ns)
{
    struct lz_toxic t = {.kind = LZ_TOXIC_LATENCY};
    struct lz_err err;
    assert_true(lz_dist_make(&t.delay, LZ_DIST_CONSTANT, (double)ns, 0, &err));
    return t;
}

static lz_cable_toxic_id add(uint32_t edge, struct lz_toxic t)
{
    lz_cable_toxic_id id;
    struct lz_err err;
    if (!lz_cable_add(cable, edge, &t, &id, &err))
        fail_msg("%s", err.msg);
    return id;
}

static void take_off(lz_cable_toxic_id id)
{
    struct lz_err err;
    if (!lz_cable_remove(cable, id, &err))
        fail_msg("%s", err.msg);
}

// The answer to a command says that whatever the carrier was about is done.
static void settle(void)
{
    take_off(add(1, delayed(MS)));
}

// ---------------------------------------------------------------- datagrams

struct datagram {
    uint64_t number;
    int64_t sent_ns;
    char more[984];
};

// What came at one end: how often each number, in which order, how long each took.
struct tally {
    unsigned char times[NUMBERS];
    uint64_t received, twice, late, highest;
    int64_t shortest_ns;
};

static void send_one(int fd, int node, uint64_t number, size_t size)
{
    const struct sockaddr_in at = address(lz_spaces_node((size_t)node), PORT);
    struct datagram d = {.number = number, .sent_ns = lz_loop_clock()};
    assert_int_equal(sendto(fd, &d, size, 0, (const void *)&at, sizeof(at)), (ssize_t)size);
}

static bool receive(int fd, struct tally *t, int patience_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct datagram d;
    if (poll(&wait, 1, patience_ms) <= 0)
        return false;
    ssize_t n = recv(fd, &d, sizeof(d), 0);
    assert_true(n >= 16);
    assert_true(d.number < NUMBERS);
    int64_t took = lz_loop_clock() - d.sent_ns;
    t->shortest_ns = t->received == 0 || took < t->shortest_ns ? took : t->shortest_ns;
    t->received++;
    t->twice += t->times[d.number]++ == 1;
    t->late += d.number < t->highest;
    t->highest = d.number > t->highest ? d.number : t->highest;
    return true;
}

static void receive_all(int fd, struct tally *t, uint64_t wanted)
{
    while (t->received < wanted)
        if (!receive(fd, t, PATIENCE_MS))
            fail_msg("%lu of %lu came", (unsigned long)t->received, (unsigned long)wanted);
}

static void wait_until_seen(uint64_t wanted)
{
    for (int i = 0; lz_cable_counts(cable).seen < wanted; i++) {
        assert_true(i < PATIENCE_MS);
        usleep(1000);
    }
}

/*
 * `count` datagrams of `size` from A to B, so many at a time as surely fit into a socket, while
 * `id` loses `sign` -1, makes more of +1, or changes nothing about their number 0. What came.
 */
static struct tally *send_through(lz_cable_toxic_id id, int sign, uint64_t count, size_t size)
{
    struct tally *t = calloc(1, sizeof(*t));
    uint64_t before = lz_cable_counts(cable).seen;
    for (uint64_t i = 0; i < count; i++) {
        send_one(from, B, i, size);
        if (i % 50 != 49 && i + 1 < count)
            continue;
        wait_until_seen(before + i + 1);
        uint64_t touched = lz_cable_touched(cable, id);
        receive_all(to, t, i + 1 + (uint64_t)sign * touched);
    }
    assert_false(receive(to, t, 10));
    assert_int_equal(lz_cable_counts(cable).seen, before + count);
    return t;
}

static void without_a_fault_nothing_leaves_the_kernel(void **state)
{
    struct tally t = {0};
    (void)state;
    uint64_t before = lz_cable_counts(cable).seen;
    for (uint64_t i = 0; i < 20; i++)
        send_one(from, B, i, 100);
    receive_all(to, &t, 20);
    assert_int_equal(lz_cable_counts(cable).seen, before);
    assert_int_equal(t.late + t.twice, 0);
}

static void a_delay_is_paid_by_each_and_over_when_it_is_over(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_cable_toxic_id id = add(0, delayed(30 * MS));
    for (uint64_t i = 0; i < 50; i++)
        send_one(from, B, i, 100);
    receive_all(to, &t, 50);
    assert_true(t.shortest_ns >= 30 * MS);
    assert_int_equal(lz_cable_touched(cable, id), 50);
    // Back too: UDP has no answer of its own.
    t = (struct tally){0};
    send_one(to, A, 0, 100);
    receive_all(from, &t, 1);
    assert_true(t.shortest_ns >= 30 * MS);
    // One that comes just after its end does not overtake one that is under way.
    t = (struct tally){0};
    uint64_t before = lz_cable_counts(cable).seen;
    send_one(from, B, 1, 100);
    wait_until_seen(before + 1);
    take_off(id);
    send_one(from, B, 2, 100);
    receive_all(to, &t, 2);
    assert_int_equal(t.late, 0);
    assert_int_equal(lz_cable_touched(cable, id), 52);
    settle();
    without_a_fault_nothing_leaves_the_kernel(state);
}

// 25 % of 3,000: 750, within 6.1 standard deviations of 23.7.
static void as_many_are_lost_as_were_asked_for(void **state)
{
    (void)state;
    lz_cable_toxic_id id = add(0, struck(LZ_TOXIC_STALL, 0.25));
    struct tally *t = send_through(id, -1, 3000, 100);
    assert_in_range(lz_cable_touched(cable, id), 605, 895);
    assert_int_equal(t->received + lz_cable_touched(cable, id), 3000);
    assert_int_equal(t->late + t->twice, 0);
    take_off(id);
    free(t);
}

// 30 % of 500: 150, within 6.1 standard deviations of 10.2.
static void doubled_ones_come_twice(void **state)
{
    (void)state;
    lz_cable_toxic_id id = add(0, struck(LZ_TOXIC_DUPLICATE, 0.3));
    struct tally *t = send_through(id, 1, 500, 1000);
    assert_in_range(lz_cable_touched(cable, id), 88, 212);
    assert_int_equal(t->twice, lz_cable_touched(cable, id));
    take_off(id);
    free(t);
}

static void some_come_after_later_ones(void **state)
{
    (void)state;
    struct lz_toxic reorder = struck(LZ_TOXIC_REORDER, 0.2);
    reorder.after_ns = 20 * MS;
    lz_cable_toxic_id id = add(0, reorder);
    struct tally *t = send_through(id, 0, 200, 100);
    assert_in_range(lz_cable_touched(cable, id), 6, 75);
    assert_true(t->late > 0);
    assert_true(t->late <= lz_cable_touched(cable, id));
    assert_int_equal(t->twice, 0);
    take_off(id);
    free(t);
}

// The receiver's own count of datagrams whose checksum was wrong.
static long checksum_errors(void)
{
    char line[1024];
    long value = -1, all[5];
    go(lz_spaces_fd(spaces, B));
    FILE *file = fopen("/proc/thread-self/net/snmp", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "Udp: %ld %ld %ld %ld %*d %*d %ld", &all[0], &all[1], &all[2], &all[3],
                   &all[4]) == 5)
            value = all[4];
    fclose(file);
    go(own);
    return value;
}

static void damaged_ones_are_noticed_by_their_checksum(void **state)
{
    (void)state;
    long before = checksum_errors();
    lz_cable_toxic_id id = add(0, struck(LZ_TOXIC_CORRUPT, 0.3));
    struct tally *t = send_through(id, -1, 500, 1000);
    assert_in_range(lz_cable_touched(cable, id), 88, 212);
    assert_int_equal(checksum_errors() - before, lz_cable_touched(cable, id));
    take_off(id);
    free(t);
}

static void a_partition_one_way_leaves_the_other(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_cable_toxic_id id =
        add(0, (struct lz_toxic){.kind = LZ_TOXIC_CUT, .directions = LZ_TOXIC_UP});
    for (uint64_t i = 0; i < 20; i++)
        send_one(to, A, i, 100);
    receive_all(from, &t, 20);
    free(send_through(id, -1, 20, 100));
    assert_int_equal(lz_cable_touched(cable, id), 20);
    take_off(id);
}

// 20 packets of 1,000 bytes, and 28 of headers, at 100,000 a second: the last is through after 206
// ms, none of them is lost.
static void a_narrow_way_takes_its_time(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_cable_toxic_id id = add(0, (struct lz_toxic){.kind = LZ_TOXIC_BANDWIDTH, .rate = 1e5});
    int64_t began = lz_loop_clock();
    for (uint64_t i = 0; i < 20; i++)
        send_one(from, B, i, 1000);
    receive_all(to, &t, 20);
    assert_true(lz_loop_clock() - began >= 205 * MS);
    assert_int_equal(lz_cable_touched(cable, id), 20 * 1028);
    take_off(id);
}

static void faults_stack_and_go_in_any_order(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_cable_toxic_id slow = add(0, delayed(10 * MS)), slower = add(0, delayed(20 * MS));
    send_one(from, B, 0, 100);
    receive_all(to, &t, 1);
    assert_true(t.shortest_ns >= 30 * MS);
    take_off(slow);
    t = (struct tally){0};
    send_one(from, B, 0, 100);
    receive_all(to, &t, 1);
    assert_true(t.shortest_ns >= 20 * MS);
    take_off(slower);
    assert_int_equal(lz_cable_touched(cable, slower), 2);
    without_a_fault_nothing_leaves_the_kernel(state);
}

static void a_ramp_changes_what_is_in_force(void **state)
{
    struct tally t = {0};
    struct lz_err err;
    const struct lz_toxic more = delayed(40 * MS);
    (void)state;
    lz_cable_toxic_id id = add(0, delayed(1 * MS));
    assert_true(lz_cable_change(cable, id, &more, &err));
    settle(); // it is only sent
    send_one(from, B, 0, 100);
    receive_all(to, &t, 1);
    assert_true(t.shortest_ns >= 40 * MS);
    take_off(id);
}

// ---------------------------------------------------------------- TCP

#define STREAM 60000

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 131 + i / 251);
}

// A stream from A to B by two non-blocking ends of one process.
static void stream_through(int listener)
{
    const struct sockaddr_in at = address(lz_spaces_node(B), PORT);
    go(lz_spaces_fd(spaces, A));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    go(own);
    assert_true(connect(client, (const void *)&at, sizeof(at)) == 0 || errno == EINPROGRESS);
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    int server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    size_t sent = 0, received = 0;
    while (received < STREAM) {
        unsigned char out[4000], in[4000];
        struct pollfd ends[] = {{.fd = sent < STREAM ? client : -1, .events = POLLOUT},
                                {.fd = server, .events = POLLIN}};
        assert_true(poll(ends, 2, PATIENCE_MS) > 0);
        for (size_t i = 0; i < sizeof(out); i++)
            out[i] = byte_at(sent + i);
        size_t left = STREAM - sent < sizeof(out) ? STREAM - sent : sizeof(out);
        ssize_t n = (ends[0].revents & POLLOUT) != 0 ? send(client, out, left, MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
        n = (ends[1].revents & POLLIN) != 0 ? recv(server, in, sizeof(in), 0) : 0;
        assert_true(n >= 0);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(in[i], byte_at(received + (size_t)i));
        received += (size_t)n;
    }
    close(client);
    close(server);
}

static void a_stream_survives_loss_damage_and_disorder(void **state)
{
    (void)state;
    int listener = socket_in(B, SOCK_STREAM);
    assert_return_code(listen(listener, 1), 0);
    struct lz_toxic reorder = struck(LZ_TOXIC_REORDER, 0.1);
    reorder.after_ns = 5 * MS;
    lz_cable_toxic_id ids[] = {add(0, struck(LZ_TOXIC_STALL, 0.05)),
                               add(0, struck(LZ_TOXIC_CORRUPT, 0.05)),
                               add(0, struck(LZ_TOXIC_DUPLICATE, 0.1)), add(0, reorder)};
    stream_through(listener);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        take_off(ids[i]);
    assert_true(lz_cable_touched(cable, ids[0]) > 0);
    close(listener);
}

// Both ends of a door are in the run's own namespace: each packet counts once all the same.
static void packets_through_a_door_are_met_once(void **state)
{
    const struct sockaddr_in at = address(lz_spaces_door(0), DOOR_PORT);
    struct pollfd wait = {.events = POLLIN};
    struct datagram d = {.sent_ns = lz_loop_clock()};
    struct sockaddr_in who;
    socklen_t size = sizeof(who);
    (void)state;
    int server = bound(SOCK_DGRAM, lz_spaces_door(0), DOOR_PORT);
    int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    lz_cable_toxic_id id = add(1, delayed(20 * MS));
    assert_true(sendto(client, &d, sizeof(d), 0, (const void *)&at, sizeof(at)) > 0);
    wait.fd = server;
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_true(recvfrom(server, &d, sizeof(d), 0, (void *)&who, &size) > 0);
    assert_true(lz_loop_clock() - d.sent_ns >= 20 * MS);
    assert_int_equal(lz_cable_touched(cable, id), 1);
    assert_true(sendto(server, &d, sizeof(d), 0, (const void *)&who, size) > 0);
    wait.fd = client;
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_true(lz_loop_clock() - d.sent_ns >= 40 * MS);
    assert_int_equal(lz_cable_touched(cable, id), 2);
    take_off(id);
    close(client);
    close(server);
}

// More rules than a socket takes at once, in the namespace of A; the last of them is the one that
// fits. What it hands over is let go by hand.
static void thousands_of_ways_are_laid_and_the_last_is_met(void **state)
{
    enum { WAYS = 3000 };
    static struct lz_nfqueue_way ways[WAYS];
    static struct lz_nfqueue q;
    static struct lz_netlink_batch verdicts;
    static _Alignas(8) unsigned char bytes[8192];
    struct lz_nfqueue_packet p;
    struct lz_err err;
    struct tally t = {0};
    (void)state;
    for (uint32_t i = 0; i < WAYS; i++)
        ways[i] = (struct lz_nfqueue_way){.hook = LZ_NFQUEUE_OUTPUT, .target = 0xC0000200u + i};
    ways[WAYS - 1].target = lz_spaces_node(B);
    go(lz_spaces_fd(spaces, A));
    assert_true(lz_nfqueue_open(&q, &err));
    assert_true(lz_nfqueue_set(&q, ways, WAYS, &err));
    go(own);
    send_one(from, B, 0, 100);
    assert_int_equal(poll(&(struct pollfd){.fd = q.fd, .events = POLLIN}, 1, PATIENCE_MS), 1);
    assert_false(receive(to, &t, 0));
    ssize_t n = recv(q.fd, bytes, sizeof(bytes), 0);
    const unsigned char *at = bytes;
    assert_true(n > 0 && lz_nfqueue_next(&at, bytes + n, &p));
    assert_int_equal(p.hook, LZ_NFQUEUE_OUTPUT);
    assert_int_equal(p.size, 20 + 8 + 100);
    assert_true(lz_nfqueue_set(&q, NULL, 0, &err));
    lz_netlink_start(&verdicts);
    lz_nfqueue_accept(&verdicts, p.id, NULL, 0);
    assert_int_equal(lz_netlink_tell(q.fd, &verdicts), 0);
    receive_all(to, &t, 1);
    lz_nfqueue_close(&q);
}

static void the_outside_is_out_of_reach(void **state)
{
    const struct sockaddr_in out = address(0xC0000201u, 9); // 192.0.2.1: RFC 5737
    (void)state;
    // From a node everything goes to the run's namespace, and from there only to nodes and doors.
    go(own);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(fd, "x", 1, 0, (const void *)&out, sizeof(out)), -1);
    assert_int_equal(errno, ENETUNREACH);
    close(fd);
}

// It is told what cannot be carried out in time, not after a minute, and its end is told as any.
static void a_carrier_that_hangs_is_ended_and_that_is_noticed(void **state)
{
    struct lz_err err;
    lz_cable_toxic_id id;
    const struct lz_toxic t = delayed(MS);
    (void)state;
    kill(lz_cable_pid(cable), SIGSTOP);
    assert_false(lz_cable_add(cable, 0, &t, &id, &err));
    assert_non_null(strstr(err.msg, "does not answer, and was ended"));
    assert_false(lz_cable_add(cable, 0, &t, &id, &err));
    assert_non_null(strstr(err.msg, "is gone"));
    for (int64_t until = lz_loop_clock() + PATIENCE_MS * MS; carrier_deaths == 0;) {
        assert_true(lz_loop_clock() < until);
        lz_loop_turn(loop, until);
    }
    assert_false(lz_cable_add(cable, 0, &t, &id, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_nothing_leaves_the_kernel),
        cmocka_unit_test(a_delay_is_paid_by_each_and_over_when_it_is_over),
        cmocka_unit_test(as_many_are_lost_as_were_asked_for),
        cmocka_unit_test(doubled_ones_come_twice),
        cmocka_unit_test(some_come_after_later_ones),
        cmocka_unit_test(damaged_ones_are_noticed_by_their_checksum),
        cmocka_unit_test(a_partition_one_way_leaves_the_other),
        cmocka_unit_test(a_narrow_way_takes_its_time),
        cmocka_unit_test(faults_stack_and_go_in_any_order),
        cmocka_unit_test(a_ramp_changes_what_is_in_force),
        cmocka_unit_test(a_stream_survives_loss_damage_and_disorder),
        cmocka_unit_test(packets_through_a_door_are_met_once),
        cmocka_unit_test(thousands_of_ways_are_laid_and_the_last_is_met),
        cmocka_unit_test(the_outside_is_out_of_reach),
        cmocka_unit_test(
            a_carrier_that_hangs_is_ended_and_that_is_noticed), // the last: there is none after it
    };
    struct lz_str saw;
    lz_str_init(&saw);
    if (!lz_nfqueue_probe(&saw)) {
        printf("1..0 # SKIP %s\n", saw.text);
        lz_str_finish(&saw);
        return 0;
    }
    lz_str_finish(&saw);
    return cmocka_run_group_tests_name("cable", tests, up, down);
}
