/*
 * transactor.h — a producer with a transactional id, and no group (KIP-98).
 *
 * A traffic to one or several topics of a broker, each of whose requests is a record to all of them
 * or to none. Its producer has one transaction at a time; requests that come meanwhile wait, and
 * those that wait when one begins are in it together, up to 500 and up to 1 MiB (max.request.size),
 * as one batch to each partition. A commit is answered once it is decided; the markers follow, and
 * readers of what is committed wait for them. So does the next transaction: what it writes is
 * refused until they are all there (CONCURRENT_TRANSACTIONS), and tried again every 20 ms.
 *
 *   OUT ──InitProducerId──▶ IDLE ──requests──▶ WRITING ──all acknowledged──▶ ENDING ──▶ IDLE
 *    ▲                                           │  gave up: to abort          │
 *    └── its transaction ran out (KIP-588) ──────┴─────────────────────────────┤
 *   FENCED ◀── another producer has begun with its id ─────────────────────────┘
 *
 * Initialising is at its first request: whatever is open under the id is aborted first, and who had
 * it before is fenced, for good: it writes and commits nothing any more (the zombie of KIP-98), and
 * each of its requests fails. A request is good when its commit is answered. What fails, or meets
 * no leader, is tried again 100 ms later until overall_timeout, counted from the oldest request;
 * then the transaction is aborted. A share of them is aborted by the program itself.
 *
 * At the coordinator, the first live node from the hash of the id on, transaction.h's states hold;
 * what identifies a request there is the epoch of the producer and the number of the transaction.
 *
 * In a topic's history a send is acknowledged by the commit, and has failed once its producer was
 * told of the abort; where it was fenced it does not know.
 */
#ifndef LZ_MODEL_BROKER_TRANSACTOR_H
#define LZ_MODEL_BROKER_TRANSACTOR_H

#include "model/broker/producer_state.h"

#define LZ_TRANSACTOR_BATCH 500u

struct lz_transaction;

/* ---- transaction_id.c: the coordinator */

enum lz_transactor_op { LZ_TRANSACTOR_INIT, LZ_TRANSACTOR_COMMIT, LZ_TRANSACTOR_ABORT };

/* What a request to it says: which, and of whom. */
static inline uint64_t lz_transactor_says(enum lz_transactor_op op, uint32_t epoch, uint32_t serial)
{
    return (uint64_t)serial << 32 | (uint64_t)(epoch & 0xffffffu) << 8 | op;
}

static inline uint32_t lz_transactor_epoch(uint64_t says)
{
    return (uint32_t)(says >> 8) & 0xffffffu;
}

/* Of this id: who declares the same has the same. */
bool lz_transaction_of_id(struct lz_world *w, struct lz_broker *b, const char *id,
                          struct lz_transaction **out, struct lz_err *err) LZ_MUST_CHECK;
uint32_t lz_transaction_index(const struct lz_transaction *t);
uint32_t lz_transaction_node(const struct lz_transaction *t); /* NOBODY */

/* At a node: a request has come; a record may be written, or why not. */
void lz_transaction_asked(struct lz_world *w, struct lz_rpc *r);
enum lz_broker_error lz_transaction_takes(struct lz_world *w, const struct lz_rpc *r,
                                          struct lz_append *a);

/* ---- transactor.c: the producer */

bool lz_transactor_create(struct lz_world *w, lz_producer_id id, struct lz_err *err) LZ_MUST_CHECK;
void lz_transactor_send(struct lz_world *w, struct lz_producer *p,
                        const struct lz_producer_record *record);

/* Its patience with a transaction, and who it is: for the coordinator. */
lz_time lz_transactor_limit(const struct lz_world *w, lz_producer_id id);

#endif
