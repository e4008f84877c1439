/*
 * consensus.h — a group of nodes that agree: Raft, as etcd and Consul have it.
 *
 * Nodes keep a replicated log of operations on keys; what a majority has on disk is committed,
 * and applied by every node in the same order. After Ongaro and Ousterhout, "In search of an
 * understandable consensus algorithm" (USENIX ATC 2014), and Ongaro's thesis (2014) for pre-vote
 * (9.6), reads (6.4), the quorum check (6.2), members (4) and transfers (3.10); where those leave a
 * choice, etcd's raft decides.
 *
 *                    timeout, pre-vote won          majority of votes
 *   follower ──────▶ (pre-)candidate ──────▶ candidate ──────▶ leader
 *      ▲                    │                     │              │
 *      └── a leader, or a later term, is heard of ┴── no quorum ─┘
 *
 *   elections   after a time drawn from [election, 2 election) without a word from a leader
 *   writes      the leader appends and sends; committed once a majority has flushed them
 *   reads       index: the leader asks a majority whether it leads still, then reads
 *               lease: it does not ask while a majority has confirmed it within `election` by the
 *               clock of its host: wrong when that clock is
 *               stale: any node answers with what it has
 *   locks       acquire, renew, release: a key that its holder must renew within its lease, or the
 *               leader has it expire. A new leader gives every lease its full time again (etcd).
 *   watch       answered when its key changes; forgotten within request_timeout when its caller is
 *               no longer there
 *   members     nodes come and go, and the lead is handed over, as an operator says; whole groups
 *               begin again from a snapshot: consensus_member.h
 *   snapshots   past `snapshot_every` entries a node keeps its state and drops the log before it
 *               but for `snapshot_keep` entries; who needs older ones is sent the whole state
 *
 * A call goes to any node: one that does not lead hands it on to the one that does, and answers
 * when it has applied the entry itself. While nobody leads, calls wait, up to `request_timeout`
 * (etcd: 5 s + 2 election timeouts). An answer of 503 does not say that nothing happened. What
 * was handed to a leader that is gone is not handed on again, which could do it twice: it times out
 * (etcd: "request timed out, possibly due to previous leader failure").
 *
 * What a call does goes by the first word of its operation: get, read, list, ... read (as of a
 * database); put, set, write, or any other word writes; delete, remove; cas and create write if
 * the key is as the caller says, 409 otherwise; acquire and lock, renew and keepalive, release,
 * unlock and revoke; watch. The version of a key is the index of the entry that wrote it.
 *
 * What a process had flushed is there when it comes back: log, term, vote, snapshot. A power loss
 * takes what the disk had not flushed, or had lied about: then two leaders of one term, and lost
 * writes, are possible, as they are in life.
 *
 * At time 0 the first node has long led. Ownership: the world's arena.
 */
#ifndef LZ_MODEL_CONSENSUS_CONSENSUS_H
#define LZ_MODEL_CONSENSUS_CONSENSUS_H

#include "model/client/call.h"
#include "model/place.h"
#include "model/world.h"

#define LZ_CONSENSUS_NODES_MAX 15

enum lz_consensus_reads { LZ_READS_INDEX, LZ_READS_LEASE, LZ_READS_STALE };

struct lz_consensus_opts {
    const char *name;
    uint32_t line;
    uint32_t nodes;   /* 0 means 3 */
    uint32_t members; /* of them, the first at time 0; 0: all; see consensus_member.h */
    struct lz_spread spread;
    lz_time heartbeat; /* 0 means 100 ms */
    lz_time election;  /* 0 means 1 s */
    bool no_pre_vote;
    bool no_check_quorum; /* a leader without a majority does not step down */
    enum lz_consensus_reads reads;
    struct lz_dist request_time;  /* of a node's CPU; NONE means 100 us */
    double cpu;                   /* cores per node; 0: nothing contends */
    lz_time request_timeout;      /* 0 means 5 s + 2 election */
    lz_time lease;                /* of a key that is acquired; 0 means 10 s */
    uint32_t snapshot_every;      /* entries; 0 means 10000 */
    uint32_t snapshot_keep;       /* 0 means 5000 */
    struct lz_dist snapshot_time; /* of a node's CPU; NONE: none */
    uint32_t entry_bytes;         /* on the network; 0 means 256 */
};

bool lz_consensus_create(struct lz_world *w, const struct lz_consensus_opts *opts,
                         lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

/*
 * A group whose nodes are those of another component, which is served by them: it takes calls, has
 * the state, and is told of what is committed. Entries are its own: key, value and `expect` mean
 * what it likes; `request` and `node` say who proposed one.
 */
struct lz_consensus;
struct lz_raft_entry;
struct lz_consensus_host {
    void *ctx;
    void (*applied)(struct lz_world *w, void *ctx, uint32_t node, uint64_t index,
                    const struct lz_raft_entry *e);
    /* What lz_consensus_read was asked for: all that was committed then is applied here. */
    void (*readable)(struct lz_world *w, void *ctx, uint32_t node, uint64_t task);
    void (*turned)(struct lz_world *w, void *ctx, uint32_t node, bool leads);
    /* Node `from` has sent all of its state. */
    void (*restored)(struct lz_world *w, void *ctx, uint32_t node, uint32_t from);
    /* The log of a node is that of `from` beyond `index`: what else it had applied there, which
       only disks that lie can make it have, is void. */
    void (*rewound)(struct lz_world *w, void *ctx, uint32_t node, uint64_t index, uint32_t from);
    /* The content of a node is taken away, in place of `old` if there is one; all that a node has
       is that again, and counts as applied up to `index`; how many acknowledged writes that undid.
     */
    void *(*save)(struct lz_world *w, void *ctx, uint32_t node, void *old);
    void (*put_back)(struct lz_world *w, void *ctx, uint32_t node, void *content, uint64_t index);
    /* What a node has is of another cluster: it counts as nothing applied. */
    void (*forget)(struct lz_world *w, void *ctx, uint32_t node);
    uint64_t (*undone)(struct lz_world *w, void *ctx, uint64_t since);
};
bool lz_consensus_embed(struct lz_world *w, lz_component_id id,
                        const struct lz_consensus_opts *opts, const struct lz_consensus_host *host,
                        struct lz_err *err) LZ_MUST_CHECK;

/* Of such a group: a process has begun, or ended. */
void lz_consensus_began(struct lz_world *w, lz_component_id id, uint32_t node);
void lz_consensus_ended(struct lz_world *w, lz_component_id id, uint32_t node, bool silent);

/* Does it lead, as far as it knows, and has it applied all that was committed before? */
bool lz_consensus_leads(const struct lz_world *w, lz_component_id id, uint32_t node);
bool lz_consensus_is_leader(const struct lz_world *w, lz_component_id id, uint32_t node);
uint64_t lz_consensus_propose(struct lz_world *w, lz_component_id id, uint32_t node,
                              const struct lz_raft_entry *e); /* its index; it leads */
uint64_t lz_consensus_last(const struct lz_world *w, lz_component_id id, uint32_t node);

/* How far the group has applied its log at a node; an entry there, NULL if its log has it not. */
uint64_t lz_consensus_applied(const struct lz_world *w, lz_component_id id, uint32_t node);
const struct lz_raft_entry *lz_consensus_entry(const struct lz_world *w, lz_component_id id,
                                               uint32_t node, uint64_t index);

/* The term of an entry in a node's log; has it one of that term there, or dropped what was? What a
   loss of power now would leave: a write of the node's, an entry of its log at a majority. */
uint64_t lz_consensus_term(const struct lz_world *w, lz_component_id id, uint32_t node,
                           uint64_t index);
bool lz_consensus_has(const struct lz_world *w, lz_component_id id, uint32_t node, uint64_t index,
                      uint64_t term);
bool lz_consensus_keeps(const struct lz_world *w, lz_component_id id, uint32_t node,
                        uint64_t write);
bool lz_consensus_majority_keeps(const struct lz_world *w, lz_component_id id, uint32_t node,
                                 uint64_t index);

/* True: what the node has applied is current, by its lease. Else `readable` will say so. */
bool lz_consensus_read(struct lz_world *w, lz_component_id id, uint32_t node, uint64_t task);

/* Before the first event; never called if there is no group. */
void lz_consensus_start(struct lz_world *w);

/* The node that leads by the newest term; 0: none that runs. */
lz_instance_id lz_consensus_leader(const struct lz_world *w, lz_component_id id);

const struct lz_metric_info *lz_consensus_metrics(size_t *count);
size_t lz_consensus_bytes(const struct lz_world *w, lz_component_id id);

#endif
