/*
 * leader.h — what the parts of failing over share; for model/data/ only.
 *
 *   failover.c    detection, promotion, and what people force
 *   lease.c       the lease of a leader
 *   dcs.c         the same, kept by a group
 *   split.c       two primaries
 *   rejoin.c      how an old one comes back
 *   discovery.c   who leads, as callers know it
 */
#ifndef LZ_MODEL_DATA_LEADER_H
#define LZ_MODEL_DATA_LEADER_H

#include "model/data/database_state.h"

bool lz_leader_reaches(struct lz_world *w, lz_instance_id a, lz_instance_id b);

/*
 * Can it lead? It must run, and reach at least half of the others that live; with a store only who
 * has won the key leads, whomever else he reaches.
 */
bool lz_leader_can_be(struct lz_world *w, const struct lz_database *d, uint32_t node);

/* The primary has been given up: somebody leads `delay` from now, if anybody can. */
void lz_leader_race(struct lz_world *w, struct lz_database *d, lz_time delay);

/* One that does not lead: it has nothing of its own, and is not too far behind. */
bool lz_leader_may_follow(const struct lz_database *d, uint32_t node);

bool lz_leader_is_fenced(const struct lz_database *d);

/* lease.c */
void lz_lease_init(struct lz_world *w);
void lz_lease_begin(struct lz_world *w, struct lz_database *d); /* of the primary, from now on */
void lz_lease_reconsider(struct lz_world *w, struct lz_database *d);

/*
 * split.c: the node, which led, goes on beyond `lsn` with a log of its own, and with it those that
 * it reaches and node `leader` does not. Gives the acknowledged records beyond.
 */
uint64_t lz_split_begin(struct lz_world *w, struct lz_database *d, uint32_t node, uint32_t leader,
                        uint64_t lsn);
void lz_split_wrote(struct lz_world *w, struct lz_database *d, struct lz_log *log, uint64_t key);
void lz_split_end(struct lz_world *w, struct lz_database *d, struct lz_log *branch);
void lz_split_reconsider(struct lz_world *w, struct lz_database *d);
void lz_split_second(struct lz_world *w, struct lz_database *d);

/* rejoin.c */
void lz_rejoin_init(struct lz_world *w);
void lz_rejoin_begin(struct lz_world *w, struct lz_database *d, uint32_t node);

/* discovery.c: the node that a caller takes for the primary. */
uint32_t lz_discovery_primary(struct lz_world *w, struct lz_database *d, lz_instance_id client);

#endif
