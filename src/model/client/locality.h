/*
 * locality.h — near replicas first, and how much spills over to those further away.
 *
 * The replicas of one distance are a level: the caller's own zone, its region, the rest. Envoy
 * calls them priorities. A level with the share h of its replicas alive can take h times the
 * overprovisioning factor (1.4) of the load, at most all of it; what is left goes to the next.
 * With the default all stays near until fewer than 72 % of the near replicas are alive.
 * (Envoy, "Priority levels", arch_overview/upstream/load_balancing/priority; whole per cent,
 * as there.)
 */
#ifndef LZ_MODEL_CLIENT_LOCALITY_H
#define LZ_MODEL_CLIENT_LOCALITY_H

#include "model/world.h"

enum lz_locality_level {
    LZ_LOCALITY_ZONE,
    LZ_LOCALITY_REGION,
    LZ_LOCALITY_REST,
    LZ_LOCALITY_LEVELS,
};

/*
 * Split 100 % of the load over `levels` by how many of each level's replicas are alive.
 * `overprovisioning` in per cent (140). All 0 when nobody is alive.
 */
void lz_locality_split(const uint32_t *total, const uint32_t *alive, uint32_t levels,
                       uint32_t overprovisioning, uint32_t *percent);

/* How far the server's host is from the client's. */
enum lz_locality_level lz_locality_between(const struct lz_world *w, lz_instance_id client,
                                           lz_instance_id server);

#endif
