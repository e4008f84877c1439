/*
 * store.h — a managed store: objects as S3 keeps them, or items as DynamoDB does.
 *
 * What it has is never lost: nodes are doors, and one that ends takes only its requests with it.
 * An operation is the first word of a call's; a call without one is a get.
 *
 *   get, head      200, or 404
 *   put            writes the value that the call carries, or a number that no other write has
 *   put_if_absent  only if there is nothing: else 412 (objects) or 400 (items), not counted as a
 *                  failure
 *   put_if_match   only if what is there is what the call's `match` says, else the same
 *   increment      adds the value, or 1; items only
 *   delete         with a value only if that is its value
 *   list           200 with the number of keys; objects only
 *   versions, restore                objects' versions, see versions.h
 *   transact_write, transact_get     several items at once, see transact.h
 *
 * Objects. A read sees the latest write, a list too. A write of more than `part_size` goes in
 * parts, so many side by side; a part that is refused is tried again, ten times in all, and then
 * the upload is given up. Each prefix lets 3,500 writes and 5,500 reads a second pass; more get 503
 * Slow Down.
 *
 * Items. Partitions of 1,000 write units and 3,000 read units a second, as many as throughput and
 * size need, or as are said; a unit is 1 KiB written, 4 KiB read, 8 KiB read eventually.
 * Provisioned or on demand (throughput.h); more get 400 (ProvisionedThroughputExceededException).
 * Three copies of each item, of which two confirm a write; a read asks one, and with `consistent`
 * two (copies.h).
 *
 * In several regions each has a copy that is written and read alone, and hears of the others'
 * writes after a lag; the last writer wins, and what it had not seen is a lost update.
 */
#ifndef LZ_MODEL_STORE_STORE_H
#define LZ_MODEL_STORE_STORE_H

#include "model/place.h"
#include "model/store/copies.h"
#include "model/world.h"

#define LZ_STORE_NODES_MAX 256
#define LZ_STORE_ITEM_MAX (5ull << 40) /* bytes of an object */
#define LZ_STORE_PARTS_MAX 10000       /* of an upload */

#define LZ_STORE_ACTIONS_MAX 100 /* of a transaction */

enum lz_store_kind { LZ_STORE_OBJECT, LZ_STORE_KEY_VALUE };
enum lz_versioning { LZ_VERSIONING_OFF, LZ_VERSIONING_ENABLED, LZ_VERSIONING_SUSPENDED };

/* What becomes of objects with time, by S3's words; 0: nothing. See versions.h. */
struct lz_lifecycle_opts {
    lz_time expiration, noncurrent, abort_uploads;
    uint32_t keep_noncurrent; /* newest ones that stay */
    lz_time every;            /* 0 means 24 h */
};

/* What a call to a store may carry beyond its value, which comes first. */
enum lz_store_action_kind {
    LZ_ACTION_PUT,
    LZ_ACTION_PUT_IF_ABSENT,
    LZ_ACTION_INCREMENT,
    LZ_ACTION_DELETE,
    LZ_ACTION_CHECK, /* from here on nothing is written */
    LZ_ACTION_CHECK_ABSENT,
};

struct lz_store_action {
    uint64_t key;
    uint64_t value, match; /* lz_value; a match that is nothing is no condition */
    int64_t least;         /* INCREMENT: of the sum */
    uint32_t kind, unused;
};

struct lz_store_ask {
    uint64_t value, match; /* lz_value */
    uint64_t version;      /* lz_value: an id; nothing: the current */
    uint64_t token;
    uint32_t count, unused; /* of a transaction's actions, or of the keys that it reads */
    struct lz_store_action all[];
};

struct lz_quorum_opts {
    bool is_on;
    uint32_t n, w, r;
    bool sloppy, no_hints, read_repair;
    struct lz_dist write, ack, read, response; /* NONE: as the network takes */
};

struct lz_store_opts {
    const char *name;
    uint32_t line;
    enum lz_store_kind kind;
    uint32_t nodes; /* of each region; 0 means 3 */
    struct lz_spread spread;
    lz_region_id regions[LZ_COPIES_MAX]; /* none: where it is spread */
    uint32_t region_count;
    struct lz_dist lag;                /* between regions; NONE means 1 s */
    struct lz_dist get_time, put_time; /* NONE means 20 ms and 40 ms, of items 3 ms and 5 ms */
    double error_ratio;
    uint64_t item_size; /* that does not say otherwise; 0 means 1 KiB */
    /* objects */
    uint64_t part_size;      /* 0 means 8 MiB */
    uint32_t parallel_parts; /* 0 means 10 */
    double stream_rate;      /* bytes per second of one request; 0 means 85 MB/s */
    uint32_t prefixes;       /* 0 means 1 */
    enum lz_versioning versioning;
    struct lz_lifecycle_opts lifecycle;
    /* items */
    uint32_t partitions;                  /* 0: as many as it needs */
    double read_capacity, write_capacity; /* units per second; 0: on demand */
    bool rigid;                           /* no adaptive capacity */
    bool strong;                          /* reads are consistent unless they say otherwise */
    struct lz_quorum_opts quorum;
};

void lz_stores_init(struct lz_world *w);
bool lz_store_create(struct lz_world *w, const struct lz_store_opts *opts, lz_component_id *id,
                     struct lz_err *err) LZ_MUST_CHECK;

bool lz_store_has_op(const struct lz_world *w, lz_component_id id, const char *op);
const char *lz_store_ops(const struct lz_world *w, lz_component_id id);

/* From now on; in drive. False: it is no bucket that could. */
bool lz_store_versioning(struct lz_world *w, lz_component_id id, enum lz_versioning to,
                         struct lz_err *err) LZ_MUST_CHECK;

/* A token that nobody else shows, for a transaction whose caller has none. */
uint64_t lz_store_token(struct lz_world *w);

/* A way between instances, or one of them, has changed: what was held is sent. */
void lz_store_reconsider(struct lz_world *w);

const struct lz_metric_info *lz_store_metrics(size_t *count);
size_t lz_store_bytes(const struct lz_world *w, lz_component_id id);

#endif
