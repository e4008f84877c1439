/*
 * What goes in comes out, in order, whatever toxics come and go that do not end connections: data
 * flows both ways over several connections while toxics are added, changed into others and taken
 * away in the order that a seed draws.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/draw.h"
#include "stage.h"

#define FLOWS 6
#define BYTES 400000u
#define ROUNDS 60
#define SEEDS 4
#define IN_FORCE 4

struct flow {
    int fd;
    uint32_t sent, received;
    bool is_over;
};

static uint8_t byte_at(size_t flow, uint32_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + flow);
}

static struct lz_toxic draw_toxic(struct lz_draw *draw)
{
    struct lz_toxic t = {.directions = (unsigned)lz_draw_below(draw, 4), .owner = 5};
    switch (lz_draw_below(draw, 7)) {
    case 0:
        t.kind = LZ_TOXIC_LATENCY;
        t.delay = lz_dist_constant((int64_t)lz_draw_below(draw, 8) * MS);
        break;
    case 1:
        t.kind = LZ_TOXIC_LATENCY;
        assert_true(lz_dist_make(&t.delay, LZ_DIST_UNIFORM, 0, 5e6, &(struct lz_err){0}));
        break;
    case 2:
        t.kind = LZ_TOXIC_BANDWIDTH;
        t.rate = 2e7;
        break;
    case 3:
        t.kind = LZ_TOXIC_SLICER;
        t.bytes = 1 + lz_draw_below(draw, 3000);
        t.after_ns = (int64_t)lz_draw_below(draw, 2) * MS / 10;
        break;
    case 4:
        t.kind = LZ_TOXIC_STALL;
        t.loss = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 0.01};
        break;
    case 5:
        t.kind = LZ_TOXIC_SLOW_CLOSE;
        t.after_ns = 3 * MS;
        break;
    default:
        t.kind = LZ_TOXIC_CUT;
        break;
    }
    return t;
}

static void push(struct flow *f, size_t number)
{
    uint8_t bytes[16384];
    uint32_t n = BYTES - f->sent < sizeof(bytes) ? BYTES - f->sent : (uint32_t)sizeof(bytes);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = byte_at(number, f->sent + i);
    ssize_t done = n > 0 ? send(f->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (done > 0)
        f->sent += (uint32_t)done;
    if (done > 0 && f->sent == BYTES)
        shutdown(f->fd, SHUT_WR);
}

static void pull(struct flow *f, size_t number)
{
    uint8_t bytes[16384];
    ssize_t n = recv(f->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0)
        assert_int_equal(errno, EAGAIN);
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] != byte_at(number, f->received))
            fail_msg("flow %zu: byte %u is another", number, f->received);
        f->received++;
    }
    f->is_over = n == 0;
}

// Move what can be moved for some milliseconds. False: all is over.
static bool move(struct flow *flows, int ms)
{
    int64_t until = lz_loop_clock() + ms * MS;
    while (lz_loop_clock() < until) {
        struct pollfd polled[FLOWS];
        int over = 0;
        for (size_t i = 0; i < FLOWS; i++) {
            struct flow *f = &flows[i];
            short want = f->sent < BYTES ? POLLIN | POLLOUT : POLLIN;
            polled[i] = (struct pollfd){.fd = f->is_over ? -1 : f->fd, .events = want};
            over += f->is_over;
        }
        if (over == FLOWS)
            return false;
        poll(polled, FLOWS, 2);
        for (size_t i = 0; i < FLOWS; i++) {
            if (polled[i].revents & POLLOUT)
                push(&flows[i], i);
            if (polled[i].revents & (POLLIN | POLLHUP | POLLERR))
                pull(&flows[i], i);
        }
    }
    return true;
}

static void flow_with_toxics(uint64_t seed)
{
    struct stage s;
    struct flow flows[FLOWS] = {{0}};
    lz_proxy_toxic_id force[IN_FORCE] = {0};
    stage_up(&s, 'e', seed);
    for (size_t i = 0; i < FLOWS; i++)
        flows[i].fd = stage_connect(&s);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct lz_draw draw = lz_draw_begin(seed, round, LZ_PURPOSE_SCRIPT, 0);
        size_t at = (size_t)lz_draw_below(&draw, IN_FORCE);
        if (force[at] != 0)
            stage_remove(&s, force[at]);
        struct lz_toxic t = draw_toxic(&draw);
        force[at] = lz_draw_below(&draw, 3) > 0 ? stage_add(&s, &t) : 0;
        move(flows, 12);
    }
    for (size_t i = 0; i < IN_FORCE; i++) {
        if (force[i] != 0)
            stage_remove(&s, force[i]);
    }
    for (int i = 0; i < 3000 && move(flows, 10); i++)
        continue;
    for (size_t i = 0; i < FLOWS; i++) {
        assert_int_equal(flows[i].received, BYTES);
        assert_true(flows[i].is_over);
        close(flows[i].fd);
    }
    // Nothing is kept of them, once the proxy has come to see that.
    for (int i = 0; i < 3000 && lz_proxy_counts(s.proxy, s.edge).open > 0; i++)
        usleep(10000);
    struct lz_proxy_edge_counts counts = lz_proxy_counts(s.proxy, s.edge);
    assert_int_equal(counts.open, 0);
    assert_int_equal(lz_proxy_waiting(s.proxy), 0);
    assert_int_equal(counts.bytes_up, FLOWS * BYTES);
    assert_int_equal(counts.bytes_down, FLOWS * BYTES);
    stage_down(&s);
}

static void what_goes_in_comes_out_in_order_whatever_comes_and_goes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        flow_with_toxics(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order_whatever_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
