/*
 * raft_machine.h — what the entries of a log do: keys with versions, some of them held as locks.
 *
 * A deterministic state machine: equal entries in equal order give equal states, whose hashes are
 * compared in tests. A key that was deleted keeps its version, so that a read of what is not there
 * can be told from a read that came too early.
 */
#ifndef LZ_MODEL_CONSENSUS_RAFT_MACHINE_H
#define LZ_MODEL_CONSENSUS_RAFT_MACHINE_H

#include "model/consensus/raft_log.h"

struct lz_raft_key {
    uint64_t key;
    uint64_t value;   /* an lz_value: as it was said, or its version; of a lock: its holder */
    uint64_t version; /* index of the entry that wrote it last; 0: free place in the table */
    uint64_t renewed; /* index of the entry that renewed the lease last; 0: it is no lock */
    lz_time ttl;
    bool is_there;
};

struct lz_raft_machine {
    struct lz_arena *arena;
    struct lz_raft_key *keys;
    uint32_t count, cap; /* cap is a power of two, or 0 */
};

struct lz_raft_result {
    bool is_done;    /* the operation had its effect */
    bool is_changed; /* the key's value is another: watches are told */
    uint64_t value;  /* the key's, after it; 0: it is not there */
    uint64_t version;
};

void lz_raft_machine_init(struct lz_raft_machine *m, struct lz_arena *arena);

/* NULL: it was never written. */
const struct lz_raft_key *lz_raft_machine_get(const struct lz_raft_machine *m, uint64_t key);

struct lz_raft_result lz_raft_machine_apply(struct lz_raft_machine *m, uint64_t index,
                                            const struct lz_raft_entry *e);

/* Make `m` equal to `from`. */
void lz_raft_machine_copy(struct lz_raft_machine *m, const struct lz_raft_machine *from);
void lz_raft_machine_finish(struct lz_raft_machine *m);

/* Of its content, whatever the order it was written in. */
uint64_t lz_raft_machine_hash(const struct lz_raft_machine *m);

#endif
