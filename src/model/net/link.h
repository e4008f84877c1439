/*
 * link.h — the way from one instance to another, and what is wrong with it.
 *
 * Links are directed and exist between every two instances. What they are like is composed each
 * time from three things, never from what it was before:
 *
 *   the distance         place.h
 *   declared links       a scenario's `link { a, b, ... }`; a packet passes all that match, in the
 *                        order they were declared, and the latency is the last one's that has one
 *   effects              what active faults add; any number stack and un-stack in any order
 *
 * A packet's way: it waits for the *line* where the bandwidth is limited (pipe.h), may be lost or
 * damaged there (loss.h), takes the latency, and may be held back behind later ones. All packets
 * that match a declared link, or an effect on a link, share its line, one for each direction; an
 * effect on instances, hosts or places is on each instance's own line.
 *
 * Draws are those of the message, mixed with the path of the declared link or fault that asks;
 * what packets of one pair of instances share (the state of a loss model, the last delay of a
 * correlated latency) is kept here for as long as its cause is active, whatever others come and go.
 *
 * A link of constant latency without any of this is *certain*: nothing is drawn and counted, and
 * net.c does not come here.
 */
#ifndef LZ_MODEL_NET_LINK_H
#define LZ_MODEL_NET_LINK_H

#include "base/check.h"
#include "model/net/loss.h"
#include "model/net/pipe.h"
#include "model/target.h"
#include "model/world.h"

#define LZ_LINK_DECLARED_MAX 10000
#define LZ_LINK_SEGMENTS_MAX 65536u /* of one flight */

/* What a way is like, or what a fault makes of it. Zero is a good one. */
struct lz_link_conditions {
    struct lz_dist latency;     /* one way: declared, the latency; of an effect, what is added */
    double latency_correlation; /* 0 to 1: as lz_loss.correlation, of delays */
    struct lz_loss loss;
    struct lz_loss corrupt;   /* damaged packets fail their checksum: lost, but counted apart */
    struct lz_loss duplicate; /* the receiver drops the copy: it costs bandwidth */
    struct lz_loss reorder;
    lz_time gap;            /* how much later a reordered packet comes */
    double rate;            /* bytes per second; 0: no limit */
    double buffer;          /* bytes that may wait for the line; 0 means 256 KiB */
    double piece;           /* bytes: a message is cut into pieces of that size; 0: it is not */
    double piece_variation; /* bytes: up to so much more or less, each by its own draw */
    lz_time piece_delay;    /* between two of them */
};

struct lz_link_opts {
    struct lz_target from, to;
    bool one_way; /* only from -> to */
    struct lz_link_conditions conditions;
};

/* One end of what an effect matches: a target, a list of instances, or neither: anything. */
struct lz_link_end {
    const struct lz_target *target;
    const lz_instance_id *list; /* in order */
    uint32_t count;
};

enum lz_link_cut {
    LZ_LINK_OPEN,
    LZ_LINK_CUT,
    LZ_LINK_SERVED, /* what is asked of `to`, and what it answers; not what it asks itself */
};

/* What a fault does to the packets it matches. */
struct lz_link_effect {
    struct lz_link_end from, to;
    bool both_ways;
    bool around;    /* `to` alone is meant: what stays within it is spared */
    bool is_shared; /* one line for all it matches, not one for each instance */
    enum lz_link_cut cut;
    uint16_t port; /* of the component that serves; 0: any */
    struct lz_link_conditions conditions;
    double junk;        /* bytes per second of a flood on the lines towards `to` */
    double delayed;     /* share of the messages whose latency it adds to; 0: all */
    double connections; /* share of the connections that it strikes with all they carry; 0: it is
                           not asked of which one a message is */
    uint32_t mark;      /* with that: the effect that makes them things of their own */
    uint64_t path;      /* owner of its draws: the fault's */
    uint64_t *touched;  /* counts what it did, in the fault's unit */
};
typedef uint32_t lz_link_effect_id;

void lz_links_init(struct lz_world *w);

bool lz_link_declare(struct lz_world *w, const struct lz_link_opts *opts,
                     struct lz_err *err) LZ_MUST_CHECK;

/* Refuse what makes no sense, by the names that scenarios use. */
bool lz_link_check(const struct lz_link_conditions *c, struct lz_err *err) LZ_MUST_CHECK;

lz_link_effect_id lz_link_effect_add(struct lz_world *w, const struct lz_link_effect *effect);

/* In place, what waits on its lines waits on: of one that has a rate; of one that has junk. */
void lz_link_effect_set_rate(struct lz_world *w, lz_link_effect_id id, double bytes_per_s);
void lz_link_effect_set_junk(struct lz_world *w, lz_link_effect_id id, double bytes_per_s);

uint32_t lz_link_effect_mark(const struct lz_world *w, lz_link_effect_id id);
void lz_link_effect_remove(struct lz_world *w, lz_link_effect_id id);

/* Compose all links again: where instances stand has changed. */
void lz_link_recompose(struct lz_world *w);

bool lz_link_end_has(const struct lz_world *w, const struct lz_link_end *end, lz_instance_id i);

/* Is a host where nobody stands any more cut off from an instance, either way? A list of instances
   means it if `was_there` is one of them; 0: nobody was. */
struct lz_link_place {
    lz_host_id host;
    lz_instance_id was_there;
};
bool lz_link_is_cut_off(const struct lz_world *w, const struct lz_link_place *place,
                        lz_instance_id server);

/* The metrics link(a, b).latency, .lost and .bytes: kept only for those somebody asked for. */
lz_metric lz_link_metric(struct lz_world *w, const struct lz_target *a, const struct lz_target *b,
                         const char *name);
const struct lz_metric_info *lz_link_metrics(size_t *count);

/* For net.c and tcp.c: the way between two instances as it is now. It never moves. */
struct lz_link {
    uint64_t key; /* from << 32 | to */
    uint32_t epoch;
    bool is_cut[2];    /* for what is asked, and for answers */
    lz_time always_ns; /* what a message takes if that is certain; -1: it must be drawn */
    lz_line line;      /* of the kernel's, for that delay; 0: it has none */
    const struct lz_dist *base;
    double correlation; /* of the base */
    bool has_last;
    lz_time last_ns;                 /* the base's last delay */
    double smooth_ns, varying_ns;    /* mean delay and mean deviation, as RFC 6298 has them */
    struct lz_link_passing *passing; /* what packets meet on the way, in order */
    uint32_t passing_count, passing_cap;
    bool is_measured;
};

struct lz_link *lz_link_get(struct lz_world *w, lz_instance_id from, lz_instance_id to);

/* What is read for every message begins link.c's own struct. */
struct lz_links_face {
    struct lz_link **all; /* 1 .. */
    uint32_t epoch; /* of what links are composed from: one of an older one is composed again */
};

/* The same for who keeps the link's number, 0 before the first time. */
uint32_t lz_link_number(struct lz_world *w, lz_instance_id from, lz_instance_id to);
static inline struct lz_link *lz_link_by_number(struct lz_world *w, uint32_t *number,
                                                lz_instance_id from, lz_instance_id to)
{
    const struct lz_links_face *face = (const struct lz_links_face *)w->links;
    struct lz_link *l = *number != 0 ? face->all[*number] : NULL;
    if (l != NULL && l->epoch == face->epoch)
        return l;
    *number = lz_link_number(w, from, to);
    return face->all[*number];
}

/* Over a link that is certain and open: fires at the receiver when the message is there. */
static inline void lz_link_deliver(struct lz_world *w, const struct lz_link *l, lz_kind kind,
                                   uint64_t payload)
{
    LZ_ASSERT(l->always_ns >= 0);
    if (l->line != 0)
        lz_sim_after(w->sim, l->line, kind, (lz_instance_id)l->key, payload);
    else if (l->always_ns > 0)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + l->always_ns, kind, (lz_instance_id)l->key, payload);
    else // no distance: the same order by a shorter way
        lz_sim_soon(w->sim, kind, (lz_instance_id)l->key, payload);
}

static inline bool lz_link_is_answer(enum lz_purpose purpose)
{
    return purpose == LZ_PURPOSE_NET_BACK;
}

/* Packets of one message that are sent at once, and what becomes of them. */
struct lz_flight {
    uint64_t owner; /* of the draws */
    enum lz_purpose purpose;
    uint64_t connection; /* of a caller: owner of what is drawn once for all it carries; 0: none */
    uint32_t number;     /* counts the flights of a message */
    uint64_t bytes;      /* > 0 */
    uint32_t segments;   /* > 0 */
    bool is_paced;       /* acknowledgements pace it over `round_trip` */
    lz_time round_trip;  /* without queues */
    lz_time earlier_until; /* packets of the same sender are still leaving until then */

    uint32_t lost;       /* segments */
    uint32_t after_loss; /* segments that arrive after the first that is lost */
    lz_time first_delay; /* until the first arrives; of any that does */
    lz_time delay;       /* until the last does */
    lz_time leaves;      /* the last is on the line; now, if no line is limited */
};

void lz_link_pass(struct lz_world *w, struct lz_link *l, struct lz_flight *f);

/* A packet came to where the way is cut. */
void lz_link_swallow(struct lz_world *w, struct lz_link *l, enum lz_purpose purpose);

/* One draw of the latency, without loss and lines: acknowledgements, probes. */
lz_time lz_link_latency(const struct lz_world *w, const struct lz_link *l, uint64_t connection,
                        struct lz_draw *draw);

#endif
