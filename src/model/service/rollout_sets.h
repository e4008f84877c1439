/*
 * rollout_sets.h — the sets of pods of a rollout, and how large each should be.
 *
 * rollout.h says by which rules. Nothing here touches a pod: sizes change by what was counted
 * last, and rollout.c then adds and takes pods until there are as many.
 */
#ifndef LZ_MODEL_SERVICE_ROLLOUT_SETS_H
#define LZ_MODEL_SERVICE_ROLLOUT_SETS_H

#include "model/service/rollout.h"

/* A ReplicaSet, and what was counted of its pods. */
struct lz_rollout_set {
    uint8_t version;
    uint32_t made; /* number of its first deploy; 0: it goes on as another */
    uint32_t size; /* pods it should have */
    uint32_t active, ready, available, draining;
};

/* What a rollout has come to. Kubernetes says that it goes on if one of them is better. */
struct lz_rollout_progress {
    uint32_t updated, old, ready, available;
};

/* What a fault brings out. The scenario's own deploy comes after it, and ends its say. */
struct lz_rollout_take {
    uint32_t id;
    uint8_t version;
    bool is_over;
};

struct lz_rollout {
    struct lz_rollout_set *sets; /* the last is the newest */
    uint32_t count, cap;
    uint32_t made; /* sets */
    uint32_t desired;
    bool is_running, is_planned, has_stalled;
    lz_time begun, progressed;
    lz_event_id deadline;
    struct lz_rollout_progress progress;
    uint8_t base;                  /* the version that the scenario deployed last */
    struct lz_rollout_take *takes; /* of faults that are active, in the order in which they began */
    uint32_t take_count, take_cap, last_take;
};

struct lz_rollout_set *lz_rollout_sets_newest(const struct lz_rollout *r);

/* Of each set, by the states that its pods have now. */
void lz_rollout_sets_count(const struct lz_world *w, const struct lz_service *s);

/* The sums of all sets' numbers. */
struct lz_rollout_set lz_rollout_sets_total(const struct lz_rollout *r);

/* One step from where it is to where all are of the newest set; false: no size has changed. */
bool lz_rollout_sets_step(const struct lz_service *s);

/* All may be `limit`, and might be `was`: the difference, over the sets by their sizes. */
void lz_rollout_sets_spread(struct lz_world *w, const struct lz_service *s, uint32_t was,
                            uint32_t limit);

#endif
