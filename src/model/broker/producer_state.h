/*
 * producer_state.h — what a producer is made of; for the files of producer.h only.
 *
 *   producer.c         records into parcels; declaring
 *   producer_parcel.c  the lanes they wait in, and what becomes of them
 *   producer_send.c    leaders, connections, requests
 *   producer_answer.c  what the answers mean
 *   transactor.c       all of it, of one with a transactional id
 *
 * A *parcel* is a batch on the producer's side; a *lane* is the line of those of one partition.
 *
 * Invariants
 * 1. A parcel is in its lane unless it is in the air (then its rpc is its own) or over.
 * 2. A lane is in the order in which its parcels were made.
 * 3. `buffered` is the sum of the parcels' bytes.
 */
#ifndef LZ_MODEL_BROKER_PRODUCER_STATE_H
#define LZ_MODEL_BROKER_PRODUCER_STATE_H

#include "base/check.h"
#include "base/pool.h"
#include "model/broker/broker_state.h"
#include "model/broker/producer.h"
#include "model/broker/rpc.h"

#define LZ_PRODUCER_REQUEST_BYTES 1048576.0 /* max.request.size */

enum lz_parcel_state { LZ_PARCEL_OPEN, LZ_PARCEL_WAITING, LZ_PARCEL_IN_THE_AIR };

// A batch on the producer's side.
struct lz_parcel {
    struct lz_pool_head head;
    uint32_t producer, partition; /* numbers, the partition's within the topic */
    uint32_t next, prev;          /* of those of the partition that are not under way */
    uint32_t count, room;
    struct lz_producer_record *records;
    double bytes;
    lz_time at;
    uint64_t serial; /* in the order they were made */
    uint64_t sequence;
    uint32_t epoch; /* of the sequence; 0: it has none yet */
    uint32_t attempts;
    lz_time waited, not_before;
    uint64_t rpc;
    lz_event_id linger, expiry;
    uint64_t batch;  /* it was appended as; 0: not that anybody knew */
    uint64_t offset; /* and where */
    uint32_t sent;   /* as recorder_log.h numbers it; 0: not at all */
    uint8_t state;
    bool is_ready; /* its linger is over */
};

struct lz_producer_lane {
    uint32_t first, last; // parcels, the oldest first
    uint32_t in_flight;   // parcels
    uint32_t leader;      // node, as far as is known
    uint32_t epoch;       // of the producer, here; from 1
    uint64_t next;        // sequence
};

struct lz_producer_peer {
    struct lz_rpc_way way;
    uint32_t in_flight;
    bool is_down;
    lz_time backoff;
    lz_event_id connecting;
};

struct lz_producer {
    lz_component_id traffic;
    struct lz_topic *topic;
    lz_instance_id client;
    struct lz_producer_opts opts;
    struct lz_edge_opts edge;
    bool has_keys;
    uint32_t number; // of an idempotent one
    uint64_t path;
    double record_bytes, buffered;
    struct lz_producer_lane *lanes;
    struct lz_producer_peer *peers;
    uint32_t sticky; // partition
    double sticky_bytes;
    uint64_t moves, serials, backoffs;
    lz_lane linger, expiry;
    lz_event_id refresh;
    struct lz_transactor *transactor; // NULL: it has no transactional id
};

struct lz_producers {
    struct lz_pool parcels;
    struct lz_producer **all; // 1 ..
    uint32_t count, cap;
    lz_kind linger, expiry, again, connect, refresh;
    lz_kind transact_again, transact_expiry; // 0: nobody has a transactional id
};

static inline struct lz_producer *lz_producer_at(const struct lz_world *w, uint32_t id)
{
    LZ_ASSERT(id >= 1 && id <= w->producers->count);
    return w->producers->all[id];
}

static inline struct lz_parcel *lz_parcel_at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->producers->parcels, index);
}

static inline struct lz_broker *lz_producer_broker(const struct lz_producer *p)
{
    return p->topic->broker;
}

static inline struct lz_parcel *lz_parcel_of(const struct lz_world *w, const struct lz_append *a)
{
    return lz_pool_find(&w->producers->parcels, a->parcel);
}

/* producer_parcel.c */

void lz_parcel_unlink(struct lz_world *w, struct lz_producer_lane *l, struct lz_parcel *c);

/* Back to where it was made: before all that are younger. */
void lz_parcel_link(struct lz_world *w, struct lz_producer_lane *l, struct lz_parcel *c);

/* Over: its records are told the outcome. It is out of its lane, and not under way. `fail` also
 * says that it was given up. */
void lz_parcel_end(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c,
                   enum lz_outcome outcome);
void lz_parcel_fail(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c,
                    enum lz_outcome outcome);

/* Once more, or failed with `outcome`; the attempt counts unless nothing was ever connected. */
void lz_parcel_retry(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c, bool counts,
                     enum lz_outcome outcome);

/* What was numbered and given up leaves a gap: a new epoch begins from nothing. */
void lz_producer_bump(struct lz_producer_lane *l);

/* producer_send.c */

void lz_producer_ask_who_leads(struct lz_world *w, struct lz_producer *p, uint32_t id);
void lz_producer_connect_later(struct lz_world *w, struct lz_producer *p, uint32_t id,
                               uint32_t node);
void lz_producer_send_to(struct lz_world *w, struct lz_producer *p, uint32_t node);
void lz_producer_send_all(struct lz_world *w, struct lz_producer *p);

/* producer_answer.c: lz_rpc_ops */

void lz_producer_arrived(struct lz_world *w, struct lz_rpc *rpc);
void lz_producer_ended(struct lz_world *w, const struct lz_rpc *rpc, enum lz_rpc_end how);
void lz_producer_dropped(struct lz_world *w, struct lz_rpc *rpc);

/* Handlers of kinds. */

void lz_producer_on_again(void *ctx, uint32_t entity, uint64_t payload);
void lz_producer_on_linger(void *ctx, uint32_t entity, uint64_t payload);
void lz_producer_on_expiry(void *ctx, uint32_t entity, uint64_t payload);
void lz_producer_on_refresh(void *ctx, uint32_t entity, uint64_t payload);
void lz_producer_on_connect(void *ctx, uint32_t entity, uint64_t payload);

#endif
