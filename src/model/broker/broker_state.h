/*
 * broker_state.h — what the parts of a broker share; for model/broker/ only.
 *
 *   broker.c      nodes, their processes, time
 *   topic.c       topics, where their replicas are, what was lost
 *   controller.c  sessions, elections, news of who leads
 *   replica.c     leading and following: ISR, high watermark, truncation
 *   copy.c        followers' fetches
 *   append.c      what producers write, at the leader
 *   producer.c    their side of it
 *   transactor.c  the same, with a transactional id; transaction_id.c its coordinator
 *   group.c       a group's coordinator, member.c its members, reader.c their fetches
 *   poison.c      records that nobody can work on
 *   hold.c        what faults do to replicas
 *
 * Numbers of nodes, replicas and partitions are from 0 here; NOBODY is none.
 */
#ifndef LZ_MODEL_BROKER_BROKER_STATE_H
#define LZ_MODEL_BROKER_BROKER_STATE_H

#include "base/check.h"
#include "model/broker/broker.h"
#include "model/broker/plog.h"
#include "model/broker/rpc.h"
#include "model/broker/topic.h"
#include "model/measure.h"
#include "model/node/instance.h"

#define LZ_BROKER_NOBODY UINT32_MAX

/* Answers that are not "all is well". */
enum lz_broker_error {
    LZ_BROKER_OK,
    LZ_BROKER_NOT_LEADER,
    LZ_BROKER_NOT_ENOUGH_REPLICAS,
    LZ_BROKER_OUT_OF_ORDER,
    LZ_BROKER_NOT_COORDINATOR,
    LZ_BROKER_REBALANCING,
    LZ_BROKER_UNKNOWN_MEMBER,
    LZ_BROKER_FENCED,
    LZ_BROKER_CONCURRENT, /* what was decided before is not done yet */
};

enum lz_acks { LZ_ACKS_ALL, LZ_ACKS_LEADER, LZ_ACKS_NONE };

/* What a node knows of another's copy, as its leader. */
struct lz_follower {
    uint64_t end;        /* of its log, as its latest fetch said */
    uint64_t leader_end; /* of the leader's, at that time */
    lz_time fetched;     /* that time */
    lz_time caught_up;   /* when it last was where the leader was */
};

/* Of an idempotent producer, as one replica's log has it. */
struct lz_sequence {
    uint32_t epoch; /* the producer's */
    uint64_t next;  /* the sequence its next record must have */
};

struct lz_replica {
    uint32_t node;
    struct lz_plog log;
    uint64_t hw;                   /* high watermark, as far as it knows */
    uint32_t epoch;                /* of the leader it has heard of */
    uint32_t leader;               /* that node; NOBODY */
    bool leads;                    /* it is itself, it believes */
    bool is_fresh;                 /* has not compared its log with the leader's yet */
    bool is_asked;                 /* its node's fetch under way is also about it */
    bool is_misled;                /* and met no leader there */
    uint16_t holds;                /* faults that keep it from copying */
    uint64_t asked;                /* where the fetch began */
    uint64_t offered;              /* how far it was answered */
    struct lz_sequence *sequences; /* by producer */
    uint32_t sequence_cap;
    struct lz_follower *followers; /* the rest is of a leader */
    uint32_t isr;                  /* bits of replicas, as the controller has confirmed it */
    uint32_t isr_wanted;           /* as it has been asked for; the same if nothing is */
    uint32_t isr_base;             /* what it was when that was asked */
    bool is_altering;
    lz_time append_at;                  /* its latest append is written */
    uint32_t disk_first, disk_last;     /* appends that wait for the disk */
    uint32_t commit_first, commit_last; /* for the high watermark, by offset */
};

struct lz_topic;
struct lz_group;

struct lz_partition {
    struct lz_topic *topic;
    struct lz_broker *broker;
    uint32_t number; /* within its topic */
    uint32_t index;  /* within the broker */
    struct lz_replica *replicas;
    uint32_t count;
    uint32_t leader; /* replica; NOBODY: offline. This and the next two are the controller's */
    uint32_t epoch;
    uint32_t isr;
    uint32_t was_led_by; /* node that leads or led last; what clients were told */
    uint64_t start;      /* older records have expired */
    uint64_t path;
    uint64_t copies; /* of it, batches that were appended; numbers their draws */
};

/* A follower node's fetches from one leader node. */
struct lz_copier {
    struct lz_rpc_way way;
    uint64_t rpc;
    uint32_t turn; /* an event of another one is stale */
    bool is_busy;
    bool is_parked; /* at the leader, until there is something */
    uint64_t path;
    lz_event_id park;
};

struct lz_hosted {
    uint32_t partition, replica;
};

#define LZ_BROKER_MARKS 64 /* seconds back that the disk's progress is remembered */

struct lz_broker_node {
    struct lz_capacity *capacity;
    lz_instance_id id;
    uint32_t incarnation; /* of the process that the session is of */
    bool is_fenced;       /* dead, to the controller */
    bool is_leaving;      /* has told it that it stops */
    bool is_silent;       /* its session is running out */
    lz_event_id fencing;
    uint64_t lsn; /* appends to all its logs */
    uint64_t marks[LZ_BROKER_MARKS];
    struct lz_hosted *hosted;
    uint32_t hosted_count, hosted_cap;
    struct lz_copier *copiers;    /* by leader node */
    struct lz_rpc_way *news;      /* by node, as controller */
    struct lz_rpc_way *alterings; /* by node, as leader */
};

struct lz_broker_series {
    lz_series elections, unclean, shrinks, expands;
    lz_series offline, under_replicated, nodes_up;
    lz_series committed, aborted, fenced;
};

struct lz_broker {
    struct lz_broker_opts opts;
    lz_component_id id;
    lz_instance_id first;
    uint64_t path;
    struct lz_broker_node *nodes;
    uint32_t controller; /* the node that reaches most; NOBODY */
    struct lz_partition **partitions;
    uint32_t partition_count, partition_cap;
    struct lz_pool batches, appends;
    uint32_t producers;                   /* numbered from 1 */
    struct lz_transactions *transactions; /* NULL: there never will be any */
    struct lz_group **groups;
    uint32_t group_count, group_cap;
    struct lz_broker_series series;
};

struct lz_topic_series {
    struct lz_measure m; /* first: of records, from their arrival at the leader to the answer */
    lz_series appended, acked, lost_acks, duplicates, expired;
    lz_series offline, under_replicated, isr, records;
};

struct lz_poison;

struct lz_topic {
    struct lz_topic_opts opts;
    lz_component_id id;
    struct lz_broker *broker;
    uint32_t first; /* of its partitions */
    struct lz_group **groups;
    uint32_t group_count, group_cap;
    bool is_traced;           /* requests have written records to it */
    bool keeps_records;       /* somebody handles them one by one */
    bool has_transactions;    /* records of some were written to it */
    struct lz_poison *poison; /* NULL: there never was any */
    struct lz_topic_series series;
};

/* One partition's records in a produce request, as the leader has it. */
struct lz_append {
    struct lz_pool_head head;
    uint32_t next; /* of the same request; 0: the last */
    uint32_t next_in_line;
    uint32_t partition;
    uint32_t count;
    uint64_t rpc;  /* 0: a call's */
    uint64_t task; /* of a call; 0: it is gone */
    uint64_t parcel;
    uint64_t sequence;
    uint64_t bytes;
    uint64_t batch; /* once appended */
    uint64_t end;   /* what the high watermark must reach */
    lz_time at, arrived;
    struct lz_record *records;
    uint32_t record_room;
    uint32_t producer, producer_epoch;
    uint32_t transaction, nth; /* see plog.h */
    uint64_t mark, mark_rpc;   /* of a marker: whose, + 1; who asked, 0: the coordinator itself */
    uint8_t control;
    uint32_t sent; /* as recorder_log.h numbers it */
    struct lz_origin origin;
    lz_time written; /* in the leader's log */
    uint16_t error;
    uint8_t state; /* enum in append.c */
    uint8_t acks;
    bool is_written;
};

struct lz_brokers {
    struct lz_broker **all; /* by component; the topics' too */
    struct lz_topic **topics;
    uint32_t cap, topic_cap;
    lz_kind fence, check_isr, rebalance, copied, copy_again, park, written, disk_done, disk_failed;
    struct lz_pool writes;  /* under way on disks that are felt */
    struct lz_holds *holds; /* NULL: no fault holds replicas */
};

struct lz_broker *lz_broker_at(const struct lz_world *w, lz_component_id id);
struct lz_topic *lz_topic_at(const struct lz_world *w, lz_component_id id);

/* Of an instance that is a node. */
static inline uint32_t lz_broker_node_of(const struct lz_broker *b, lz_instance_id id)
{
    LZ_ASSERT(id >= b->first && id < b->first + b->opts.nodes);
    return id - b->first;
}

static inline struct lz_broker *lz_broker_of(const struct lz_world *w, lz_instance_id node)
{
    return lz_broker_at(w, lz_instance_get(w, node)->component);
}

/* NULL: it hosts none. */
struct lz_replica *lz_partition_on(const struct lz_partition *p, uint32_t node);

static inline uint32_t lz_replica_index(const struct lz_partition *p, const struct lz_replica *r)
{
    return (uint32_t)(r - p->replicas);
}

static inline bool lz_broker_is_up(const struct lz_world *w, const struct lz_broker *b, uint32_t n)
{
    return lz_instance_is_up(lz_instance_get(w, b->first + n));
}

/* ---- topic.c */

/* Batches that are in no log any more are freed here; an acknowledged one is lost. */
void lz_topic_dropped(struct lz_world *w, struct lz_topic *t, struct lz_batch *b, bool is_old);

/* `r` leads, or what it has as the leader was cut: count what is acknowledged and not there. */
void lz_topic_count_lost(struct lz_world *w, struct lz_partition *p, const struct lz_replica *r);
void lz_topic_lost(struct lz_world *w, struct lz_topic *t, uint64_t records);

/* Its producer is told that it is written: from here on it may be lost, or is already. */
void lz_topic_accepted(struct lz_world *w, struct lz_partition *p, struct lz_batch *b);
void lz_topic_levels(struct lz_world *w, struct lz_topic *t);
void lz_topic_second(struct lz_world *w, struct lz_topic *t);

/* A call to the topic has arrived at one of the nodes. */
struct lz_task;
struct lz_edge_opts;
void lz_topic_produce(struct lz_world *w, struct lz_topic *topic, struct lz_task *t,
                      const struct lz_edge_opts *edge);

/* ---- controller.c */
void lz_controller_reconsider(struct lz_world *w, struct lz_broker *b);
void lz_controller_begin(struct lz_world *w, struct lz_broker *b);
void lz_controller_init(struct lz_world *w);

/* A leader asks for another ISR. */
void lz_controller_alter(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                         uint32_t isr);

/* A live replica of the partition leads from now on; `clean` if it is in sync. */
void lz_controller_elect(struct lz_world *w, struct lz_partition *p, uint32_t replica, bool clean);
void lz_controller_tell(struct lz_world *w, struct lz_broker *b); /* the nodes what it decided */
/* Its first replica leads from now on, if it can; false: it does already, or cannot. */
bool lz_controller_prefer(struct lz_world *w, struct lz_partition *p);
bool lz_controller_is_alive(const struct lz_world *w, const struct lz_broker *b, uint32_t node);

/* ---- replica.c */

/* A node has heard of what the controller has decided. */
void lz_replica_hear(struct lz_world *w, struct lz_partition *p, struct lz_replica *r);
void lz_replica_advance(struct lz_world *w, struct lz_partition *p, struct lz_replica *r);

/* A follower's fetch says where it is. */
void lz_replica_fetched(struct lz_world *w, struct lz_partition *p, struct lz_replica *leader,
                        uint32_t follower, uint64_t end);
void lz_replica_check_isr(struct lz_world *w, struct lz_partition *p, struct lz_replica *r);

/* Put a batch at its end; it counts for the disk, and for who wrote it. */
void lz_replica_append(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                       struct lz_batch *batch);
void lz_replica_truncate(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                         uint64_t end);
struct lz_sequence *lz_replica_sequence(struct lz_world *w, struct lz_replica *r,
                                        uint32_t producer);

/* ---- copy.c */
void lz_copy_init(struct lz_world *w);
void lz_copy_go(struct lz_world *w, struct lz_broker *b, uint32_t follower, uint32_t leader);

/* The leader's log has grown. */
void lz_copy_wake(struct lz_world *w, struct lz_partition *p, const struct lz_replica *leader);
void lz_copy_died(struct lz_world *w, struct lz_broker *b, uint32_t node);

/* ---- append.c */
void lz_append_init(struct lz_world *w);

/* An append to a node's disk: `done` fires at it, or the node halts. */
struct lz_append_write {
    struct lz_draw *draw; /* of how long it takes */
    uint64_t path;        /* owner of the disk's own draws */
    lz_time not_before;
    lz_kind done;
    uint64_t payload;
};
/* When it will be done, if the disk does not say otherwise. */
lz_time lz_append_write(struct lz_world *w, struct lz_broker *b, uint32_t node,
                        const struct lz_append_write *write);

/* `a` is filled and says where it came from; it is answered when its time has come. */
void lz_append_begin(struct lz_world *w, struct lz_broker *b, uint32_t node, struct lz_append *a);

/* The high watermark has moved; the replica leads no longer; its process has ended. */
void lz_append_commit(struct lz_world *w, struct lz_partition *p, struct lz_replica *r);
void lz_append_fail_all(struct lz_world *w, struct lz_partition *p, struct lz_replica *r);
void lz_append_died(struct lz_world *w, struct lz_partition *p, struct lz_replica *r);
void lz_append_free(struct lz_world *w, struct lz_broker *b, struct lz_append *a);

/* ---- producer.c: what the appends of its parcels have come to */
void lz_producer_init(struct lz_world *w);
void lz_producer_appended(struct lz_world *w, uint64_t parcel, const struct lz_batch *batch);
bool lz_producer_is_again(const struct lz_world *w, uint64_t parcel, const struct lz_replica *r,
                          const struct lz_pool *batches);

/* ---- hold.c: a leader has appended or refused; only while there are faults that hold copies */
void lz_hold_touched(const struct lz_world *w, const struct lz_partition *p, uint32_t records);

/* ---- poison.c */
void lz_poison_appended(struct lz_world *w, struct lz_topic *t, uint32_t partition,
                        const struct lz_batch *b);

/* The first poisoned offset in [from, to), or `to`; `attempted` counts an attempt at it. */
uint64_t lz_poison_first(const struct lz_topic *t, uint32_t partition, uint64_t from, uint64_t to);
void lz_poison_attempted(const struct lz_topic *t, uint32_t partition, uint64_t offset);
void lz_poison_cut(struct lz_topic *t, uint32_t partition, uint64_t at);

/* ---- transaction_id.c: who is alive has changed */
void lz_transactions_reconsider(struct lz_world *w, struct lz_broker *b);

/* ---- group.c and reader.c */
void lz_group_init(struct lz_world *w);
void lz_groups_start(struct lz_world *w);
void lz_group_truncated(struct lz_world *w, struct lz_partition *p, uint64_t end);
void lz_group_needs(const struct lz_partition *p, uint64_t *upto); /* lowers it to what is unread */
void lz_group_second(struct lz_world *w, struct lz_group *g);
void lz_group_reconsider(struct lz_world *w, struct lz_group *g);
void lz_reader_wake(struct lz_world *w, struct lz_partition *p, const struct lz_replica *leader);
void lz_reader_died(struct lz_world *w, struct lz_broker *b, uint32_t node);

#endif
