/*
 * More connections than one table of descriptors holds: further threads take them, and nobody who
 * connects, breaks or counts can tell. The limit is so low here that each worker has 30.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../child.h"
#include "fixture.h"
#include "live/fds.h"

#define LIMIT 160         // descriptors, of which a table keeps 100 for other things
#define EACH 30           // connections of a worker: two descriptors each
#define RTO_NS (200 * MS) // Linux' least, at which TCP tries again
#define MANY 100          // so that four workers have some

static int lower_limit(void **state)
{
    (void)state;
    const struct rlimit limit = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    return setrlimit(RLIMIT_NOFILE, &limit);
}

// 8 connections for each of the 16 workers.
static int up_with_least(void **state)
{
    const struct rlimit limit = {.rlim_cur = 116, .rlim_max = 116};
    (void)state;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    stage_up(&s, 'e', 1);
    return 0;
}

static void echoes(int fd)
{
    char back[4] = "";
    stage_send(fd, "abc");
    for (size_t have = 0; have < 3;) {
        ssize_t n = stage_recv(fd, back + have, 3 - have);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_string_equal(back, "abc");
}

static void open_many(int *fd, int count)
{
    for (int i = 0; i < count; i++) {
        fd[i] = stage_connect(&s);
        echoes(fd[i]);
    }
}

static void close_many(const int *fd, int count)
{
    for (int i = 0; i < count; i++)
        close(fd[i]);
}

static uint64_t wait_open(uint64_t want)
{
    for (int i = 0; i < STAGE_PATIENCE_S * 500 && lz_proxy_counts(s.proxy, s.edge).open != want;
         i++)
        usleep(2000);
    return lz_proxy_counts(s.proxy, s.edge).open;
}

static void more_connections_than_a_table_holds_are_served(void **state)
{
    (void)state;
    int fd[MANY];
    open_many(fd, MANY);
    for (int i = MANY - 1; i >= 0; i--)
        echoes(fd[i]);
    struct lz_proxy_edge_counts counts = lz_proxy_counts(s.proxy, s.edge);
    assert_int_equal(counts.accepted, MANY);
    assert_int_equal(counts.open, MANY);
    assert_int_equal(counts.turned_away, 0);
    assert_int_equal(counts.bytes_up, MANY * 6);
    close_many(fd, MANY);
    assert_int_equal(wait_open(0), 0);
    // And room that has come back is used again.
    open_many(fd, MANY);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).turned_away, 0);
    close_many(fd, MANY);
}

static void a_reset_ends_the_connections_of_all_workers(void **state)
{
    (void)state;
    int fd[MANY];
    open_many(fd, MANY);
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_RESET});
    for (int i = 0; i < MANY; i++)
        stage_is_reset(&s, fd[i]);
    assert_int_equal(stage_touched(&s, id, MANY), MANY);
    stage_remove(&s, id);
    assert_int_equal(wait_open(0), 0);
    int again = stage_connect(&s);
    echoes(again);
    close(again);
}

static void a_cut_holds_the_connections_of_all_workers_and_heals(void **state)
{
    (void)state;
    int fd[MANY];
    struct pollfd look[MANY];
    open_many(fd, MANY);
    lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT});
    int64_t began = lz_loop_clock();
    for (int i = 0; i < MANY; i++) {
        stage_send(fd[i], "x");
        look[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
    }
    assert_true(stage_touched(&s, id, MANY) >= MANY);
    assert_int_equal(poll(look, MANY, 50), 0);
    stage_remove(&s, id);
    char byte;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(stage_recv(fd[i], &byte, 1), 1);
        assert_true(lz_loop_clock() - began >= RTO_NS);
    }
    close_many(fd, MANY);
}

// One moment for all workers: who hears something new just then is not told of the end of the cut
// before what TCP makes of it is known.
static void nothing_comes_before_TCP_tries_again_on_any_worker(void **state)
{
    (void)state;
    int fd[MANY];
    struct pollfd look[MANY];
    char bytes[4096];
    open_many(fd, MANY);
    for (int i = 0; i < MANY; i++)
        look[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
    for (int round = 0; round < 4; round++) {
        lz_proxy_toxic_id id = stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_CUT});
        int64_t began = lz_loop_clock();
        for (int i = 0; i < MANY; i++)
            stage_send(fd[i], "x");
        assert_true(stage_touched(&s, id, MANY) >= MANY);
        pid_t child = child_fork();
        while (child == 0 && lz_loop_clock() < began + RTO_NS) {
            for (int i = EACH; i < MANY; i++)
                (void)!send(fd[i], "y", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        if (child == 0)
            _exit(0);
        usleep(30000);
        stage_remove(&s, id);
        int early = poll(look, MANY, 0);
        while (early == 0 && lz_loop_clock() < began + RTO_NS)
            early = poll(look, MANY, 1);
        // Something may have come while this process stood still: then it is not known when.
        assert_true(early <= 0 || lz_loop_clock() >= began + RTO_NS);
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (int i = 0; i < MANY; i++)
            assert_true(stage_recv(fd[i], bytes, sizeof(bytes)) > 0);
        usleep(300000);
        for (int i = 0; i < MANY; i++) {
            while (recv(fd[i], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                continue;
        }
    }
    close_many(fd, MANY);
}

// Toxics come and go while connections do, on all workers at once.
static void toxics_that_change_under_traffic_disturb_nobody(void **state)
{
    (void)state;
    int fd[MANY];
    struct lz_err err;
    struct lz_toxic slow = {.kind = LZ_TOXIC_LATENCY, .delay = lz_dist_constant(1 * MS)};
    open_many(fd, MANY);
    for (int round = 0; round < 40; round++) {
        slow.delay = lz_dist_constant(1 * MS);
        lz_proxy_toxic_id id = stage_add(&s, &slow);
        for (int i = round % 7; i < MANY; i += 7)
            stage_send(fd[i], "abc");
        slow.delay = lz_dist_constant(2 * MS);
        if (!lz_proxy_change(s.proxy, id, &slow, &err))
            fail_msg("%s", err.msg);
        int gone = (round * 13) % MANY;
        for (int i = round % 7; i < MANY; i += 7) {
            char back[3];
            for (size_t have = 0; have < 3;) {
                ssize_t n = stage_recv(fd[i], back, 3 - have);
                assert_true(n > 0);
                have += (size_t)n;
            }
        }
        close(fd[gone]);
        stage_remove(&s, id);
        fd[gone] = stage_connect(&s);
    }
    close_many(fd, MANY);
    assert_int_equal(wait_open(0), 0);
}

// The first worker has no room left, and what is counted since a toxic came is counted by another.
static void connections_are_numbered_over_all_workers(void **state)
{
    (void)state;
    enum { FIRST = 20, AFTER = 10 };
    int before[EACH], after[AFTER];
    open_many(before, EACH);
    lz_proxy_toxic_id id =
        stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_RESET, .bytes = 2, .first = FIRST});
    for (int i = 0; i < FIRST; i++) {
        int fd = stage_connect(&s);
        char back[4];
        stage_send(fd, "abc");
        while (stage_recv(fd, back, sizeof(back)) > 0)
            continue;
        close(fd);
    }
    assert_int_equal(stage_touched(&s, id, FIRST), FIRST);
    open_many(after, AFTER);
    for (int i = 0; i < EACH; i++)
        echoes(before[i]);
    close_many(before, EACH);
    close_many(after, AFTER);
}

static void accepting_goes_on_when_the_last_worker_has_room_again(void **state)
{
    (void)state;
    enum { MINE = 90, OTHERS = 60 }; // of 128
    int fd[MINE];
    open_many(fd, MINE);
    pid_t child = child_fork();
    if (child == 0) {
        int others[OTHERS];
        close_many(fd, MINE);
        open_many(others, OTHERS);
        _exit(0);
    }
    for (int i = 0; i < STAGE_PATIENCE_S * 500; i++) {
        if (lz_proxy_counts(s.proxy, s.edge).turned_away > 0)
            break;
        usleep(2000);
    }
    assert_true(lz_proxy_counts(s.proxy, s.edge).turned_away > 0);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).open, 128);
    close_many(fd + 50, MINE - 50); // the last that came: not those of the first worker
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close_many(fd, 50);
}

static void nobody_is_turned_away_before_the_last_place_is_taken(void **state)
{
    (void)state;
    enum { ALL = 128, MINE = 90 };
    int fd[MINE], to[2], from[2];
    char byte;
    assert_int_equal(pipe(to) + pipe(from), 0);
    open_many(fd, MINE);
    pid_t child = child_fork();
    if (child == 0) {
        int others[ALL - MINE];
        close_many(fd, MINE);
        open_many(others, ALL - MINE);
        (void)!write(from[1], "x", 1);
        (void)!read(to[0], &byte, 1);
        (void)!stage_connect(&s); // one more, who waits
        (void)!read(to[0], &byte, 1);
        _exit(0);
    }
    assert_int_equal(read(from[0], &byte, 1), 1);
    usleep(20000);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).open, ALL);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).turned_away, 0);
    assert_int_equal(write(to[1], "x", 1), 1);
    for (int i = 0; i < STAGE_PATIENCE_S * 500; i++) {
        if (lz_proxy_counts(s.proxy, s.edge).turned_away > 0)
            break;
        usleep(2000);
    }
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).turned_away, 1);
    assert_int_equal(write(to[1], "x", 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close_many(fd, MINE);
    for (int i = 0; i < 2; i++) {
        close(to[i]);
        close(from[i]);
    }
}

// Transfers in both directions that nobody reads: each would like a pipe, of two descriptors.
static void jammed_transfers_leave_the_table_room_for_others(void **state)
{
    (void)state;
    static char bytes[1 << 17];
    int fd[EACH], more[EACH];
    open_many(fd, EACH);
    for (int i = 0; i < EACH; i++) {
        for (int n = 0; n < 40; n++) {
            if (send(fd[i], bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                usleep(500);
        }
    }
    open_many(more, EACH);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).turned_away, 0);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).refused, 0);
    close_many(fd, EACH);
    close_many(more, EACH);
}

// As containers are: unshare is not for everybody. From here to the process's end.
static int refuse_unshare(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int up_without_unshare(void **state)
{
    return refuse_unshare() != 0 ? -1 : up_with_least(state);
}

// What ten connections of a load need of a limit that is too low for either.
static void load_needs(const char *want)
{
    struct lz_err err = {0};
    assert_false(lz_fds_raise(10, &err));
    assert_non_null(strstr(err.msg, want));
}

static void a_load_counts_the_proxys_descriptors_where_it_has_one_table(void **state)
{
    (void)state;
    load_needs("10 connections at once need 320 descriptors");
}

static void a_load_counts_its_own_descriptors_where_the_proxy_has_tables(void **state)
{
    (void)state;
    load_needs("10 connections at once need 310 descriptors");
}

static void one_worker_does_what_it_can_where_no_other_can_be_made(void **state)
{
    (void)state;
    enum { ROOM = 8 };
    int fd[ROOM];
    for (int round = 0; round < 2; round++) {
        open_many(fd, ROOM);
        assert_int_equal(lz_proxy_counts(s.proxy, s.edge).turned_away, round);
        int late = stage_connect(&s);
        stage_send(late, "abc");
        for (int i = 0; i < STAGE_PATIENCE_S * 500; i++) {
            if (lz_proxy_counts(s.proxy, s.edge).turned_away > (uint64_t)round)
                break;
            usleep(2000);
        }
        assert_int_equal(lz_proxy_counts(s.proxy, s.edge).turned_away, round + 1);
        assert_int_equal(lz_proxy_counts(s.proxy, s.edge).open, ROOM);
        close(fd[0]);
        char back[3];
        assert_int_equal(stage_receive(late, back, 3), 3);
        close(late);
        close_many(fd + 1, ROOM - 1);
        assert_int_equal(wait_open(0), 0);
    }
}

int main(void)
{
    if (!lz_fds_may_have_tables()) {
        printf("# skipped: no thread may have a table of descriptors of its own here\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        TEST(a_load_counts_its_own_descriptors_where_the_proxy_has_tables),
        TEST(more_connections_than_a_table_holds_are_served),
        TEST(a_reset_ends_the_connections_of_all_workers),
        TEST(a_cut_holds_the_connections_of_all_workers_and_heals),
        TEST(toxics_that_change_under_traffic_disturb_nobody),
        TEST(connections_are_numbered_over_all_workers),
        cmocka_unit_test_setup_teardown(accepting_goes_on_when_the_last_worker_has_room_again,
                                        up_with_least, down),
        TEST(nothing_comes_before_TCP_tries_again_on_any_worker),
        TEST(jammed_transfers_leave_the_table_room_for_others),
        cmocka_unit_test_setup_teardown(nobody_is_turned_away_before_the_last_place_is_taken,
                                        up_with_least, down),
        // From here on what is refused stays refused.
        cmocka_unit_test_setup_teardown(one_worker_does_what_it_can_where_no_other_can_be_made,
                                        up_without_unshare, down),
        TEST(a_load_counts_the_proxys_descriptors_where_it_has_one_table),
    };
    return cmocka_run_group_tests(tests, lower_limit, NULL);
}
