/*
 * pod_order.h — which pods of a set go first when there are to be fewer.
 *
 * Those go first of which least is lost, as the ReplicaSet controller has it (kubernetes
 * pkg/controller/controller_utils.go, ActivePodsWithRanks), whether the service is rolled out or
 * its replicas only follow the load:
 *
 *   1. who has no node yet, then who starts there, then who is not ready, then who is
 *   2. who stands where more active pods of the service do, of whatever set (its rank)
 *   3. of two that are ready, who has been so for less long, by powers of two of that time
 *      (LogarithmicScaleDown, on since 1.22). Within one power of two it is their UIDs there, drawn
 *      like dice; here a keyed draw of the second in which they became ready, so that those of
 *      one second stay together
 *   4. who was restarted more often
 *   5. who was made later, by powers of two as well
 *   6. the highest place: those of the beginning, of whom nothing says which is the older
 *
 * Ranks are counted once for all that go, and times are in whole seconds, as there. What was there
 * at the beginning has been ready for a day then. Left out: pod deletion cost.
 */
#ifndef LZ_MODEL_SERVICE_POD_ORDER_H
#define LZ_MODEL_SERVICE_POD_ORDER_H

#include "model/service/pods.h"

#define LZ_POD_ORDER_LONG (86400 * LZ_S) /* those of the beginning have been ready for so long */

/* So many of the set go, of which there are as many. */
void lz_pod_order_take(struct lz_world *w, struct lz_service *s, uint32_t set, uint32_t count);

/* Powers of two: the highest that is not above `age`, of nanoseconds; -1 of none. For tests. */
int lz_pod_order_log2(lz_time age);

#endif
