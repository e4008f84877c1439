/*
 * nfqueue.h — packets that wait for us: rules that hand them over, the queue, the verdicts.
 *
 * A rule of nf_tables sends the packets of one *way* (from an address, to an address, at one hook)
 * into a queue of nfnetlink_queue. There they wait, in the kernel, until a verdict is sent for
 * each: accepted, perhaps with other bytes, or dropped. Packets with our mark pass: those that we
 * send ourselves.
 *
 * The rules are a table of their own, "lorenz", in the namespace that the socket was opened in.
 * Where the kernel has nf_tables' own `queue` that is used, else xtables' NFQUEUE by nft_compat.
 *
 * The queue is asked for single packets: the kernel cuts what it keeps as one (GSO) and completes
 * checksums before we see them.
 */
#ifndef LZ_LIVE_NET_NFQUEUE_H
#define LZ_LIVE_NET_NFQUEUE_H

#include "base/str.h"
#include "live/net/netlink.h"

#define LZ_NFQUEUE_NUMBER 0x4c5a
#define LZ_NFQUEUE_MARK 0x4c6f7265u /* of packets that are not to be queued */
#define LZ_NFQUEUE_HELD_MAX 65536u  /* what is more is dropped by the kernel */

enum lz_nfqueue_hook { LZ_NFQUEUE_INPUT = 1, LZ_NFQUEUE_FORWARD = 2, LZ_NFQUEUE_OUTPUT = 3 };

struct lz_nfqueue_way {
    enum lz_nfqueue_hook hook;
    uint32_t source, target;           /* in the machine's byte order; 0: any; IPv6: spaces.h */
    uint16_t source_port, target_port; /* of TCP or UDP; 0: any */
};

struct lz_nfqueue_packet {
    uint32_t id;
    enum lz_nfqueue_hook hook;
    const unsigned char *bytes; /* from the IP header on */
    size_t size;
};

struct lz_nfqueue {
    int rules; /* netlink sockets */
    int fd;    /* packets are read from it, non-blocking */
    bool is_compat;
    size_t family_count;           /* IPv4 alone, or IPv6 too */
    struct lz_err no_v6;           /* why it is IPv4 alone */
    struct lz_netlink_batch batch; /* of rules */
};

/* In the namespace we are in. LZ_ERANGE: the kernel lacks something, or this user may not. */
bool lz_nfqueue_open(struct lz_nfqueue *q, struct lz_err *err) LZ_MUST_CHECK;
void lz_nfqueue_close(struct lz_nfqueue *q);

/* These and no other ways from now on; up to some hundred at once, of more than that one after
   another. */
bool lz_nfqueue_set(struct lz_nfqueue *q, const struct lz_nfqueue_way *ways, size_t count,
                    struct lz_err *err) LZ_MUST_CHECK;

/*
 * The next packet in a datagram that was read from fd; `*at` moves on. False: there is no more.
 * What cannot be read is passed over.
 */
bool lz_nfqueue_next(const unsigned char **at, const unsigned char *end,
                     struct lz_nfqueue_packet *out);

/* Write a verdict behind others; `bytes` NULL: as it was. */
void lz_nfqueue_accept(struct lz_netlink_batch *b, uint32_t id, const unsigned char *bytes,
                       size_t size);
void lz_nfqueue_drop(struct lz_netlink_batch *b, uint32_t id);

/* Can it be had in namespaces of this user? `saw` gets a sentence either way. */
bool lz_nfqueue_probe(struct lz_str *saw);

#endif
