/*
 * plog.h — one copy of a partition's log: batches of records, by offset.
 *
 * A *batch* is what a leader appended at once: so many records with consecutive offsets, under the
 * epoch of that leader. Batches are shared: each copy of a partition that has one refers to it, so
 * copies agree up to an offset exactly if they refer to the same batches. A batch that no copy has
 * any more is gone.
 *
 *   append  by the leader, a batch of its own; by a follower, the leader's next one
 *   pop     the tail, when it diverges from the leader's or was lost with the power
 *   drop    the head, once nobody will ask for it again
 *
 * Shapes: a ring of batch numbers and of what the node's disk calls them (lsn). `start` is the
 * offset of the first record that is kept, `end` the one that the next record will have (Kafka's
 * log end offset). Invariant: batches are consecutive; the last one ends at `end`.
 */
#ifndef LZ_MODEL_BROKER_PLOG_H
#define LZ_MODEL_BROKER_PLOG_H

#include "base/pool.h"
#include "model/traffic/trail.h"
#include "model/value.h"
#include "sim/time.h"

/* A record as a handler sees it; kept only where there is one. */
struct lz_record {
    uint64_t key;
    lz_value value;
};

struct lz_batch {
    struct lz_pool_head head;
    uint32_t refs;  /* copies that have it */
    uint32_t count; /* records */
    uint64_t offset;
    uint64_t bytes;
    uint64_t sequence; /* of its first record, within producer and producer_epoch */
    lz_time at;        /* when its first record was made */
    uint32_t epoch;    /* of the leader that appended it */
    uint32_t producer; /* 0: not an idempotent one */
    uint32_t producer_epoch;
    uint32_t transaction; /* of the broker's, + 1; 0: none */
    uint32_t nth;         /* of that producer's transactions */
    uint64_t marker;      /* the batch that decided it; 0: none yet */
    uint8_t control;      /* enum lz_control: a marker's */
    uint32_t sent;        /* as recorder_log.h numbers it; 0: not at all */
    uint32_t record_room; /* records there is room for, see broker_state.h */
    struct lz_record *records;
    struct lz_origin origin; /* of a call's record */
    bool is_acked;           /* its producer has been told that it is written */
    bool is_lost;            /* and a leader was found without it: counted */
    bool is_copy;            /* of records that stood in the log already */
};

static inline uint64_t lz_batch_end(const struct lz_batch *b)
{
    return b->offset + b->count;
}

struct lz_plog_entry {
    uint32_t batch;
    uint64_t lsn;
};

struct lz_plog {
    const struct lz_pool *batches;
    struct lz_arena *arena;
    struct lz_plog_entry *ring;
    uint32_t cap, first, count; /* cap is a power of two, or 0 */
    uint64_t start, end;
};

void lz_plog_init(struct lz_plog *l, struct lz_arena *arena, const struct lz_pool *batches);

static inline const struct lz_plog_entry *lz_plog_entry(const struct lz_plog *l, uint32_t i)
{
    LZ_ASSERT(i < l->count);
    return &l->ring[(l->first + i) & (l->cap - 1)];
}

static inline struct lz_batch *lz_plog_at(const struct lz_plog *l, uint32_t i)
{
    return lz_pool_at(l->batches, lz_plog_entry(l, i)->batch);
}

/* The batch must begin at `end`; it has one reference more. */
void lz_plog_append(struct lz_plog *l, struct lz_batch *b, uint64_t lsn);

/* The last or the first batch, out of the log; it has one reference less. There must be one. */
struct lz_batch *lz_plog_pop(struct lz_plog *l);
struct lz_batch *lz_plog_drop(struct lz_plog *l);

/* The batch with the record of that offset, from 0; `count` if the offset is at the end or above.
 * Not below `start`. */
uint32_t lz_plog_find(const struct lz_plog *l, uint64_t offset);

/* Does the log have just this batch? */
bool lz_plog_has(const struct lz_plog *l, const struct lz_batch *b);

/* An empty log that goes on at `offset`. */
void lz_plog_restart(struct lz_plog *l, uint64_t offset);

#endif
