/*
 * link_state.h — what the parts of the links share; for model/ only.
 *
 *   link.c         which ways there are, and what they meet
 *   link_pass.c    what becomes of packets on one
 *   link_meter.c   what is measured of them
 */
#ifndef LZ_MODEL_NET_LINK_STATE_H
#define LZ_MODEL_NET_LINK_STATE_H

#include "model/net/link.h"

/* A flood on a line. */
struct lz_link_junk {
    struct lz_link_junk *next;
    uint64_t serial; /* of its cause */
    double rate;     /* bytes per second */
};

/* A line and whose it is. */
struct lz_link_line {
    struct lz_link_line *next;
    struct lz_link_junk *junk;
    uint32_t whose; /* instance; 0: shared by all */
    bool is_inward;
    struct lz_pipe pipe;
};

/* A declared link or an active effect. */
struct lz_link_cause {
    uint32_t slot;
    uint64_t serial; /* never the same again, as slots are */
    bool is_active, is_declared;
    struct lz_target from, to; /* of a declared one */
    struct lz_link_effect effect;
    struct lz_link_line *lines;
};

/* What the packets of one link share of one cause. */
struct lz_link_memory {
    struct lz_loss_state loss, corrupt, duplicate, reorder;
    bool has_last;
    lz_time last_ns;
};

/* A cause on one link. */
struct lz_link_passing {
    struct lz_link_cause *cause;
    uint64_t serial;
    int way;
    bool cuts[2];              /* what is asked, and answers */
    struct lz_link_line *line; /* NULL: no limit */
    struct lz_link_memory memory;
};

struct lz_link_meter {
    struct lz_link_meter *next; /* of all there are */
    const struct lz_target *a, *b;
    lz_component_id component;
    lz_series latency, sent, lost, bytes;
};

struct lz_links {
    struct lz_links_face face; /* first: the getter looks here */
    uint32_t count, all_cap;
    uint32_t *table; /* of numbers: open addressing, power of two; 0: a free place */
    uint32_t cap;
    struct lz_link_cause **causes; /* declared ones first; slots of effects are used again */
    uint32_t cause_count, cause_cap;
    uint32_t declared_count;
    uint64_t serials;
    uint64_t untold; /* what declared links touch: nobody asks */
    struct lz_link_meter *meters;
};

/* Does anybody watch this link? */
bool lz_link_is_measured(const struct lz_world *w, uint64_t key);

/* A flight has passed. */
void lz_link_measure(struct lz_world *w, const struct lz_link *l, const struct lz_flight *f);

/* It came to a cut. */
void lz_link_measure_cut(struct lz_world *w, const struct lz_link *l);

#endif
