#include "live/net/tc.h"

#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>

#include "base/check.h"

#define TICK_NS 64          // PSCHED_SHIFT of the kernel: 6 bits
#define FREELY 12500000000u // bytes a second: 100 Gbit/s, which nothing here reaches
#define QUANTUM 60000u      // of a class; only one that is not said makes the kernel warn
#define KEYS_MAX 3          // of a filter: both addresses, and the ports
#define ORDER_V6 0x4000     // filters of IPv6 have an order of their own

// Where the header has an address, of IPv6 its last four bytes, and where ports are behind one
// without options.
static const struct family {
    int source_at, target_at, ports_at;
    uint16_t protocol, order;
} families[] = {{12, 16, 20, ETH_P_IP, 0}, {20, 36, 40, ETH_P_IPV6, ORDER_V6}};
#define ANSWER_SIZE 8192

static void begin(struct lz_netlink_batch *b, uint16_t type, uint16_t flags,
                  const struct lz_tc_place *at, uint32_t info)
{
    const struct tcmsg body = {.tcm_ifindex = at->interface,
                               .tcm_handle = at->handle,
                               .tcm_parent = at->parent,
                               .tcm_info = info};
    lz_netlink_message(b, type, flags, &body, sizeof(body));
}

static void begin_qdisc(struct lz_netlink_batch *b, const struct lz_tc_place *at, bool is_change,
                        const char *kind)
{
    uint16_t flags = is_change ? 0 : NLM_F_CREATE | NLM_F_EXCL;
    begin(b, RTM_NEWQDISC, flags, at, 0);
    lz_netlink_put_text(b, TCA_KIND, kind);
}

// An attribute around others that has bytes of its own before them, and no flag.
static size_t nest_with(struct lz_netlink_batch *b, const void *data, size_t size)
{
    size_t at = b->len;
    lz_netlink_put(b, TCA_OPTIONS, data, size);
    return at;
}

// ---------------------------------------------------------------- netem

static uint32_t chance(double share)
{
    LZ_ASSERT(share >= 0.0 && share <= 1.0);
    return (uint32_t)rint(share * (double)UINT32_MAX);
}

static uint32_t ticks(int64_t ns)
{
    LZ_ASSERT(ns >= 0 && ns <= LZ_TC_DELAY_MAX);
    return (uint32_t)(ns / TICK_NS);
}

// In the kernel's words: a packet comes through in the bad state with probability h, and is lost
// in the good one with k1.
static void put_chain(struct lz_netlink_batch *b, const struct lz_loss *l)
{
    size_t nest = lz_netlink_nest(b, TCA_NETEM_LOSS);
    if (l->kind == LZ_LOSS_GILBERT_ELLIOTT) {
        const struct tc_netem_gemodel g = {.p = chance(l->p),
                                           .r = chance(l->r),
                                           .h = UINT32_MAX - chance(l->bad),
                                           .k1 = chance(l->good)};
        lz_netlink_put(b, NETEM_LOSS_GE, &g, sizeof(g));
    } else {
        const struct tc_netem_gimodel g = {.p13 = chance(l->p13),
                                           .p31 = chance(l->p31),
                                           .p32 = chance(l->p32),
                                           .p14 = chance(l->p14),
                                           .p23 = chance(l->p23)};
        lz_netlink_put(b, NETEM_LOSS_GI, &g, sizeof(g));
    }
    lz_netlink_end(b, nest);
}

// What is left out of a change stays as it was: all of it is said, each time.
void lz_tc_put_netem(struct lz_netlink_batch *b, const struct lz_tc_place *at, bool is_change,
                     const struct lz_tc_netem *n)
{
    bool by_ratio = n->loss.kind == LZ_LOSS_RATIO;
    const struct tc_netem_qopt opt = {.latency = ticks(n->delay_ns),
                                      .limit = n->limit,
                                      .loss = by_ratio ? chance(n->loss.ratio) : 0,
                                      .gap = n->reorder > 0.0,
                                      .duplicate = chance(n->duplicate),
                                      .jitter = ticks(n->jitter_ns)};
    const struct tc_netem_corr corr = {.delay_corr = chance(n->delay_correlation),
                                       .loss_corr = by_ratio ? chance(n->loss.correlation) : 0,
                                       .dup_corr = chance(n->duplicate_correlation)};
    const struct tc_netem_reorder reorder = {.probability = chance(n->reorder),
                                             .correlation = chance(n->reorder_correlation)};
    const struct tc_netem_corrupt corrupt = {.probability = chance(n->corrupt),
                                             .correlation = chance(n->corrupt_correlation)};
    LZ_ASSERT(n->jitter_ns <= LZ_TC_JITTER_MAX);
    LZ_ASSERT(n->table_len <= LZ_TC_TABLE_MAX);
    begin_qdisc(b, at, is_change, "netem");
    size_t nest = nest_with(b, &opt, sizeof(opt));
    lz_netlink_put(b, TCA_NETEM_CORR, &corr, sizeof(corr));
    lz_netlink_put(b, TCA_NETEM_REORDER, &reorder, sizeof(reorder));
    lz_netlink_put(b, TCA_NETEM_CORRUPT, &corrupt, sizeof(corrupt));
    if (n->loss.kind == LZ_LOSS_GILBERT_ELLIOTT || n->loss.kind == LZ_LOSS_FOUR_STATES)
        put_chain(b, &n->loss);
    if (n->table_len > 0)
        lz_netlink_put(b, TCA_NETEM_DELAY_DIST, n->table, n->table_len * sizeof(n->table[0]));
    lz_netlink_end(b, nest);
}

// ---------------------------------------------------------------- tbf

// Time for so many bytes, in ticks.
static uint32_t time_for(double bytes, double rate)
{
    double t = bytes / rate * 1e9 / TICK_NS;
    return t < (double)UINT32_MAX ? (uint32_t)(t + 0.5) : UINT32_MAX;
}

void lz_tc_put_tbf(struct lz_netlink_batch *b, const struct lz_tc_place *at, bool is_change,
                   const struct lz_tc_tbf *t)
{
    LZ_ASSERT(t->rate >= 1.0);
    LZ_ASSERT(t->burst > 0);
    bool is_wide = t->rate >= (double)UINT32_MAX;
    const struct tc_tbf_qopt opt = {
        .rate = {.linklayer = TC_LINKLAYER_ETHERNET,
                 .rate = is_wide ? UINT32_MAX : (uint32_t)(t->rate + 0.5)},
        .limit = t->limit,
        .buffer = time_for(t->burst, t->rate)};
    begin_qdisc(b, at, is_change, "tbf");
    size_t nest = lz_netlink_nest_plainly(b, TCA_OPTIONS);
    lz_netlink_put(b, TCA_TBF_PARMS, &opt, sizeof(opt));
    lz_netlink_put_u32(b, TCA_TBF_BURST, t->burst);
    if (is_wide) {
        uint64_t rate = (uint64_t)(t->rate + 0.5);
        lz_netlink_put(b, TCA_TBF_RATE64, &rate, sizeof(rate));
    }
    lz_netlink_end(b, nest);
}

// ---------------------------------------------------------------- htb and filters

void lz_tc_put_htb(struct lz_netlink_batch *b, const struct lz_tc_place *at)
{
    const struct tc_htb_glob glob = {.version = 3, .rate2quantum = 10};
    begin_qdisc(b, at, false, "htb");
    size_t nest = lz_netlink_nest_plainly(b, TCA_OPTIONS);
    lz_netlink_put(b, TCA_HTB_INIT, &glob, sizeof(glob));
    lz_netlink_end(b, nest);
}

void lz_tc_put_class(struct lz_netlink_batch *b, const struct lz_tc_place *at)
{
    const struct tc_ratespec freely = {.linklayer = TC_LINKLAYER_ETHERNET, .rate = UINT32_MAX};
    const struct tc_htb_opt opt = {.rate = freely,
                                   .ceil = freely,
                                   .buffer = INT32_MAX,
                                   .cbuffer = INT32_MAX,
                                   .quantum = QUANTUM};
    const uint64_t rate = FREELY;
    begin(b, RTM_NEWTCLASS, NLM_F_CREATE | NLM_F_EXCL, at, 0);
    lz_netlink_put_text(b, TCA_KIND, "htb");
    size_t nest = lz_netlink_nest_plainly(b, TCA_OPTIONS);
    lz_netlink_put(b, TCA_HTB_RATE64, &rate, sizeof(rate));
    lz_netlink_put(b, TCA_HTB_CEIL64, &rate, sizeof(rate));
    lz_netlink_put(b, TCA_HTB_PARMS, &opt, sizeof(opt));
    lz_netlink_end(b, nest);
}

static void add_key(struct tc_u32_key *keys, size_t *count, uint32_t value, uint32_t mask, int at)
{
    LZ_ASSERT(*count < KEYS_MAX);
    if (mask != 0)
        keys[(*count)++] = (struct tc_u32_key){.mask = htonl(mask), .val = htonl(value), .off = at};
}

static uint32_t order_of(uint16_t order, uint16_t protocol)
{
    return (uint32_t)order << 16 | htons(protocol);
}

static void put_filter(struct lz_netlink_batch *b, const struct lz_tc_place *at, uint16_t order,
                       const struct lz_tc_match *m, const struct family *f)
{
    struct tc_u32_key keys[KEYS_MAX];
    size_t count = 0;
    uint32_t ports = (uint32_t)m->source_port << 16 | m->target_port;
    add_key(keys, &count, m->source, m->source != 0 ? UINT32_MAX : 0, f->source_at);
    add_key(keys, &count, m->target, m->target != 0 ? UINT32_MAX : 0, f->target_at);
    add_key(keys, &count, ports,
            (m->source_port != 0 ? 0xffff0000u : 0) | (m->target_port != 0 ? 0xffffu : 0),
            f->ports_at);
    LZ_ASSERT(count > 0);
    struct tc_u32_sel sel;
    memset(&sel, 0, sizeof(sel)); // with the bytes between its fields, which the kernel is sent too
    sel.flags = TC_U32_TERMINAL;
    sel.nkeys = (unsigned char)count;
    unsigned char all[sizeof(sel) + sizeof(keys)];
    memcpy(all, &sel, sizeof(sel));
    memcpy(all + sizeof(sel), keys, count * sizeof(keys[0]));
    const struct lz_tc_place of = {.interface = at->interface, .parent = at->parent};
    begin(b, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &of,
          order_of((uint16_t)(order + f->order), f->protocol));
    lz_netlink_put_text(b, TCA_KIND, "u32");
    size_t nest = lz_netlink_nest_plainly(b, TCA_OPTIONS);
    lz_netlink_put_u32(b, TCA_U32_CLASSID, at->handle);
    lz_netlink_put(b, TCA_U32_SEL, all, sizeof(sel) + count * sizeof(keys[0]));
    lz_netlink_end(b, nest);
}

void lz_tc_put_filter(struct lz_netlink_batch *b, const struct lz_tc_place *at, uint16_t order,
                      const struct lz_tc_match *m)
{
    LZ_ASSERT(order < ORDER_V6);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        put_filter(b, at, order, m, &families[i]);
}

void lz_tc_put_no_filter(struct lz_netlink_batch *b, const struct lz_tc_place *at, uint16_t order)
{
    const struct lz_tc_place of = {.interface = at->interface, .parent = at->parent};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        begin(b, RTM_DELTFILTER, 0, &of, order_of((uint16_t)(order + families[i].order), 0));
}

void lz_tc_put_no_qdisc(struct lz_netlink_batch *b, const struct lz_tc_place *at)
{
    begin(b, RTM_DELQDISC, 0, at, 0);
}

// ---------------------------------------------------------------- what was counted

static void read_counts(const unsigned char *at, const unsigned char *end, struct lz_tc_counts *out)
{
    struct lz_netlink_attribute a;
    struct gnet_stats_basic basic;
    struct gnet_stats_queue queue;
    while (lz_netlink_next(&at, end, &a)) {
        // What is padded at its end has a few bytes less in some kernels.
        if (a.type == TCA_STATS_BASIC && a.size >= offsetof(struct gnet_stats_basic, packets) + 4) {
            memset(&basic, 0, sizeof(basic));
            memcpy(&basic, a.data, a.size < sizeof(basic) ? a.size : sizeof(basic));
            out->bytes = basic.bytes;
            out->packets = basic.packets;
        } else if (a.type == TCA_STATS_QUEUE && a.size >= sizeof(queue)) {
            memcpy(&queue, a.data, sizeof(queue));
            out->dropped = queue.drops;
            out->waiting = queue.qlen;
            out->requeued = queue.requeues;
        }
    }
}

bool lz_tc_ask_counts(int fd, const struct lz_tc_place *at, struct lz_tc_counts *out,
                      struct lz_err *err)
{
    static struct lz_netlink_batch b;
    static _Alignas(8) unsigned char answer[ANSWER_SIZE];
    const struct lz_tc_place whole = {.interface = at->interface, .handle = at->handle};
    struct lz_netlink_attribute a;
    size_t len = 0;
    lz_netlink_start(&b);
    begin(&b, RTM_GETQDISC, NLM_F_ECHO, &whole, 0);
    if (!lz_netlink_get(fd, &b, answer, sizeof(answer), &len, err))
        return false;
    const unsigned char *p = answer + sizeof(struct tcmsg), *end = answer + len;
    *out = (struct lz_tc_counts){0};
    while (p < end && lz_netlink_next(&p, end, &a))
        if (a.type == TCA_STATS2)
            read_counts(a.data, (const unsigned char *)a.data + a.size, out);
    return true;
}
