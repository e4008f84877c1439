/*
 * policy.h — the choice among replicas, for edges that ask for more than a turn; for model/ only.
 *
 * An edge that has weights, a subset, zones, ejections, slow start or one of the policies that
 * keep state has a `struct lz_policy`; the others have none and pay nothing (balance.c).
 */
#ifndef LZ_MODEL_CLIENT_POLICY_H
#define LZ_MODEL_CLIENT_POLICY_H

#include "model/client/edge.h"
#include "model/client/maglev.h"
#include "model/client/ring.h"

/* What one calling instance knows of one replica. */
struct lz_policy_pair {
    int64_t current;    /* smooth weighted round robin */
    lz_time ejected_at; /* while it is */
    uint32_t failures;  /* in a row */
    uint16_t times;     /* ejected one after the other: how long the next one lasts */
    bool is_ejected;
};

struct lz_policy {
    const uint32_t *weights; /* by server */
    uint32_t *all;           /* 0 .. server_count - 1 */
    uint32_t *set;           /* scratch: who may be asked */
    int64_t *heft;           /* scratch: weights as they are now, by place in the set */
    uint32_t *marks;         /* by server: the pick it was in the set of */
    uint32_t mark;
    uint32_t *subsets;            /* `subset` servers per client, ascending; NULL: all */
    uint8_t *levels;              /* client x server; NULL: zones do not matter */
    lz_time *since;               /* by server: when it came back; 0: there from the start */
    struct lz_policy_pair *pairs; /* client x server */
    uint32_t *turns;              /* client x level, and one for all levels together */
    uint32_t *ejected;            /* by client: how many it has ejected */
    uint64_t bound_ppm;           /* load_bound */
    struct lz_ring ring;
    struct lz_maglev maglev;
    uint32_t maglev_version; /* of who is out, when its table was filled */
};

/* Does an edge with these options need one? */
bool lz_policy_is_needed(const struct lz_balance_opts *opts);
void lz_policy_create(struct lz_world *w, struct lz_edge *e);
size_t lz_policy_bytes(const struct lz_edge *e);

lz_instance_id lz_policy_pick(struct lz_world *w, struct lz_edge *e,
                              const struct lz_balance_ask *ask);

/* A server is thought alive again: its slow start begins. */
void lz_policy_back(struct lz_world *w, struct lz_edge *e, uint32_t server);

static inline struct lz_policy_pair *lz_policy_pair(const struct lz_edge *e, lz_instance_id client,
                                                    lz_instance_id server)
{
    return &e->policy
                ->pairs[(client - e->client_first) * e->server_count + (server - e->server_first)];
}

#endif
