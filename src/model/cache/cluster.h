/*
 * cluster.h — a cache whose keys are split over shards, as Redis Cluster's are; for model/ only.
 *
 * 16384 slots (slots.h) are dealt out to shards, each a primary and its replicas. There is nobody
 * above them: each node holds for true what it has heard.
 *
 *   gossip.c    who is there: pings, and what they say of third nodes
 *   promote.c   which replica takes over from a primary that failed
 *   claims.c    who has which slot, by epochs; whether the cluster can serve
 *   migrate.c   replicas that go to a shard that has none left
 *   manual.c    failover by hand: graceful, forced, or without asking anybody
 *   reshard.c   slots that go from one shard to another while both serve
 *   fix.c       what a reshard or a failover left undone, put right by an operator
 *   slot_map.c  clients: which node they take for the slot's, and who tells them otherwise
 *
 * Failure (redis/src/cluster.c, and the specification):
 *
 *   a node is pinged once a second by some other, and by each after node_timeout / 2 of silence
 *   no answer for node_timeout                    PFAIL, in the view of one node
 *   most primaries have said so in 2 node_timeout FAIL, for all
 *   of its replicas, 500 ms + U(0, 500 ms) + rank * 1 s later the one with the most writes asks all
 *   primaries for their votes, in an epoch of its own; with most of them it leads
 *
 * So a shard is away for node_timeout, up to half as long (or up to as many seconds as there are
 * other nodes) until somebody pings it, and "usually 1-2 seconds" (cluster-spec) of election. Who
 * was replaced finds out by the higher epoch of whoever has its slots, and follows.
 *
 * A node answers what is about a slot of its own. Of others it says MOVED (301) and to whom; of a
 * key of its own that has gone already with a slot that is being moved, ASK (307); when the cluster
 * cannot serve (a slot without a primary, unless require_full_coverage is off; or most primaries
 * out of reach) CLUSTERDOWN (503). An operation on several keys needs all in one slot (CROSSSLOT,
 * 400), and all in one place while that is moved (TRYAGAIN, 503).
 *
 * Redirections cost a round trip, and neither retries nor backoff; above `redirects` of them the
 * call fails. What is left out: sharded pub/sub; MIGRATE does not hold up other commands of its two
 * nodes.
 */
#ifndef LZ_MODEL_CACHE_CLUSTER_H
#define LZ_MODEL_CACHE_CLUSTER_H

#include "model/cache/cache_state.h"

void lz_cluster_fill_defaults(struct lz_cluster_opts *o);
bool lz_cluster_check(const struct lz_cache_opts *o, struct lz_err *err) LZ_MUST_CHECK;
void lz_cluster_create(struct lz_world *w, struct lz_cache *c);
void lz_cluster_start(struct lz_world *w, struct lz_cache *c);
void lz_cluster_started(struct lz_world *w, struct lz_cache *c, uint32_t node); /* its process */

/* The shard of a node, from 0: that of whom it follows. */
uint32_t lz_cluster_shard(const struct lz_cache *c, uint32_t node);

/* What a task is about: its key, or those it carries. */
struct lz_cluster_keys {
    const uint64_t *all;
    uint32_t count, stride; /* in numbers of 64 bits */
};

/* 0: the node serves it; otherwise the status that it has answered with. */
uint16_t lz_cluster_refuses(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                            const struct lz_cluster_keys *keys, bool writes);

/* slot_map.c, of struct lz_server_ops. */
lz_instance_id lz_slot_map_route(struct lz_world *w, struct lz_cache *c,
                                 const struct lz_route *ask);
bool lz_slot_map_redirects(struct lz_world *w, const struct lz_task *t, lz_instance_id client);
void lz_slot_map_failed(struct lz_world *w, lz_component_id id, lz_instance_id client,
                        lz_instance_id server);
void lz_slot_map_init(struct lz_world *w);

lz_keyspace_slot_fn *lz_cluster_slot_fn(void); /* its context is the world */
size_t lz_cluster_bytes(const struct lz_cache *c);

#endif
