/*
 * pooler.h — a pool before a database that many clients share, as PgBouncer is.
 *
 * It stands beside the database. Clients connect to it, as many as `max_clients`; further ones are
 * refused. It has at most `size` connections to the database, and gives one to a client for
 *
 *   session      as long as the client keeps its connection: a call, or with a pool of its own
 *                (call.h) until that closes it, idle or not
 *   transaction  a transaction: a plain query is one
 *   statement    a query: transactions of several statements are refused
 *
 * Who finds none free waits in line, first come first served, for at most `queue_timeout`
 * (PgBouncer: query_wait_timeout). So with Poisson arrivals and exponential work it is M/M/c.
 */
#ifndef LZ_MODEL_DATA_POOLER_H
#define LZ_MODEL_DATA_POOLER_H

#include "model/world.h"
#include "sim/time.h"

enum lz_pooling { LZ_POOLING_SESSION, LZ_POOLING_TRANSACTION, LZ_POOLING_STATEMENT };

struct lz_pooler_opts {
    enum lz_pooling mode;
    uint32_t size;         /* 0 means 20 */
    uint32_t max_clients;  /* 0 means 100 */
    lz_time queue_timeout; /* 0 means 120 s */
};

struct lz_database;
struct lz_task;
struct lz_txn;

bool lz_pooler_declare(struct lz_world *w, lz_component_id database,
                       const struct lz_pooler_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

/* For model/data/. A query has come: true if it has a connection; else it is in line, or answered.
 */
bool lz_pooler_admits(struct lz_world *w, struct lz_database *d, struct lz_task *t);

/* A query, and a transaction, need theirs no longer. A query in line leaves it. */
void lz_pooler_left(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_pooler_txn_ended(struct lz_world *w, struct lz_database *d, struct lz_txn *x);

/* A client's connection that had one is closed. */
void lz_pooler_closed(struct lz_world *w, lz_component_id database);

bool lz_pooler_is_full(const struct lz_database *d); /* of clients */

/* How many it may have has changed. */
void lz_pooler_serve_line(struct lz_world *w, struct lz_database *d);

#endif
