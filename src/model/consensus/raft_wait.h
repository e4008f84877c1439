/*
 * raft_wait.h — what a call to a group waits for, from when it is known what it asks.
 *
 *   handled ─▶ LEADER ─▶ ENTRY ─▶ answered              a write: proposed, or forwarded
 *                │
 *                ├─▶ ROUND ─────────▶ INDEX ─▶ answered  a read at the leader (ReadIndex)
 *                └─▶ ASKED ─────────▶ INDEX ─▶ answered  a read elsewhere
 *   CHANGE ─▶ answered                                   a watch
 *
 * A new leader sends everything but ENTRY back to LEADER: what was proposed may still be
 * committed, and proposing it again could do it twice.
 *
 * A waiter is in its node's list, in the order of coming, but in ENTRY, where nobody looks for it.
 */
#ifndef LZ_MODEL_CONSENSUS_RAFT_WAIT_H
#define LZ_MODEL_CONSENSUS_RAFT_WAIT_H

#include "model/consensus/consensus_state.h"

struct lz_raft_reply {
    enum lz_outcome outcome;
    uint16_t status;
    uint64_t value;
};

/* Taken from the group's pool and filled in: into its node's list. */
void lz_raft_wait_link(struct lz_consensus *g, struct lz_raft_waiter *a);

/* It waits no more, and is given back. */
void lz_raft_wait_end(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a);

/* Watches of askers that have given them up go. */
void lz_raft_wait_drop_old(struct lz_world *w, struct lz_consensus *g, uint32_t n);

/* From LEADER on, as far as it gets now. */
void lz_raft_wait_go_on(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a);

/* Its task is answered; of a read with what its node has. */
void lz_raft_wait_answer(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a,
                         const struct lz_raft_reply *r);
void lz_raft_wait_read(struct lz_world *w, struct lz_consensus *g, struct lz_raft_waiter *a);

/* A task that waits for nothing. */
void lz_raft_answer_task(struct lz_world *w, struct lz_consensus *g, struct lz_task *t,
                         const struct lz_raft_reply *r);

#endif
