/*
 * standby.h — what a node does with the log it is sent; for model/data/ only.
 *
 * One process receives, writes and flushes, in rounds: what has come while a round was under way
 * is taken by the next. A flush takes `wal_flush` and what the node's disk makes of it; one that
 * fails is tried again after 5 s, as PostgreSQL does (wal_retrieve_retry_interval). Another applies
 * what is flushed, a record at a time, and a transaction's rows all at once with its last. What
 * takes no time happens as it arrives.
 */
#ifndef LZ_MODEL_DATA_STANDBY_H
#define LZ_MODEL_DATA_STANDBY_H

#include "model/data/database_state.h"

void lz_standby_init(struct lz_world *w);

/* The kind of a message that brings the log. */
lz_kind lz_standby_kind(const struct lz_world *w);

/* The node has the log of its leader, applied, up to here, and nothing is on the way. */
void lz_standby_set(struct lz_database_node *n, uint64_t lsn);

/* Its process ended, or no longer follows: what was being done is not. */
void lz_standby_died(struct lz_database_node *n);

/* Begun again: it has flushed what it has, and goes on applying where it was. */
void lz_standby_go_on(struct lz_world *w, struct lz_database *d, uint32_t node);

/* Apply at once all that it has, as a standby does before it is promoted. */
void lz_standby_catch_up(struct lz_world *w, struct lz_database *d, uint32_t node);

/* How long what it has but has not applied would take; 0 if applying takes no time. */
lz_time lz_standby_backlog(const struct lz_database *d, uint32_t node);

#endif
