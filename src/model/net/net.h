/*
 * net.h — messages between instances: delay, loss, silence.
 *
 * A message is an event that fires at the receiver once all of it is there. What the way is like
 * is link.h's: distance, declared links, what faults make of them. Underneath is TCP as far as it
 * decides latency: a message of one segment that is lost is sent again after the retransmission
 * timeout, a longer one goes in flights (tcp.h), and a cut link is silence: retransmissions go on
 * until the link heals, or the sender no longer cares or gives the connection up.
 *
 * Connections, and what opening one takes, are connect.h's.
 */
#ifndef LZ_MODEL_NET_NET_H
#define LZ_MODEL_NET_NET_H

#include "model/net/tcp.h"
#include "model/world.h"

#define LZ_NET_SMALL_BYTES                                                                         \
    256 /* a message whose size nobody said: a log record, a cancellation                          \
         */

/*
 * Asked before each retransmission: `tries` timeouts have run out, the first one is 1. False
 * drops the message. NULL: always.
 */
typedef bool lz_net_wanted_fn(struct lz_world *w, uint64_t payload, uint32_t tries);

struct lz_message {
    lz_instance_id from, to;
    lz_kind kind;  /* fires at the receiver when all of it is there */
    lz_kind first; /* the same for its first segment; 0: nobody cares. Only of long messages */
    uint64_t payload;
    uint64_t owner;        /* draw path */
    uint64_t conversation; /* a path: what must not overtake each other, of calls; 0: the owner's */
    enum lz_purpose purpose;
    uint64_t bytes;      /* 0 means LZ_NET_SMALL_BYTES */
    uint64_t window;     /* bytes that may be unacknowledged; 0 means LZ_TCP_WINDOW */
    lz_tcp_path_id path; /* the connection's way there; 0: a fresh one */
    uint64_t connection; /* see lz_flight; 0: none, or nobody asks */
    lz_net_wanted_fn *wanted;
};

void lz_net_init(struct lz_world *w);

void lz_net_send(struct lz_world *w, const struct lz_message *m);

/* For tcp.h: `m` is at its receiver after `delay`, and fires there as `kind` when its turn comes
   (sim/order.h). */
void lz_net_deliver(struct lz_world *w, const struct lz_message *m, lz_kind kind, lz_time delay);

/*
 * A small packet there and one back: a step of a handshake. False if either is lost or cut;
 * else *took is how long they take. `number` counts the owner's.
 */
bool lz_net_round_trip(struct lz_world *w, lz_instance_id client, lz_instance_id server,
                       uint64_t owner, uint32_t number, lz_time *took);

/* One draw of the latency from one instance to another, without loss: probes. */
lz_time lz_net_latency(struct lz_world *w, lz_instance_id from, lz_instance_id to,
                       struct lz_draw *draw);

/* Can the one ask the other right now and hear the answer? Not if either host is lost. */
bool lz_net_can_ask(struct lz_world *w, lz_instance_id client, lz_instance_id server);

/* The same of a question that is asked, not sent: what a cut takes of it counts as a message. */
bool lz_net_ask(struct lz_world *w, lz_instance_id client, lz_instance_id server);

/* An instance stands on another host: what is known of its ways is old. */
void lz_net_moved(struct lz_world *w);

/* The retransmission timeout from one to the other, the first. */
lz_time lz_net_rto(struct lz_world *w, lz_instance_id from, lz_instance_id to);

#endif
