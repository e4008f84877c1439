/*
 * store_state.h — what the parts of the store share; for model/ only.
 *
 *   store.c      requests in time: doors, throttling; the component
 *   upload.c     parts of an upload
 *   items.c      what is kept, in how many copies, and what an operation does to it
 *   versions.c   the versions of an object, and what becomes of them with time
 *   transact.c   several items at once
 */
#ifndef LZ_MODEL_STORE_STORE_STATE_H
#define LZ_MODEL_STORE_STORE_STATE_H

#include "model/cache/cache.h"
#include "model/cache/keyspace.h"
#include "model/measure.h"
#include "model/node/capacity.h"
#include "model/node/instance.h"
#include "model/service/argument.h"
#include "model/service/task.h"
#include "model/store/store.h"
#include "model/store/throughput.h"
#include "model/value.h"

enum lz_store_op {
    LZ_STORE_GET = 1,
    LZ_STORE_HEAD,
    LZ_STORE_LIST,
    LZ_STORE_VERSIONS,
    LZ_STORE_TRANSACT_GET,
    LZ_STORE_PUT, /* from here on they write */
    LZ_STORE_PUT_IF_ABSENT,
    LZ_STORE_PUT_IF_MATCH,
    LZ_STORE_INCREMENT,
    LZ_STORE_DELETE,
    LZ_STORE_RESTORE,
    LZ_STORE_TRANSACT_WRITE,
};

struct lz_store_series {
    struct lz_measure m; /* first: the offsets of its rows count from here */
    lz_series throttled, reads, stale_reads, stale_tokens, lost_updates, acked, items, size;
    lz_series versions, uploads, expired;
    lz_series transactions, cancelled, conflicts;
};

struct lz_store_node {
    struct lz_capacity *capacity;
    uint32_t region; /* which of its regions, from 0 */
};

struct lz_store {
    struct lz_store_opts opts;
    lz_component_id id;
    lz_instance_id first;
    uint32_t nodes; /* in all regions */
    uint64_t path;
    struct lz_store_node *node;
    struct lz_throughput **throughput; /* of each region */
    struct lz_keyspace *items;
    struct lz_copies *copies; /* by an item's `bytes`, 1 .. */
    uint32_t copy_count, copy_cap;
    struct lz_copies_opts order;  /* n 0: there is one of each */
    bool holds;                   /* hints, for copies that were away */
    uint64_t writes;              /* numbers them */
    uint32_t live;                /* items that are not deleted */
    struct lz_versions *versions; /* NULL: none are kept */
    struct lz_upload *uploads;    /* that nobody completed */
    uint32_t upload_count, upload_cap;
    uint64_t upload_bytes;
    struct lz_keyspace *held, *tokens; /* of transactions; NULL: there were none */
    struct lz_store_series series;
};

struct lz_stores {
    struct lz_store **all; /* by component */
    uint32_t cap;
    uint64_t tokens; /* given out */
    lz_kind done, part, again, settled, lifecycle;
};

struct lz_store *lz_store_at(const struct lz_world *w, lz_component_id id);
enum lz_store_op lz_store_op_of(const struct lz_world *w, const struct lz_store *s, lz_op op);
void lz_store_answer(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                     enum lz_outcome outcome, uint16_t status);

/* What a call says beyond its key and value; NULL: nothing. */
static inline const struct lz_store_ask *lz_store_ask_of(const struct lz_world *w,
                                                         const struct lz_task *t)
{
    uint32_t size = 0;
    const void *bytes = lz_argument_bytes(w, lz_argument_of(w, t), &size);
    return size >= sizeof(struct lz_store_ask) ? bytes : NULL;
}

/* store.c: work, and what is let through; `times` as much as one operation takes. */
struct lz_store_units {
    uint64_t key;
    uint32_t times;
    bool writes;
};
bool lz_store_takes(struct lz_world *w, struct lz_store *s, const struct lz_task *t,
                    const struct lz_store_units *units);
void lz_store_throttle(struct lz_world *w, struct lz_store *s, struct lz_task *t);
void lz_store_work(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_time demand);
lz_time lz_store_time(struct lz_world *w, const struct lz_store *s, const struct lz_task *t,
                      bool writes, uint64_t counter);

lz_time lz_store_stream_time(const struct lz_store *s, uint64_t bytes);

/* upload.c: a write in parts; of one that nobody completes the parts stay. */
void lz_uploads_init(struct lz_world *w);
void lz_upload_begin(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint64_t size);
bool lz_upload_is_under_way(const struct lz_world *w, const struct lz_store *s,
                            const struct lz_task *t);
void lz_upload_leave(struct lz_world *w, struct lz_store *s, struct lz_task *t);

/* items.c: what it does to what is kept; it answers, at once or when copies have. */
void lz_items_init(struct lz_world *w);
void lz_items_create(struct lz_world *w, struct lz_store *s);
void lz_items_operate(struct lz_world *w, struct lz_store *s, struct lz_task *t);
void lz_items_deliver(struct lz_world *w, struct lz_store *s);
void lz_items_measure(struct lz_world *w, struct lz_store *s);
void lz_items_answer(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint16_t status,
                     lz_value value);
void lz_items_answer_after(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_time wait,
                           uint16_t status, lz_value value);

/* One of what a task writes: how long until it is committed, LZ_FOREVER: it cannot be. */
lz_time lz_items_set(struct lz_world *w, struct lz_store *s, const struct lz_task *t, uint64_t key,
                     lz_value value);
bool lz_items_can_write(struct lz_world *w, const struct lz_store *s, const struct lz_task *t,
                        uint64_t key);
/* What a put writes: what it carries, or a number that no other write has. */
lz_value lz_items_put_value(const struct lz_world *w, const struct lz_store *s,
                            const struct lz_task *t);

/* Of what is asked for, or is to be put. */
uint64_t lz_items_size(const struct lz_world *w, const struct lz_store *s, const struct lz_task *t);
uint64_t lz_items_size_of(const struct lz_world *w, const struct lz_store *s,
                          const struct lz_task *t, uint64_t key, bool writes);
bool lz_items_is_consistent(const struct lz_world *w, const struct lz_store *s,
                            const struct lz_task *t);

#endif
