/*
 * group_state.h — what the parts of a group share; for model/broker/ only.
 *
 *   consumers.c  the component, its processes, what it measures
 *   group.c      the coordinator: seats, generations, sessions, commits
 *   member.c     a member: joining, heartbeats, commits
 *   reader.c     its fetches
 *   work.c       its polls and its work
 *   transaction.c what it writes and commits at once
 */
#ifndef LZ_MODEL_BROKER_GROUP_STATE_H
#define LZ_MODEL_BROKER_GROUP_STATE_H

#include "model/broker/broker_state.h"
#include "model/broker/consumers.h"
#include "model/broker/seen.h"

/* ---- the coordinator's side */

enum lz_group_phase { LZ_GROUP_EMPTY, LZ_GROUP_PREPARING, LZ_GROUP_COMPLETING, LZ_GROUP_STABLE };

/* A process that is a member, as the coordinator has it. */
struct lz_seat {
    lz_instance_id instance; /* 0: free */
    uint32_t incarnation;
    uint32_t generation; /* that it is part of */
    bool has_joined;     /* in the rebalance under way */
    uint64_t join, sync; /* requests that wait; 0: none */
    lz_event_id session;
    lz_time expires; /* the session */
};

struct lz_claim {
    uint32_t owner;  /* member, from 0, in this generation; NOBODY */
    uint32_t reader; /* member whose fetch was the latest */
    uint64_t committed;
    uint64_t front; /* all below has been worked on, or never will be */
    struct lz_seen seen;
};

struct lz_consumers_series {
    lz_series records, batches, duplicates, failed, rebalances;
    lz_series latency, rebalance_time;
    lz_series lag_time, lag_records, lost, members, busy;
    lz_series committed, aborted;
};

/* ---- a member's */

enum lz_member_phase {
    LZ_MEMBER_OUT,
    LZ_MEMBER_JOINING, /* a join is under way, or about to be sent again */
    LZ_MEMBER_SYNCING,
    LZ_MEMBER_LOADING, /* asks where to begin */
    LZ_MEMBER_READING,
};

enum lz_member_work {
    LZ_MEMBER_IDLE,       /* nothing to take */
    LZ_MEMBER_COMMITTING, /* waits for a commit */
    LZ_MEMBER_WORKING,
    LZ_MEMBER_RESTING, /* after a failure */
};

/* What follows a commit that is waited for. */
enum lz_member_then {
    LZ_MEMBER_POLL,
    LZ_MEMBER_START,
    LZ_MEMBER_REJOIN,
    LZ_MEMBER_REVOKE,
    LZ_MEMBER_ABORTED, /* its transaction is */
};

struct lz_cursor {
    uint32_t partition; /* within the topic */
    uint32_t leader;    /* node, as far as it knows; NOBODY */
    uint64_t position;  /* the next it will take */
    uint64_t done;      /* worked on up to here */
    uint64_t fetched;   /* has up to here */
    uint64_t offered;   /* will, once the answer is here */
    uint64_t committing;
    uint64_t restart; /* where it must go on instead: the log was cut, or has expired */
    bool is_asked, is_misled, must_restart;
    bool is_kept, is_loaded;
};

/* A piece of what was taken. */
struct lz_slice {
    uint32_t partition;
    uint64_t from, to;
};

struct lz_reading {
    struct lz_rpc_way way;
    uint64_t rpc;
    uint32_t turn;
    bool is_busy, is_parked;
    lz_time begun;
    lz_event_id park;
    uint32_t recorded, recorded_count; /* what is on its way, as recorder_log.h numbers it */
};

#define LZ_POSITION_NONE UINT64_MAX

struct lz_member {
    struct lz_group *group;
    uint32_t number; /* from 0 */
    lz_instance_id id;
    uint64_t path;
    uint8_t phase, work, then;
    bool must_rejoin;
    bool must_apply;  /* it has been assigned partitions, and is not done with what it took */
    bool must_commit; /* a rebalance kept it from committing what it has worked on */
    bool is_lost;     /* it is no member any more: nothing of it can be committed */
    bool is_leaving;
    uint32_t generation;
    uint64_t commit; /* request that is waited for */
    /* By partition: what its latest COMMIT or LEAVE says, or NONE. A request outlives its process,
       and cursors do not. */
    uint64_t *said;
    uint32_t said_in; /* the generation */
    uint32_t turn;    /* of its process and its memberships: events of an older one are stale */
    struct lz_cursor *cursors;
    uint32_t cursor_count, cursor_cap;
    uint32_t next_cursor; /* where the next poll begins */
    struct lz_slice *slices;
    uint32_t slice_count, slice_cap;
    uint32_t slice, last_slice; /* of the unit at hand: its first, its last */
    uint64_t offset, upto;      /* its first record, and the end in the last slice */
    lz_task_id task;
    lz_time demand; /* of the unit, before faults */
    lz_time begun;  /* the unit */
    uint64_t units; /* so far */
    lz_time last_poll, last_commit, left_at;
    struct lz_reading *readings; /* by node */
    struct lz_rpc_way *ways;     /* to coordinators, by node */
    uint32_t coordinator;        /* node, as far as it knows */
    lz_event_id heartbeat, again, refresh;
    lz_time again_at;
    uint64_t **stalls; /* faults that hold it, by their counters */
    uint32_t stall_count, stall_cap;
};

/* What of a partition's range requests have written: noted in the trails of these. */
struct lz_group;
struct lz_member_step {
    uint32_t partition;
    uint64_t from, to;
    lz_time start;
    uint8_t kind; /* enum lz_trail_kind */
    bool has_failed;
};
void lz_work_trail(struct lz_world *w, const struct lz_member *m,
                   const struct lz_member_step *step);

struct lz_group {
    struct lz_consumers_opts opts;
    lz_component_id id;
    uint32_t index; /* within the broker */
    struct lz_topic *topic;
    struct lz_broker *broker;
    uint64_t path;
    lz_instance_id first;
    struct lz_member *members;
    uint32_t coordinator; /* node; NOBODY */
    enum lz_group_phase phase;
    uint32_t generation;
    struct lz_seat *seats;
    uint32_t seat_count, seat_cap;
    uint32_t leader; /* seat that assigns */
    bool is_waiting; /* the first delay is running */
    lz_event_id joining;
    lz_time prepared;  /* since when it rebalances */
    lz_time completes; /* with those that have joined by then */
    struct lz_claim *claims;
    struct lz_transaction *transactions; /* by member; NULL: it has none */
    uint32_t *owners, *load;             /* for assigning */
    struct lz_consumers_series series;
};

struct lz_groups {
    struct lz_group **all; /* by component */
    uint32_t cap;
    lz_kind session, joining, heartbeat, again, refresh, rested, park;
    lz_kind transaction_again, transaction_timeout;
};

static inline struct lz_group *lz_group_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->groups->cap && w->groups->all[id] != NULL);
    return w->groups->all[id];
}

static inline struct lz_member *lz_member_of(const struct lz_world *w, lz_instance_id id)
{
    struct lz_group *g = lz_group_at(w, lz_instance_get(w, id)->component);
    LZ_ASSERT(id >= g->first && id < g->first + g->opts.members);
    return &g->members[id - g->first];
}

static inline struct lz_partition *lz_group_partition(const struct lz_group *g, uint32_t p)
{
    LZ_ASSERT(p < g->topic->opts.partitions);
    return g->broker->partitions[g->topic->first + p];
}

/* What a request to the coordinator is; its `says`, the generation above it. */
enum lz_group_op {
    LZ_GROUP_JOIN,
    LZ_GROUP_SYNC,
    LZ_GROUP_LOAD,
    LZ_GROUP_HEARTBEAT,
    LZ_GROUP_COMMIT,
    LZ_GROUP_LEAVE,
    LZ_GROUP_ABORT, /* what it has written since its last commit */
};

static inline enum lz_group_op lz_group_op_of(const struct lz_rpc *r)
{
    return (enum lz_group_op)(r->says & 0xff);
}

static inline uint32_t lz_group_generation_of(const struct lz_rpc *r)
{
    return (uint32_t)(r->says >> 32);
}

/* ---- group.c */
void lz_group_arrived(struct lz_world *w, struct lz_rpc *r);

/* Everybody sits and has partitions: time 0. */
void lz_group_seat_all(struct lz_world *w, struct lz_group *g);

/* ---- member.c */
void lz_member_ended(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how);
void lz_member_begin(struct lz_world *w, struct lz_member *m); /* its process listens */
void lz_member_enter(struct lz_world *w, struct lz_member *m); /* time 0: it reads already */
void lz_member_stop(struct lz_world *w, struct lz_member *m);  /* told to end */
void lz_member_died(struct lz_world *w, struct lz_member *m);
void lz_member_on_heartbeat(void *ctx, uint32_t entity, uint64_t payload);
void lz_member_on_again(void *ctx, uint32_t entity, uint64_t payload);

/* Not between its join and what it is assigned: RebalanceInProgressException to who tries. */
bool lz_member_may_commit(const struct lz_member *m);
/* Commit what has been worked on, or, `ahead`, what has been taken. */
void lz_member_commit(struct lz_world *w, struct lz_member *m, bool ahead);
void lz_member_abort(struct lz_world *w, struct lz_member *m);
bool lz_member_has_uncommitted(const struct lz_member *m);

/* It was told that there is a rebalance: give up what must be given up, and join. */
void lz_member_rejoin(struct lz_world *w, struct lz_member *m);
void lz_member_apply(struct lz_world *w, struct lz_member *m); /* what it was assigned */
void lz_member_joined_again(struct lz_world *w, struct lz_member *m, enum lz_member_then then);
void lz_member_leave(struct lz_world *w, struct lz_member *m);
bool lz_member_drains(const struct lz_member *m); /* told to end, it waits for a commit */
struct lz_cursor *lz_member_cursor(struct lz_member *m, uint32_t partition); /* NULL: not its own */

/* ---- reader.c */
void lz_reader_init(struct lz_world *w);
void lz_reader_go(struct lz_world *w, struct lz_member *m);
void lz_reader_forget(struct lz_world *w, struct lz_member *m);
void lz_reader_on_refresh(void *ctx, uint32_t entity, uint64_t payload);
void lz_reader_learn(struct lz_cursor *c, const struct lz_partition *p);

/* ---- work.c */
void lz_work_poll(struct lz_world *w, struct lz_member *m);
void lz_work_committed(struct lz_world *w, struct lz_member *m, bool is_good);
void lz_work_ended(struct lz_world *w, lz_instance_id instance, enum lz_outcome outcome);
void lz_work_died(struct lz_world *w, struct lz_member *m);
void lz_work_on_rested(void *ctx, uint32_t entity, uint64_t payload);

/* How many of [from, to) of a partition the member has taken and not finished. */
uint64_t lz_work_holds(const struct lz_member *m, uint32_t partition, uint64_t from, uint64_t to);

/* ---- consumers.c */
void lz_consumers_busy(struct lz_world *w, struct lz_group *g);
void lz_consumers_assigned(struct lz_world *w, struct lz_group *g);

#endif
