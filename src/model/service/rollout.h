/*
 * rollout.h — a new version replaces the old one: Kubernetes' Deployment controller.
 *
 * The pods of a service belong to sets, one for each version that was deployed: ReplicaSets. The
 * newest should have all replicas, the others none. A *rolling* update (kubernetes
 * pkg/controller/deployment: rolling.go, sync.go, util/deployment_util.go) goes there in steps,
 * between two fenceposts that follow from how many are wanted:
 *
 *   surge        so many more there may be; a share is rounded up
 *   unavailable  so many fewer may serve; a share is rounded down. Both 0: this is 1
 *
 *   1. the newest set grows as far as all sets together stay within wanted + surge
 *   2. of the old sets, pods that do not serve go first, then others, the oldest set's first, as
 *      far as wanted - unavailable pods are still available
 *
 * and again whenever a pod becomes available, that is has been ready for `min_ready`, or ends.
 * Ready is who is so for the control plane, which learns of a node that is lost when it is not
 * ready. So pods that never are ready, crash, or get no image hold a rollout up, and the old ones
 * serve on. *Recreate* ends all old pods, waits until none is there, and then starts the new ones.
 * A pod of a host that is lost is there until its host is back (pods.h; recreate.go,
 * oldPodsRunning).
 *
 * It is over, and "<service> deployed" is marked, when all that are wanted are new and available
 * and no other is there. If for `deadline` nothing has gone on (more are updated, ready or
 * available, or fewer old ones are there) "<service> stalled" is marked. Nothing is rolled back by
 * itself, as there: deploying the version before is the rollback. Another deploy takes the place
 * of one that is under way, with what there is.
 *
 * Told by an autoscaler that other numbers are wanted while it is under way it spreads the
 * difference over the sets by their sizes ("proportional scaling"); what is left goes to the
 * largest.
 *
 * While the control plane is down (platform.h) nothing of it goes on.
 *
 * What a pod serves is served by its version: there is no route. A version may be broken (`fails`),
 * so that its pods never serve at all.
 *
 * Which pods of a set go first: pod_order.h. Left out: revision history, paused rollouts.
 * Deciding takes no time.
 */
#ifndef LZ_MODEL_SERVICE_ROLLOUT_H
#define LZ_MODEL_SERVICE_ROLLOUT_H

#include "model/service/pods.h"

#define LZ_ROLLOUT_DEADLINE (600 * LZ_S)

struct lz_fenceposts {
    uint32_t surge, unavailable;
};

/* Of so many that are wanted. */
struct lz_fenceposts lz_rollout_fenceposts(const struct lz_rollout_opts *o, uint32_t desired);

/* By how much a set of `size` changes when all sets together may be `limit`, and might be `was`
 * before; at most `left`. */
int64_t lz_rollout_share(uint32_t size, uint32_t was, uint32_t limit, int64_t left);

/* False if the options make no sense. */
bool lz_rollout_check(struct lz_rollout_opts *o, struct lz_err *err) LZ_MUST_CHECK;

/* Places beside those of the replicas: for the surge, and for who drains. */
uint32_t lz_rollout_spare(const struct lz_rollout_opts *o, uint32_t replicas);

bool lz_rollout_is_on(const struct lz_world *w, lz_component_id service);

/* Version `number` from now on; 0: as it is declared. */
bool lz_rollout_deploy(struct lz_world *w, lz_component_id service, uint32_t number,
                       struct lz_err *err) LZ_MUST_CHECK;

/* The version that runs, in pods of a new set: `kubectl rollout restart`. */
bool lz_rollout_restart(struct lz_world *w, lz_component_id service,
                        struct lz_err *err) LZ_MUST_CHECK;

/*
 * A fault brings `number` out; the id undoes it. Then what is deployed is what the fault brought
 * out that began last of those still active, or else what the scenario deployed last. If the
 * scenario deploys anything meanwhile, that is deployed, whatever is active.
 */
uint32_t lz_rollout_take(struct lz_world *w, lz_component_id service, uint32_t number);
void lz_rollout_undo(struct lz_world *w, lz_component_id service, uint32_t id);

/* How many there should be. */
uint32_t lz_rollout_desired(const struct lz_service *s);

/* ---- for model/service alone */

/* The platform may decide again. */
void lz_rollouts_reconsider(struct lz_world *w);

void lz_rollout_create(struct lz_world *w, struct lz_service *s);

/* Before the run: what serves at first. */
void lz_rollout_set_first(struct lz_service *s, uint32_t number);

void lz_rollout_scale(struct lz_world *w, struct lz_service *s, uint32_t desired);
void lz_rollout_begins(struct lz_world *w, const struct lz_service *s, uint32_t index);
void lz_rollout_turned(struct lz_world *w, struct lz_service *s, uint32_t index);
void lz_rollout_changed(struct lz_world *w, struct lz_service *s);

#endif
