/*
 * agree_state.h — what the parts of a database whose log is a Raft group's share; for them only.
 *
 *   agree.c       what is asked of it, who leads, what was acknowledged
 *   agree_rows.c  what is applied at each node, taken back there, and copied
 *
 * An entry is a key and its value, or names a commit: rows or an image, kept until every node has
 * applied it. One that was never committed keeps its place: those are few, and end with the run.
 *
 * Invariant: a node has the effect of every entry up to `applied` and of none beyond. It may be
 * less than what its group has applied there, after a copy from a node that is behind, and only as
 * long as nobody has what is missing.
 */
#ifndef LZ_MODEL_DATA_AGREE_STATE_H
#define LZ_MODEL_DATA_AGREE_STATE_H

#include "base/pool.h"
#include "model/data/database_state.h"

struct lz_agree_row {
    uint64_t key;
    lz_value value;
};

struct lz_agree_commit {
    struct lz_pool_head head;
    struct lz_image *image;
    struct lz_agree_row *rows;
    uint32_t count;
    uint32_t applied; /* nodes that have, as bits */
};

/* What an entry changed that this node's disk, or a majority of them, would not keep yet: a loss of
   power takes it back, here or from all. */
struct lz_agree_undo {
    uint64_t index;
    uint64_t key, version, value; /* as they were */
    struct lz_image *image;       /* of SQL, in their place */
};

struct lz_agree_undos {
    struct lz_agree_undo *all; /* in the order in which they were made */
    uint32_t count, cap;
    uint64_t floor; /* what was applied up to there is never taken back */
};

/* An entry that was acknowledged, and no majority of disks would keep. */
struct lz_agree_risk {
    uint64_t index, term;
    uint64_t writes;
};

struct lz_agree {
    struct lz_pool commits;
    struct lz_log *logs; /* by node: each waits for its own */
    uint32_t leaders;    /* nodes that think they lead */
    uint64_t *applied;   /* of its rows: what is applied is kept */
    uint32_t put_back;   /* the last node whose content a restore has put back */
    uint64_t *acked;     /* of SQL: which entries; who is saved may be behind */
    uint32_t acked_count, acked_cap;
    struct lz_agree_undos *undos; /* by node */
    struct lz_agree_risk *risks;
    uint32_t risk_count, risk_cap;
};

/* It is done at all nodes. */
void lz_agree_drop(struct lz_world *w, struct lz_agree *a, struct lz_agree_commit *c);

/* What a node has follows its log up to there; false: it cannot yet. */
bool lz_agree_apply(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t index);

/* Of what it has applied it has what its log has, and what no loss of power takes from the group.
 */
void lz_agree_take_back(struct lz_world *w, struct lz_database *d, uint32_t node);
void lz_agree_forget_undos(struct lz_agree *a, uint32_t node);

/* As consensus.h has them, of its hosts. */
void lz_agree_restored(struct lz_world *w, void *ctx, uint32_t node, uint32_t from);
void lz_agree_rewound(struct lz_world *w, void *ctx, uint32_t node, uint64_t index, uint32_t from);

#endif
