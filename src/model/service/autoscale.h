/*
 * autoscale.h — replicas that follow the load: a Horizontal Pod Autoscaler.
 *
 * Every `period`, 15 s as of Kubernetes' controller, it looks at each metric that has a target,
 * as it was since the last look, and wants
 *
 *     desired = ceil(replicas * metric / target)
 *
 * unless that ratio is within the tolerance, 10 %, of 1; of several metrics the one that wants most
 * decides. That is the Horizontal Pod Autoscaler's rule (kubernetes.io, "Horizontal Pod
 * Autoscaling", algorithm details, and replica_calculator.go), with its caution: replicas that are
 * still starting count as idle when it would scale up, those that measure nothing (their process
 * does not run) as idle when it would scale up and, when it would scale down, as fully busy (of a
 * CPU) or as at the target (of the others), and what turns the decision round cancels it.
 *
 *   cpu         a resource metric: the share of its cores in use, in whole percent
 *   rate        a pods metric: answers per second of a replica, in thousandths; those of replicas
 *               that drain, or have died since, count as the others'
 *   in_flight   a pods metric: requests at a replica at that instant, in thousandths
 *
 * How fast it may follow: scaling.h. With a `cooldown` it waits for that after each decision
 * instead, as AWS' simple scaling does.
 *
 * A replica that is added begins to serve after `startup`: it is scheduled, its image pulled, its
 * process started. What drains is not counted, and keeps a place of its own until it has ended:
 * pods.h. Where the service is rolled out it is the rollout that is told how many are wanted.
 */
#ifndef LZ_MODEL_SERVICE_AUTOSCALE_H
#define LZ_MODEL_SERVICE_AUTOSCALE_H

#include "model/service/service.h"

#define LZ_AUTOSCALE_PERIOD (15 * LZ_S)
#define LZ_AUTOSCALE_MARKS_MAX 100000 /* looks within a window or a period */

/* What a decision is made from. */
struct lz_autoscale_view {
    uint32_t ready;    /* replicas whose use was measured */
    uint32_t starting; /* not serving yet */
    uint32_t missing;  /* serve, but nothing was measured: their process does not run */
    uint32_t current;  /* replicas that are asked for, while a rollout has more; 0: those above */
    double used;       /* sum over the ready ones of each one's utilization, 1: all its cores */
    double target;     /* utilization aimed at, above 0 */
    bool is_pods;      /* both are amounts, not shares of the cores */
    double up, down;   /* tolerances */
};

/* How many replicas it wants, before min and max. */
uint32_t lz_autoscale_desired(const struct lz_autoscale_view *view);

/* So many from now on, as `kubectl scale` asks for: the autoscaler goes on from there at its next
   look, by what it has wanted within its windows. False: outside min and max, or (LZ_EFULL) those
   that drain have the places. */
bool lz_autoscale_set(struct lz_world *w, lz_component_id id, uint32_t replicas,
                      struct lz_err *err) LZ_MUST_CHECK;

bool lz_autoscale_is_on(const struct lz_world *w, lz_component_id id);

/* A min of 0 becomes 1; false if the options make no sense. */
bool lz_autoscale_check(struct lz_autoscale_opts *opts, uint32_t replicas,
                        struct lz_err *err) LZ_MUST_CHECK;

#endif
