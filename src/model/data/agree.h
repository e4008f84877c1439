/*
 * agree.h — `replication = "raft"`: a database whose log is a Raft group's (consensus.h).
 *
 * Every node is a member. Who leads the group is the primary: it alone takes writes, and elections
 * and their times are Raft's; there is no other failover, and no lease beside. A commit is one
 * entry: it is acknowledged once a majority has it on disk and the leader has applied it, and seen
 * by others then (visible.c has nothing to do). A term fences: what a leader proposes that was
 * given up without knowing is never committed, and its clients' connections are reset when it finds
 * out (their commits may have happened or not, as for CockroachDB's "result is ambiguous").
 *
 * Reads at the primary are linearizable. `index`: the node asks a majority whether it leads still
 * (the thesis, 6.4), one round trip; `lease`: not while a majority has confirmed it within
 * `election` by its host's clock. A node that does not lead asks who does, and waits until it has
 * applied as much. With reads = "replicas" a follower answers with what it has.
 *
 * Rows of keys are locked one by one at the leader, as without Raft. A database that speaks SQL
 * has one writer at a time, who has written when his entry is applied (as dqlite and rqlite do:
 * SQLite has one writer), so its statements run on what is committed.
 *
 * Members come and go, and the lead is handed over, as an operator says (consensus_member.h): a
 * failover of such a database is that. What a node applied it keeps: one that comes back goes on
 * from there, and one whose file is broken, or who needs entries that nobody has any more, is sent
 * all of it.
 */
#ifndef LZ_MODEL_DATA_AGREE_H
#define LZ_MODEL_DATA_AGREE_H

#include "model/consensus/consensus.h"
#include "model/data/image.h"
#include "model/value.h"

struct lz_database;
struct lz_task;
struct lz_txn;

#define LZ_AGREE_NODES_MIN 3

/* Of a database that exists, with nothing said of its log otherwise. Of the options those of the
   group count: heartbeat, election, pre-vote, quorum check, reads, snapshots, entry_bytes. */
bool lz_agree_declare(struct lz_world *w, lz_component_id id, const struct lz_consensus_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;

/* For model/data/ only; of a database that has one. */
void lz_agree_began(struct lz_world *w, struct lz_database *d, uint32_t node);
void lz_agree_died(struct lz_world *w, struct lz_database *d, uint32_t node, bool silent);
bool lz_agree_leads(const struct lz_world *w, const struct lz_database *d, uint32_t node);
void lz_agree_second(struct lz_world *w, struct lz_database *d);
size_t lz_agree_bytes(const struct lz_world *w, const struct lz_database *d);

/* May a query that has arrived go on? Else it does later, or is answered. */
bool lz_agree_admits(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/*
 * A commit of the task: of its key, of the rows that a transaction has written, or of an image,
 * which the caller holds. False: the node leads no more, and nothing happened.
 */
bool lz_agree_write(struct lz_world *w, struct lz_database *d, struct lz_task *t, lz_value value);
bool lz_agree_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                     const struct lz_txn *x);
bool lz_agree_commit_rows(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                          struct lz_image *image);
uint64_t lz_agree_next(const struct lz_world *w, const struct lz_database *d, uint32_t node);

/* The key of the lock that SQL's one writer has. */
#define LZ_AGREE_WRITER 0x7772697465720001u

#endif
