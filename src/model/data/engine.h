/*
 * engine.h — what a database node stores, behind one small table of functions.
 *
 * Two engines: `rows`, a map of keys to versions and values for databases that are about rate, and
 * `sqlite`, a real SQLite for those that have a `schema`. Replication, failover and
 * backups know only this table: a commit is a change with an LSN, a replica applies changes in
 * the order of their LSNs, a node is copied, saved, restored, compared and looked over.
 *
 *   commit on the primary ──▶ log record (wal.h) holds its image ──▶ apply on each replica
 *
 * Invariants: (1) nodes that applied the same changes have the same hash, whatever they were
 * copied or restored from; (2) a copy and a restore leave nothing of what was there before;
 * (3) an engine allocates from its arena only, and nothing of it outlives the run.
 */
#ifndef LZ_MODEL_DATA_ENGINE_H
#define LZ_MODEL_DATA_ENGINE_H

#include <stdbool.h>

#include "base/err.h"
#include "model/data/image.h"
#include "model/data/rows.h"

/* One commit. */
struct lz_change {
    uint64_t lsn;
    uint64_t key, value;          /* rows: which row, and what is in it */
    const struct lz_image *image; /* sqlite: the rows it changed */
};

/*
 * A change that found another row than the one it had changed where it was made, or none, or
 * one where there was none. `found` is what is here, `wanted` what the change would
 * put there; a row that is not there has no values. All are good until the rule returns.
 */
struct lz_conflict {
    uint64_t key; /* of the row: the same on every node */
    struct lz_image_row expected, found, wanted;
};

/* Whether the change is applied nevertheless. */
typedef bool lz_conflict_rule(void *ctx, const struct lz_conflict *c);

struct lz_conflicts {
    lz_conflict_rule *rule; /* NULL: as the log says, it is applied */
    void *ctx;
    uint64_t count; /* rows that did not match; counts on */
};

struct lz_engine {
    const struct lz_engine_ops *ops;
    struct lz_arena *arena;
};

struct lz_snapshot; /* of an engine's own making */

struct lz_engine_ops {
    const char *name;
    /* `conflicts` may be NULL where nobody counts them. */
    void (*apply)(struct lz_engine *e, const struct lz_change *c, struct lz_conflicts *conflicts);
    uint64_t (*lsn)(const struct lz_engine *e); /* of the last change it holds */
    void (*copy)(struct lz_engine *e, const struct lz_engine *from);
    /* The content as it is now, in the arena, until it is dropped. Taken again and again. */
    struct lz_snapshot *(*save)(struct lz_engine *e);
    void (*restore)(struct lz_engine *e, const struct lz_snapshot *s);
    void (*drop)(struct lz_engine *e, struct lz_snapshot *s);
    uint64_t (*hash)(struct lz_engine *e); /* of the content, not of how it is laid out */
    /* Is it whole? If not, what is wrong; `out` is not touched otherwise. */
    bool (*check)(struct lz_engine *e, struct lz_err *out);
    size_t (*bytes)(const struct lz_engine *e);
};

/* rows_engine.c: rows behind the table. */
struct lz_rows_engine {
    struct lz_engine base; /* first */
    struct lz_rows *rows;
    uint64_t lsn;
};
void lz_rows_engine_init(struct lz_rows_engine *e, struct lz_rows *rows);

#endif
