/*
 * consensus_stage.h — a world with one group, made and disturbed directly, so that all a node has
 * can be looked at; for test_consensus.c, test_members.c and
 * test_raft_wire.c.
 */
#ifndef LZ_TESTS_UNIT_CONSENSUS_STAGE_H
#define LZ_TESTS_UNIT_CONSENSUS_STAGE_H

#include "model/consensus/consensus_member.h"
#include "model/consensus/consensus_state.h"
#include "model/net/link.h"
#include "model/node/disk.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_consensus *g;
    struct lz_err err;
};

struct stage stage_make(const struct lz_consensus_opts *opts, uint64_t seed, lz_time end);
void stage_run(struct stage *s, lz_time until);
uint64_t stage_pick(struct lz_draw *d, uint64_t n);

/* One way from node to node takes a constant time. */
void stage_way(struct stage *s, uint32_t from, uint32_t to, const struct lz_dist *latency);
void stage_ways(struct stage *s, lz_time latency);

/* An operation handed to the leader, if there is one; nobody waits for it. Its index, or 0. */
uint64_t stage_propose(struct stage *s, const struct lz_raft_entry *e);

struct witness {
    uint64_t term_led_by[4096]; // node + 1
    struct lz_raft_entry *committed;
    uint64_t *applied_hash; // by index: of the machine after it
    uint64_t count, cap;
};

/*
 * What is true of every state, whatever happens: one leader in a term; equal entries where terms
 * are equal, and before them; what one has committed, a later leader has; equal machines at equal
 * indices.
 */
const char *stage_unsafe(const struct stage *s, struct witness *v);

struct tempest {
    uint64_t committed, changes, transfers; /* entries agreed on; of members, of leaders, begun */
};

/* Random faults, and changes if there are nodes that are no members. What went wrong, or NULL. */
const char *stage_storm(const struct lz_consensus_opts *opts, uint64_t seed, struct tempest *seen);

#endif
