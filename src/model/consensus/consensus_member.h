/*
 * consensus_member.h — what an operator does with a group: its members, its leader, its snapshots.
 *
 * The words are etcd's (etcdctl member add, promote, remove; move-leader; snapshot save, restore).
 * Each asks the leader, and is refused by it or begun: whether it has happened is seen from
 * `members` and `learners`, and by who leads. It is begun in the model's own instant: no message of
 * the operator's is lost.
 *
 * Of `nodes` the first `members` are members at time 0. Any other is one from when it is added: its
 * process, which has run idle, takes part, and is sent the log. A node that has gone refuses its
 * callers. What it had on disk it keeps, and it goes on from there when it is added again (etcd
 * would have it start from nothing, as another member).
 *
 * One learns at a time (etcd's --max-learners=1). Nobody looks whether enough others are up (etcd's
 * --strict-reconfig-check=false): of three nodes with one down, adding a fourth that is not up
 * either makes a group in which nobody can lead.
 *
 * A snapshot is what one node has applied, with its index and term. A restore ends the processes of
 * all nodes that have not lost their host, gives each the snapshot as its only content and starts
 * it again: a new cluster, of another id, whose members are these. Its log goes on above every
 * index and term there was (`etcdutl snapshot restore --bump-revision`), so versions never come
 * back. Whoever was not reached keeps what it had and its old id, and is not listened to: it cannot
 * join until it is added, and begins from nothing then; a majority of such goes on by itself.
 */
#ifndef LZ_MODEL_CONSENSUS_CONSENSUS_MEMBER_H
#define LZ_MODEL_CONSENSUS_CONSENSUS_MEMBER_H

#include "model/world.h"

enum lz_member_change {
    LZ_MEMBER_ADD, /* as a voter at once */
    LZ_MEMBER_ADD_LEARNER,
    LZ_MEMBER_PROMOTE, /* a learner that has 9/10 of the leader's log: it votes */
    LZ_MEMBER_REMOVE,
};

/* Nodes count from 1; where 0 is allowed it means the best. */
bool lz_consensus_change(struct lz_world *w, lz_component_id id, enum lz_member_change what,
                         uint32_t node, struct lz_err *err) LZ_MUST_CHECK;
bool lz_consensus_transfer(struct lz_world *w, lz_component_id id, uint32_t to,
                           struct lz_err *err) LZ_MUST_CHECK;

/* Faults that move the lead: it goes back to who had it once the last of them is over. A move that
   is refused counts as one all the same. */
bool lz_consensus_move(struct lz_world *w, lz_component_id id, uint32_t to,
                       struct lz_err *err) LZ_MUST_CHECK;
void lz_consensus_move_back(struct lz_world *w, lz_component_id id);

/* What node `from` (0: the leader) has applied is taken away; the last one taken is put back. */
bool lz_consensus_save(struct lz_world *w, lz_component_id id, uint32_t from, uint64_t *index,
                       struct lz_err *err) LZ_MUST_CHECK;
bool lz_consensus_restore(struct lz_world *w, lz_component_id id, struct lz_err *err) LZ_MUST_CHECK;

/* Is it a group, or a database that is one? */
bool lz_consensus_is_group(const struct lz_world *w, lz_component_id id);

uint32_t lz_consensus_members(const struct lz_world *w, lz_component_id id); /* as bits */
bool lz_consensus_votes(const struct lz_world *w, lz_component_id id, uint32_t node);
/* Is what two nodes have of one cluster? */
bool lz_consensus_are_of_one(const struct lz_world *w, lz_component_id id, uint32_t a, uint32_t b);

#endif
