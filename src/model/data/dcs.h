/*
 * dcs.h — failover = { store = etcd }: the lease of a leader, kept by a group, as Patroni keeps it.
 *
 * Beside each node runs an agent (Patroni, patroni/ha.py) that knows the store by messages alone:
 *
 *   the leader's   renews the key each `loop_wait`, for `ttl` (raft_ask.h: RENEW). Without an
 *                  answer it asks the next member of the store after retry_timeout / members, but
 *                  at least 1 s (patroni/dcs/etcd.py, _calculate_timeouts), until `retry_timeout`
 *                  is over: then it demotes its node. Told that the key is not its own it demotes
 *                  it at once.
 *   the others'    watch the key, and ask anew in each loop (or only look every `poll`). When it
 *                  is gone, who has no less of the log than all others that he reaches tries to
 *                  acquire it; the store says yes to one. He leads `promote` later, and renews
 *                  meanwhile.
 *
 * The time of a lease passes in the store: its leader counts it, and gives it in full again when
 * it is another that leads (raft_apply.c). While the store has no majority nothing is renewed and
 * nothing runs out: the leader steps down after `retry_timeout`, and leads again if the store comes
 * back with the key still its own.
 *
 * A switchover releases the key, and the others leave it to whom it is meant for. A fenced leader
 * takes no writes from the moment on another has won the key, whether its agent knows of it or not
 * (Patroni's watchdog); an unfenced one does until it meets the other (split.c).
 */
#ifndef LZ_MODEL_DATA_DCS_H
#define LZ_MODEL_DATA_DCS_H

#include "model/world.h"

struct lz_database;

/* Before the run: its first node has long held the key. */
void lz_dcs_declare(struct lz_world *w, struct lz_database *d);

/* Who leads has been settled: its agent sees to the key. */
void lz_dcs_settle(struct lz_world *w, struct lz_database *d);

/* The primary gives the key up, for `forced_to`. */
void lz_dcs_hand_over(struct lz_world *w, struct lz_database *d);

#endif
