/*
 * connection_state.h — what the two parts of connections share; for model/net/ only.
 *
 *   connection.c         pools: opening, finding, waiting, closing
 *   connection_fault.c   what faults do to them: cut, make last, take
 */
#ifndef LZ_MODEL_NET_CONNECTION_STATE_H
#define LZ_MODEL_NET_CONNECTION_STATE_H

#include "model/net/connection.h"
#include "model/node/instance.h"

enum lz_connection_state {
    LZ_CONNECTION_OPENING,
    LZ_CONNECTION_BUSY,
    LZ_CONNECTION_IDLE,
    LZ_CONNECTION_HELD,
};

struct lz_connection {
    struct lz_pool_head head;
    lz_edge_id edge;
    lz_instance_id client, server;
    uint32_t incarnation;  /* of the server's process */
    uint32_t idle_next;    /* of the same pair, the latest first */
    uint32_t older, newer; /* idle ones of the same client, by when they became so */
    uint8_t state;         /* enum lz_connection_state */
    bool has_backend;      /* see lz_connection_backend */
    bool is_fresh;         /* of somebody new: for one call, and no pool counts it */
    uint64_t call;         /* that has it; 0 while idle or held */
    uint64_t draws;        /* owner of what is drawn once for all it carries */
    lz_time opened, idle_since;
    double bytes[2];        /* carried, there and back */
    double answer_bytes;    /* of the latest answer */
    uint32_t answers;       /* so far */
    uint64_t chosen;        /* a bit for each effect that takes the first so many */
    lz_tcp_path_id path[2]; /* there, and back; 0 until something long was carried */
};

/* A call in line for a connection. */
struct lz_connection_waiter {
    struct lz_pool_head head;
    uint32_t prev, next;
    uint64_t call;
    bool is_routed; /* its server is chosen, and has one of its own for it */
};

struct lz_pool_client {
    uint32_t open;      /* opening, busy, idle, lingering; without fresh ones */
    uint32_t asking;    /* calls that have one of its own, and wait for one of the server's */
    uint32_t counted;   /* made so far */
    uint32_t warm_left; /* that were open before the run began */
    uint32_t wait_first, wait_last;
    uint32_t oldest, newest; /* idle ones */
    uint32_t idle;           /* how many those are */
};

struct lz_edge_pool {
    struct lz_pool_client *clients;
    uint32_t *idle; /* by pair: the latest that became idle */
};

struct lz_connection_fault {
    struct lz_connection_effect e;
    lz_time began;
    bool is_active;
    uint32_t chosen; /* of the connections opened since, if it takes the first so many */
};

struct lz_connections {
    struct lz_pool all, waiters;
    uint64_t *by_call; /* connection or waiter, by index of the call */
    uint32_t by_call_cap;
    struct lz_connection_fault *effects; /* slots are used again */
    uint32_t effect_count, effect_cap;
    uint32_t active, taking; /* of these: that take connections of a pool */
    lz_kind cut, lingered, let_go;
};

static inline struct lz_pool_client *lz_connection_client(const struct lz_edge *e,
                                                          lz_instance_id client)
{
    LZ_ASSERT(e->pool != NULL);
    return &e->pool->clients[client - e->client_first];
}

/* connection.c */
lz_time lz_connection_close(struct lz_world *w, struct lz_edge *e, struct lz_connection *n);

/* connection_fault.c */
void lz_connection_fault_init(struct lz_world *w);
void lz_connection_fault_opened(struct lz_world *w, struct lz_connection *n);
void lz_connection_fault_carried(struct lz_world *w, const struct lz_connection *n);
lz_time lz_connection_fault_linger(const struct lz_world *w, const struct lz_connection *n);
/* How many its pool may have open, `max` or what is left of it; and one that found none. */
uint32_t lz_connection_fault_left(const struct lz_world *w, lz_instance_id client,
                                  lz_instance_id server, uint32_t max);
void lz_connection_fault_missed(const struct lz_world *w, lz_instance_id client,
                                lz_instance_id server);

#endif
