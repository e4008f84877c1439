/*
 * pods.h — the places in which replicas come and go: pods.
 *
 * A service whose replicas follow the load (autoscale.h) or are rolled out (rollout.h) has more
 * places than replicas. Each place holds one replica after the other:
 *
 *   prepared ──add──▶ starting ──startup──▶ serving ──take──▶ draining ──ended──▶ prepared
 *                        └──────────────take───────────────────────────────────────▶┘
 *
 * A replica that is added waits for the platform (platform.h) and its image (image.h), and then
 * for `startup`; what the service's own `startup` takes comes on top. One that is taken is stopped
 * in order (life.h). Who drains is counted by nobody any more, as Kubernetes counts no pod that
 * is being deleted, but keeps its place until it has ended; so there are spare places for as many
 * as there may be. Only when even those are full, fewer are added, and the rest when one is free.
 *
 * A pod whose host is lost, or whose node is not heard of (nodes.h), is deleted in name only: its
 * kubelet does not say that it has ended, and it is Terminating until its host is back. Nobody
 * counts it but who waits for all to have ended (`recreate`); its place is free. One that runs on
 * there, cut off, serves on whoever still asks it, keeps its place, and is told to end when its
 * node is heard of. Nobody deletes by force here, and no node is removed from its cluster.
 *
 * For rollouts each pod belongs to a *set*, a ReplicaSet, and is made from one of the service's
 * versions; without one all are of set 0, made as the service is declared.
 */
#ifndef LZ_MODEL_SERVICE_PODS_H
#define LZ_MODEL_SERVICE_PODS_H

#include "model/service/service_state.h"

enum lz_pod_state { LZ_POD_PREPARED, LZ_POD_STARTING, LZ_POD_SERVING, LZ_POD_DRAINING };

struct lz_pod {
    uint8_t state;       /* enum lz_pod_state */
    uint8_t version;     /* it is made from; 0: the service as declared */
    bool is_unbound;     /* STARTING: no node has it yet */
    bool is_held;        /* STARTING: the platform does not let it, or its image is not there */
    bool is_ready;       /* as it was when somebody looked */
    bool is_untold;      /* DRAINING: its kubelet has not heard of that */
    uint32_t turn;       /* counts its moves: an event of an earlier turn is stale */
    uint32_t set;        /* whose it is, or was */
    lz_time made;        /* when it was */
    lz_time since;       /* it is in this state */
    lz_time ready_since; /* of one that is ready */
    bool serves;         /* its process does, whether that is heard of or not */
    lz_time serves_since;
    double used_ns; /* of the CPU, in ns of one core, at the autoscaler's last look */
};

struct lz_pod_order;

/* One that is Terminating, and not in its place any more. */
struct lz_pod_left {
    uint32_t set;
    lz_instance_id instance;
    lz_host_id host;
};

struct lz_pods {
    struct lz_pod *all; /* one for each place */
    struct lz_pod_left *left;
    uint32_t left_count, left_cap;
    lz_time startup;            /* from being let until the process begins */
    struct lz_pod_order *order; /* scratch of pod_order.c */
    uint32_t *crowds;           /* and by host */
    uint32_t order_cap, crowd_cap;
};

/* Whose pods: the set, and what they are made from. */
struct lz_pods_kind {
    uint32_t set;
    uint8_t version;
};

void lz_pods_init(struct lz_world *w);

/* The service's replicas of the beginning serve in the first places; the rest are prepared. */
void lz_pods_create(struct lz_world *w, struct lz_service *s, lz_time startup);

static inline struct lz_pod *lz_pods_at(const struct lz_service *s, uint32_t index)
{
    LZ_ASSERT(s->pods != NULL && index < s->slots);
    return &s->pods->all[index];
}

/* It is wanted: it starts or serves. */
static inline bool lz_pods_is_active(const struct lz_pod *p)
{
    return p->state == LZ_POD_STARTING || p->state == LZ_POD_SERVING;
}

/* Of any instance: it is a place for replicas in which there is none. */
bool lz_pods_is_empty(const struct lz_world *w, lz_instance_id id);

/* Places that are free. */
uint32_t lz_pods_room(const struct lz_service *s);

/* So many more, in the lowest places that are free, those that no fault holds down
 * first; returns how many found none. */
uint32_t lz_pods_add(struct lz_world *w, struct lz_service *s, struct lz_pods_kind kind,
                     uint32_t count);

/* Take one that is wanted; pod_order.h says which. */
void lz_pods_take_one(struct lz_world *w, struct lz_service *s, uint32_t index);

/* For level.c: its process has begun, ended, or turned. */
void lz_pods_turned(struct lz_world *w, struct lz_service *s, lz_instance_id id);

/* Whatever may be deleted and made anew elsewhere; false: it is deleted already. */
bool lz_pods_is_wanted(const struct lz_world *w, lz_instance_id id);

/* For rehouse.c: the pod is deleted, and its node does not hear of it. */
void lz_pods_leave(struct lz_world *w, lz_instance_id id);

/* Hosts may be back, or nodes heard of. */
void lz_pods_hear(struct lz_world *w);

/* The platform may let replicas start again, or an image is there. */
void lz_pods_reconsider(struct lz_world *w);

#endif
