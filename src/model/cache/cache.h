/*
 * cache.h — a cache of the kind of Redis: nodes that keep keys in memory, lose them when they die,
 * drop some when they are full, and answer at once.
 *
 * An operation is the first word of a call's (any case); a call without one is a get.
 *
 *   get      200 with its value, or 404: a miss
 *   exists   200 or 404, without the value
 *   set      puts the value that the call carries, or without one a number that no other write
 *            has; 507 if there is no room and nothing may go
 *   setnx    the same only if it is not there, or else 409 with the value that is
 *   del      200, or 404 if it was not there; with a value only if that is its value, or else 409
 *   incr     adds the value, or 1, and answers the sum; 400 if it holds no integer
 *   decr     takes it away
 *   expire   gives it a new time to live, 404 if it is not there
 *   mget     of several keys: 200 with what each has
 *   mset     sets several keys, all or none
 *
 * 404, 409 and 412 are answers, not failures: nobody tries again because of them, and they count
 * as good. A caller that waits for them sees `ok = false`.
 *
 * An entry lives as long as its call's `ttl`, or the cache's; see keyspace.h for when it goes. A
 * process that ends takes its keys with it, but for what persist.h has of them on its disk.
 *
 *   mode      who leads
 *   single    the first node, whatever happens; others copy it (replicate.h)
 *   sentinel  whom the sentinels agree on (sentinel.h)
 *   cluster   a primary for each shard of the keys, by majority of these (cluster.h)
 */
#ifndef LZ_MODEL_CACHE_CACHE_H
#define LZ_MODEL_CACHE_CACHE_H

#include "model/cache/keyspace.h"
#include "model/cache/persist.h"
#include "model/client/call.h"
#include "model/place.h"
#include "model/world.h"

#define LZ_CACHE_NODES_MAX 64
#define LZ_CACHE_SENTINELS_MAX 15
#define LZ_CACHE_EARLY 203 /* status of a get whose caller should make the value anew */

#define LZ_CACHE_MANY_MAX 1024 /* keys of one operation */
#define LZ_CLUSTER_MOVED 301
#define LZ_CLUSTER_ASK 307
#define LZ_CLUSTER_REDIRECTS_MAX 15

enum lz_cache_mode { LZ_CACHE_SINGLE, LZ_CACHE_SENTINEL, LZ_CACHE_CLUSTER };

struct lz_sentinel_opts {
    uint32_t count;           /* of sentinels; 0 means 3 */
    uint32_t quorum;          /* that must see the primary down; 0: a majority */
    lz_time down_after;       /* silence that makes it down; 0 means 30 s */
    lz_time failover_timeout; /* 0 means 180 s */
    uint32_t parallel_syncs;  /* replicas that turn to a new primary at once; 0 means 1 */
};

/* How an operator has a replica take over, see manual.c. */
enum lz_cluster_failover { LZ_CLUSTER_GRACEFUL, LZ_CLUSTER_FORCE, LZ_CLUSTER_TAKEOVER };

struct lz_cache_failover {
    uint32_t shard, node;          /* from 1; node 0: the replica of the shard that has the most */
    enum lz_cluster_failover mode; /* of a cluster; sentinels ask nobody */
    uint64_t *touched;             /* when it leads */
};

/* By Redis' names, see cluster.h. */
struct lz_cluster_opts {
    uint32_t replicas;        /* of each primary */
    lz_time node_timeout;     /* 0 means 15 s */
    uint32_t validity_factor; /* of a replica's data; 0: any is good enough */
    uint32_t redirects;       /* that a call follows; 0 means 5 */
    bool is_partial;          /* it serves though slots have no primary */
    bool reads_when_down;
    uint32_t migration_barrier; /* replicas that stay with a primary that gives one away */
    bool no_migration;          /* none does */
};

/* Slots that go to another shard, see reshard.c. */
struct lz_reshard_opts {
    uint32_t slots;
    uint32_t from, to; /* shards, from 1 */
    uint32_t batch;    /* keys at once; 0 means 10 */
    lz_time timeout;   /* 0 means 60 s */
};

/* What an operation on several keys carries: one after another. */
struct lz_cache_pair {
    uint64_t key;
    uint64_t value; /* lz_value */
};

struct lz_cache_opts {
    const char *name;
    uint32_t line;
    enum lz_cache_mode mode;
    uint32_t nodes; /* all of them, sentinels not counted; 0 means 1 */
    struct lz_spread spread;
    uint32_t entries;        /* of each node */
    uint64_t max_memory;     /* bytes of each node; 0: any */
    uint64_t value_size;     /* of an entry; 0 means 1 KiB */
    lz_time ttl;             /* of what is set without one; 0: none */
    struct lz_dist get_time; /* of one operation; NONE means 200 us */
    enum lz_eviction eviction;
    bool only_mortal;         /* nobody goes who never runs out; LRU needs samples then */
    uint32_t samples;         /* see keyspace.h */
    double cpu;               /* cores per node; 0: nothing contends */
    uint32_t max_connections; /* of all nodes together; 0 means 10000 */
    bool read_replicas;       /* reads go to replicas */
    uint32_t min_replicas;    /* that must have been heard lately for a write; 0: none */
    lz_time min_replicas_lag; /* how lately; 0 means 10 s */
    struct lz_sentinel_opts sentinel;
    struct lz_cluster_opts cluster;
    struct lz_persist_opts persist;
};

void lz_caches_init(struct lz_world *w);
void lz_caches_start(struct lz_world *w);
bool lz_cache_create(struct lz_world *w, const struct lz_cache_opts *opts, lz_component_id *id,
                     struct lz_err *err) LZ_MUST_CHECK;

/* Whether a cache has an operation of that name; 0: of none, which is a get. */
bool lz_cache_has_op(const char *op);
const char *lz_cache_ops(void); /* "get, set, ..." */

/* Whether it leads now, and nobody was promoted in its place. */
bool lz_cache_leads(const struct lz_world *w, lz_instance_id instance);

/* Whether it is the ordinal-th replica, from 1, as nodes are numbered; 0: any. */
bool lz_cache_is_replica(const struct lz_world *w, lz_instance_id instance, uint32_t ordinal);

/* Whether it leads that shard of a cluster, from 1. */
bool lz_cache_leads_shard(const struct lz_world *w, lz_instance_id instance, uint32_t shard);
bool lz_cache_is_cluster(const struct lz_world *w, lz_component_id id);
uint32_t lz_cache_nodes(const struct lz_world *w, lz_component_id id); /* without sentinels */
bool lz_cache_has_sentinels(const struct lz_world *w, lz_component_id id);

/* The first key from `key` on that a shard has, from 1. */
uint64_t lz_cache_key_of_shard(const struct lz_world *w, lz_component_id id, uint32_t shard,
                               uint64_t key);

/* A replica of a shard, or of what sentinels watch, is told to take its primary's place. False:
 * what speaks against it. */
bool lz_cache_failover(struct lz_world *w, lz_component_id id, const struct lz_cache_failover *f,
                       struct lz_err *err) LZ_MUST_CHECK;
uint32_t lz_cache_shard_primary(const struct lz_world *w, lz_component_id id,
                                uint32_t shard); /* its node, from 1; 0: none leads. Without
                                                    shards it is of all */

/* Slots begin to go from one shard of a cluster to another. */
bool lz_cache_reshard(struct lz_world *w, lz_component_id id, const struct lz_reshard_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;

/* An operator has what is wrong with the slots of a cluster put right, see fix.c; it begins, and
 * where nothing is wrong ends at once. False: what speaks against it. */
bool lz_cache_fix(struct lz_world *w, lz_component_id id, struct lz_err *err) LZ_MUST_CHECK;

/* A way between instances, or one of them, has changed. */
void lz_cache_reconsider(struct lz_world *w);

/* For faults: so many connections are left to callers, until the number that it returns is given
 * back; who finds none is counted. */
uint32_t lz_cache_hold_connections(struct lz_world *w, lz_component_id id, uint32_t left,
                                   uint64_t *touched);
void lz_cache_release_connections(struct lz_world *w, lz_component_id id, uint32_t hold);

/* For faults: while it lasts a node that leads holds no more entries than that, whoever declared
 * how many it may: what is beyond it is evicted, or where nothing may be, refused (507). Counts
 * both. Returns a number to give back. */
uint32_t lz_cache_limit(struct lz_world *w, lz_instance_id node, uint32_t entries,
                        uint64_t *touched);
void lz_cache_unlimit(struct lz_world *w, lz_instance_id node, uint32_t limit);

/* How many it may hold, as it is declared. */
uint32_t lz_cache_entries(const struct lz_world *w, lz_component_id id);

/* For faults: empty the nodes of a target, or drop each entry with a chance; how many went. */
uint64_t lz_cache_flush(struct lz_world *w, lz_instance_id node);
uint64_t lz_cache_expire(struct lz_world *w, lz_instance_id node, double ratio, uint64_t owner);

const struct lz_metric_info *lz_cache_metrics(size_t *count);
size_t lz_cache_bytes(const struct lz_world *w, lz_component_id id);

#endif
