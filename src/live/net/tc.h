/*
 * tc.h — the kernel's traffic control, tc(8), as netlink messages: what delays, loses and limits
 * packets that leave by one interface, and what leads packets there.
 *
 *   htb 1: ─┬─ filter: from, to, ports ─▶ class 1:n ─▶ netem 100: ─▶ tbf 101: ...
 *           └─ everything else goes straight on
 *
 * Each function puts one message into a batch (netlink.h). What is put is what iproute2's `tc`
 * sends for the same words, but for the tables of rates (TCA_TBF_RTAB, TCA_HTB_RTAB): since Linux
 * 3.8 the kernel computes them itself if the link layer is said. The structures are those of
 * <linux/pkt_sched.h> and <linux/pkt_cls.h>; times are in ticks of 64 ns.
 */
#ifndef LZ_LIVE_NET_TC_H
#define LZ_LIVE_NET_TC_H

#include "live/net/netlink.h"
#include "model/net/loss.h"

#define LZ_TC_DELAY_MAX INT64_C(274000000000) /* 32 bits of ticks */
#define LZ_TC_JITTER_MAX INT64_C(2000000000)  /* netem computes with 31 bits of nanoseconds */
#define LZ_TC_TABLE_MAX 16384u                /* entries: NETEM_DIST_MAX */
#define LZ_TC_TABLE_SCALE 8192                /* what is one jitter in the table */

/* "1:2" as tc writes it. */
#define LZ_TC_HANDLE(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))

/* Where something is put: by which interface packets leave, below what, and its own handle. */
struct lz_tc_place {
    int interface; /* its index, in the namespace of the socket */
    uint32_t parent, handle;
};

/* `tc qdisc ... netem`; what is zero is not done. Shares are from 0 to 1. */
struct lz_tc_netem {
    int64_t delay_ns, jitter_ns;
    double delay_correlation;
    const int16_t *table; /* delay is delay_ns + jitter_ns * entry / LZ_TC_TABLE_SCALE, by chance */
    size_t table_len;
    struct lz_loss loss;
    double duplicate, duplicate_correlation;
    double reorder, reorder_correlation; /* these go at once, the others by delay_ns later */
    double corrupt, corrupt_correlation;
    uint32_t limit; /* packets */
};

/* `tc qdisc ... tbf`: `burst` bytes at once, then `rate` a second; more than `limit` do not wait.
 */
struct lz_tc_tbf {
    double rate; /* bytes a second */
    uint32_t burst, limit;
};

/* 0 is any; in the machine's byte order. */
struct lz_tc_match {
    uint32_t source, target;
    uint16_t source_port, target_port;
};

/* A new one, or if it is there already (`is_change`) its numbers: what it holds it keeps. */
void lz_tc_put_netem(struct lz_netlink_batch *b, const struct lz_tc_place *at, bool is_change,
                     const struct lz_tc_netem *n);
void lz_tc_put_tbf(struct lz_netlink_batch *b, const struct lz_tc_place *at, bool is_change,
                   const struct lz_tc_tbf *t);

/* The root of an interface, without limits, and one of its classes. */
void lz_tc_put_htb(struct lz_netlink_batch *b, const struct lz_tc_place *at);
void lz_tc_put_class(struct lz_netlink_batch *b, const struct lz_tc_place *at);

/* Lead what matches to the class `at->handle`, of both families: an address of IPv6 ends with that
 * of IPv4 (spaces.h). Filters of one `order` go together. */
void lz_tc_put_filter(struct lz_netlink_batch *b, const struct lz_tc_place *at, uint16_t order,
                      const struct lz_tc_match *m);
void lz_tc_put_no_filter(struct lz_netlink_batch *b, const struct lz_tc_place *at, uint16_t order);

void lz_tc_put_no_qdisc(struct lz_netlink_batch *b, const struct lz_tc_place *at);

/* What a qdisc has counted: those that went through, dropped, waiting, and put before others. */
struct lz_tc_counts {
    uint64_t bytes;
    uint32_t packets, dropped, waiting, requeued; /* they turn over */
};
bool lz_tc_ask_counts(int fd, const struct lz_tc_place *at, struct lz_tc_counts *out,
                      struct lz_err *err) LZ_MUST_CHECK;

#endif
