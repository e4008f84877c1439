/*
 * transaction.h — groups that consume, transform and produce exactly once (KIP-98, KIP-447), and
 * what producers with a transactional id of their own (transactor.h) share with them.
 *
 * Each member of a transactional group is a producer with a transactional.id of its own. What its
 * handler writes to topics while it works on a batch, and the positions of that batch, are one
 * transaction: it begins with the first record written, and is committed in place of the batch's
 * commit (sendOffsetsToTransaction, commitTransaction), or aborted when a record fails.
 *
 *   EMPTY ──first record──▶ ONGOING ──commit──▶ PREPARE_COMMIT ──all markers written──▶ EMPTY
 *                              │                                       ▲
 *                              └──abort, a join, transaction.timeout.ms──▶ PREPARE_ABORT
 *
 * The coordinator, which is the group's, writes a marker into each partition that was written to: a
 * record of its own, with an offset, that nobody is given. Once it has decided it goes on until all
 * are there, whoever the coordinator is by then; only then positions count, and the member hears of
 * it (Kafka's hears at once, and waits with what it writes next, as transactor.h does). Adding a
 * partition to a transaction takes no time of its own (KIP-890).
 *
 * Readers with isolation = "read_committed" get records up to the last stable offset: the first
 * record of a transaction that is not decided in the leader's log, below the high watermark. Those
 * of aborted ones are passed over. Others are given all but markers.
 *
 * Fencing. A member that joins anew is another epoch of its producer: what was open is aborted
 * (initTransactions), and who asks for positions waits until that is done. One that was out of its
 * group commits nothing (the generation of KIP-447), one whose transaction ran out neither. What a
 * process had under way when it ended, or had given up, is refused.
 */
#ifndef LZ_MODEL_BROKER_TRANSACTION_H
#define LZ_MODEL_BROKER_TRANSACTION_H

#include "model/broker/group_state.h"

#define LZ_TRANSACTION_LIMIT_NS (900 * LZ_S) /* transaction.max.timeout.ms */

enum lz_control { LZ_CONTROL_NONE, LZ_CONTROL_COMMIT, LZ_CONTROL_ABORT };

enum lz_sight { LZ_SIGHT_PLAIN, LZ_SIGHT_MARKER, LZ_SIGHT_OPEN, LZ_SIGHT_ABORTED };

/* Before the run: the group's members write in transactions, if the broker has room for them. */
bool lz_transaction_has_room(const struct lz_broker *b, uint32_t members, struct lz_err *err);
void lz_transaction_declare(struct lz_world *w, struct lz_group *g);

/* A record that a component's call brings is about to be written. False: whoever wrote it must not
 * any more. */
bool lz_transaction_admits(struct lz_world *w, struct lz_topic *topic, lz_component_id from,
                           const struct lz_task *t, struct lz_append *a);

/* At the coordinator: a member ends its transaction; the request is answered when it has. */
void lz_transaction_end(struct lz_world *w, struct lz_group *g, const struct lz_member *m,
                        struct lz_rpc *r, bool commits);
void lz_transaction_joined(struct lz_world *w, struct lz_group *g, const struct lz_member *m);
bool lz_transaction_is_settled(const struct lz_group *g); /* nothing is decided and not done */
void lz_transaction_resume(struct lz_world *w, struct lz_group *g); /* another coordinator */

/* append.c: a marker is in the log, or is not. */
void lz_transaction_appended(const struct lz_replica *r, const struct lz_batch *marker);
void lz_transaction_marked(struct lz_world *w, struct lz_broker *b, const struct lz_append *a);

/* What a batch is for who reads committed records of this replica; OPEN and ABORTED are for others
   as PLAIN. */
enum lz_sight lz_transaction_sight(const struct lz_replica *r, const struct lz_batch *b,
                                   bool reads_committed);

#endif
