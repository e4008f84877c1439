/* txn_state.h — a transaction as its client (txn.c) and its node (session.c) see it. */
#ifndef LZ_MODEL_DATA_TXN_STATE_H
#define LZ_MODEL_DATA_TXN_STATE_H

#include "model/data/session.h"

enum lz_txn_state {
    LZ_TXN_OPEN, /* at its client alone */
    LZ_TXN_ACTIVE,
    LZ_TXN_COMMITTING,
    LZ_TXN_COMMITTED,
    LZ_TXN_ABORTED,
};

struct lz_txn_write {
    struct lz_pool_head head;
    uint32_t next;
    uint64_t key;
    lz_value value;
};

struct lz_txn {
    struct lz_pool_head head;
    lz_component_id database;
    uint32_t prev, next; /* of those at the database's nodes */
    struct lz_txn_opts opts;
    lz_instance_id server; /* 0: none yet */
    uint32_t incarnation;  /* of the server's process */
    struct lz_statement statement;
    uint32_t said;       /* so many statements */
    lz_task_id task;     /* that serves it; 0: idle */
    lz_event_id timer;   /* idle, or until a wait is looked at for a deadlock */
    lz_time waits_since; /* for a lock */
    lz_time began;       /* at its node */
    uint64_t snapshot;   /* an LSN */
    lz_lock_owner locks; /* 0: none */
    uint32_t serial;     /* 0: none */
    uint32_t recorded;   /* see recorder_txn.h; 0: nobody writes it down */
    uint32_t writes_first, writes_last, write_count;
    struct lz_image **images; /* SQL: what its statements have changed, in their order */
    uint32_t image_count, image_cap;
    uint64_t connection; /* where its way's are tracked: its own, see connection.h */
    lz_argument_id rows; /* of the last scan */
    uint8_t state;       /* enum lz_txn_state */
    uint8_t error;       /* enum lz_txn_error */
    bool has_snapshot;
    bool has_connection;
    bool has_slot;    /* of the pool before the database */
    bool is_closed;   /* by its client */
    bool is_unwanted; /* and its node knows */
};

struct lz_txns {
    struct lz_pool all, writes;
    uint64_t opened;
    lz_kind end, deadlock, lock_timeout, idle;
};

#define LZ_TXN_OWNER                                                                               \
    (1ull << 63) /* in the payload of a lock's owner: a transaction, not a task                    \
                  */

struct lz_txn *lz_txn_find(const struct lz_world *w, lz_txn_id id);

/* Made when first needed, so that those who do without are as they were. */
struct lz_txns *lz_txns_get(struct lz_world *w);

/* The node is done with it: what the client has left is freed. */
void lz_txn_done(struct lz_world *w, struct lz_txn *x);

static inline struct lz_database_node *lz_txn_node(const struct lz_database *d,
                                                   const struct lz_txn *x)
{
    return &d->nodes[x->server - d->first];
}

/* row_lock.c. A write that is a transaction of its own, and a statement: true if it has the lock.
 */
bool lz_row_lock_write(struct lz_world *w, struct lz_database *d, struct lz_task *t);
bool lz_row_lock_take(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      struct lz_task *t);
/* The rows that a statement of SQL has changed; `x` is NULL for one that is its own. */
bool lz_row_lock_keys(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      struct lz_task *t, const uint64_t *keys, uint32_t count);
void lz_row_lock_end(struct lz_world *w, struct lz_database *d, lz_instance_id node,
                     lz_lock_owner *owner);
void lz_row_lock_patience(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_row_locks_init(struct lz_world *w, struct lz_txns *txns);

/* sql/execute.c: a statement within it, its commit, and what it held pending. */
void lz_execute_in(struct lz_world *w, struct lz_database *d, struct lz_txn *x, struct lz_task *t);
void lz_execute_commit(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                       struct lz_task *t);
void lz_execute_forget(struct lz_world *w, struct lz_txn *x);

/* session.c: it is in the log; not yet safe. */
void lz_session_committing(struct lz_txn *x);

void lz_session_measure(struct lz_world *w, struct lz_database *d); /* dead rows */

/* session.c: the statement under way is not done, and the transaction with it. */
void lz_session_fail(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                     enum lz_txn_error error);
void lz_session_count(struct lz_world *w, struct lz_database *d, enum lz_txn_error error);

/* session.c: the transaction of an event at a node, if it still is one there. */
struct lz_txn *lz_session_active(struct lz_world *w, lz_instance_id at, lz_kind kind, uint64_t id);

/* session.c: it ends at its node without having committed. */
void lz_session_abort(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      enum lz_txn_error error);

/* session.c: what happens at nodes, by events. */
void lz_sessions_init(struct lz_world *w, struct lz_txns *txns);

#endif
