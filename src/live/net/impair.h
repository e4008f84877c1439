/*
 * impair.h — what happens to each packet of a way: the decisions, without the packets.
 *
 * A *way* is an edge between two namespaces, both directions. Toxics (proxy/toxic.h) act on it as
 * they do on a proxy's edge, but on packets:
 *
 *   LATENCY    held for a draw of `delay`, all or a `ratio` of them. Order is kept: a packet does
 * not pass one before it, as on a line of varying length; what reorders is a fault of its own.
 *   STALL      lost, by `loss` (model/net/loss.h: ratio with correlation, Gilbert-Elliott, four
 *              states). TCP's own retransmission is what is measured then.
 *   BANDWIDTH  sent one after another at `rate` bytes a second, the headers counted; what would
 *              make more than `buffer` bytes wait is dropped at the tail. Toxics of one `line`
 *              share it, each direction for itself.
 *   CUT        lost, all of them.
 *   DUPLICATE  comes twice, at the same time.
 *   REORDER    held for `after` more, and those behind it are not.
 *   CORRUPT    one bit of it is turned, behind the IP header and, if there is any, in what TCP or
 *              UDP carry. Checksums stay as they were: the receiver's kernel notices, and drops it.
 *
 * Several act in the order in which they came; a packet that one drops is none for the next.
 *
 * Decisions are keyed draws: owner is (the way's name, the toxic's owner), purpose the direction,
 * counter the packet's number on that way and in that direction since the toxic came. The schedule
 * of decisions repeats with the seed; which bytes the n-th packet holds is the programs' affair.
 *
 * Time is an argument. Nothing here knows of sockets.
 */
#ifndef LZ_LIVE_NET_IMPAIR_H
#define LZ_LIVE_NET_IMPAIR_H

#include "live/proxy/toxic.h"

#define LZ_IMPAIR_TOXICS_MAX 1024u
#define LZ_IMPAIR_BUFFER 262144.0 /* as fault.bandwidth's preset */

enum lz_impair_direction { LZ_IMPAIR_UP, LZ_IMPAIR_DOWN }; /* client to server, and back */

struct lz_impair;

/* Toxic `slot` touched so many of its units. */
typedef void lz_impair_touch_fn(void *ctx, uint32_t slot, uint64_t count);

struct lz_impair_opts {
    uint64_t run_key;
    uint32_t way_count;
    lz_impair_touch_fn *touch;
    void *ctx;
};

struct lz_impair_packet {
    uint32_t way;
    enum lz_impair_direction direction;
    size_t size; /* from the IP header on */
    int64_t now_ns;
};

struct lz_impair_fate {
    bool is_dropped;
    bool is_corrupt;
    uint32_t copies;    /* more than the one */
    uint64_t bits;      /* CORRUPT: where; see lz_packet_flip */
    int64_t release_ns; /* now at the earliest */
};

struct lz_impair *lz_impair_create(const struct lz_impair_opts *opts);
void lz_impair_destroy(struct lz_impair *im); /* NULL is allowed */

/* Before its first toxic: owner of its draws. */
void lz_impair_name(struct lz_impair *im, uint32_t way, const char *name);

/* The toxic is copied; `slot`, below LZ_IMPAIR_TOXICS_MAX, is not in use on any way. */
void lz_impair_add(struct lz_impair *im, uint32_t way, uint32_t slot, const struct lz_toxic *t);
void lz_impair_change(struct lz_impair *im, uint32_t way, uint32_t slot, const struct lz_toxic *t);
void lz_impair_remove(struct lz_impair *im, uint32_t way, uint32_t slot);
bool lz_impair_is_idle(const struct lz_impair *im, uint32_t way); /* it has no toxic */

struct lz_impair_fate lz_impair_decide(struct lz_impair *im, const struct lz_impair_packet *p);

#endif
