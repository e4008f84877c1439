/*
 * hold.h — what somebody holds in a database without ever asking for more: faults.
 *
 *   a row's lock    as a transaction that does not end: it stands in line for it like any other
 *   a table's lock  LOCK TABLE: statements that name the table wait until it is free, those inside
 *                   transactions too; without a name all wait but COMMIT and ROLLBACK
 *   a snapshot      versions that are replaced from now on are kept (mvcc.h)
 *   connections     all but so many
 *
 * Held at the node that leads when it begins, and no longer than its process lives: a server that
 * starts anew has no such session. Connections are taken by those who open them again, whoever
 * leads. Each counts what it caused by `touched`.
 */
#ifndef LZ_MODEL_DATA_HOLD_H
#define LZ_MODEL_DATA_HOLD_H

#include "model/world.h"

struct lz_hold_opts {
    bool has_row, has_table, has_snapshot, has_connections;
    uint64_t row;
    const char *table;         /* NULL: all */
    uint32_t connections_left; /* for clients */
    uint64_t *touched;
};

uint32_t lz_hold_begin(struct lz_world *w, lz_component_id database,
                       const struct lz_hold_opts *opts);
void lz_hold_end(struct lz_world *w, lz_component_id database, uint32_t hold);

/* The server ends a transaction that says nothing for so long; 0: never. And: it is this one. */
lz_time lz_hold_patience(const struct lz_world *w, lz_component_id database);
void lz_hold_expire(struct lz_world *w, lz_component_id database, uint32_t hold);

struct lz_database;
struct lz_task;

/* For model/data/. What was held there is so no more; lz_hold_end of it is due all the same. */
void lz_hold_died(struct lz_world *w, struct lz_database *d, uint32_t node);

/* The same, while d->hold_count > 0. True: the query waits for a table. */
bool lz_hold_stops(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_hold_left(struct lz_world *w, struct lz_database *d, struct lz_task *t);
void lz_hold_waited(struct lz_database *d, uint32_t node, uint64_t key); /* somebody, for a row */
void lz_hold_refused(struct lz_database *d); /* a call found no connection, or waits for one */
void lz_hold_second(struct lz_world *w, struct lz_database *d);

#define LZ_HOLD_OWNER (1ull << 62) /* in the payload of a lock's owner: a hold */

#endif
