/*
 * cache_state.h — what the parts of the cache share; for model/ only.
 *
 *   cache.c      connections, operations in time, answers; the component
 *   operate.c    what an operation does to the keys
 *   replicate.c  the way of writes to replicas
 *   persist.h    what outlives a process
 *   sentinel.c   who leads, by those that watch
 *   sets.h       what an entry holds that is a set
 *   cluster.h    who has which of the keys, by those that have them
 */
#ifndef LZ_MODEL_CACHE_CACHE_STATE_H
#define LZ_MODEL_CACHE_CACHE_STATE_H

#include "model/cache/backlog.h"
#include "model/cache/cache.h"
#include "model/measure.h"
#include "model/node/capacity.h"
#include "model/node/instance.h"
#include "model/service/task.h"
#include "model/value.h"

enum lz_cache_op {
    LZ_CACHE_GET = 1,
    LZ_CACHE_EXISTS,
    LZ_CACHE_MGET,
    LZ_CACHE_SMEMBERS,
    LZ_CACHE_SET, /* from here on they write */
    LZ_CACHE_SETNX,
    LZ_CACHE_DEL,
    LZ_CACHE_INCR,
    LZ_CACHE_DECR,
    LZ_CACHE_EXPIRE,
    LZ_CACHE_MSET,
    LZ_CACHE_SADD,
};

struct lz_cache_series {
    struct lz_measure m; /* first: the offsets of its rows count from here */
    lz_series lookups, hits;
    lz_series evictions, expired, entries, used;
    lz_series connections, cpu;
    lz_series unflushed;
    lz_series lag_records, acked, lost_acks, stale_reads, failovers, stale_tokens;
    lz_series moved, asked, down, cross_slot, try_again; /* of a cluster */
    lz_series covered, slots_moved, keys_moved, hot_slot, hot_shard, migrations;
};

struct lz_cache_node {
    struct lz_capacity *capacity;
    struct lz_keyspace *keys;
    struct lz_persist *persist; /* NULL: nothing outlives its process */
    uint32_t counted;           /* entries in the gauge */
    uint64_t counted_bytes;
    uint64_t cycles; /* of active expiry */
    lz_event_id cycle;
    bool leads;       /* as far as it knows */
    bool is_behind;   /* has none of its primary's keys yet, or not all */
    bool is_replaced; /* it leads, and so does one that was promoted in its place */
    bool continues;   /* its primary had written before it turned to it: it asks for that */
    uint32_t follows; /* its primary, if it does not lead */
    uint64_t epoch;   /* of what it knows about who leads */
    uint64_t life;    /* counts its beginnings as a primary: messages of another are void */
    uint64_t follows_life;
    uint64_t offset;       /* of the last write it has, of the primary it follows or of its own */
    uint64_t born;         /* the offset at which it began to lead */
    uint64_t lost_to;      /* of its log: what is before has been counted as lost */
    uint64_t forgot;       /* keys that its process took along, which no file has */
    lz_time loading;       /* since when a copy is on its way; -1: none is */
    struct lz_backlog log; /* while it leads */
    lz_time *heard;        /* when it heard of each other node as its replica; -1: never */
};

/* What a client instance holds for true, by its number. */
struct lz_cache_belief {
    uint32_t version; /* of who leads, when it was told, plus one */
    uint32_t node;    /* that leads */
};

/* Connections that somebody holds without ever asking for anything. */
struct lz_cache_hold {
    uint32_t left;
    uint64_t *touched; /* NULL: a free place */
};

/* Fewer entries than it is declared to hold, of one node. */
struct lz_cache_limit {
    uint32_t node, entries;
    uint64_t *touched; /* NULL: a free place */
};

struct lz_cache {
    struct lz_cache_opts opts;
    lz_component_id id;
    lz_instance_id first;
    uint32_t nodes, sentinel_count;
    uint64_t path;
    struct lz_cache_node *node;
    uint64_t writes;  /* numbers them */
    bool is_deleting; /* a client wants it, and believes in it */
    uint32_t connections;
    struct lz_cache_hold *holds;
    uint32_t hold_count, hold_cap;
    struct lz_cache_limit *limits;
    uint32_t limit_count, limit_cap, limits_active;
    uint64_t entries, used; /* in the gauges */
    struct lz_cache_belief *beliefs;
    uint32_t belief_cap;
    uint32_t version;              /* counts changes of who leads, and of ways */
    struct lz_sentinel *sentinels; /* NULL unless there are */
    struct lz_cluster *cluster;    /* NULL unless it is one */
    struct lz_cache_series series;
};

struct lz_cluster_kinds {
    lz_kind tick, ping, pong, fail, update; /* gossip.c */
    lz_kind ask, vote;                      /* promote.c */
    lz_kind move, stuck;                    /* reshard.c */
    lz_kind mf_start, mf_offset, resume;    /* manual.c */
    lz_kind map_ask, map, second;           /* slot_map.c, cluster.c */
};

/* Keys that are texts, and their slots; see slots.h. */
struct lz_slot_text {
    uint64_t key;
    uint32_t slot; /* + 1; 0: a free place */
};

struct lz_slot_texts {
    struct lz_slot_text *all;
    uint32_t count, cap;
};

struct lz_caches {
    struct lz_cache **all; /* by component */
    uint32_t cap;
    uint8_t *ops; /* enum lz_cache_op by operation; 0: not looked up yet */
    uint32_t op_cap;
    lz_kind done, cycle;
    lz_kind record, sync, copy, cron;                          /* replicate.c */
    lz_kind persist, persist_failed;                           /* persist.c; 0: not yet */
    lz_kind ping, pong, ask, told, order, hello, check, watch; /* sentinel.c */
    struct lz_cluster_kinds cluster;
    bool has_clusters;
    struct lz_slot_texts texts;
    struct lz_sets *sets; /* NULL: there are none yet; sets.h */
};

struct lz_cache *lz_cache_at(const struct lz_world *w, lz_component_id id);
struct lz_cache *lz_cache_of(const struct lz_world *w, lz_instance_id instance);

enum lz_cache_op lz_cache_op_of(struct lz_world *w, lz_op op);
void lz_cache_answer(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                     enum lz_outcome outcome, uint16_t status);
void lz_cache_answer_now(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                         enum lz_outcome outcome, uint16_t status); /* whatever it waits for */

/* One of the replicas of `primary` that run, or itself. */
uint32_t lz_cache_reader(struct lz_world *w, const struct lz_cache *c, uint32_t primary,
                         uint64_t path);

/* Its number of entries may have changed. */
void lz_cache_account(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* Before so many new entries are put: whether limits let them in, who then may have made room. */
bool lz_cache_makes_room(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t more);
static inline bool lz_cache_has_room(struct lz_world *w, struct lz_cache *c, uint32_t node,
                                     uint32_t more)
{
    return c->limits_active == 0 || lz_cache_makes_room(w, c, node, more);
}

/* All its requests are broken: it is another's replica now, or has no process. */
void lz_cache_reset(struct lz_world *w, struct lz_cache *c, uint32_t node, bool silent);

/* A process that can act on what it is told. */
static inline bool lz_cache_lives(const struct lz_world *w, lz_instance_id id)
{
    return lz_instance_has_begun(lz_instance_get(w, id));
}

/* A message between two instances of the cache: `payload` is all it says. */
struct lz_cache_tell {
    uint32_t from, to; /* from 0, sentinels after the nodes */
    lz_kind kind;
    uint64_t payload;
    uint64_t bytes; /* 0: small */
    bool wanted;    /* of use only now: it is not sent again for long */
    bool is_apart;  /* of a cluster: over a connection of its own */
};
void lz_cache_tell(struct lz_world *w, struct lz_cache *c, const struct lz_cache_tell *m);

/* operate.c */
void lz_operate_init(struct lz_world *w);
void lz_operate(struct lz_world *w, struct lz_cache *c, struct lz_task *t);
void lz_operate_arm(struct lz_world *w, struct lz_cache *c, uint32_t node); /* active expiry */
void lz_operate_watch(struct lz_world *w, struct lz_cache *c, uint32_t node);

struct lz_edge_opts;
/* What the call says of the entry it puts; NULL: nothing. */
const struct lz_edge_opts *lz_operate_asked(const struct lz_world *w, const struct lz_task *t);
lz_time lz_operate_expires(const struct lz_world *w, const struct lz_cache *c,
                           const struct lz_task *t);

/* many.c: operations on several keys. */
struct lz_cluster_keys;
void lz_many_keys(const struct lz_world *w, const struct lz_task *t, enum lz_cache_op op,
                  struct lz_cluster_keys *out);
void lz_many_get(struct lz_world *w, struct lz_cache *c, struct lz_task *t);
void lz_many_set(struct lz_world *w, struct lz_cache *c, struct lz_task *t);

/* disturb.c: faults leave no connection to one more, who is counted. */
bool lz_cache_is_exhausted(const struct lz_cache *c);

/* replicate.c */
void lz_cache_replicate_init(struct lz_world *w);
void lz_cache_replicate_start(struct lz_world *w, struct lz_cache *c);
void lz_cache_wrote(struct lz_world *w, struct lz_cache *c, uint32_t node,
                    const struct lz_record *record);
void lz_cache_lead(struct lz_world *w, struct lz_cache *c, uint32_t node, uint64_t epoch);
void lz_cache_follow(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t primary,
                     uint64_t epoch);
void lz_cache_ended(struct lz_world *w, struct lz_cache *c, uint32_t node);
void lz_cache_restarted(struct lz_world *w, struct lz_cache *c, uint32_t node);
bool lz_cache_may_write(struct lz_world *w, struct lz_cache *c, uint32_t node);

/* Who leads lacks writes that were acknowledged. */
void lz_cache_lacks(struct lz_world *w, struct lz_cache *c, uint32_t node, uint64_t lost);

#endif
