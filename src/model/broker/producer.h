/*
 * producer.h — a traffic's side of a topic: Kafka's producer.
 *
 * Records are gathered in batches, one open per partition. A batch leaves when it is full
 * (`batch_size`), when it is `linger` old, or at once; at most `max_in_flight` requests are under
 * way to a node, and what comes meanwhile makes batches grow. They are in line on one connection,
 * and the node works on one of them at a time (rpc.h). A record with a key goes to the
 * partition of its hash (murmur.h), others stay with one partition until batch_size bytes went
 * there and move to another, drawn among those with a leader (KIP-480, KIP-794).
 *
 *   record ──▶ open batch ──full, lingered──▶ waiting ──▶ in flight ──▶ answered: told
 *                                               ▲             │
 *                                               └── back-off ─┴─ error, reset, timeout
 *
 * Each attempt that reached a connection counts against `retries`; waiting for a leader or for a
 * connection (50 ms doubling to 1 s) does not, and is bounded by overall_timeout
 * (delivery.timeout.ms, 2 min). What is known of leaders is renewed 100 ms after an error. An
 * idempotent producer (the default with acks = all and retries) numbers the records of each
 * partition, so that a retry is recognised; others may write records twice. With acks = none a
 * record is good as soon as it is sent.
 *
 * One with a transactional id works otherwise: transactor.h.
 *
 * Latency and outcome of each record are its traffic's, counted from the intended time. A record
 * that finds `buffer` full is refused (Kafka with max.block.ms = 0).
 */
#ifndef LZ_MODEL_BROKER_PRODUCER_H
#define LZ_MODEL_BROKER_PRODUCER_H

#include "model/client/call.h"
#include "model/value.h"
#include "model/world.h"

#define LZ_PRODUCER_ALSO_MAX 15u

enum lz_producer_idempotence {
    LZ_IDEMPOTENCE_DEFAULT,
    LZ_IDEMPOTENCE_ON,
    LZ_IDEMPOTENCE_OFF,
};

struct lz_producer_opts {
    unsigned acks; /* enum lz_acks: all, leader, none */
    enum lz_producer_idempotence idempotence;
    lz_time linger;
    double batch_size;            /* bytes; 0 means 16 KiB */
    uint32_t max_in_flight;       /* 0 means 5 */
    double buffer;                /* bytes; 0 means 32 MiB */
    const char *transactional_id; /* NULL: without transactions; the rest is of one that has it */
    lz_component_id also[LZ_PRODUCER_ALSO_MAX]; /* topics of the same broker */
    uint32_t also_count;
    lz_time transaction_timeout; /* 0 means 60 s */
    double aborts;               /* share of transactions that the program aborts */
};

typedef uint32_t lz_producer_id; /* 0: none */

struct lz_producer_create {
    lz_component_id traffic, topic;
    lz_instance_id client;
    const struct lz_producer_opts *opts;
    const struct lz_edge_opts *edge; /* timeout, retries, backoff, size */
    bool has_keys;
};

bool lz_producer_create(struct lz_world *w, const struct lz_producer_create *create,
                        lz_producer_id *id, struct lz_err *err) LZ_MUST_CHECK;

struct lz_producer_record {
    lz_time intended;
    uint64_t key;
    uint32_t agent; /* who waits for it; 0: nobody */
    bool is_bot;
};

void lz_producer_send(struct lz_world *w, lz_producer_id id,
                      const struct lz_producer_record *record);

#endif
