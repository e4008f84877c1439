/*
 * topic.h — a log in partitions, kept by a broker.
 *
 * The first partition of a broker's first topic has its first replica on node 1, the next on node
 * 2, and so on, on from topic to topic (Kafka begins at a random one); further replicas are on the
 * nodes after it. Nodes stand in an order in which their zones alternate
 * (AdminUtils.assignReplicasToBrokersRackAware): no two replicas of a partition share a zone while
 * there are others.
 *
 * What was acknowledged is known: a record is *acknowledged* when its producer has been told so,
 * or, with `acks = none`, when it was appended. It is *lost* when a replica without it leads, or
 * when no replica has it any more; with `acks = none` also when it never arrived. Each record is
 * counted once.
 *
 * A call to a topic (`req:call { orders, "produce", key = 7, value = "x" }`) writes one record with
 * acks = all. Its retries are the application's: each writes another record.
 */
#ifndef LZ_MODEL_BROKER_TOPIC_H
#define LZ_MODEL_BROKER_TOPIC_H

#include "model/world.h"

struct lz_topic_opts {
    const char *name;
    uint32_t line;
    lz_component_id broker;
    uint32_t partitions;    /* 0 means 1 */
    uint32_t replication;   /* 0 means 1 */
    uint32_t min_isr;       /* 0 means 1 */
    bool unclean;           /* unclean.leader.election.enable */
    lz_time retention;      /* 0 means 7 days */
    double retention_bytes; /* of a partition; 0: no limit */
};

bool lz_topic_create(struct lz_world *w, const struct lz_topic_opts *opts, lz_component_id *id,
                     struct lz_err *err) LZ_MUST_CHECK;

const struct lz_metric_info *lz_topic_metrics(size_t *count);

/* The broker's component. */
lz_component_id lz_topic_broker(const struct lz_world *w, lz_component_id id);
uint32_t lz_topic_partitions(const struct lz_world *w, lz_component_id id);

/*
 * Faults: the next `count` records appended to the topic (to one partition, from 1; 0: any) cannot
 * be worked on until it is undone. `touched` counts the attempts.
 */
uint32_t lz_topic_poison(struct lz_world *w, lz_component_id id, uint32_t partition, uint32_t count,
                         uint64_t *touched);
void lz_topic_cure(struct lz_world *w, lz_component_id id, uint32_t poison);

#endif
