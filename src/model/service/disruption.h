/*
 * disruption.h — how many replicas may be taken away on purpose: a PodDisruptionBudget.
 *
 * Evictions ask it (fault.drain, as `kubectl drain` does), losses do not; but what is lost is not
 * healthy, and leaves less to take. Kubernetes' rules (pkg/controller/disruption/disruption.go,
 * getExpectedPodCount; pkg/registry/core/pod/storage/eviction.go):
 *
 *   min_available     so many must be healthy; a share of those that are wanted, rounded up
 *   max_unavailable   so many may be missing; a share of those that are wanted, rounded up
 *
 *   allowed = healthy - least, not below 0
 *
 * Healthy is who is ready and was not told to end, as the control plane has it: what stands on a
 * node of a cluster (nodes.h) that is lost or cut off was ready and is so until that node is not
 * ready, or is heard of again. A replica that does not run yet may always go;
 * one that runs and is not ready, while there are as many healthy ones as must be
 * (unhealthyPodEvictionPolicy: IfHealthyBudget, the default).
 */
#ifndef LZ_MODEL_SERVICE_DISRUPTION_H
#define LZ_MODEL_SERVICE_DISRUPTION_H

#include "model/node/instance.h"
#include "model/service/service.h"

struct lz_disruption {
    uint32_t expected, healthy;
    uint32_t least; /* that must be healthy */
    uint32_t allowed;
};

bool lz_disruption_check(const struct lz_disruption_opts *o, struct lz_err *err) LZ_MUST_CHECK;

/* Of so many that are wanted, so many being healthy. */
struct lz_disruption lz_disruption_of(const struct lz_disruption_opts *o, uint32_t expected,
                                      uint32_t healthy);

/* Does its component have a budget? */
bool lz_disruption_is_on(const struct lz_world *w, lz_instance_id id);

/* As it is for its component now, which has a budget. */
struct lz_disruption lz_disruption_look(const struct lz_world *w, lz_instance_id id);

/* May it be evicted? */
bool lz_disruption_allows(const struct lz_world *w, lz_instance_id id);

#endif
