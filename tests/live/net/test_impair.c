/*
 * What becomes of packets, without any: netlink messages byte for byte, packets as bytes, and the
 * fates of packets on a way, whose times are exact since time is an argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/netlink.h>

#include "live/net/impair.h"
#include "live/net/netlink.h"
#include "live/net/nfqueue.h"
#include "live/net/packet.h"
#include "live/net/spaces.h"
#include "sim/sim.h"

#define MS INT64_C(1000000)

// ---------------------------------------------------------------- netlink

static struct lz_netlink_batch batch;

static void a_message_is_what_the_kernel_reads(void **state)
{
    (void)state;
    // Length 48, type 16, request and acknowledge, number 1, port 0; a body of 4; an attribute 3
    // with "ab" in it, padded to 8; one that nests another with a number in it.
    const unsigned char wanted[] = {0x30, 0, 0, 0, 16, 0, 5, 0, 1,   0,   0, 0, 0,    0,    0, 0,
                                    9,    9, 9, 9, 7,  0, 3, 0, 'a', 'b', 0, 0, 12,   0,    5, 0x80,
                                    8,    0, 6, 0, 1,  2, 3, 4, 6,   0,   7, 0, 0x12, 0x34, 0, 0};
    const unsigned char body[] = {9, 9, 9, 9};
    lz_netlink_start(&batch);
    lz_netlink_message(&batch, 16, 0, body, sizeof(body));
    lz_netlink_put_text(&batch, 3, "ab");
    size_t nest = lz_netlink_nest(&batch, 5);
    lz_netlink_put_be32(&batch, 6, 0x01020304);
    lz_netlink_end(&batch, nest);
    lz_netlink_put_be16(&batch, 7, 0x1234);
    assert_int_equal(batch.len, sizeof(wanted));
    assert_memory_equal(batch.bytes, wanted, sizeof(wanted));
    assert_int_equal(batch.asked, 1);
}

static void a_batch_that_is_too_long_is_never_sent(void **state)
{
    static unsigned char much[60000];
    struct lz_err err;
    (void)state;
    lz_netlink_start(&batch);
    lz_netlink_message(&batch, 16, 0, NULL, 0);
    for (int i = 0; i < 5; i++)
        lz_netlink_put(&batch, 1, much, sizeof(much));
    assert_true(batch.is_overfull);
    assert_false(lz_netlink_ask(-1, &batch, NULL, &err));
}

static void attributes_that_are_cut_short_end_the_list(void **state)
{
    static const struct {
        unsigned char bytes[12];
        size_t size, count;
    } rows[] = {
        {{8, 0, 6, 0, 1, 2, 3, 4, 4, 0, 7, 0}, 12, 2}, // the second is empty
        {{8, 0, 6, 0, 1, 2, 3, 4, 4, 0, 7, 0}, 11, 1},
        {{8, 0, 6, 0, 1, 2, 3}, 7, 0},    // says more than there is
        {{3, 0, 6, 0, 1, 2, 3, 4}, 8, 0}, // less than its own header
        {{5, 0, 6, 0x80, 1}, 5, 1},       // its padding is not there
        {{0}, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned char *at = rows[i].bytes;
        struct lz_netlink_attribute a;
        size_t count = 0;
        while (lz_netlink_next(&at, rows[i].bytes + rows[i].size, &a)) {
            count++;
            assert_int_equal(a.type, count == 1 ? 6 : 7);
        }
        assert_int_equal(count, rows[i].count);
    }
}

static void what_is_no_packet_of_the_queue_is_passed_over(void **state)
{
    static unsigned char noise[256];
    struct lz_nfqueue_packet p;
    (void)state;
    for (unsigned seed = 0; seed < 2000; seed++) {
        struct lz_draw draw = lz_draw_begin(seed, 1, LZ_PURPOSE_SCRIPT, 0);
        for (size_t i = 0; i < sizeof(noise); i++)
            noise[i] = (unsigned char)lz_draw_u64(&draw);
        // A length that is possible, and the type of a packet.
        const struct nlmsghdr h = {.nlmsg_len = 16 + seed % 240, .nlmsg_type = 3 << 8};
        memcpy(noise, &h, sizeof(h));
        const unsigned char *at = noise;
        while (lz_nfqueue_next(&at, noise + sizeof(noise), &p))
            assert_true(p.size <= sizeof(noise));
    }
}

// ---------------------------------------------------------------- packets

// A header of 20 bytes, then `inner`.
static size_t make(unsigned char *out, unsigned char protocol, const unsigned char *inner,
                   size_t size)
{
    memset(out, 0, 20);
    out[0] = 0x45;
    out[9] = protocol;
    memcpy(out + 12, "\xC6\x12\x00\x02\xC6\x12\x00\x06", 8);
    memcpy(out + 20, inner, size);
    return 20 + size;
}

static void addresses_ports_and_data_are_found(void **state)
{
    static const struct {
        unsigned char protocol, fragment;
        size_t size, data;
        uint16_t port;
    } rows[] = {
        {17, 0, 12, 28, 0x0102}, // UDP with 4 bytes
        {17, 0, 7, 20, 0},       // half of its header
        {17, 5, 12, 20, 0},      // a later fragment: what looks like ports is data
        {6, 0, 40, 40, 0x0102},  // TCP whose header is 20 bytes
        {6, 0, 19, 20, 0},       {1, 0, 12, 20, 0}, // ICMP
    };
    unsigned char inner[64] = {1, 2, 3, 4, [12] = 0x50}, bytes[128];
    struct lz_packet p;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = make(bytes, rows[i].protocol, inner, rows[i].size);
        bytes[7] = rows[i].fragment;
        assert_true(lz_packet_read(bytes, size, &p));
        assert_int_equal(p.source, lz_spaces_node(0));
        assert_int_equal(p.target, lz_spaces_node(1));
        assert_int_equal(p.data, rows[i].data);
        assert_int_equal(p.source_port, rows[i].port);
    }
}

// Behind a header of 40 bytes what stands between, and then `inner`.
static void so_they_are_of_ipv6(void **state)
{
    static const struct {
        unsigned char next;
        unsigned char between[16];
        size_t between_size, size, data;
        uint8_t protocol;
        uint16_t port;
    } rows[] = {
        {17, {0}, 0, 12, 48, 17, 0x0102},
        {6, {0}, 0, 40, 60, 6, 0x0102},
        {58, {0}, 0, 12, 40, 58, 0},                // ICMPv6
        {0, {17, 0}, 8, 12, 56, 17, 0x0102},        // hop by hop
        {60, {6, 1}, 16, 40, 76, 6, 0x0102},        // options of 16 bytes
        {44, {17, 0, 0, 1}, 8, 12, 56, 17, 0x0102}, // the first of several fragments
        {44, {17, 0, 1, 0}, 8, 12, 48, 17, 0},      // a later one
        {60, {6, 200}, 8, 12, 40, 60, 0},           // longer than all there is
    };
    unsigned char inner[64] = {1, 2, 3, 4, [12] = 0x50}, bytes[160];
    struct lz_packet p;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = 0x60;
        bytes[6] = rows[i].next;
        memcpy(bytes + 20, "\xC6\x12\x00\x02", 4);
        memcpy(bytes + 36, "\xC6\x12\x00\x06", 4);
        memcpy(bytes + 40, rows[i].between, rows[i].between_size);
        memcpy(bytes + 40 + rows[i].between_size, inner, rows[i].size);
        assert_true(lz_packet_read(bytes, 40 + rows[i].between_size + rows[i].size, &p));
        assert_true(p.is_v6);
        assert_int_equal(p.source, lz_spaces_node(0));
        assert_int_equal(p.target, lz_spaces_node(1));
        assert_int_equal(p.protocol, rows[i].protocol);
        assert_int_equal(p.data, rows[i].data);
        assert_int_equal(p.source_port, rows[i].port);
    }
    assert_false(lz_packet_read(bytes, 39, &p));
}

static void an_address_of_ipv6_ends_with_that_of_ipv4(void **state)
{
    char v4[LZ_SPACES_TEXT_SIZE], v6[LZ_SPACES_TEXT_V6_SIZE];
    (void)state;
    lz_spaces_write(lz_spaces_node(1), v4);
    lz_spaces_write_v6(lz_spaces_node(1), v6);
    assert_string_equal(v4, "198.18.0.6");
    assert_string_equal(v6, "fd00::c612:6");
}

static void what_is_no_ip_is_refused(void **state)
{
    unsigned char bytes[40] = {0x45};
    struct lz_packet p;
    (void)state;
    assert_true(lz_packet_read(bytes, 20, &p));
    assert_false(lz_packet_read(bytes, 19, &p));
    bytes[0] = 0x75;
    assert_false(lz_packet_read(bytes, 40, &p));
    bytes[0] = 0x44; // a header of 16 bytes
    assert_false(lz_packet_read(bytes, 40, &p));
    bytes[0] = 0x4f; // of 60, and there are 40
    assert_false(lz_packet_read(bytes, 40, &p));
    assert_false(lz_packet_flip(bytes, 40, 1));
}

static void one_bit_of_the_data_is_turned(void **state)
{
    const unsigned char inner[12] = {1, 2, 3, 4, 0, 12};
    unsigned char bytes[64], before[64];
    (void)state;
    for (uint64_t bit = 0; bit < 100; bit++) {
        size_t size = make(bytes, 17, inner, sizeof(inner));
        memcpy(before, bytes, size);
        assert_true(lz_packet_flip(bytes, size, bit));
        int turned = 0;
        for (size_t i = 0; i < size; i++) {
            turned += __builtin_popcount((unsigned)(bytes[i] ^ before[i]));
            assert_true(i >= 28 || bytes[i] == before[i]);
        }
        assert_int_equal(turned, 1);
    }
}

// ---------------------------------------------------------------- fates

struct bench {
    struct lz_impair *im;
    uint64_t touched[8];
};

static void on_touch(void *ctx, uint32_t slot, uint64_t count)
{
    ((struct bench *)ctx)->touched[slot] += count;
}

static struct bench *begin(uint64_t seed)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->im = lz_impair_create(
        &(struct lz_impair_opts){.run_key = seed, .way_count = 2, .touch = on_touch, .ctx = b});
    lz_impair_name(b->im, 0, "a -> b");
    lz_impair_name(b->im, 1, "a -> c");
    return b;
}

static void finish(struct bench *b)
{
    lz_impair_destroy(b->im);
    free(b);
}

static struct lz_impair_fate send_at(struct bench *b, uint32_t way, enum lz_impair_direction d,
                                     int64_t now, size_t size)
{
    return lz_impair_decide(
        b->im, &(struct lz_impair_packet){.way = way, .direction = d, .size = size, .now_ns = now});
}

static struct lz_dist delay(enum lz_dist_kind kind, int64_t a, int64_t b)
{
    struct lz_dist dist;
    struct lz_err err;
    assert_true(lz_dist_make(&dist, kind, (double)a, (double)b, &err));
    return dist;
}

static struct lz_toxic struck(enum lz_toxic_kind kind, double ratio)
{
    return (struct lz_toxic){
        .kind = kind, .owner = 7, .loss = {.kind = LZ_LOSS_RATIO, .ratio = ratio}};
}

static void a_constant_delay_is_added_to_each(void **state)
{
    struct bench *b = begin(1);
    const struct lz_toxic t = {.kind = LZ_TOXIC_LATENCY,
                               .delay = delay(LZ_DIST_CONSTANT, 30 * MS, 0)};
    (void)state;
    lz_impair_add(b->im, 0, 3, &t);
    for (int64_t i = 0; i < 10; i++)
        assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, i * MS, 100).release_ns, (30 + i) * MS);
    assert_int_equal(send_at(b, 1, LZ_IMPAIR_UP, 5 * MS, 100).release_ns, 5 * MS);
    assert_int_equal(b->touched[3], 10);
    lz_impair_remove(b->im, 0, 3);
    assert_true(lz_impair_is_idle(b->im, 0));
    // What comes now does not pass what is on its way; afterwards it is as before.
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 12 * MS, 100).release_ns, 39 * MS);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 50 * MS, 100).release_ns, 50 * MS);
    finish(b);
}

static void a_varying_delay_keeps_the_order(void **state)
{
    struct bench *b = begin(1);
    const struct lz_toxic t = {.kind = LZ_TOXIC_LATENCY,
                               .delay = delay(LZ_DIST_UNIFORM, 0, 50 * MS)};
    int64_t last = 0, equal = 0;
    (void)state;
    lz_impair_add(b->im, 0, 0, &t);
    for (int64_t i = 0; i < 1000; i++) {
        int64_t at = send_at(b, 0, LZ_IMPAIR_UP, i * MS, 100).release_ns;
        assert_true(at >= last);
        assert_true(at >= i * MS && at <= (i + 50) * MS);
        equal += at == last;
        last = at;
    }
    assert_true(equal > 0); // some had to wait for one before them
    finish(b);
}

static void what_is_reordered_is_passed(void **state)
{
    struct bench *b = begin(1);
    struct lz_toxic t = struck(LZ_TOXIC_REORDER, 0.2);
    t.after_ns = 10 * MS;
    uint64_t held = 0;
    (void)state;
    lz_impair_add(b->im, 0, 0, &t);
    for (int64_t i = 0; i < 1000; i++) {
        int64_t at = send_at(b, 0, LZ_IMPAIR_UP, i * MS, 100).release_ns;
        assert_true(at == i * MS || at == (i + 10) * MS);
        held += at > i * MS;
    }
    assert_int_equal(held, b->touched[0]);
    assert_true(held > 100 && held < 300); // 200, +- 8 standard deviations of 12.6
    finish(b);
}

static void a_line_sends_one_after_another_and_drops_at_the_tail(void **state)
{
    struct bench *b = begin(1);
    // 1000 bytes take a millisecond; 3000 bytes wait at most.
    const struct lz_toxic t = {.kind = LZ_TOXIC_BANDWIDTH, .rate = 1e6, .buffer = 3000};
    (void)state;
    lz_impair_add(b->im, 0, 0, &t);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 0, 1000).release_ns, 1 * MS);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 0, 1000).release_ns, 2 * MS);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 0, 500).release_ns, 5 * MS / 2);
    assert_true(send_at(b, 0, LZ_IMPAIR_UP, 0, 1000).is_dropped);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 0, 500).release_ns, 3 * MS);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_DOWN, 0, 1000).release_ns, 1 * MS); // its own
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 10 * MS, 1000).release_ns, 11 * MS);
    finish(b);
}

static void edges_of_one_line_share_it(void **state)
{
    struct bench *b = begin(1);
    struct lz_toxic t = {.kind = LZ_TOXIC_BANDWIDTH, .rate = 1e6};
    (void)state;
    lz_impair_add(b->im, 0, 4, &t);
    t.line = 5; // that of slot 4, which counts from 1 there
    lz_impair_add(b->im, 1, 6, &t);
    assert_int_equal(send_at(b, 0, LZ_IMPAIR_UP, 0, 1000).release_ns, 1 * MS);
    assert_int_equal(send_at(b, 1, LZ_IMPAIR_UP, 0, 1000).release_ns, 2 * MS);
    finish(b);
}

static void a_cut_in_one_direction_leaves_the_other(void **state)
{
    struct bench *b = begin(1);
    const struct lz_toxic t = {.kind = LZ_TOXIC_CUT, .directions = LZ_TOXIC_UP};
    (void)state;
    lz_impair_add(b->im, 0, 0, &t);
    assert_true(send_at(b, 0, LZ_IMPAIR_UP, 0, 100).is_dropped);
    assert_false(send_at(b, 0, LZ_IMPAIR_DOWN, 0, 100).is_dropped);
    assert_false(send_at(b, 1, LZ_IMPAIR_UP, 0, 100).is_dropped);
    assert_int_equal(b->touched[0], 1);
    finish(b);
}

// Shares of 100,000 draws, each within 6.1 standard deviations: once in 10^9.
static void shares_are_what_was_asked_for(void **state)
{
    static const enum lz_toxic_kind kinds[] = {LZ_TOXIC_STALL, LZ_TOXIC_DUPLICATE, LZ_TOXIC_REORDER,
                                               LZ_TOXIC_CORRUPT};
    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        struct bench *b = begin(k + 1);
        const struct lz_toxic t = struck(kinds[k], 0.1);
        uint64_t dropped = 0, copies = 0, corrupt = 0;
        lz_impair_add(b->im, 0, 0, &t);
        for (int i = 0; i < 100000; i++) {
            struct lz_impair_fate f = send_at(b, 0, LZ_IMPAIR_DOWN, i, 100);
            dropped += f.is_dropped;
            copies += f.copies;
            corrupt += f.is_corrupt;
        }
        assert_in_range(b->touched[0], 10000 - 579, 10000 + 579);
        assert_int_equal(dropped, kinds[k] == LZ_TOXIC_STALL ? b->touched[0] : 0);
        assert_int_equal(copies, kinds[k] == LZ_TOXIC_DUPLICATE ? b->touched[0] : 0);
        assert_int_equal(corrupt, kinds[k] == LZ_TOXIC_CORRUPT ? b->touched[0] : 0);
        finish(b);
    }
}

// Packets far apart, so that none waits for another's delay.
static void a_share_of_them_is_late(void **state)
{
    struct bench *b = begin(9);
    struct lz_toxic t = {.kind = LZ_TOXIC_LATENCY, .ratio = 0.1};
    uint64_t late = 0;
    (void)state;
    t.delay = delay(LZ_DIST_CONSTANT, 30 * MS, 0);
    lz_impair_add(b->im, 0, 0, &t);
    for (int64_t i = 0; i < 100000; i++) {
        int64_t now = i * 100 * MS, at = send_at(b, 0, LZ_IMPAIR_UP, now, 100).release_ns;
        assert_true(at == now || at == now + 30 * MS);
        late += at > now;
    }
    assert_in_range(late, 10000 - 579, 10000 + 579);
    assert_int_equal(b->touched[0], late);
    finish(b);
}

// Bad with p = 1 %, good again with r = 20 %: in the long run p / (p + r) = 1/21 are lost, in
// bursts of 1 / r = 5 in the mean (Gilbert 1960). Bounds by 6.1 standard deviations, those of the
// share widened by the correlation of neighbours, (1 + c) / (1 - c) with c = 1 - p - r.
static void losses_come_in_bursts_as_gilbert_says(void **state)
{
    struct bench *b = begin(3);
    const struct lz_toxic t = {
        .kind = LZ_TOXIC_STALL,
        .owner = 1,
        .loss = {.kind = LZ_LOSS_GILBERT_ELLIOTT, .p = 0.01, .r = 0.2, .bad = 1.0, .good = 0.0}};
    uint64_t lost = 0, bursts = 0;
    bool was_lost = false;
    (void)state;
    lz_impair_add(b->im, 0, 0, &t);
    for (int i = 0; i < 200000; i++) {
        bool is_lost = send_at(b, 0, LZ_IMPAIR_UP, i, 100).is_dropped;
        lost += is_lost;
        bursts += is_lost && !was_lost;
        was_lost = is_lost;
    }
    double share = (double)lost / 200000, length = (double)lost / (double)bursts;
    assert_true(share > 1.0 / 21 - 0.0085 && share < 1.0 / 21 + 0.0085);
    assert_true(length > 4.3 && length < 5.7);
    finish(b);
}

static void a_seed_has_one_schedule_of_decisions(void **state)
{
    const struct lz_toxic loss = struck(LZ_TOXIC_STALL, 0.5);
    struct lz_toxic other = struck(LZ_TOXIC_DUPLICATE, 0.5);
    struct bench *b[3];
    int differ = 0;
    (void)state;
    other.owner = 8;
    for (int i = 0; i < 3; i++)
        b[i] = begin(i < 2 ? 1 : 2);
    lz_impair_add(b[0]->im, 0, 0, &loss);
    // Behind another fault, in another slot, with packets of the other direction in between.
    lz_impair_add(b[1]->im, 0, 2, &other);
    lz_impair_add(b[1]->im, 0, 1, &loss);
    lz_impair_add(b[2]->im, 0, 0, &loss);
    for (int i = 0; i < 1000; i++) {
        bool lost[3];
        send_at(b[1], 0, LZ_IMPAIR_DOWN, i, 100);
        for (int k = 0; k < 3; k++)
            lost[k] = send_at(b[k], 0, LZ_IMPAIR_UP, i, 100).is_dropped;
        assert_int_equal(lost[0], lost[1]);
        differ += lost[0] != lost[2];
    }
    assert_true(differ > 100);
    for (int i = 0; i < 3; i++)
        finish(b[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_what_the_kernel_reads),
        cmocka_unit_test(a_batch_that_is_too_long_is_never_sent),
        cmocka_unit_test(attributes_that_are_cut_short_end_the_list),
        cmocka_unit_test(what_is_no_packet_of_the_queue_is_passed_over),
        cmocka_unit_test(addresses_ports_and_data_are_found),
        cmocka_unit_test(so_they_are_of_ipv6),
        cmocka_unit_test(an_address_of_ipv6_ends_with_that_of_ipv4),
        cmocka_unit_test(what_is_no_ip_is_refused),
        cmocka_unit_test(one_bit_of_the_data_is_turned),
        cmocka_unit_test(a_constant_delay_is_added_to_each),
        cmocka_unit_test(a_varying_delay_keeps_the_order),
        cmocka_unit_test(what_is_reordered_is_passed),
        cmocka_unit_test(a_line_sends_one_after_another_and_drops_at_the_tail),
        cmocka_unit_test(edges_of_one_line_share_it),
        cmocka_unit_test(a_cut_in_one_direction_leaves_the_other),
        cmocka_unit_test(shares_are_what_was_asked_for),
        cmocka_unit_test(a_share_of_them_is_late),
        cmocka_unit_test(losses_come_in_bursts_as_gilbert_says),
        cmocka_unit_test(a_seed_has_one_schedule_of_decisions),
    };
    return cmocka_run_group_tests_name("impair", tests, NULL, NULL);
}
