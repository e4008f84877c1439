/*
 * session.h — a transaction on its node: statements, locks, commit; for model/ only.
 *
 * query.c hands over what it would do with a query of its own at these points:
 *
 *   arrive ──▶ lz_session_arrived ──(waits for a lock)──▶ CPU ──▶ lz_session_worked ──▶ answer
 *                     └─ COMMIT ──▶ flush ──▶ lz_session_flushed ──▶ log ──▶ acknowledged
 *
 * A statement that is a transaction of its own (a plain write) holds its row's lock likewise, from
 * before it runs until it is answered.
 */
#ifndef LZ_MODEL_DATA_SESSION_H
#define LZ_MODEL_DATA_SESSION_H

#include "model/data/query.h"
#include "model/data/txn.h"

/* A query at its node: true if it may run now; else it waits for a lock, or is answered. */
bool lz_session_arrived(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* A statement has had its CPU, and its disk; it is answered, or goes on to the log. */
void lz_session_worked(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_session_flushed(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* It is about to be answered: what it held is free, or its transaction has ended. */
void lz_session_answers(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                        enum lz_outcome outcome);

/* It will not be answered: its node died, its caller cancelled it. */
void lz_session_dropped(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* No transaction survives at a node: it died, or leads no longer. */
void lz_session_node_ended(struct lz_world *w, struct lz_database *d, lz_instance_id node);

/* Whether a read of the statement's first key needs the disk first. */
bool lz_session_reads(const struct lz_world *w, const struct lz_task *t);

#endif
