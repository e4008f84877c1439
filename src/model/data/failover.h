/*
 * failover.h — who leads a database, who finds out, and how the old leader comes back.
 *
 * Modes. `none`: a dead primary stays dead. `manual`: it does so until somebody says who leads
 * (lz_failover_force). `automatic`, in one of two ways:
 *
 *   by detection   `detect` after the primary died, or can no longer reach half of the other
 *                  living nodes, it is declared dead; `promote` later a replica leads
 *   by a lease     (Patroni, dynamic_configuration.rst) the leader renews its lease, which lasts
 *                  `ttl`, in every loop, each `loop_wait`; the lease's phase is drawn. When it has
 *                  run out the others wake, or with `poll` see it when they next look, race, and
 *                  one leads `promote` later. A leader that cannot renew tries for `retry_timeout`,
 *                  then steps down; that must be over before the lease is: loop_wait +
 *                  retry_timeout < ttl. So a death is noticed U[ttl - loop_wait, ttl] after it
 *                  (and U[0, poll]).
 *
 *                  With a `store` all of that goes by messages to a group (dcs.h).
 *
 * Promoted is of those that can lead who has the most log, unless that is more than
 * `maximum_lag_bytes` behind what the leader had when it was last heard of.
 *
 * Fencing. A fenced leader that was given up takes no more writes. An unfenced one that still runs
 * goes on, with a log of its own (split.h): there are two primaries until it can reach the other.
 *
 * Discovery. Callers know who leads at once, or, with `discovery`, each learns it so long after
 * the promotion, and only if it can reach the new leader; until then it talks to the one it knows.
 *
 * Coming back. Who led and was given up is copied from the new leader at once (the default), or
 * takes the time it takes: pg_rewind copies a page (8 KiB) for each record of its own that is not
 * in the new timeline, a rebuild copies `size`, both at `rate`; then it applies what was written
 * meanwhile.
 */
#ifndef LZ_MODEL_DATA_FAILOVER_H
#define LZ_MODEL_DATA_FAILOVER_H

#include "model/node/instance.h"
#include "model/world.h"

enum lz_failover_mode { LZ_FAILOVER_AUTOMATIC, LZ_FAILOVER_MANUAL, LZ_FAILOVER_NONE };
enum lz_rejoin { LZ_REJOIN_AT_ONCE, LZ_REJOIN_REWIND, LZ_REJOIN_REBUILD };

#define LZ_FAILOVER_PAGE 8192.0 /* bytes that a rewind copies for a record */

struct lz_failover_opts {
    enum lz_failover_mode mode;
    lz_time detect;  /* 0 means 5 s */
    lz_time promote; /* 0 means 4 s */
    bool is_leased;
    lz_component_id store; /* the group that keeps the lease; 0: one that is always there, for who
                              reaches half of the others */
    lz_time ttl;           /* 0 means 30 s */
    lz_time loop_wait;     /* 0 means 10 s */
    lz_time retry_timeout; /* 0 means 10 s */
    lz_time poll;          /* 0: the others are told */
    bool limits_lag;
    double maximum_lag_bytes;
    bool unfenced;
    bool is_discovered; /* callers learn late who leads: */
    lz_time discovery;
    enum lz_rejoin rejoin;
    double size; /* bytes of data: of a rebuild */
    double rate; /* bytes per second; 0 means 200 MB/s */
};

/* Of a database that exists. */
bool lz_failover_declare(struct lz_world *w, lz_component_id id,
                         const struct lz_failover_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

/*
 * Somebody says that node `to` (from 1; 0: the best) leads from now on. A leader that can be
 * reached stops taking writes and hands over when the other has all of them. Of a Raft group it is
 * a leadership transfer (consensus_member.h).
 */
bool lz_failover_force(struct lz_world *w, lz_component_id id, uint32_t to,
                       struct lz_err *err) LZ_MUST_CHECK;

/* False: all its nodes are masters, and nobody leads. */
bool lz_failover_is_led(const struct lz_world *w, lz_component_id id);

/*
 * Faults that move the role: it goes where the first of those in force found it once the last of
 * them is over. A move that is refused counts as one all the same.
 */
bool lz_failover_move(struct lz_world *w, lz_component_id id, uint32_t to,
                      struct lz_err *err) LZ_MUST_CHECK;
void lz_failover_move_back(struct lz_world *w, lz_component_id id);

/*
 * The primary is taken for dead by the others, though it is not, and nobody stops it: of its
 * callers the share `stay` goes on with it. `touched` counts seconds with two primaries. It is a
 * move too. False if there is nobody who could lead beside it.
 */
bool lz_failover_split(struct lz_world *w, lz_component_id id, double stay, uint64_t *touched);
void lz_failover_mend(struct lz_world *w, lz_component_id id, const uint64_t *touched);

/*
 * The clock of a node's host has jumped. A leader for whom its lease thereby seems to have run out
 * takes no writes until it has renewed it, after a third of its length (Patroni: loop_wait is a
 * third of the ttl). True if one stepped down.
 */
bool lz_failover_clock_jumped(struct lz_world *w, lz_instance_id node, lz_time by);

#endif
