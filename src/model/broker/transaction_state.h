/*
 * transaction_state.h — what transaction.c and transaction_id.c share; for these alone.
 */
#ifndef LZ_MODEL_BROKER_TRANSACTION_STATE_H
#define LZ_MODEL_BROKER_TRANSACTION_STATE_H

#include "model/broker/transaction.h"

enum lz_transaction_state {
    LZ_TRANSACTION_EMPTY,
    LZ_TRANSACTION_ONGOING,
    LZ_TRANSACTION_PREPARE_COMMIT,
    LZ_TRANSACTION_PREPARE_ABORT,
};

struct lz_transaction_part {
    uint32_t partition; /* of the broker */
    uint32_t sent;      /* by which incarnation of the coordinator, + 1; 0: it is not under way */
    bool is_marked;
};

struct lz_transaction {
    struct lz_broker *broker;
    struct lz_group *group; /* whose member writes; NULL: who has a transactional id */
    uint32_t member;
    uint32_t index; /* of the broker's; a batch has one more */
    uint32_t nth;
    uint64_t payload; /* of its timers */
    uint8_t state;
    bool is_fenced; /* it ran out: its producer does not know yet */
    struct lz_transaction_part *parts;
    uint32_t part_count, part_cap;
    struct lz_slice *offsets; /* `to` is what counts once it is committed */
    uint32_t offset_count, offset_cap;
    uint64_t waiting; /* the producer's request */
    lz_event_id timeout, again;
    lz_time limit;        /* how long it may be open */
    const char *id;       /* the rest is of a transactional id */
    uint32_t coordinator; /* node; NOBODY */
    uint32_t epoch;       /* of the latest initTransactions */
    uint32_t serial;      /* of its latest transaction, as its producer numbers them */
    bool has_committed;   /* that one */
};

struct lz_transactions {
    struct lz_transaction **all;
    uint32_t count, cap;
    struct lz_rpc_way *ways; /* of markers, from node to node */
};

/* The instance; 0: there is none. */
lz_instance_id lz_transaction_coordinator(const struct lz_transaction *t);

/* What is decided is done: markers, then the answer to who waits for that. */
void lz_transaction_decide(struct lz_world *w, struct lz_transaction *t, bool commits);
void lz_transaction_answer(struct lz_world *w, struct lz_transaction *t,
                           enum lz_broker_error error);
bool lz_transaction_add_part(struct lz_world *w, struct lz_transaction *t, uint32_t partition);
void lz_transaction_begin(struct lz_world *w, struct lz_transaction *t, lz_instance_id who,
                          lz_time timeout);
void lz_transaction_go_on(struct lz_world *w, struct lz_transaction *t);
void lz_transaction_add(struct lz_world *w, struct lz_broker *b, struct lz_transaction *t);

#endif
