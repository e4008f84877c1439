/*
 * query.h — what a database node does with one query; for model/ only.
 *
 *   arrive ──▶ CPU (query_time) ──▶ read: from memory, or the disk first ──▶ answer
 *                               └─▶ write: flush, the log (replicate.c), whose word it waits for
 */
#ifndef LZ_MODEL_DATA_QUERY_H
#define LZ_MODEL_DATA_QUERY_H

#include "model/data/database_state.h"

/* What task->detour says at a database. */
enum { LZ_QUERY_HAS_SLOT = 1, LZ_QUERY_IN_LINE = 2, LZ_QUERY_HELD = 4 };

void lz_queries_init(struct lz_world *w);

/* As struct lz_server_ops has them. */
const struct lz_dist *lz_query_draws(const struct lz_world *w, lz_instance_id instance);
lz_kind lz_query_request(const struct lz_world *w, lz_instance_id instance);
void lz_query_arrive(struct lz_world *w, struct lz_task *t);
void lz_query_turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                        uint16_t status);
void lz_query_cancel(struct lz_world *w, struct lz_task *t);

/* It has a connection: it runs, or waits for a lock. */
void lz_query_begin(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* And the node may serve it (agree.h). */
void lz_query_admitted(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* It may run: it gets the CPU. */
void lz_query_work(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* It asks the disk to keep what it writes, and goes on when that is done. */
void lz_query_flush(struct lz_world *w, const struct lz_task *t);

/* Its node is done with it, or it with its node: it holds and waits for nothing. */
void lz_query_let_go(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* All queries at a node break. Returns how many; silent: nobody is told. */
uint32_t lz_query_break_all(struct lz_world *w, struct lz_database *d, lz_instance_id node,
                            bool silent);

void lz_query_measure_cpu(struct lz_world *w, struct lz_database *d);

#endif
