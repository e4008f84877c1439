/*
 * endpoint.h — which replicas there are at all, for those who call.
 *
 * A replica that is prepared but not there has no endpoint: nobody knows of it, so nobody balances
 * to it, also not when all others are thought dead. That differs from health, which is each
 * caller's own opinion (balance.c), and from readiness, which takes a replica that is there from
 * service (life.h): those are tried again when nothing else is left.
 */
#ifndef LZ_MODEL_NODE_ENDPOINT_H
#define LZ_MODEL_NODE_ENDPOINT_H

#include "model/node/instance.h"

/* It is there, or is not, from now on for all callers. True if it was otherwise before. */
bool lz_endpoint_add(struct lz_world *w, lz_instance_id instance);
bool lz_endpoint_remove(struct lz_world *w, lz_instance_id instance);

static inline bool lz_endpoint_is(const struct lz_world *w, lz_instance_id instance)
{
    return !lz_instance_get(w, instance)->is_away;
}

#endif
