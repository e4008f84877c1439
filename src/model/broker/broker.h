/*
 * broker.h — a cluster that keeps topics in copies, by Kafka's rules (KRaft mode, Kafka 3.x).
 *
 * Nodes host copies (replicas) of partitions. One replica of each leads; the others fetch from it.
 * Those that are not behind are in sync (the ISR). What all of the ISR have is committed: the high
 * watermark, up to which consumers read and behind which `acks = all` waits.
 *
 *   producer ──produce──▶ leader ──append──▶ log ──fetch──▶ followers ──their next fetch──▶ leader
 *                                                      high watermark moves, acks=all is answered
 *
 * A follower that has not reached the leader's end for `replica_lag_time` leaves the ISR
 * (Partition.scala, isFollowerOutOfSync) and comes back once it has reached the high watermark. The
 * controller takes a node whose session has been silent for `election` for dead, takes it out of
 * each ISR it is not the last of, and elects the first live replica of the ISR, in the order of
 * assignment, under the next leader epoch; if none is alive the partition is offline, or, with
 * `unclean`, any live replica leads and what it lacks is lost. Leadership goes back to the first
 * replica every 5 min (auto.leader.rebalance.enable). A follower compares its log with the leader's
 * by epochs and cuts off what diverges (KIP-101, KIP-279).
 *
 * A node writes to the page cache and flushes nothing itself, as Kafka does: the end of a process
 * loses nothing, the end of a host (fault.down) all that is younger than `flush`. A node whose disk
 * fails an operation halts, as a broker does whose only log directory is offline.
 *
 * The controllers are taken for a quorum beside the nodes: a node's session lives while it runs and
 * reaches, both ways, the node that reaches most others (the first of equals).
 *
 * Limits: LZ_BROKER_NODES_MAX nodes, LZ_BROKER_REPLICAS_MAX copies, LZ_BROKER_PARTITIONS_MAX
 * partitions.
 */
#ifndef LZ_MODEL_BROKER_BROKER_H
#define LZ_MODEL_BROKER_BROKER_H

#include "model/place.h"
#include "model/world.h"

#define LZ_BROKER_NODES_MAX 64
#define LZ_BROKER_REPLICAS_MAX 16
#define LZ_BROKER_PARTITIONS_MAX 100000u

struct lz_broker_opts {
    const char *name;
    uint32_t line;
    uint32_t nodes; /* 0 means 1 */
    struct lz_spread spread;
    lz_time election;         /* 0 means 6 s */
    struct lz_dist append;    /* disk_write; NONE means 1 ms */
    lz_time replica_lag_time; /* 0 means 30 s: replica.lag.time.max.ms */
    lz_time flush;            /* -1 means 30 s; 0: each append is flushed */
};

bool lz_broker_create(struct lz_world *w, const struct lz_broker_opts *opts, lz_component_id *id,
                      struct lz_err *err) LZ_MUST_CHECK;

const struct lz_metric_info *lz_broker_metrics(size_t *count);

/* For world.c: time 0; each second; something changed that may decide who leads. */
void lz_brokers_start(struct lz_world *w);
void lz_brokers_second(struct lz_world *w);
void lz_brokers_reconsider(struct lz_world *w);

size_t lz_broker_bytes(const struct lz_world *w, lz_component_id id); /* of its logs */

/*
 * Faults. `on` is a broker's component or a topic's; `partition` from 1, 0: all of them.
 *
 * elect: make the most backward live replica lead, whether it is in sync or not; returns the
 * records it lacks. prefer: lead by the first replicas where they are in sync. hold: replicas
 * beyond the first `keep` of the ISR copy nothing and leave it; `touched` counts what they should
 * have copied. The id undoes it.
 */
uint64_t lz_broker_elect_unclean(struct lz_world *w, lz_component_id on, uint32_t partition);
void lz_broker_elect_preferred(struct lz_world *w, lz_component_id on, uint32_t partition);
uint32_t lz_broker_hold(struct lz_world *w, lz_component_id on, uint32_t partition, uint32_t keep,
                        uint64_t *touched);
void lz_broker_release(struct lz_world *w, uint32_t hold);

#endif
