/*
 * assign.h — which member of a group reads which partition, by Kafka's assignors.
 *
 *   range        consecutive partitions, the first (partitions mod members) members one more
 *                (RangeAssignor)
 *   round_robin  partition i to member i mod members (RoundRobinAssignor)
 *   sticky       as even, moving as few as possible from who had them before
 *                (AbstractStickyAssignor, the case of equal subscriptions)
 *
 * Members stand in the order of their numbers, where Kafka sorts random ids.
 */
#ifndef LZ_MODEL_BROKER_ASSIGN_H
#define LZ_MODEL_BROKER_ASSIGN_H

#include <stdint.h>

enum lz_assign { LZ_ASSIGN_RANGE, LZ_ASSIGN_ROUND_ROBIN, LZ_ASSIGN_STICKY };

#define LZ_ASSIGN_NOBODY UINT32_MAX

/*
 * `owner[p]` becomes the member of partition p, from 0. For sticky it holds who had it before, or
 * LZ_ASSIGN_NOBODY; `load` has room for `members` counts.
 */
void lz_assign(enum lz_assign how, uint32_t partitions, uint32_t members, uint32_t *owner,
               uint32_t *load);

#endif
