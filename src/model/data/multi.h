/*
 * multi.h — many masters: every node takes writes, and tells the others.
 *
 * Each node has a log of its own, which it ships to every other one once it is flushed; a write is
 * acknowledged at home. A caller uses the node that is nearest among those that run and that it
 * can reach; equally near ones are drawn.
 *
 * A record says which version of its row it replaced. Where another one is found there was a
 * *conflict*: two writes that have not seen each other. The rule decides:
 *
 *   last_writer_wins    the later by the clocks of the nodes that wrote, then the higher node; all
 *                       nodes decide alike, so all end with the same rows (a Lamport-less last
 *                       write, as Cassandra's and MySQL Group Replication's tools have it)
 *   first_writer_wins   the earlier; where one side has gone on from its version before it heard
 *                       of the other, nodes decide differently, and the rows stay apart
 *   a function          of the row that is here and the one that comes; it returns one of them, or
 *                       a value that is put in place of both. Nodes agree if it goes by what only
 *                       grows, such as a time or a number of the version
 *
 * A database that speaks SQL has conflicts row by row: one that does not look as it did where it
 * was changed. Who wrote it last here is known by its key, also of one that is gone. A rule that is
 * a function is for rows of keys alone. Where a row displaces another by a second unique column,
 * nodes may end with different ones of the two.
 *
 * Counted: conflicts, where they were found; lost_updates, acknowledged writes that gave way to one
 * that had not seen them (each once, by the node that turns it away); diverged, rows that are not
 * the same everywhere, because one is late or for good.
 *
 * With two masters that write at rates a and b and hear of each other after L, a share
 * 1 - exp(-b L) of what the first writes is lost.
 */
#ifndef LZ_MODEL_DATA_MULTI_H
#define LZ_MODEL_DATA_MULTI_H

#include "model/service/task.h"
#include "model/value.h"
#include "model/world.h"

enum lz_conflict_winner { LZ_CONFLICT_HERE, LZ_CONFLICT_THERE, LZ_CONFLICT_MERGED };
enum lz_multi_rule { LZ_MULTI_LAST_WRITER, LZ_MULTI_FIRST_WRITER, LZ_MULTI_ASKED };

/* A row as a conflict sees it. */
struct lz_multi_row {
    lz_value value;
    lz_time at;    /* by the clock of the node that wrote it */
    uint32_t node; /* that did, from 1 */
};

/* Asked with the row here and the one that comes; MERGED: `*value` is put in place of both. */
typedef enum lz_conflict_winner lz_multi_fn(void *ctx, uint64_t key,
                                            const struct lz_multi_row *here,
                                            const struct lz_multi_row *there, lz_value *value);

struct lz_multi_opts {
    enum lz_multi_rule rule;
    lz_multi_fn *ask; /* ASKED */
    void *ctx;
};

/* Of a database with more than one node that waits for no standby. It never fails over. */
bool lz_multi_declare(struct lz_world *w, lz_component_id id, const struct lz_multi_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;

/* For model/data/ only. */
struct lz_database;
struct lz_log;
struct lz_way;

void lz_multi_init(struct lz_world *w);
lz_instance_id lz_multi_route(struct lz_world *w, struct lz_database *d,
                              const struct lz_route *ask);

/* A write of a node's own: the record `lsn`, appended. Puts its row. */
void lz_multi_wrote(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn);

/* The same of one that changed the rows of an image. */
void lz_multi_wrote_rows(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn);

/* The way between two, and what messages on it are. */
struct lz_way *lz_multi_way(const struct lz_world *w, struct lz_database *d, uint32_t from,
                            uint32_t to, lz_kind *kind);

void lz_multi_ship(struct lz_world *w, struct lz_database *d, struct lz_log *log, lz_time held);
/* Its process has ended; its own log is whole up to `lsn`. What it lacks of it and another node has
   it is sent again when it is back. */
void lz_multi_died(struct lz_database *d, uint32_t node, uint64_t lsn);
void lz_multi_started(struct lz_world *w, struct lz_database *d, uint32_t node);
void lz_multi_second(struct lz_world *w, struct lz_database *d);

#endif
