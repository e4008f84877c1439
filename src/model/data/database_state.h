/*
 * database_state.h — what the parts of the database share; for model/ only.
 *
 *   database.c   what it is, where calls go, the life of its nodes
 *   backend.c    its connections
 *   query.c      a query on a node
 *   session.c    transactions on a node, and locks
 *   replicate.c  the log on the primary: flushes, and what is confirmed
 *   ship.c       its way to the replicas
 *   standby.c    what a replica does with it
 *   commit.c     which writes are safe, and who waits for that
 *   visible.c    which of them others see
 *   failover.c   who leads
 *   multi.c, agree*.c  instead of all that: many masters; a Raft group
 */
#ifndef LZ_MODEL_DATA_DATABASE_STATE_H
#define LZ_MODEL_DATA_DATABASE_STATE_H

#include "base/pool.h"
#include "model/client/client.h"
#include "model/data/agree.h"
#include "model/data/backup.h"
#include "model/data/checkpoint.h"
#include "model/data/database.h"
#include "model/data/dcs.h"
#include "model/data/encrypt.h"
#include "model/data/engine.h"
#include "model/data/failover.h"
#include "model/data/hold.h"
#include "model/data/lock.h"
#include "model/data/log.h"
#include "model/data/multi.h"
#include "model/data/mvcc.h"
#include "model/data/pooler.h"
#include "model/data/reads.h"
#include "model/data/replicate.h"
#include "model/data/retain.h"
#include "model/data/rows.h"
#include "model/data/serial.h"
#include "model/data/txn.h"
#include "model/data/wal.h"
#include "model/measure.h"
#include "model/net/tcp.h"
#include "model/node/capacity.h"
#include "model/node/instance.h"
#include "model/service/task.h"
#include "model/value.h"

struct lz_database_series {
    struct lz_measure m; /* first: the offsets of its rows count from here */
    lz_series connections, connections_wait, cpu;
    lz_series lag_time, lag_records;
    lz_series unflushed;
    lz_series failovers, lost_acks, reads, stale_reads, stale_tokens, acked;
    lz_series primaries, two_primaries, diverged;
    lz_series locks_wait, locks_waiting, transactions, dead_rows;
    lz_series connections_refused;
    lz_series rpo, rto, restoring, backups, backups_failed, drills, drills_failed, restores_failed;
    lz_series pool_wait, pool_waiting, pool_used, pool_timeouts;
    lz_series deadlocks, lock_timeouts, serialization_failures;
    lz_series corrupt, locked, handshakes_refused;
    lz_series wal_bytes, wal_full_pages, checkpoints, checkpoints_requested, checkpoint_pages;
    lz_series wal_kept, wal_panics, standbys_lost;
    lz_series conflicts, lost_updates;
    struct lz_series_face *connections_on, *connections_wait_on, *cpu_on;
    struct lz_series_face *lag_time_on, *lag_records_on, *unflushed_on, *acked_on, *locks_wait_on;
};

struct lz_database_node {
    struct lz_capacity *capacity;
    struct lz_rows rows;
    struct lz_mvcc mvcc;      /* what rows were */
    struct lz_locks locks;    /* of its rows, while it takes writes */
    bool is_granting;         /* them, to those that waited */
    struct lz_serial *serial; /* NULL: nothing serializable has begun */
    struct lz_rows_engine rows_engine;
    struct lz_engine *engine;  /* of the two, the one that stores */
    struct lz_log *log;        /* that it follows, or writes */
    uint64_t lsn;              /* has the log up to here */
    uint64_t flushed, applied; /* of a standby: and up to here it is on its disk, and in its rows;
                                  of who leads: `applied` is as far as others see, see visible.c */
    uint64_t round;            /* a write and flush are under way up to here; 0: none are */
    uint64_t applying;         /* this record is being applied; 0: none is */
    uint32_t epoch;            /* of its process and role: what began in another one is void */
    bool is_stale;  /* was away, or led an older timeline: must be rebuilt from the primary */
    bool has_led;   /* and was given up: it must come back as rejoin.c says */
    bool must_copy; /* its rows are of another history: the log alone does not mend them */
    bool is_rejoining;
    uint64_t own_records;          /* that the log which counts does not have */
    uint64_t copied_to, copied_on; /* rejoining: as of this LSN, of that timeline */
    /* What its leader knows of it. */
    uint64_t acked; /* confirmed, at the level that commits wait for */
    struct lz_way way;
    struct lz_log_route back; /* of its confirmations */
    lz_time silent_since;     /* -1: it can be heard */
};

/* A call that waits for a connection. */
struct lz_waiter {
    struct lz_pool_head head;
    uint32_t prev, next;
    uint64_t call;
    lz_time since;
};

/* Of the primary, for databases whose failover has one; see lease.c. */
struct lz_lease {
    lz_time until;
    lz_time failing_since; /* it cannot be renewed; -1: it can */
    uint64_t lsn;          /* the leader had when it renewed it last */
    uint64_t turn;         /* counts leases: events of an older one are void */
};

enum lz_lead {
    LZ_LEAD_HEALTHY,
    LZ_LEAD_SUSPECT,   /* the primary is silent; not yet declared dead */
    LZ_LEAD_PROMOTING, /* declared dead; a replica is being promoted */
};

struct lz_database {
    struct lz_database_opts opts;
    lz_component_id id;
    lz_instance_id first;
    uint64_t path;
    uint32_t primary; /* index of the node that leads, or led last */
    bool is_writable; /* it holds the lease */
    enum lz_lead lead;
    lz_event_id lead_timer;
    struct lz_database_node *nodes;
    struct lz_log log;      /* the one that counts: of the primary */
    uint64_t timelines;     /* begun so far */
    struct lz_multi *multi; /* NULL: one node leads */
    struct lz_agree *agree; /* NULL: the log is not a Raft group's */
    struct lz_failover_opts failover;
    struct lz_lease lease;
    struct lz_dcs *dcs; /* who keeps it, if that is a group; see dcs.h */
    uint32_t forced_to; /* from 1; 0: nobody said so */
    uint32_t hand_over_tries;
    uint32_t moves;      /* faults in force that move the role */
    uint32_t moved_from; /* the node that had it before them, */
    bool is_displaced;   /* and has not come back */
    bool is_handed_over; /* the primary has stopped, and waits for the other */
    uint32_t led_before; /* until the last promotion */
    lz_time promoted_at; /* the last was */
    uint8_t *known;      /* the node each caller takes for the primary, from 1; by instance */
    uint32_t known_cap;  /* 0: all know who is */
    struct lz_branch **branches;
    uint32_t branch_count, branch_cap;
    lz_time split_since;     /* measured up to here that there are two; -1: there are not */
    uint32_t split_count;    /* faults that keep the primary from being fenced */
    double split_stay;       /* share of the callers that stay with it */
    uint64_t *split_touched; /* seconds of it */
    struct lz_replication_opts replication;
    struct lz_replication_effect *effects; /* path 0: free */
    uint32_t effect_count, effect_cap;
    uint64_t acked_last; /* LSN of the latest acknowledged write */
    struct lz_reads_opts reads;
    struct lz_token *tokens; /* of who has written */
    uint32_t token_count, token_cap;
    struct lz_rows acked_rows; /* key to its latest acknowledged version; only with read replicas */
    struct lz_session_opts sessions;
    struct lz_hold *holds; /* by faults, see hold.h */
    uint32_t hold_cap, hold_count;
    struct lz_encrypt *encrypt;         /* NULL: nothing is encrypted that anybody notices */
    struct lz_checkpoints *checkpoints; /* NULL: its log's bytes are nobody's concern */
    struct lz_retain *retain;           /* NULL: all of it is kept, and takes no room */
    struct lz_backups *backups;         /* NULL: there are none */
    bool is_restoring;                  /* or has been in vain: nobody is answered */
    struct lz_pooler *pooler;           /* NULL: clients connect to the database itself */
    double cpu_used;                    /* cores of the primary, as last measured */
    uint32_t connections;
    uint32_t connections_taken; /* by faults */
    struct lz_pool waiters;
    uint32_t wait_first, wait_last;
    uint32_t txn_first, txn_last; /* transactions at nodes, by when they began */
    uint32_t txn_count;
    struct lz_sql *sql; /* speaks SQL: see sql/execute.h; NULL: its rows are keys */
    uint32_t straight;  /* lz_world's `ways` when nothing stood in a query's way; 0: never */
    uint32_t looked;    /* and when it was last looked whether anything does */
    struct lz_database_series series;
};

struct lz_databases {
    struct lz_database **all; /* by component */
    uint32_t cap;
    lz_kind queried, flushed, fetched, disk_failed;
    lz_kind request; /* one that comes straight, as service/straight.h has it */
    uint8_t *ops;    /* whether they read, as far as they were looked at */
    uint32_t op_cap;
};

/* Kinds of events of the log, on the primary. */
struct lz_replication {
    lz_kind ack, flushed, writer, held, timeout;
};
lz_event_fn lz_ship_held;
void lz_ship_again(struct lz_world *w, struct lz_database *d); /* who leads has come back */

static inline struct lz_database *lz_database_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->databases->cap && w->databases->all[id] != NULL);
    return w->databases->all[id];
}

/* Each operation's word is looked at once. */
enum { LZ_DATABASE_OP_UNKNOWN, LZ_DATABASE_OP_READS, LZ_DATABASE_OP_WRITES };
bool lz_database_look_at_op(const struct lz_world *w, lz_op op);
static inline bool lz_database_op_reads(const struct lz_world *w, lz_op op)
{
    const struct lz_databases *ds = w->databases;
    uint8_t known = op < ds->op_cap ? ds->ops[op] : LZ_DATABASE_OP_UNKNOWN;
    return known != LZ_DATABASE_OP_UNKNOWN ? known == LZ_DATABASE_OP_READS
                                           : lz_database_look_at_op(w, op);
}

/*
 * query.c: does nothing stand in the way of a call and of its query but connections, locks and the
 * CPU? All know who leads, there is no pool, no engine but the rows, nothing held or restored. It
 * is looked at once until the world's `ways` are others: what begins or ends such a thing during
 * the run counts them up.
 */
bool lz_query_look(const struct lz_world *w, struct lz_database *d);
static inline bool lz_query_is_straight(const struct lz_world *w, struct lz_database *d)
{
    return d->straight == w->ways || (d->looked != w->ways && lz_query_look(w, d));
}

/* Connections, as struct lz_server_ops has them. */
lz_instance_id lz_backend_open(struct lz_world *w, lz_component_id id);
void lz_backend_serve_line(struct lz_world *w, struct lz_database *d);
bool lz_backend_refuses(struct lz_world *w, struct lz_database *d); /* another: there are enough */
bool lz_backend_take(struct lz_world *w, lz_component_id id, uint64_t call);
void lz_backend_give(struct lz_world *w, lz_component_id id);
void lz_backend_forget(struct lz_world *w, lz_component_id id, uint64_t call);

void lz_database_answer(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                        enum lz_outcome outcome, uint16_t status);

/* Of an instance of one. */
static inline struct lz_database *lz_database_here(const struct lz_world *w, lz_instance_id at)
{
    struct lz_database *d = lz_instance_get(w, at)->whole;
    LZ_ASSERT(at - d->first < d->opts.nodes);
    return d;
}

static inline struct lz_database *lz_database_of(const struct lz_world *w, const struct lz_task *t)
{
    return lz_database_here(w, t->server);
}

static inline bool lz_database_has_process(const struct lz_world *w, const struct lz_database *d,
                                           uint32_t node)
{
    return lz_instance_has_begun(lz_instance_get(w, d->first + node));
}

static inline struct lz_log *lz_database_log_of(const struct lz_database *d,
                                                const struct lz_task *t)
{
    return d->nodes[t->server - d->first].log;
}

/* May the node be written to? */
static inline bool lz_database_takes_writes(const struct lz_world *w, const struct lz_database *d,
                                            uint32_t node)
{
    if (d->agree != NULL)
        return lz_agree_leads(w, d, node);
    const struct lz_log *log = d->nodes[node].log;
    return log->leader == node && (log != &d->log || d->is_writable);
}

/* Does a reader on a branch miss a write that was acknowledged with that version? */
bool lz_split_misses(const struct lz_log *log, uint64_t acked_version);

struct lz_shipment {
    struct lz_way *way;
    uint32_t to;       /* node */
    uint64_t received; /* it has the log up to here */
    lz_time held;      /* before it is sent */
};
void lz_database_ship_to(struct lz_world *w, struct lz_database *d, struct lz_log *log,
                         const struct lz_shipment *s);

/* To all, `records` being new. */
void lz_database_ship(struct lz_world *w, struct lz_database *d, struct lz_log *log,
                      uint64_t records);

/* The first record of a message that ends with `lsn`. */
uint64_t lz_database_first_of(const struct lz_log *log, const struct lz_way *way, uint64_t lsn);

struct lz_log_message {
    const struct lz_log *log;
    lz_kind kind;
    uint32_t from, to; /* nodes */
    uint64_t lsn;
    uint64_t records;
    lz_tcp_path_id path;
};
void lz_database_confirm(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn);

/*
 * A commit: each of its records is appended, the node being in charge of its rows; then it is
 * flushed and shipped, and its task answered once that is safe. Gives the LSN.
 */
uint64_t lz_database_append(struct lz_world *w, struct lz_database *d, uint32_t node,
                            const struct lz_change *c);
void lz_database_appended(struct lz_world *w, struct lz_database *d, uint32_t node);
void lz_database_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t, uint64_t lsn);

/*
 * visible.c: whether a commit is seen only when it is safe; those up to `lsn` are from now on; one
 * that nobody waits for any more is at once.
 */
/* Where it was written: the row is what the record says, which keeps what it was. */
static inline void lz_database_put(struct lz_database_node *n, struct lz_wal_record *r,
                                   uint64_t lsn)
{
    r->before = lz_rows_read(&n->rows, r->key, &r->replaced);
    lz_rows_put(&n->rows, r->key, lsn, r->value);
}

static inline bool lz_visible_is_late(const struct lz_database *d)
{
    const struct lz_replication_opts *o = &d->replication;
    bool takes_time = o->wal_flush.kind != LZ_DIST_NONE || d->checkpoints != NULL;
    return d->multi == NULL && d->agree == NULL &&
           (o->commit > LZ_COMMIT_ASYNC || (o->commit == LZ_COMMIT_LOCAL && takes_time));
}
void lz_visible_advance(struct lz_database *d, const struct lz_log *log, uint64_t lsn);
void lz_visible_given_up(struct lz_database *d, const struct lz_task *t);

/* How far its commit is in the log; 0: it waits for none. */
static inline uint64_t lz_database_commit_lsn(const struct lz_task *t)
{
    return (uint64_t)t->rest_ns;
}

/* Answer what has become safe. */
void lz_database_commit_safe(struct lz_world *w, struct lz_database *d, struct lz_log *log);

void lz_replicate_init(struct lz_world *w);
void lz_database_died(struct lz_world *w, struct lz_database *d, uint32_t node, bool silent);
void lz_database_watch_standbys(struct lz_world *w, struct lz_database *d);
void lz_database_write(struct lz_world *w, struct lz_database *d, struct lz_task *t);

void lz_database_recover(struct lz_world *w, struct lz_database *d, lz_instance_id node);
void lz_database_forget_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_database_rejoin(struct lz_world *w, struct lz_database *d, lz_instance_id node);
void lz_database_measure_lag(struct lz_world *w, struct lz_database *d);

void lz_failover_init(struct lz_world *w);

#endif
