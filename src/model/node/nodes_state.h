/*
 * nodes_state.h — what the parts of a cluster's controllers share; for model/node only.
 *
 *   nodes.c    leases, the node controller, taints
 *   plane.c    who hears of a node
 *   rehouse.c  who moves, and where there is room
 */
#ifndef LZ_MODEL_NODE_NODES_STATE_H
#define LZ_MODEL_NODE_NODES_STATE_H

#include "model/node/nodes.h"

struct lz_node {
    lz_host_id host;
    uint32_t cluster, zone;  /* in the tables below */
    lz_instance_id resident; /* that stood there first; 0: nobody */
    uint32_t index;          /* its own */
    uint32_t downs;          /* faults that hold it */
    uint32_t left;           /* replicas that took room elsewhere */
    bool is_guest;           /* made for who was moved: room on the others, and no machine */
    bool is_used;            /* something has stood there */
    uint8_t state;           /* enum lz_node_state */
    lz_time renewed;         /* its lease, the last time */
    lz_time seen;            /* the renewal the controller saw last, */
    lz_time seen_at;         /* and when it did */
    uint32_t turn;           /* among those of its zone that wait for a taint; 0: it does not */
    lz_event_id evict;
    lz_time evicted_at; /* its pods were deleted then, in name at least; 0: not so */
};

enum lz_zone_state { LZ_ZONE_NORMAL, LZ_ZONE_PARTIAL, LZ_ZONE_LOST };

struct lz_node_zone {
    lz_zone_id id;
    uint32_t cluster;
    enum lz_zone_state state;
    double rate;       /* in force: nodes per second; 0: none */
    lz_time next;      /* there is a token from then on */
    uint32_t turns;    /* that were given out */
    lz_event_id taint; /* the next */
    uint32_t ready, unready;
    uint32_t room; /* for replicas; LZ_NODES_DEFAULT: without end */
};

/* A replica that no node has room for. */
struct lz_node_waiting {
    lz_instance_id id;
    lz_time not_before; /* 0: the platform has not made it wait */
};

struct lz_node_cluster {
    struct lz_nodes_opts opts;
    uint32_t zone_first, zone_count;
    bool is_all_lost;                /* no zone has a node that is ready */
    bool was_blind;                  /* the controller did not look the last time */
    struct lz_node_waiting *waiting; /* in the order they came */
    uint32_t waiting_count, waiting_cap;
};

struct lz_nodes {
    struct lz_node **nodes; /* 1 .. node_count, in the order they were met */
    uint32_t node_count, node_cap;
    uint32_t *by_host; /* 0: it is no node */
    uint32_t by_host_cap;
    struct lz_node_cluster *clusters; /* 1 .. */
    uint32_t cluster_count, cluster_cap;
    struct lz_node_zone *zones; /* 1 .. */
    uint32_t zone_count, zone_cap;
    lz_kind lease, monitor, taint, evict;
};

/* Its first resident stands there, prepared or not. */
bool lz_node_is_home(const struct lz_world *w, const struct lz_node *node);

/* Nobody looks while the control plane is down, or no part of it is more than half; whoever says
   so. And whether a node that is there would be heard of now. */
bool lz_plane_is_blind(struct lz_world *w, const struct lz_node_cluster *cluster);
bool lz_plane_hears(struct lz_world *w, const struct lz_node *node);

/* The toleration of what stands on a node is over. */
void lz_rehouse_node(struct lz_world *w, struct lz_node *node);

/* Those that wait are tried again. */
void lz_rehouse_waiting(struct lz_world *w, struct lz_node_cluster *cluster);

/* Prepared replicas are bound to no node: they leave those that are not ready, and zones where none
   is, and take no room. */
void lz_rehouse_prepared(struct lz_world *w, const struct lz_node_cluster *cluster);

/* It is ready again: its room is there, and what was deleted in name only is made anew. */
void lz_rehouse_returned(struct lz_world *w, struct lz_node *node);

#endif
