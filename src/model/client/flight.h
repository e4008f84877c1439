/*
 * flight.h — calls that share one answer: single flight; for model/ only.
 *
 * Of the calls of an edge that one calling instance makes about one key, only the first is made:
 * it *leads*, with its retries, hedges and legs. Those that begin while it is under way *follow*:
 * they send nothing and take its answer when it ends, be it good or bad (Go's singleflight,
 * Varnish's request coalescing, nginx' proxy_cache_lock).
 *
 *   A leader that times out fails them all: they asked the same and would have waited as long.
 *   A leader that is given up (its task was cancelled, its legs lost) hands over: the one that
 *   follows longest makes the call, at this instant, and the others follow it.
 *   A follower leaves at its own overall timeout or its caller's deadline.
 *   A process that dies takes its flights with it.
 *
 * A follower is no attempt: no connection, no breaker, no retry budget, no place in a bulkhead.
 *
 * Invariants: a flight is in the table exactly while its leader is under way or about to be;
 * followers are linked oldest first; a call belongs to one flight at most.
 */
#ifndef LZ_MODEL_CLIENT_FLIGHT_H
#define LZ_MODEL_CLIENT_FLIGHT_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

void lz_flight_create(struct lz_world *w, struct lz_edge *e);

/* Can the call lead or follow? Legs of one that does cannot. */
static inline bool lz_flight_is_any(const struct lz_edge *e, const struct lz_call *c)
{
    return e->flights != NULL && c->owner_kind != LZ_OWNER_FAN && c->owner_kind != LZ_OWNER_RACE;
}

/* Follow a call that is under way; false if there is none, and this one leads from now on. */
bool lz_flight_follow(struct lz_world *w, struct lz_edge *e, struct lz_call *c);

/*
 * The leader has ended: take its flight out of the table, to be landed once the leader's owner
 * knows. NULL if nobody can follow it any more. A landed flight must not be used again.
 */
struct lz_flight *lz_flight_ended(struct lz_world *w, struct lz_edge *e, const struct lz_call *c);
void lz_flight_land(struct lz_world *w, struct lz_edge *e, struct lz_flight *flight,
                    const struct lz_call_result *result);

/* The call, leader or follower, is given up before it has ended. */
void lz_flight_leave(struct lz_world *w, struct lz_edge *e, struct lz_call *c);

#endif
