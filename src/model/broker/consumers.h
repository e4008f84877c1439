/*
 * consumers.h — a group of consumers that reads a topic, by Kafka's rules (the classic protocol).
 *
 * Each partition is read by one member. A member fetches from the leaders, takes up to `batch`
 * records (max.poll.records), works on them, and asks again; meanwhile a heartbeat goes to the
 * group's coordinator, a node of the broker.
 *
 *   out ──join──▶ joining ──all have joined──▶ syncing ──assigned──▶ loading ──▶ reading
 *    ▲                ▲                                                            │
 *    │                └────── told by a heartbeat that others join or left ────────┤
 *    └──── its session ran out, or it left (a stop, or no poll for max_poll_interval)
 *
 * A member that dies is noticed when its session runs out; one that is told to stop leaves at once.
 * In a static group (KIP-345) it says nothing: whoever comes back within its session has what it
 * had, and nobody else notices; one that has not polled for too long falls silent, too.
 * Before an eager rebalance a member commits and gives all partitions up; in a cooperative one it
 * reads on and gives up only what moves, which takes a second round. Those who have to rejoin do so
 * when they have worked on what they had taken, and all wait for the last.
 *
 * Positions are committed every `commit_every` with what has been worked on by then (at least once:
 * what was worked on since is read again by the next owner), after each batch, or, at most once,
 * before the work (what was taken and not worked on is lost). Each record's fate is known:
 * `duplicates` counts what was worked on again, `lost` what a commit has passed and nobody works
 * on.
 *
 * The work is done by the member's process, with its CPU: all of a batch in one piece, or, where
 * there is a handler or are calls, record by record. A record that fails is tried again after 1 s
 * (the rest of the batch is taken anew), skipped, or ends the process.
 *
 * A group may do in transactions what its handlers write: transaction.h.
 *
 * At time 0 the group has long been stable and has read everything.
 */
#ifndef LZ_MODEL_BROKER_CONSUMERS_H
#define LZ_MODEL_BROKER_CONSUMERS_H

#include "model/broker/assign.h"
#include "model/place.h"
#include "model/service/service.h"
#include "model/value.h"
#include "model/world.h"

#define LZ_CONSUMERS_MEMBERS_MAX 1000

enum lz_consumers_on_error {
    LZ_CONSUMERS_RETRY,
    LZ_CONSUMERS_SKIP,
    LZ_CONSUMERS_CRASH,
};

struct lz_consumers_opts {
    const char *name;
    uint32_t line;
    lz_component_id topic;
    uint32_t members; /* 0 means 1 */
    struct lz_spread spread;
    uint32_t batch;            /* 0 means 500 */
    struct lz_dist work;       /* per record; NONE means 1 ms */
    double cpu;                /* cores of a member; 0 means one */
    lz_time session;           /* 0 means 45 s, as since Kafka 3.0 */
    lz_time heartbeat;         /* 0 means 3 s, or a third of the session if that is shorter */
    lz_time max_poll_interval; /* 0 means 5 min */
    bool is_cooperative;
    bool is_static; /* members have names: group.instance.id */
    enum lz_assign assignment;
    lz_time commit_every;        /* 0 means 5 s */
    bool commit_batch;           /* after each batch instead */
    bool at_most_once;           /* before each batch */
    bool reads_committed;        /* isolation.level */
    lz_time transaction_timeout; /* 0: it writes without transactions; see transaction.h */
    bool from_earliest; /* where a position is gone: the oldest record, not the next new one */
    enum lz_consumers_on_error on_error;
    bool is_handled; /* it has a handler or calls: record by record */
};

bool lz_consumers_create(struct lz_world *w, const struct lz_consumers_opts *opts,
                         lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

const struct lz_metric_info *lz_consumers_metrics(size_t *count);

/* The record that a member's handler works on. */
struct lz_consumers_record {
    uint32_t partition; /* from 1 */
    uint64_t offset;    /* from 0 */
    uint64_t key;
    lz_value value;
    lz_time at; /* when it was made, or the first of its batch */
};
struct lz_consumers_record lz_consumers_record(const struct lz_world *w, lz_instance_id member);

/* Faults: the member takes no records until as many have released it, and its heartbeat goes on.
 * `touched` counts the polls that were held back. */
void lz_consumers_stall(struct lz_world *w, lz_instance_id member, uint64_t *touched);
void lz_consumers_release(struct lz_world *w, lz_instance_id member, uint64_t *touched);

/* What it reads. */
lz_component_id lz_consumers_topic(const struct lz_world *w, lz_component_id id);

#endif
