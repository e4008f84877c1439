/*
 * Toxics of some connections, or of some messages: the seed decides which, the same ones each time;
 * a connection that is struck is so with all it carries, and the others are left alone.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

#define CONNECTIONS 24u
#define SHARE 0.4

static struct lz_toxic struck(enum lz_toxic_kind kind)
{
    return (struct lz_toxic){.kind = kind, .loss = {.kind = LZ_LOSS_RATIO, .ratio = 1.0}};
}

static struct lz_toxic late(int64_t ns)
{
    return (struct lz_toxic){.kind = LZ_TOXIC_LATENCY, .delay = lz_dist_constant(ns)};
}

// One exchange on a new connection, to its end, or until the toxic has done something. What it does
// is counted before a byte, or an end, is passed on.
static bool is_struck(struct stage *s, lz_proxy_toxic_id id)
{
    uint64_t before = lz_proxy_touched(s->proxy, id);
    int64_t until = lz_loop_clock() + STAGE_PATIENCE_S * 1000 * MS;
    char bytes[8];
    int fd = stage_connect(s);
    if (stage_push(fd, "abcde", 5) == 5) // it may be reset before
        shutdown(fd, SHUT_WR);
    ssize_t n = 1;
    while (n != 0 && lz_proxy_touched(s->proxy, id) == before && lz_loop_clock() < until) {
        n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            break;
        usleep(200);
    }
    bool was = lz_proxy_touched(s->proxy, id) > before;
    // What it still does is not to be taken for what it does to the next one.
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    while (lz_proxy_counts(s->proxy, s->edge).open > 0 && lz_loop_clock() < until)
        usleep(200);
    return was;
}

// As bits, of the first connections of a run.
static uint32_t those_struck(const struct lz_toxic *t, uint64_t run_key)
{
    struct stage s;
    uint32_t bits = 0;
    stage_up(&s, 'e', run_key);
    lz_proxy_toxic_id id = stage_add(&s, t);
    for (uint32_t i = 0; i < CONNECTIONS; i++)
        bits |= is_struck(&s, id) ? 1u << i : 0;
    stage_down(&s);
    return bits;
}

static void a_share_of_the_connections_is_struck_and_the_seed_says_which(void **state)
{
    struct lz_toxic of[] = {late(2 * MS),
                            struck(LZ_TOXIC_STALL),
                            struck(LZ_TOXIC_CORRUPT),
                            {.kind = LZ_TOXIC_RESET},
                            {.kind = LZ_TOXIC_RESET, .bytes = 3},
                            {.kind = LZ_TOXIC_LIMIT_DATA, .bytes = 3},
                            {.kind = LZ_TOXIC_SLOW_CLOSE, .after_ns = 2 * MS}};
    uint32_t expected = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        assert_int_equal(those_struck(&of[i], 1), (1u << CONNECTIONS) - 1);
        of[i].share = SHARE;
        uint32_t bits = those_struck(&of[i], 1);
        // 9.6 of 24, with a standard deviation of 2.4: this seed's are what they are.
        assert_in_range(__builtin_popcount(bits), 3, 17);
        // Owner, connection and share are the same: so is the draw, whatever the toxic does.
        expected = i == 0 ? bits : expected;
        assert_int_equal(bits, expected);
    }
    of[0].owner = 1;
    assert_int_not_equal(those_struck(&of[0], 1), expected);
    of[0].owner = 0;
    assert_int_not_equal(those_struck(&of[0], 2), expected);
}

static void who_is_struck_is_so_for_as_long_as_it_is_there(void **state)
{
    enum { MESSAGES = 5 };
    struct lz_toxic t = late(1 * MS);
    struct stage s;
    (void)state;
    t.share = SHARE;
    stage_up(&s, 'e', 1);
    lz_proxy_toxic_id id = stage_add(&s, &t);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        uint64_t before = lz_proxy_touched(s.proxy, id);
        int fd = stage_connect(&s);
        for (int n = 0; n < MESSAGES; n++)
            stage_echo(fd, "x");
        uint64_t touched = lz_proxy_touched(s.proxy, id) - before;
        assert_true(touched == 0 || touched == 2 * MESSAGES); // both ways
        close(fd);
    }
    stage_down(&s);
}

static uint64_t delayed_of_40(uint64_t run_key, double ratio)
{
    struct lz_toxic t = late(1 * MS);
    struct stage s;
    t.ratio = ratio;
    stage_up(&s, 'e', run_key);
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    for (int n = 0; n < 20; n++)
        stage_echo(fd, "x");
    uint64_t touched = lz_proxy_touched(s.proxy, id);
    close(fd);
    stage_down(&s);
    return touched;
}

static void a_share_of_the_messages_is_late(void **state)
{
    (void)state;
    assert_int_equal(delayed_of_40(1, 0.0), 40);
    assert_int_equal(delayed_of_40(1, 1.0), 40);
    uint64_t some = delayed_of_40(1, 0.25);
    assert_in_range(some, 2, 24); // 10, with a standard deviation of 2.7
    assert_int_equal(delayed_of_40(1, 0.25), some);
}

// However many reads it takes: drawn for each of them, none of these would be spared.
static void a_message_in_pieces_is_late_or_it_is_not(void **state)
{
    enum { MESSAGES = 20, PIECES = 10, SOME = MESSAGES / 4 };
    struct lz_toxic t = late(1 * MS);
    struct stage s;
    int spared = 0;
    char byte, rest[512];
    (void)state;
    t.ratio = 0.5;
    t.directions = LZ_TOXIC_UP;
    stage_up(&s, 'h', 1);
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    for (int n = 0; n < MESSAGES; n++) {
        uint64_t before = lz_proxy_touched(s.proxy, id);
        stage_send(fd, "PUT /x HTTP/1.1\r\nContent-Length: 10\r\n\r\n");
        for (int i = 0; i < PIECES; i++) {
            usleep(2000);
            stage_send(fd, "b");
        }
        assert_int_equal(stage_receive(fd, &byte, 1), 1);
        usleep(2000);
        assert_true(recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0);
        spared += lz_proxy_touched(s.proxy, id) == before;
    }
    assert_in_range(spared, SOME, MESSAGES - SOME);
    close(fd);
    stage_down(&s);
}

// It is drawn again for no message: a handshake is nobody's.
static void a_handshake_is_spared(void **state)
{
    struct lz_toxic t = late(STAGE_PATIENCE_S * 1000 * MS);
    struct stage s;
    (void)state;
    t.share = 1e-9;
    stage_up(&s, 'e', 1);
    stage_add(&s, &t);
    int fd = stage_connect(&s);
    stage_echo(fd, "at once");
    close(fd);
    stage_down(&s);
}

static void what_is_no_share_is_refused(void **state)
{
    struct stage s;
    struct lz_err err;
    lz_proxy_toxic_id id;
    struct lz_toxic t = late(1 * MS);
    (void)state;
    stage_up(&s, 'e', 1);
    t.share = 1.5;
    assert_false(lz_proxy_add(s.proxy, s.edge, &t, &id, &err));
    assert_non_null(strstr(err.msg, "latency: share must be between 0 and 1, got 1.5"));
    t.share = 0.0;
    t.ratio = -1.0;
    assert_false(lz_proxy_add(s.proxy, s.edge, &t, &id, &err));
    assert_non_null(strstr(err.msg, "latency: ratio must be between 0 and 1, got -1"));
    stage_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_the_connections_is_struck_and_the_seed_says_which),
        cmocka_unit_test(who_is_struck_is_so_for_as_long_as_it_is_there),
        cmocka_unit_test(a_share_of_the_messages_is_late),
        cmocka_unit_test(a_message_in_pieces_is_late_or_it_is_not),
        cmocka_unit_test(a_handshake_is_spared),
        cmocka_unit_test(what_is_no_share_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
