/*
 * txn.h — transactions: several statements of one client on one connection to one node.
 *
 * A client *opens* one; its first statement takes a connection and brings BEGIN along (as pgjdbc
 * and psycopg2 do), so n statements and a COMMIT are n + 1 round trips. From then on connection,
 * node and the node's process stay the same; if they cannot, the transaction is lost.
 *
 *   OPEN ──first statement──▶ ACTIVE ──COMMIT──▶ COMMITTING ──safe──▶ COMMITTED
 *                               │  └── ROLLBACK, an error, its client gone ──▶ ABORTED
 *                               └───── its node dies, or leads no longer ────▶ ABORTED
 *
 * After an error nothing but ROLLBACK is done ("current transaction is aborted"). A client that
 * closes an unfinished one tells the node by a message: while that cannot get there, locks and
 * connection stay taken (until idle_timeout, if there is one). A node in the midst of a statement,
 * or in a line for a lock, notices only afterwards.
 *
 * Isolation, as PostgreSQL 13.2 has it, over snapshots (mvcc.h), row locks (lock.h), serial.h:
 *
 *   read committed    each statement sees what is committed when it runs
 *   repeatable read   all see what was committed when the first ran; who would write a row that
 *                     another has written since is aborted (the first updater wins)
 *   serializable      that, and no dangerous structure of conflicts
 *
 * In a database that speaks SQL a statement learns which rows it changes by running: if somebody
 * else has one it is undone, waits, and runs again on what is committed then (PostgreSQL's
 * EvalPlanQual). What it sees otherwise, and what it is said to have read, is sql/isolate.h's.
 *
 * Dirty writes and dirty reads are in none of them. Reads wait for nobody; writes take the row's
 * lock before they run and keep it to the end. What is written becomes visible, all at once, when
 * it is in the primary's log; locks are free once the commit is acknowledged.
 *
 * Ownership: all in the arena. One is gone when its client has closed it and its node is done
 * with it; an id that is stale is recognised.
 */
#ifndef LZ_MODEL_DATA_TXN_H
#define LZ_MODEL_DATA_TXN_H

#include "model/client/call.h"
#include "model/service/argument.h"
#include "model/value.h"
#include "model/world.h"

/* Of a database: nothing said, the defaults hold. */
struct lz_session_opts {
    bool refuses;      /* a call that finds none free, rather than let it wait */
    uint32_t reserved; /* connections that clients do not get (superuser_reserved_connections) */
    lz_time deadlock_timeout; /* a wait for a lock is looked at after so long; 0 means 1 s */
    lz_time lock_timeout;     /* and given up after so long; 0: never */
    lz_time idle_timeout;     /* a transaction that says nothing is ended; 0: never */
};
bool lz_session_declare(struct lz_world *w, lz_component_id database,
                        const struct lz_session_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

typedef uint64_t lz_txn_id; /* 0: none */

#define LZ_TXN_WRITES_MAX 4096 /* rows that one may write */
#define LZ_TXN_SCAN_MAX 4096   /* keys that one statement may look at */

enum lz_isolation { LZ_READ_COMMITTED, LZ_REPEATABLE_READ, LZ_SERIALIZABLE };

enum lz_statement_kind {
    LZ_STATEMENT_READ,
    LZ_STATEMENT_WRITE,
    LZ_STATEMENT_LOCK,   /* SELECT ... FOR UPDATE */
    LZ_STATEMENT_APPEND, /* `value` behind what there is, with a comma between */
    LZ_STATEMENT_SCAN,   /* the keys from `key` to `to`, both included */
    LZ_STATEMENT_COMMIT,
    LZ_STATEMENT_ROLLBACK,
    LZ_STATEMENT_SQL, /* what the call carries (sql/statement.h); `to` is not 0 if it reads */
};

struct lz_statement {
    enum lz_statement_kind kind;
    uint64_t key, to;
    lz_value value; /* WRITE: 0 deletes */
};

/* What a SCAN's answer holds: so many of these (argument.h). */
struct lz_txn_row {
    uint64_t key;
    lz_value value;
};

/* Why it was aborted, or a statement was not done: PostgreSQL's errors. */
enum lz_txn_error {
    LZ_TXN_OK,
    LZ_TXN_CONFLICT,      /* 40001: the first updater won */
    LZ_TXN_DANGEROUS,     /* 40001: a dangerous structure */
    LZ_TXN_DEADLOCK,      /* 40P01 */
    LZ_TXN_LOCK_TIMEOUT,  /* 55P03 */
    LZ_TXN_READ_ONLY,     /* 25006 */
    LZ_TXN_FAILED,        /* 25P02: an earlier statement had failed */
    LZ_TXN_IDLE_TIMEOUT,  /* 25P03 */
    LZ_TXN_LOST,          /* 08006: the connection, or the node at its other end */
    LZ_TXN_IO,            /* 58030 */
    LZ_TXN_TOO_LARGE,     /* 54000 */
    LZ_TXN_POOLED,        /* 08P01: a statement pool has no transactions */
    LZ_TXN_QUEUE_TIMEOUT, /* 08P01: no connection of the pool was free in time */
    LZ_TXN_SQL,           /* 42000: SQLite has not taken it; the answer says why */
    LZ_TXN_ERRORS,
};
const char *lz_txn_error_code(enum lz_txn_error error); /* "40001" */
const char *
lz_txn_error_text(enum lz_txn_error error); /* "could not serialize access due to ..." */

struct lz_txn_opts {
    lz_edge_id edge; /* of its statements: its opts say `session` */
    lz_instance_id client;
    enum lz_isolation isolation;
    bool is_read_only; /* goes where reads go */
    uint64_t path;     /* owner of its draws */
};

/*
 * The client's side. A statement is said, then called by the edge with the transaction's id as the
 * call's key; the call's end says whether it was done, and these what came of it. Each statement
 * that did not end well ends the transaction: close it.
 */
lz_txn_id lz_txn_open(struct lz_world *w, const struct lz_txn_opts *opts);
bool lz_txn_is_open(const struct lz_world *w, lz_txn_id id); /* not closed by its client */
void lz_txn_say(struct lz_world *w, lz_txn_id id, const struct lz_statement *statement);
uint32_t lz_txn_said(const struct lz_world *w, lz_txn_id id); /* statements so far */
enum lz_txn_error lz_txn_why(const struct lz_world *w, lz_txn_id id);
const struct lz_txn_row *lz_txn_rows(const struct lz_world *w, lz_txn_id id, uint32_t *count);
void lz_txn_close(struct lz_world *w, lz_txn_id id);

/* For client.c: calls of an edge that says `session`. */
extern const struct lz_session_ops lz_txn_sessions;

size_t lz_txns_bytes(const struct lz_world *w);

#endif
