/*
 * consensus_state.h — what the parts of a group share; for model/ only.
 *
 *   consensus.c   the component: processes, measures
 *   raft_serve.c  calls: what they ask
 *   raft_wait.c   what each of them waits for
 *   raft_wire.c   messages, and the disk they may have to wait for
 *   raft_elect.c  who leads
 *   raft_copy.c   the log's way to the others; commits; snapshots
 *   raft_apply.c  what is committed has its effect; leases
 *   raft_member.c who is a member, and what changes that; leadership handed over
 *   raft_backup.c snapshots that are taken away, and groups that begin from one
 *   raft_lost.c   what was acknowledged and is gone
 *   raft_ask.c    what other components' processes ask, by messages
 *
 * Nodes are known by their index in the group, from 0; a field that may mean nobody has the index
 * plus one. Invariants, held by tests over random faults: two nodes never lead in one term; logs
 * that have the same term at an index are equal up to it; what is committed is in the log of every
 * later leader; no two nodes apply different entries at one index.
 */
#ifndef LZ_MODEL_CONSENSUS_CONSENSUS_STATE_H
#define LZ_MODEL_CONSENSUS_CONSENSUS_STATE_H

#include "base/pool.h"
#include "model/consensus/consensus.h"
#include "model/consensus/raft_ask.h"
#include "model/consensus/raft_log.h"
#include "model/consensus/raft_machine.h"
#include "model/data/rows.h"
#include "model/measure.h"
#include "model/node/capacity.h"
#include "model/node/instance.h"
#include "model/service/task.h"

#define LZ_RAFT_BATCH 8     /* entries of one message */
#define LZ_RAFT_WINDOW 4096 /* entries sent to a node and not confirmed */
#define LZ_RAFT_HEADER_BYTES 64
#define LZ_RAFT_SNAPSHOT_WORK UINT64_MAX /* the payload of a snapshot's job: no task's id */

enum lz_raft_message_kind {
    LZ_RAFT_VOTE, /* asks for it */
    LZ_RAFT_VOTED,
    LZ_RAFT_APPEND,
    LZ_RAFT_APPENDED,
    LZ_RAFT_BEAT,
    LZ_RAFT_BEATEN,      /* the answer to a heartbeat */
    LZ_RAFT_STATE,       /* a snapshot */
    LZ_RAFT_TIMEOUT_NOW, /* begin an election: you are to lead */
    LZ_RAFT_FORWARD,
    LZ_RAFT_READ, /* what must I have applied to answer? */
    LZ_RAFT_READABLE,
    LZ_RAFT_GONE, /* you are no member any more, since `index` */
};

/* Who is a member from the entry at `index` on: nodes as bits. The latest in a log counts, whether
   it is committed or not (thesis, 4.1). */
struct lz_raft_config {
    uint64_t index;
    uint32_t voters, learners;
};

struct lz_raft_message {
    struct lz_pool_head head;
    uint32_t next; /* of those that wait for the disk */
    lz_component_id group;
    uint32_t incarnation; /* of its sender */
    uint8_t kind;
    uint8_t from, to;
    bool is_pre;      /* VOTE, VOTED: before the real one */
    bool is_yes;      /* answers */
    bool is_probe;    /* APPEND: answered though it is empty; BEAT, BEATEN: no read's */
    bool is_transfer; /* VOTE: asked for by the leader itself */
    uint32_t cluster; /* of its sender */
    uint64_t term;
    uint64_t index, log_term; /* VOTE: of the last entry; APPEND: of the one before */
    uint64_t commit; /* BEATEN: the sender's; APPENDED, if it refuses: what was asked for */
    uint64_t write;  /* of the sender's disk; it is sent when that is done */
    uint64_t round;  /* BEAT, BEATEN: of reads; READ, READABLE: the asker's */
    lz_time sent;    /* when, and by the sender's clock: an answer brings it back */
    lz_time clock;
    struct lz_raft_machine *state; /* STATE: its own */
    struct lz_raft_config config;  /* STATE: as of its index */
    uint32_t count;
    struct lz_raft_entry entries[LZ_RAFT_BATCH];
};

enum lz_raft_role { LZ_RAFT_FOLLOWER, LZ_RAFT_PRE_CANDIDATE, LZ_RAFT_CANDIDATE, LZ_RAFT_LEADER };

/* What a leader or a candidate knows of another node. */
struct lz_raft_peer {
    uint64_t match, next; /* has the log up to; is sent next */
    uint64_t round;       /* of reads, the newest confirmed */
    lz_time heard;
    lz_time clock; /* of the newest heartbeat that it has answered, by the leader's clock */
    bool is_probing, is_asked, is_sent_state;
    bool votes;
};

struct lz_raft_hard {
    uint64_t term;
    uint64_t write;
    uint32_t vote; /* node + 1; 0: none */
};

struct lz_raft_node {
    struct lz_capacity *capacity;

    /* on disk */
    struct lz_raft_hard hard, hard_safe; /* as it is; as it would be after a loss of power */
    struct lz_raft_log log;
    struct lz_raft_machine snapshot; /* as of log index snapshot_index */
    uint64_t snapshot_index, snapshot_term;
    uint64_t written, flushed; /* writes: made, and on the disk */
    uint64_t flushing;         /* by the flush under way; 0: there is none */
    uint64_t beat_held;        /* a heartbeat waits for this one */
    lz_time flush_began;
    uint32_t held_first, held_last; /* messages that wait for the disk */
    struct lz_raft_config *configs; /* by index; the first is where its log began */
    uint32_t config_count, config_cap;
    uint32_t cluster;
    bool is_member;     /* as far as it knows: else it has no part in anything */
    uint64_t joined_at; /* the entry that made it one: what is older does not unmake it */

    /* in memory */
    bool is_on; /* its process has begun */
    enum lz_raft_role role;
    uint32_t leader; /* node + 1 */
    uint64_t commit, applied;
    struct lz_raft_machine machine;
    struct lz_raft_peer *peers;
    lz_time heard, timeout; /* of a leader; how long it may be silent */
    lz_event_id timer, beat;
    uint64_t turn;                          /* timers of an older one are stale */
    uint64_t resets;                        /* of the timeout, ever: counts its draws */
    uint64_t messages;                      /* sent, ever: counts theirs */
    uint64_t term_first;                    /* LEADER: index of its first entry */
    uint64_t round, round_next, round_done; /* LEADER: of reads; begun, asked for, confirmed */
    uint32_t waiters_first, waiters_last;   /* but for those that wait for an entry */
    uint32_t snapshot_job;                  /* of its CPU */
    uint32_t reach;                         /* LEADER: whom it sends to; nodes as bits */
    uint32_t transfer;                      /* LEADER: to whom it hands over, + 1; 0: to nobody */
    bool has_told;                          /* LEADER: TIMEOUT_NOW, in this term */
    lz_time transfer_until;
    uint64_t transfer_term; /* in which it was told to lead */
};

enum lz_raft_waits {
    LZ_RAFT_WAITS_LEADER, /* for one to be known */
    LZ_RAFT_WAITS_ENTRY,  /* for its entry to be applied */
    LZ_RAFT_WAITS_ROUND,  /* LEADER: for a majority to confirm */
    LZ_RAFT_WAITS_INDEX,  /* for what it must see */
    LZ_RAFT_WAITS_ASKED,  /* for the leader's answer to READ */
    LZ_RAFT_WAITS_CHANGE, /* of its key */
};

/* A call at a node, or another node's question for the leader. */
struct lz_raft_waiter {
    struct lz_pool_head head;
    uint32_t prev, next; /* of its node */
    uint8_t waits;
    uint8_t node;
    bool is_read;
    bool is_linked;     /* among its node's */
    uint8_t asker;      /* node + 1 of a READ; 0: a call */
    uint64_t task;      /* of a call; of a READ the asker's waiter */
    lz_raft_ask_id ask; /* of another component's process; 0: it is none */
    uint64_t round, index;
    lz_time asked;  /* ASKED: when, last */
    uint64_t floor; /* the newest acknowledged version of the key when it came */
    lz_event_id timeout;
    struct lz_raft_entry entry;
};

struct lz_bus;

struct lz_consensus_series {
    struct lz_measure m; /* first: the offsets of its rows count from here */
    lz_series cpu, commit, elections, leader_changes, no_leader, downtime, lead;
    lz_series reads, stale_reads, snapshots, expired, acked;
    lz_series members, learners, transfers, restores, lost, lost_acks;
};

/* An entry that was acknowledged, and that no majority of disks would keep. */
struct lz_raft_risk {
    uint64_t index, term, key;
};

/* What was taken away last, by whom it may be put back. */
struct lz_raft_backup {
    bool is_there;
    struct lz_raft_machine machine;
    void *content; /* of an embedded group's host */
    uint64_t index, term;
};

struct lz_consensus {
    struct lz_consensus_opts opts;
    lz_component_id id;
    lz_instance_id first;
    uint64_t path;
    uint32_t cluster; /* that new members join */
    struct lz_raft_backup backup;
    uint32_t moves, moved_from; /* faults that move the lead; who led before, + 1 */
    bool has_lost;              /* a disk what it had said it had */
    bool goes_back;             /* they are over, and who was told to lead does not yet */
    struct lz_raft_node *nodes;
    struct lz_bus *bus;
    uint32_t messages, messages_max;     /* said and not heard yet */
    uint64_t state_keys, state_keys_max; /* room in those of them that are states */
    struct lz_pool waiters;
    struct lz_rows acked;       /* key to its latest acknowledged version */
    struct lz_raft_risk *risks; /* by index */
    uint32_t risk_count, risk_cap;
    lz_lane timeout;
    uint32_t led_by; /* node + 1 */
    uint64_t led_term;
    lz_time unled_since;        /* -1: somebody leads */
    lz_time unled_told;         /* up to when its seconds are counted */
    struct lz_raft_entry *held; /* keys that were acquired long ago */
    uint32_t held_count, held_cap;
    struct lz_consensus_host host; /* `applied` is NULL: it serves for itself */
    struct lz_consensus_series series;
};

static inline bool lz_consensus_is_embedded(const struct lz_consensus *g)
{
    return g->host.applied != NULL;
}

struct lz_consensuses {
    struct lz_consensus **all; /* by component */
    uint32_t cap;
    struct lz_pool messages;
    uint8_t *verbs; /* by operation; 0: not looked at yet */
    uint32_t verb_cap;
    struct lz_pool leases; /* that are watched */
    struct lz_pool asks;
    lz_kind asked, ask_handled;
    lz_kind message, timer, beat, handled, flushed, flush_failed, timeout, lease;
};

struct lz_consensus *lz_consensus_at(const struct lz_world *w, lz_component_id id);

static inline struct lz_consensus *lz_consensus_of(const struct lz_world *w, lz_instance_id id)
{
    return lz_consensus_at(w, lz_instance_get(w, id)->component);
}

/* Its process works, or stands still. */
static inline bool lz_consensus_runs(const struct lz_world *w, const struct lz_consensus *g,
                                     uint32_t n)
{
    return lz_instance_has_begun(lz_instance_get(w, g->first + n));
}

static inline uint64_t lz_consensus_node_path(const struct lz_consensus *g, uint32_t n)
{
    return lz_draw_index(g->path, n + 1);
}

/* Who leads, and since when nobody does, may have changed. */
void lz_consensus_reckon(struct lz_world *w, struct lz_consensus *g);

/* raft_wire.c: a message to fill in; on its way when the disk has the node's latest write. */
struct lz_raft_message *lz_raft_message(struct lz_world *w, struct lz_consensus *g, uint32_t from,
                                        uint32_t to, enum lz_raft_message_kind kind);
void lz_raft_send(struct lz_world *w, struct lz_consensus *g, struct lz_raft_message *m);
void lz_raft_free(struct lz_world *w, struct lz_raft_message *m);
uint64_t lz_raft_write(struct lz_world *w, struct lz_consensus *g, uint32_t n); /* its number */
void lz_raft_flush(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_drop_held(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_connect(struct lz_world *w, struct lz_consensus *g); /* its nodes, before they speak */
void lz_raft_wire_init(struct lz_world *w);

/*
 * raft_member.c. Of the latest configuration in a node's log: who votes; are these nodes, as bits,
 * a majority of them?
 */
static inline uint32_t lz_raft_voters(const struct lz_raft_node *node)
{
    return node->config_count > 0 ? node->configs[node->config_count - 1].voters : 0;
}
bool lz_raft_is_quorum(const struct lz_raft_node *node, uint32_t nodes);
bool lz_raft_is_alone(const struct lz_raft_node *node, uint32_t n); /* the only voter */
bool lz_raft_may_campaign(const struct lz_raft_node *node, uint32_t n);
void lz_raft_config_set(struct lz_world *w, struct lz_raft_node *node,
                        const struct lz_raft_config *config); /* and forget all others */
void lz_raft_config_appended(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                             const struct lz_raft_entry *e, uint64_t index);
void lz_raft_config_cut(struct lz_raft_node *node); /* its log was */
const struct lz_raft_config *lz_raft_config_at(const struct lz_raft_node *node, uint64_t index);
void lz_raft_config_reckon(struct lz_raft_node *node); /* whom to reach */
void lz_raft_config_applied(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_consensus_go_back(struct lz_world *w, struct lz_consensus *g, uint32_t n); /* it leads */
void lz_raft_transfer_go_on(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_transfer_end(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                          const char *why); /* given up */
/* Who asks for a vote, and was removed while it could not hear of it, is told (etcd: 410 Gone). */
bool lz_raft_tell_gone(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m);
void lz_raft_gone(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m);
void lz_raft_timeout_now(struct lz_world *w, struct lz_consensus *g,
                         const struct lz_raft_message *m);

/* consensus.c: a node is no member any more; it is to be one. */
void lz_consensus_leave(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_consensus_join(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t index);

/* Callers are told of a node if it answers: if it votes. */
void lz_raft_config_show(struct lz_world *w, const struct lz_consensus *g, uint32_t n);

/* raft_elect.c */
enum lz_raft_campaign { LZ_RAFT_PRE_VOTE, LZ_RAFT_ELECTION, LZ_RAFT_TRANSFER };
void lz_raft_campaign(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                      enum lz_raft_campaign kind);
void lz_raft_elect_init(struct lz_world *w);
void lz_raft_boot(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_follow(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t term,
                    uint32_t leader);
void lz_raft_lead(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_hear(struct lz_world *w, struct lz_consensus *g, uint32_t n); /* of its leader */
bool lz_raft_is_loyal(const struct lz_world *w, const struct lz_consensus *g, uint32_t n);
void lz_raft_vote(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m);
void lz_raft_voted(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m);

/* raft_copy.c */
void lz_raft_receive(struct lz_world *w, struct lz_consensus *g, struct lz_raft_message *m);
uint64_t lz_raft_propose(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                         const struct lz_raft_entry *e); /* its index */
void lz_raft_copy(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint32_t to);
void lz_raft_begin_round(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_is_flushed(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_broke(struct lz_consensus *g, uint32_t from, uint32_t to); /* a connection */
bool lz_raft_has_lease(struct lz_world *w, const struct lz_consensus *g, uint32_t n);

/* raft_apply.c */
void lz_raft_apply_init(struct lz_world *w);
void lz_raft_apply(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_lease_all(struct lz_world *w, struct lz_consensus *g, uint32_t n);

/* raft_lost.c: of the entry that a node has just applied; a leader has applied its first. */
void lz_raft_acked(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t key,
                   uint64_t version);
void lz_raft_count_lost(struct lz_world *w, struct lz_consensus *g, uint32_t n);

/* raft_ask.c; and raft_serve.c: what a member has begun with. */
void lz_raft_ask_answer(struct lz_world *w, lz_raft_ask_id id, bool is_done);
void lz_raft_serve_ask(struct lz_world *w, struct lz_consensus *g, uint32_t n, lz_raft_ask_id id,
                       const struct lz_raft_ask *ask);

/* raft_serve.c */
extern const struct lz_server_ops lz_raft_serve_ops;
void lz_raft_serve_init(struct lz_world *w);
void lz_raft_reset_calls(struct lz_world *w, struct lz_consensus *g, uint32_t n, bool silent);

/* The leader's share, as its cores are in use now; of the others nothing is measured. */
void lz_raft_measure_cpu(struct lz_world *w, struct lz_consensus *g, uint32_t n);

/* raft_serve.c: a read of an embedded group. */
void lz_raft_ask(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t task);

/* raft_wait.c: those who wait at a node are told of what happened there. */
void lz_raft_applied(struct lz_world *w, struct lz_consensus *g, uint32_t n,
                     const struct lz_raft_entry *e, const struct lz_raft_result *result);
void lz_raft_ask_again(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_retry(struct lz_world *w, struct lz_consensus *g, uint32_t n); /* who leads is new */
void lz_raft_confirmed(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t round);
void lz_raft_read(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m);
void lz_raft_readable(struct lz_world *w, struct lz_consensus *g, const struct lz_raft_message *m);
void lz_raft_serve_reads(struct lz_world *w, struct lz_consensus *g, uint32_t n);
void lz_raft_forget_waiters(struct lz_world *w, struct lz_consensus *g, uint32_t n);

#endif
