/*
 * Traffic control: what it does to real packets. What it is told is in test_tc.c.
 *
 * Packets are sent in namespaces, as in test_cable.c: what must be exact is that received and lost
 * ones add up, times have lower bounds only. Tests of netem and of tbf are skipped, with the
 * reason, where the kernel has none.
 */
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
#include <sys/socket.h>
#include <unistd.h>

#include "live/net/shaper.h"

#define MS INT64_C(1000000)
#define PATIENCE_MS 120000
#define PORT 7000

enum { A, B };

static struct lz_spaces *spaces;
static struct lz_shaper *shaper;
static int from = -1, to = -1;
static bool has_netem;

struct datagram {
    uint64_t number;
    int64_t sent_ns;
    char more[984];
};

struct tally {
    uint64_t received, late, highest;
    int64_t shortest_ns;
};

static int socket_in(int own, int node)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons(PORT),
                                   .sin_addr.s_addr = htonl(lz_spaces_node((size_t)node))};
    assert_true(lz_spaces_join(lz_spaces_fd(spaces, (size_t)node)));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_return_code(bind(fd, (const void *)&at, sizeof(at)), 0);
    assert_true(lz_spaces_join(own));
    return fd;
}

static int up(void **state)
{
    struct lz_err err;
    (void)state;
    const struct lz_cable_edge edges[] = {
        {.name = "a -> b", .client = lz_spaces_node(A), .server = lz_spaces_node(B)},
        {.name = "users -> b", .door = lz_spaces_door(0), .door_port = 7001},
    };
    if (!lz_spaces_create(2, 1, &spaces, &err))
        fail_msg("%s", err.msg);
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const struct lz_shaper_opts opts = {
        .spaces = spaces, .run_key = 1, .edges = edges, .edge_count = 2};
    if (!lz_shaper_create(&shaper, &opts, &err))
        fail_msg("%s", err.msg);
    from = socket_in(own, A);
    to = socket_in(own, B);
    close(own);
    return 0;
}

static int down(void **state)
{
    (void)state;
    lz_shaper_destroy(shaper);
    close(from);
    close(to);
    lz_spaces_destroy(spaces);
    return 0;
}

static void send_one(int fd, int node, uint64_t number, size_t size)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons(PORT),
                                   .sin_addr.s_addr = htonl(lz_spaces_node((size_t)node))};
    struct datagram d = {.number = number, .sent_ns = lz_loop_clock()};
    assert_int_equal(sendto(fd, &d, size, 0, (const void *)&at, sizeof(at)), (ssize_t)size);
}

static bool receive(int fd, struct tally *t, int patience_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct datagram d;
    if (poll(&wait, 1, patience_ms) <= 0)
        return false;
    assert_true(recv(fd, &d, sizeof(d), 0) >= 16);
    int64_t took = lz_loop_clock() - d.sent_ns;
    t->shortest_ns = t->received == 0 || took < t->shortest_ns ? took : t->shortest_ns;
    t->received++;
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

static lz_shaper_toxic_id add(struct lz_toxic t)
{
    lz_shaper_toxic_id id;
    struct lz_err err;
    if (!lz_shaper_add(shaper, 0, &t, &id, &err))
        fail_msg("%s", err.msg);
    return id;
}

static void take_off(lz_shaper_toxic_id id)
{
    struct lz_err err;
    if (!lz_shaper_remove(shaper, id, &err))
        fail_msg("%s", err.msg);
}

static struct lz_toxic struck(enum lz_toxic_kind kind, double ratio)
{
    return (struct lz_toxic){
        .kind = kind, .owner = 7, .loss = {.kind = LZ_LOSS_RATIO, .ratio = ratio}};
}

static struct lz_toxic delayed(enum lz_dist_kind kind, int64_t a, int64_t b)
{
    struct lz_toxic t = {.kind = LZ_TOXIC_LATENCY};
    struct lz_err err;
    assert_true(lz_dist_make(&t.delay, kind, (double)a, (double)b, &err));
    return t;
}

static struct lz_toxic narrow(double rate)
{
    return (struct lz_toxic){.kind = LZ_TOXIC_BANDWIDTH, .rate = rate};
}

// All of them come: the way is as it was.
static void is_free(void)
{
    struct tally t = {0};
    for (uint64_t i = 0; i < 20; i++)
        send_one(from, B, i, 1000);
    receive_all(to, &t, 20);
    assert_int_equal(t.late, 0);
}

/*
 * 60 datagrams of 1,000 bytes, 1,042 on the line: 62,520 bytes at 500,000 a second, of which 3,028
 * are free: 118 ms for the last, if they come as fast as they may.
 */
static void a_narrow_way_takes_its_time(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_shaper_toxic_id id = add(narrow(500e3));
    for (uint64_t i = 0; i < 60; i++)
        send_one(from, B, i, 1000);
    struct tally last = {0};
    receive_all(to, &t, 59);
    receive_all(to, &last, 1);
    assert_true(last.shortest_ns >= 100 * MS);
    assert_int_equal(t.late + t.highest, 58);
    assert_int_equal(lz_shaper_touched(shaper, id), 60 * 1042);
    take_off(id);
    is_free();
    assert_int_equal(lz_shaper_touched(shaper, id), 60 * 1042); // it has not touched these
}

// Of 100 that are sent at once a buffer of ten keeps ten, and two or three were through before.
static void what_finds_no_room_is_dropped(void **state)
{
    struct tally t = {0};
    struct lz_toxic small = narrow(100e3);
    (void)state;
    small.buffer = 10420;
    lz_shaper_toxic_id id = add(small);
    for (uint64_t i = 0; i < 100; i++)
        send_one(from, B, i, 1000);
    receive_all(to, &t, 12);
    take_off(id);
    while (receive(to, &t, 200))
        continue;
    // A sender that is kept from its processor for long gives the line time.
    assert_true(t.received < 100);
    is_free();
}

static void faults_stack_and_go_in_any_order(void **state)
{
    (void)state;
    lz_shaper_toxic_id wide = add(narrow(50e6)), slow = add(narrow(200e3));
    struct tally t = {0};
    take_off(wide);
    for (uint64_t i = 0; i < 20; i++)
        send_one(from, B, i, 1000);
    receive_all(to, &t, 20);
    assert_int_equal(lz_shaper_touched(shaper, wide), 0);
    assert_int_equal(lz_shaper_touched(shaper, slow), 20 * 1042);
    wide = add(narrow(50e6)); // in the place of the first
    take_off(slow);
    t = (struct tally){0};
    for (uint64_t i = 0; i < 20; i++)
        send_one(from, B, i, 1000);
    receive_all(to, &t, 20);
    assert_int_equal(lz_shaper_touched(shaper, wide), 20 * 1042);
    take_off(wide);
    is_free();
}

static void the_other_way_is_another_one(void **state)
{
    struct tally t = {0};
    struct lz_toxic one = narrow(200e3);
    (void)state;
    one.directions = LZ_TOXIC_DOWN;
    lz_shaper_toxic_id id = add(one);
    is_free();
    assert_int_equal(lz_shaper_touched(shaper, id), 0);
    send_one(to, A, 1, 1000);
    receive_all(from, &t, 1);
    assert_int_equal(lz_shaper_touched(shaper, id), 1042);
    take_off(id);
}

static void a_rate_that_edges_share_is_refused(void **state)
{
    struct lz_err err;
    struct lz_toxic t = narrow(1e6);
    (void)state;
    assert_true(lz_shaper_can(shaper, &t, false, &err));
    t.line = 3;
    assert_false(lz_shaper_can(shaper, &t, true, &err));
    assert_non_null(strstr(err.msg, "share one rate"));
}

static void without_netem_it_says_so(void **state)
{
    struct lz_err err;
    const struct lz_toxic t = struck(LZ_TOXIC_STALL, 0.5);
    (void)state;
    assert_int_equal(lz_shaper_can(shaper, &t, true, &err), has_netem);
    if (!has_netem)
        assert_non_null(strstr(err.msg, "this kernel has no netem (sch_netem)"));
}

static void what_netem_does_otherwise_it_does_for_who_asks(void **state)
{
    struct lz_err err;
    lz_shaper_toxic_id id;
    struct lz_toxic t = delayed(LZ_DIST_UNIFORM, 10 * MS, 30 * MS);
    (void)state;
    assert_false(lz_shaper_can(shaper, &t, false, &err));
    assert_non_null(strstr(err.msg, "pass each other"));
    assert_true(lz_shaper_can(shaper, &t, true, &err));
    t = struck(LZ_TOXIC_CORRUPT, 0.5);
    assert_false(lz_shaper_can(shaper, &t, false, &err));
    t = struck(LZ_TOXIC_STALL, 0.5);
    assert_false(lz_shaper_can(shaper, &t, false, &err));
    assert_non_null(strstr(err.msg, "does not repeat by the seed"));
    t = struck(LZ_TOXIC_STALL, 1.0);
    assert_true(lz_shaper_can(shaper, &t, false, &err));
    t = delayed(LZ_DIST_CONSTANT, 10 * MS, 0);
    t.ratio = 0.5;
    assert_false(lz_shaper_can(shaper, &t, true, &err));
    assert_non_null(strstr(err.msg, "netem delays every packet, and 50 % are to be"));
    t = delayed(LZ_DIST_UNIFORM, 0, 100000 * MS);
    assert_false(lz_shaper_add(shaper, 0, &t, &id, &err));
    assert_non_null(strstr(err.msg, "16s"));
    is_free();
}

static void a_delay_is_paid_by_each(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_shaper_toxic_id id = add(delayed(LZ_DIST_CONSTANT, 30 * MS, 0));
    for (uint64_t i = 0; i < 50; i++)
        send_one(from, B, i, 100);
    receive_all(to, &t, 50);
    assert_true(t.shortest_ns >= 29 * MS); // ticks and this clock's own grain
    assert_int_equal(t.late, 0);
    assert_int_equal(lz_shaper_touched(shaper, id), 50);
    t = (struct tally){0};
    send_one(to, A, 0, 100);
    receive_all(from, &t, 1);
    assert_true(t.shortest_ns >= 29 * MS);
    // What is held when it ends comes nevertheless.
    t = (struct tally){0};
    send_one(from, B, 1, 100);
    take_off(id);
    receive_all(to, &t, 1);
    assert_int_equal(lz_shaper_touched(shaper, id), 52);
    is_free();
}

static void a_delay_that_varies_comes_from_a_table(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_shaper_toxic_id id = add(delayed(LZ_DIST_UNIFORM, 20 * MS, 60 * MS));
    for (uint64_t i = 0; i < 200; i++)
        send_one(from, B, i, 100);
    receive_all(to, &t, 200);
    assert_true(t.shortest_ns >= 19 * MS);
    assert_true(t.late > 0);
    struct lz_err err;
    struct lz_toxic longer = delayed(LZ_DIST_CONSTANT, 90 * MS, 0);
    assert_true(lz_shaper_change(shaper, id, &longer, &err));
    t = (struct tally){0};
    send_one(from, B, 1, 100);
    receive_all(to, &t, 1);
    assert_true(t.shortest_ns >= 89 * MS);
    take_off(id);
    is_free();
}

// 25 % of 2,000: 500, within 6.2 standard deviations of 19.4.
static void as_many_are_lost_as_were_asked_for(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_shaper_toxic_id id = add(struck(LZ_TOXIC_STALL, 0.25));
    for (uint64_t i = 0; i < 2000; i++) {
        send_one(from, B, i, 100);
        if (i % 50 == 49)
            receive_all(to, &t, i + 1 - lz_shaper_touched(shaper, id));
    }
    assert_in_range(lz_shaper_touched(shaper, id), 380, 620);
    assert_int_equal(t.received + lz_shaper_touched(shaper, id), 2000);
    take_off(id);
    is_free();
}

static void a_cut_way_carries_nothing(void **state)
{
    struct tally t = {0};
    struct lz_toxic cut = {.kind = LZ_TOXIC_CUT, .directions = LZ_TOXIC_UP};
    (void)state;
    lz_shaper_toxic_id id = add(cut);
    for (uint64_t i = 0; i < 20; i++)
        send_one(from, B, i, 100);
    assert_int_equal(lz_shaper_touched(shaper, id), 20);
    assert_false(receive(to, &t, 50));
    send_one(to, A, 0, 100);
    receive_all(from, &t, 1);
    take_off(id);
    is_free();
}

static void doubled_ones_come_twice(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_shaper_toxic_id id = add(struck(LZ_TOXIC_DUPLICATE, 1.0));
    for (uint64_t i = 0; i < 50; i++)
        send_one(from, B, i, 100);
    receive_all(to, &t, 100);
    assert_true(lz_shaper_touched(shaper, id) >= 50);
    take_off(id);
    is_free();
}

// Of a flipped bit in a frame of 1,042 bytes only one in the sender's hardware address passes.
static void damaged_ones_do_not_come(void **state)
{
    struct tally t = {0};
    (void)state;
    lz_shaper_toxic_id id = add(struck(LZ_TOXIC_CORRUPT, 1.0));
    for (uint64_t i = 0; i < 100; i++)
        send_one(from, B, i, 1000);
    while (receive(to, &t, 50))
        continue;
    assert_in_range(t.received, 0, 12);
    assert_int_equal(lz_shaper_touched(shaper, id), 100);
    take_off(id);
    is_free();
}

static void some_come_after_later_ones(void **state)
{
    struct tally t = {0};
    struct lz_toxic reorder = struck(LZ_TOXIC_REORDER, 0.2);
    (void)state;
    reorder.after_ns = 20 * MS;
    lz_shaper_toxic_id id = add(reorder);
    for (uint64_t i = 0; i < 200; i++)
        send_one(from, B, i, 100);
    receive_all(to, &t, 200);
    assert_in_range(lz_shaper_touched(shaper, id), 6, 75);
    assert_true(t.late > 0);
    take_off(id);
    is_free();
}

typedef bool probe_fn(struct lz_str *saw);

static bool has(probe_fn *probe, struct lz_str *saw)
{
    lz_str_finish(saw);
    lz_str_init(saw);
    return probe(saw);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest of_tbf[] = {
        cmocka_unit_test(a_narrow_way_takes_its_time),
        cmocka_unit_test(what_finds_no_room_is_dropped),
        cmocka_unit_test(faults_stack_and_go_in_any_order),
        cmocka_unit_test(the_other_way_is_another_one),
        cmocka_unit_test(a_rate_that_edges_share_is_refused),
        cmocka_unit_test(without_netem_it_says_so),
    };
    const struct CMUnitTest of_netem[] = {
        cmocka_unit_test(what_netem_does_otherwise_it_does_for_who_asks),
        cmocka_unit_test(a_delay_is_paid_by_each),
        cmocka_unit_test(a_delay_that_varies_comes_from_a_table),
        cmocka_unit_test(as_many_are_lost_as_were_asked_for),
        cmocka_unit_test(a_cut_way_carries_nothing),
        cmocka_unit_test(doubled_ones_come_twice),
        cmocka_unit_test(damaged_ones_do_not_come),
        cmocka_unit_test(some_come_after_later_ones),
    };
    if (argc != 2)
        return 2;
    bool is_netem = strcmp(argv[1], "netem") == 0;
    struct lz_str saw;
    lz_str_init(&saw);
    bool has_tbf = has(lz_shaper_probe_tbf, &saw);
    has_netem = (is_netem || has_tbf) && has(lz_shaper_probe_netem, &saw);
    if (is_netem ? !has_netem : !has_tbf) {
        printf("1..0 # SKIP %s\n", saw.text);
        lz_str_finish(&saw);
        return 0;
    }
    lz_str_finish(&saw);
    return is_netem ? cmocka_run_group_tests_name("netem", of_netem, up, down)
                    : cmocka_run_group_tests_name("tbf", of_tbf, up, down);
}
