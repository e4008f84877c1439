/*
 * netlink.h — asking the kernel by netlink messages: written, sent, and answered by an errno each.
 *
 * A *batch* is some messages in one buffer, each with attributes that may nest. They are sent
 * together; each asks for an acknowledgement, so that `lz_netlink_ask` knows of every one how it
 * went. rtnetlink(7) carries them out one after another; nf_tables, between a begin and an end,
 * all or none.
 *
 *     lz_netlink_start(&b);
 *     lz_netlink_message(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
 *     lz_netlink_put_text(&b, IFLA_IFNAME, "eth0");
 *     size_t info = lz_netlink_nest(&b, IFLA_LINKINFO);
 *     lz_netlink_put_text(&b, IFLA_INFO_KIND, "veth");
 *     lz_netlink_end(&b, info);
 *     ok = lz_netlink_ask(fd, &b, &err);
 *
 * Invariants
 * 1. Every message and attribute begins at a multiple of 4 bytes, and what pads them is zero.
 * 2. Integers are the machine's own order but where `be` is in the name: nfnetlink's.
 * 3. A socket belongs to the network namespace that it was opened in, wherever its owner goes.
 *
 * Raw, and not through a library: what is needed are three dozen kinds of attributes, and the
 * libraries that know them (libmnl, libnl, libnftables) are not to be linked or not always there.
 */
#ifndef LZ_LIVE_NET_NETLINK_H
#define LZ_LIVE_NET_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LZ_NETLINK_BATCH_SIZE ((size_t)256 << 10)

struct lz_netlink_batch {
    _Alignas(8) unsigned char bytes[LZ_NETLINK_BATCH_SIZE];
    size_t len;
    size_t message;   /* where the one that is being written begins */
    uint32_t seq;     /* of it, from 1 */
    uint32_t asked;   /* messages that are to be acknowledged */
    bool is_overfull; /* what did not fit was left out; asking is refused */
};

/* An attribute that was read; `size` is without its header. */
struct lz_netlink_attribute {
    uint16_t type; /* without the flags of nesting and byte order */
    const void *data;
    size_t size;
};

/* A socket of NETLINK_ROUTE, NETLINK_NETFILTER, ... in the namespace we are in. */
bool lz_netlink_open(int protocol, int *fd, struct lz_err *err) LZ_MUST_CHECK;

void lz_netlink_start(struct lz_netlink_batch *b);

/* A new message that is acknowledged; `body` is what follows its header. */
void lz_netlink_message(struct lz_netlink_batch *b, uint16_t type, uint16_t flags, const void *body,
                        size_t size);
/* One that is not: the borders of nfnetlink's batches, verdicts. */
void lz_netlink_message_unasked(struct lz_netlink_batch *b, uint16_t type, const void *body,
                                size_t size);

void lz_netlink_put(struct lz_netlink_batch *b, uint16_t type, const void *data, size_t size);
void lz_netlink_put_text(struct lz_netlink_batch *b, uint16_t type, const char *text);
void lz_netlink_put_u32(struct lz_netlink_batch *b, uint16_t type, uint32_t value);
void lz_netlink_put_be32(struct lz_netlink_batch *b, uint16_t type, uint32_t value);
void lz_netlink_put_be16(struct lz_netlink_batch *b, uint16_t type, uint16_t value);

/* Attributes within an attribute, until `end` with what `nest` gave. */
size_t lz_netlink_nest(struct lz_netlink_batch *b, uint16_t type);
size_t lz_netlink_nest_plainly(struct lz_netlink_batch *b, uint16_t type); /* without the flag */
void lz_netlink_end(struct lz_netlink_batch *b, size_t nest);

/* Bytes of a body between attributes (a peer's ifinfomsg). */
void lz_netlink_put_raw(struct lz_netlink_batch *b, const void *data, size_t size);

/*
 * Send all, and wait until each was answered. False: the first that was refused; `refused`, unless
 * NULL, is its errno then. What was refused by rtnetlink does not undo what went before.
 */
bool lz_netlink_ask(int fd, const struct lz_netlink_batch *b, int *refused,
                    struct lz_err *err) LZ_MUST_CHECK;

/*
 * Ask one thing that has an answer: what follows the header of it, up to `size` bytes. False: it
 * was refused, or nothing was said.
 */
bool lz_netlink_get(int fd, const struct lz_netlink_batch *b, void *answer, size_t size,
                    size_t *len, struct lz_err *err) LZ_MUST_CHECK;

/* Send without waiting for anything; the errno. */
int lz_netlink_tell(int fd, const struct lz_netlink_batch *b);

/*
 * The next attribute at `*at`, which moves on; false at the end, or where what is left is none.
 */
bool lz_netlink_next(const unsigned char **at, const unsigned char *end,
                     struct lz_netlink_attribute *out);

#endif
