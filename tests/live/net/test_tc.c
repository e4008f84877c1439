/*
 * Traffic control: messages byte by byte as tc(8) sends them.
 *
 * They are recorded: `strace -e trace=sendmsg -xx tc ...`, iproute2 6.1.0, Linux 6.18; each literal
 * is what follows the header of the netlink message, with the words that made it above. They are
 * tested on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "live/net/tc.h"

#define MS INT64_C(1000000)
#define ADD (NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

static struct lz_netlink_batch batch;

// The message at `at`, which moves on to the next.
static void is_next(size_t *at, uint16_t type, uint16_t flags, const char *body, size_t size)
{
    struct nlmsghdr h;
    memcpy(&h, batch.bytes + *at, sizeof(h));
    assert_int_equal(h.nlmsg_type, type);
    assert_int_equal(h.nlmsg_flags, flags);
    assert_int_equal(h.nlmsg_len, sizeof(h) + size);
    assert_memory_equal(batch.bytes + *at + sizeof(h), body, size);
    *at += h.nlmsg_len;
}

static void is_message(uint16_t type, uint16_t flags, const char *body, size_t size)
{
    size_t at = 0;
    is_next(&at, type, flags, body, size);
    assert_int_equal(batch.len, at);
}

#define IS_NEXT(at, type, flags, literal) is_next(at, type, flags, literal, sizeof(literal) - 1)

#define IS_MESSAGE(type, flags, literal) is_message(type, flags, literal, sizeof(literal) - 1)

// struct tcmsg: dev lo, handle 10:, parent 1:2; and the kind.
#define LEAF "\0\0\0\0\1\0\0\0\0\0\x10\0\2\0\1\0\0\0\0\0"
#define NETEM "\x0a\0\1\0netem\0\0\0"

static const struct lz_tc_place leaf = {1, LZ_TC_HANDLE(1, 2), LZ_TC_HANDLE(0x10, 0)};

// tc qdisc add dev lo parent 1:2 handle 10: netem delay 50ms 10ms 25% loss 1% 20%
//    duplicate 2% 30% corrupt 3% 40% reorder 4% 50% limit 5000
static void netem_is_asked_for_as_tc_does(void **state)
{
    const struct lz_tc_netem n = {
        .delay_ns = 50 * MS,
        .jitter_ns = 10 * MS,
        .delay_correlation = 0.25,
        .loss = {.kind = LZ_LOSS_RATIO, .ratio = 0.01, .correlation = 0.2},
        .duplicate = 0.02,
        .duplicate_correlation = 0.3,
        .corrupt = 0.03,
        .corrupt_correlation = 0.4,
        .reorder = 0.04,
        .reorder_correlation = 0.5,
        .limit = 5000};
    (void)state;
    lz_netlink_start(&batch);
    lz_tc_put_netem(&batch, &leaf, false, &n);
    IS_MESSAGE(RTM_NEWQDISC, ADD,
               LEAF NETEM
               "\x44\0\2\0\xc2\xeb\x0b\x00\x88\x13\x00\x00\x29\x5c\x8f\x02\x01\x00\x00\x00"
               "\x52\xb8\x1e\x05\x5a\x62\x02\x00\x10\x00\x01\x00\x00\x00\x00\x40\x33\x33\x33\x33"
               "\xcc\xcc\xcc\x4c\x0c\x00\x03\x00\xa4\x70\x3d\x0a\x00\x00\x00\x80\x0c\x00\x04\x00"
               "\x7b\x14\xae\x07\x66\x66\x66\x66");
    // tc qdisc change ...: the same without NLM_F_CREATE.
    lz_netlink_start(&batch);
    lz_tc_put_netem(&batch, &leaf, true, &n);
    struct nlmsghdr h;
    memcpy(&h, batch.bytes, sizeof(h));
    assert_int_equal(h.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
}

// What tc leaves out if it is not said we say, so that a change does not keep it: correlations,
// reordering and damage, all zero.
#define NOTHING_ELSE                                                                               \
    "\x10\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0\3\0\0\0\0\0\0\0\0\0\x0c\0\4\0\0\0\0\0\0\0\0\0"

// tc qdisc add dev lo parent 1:2 handle 10: netem loss gemodel 1% 50% 90% 2%
static void loss_by_gilbert_and_elliott_too(void **state)
{
    // In words of tc the third is 1 - h, what is lost in the bad state.
    const struct lz_tc_netem n = {
        .loss = {.kind = LZ_LOSS_GILBERT_ELLIOTT, .p = 0.01, .r = 0.5, .bad = 0.9, .good = 0.02},
        .limit = 1000};
    (void)state;
    lz_netlink_start(&batch);
    lz_tc_put_netem(&batch, &leaf, false, &n);
    IS_MESSAGE(RTM_NEWQDISC, ADD,
               LEAF NETEM
               "\x5c\0\2\0\0\0\0\0\xe8\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" NOTHING_ELSE
               "\x18\x00\x05\x80\x14\x00\x02\x00\x29\x5c\x8f\x02\x00\x00\x00\x80"
               "\x99\x99\x99\x19\x52\xb8\x1e\x05");
}

// tc qdisc add dev lo parent 1:2 handle 10: netem loss state 1% 50% 2% 40% 3%
static void and_by_four_states(void **state)
{
    const struct lz_tc_netem n = {.loss = {.kind = LZ_LOSS_FOUR_STATES,
                                           .p13 = 0.01,
                                           .p31 = 0.5,
                                           .p32 = 0.02,
                                           .p23 = 0.4,
                                           .p14 = 0.03},
                                  .limit = 1000};
    (void)state;
    lz_netlink_start(&batch);
    lz_tc_put_netem(&batch, &leaf, false, &n);
    IS_MESSAGE(RTM_NEWQDISC, ADD,
               LEAF NETEM
               "\x60\0\2\0\0\0\0\0\xe8\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" NOTHING_ELSE
               "\x1c\x00\x05\x80\x18\x00\x01\x00\x29\x5c\x8f\x02\x00\x00\x00\x80"
               "\x52\xb8\x1e\x05\x7b\x14\xae\x07\x66\x66\x66\x66");
}

// tc qdisc add dev lo root handle 1: htb
// tc filter add dev lo parent 1: protocol ip prio 3 u32 match ip dst 198.19.0.1/32
//    match ip dport 80 0xffff flowid 1:2
// tc filter add dev lo parent 1: protocol ipv6 prio 16387 u32 match u32 0xc6130001 0xffffffff at 36
//    match u32 0x50 0xffff at 40 flowid 1:2
// tc filter del dev lo parent 1: prio 3
// tc filter del dev lo parent 1: prio 16387
static void roots_and_filters_are_those_of_tc(void **state)
{
    const struct lz_tc_place root = {1, UINT32_MAX, LZ_TC_HANDLE(1, 0)};
    const struct lz_tc_place class = {1, LZ_TC_HANDLE(1, 0), LZ_TC_HANDLE(1, 2)};
    (void)state;
    lz_netlink_start(&batch);
    lz_tc_put_htb(&batch, &root);
    IS_MESSAGE(RTM_NEWQDISC, ADD,
               "\0\0\0\0\1\0\0\0\0\0\1\0\xff\xff\xff\xff\0\0\0\0"
               "\x08\0\1\0htb\0\x1c\0\2\0\x18\0\2\0\3\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    lz_netlink_start(&batch);
    lz_tc_put_filter(&batch, &class, 3,
                     &(struct lz_tc_match){.target = 0xc6130001u, .target_port = 80});
    size_t at = 0;
    IS_NEXT(&at, RTM_NEWTFILTER, ADD,
            "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\1\0\x08\0\3\0"
            "\x08\0\1\0u32\0\x40\0\2\0"
            "\x08\x00\x01\x00\x02\x00\x01\x00\x34\x00\x05\x00\x01\x00\x02\x00\x00\x00\x00\x00"
            "\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xc6\x13\x00\x01\x10\x00\x00\x00"
            "\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x50\x14\x00\x00\x00\x00\x00\x00\x00");
    IS_NEXT(&at, RTM_NEWTFILTER, ADD,
            "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\1\0\x86\xdd\3\x40"
            "\x08\0\1\0u32\0\x40\0\2\0"
            "\x08\x00\x01\x00\x02\x00\x01\x00\x34\x00\x05\x00\x01\x00\x02\x00\x00\x00\x00\x00"
            "\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xc6\x13\x00\x01\x24\x00\x00\x00"
            "\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x50\x28\x00\x00\x00\x00\x00\x00\x00");
    assert_int_equal(batch.len, at);
    lz_netlink_start(&batch);
    lz_tc_put_no_filter(&batch, &class, 3);
    at = 0;
    IS_NEXT(&at, RTM_DELTFILTER, NLM_F_REQUEST | NLM_F_ACK,
            "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\1\0\0\0\3\0");
    IS_NEXT(&at, RTM_DELTFILTER, NLM_F_REQUEST | NLM_F_ACK,
            "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\1\0\0\0\3\x40");
    assert_int_equal(batch.len, at);
}

// An attribute of the options of the message in the batch.
static struct lz_netlink_attribute option(uint16_t type)
{
    struct lz_netlink_attribute a;
    const unsigned char *at = batch.bytes + sizeof(struct nlmsghdr) + sizeof(struct tcmsg);
    while (lz_netlink_next(&at, batch.bytes + batch.len, &a)) {
        const unsigned char *in = a.data, *end = in + a.size;
        struct lz_netlink_attribute inner;
        if (a.type != TCA_OPTIONS)
            continue;
        while (lz_netlink_next(&in, end, &inner))
            if (inner.type == type)
                return inner;
    }
    fail_msg("no option %u", type);
    return a;
}

// tc qdisc add dev lo parent 1:2 handle 10: tbf rate 10mbit burst 3028 limit 262144
// tc class add dev lo parent 1: classid 1:2 htb rate 100gbit quantum 60000
static void rates_are_those_of_tc_without_its_tables(void **state)
{
    static const char parms[] =
        "\x03\x01\x00\x00\xff\xff\x00\x00\xd0\x12\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x04\x00\xd3\x93\x00\x00\x00\x00\x00\x00";
    struct tc_tbf_qopt theirs, ours;
    (void)state;
    lz_netlink_start(&batch);
    lz_tc_put_tbf(&batch, &leaf, false, &(struct lz_tc_tbf){1.25e6, 3028, 262144});
    assert_int_equal(option(TCA_TBF_PARMS).size, sizeof(ours));
    assert_int_equal(sizeof(parms) - 1, sizeof(theirs));
    memcpy(&theirs, parms, sizeof(theirs));
    memcpy(&ours, option(TCA_TBF_PARMS).data, sizeof(ours));
    // cell_log and cell_align are about the table.
    assert_int_equal(ours.rate.linklayer, theirs.rate.linklayer);
    assert_int_equal(ours.rate.rate, theirs.rate.rate);
    assert_int_equal(ours.limit, theirs.limit);
    // tc computes in whole microseconds, of 15.6 ticks.
    assert_in_range(ours.buffer, theirs.buffer, theirs.buffer + 16);
    assert_memory_equal(option(TCA_TBF_BURST).data, "\xd4\x0b\0\0", 4);

    const struct lz_tc_place class = {1, LZ_TC_HANDLE(1, 0), LZ_TC_HANDLE(1, 2)};
    struct tc_htb_opt opt;
    lz_netlink_start(&batch);
    lz_tc_put_class(&batch, &class);
    memcpy(&opt, option(TCA_HTB_PARMS).data, sizeof(opt));
    assert_memory_equal(option(TCA_HTB_RATE64).data, "\x00\xdd\x0e\xe9\x02\x00\x00\x00", 8);
    assert_memory_equal(option(TCA_HTB_CEIL64).data, "\x00\xdd\x0e\xe9\x02\x00\x00\x00", 8);
    assert_int_equal(opt.rate.rate, UINT32_MAX);
    assert_int_equal(opt.rate.linklayer, 1);
    assert_int_equal(opt.quantum, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netem_is_asked_for_as_tc_does),
        cmocka_unit_test(loss_by_gilbert_and_elliott_too),
        cmocka_unit_test(and_by_four_states),
        cmocka_unit_test(roots_and_filters_are_those_of_tc),
        cmocka_unit_test(rates_are_those_of_tc_without_its_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
