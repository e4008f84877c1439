/*
 * raft_log.h — one node's log: entries from `base` + 1 to `last`, and the term of `base`.
 *
 * What lies before was dropped after a snapshot. An entry remembers the write to the node's disk
 * that carried it, so that a loss of power knows what is gone.
 */
#ifndef LZ_MODEL_CONSENSUS_RAFT_LOG_H
#define LZ_MODEL_CONSENSUS_RAFT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "sim/time.h"

enum lz_raft_op {
    LZ_RAFT_NOOP, /* a new leader's first entry: commits what earlier terms left */
    LZ_RAFT_PUT,
    LZ_RAFT_DELETE,
    LZ_RAFT_CAS,     /* put if the key's version is `expect`; 0: if there is none */
    LZ_RAFT_ACQUIRE, /* the key, for `value` as its holder, if nobody else holds it */
    LZ_RAFT_RENEW,
    LZ_RAFT_RELEASE,
    LZ_RAFT_EXPIRE, /* the leader's: the lease was not renewed since version `expect` */
    LZ_RAFT_CONFIG, /* from now on `value` are the voters and `expect` the learners, as bits */
};

struct lz_raft_entry {
    uint64_t term;
    uint64_t key, value, expect;
    uint64_t request; /* of the node that handed it in; 0: nobody waits */
    uint64_t write;   /* of this node's disk */
    lz_time at;       /* when its leader appended it */
    lz_time ttl;      /* ACQUIRE */
    uint8_t op, node;
};

struct lz_raft_log {
    struct lz_arena *arena;
    struct lz_raft_entry *entries; /* of base + 1 .. last, from `head` on */
    uint64_t base, last;
    uint64_t base_term;
    uint32_t head, cap;
};

void lz_raft_log_init(struct lz_raft_log *l, struct lz_arena *arena);

/* Its index. */
uint64_t lz_raft_log_append(struct lz_raft_log *l, const struct lz_raft_entry *e);

/* NULL: not kept, or not there. */
struct lz_raft_entry *lz_raft_log_get(const struct lz_raft_log *l, uint64_t index);

/* The term of an entry; 0 if that is not known. */
uint64_t lz_raft_log_term(const struct lz_raft_log *l, uint64_t index);

/* Forget everything beyond `index`, which is at least `base`. */
void lz_raft_log_cut(struct lz_raft_log *l, uint64_t index);

/* Everything up to `index` is in a snapshot. */
void lz_raft_log_drop(struct lz_raft_log *l, uint64_t index);

/* A snapshot in its place: nothing beyond it. */
void lz_raft_log_reset(struct lz_raft_log *l, uint64_t index, uint64_t term);

#endif
