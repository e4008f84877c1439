/* failover.h — what a leader makes of its own clock; who leads is in failover.c. */
#ifndef LZ_MODEL_DATA_FAILOVER_H
#define LZ_MODEL_DATA_FAILOVER_H

#include "model/node/instance.h"

/*
 * The clock of a node's host has jumped. A leader for whom its lease thereby seems to have run out
 * takes no writes until it has renewed it, after a third of its length (Patroni: loop_wait is a
 * third of the ttl). True if one stepped down.
 */
bool lz_failover_clock_jumped(struct lz_world *w, lz_instance_id node, lz_time by);

#endif
