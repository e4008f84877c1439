/*
 * database.h — nodes with a replicated log: what was acknowledged is known exactly.
 *
 * One primary takes writes, appends them to its log (a log sequence number, LSN,
 * each), and ships them to the replicas over the network in order. A write is
 * acknowledged after the local flush (async) or also after the most advanced standby
 * has it (sync). Clients hold one connection per call in flight; at `max_connections`
 * further calls wait in FIFO order until their timeout.
 *
 *   primary dies ──detect──▶ declared dead ──promote──▶ replica with the highest LSN leads
 *
 * `detect` counts from the death. A primary that stands still, or that cannot reach
 * half of the other living nodes, counts as dead: its lease runs out after `detect`. Promotion
 * starts a new timeline at the promoted node's LSN; acknowledged writes beyond it are lost, and
 * counted. A node that comes back rejoins as a replica by rewinding to the new
 * timeline.
 *
 * An operation whose first word is select, get, read, find, list, count, show, fetch, query or scan
 * (any case) reads; every other writes.
 */
#ifndef LZ_MODEL_DATA_DATABASE_H
#define LZ_MODEL_DATA_DATABASE_H

#include "model/client/call.h"
#include "model/place.h"
#include "model/world.h"

#define LZ_DATABASE_NODES_MAX 64

struct lz_database_opts {
    const char *name;
    uint32_t line;
    const char *engine; /* "postgres", "mysql"; documentation only */
    uint32_t nodes;     /* one primary, the rest replicas; 0 means 1 */
    struct lz_spread spread;
    bool sync;                 /* default async */
    bool read_replicas;        /* reads go to replicas */
    struct lz_dist query_time; /* NONE means 1 ms; includes the local flush */
    double cpu;                /* cores per node; 0: nothing contends */
    uint32_t max_connections;  /* per database; 0 means 100 */
    bool failover;             /* false: a dead primary stays dead */
    lz_time detect;            /* default 5 s */
    lz_time promote;           /* default 4 s */
};

void lz_databases_init(struct lz_world *w);
bool lz_database_create(struct lz_world *w, const struct lz_database_opts *opts,
                        lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

lz_instance_id lz_database_primary(const struct lz_world *w, lz_component_id id); /* 0: none */

/* The ordinal-th replica right now, from 1; 0 if there is none. */
lz_instance_id lz_database_replica(const struct lz_world *w, lz_component_id id, uint32_t ordinal);

/* The way between nodes has changed (a partition came or went): who can lead? */
void lz_database_reconsider(struct lz_world *w);

/* Whether an operation of that name only reads: it begins with select, get, ... */
bool lz_database_is_read(const char *op);

/* Is what it has acknowledged wherever its next write may go: in a Raft group, or on a standby? */
bool lz_database_hands_on(const struct lz_world *w, lz_component_id id);

/* What a database measures. */
const struct lz_metric_info *lz_database_metrics(size_t *count);

/* Of its rows, node by node, and of its log. */
size_t lz_database_bytes(const struct lz_world *w, lz_component_id id);

#endif
