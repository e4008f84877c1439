/*
 * cluster_state.h — what the parts of a cluster share; for model/cache/ only.
 *
 * A node's *view* is what it holds for true of every node, itself included. Nothing reads another
 * node's view but by a message. A message carries the number of one of its sender's *sayings*,
 * which are kept for a while: what it says is what was so when it was sent. Two things are read
 * when it arrives instead, a one-way delay later, because copying them would be all the work there
 * is: which slots the sender claims, and when it heard last of those it speaks of.
 */
#ifndef LZ_MODEL_CACHE_CLUSTER_STATE_H
#define LZ_MODEL_CACHE_CLUSTER_STATE_H

#include "model/cache/cache_state.h"
#include "model/cache/cluster.h"
#include "model/cache/slots.h"

#define LZ_CLUSTER_NEVER (-LZ_FOREVER / 2)

/* What a node holds for true of one. */
struct lz_peer {
    lz_time ping_sent; /* the first that is not answered; 0: all are */
    lz_time pong;      /* heard last, of itself or by others */
    lz_time data;      /* anything of itself */
    lz_time failed_at;
    bool is_pfail, is_fail;
    bool leads;
    uint32_t follows;
    uint64_t config_epoch, offset;
    uint64_t heard;     /* number of its newest saying that came */
    uint64_t claim;     /* version of its slots that this view has taken over */
    uint64_t reporters; /* primaries that say it fails, a bit each */
    lz_time *reported;  /* when they did */
    uint32_t slots;     /* it has, in this view */
    lz_time voted;      /* when this node voted for a replica of it */
    lz_time orphaned;   /* since when it has no replica that is well; NEVER: it has, or had none */
    bool was_promoted;
    bool is_broken; /* the connection to it was reset: the next tick makes another */
};

/* A failover by hand, at the replica that is to lead. */
struct lz_manual {
    lz_time until; /* 0: none is under way */
    enum lz_cluster_failover mode;
    uint64_t offset; /* of the primary, since it holds writes back */
    bool has_offset, is_asking;
    uint64_t *touched;
};

/* What a message says of its sender. */
struct lz_saying {
    bool is_manual;              /* its primary needs not to have failed */
    uint64_t number;             /* 0: nothing yet */
    uint64_t failing, mentioned; /* nodes, a bit each */
    uint64_t epoch, config_epoch, offset, claim;
    uint32_t follows;
    bool leads;
};

struct lz_cluster_node {
    uint32_t self;
    uint8_t *owner; /* by slot: node + 1; 0: nobody */
    struct lz_peer *of;
    uint32_t unassigned; /* slots */
    uint64_t epoch, vote_epoch;
    uint64_t claim; /* counts changes of its slots and of its epoch */
    bool is_ok;     /* it serves */
    lz_time minority_at, begun;
    lz_time auth_at; /* its election; promote.c */
    uint64_t auth_epoch, votes;
    uint32_t auth_rank;
    bool is_auth_sent;
    uint32_t migrating, importing; /* slot + 1; 0: none */
    uint32_t migrating_to;
    uint64_t ticks, draws, messages;
    struct lz_saying *sayings; /* a ring */
    uint64_t said;
    struct lz_manual manual;
    lz_time paused_until; /* a primary that holds writes back; NEVER: it does not */
    uint64_t *held;       /* tasks that wait for that */
    uint32_t held_count, held_cap;
};

/* One client's idea of who has which slot. */
struct lz_slot_map {
    uint8_t *node; /* by slot: node + 1; 0: nobody. NULL: it has never asked */
    lz_time asked; /* since when an answer is awaited; NEVER: none is */
    uint32_t next; /* whom it asks when somebody does not answer */
};

/* A call that was told to ASK elsewhere, by the call's index. */
struct lz_asking {
    uint64_t call; /* 0: none */
    uint32_t node;
    bool is_routed;
};

struct lz_reshard {
    uint32_t from, to; /* nodes */
    uint32_t left;     /* slots to go, the open one included */
    uint32_t slot;     /* the open one */
    uint32_t cursor;   /* where to look for the next */
    uint32_t batch;    /* keys at once */
    lz_time patience;  /* with each step */
    bool is_open;      /* a slot is on its way */
    bool is_busy;      /* it is under way */
    bool is_fix;       /* it is fix.c's, whose next slot to look at is `cursor` */
    bool is_back;      /* keys go to who has the slot, which stays where it is */
    uint64_t step;     /* answers to an earlier one are void */
    lz_event_id timeout;
};

struct lz_cluster {
    uint32_t shards;
    struct lz_cluster_node *node;
    struct lz_bus *bus;
    uint32_t saying_cap;      /* of each node; a power of two */
    struct lz_slot_map *maps; /* by client instance */
    uint32_t map_cap;
    struct lz_asking *asking;
    uint32_t asking_cap;
    struct lz_reshard reshard;
    uint32_t *counts; /* operations of this second, by slot */
    uint64_t shard_counts[LZ_CACHE_NODES_MAX];
    uint8_t shard_of[LZ_CACHE_NODES_MAX]; /* of each node; a replica that migrates changes it */
};

static inline struct lz_cluster_node *lz_cluster_node(const struct lz_cache *c, uint32_t node)
{
    LZ_ASSERT(node < c->nodes);
    return &c->cluster->node[node];
}

/*
 * A message from node to node: the payload is its kind's, who sends it is added. Over the bus, or,
 * if nobody would want it twice, over a connection of its own.
 */
void lz_cluster_send(struct lz_world *w, struct lz_cache *c, const struct lz_cache_tell *m);

/* gossip.c */
void lz_gossip_connect(struct lz_world *w, struct lz_cache *c);
void lz_gossip_init(struct lz_world *w);
void lz_gossip_start(struct lz_world *w, struct lz_cache *c, uint32_t node);
void lz_gossip_tell_all(struct lz_world *w, struct lz_cache *c, uint32_t node);
const struct lz_saying *lz_gossip_hear(struct lz_world *w, struct lz_cache *c, uint32_t node,
                                       uint64_t payload);
uint64_t lz_gossip_say(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to);
uint32_t lz_gossip_from(uint64_t payload);
double lz_gossip_draw(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* claims.c */
void lz_claims_assign(struct lz_cache *c, uint32_t node, uint32_t slot, uint32_t owner);
void lz_claims_take(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t from);
void lz_claims_judge(struct lz_world *w, struct lz_cache *c, uint32_t node);
void lz_claims_bump(struct lz_cache *c, uint32_t node);
void lz_claims_turn(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t primary);
uint32_t lz_claims_primaries(const struct lz_cache *c, uint32_t node); /* that have slots */
void lz_claims_measure(struct lz_world *w, struct lz_cache *c);

/* promote.c */
void lz_promote_init(struct lz_world *w);
void lz_promote_tick(struct lz_world *w, struct lz_cache *c, uint32_t node);
void lz_promote_ask(struct lz_world *w, struct lz_cache *c, uint32_t node); /* for votes, now */
void lz_promote_take_over(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* migrate.c */
void lz_migrate_tick(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* manual.c */
bool lz_manual_tick(struct lz_world *w, struct lz_cache *c, uint32_t node);
bool lz_manual_holds(struct lz_world *w, struct lz_cache *c, struct lz_task *t, bool writes);
void lz_manual_over(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* reshard.c */
void lz_reshard_init(struct lz_world *w);
void lz_reshard_stop(struct lz_world *w, struct lz_cache *c, const char *why);
void lz_reshard_open(struct lz_world *w, struct lz_cache *c, uint32_t slot);
void lz_reshard_carry(struct lz_world *w, struct lz_cache *c); /* the next batch, or the end */

/* fix.c */
bool lz_fix_hears(const struct lz_world *w, const struct lz_cache *c, uint32_t node);
uint32_t lz_fix_open_slot(const struct lz_world *w, const struct lz_cache *c); /* LZ_SLOTS: none */
void lz_fix_next(struct lz_world *w, struct lz_cache *c);
void lz_fix_emptied(struct lz_world *w, struct lz_cache *c);

/* slot_map.c: the task comes from who was told to ask here. */
bool lz_slot_map_is_asking(const struct lz_cache *c, const struct lz_task *t);

#endif
