/*
 * sentinel.h — who leads a cache, by those that watch it; for model/ only.
 *
 * Redis Sentinel, message by message (redis/src/sentinel.c): each sentinel pings every node once a
 * second, at an instant of its own.
 *
 *   IDLE ──the primary is silent for `down_after`, and `quorum` of them say so──▶ ELECTING
 *   ELECTING ──votes of a majority (and no fewer than the quorum)──▶ PROMOTING the best replica
 *      └─ nobody gets them in 10 s: gives up                └─ no replica heard lately: gives up
 *   PROMOTING ──it says that it leads──▶ IDLE; the others are told, and turn to it, a few at a time
 *
 * Silence counts from the first ping that is not answered: a primary is down 30 to 31 s after its
 * last answer by default. A sentinel votes once in an epoch, and who gave up or voted for another
 * does not try again for twice the failover timeout. Of the replicas heard in the last five
 * seconds, the one with the most writes is best. A node that leads and should not is told after
 * eight seconds; until then it goes on, for those who reach it.
 *
 * Clients hear who leads from the sentinels that they reach, and hear it as soon as one knows;
 * who reaches none stays with what it knew.
 */
#ifndef LZ_MODEL_CACHE_SENTINEL_H
#define LZ_MODEL_CACHE_SENTINEL_H

#include "model/cache/cache_state.h"

void lz_sentinel_fill_defaults(struct lz_sentinel_opts *o);
bool lz_sentinel_check(const struct lz_cache_opts *o, struct lz_err *err) LZ_MUST_CHECK;
void lz_sentinels_create(struct lz_world *w, struct lz_cache *c);
void lz_sentinels_start(struct lz_world *w, struct lz_cache *c);

void lz_sentinel_started(struct lz_world *w, struct lz_cache *c, uint32_t sentinel);

/*
 * SENTINEL FAILOVER ("Force a failover as if the master was not reachable, and without asking for
 * agreement to other Sentinels"): the first sentinel that is up promotes the best replica, or the
 * node that is named (in Redis by replica-priority). What led is told after eight seconds as ever.
 */
bool lz_sentinel_failover(struct lz_world *w, struct lz_cache *c, const struct lz_cache_failover *f,
                          struct lz_err *err) LZ_MUST_CHECK;

/* The node that a client takes for the primary. */
uint32_t lz_sentinel_route(struct lz_world *w, struct lz_cache *c, lz_instance_id client);

#endif
