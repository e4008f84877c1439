/*
 * net.h — messages between instances: delay, loss, silence.
 *
 * A message is an event that fires at the receiver after the link's one-way
 * latency. Links are directed and exist between every two instances; their base
 * latency is a declared link's or the distance's. Faults add to it: net.h keeps
 * the list of active *effects* and recomputes a link from its base and the effects
 * that match it, so that any number stack and un-stack in any order without residue.
 *
 * Underneath is TCP as far as it decides latency here: a lost message is sent again
 * after the retransmission timeout (200 ms, doubling to 120 s, RFC 6298 with Linux's
 * floor), and a cut link is silence: retransmissions go on until the link heals or
 * the sender no longer cares.
 */
#ifndef LZ_MODEL_NET_H
#define LZ_MODEL_NET_H

#include "model/target.h"
#include "model/world.h"

#define LZ_NET_RTO_NS (200 * LZ_MS)
#define LZ_NET_RTO_MAX_NS (120 * LZ_S)

struct lz_link_opts {
    struct lz_target from, to;
    struct lz_dist latency; /* one way; NONE keeps the distance's */
    double loss;            /* probability per message, 0 to 1 */
    bool one_way;           /* only from -> to */
};

/* What a fault does to the messages it matches. */
struct lz_net_effect {
    const struct lz_target *from, *to; /* NULL: anything */
    bool both_ways;
    bool cut;
    double loss;
    struct lz_dist add;
    uint64_t path;     /* owner of its draws: the fault's */
    uint64_t *touched; /* counts messages it delayed, lost or cut */
};
typedef uint32_t lz_net_effect_id;

struct lz_message {
    lz_instance_id from, to;
    lz_kind kind; /* fires at the receiver */
    uint64_t payload;
    uint64_t owner; /* draw path */
    enum lz_purpose purpose;
};

void lz_net_init(struct lz_world *w);
bool lz_net_link(struct lz_world *w, const struct lz_link_opts *opts,
                 struct lz_err *err) LZ_MUST_CHECK;

lz_net_effect_id lz_net_effect_add(struct lz_world *w, const struct lz_net_effect *effect);
void lz_net_effect_remove(struct lz_world *w, lz_net_effect_id id);

/*
 * Send. `still_wanted` (may be NULL) is asked before each retransmission with the
 * payload; false drops the message.
 */
typedef bool lz_net_wanted_fn(const struct lz_world *w, uint64_t payload);
void lz_net_send(struct lz_world *w, const struct lz_message *m, lz_net_wanted_fn *still_wanted);

/* One draw of the latency from one instance to another, without loss: handshakes, probes. */
lz_time lz_net_latency(struct lz_world *w, lz_instance_id from, lz_instance_id to,
                       struct lz_draw *draw);

/* Is the way from one to the other cut right now? Also true to and from a lost host. */
/* An instance stands on another host: what is known of its ways is old. */
void lz_net_moved(struct lz_world *w);

bool lz_net_is_cut(struct lz_world *w, lz_instance_id from, lz_instance_id to);

#endif
