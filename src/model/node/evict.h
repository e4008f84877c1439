/*
 * evict.h — replicas put somewhere else, as an eviction or a drained node does it.
 *
 * A replica that has to go is stopped in order, and its successor begins to start elsewhere at
 * once: it serves when the old one has ended and its own start-up is over, whichever is later.
 * "Elsewhere" is a fresh host in the same zone, or in another zone of its region when the whole
 * zone is to be left. What is bound to a declared host (`on = rack`), or to the zone or region
 * that is to be left, has nowhere to go and waits until the fault is over, and so does what has
 * all other zones drained as well; an eviction without `lasting` cordons nothing off, so it starts
 * again where it was. Who has moved stays where it is.
 */
#ifndef LZ_MODEL_NODE_EVICT_H
#define LZ_MODEL_NODE_EVICT_H

#include "model/node/instance.h"
#include "model/target.h"

/* A fresh host outside of `leave`, and in no zone that is drained; 0: there is none. */
lz_host_id lz_evict_place(struct lz_world *w, lz_instance_id id, const struct lz_target *leave);

/* Where a successor begins that was on its way to a host: elsewhere, if that is drained by now. */
lz_host_id lz_evict_arrive(struct lz_world *w, lz_instance_id id, lz_host_id to);

#endif
