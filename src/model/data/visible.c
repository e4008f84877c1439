#include "base/check.h"
#include "model/data/database_state.h"
#include "model/service/task.h"

/*
 * When others see a commit. PostgreSQL ends a transaction in the array of those that run
 * (ProcArrayEndTransaction) after it has flushed its record and waited for its standbys
 * (SyncRepWaitForLSN, called by RecordTransactionCommit; src/backend/access/transam/xact.c), so
 * nobody reads what has not been acknowledged at the level in force:
 *
 *   append ──▶ in the log, rows as before, locks held ──safe──▶ in the rows ──▶ answered, unlocked
 *                    └── the process dies: what the log has is in the rows when it starts again
 *                    └── its wait is cancelled: "committed locally", in the rows at once
 *
 * With `async` a commit waits for nobody, and with `local` for a flush alone. What waits is not
 * put into a node's row map before its turn (`applied` says how far it is); of a SQLite, which has
 * it, reads take it back for as long as they run (sql/execute.c).
 *
 * One that is cancelled is seen before others that were written before it. Snapshots are log
 * sequence numbers: until the others' turn has come one does not see it, and who would write the
 * row in it fails as if it had been overtaken (40001). PostgreSQL would let it go on.
 */

static inline void show(const struct lz_database *d, struct lz_database_node *n, uint64_t lsn)
{
    struct lz_wal_record *r = lz_wal_get(&n->log->wal, lsn);
    LZ_ASSERT(r != NULL);
    if (d->sql == NULL && !r->is_seen)
        lz_database_put(n, r, lsn);
}

void lz_visible_advance(struct lz_database *d, const struct lz_log *log, uint64_t lsn)
{
    struct lz_database_node *n = &d->nodes[log->leader];
    LZ_ASSERT(n->log == log);
    if (lsn > n->lsn)
        lsn = n->lsn;
    while (n->applied < lsn) {
        if (n->applied + LZ_ROWS_AHEAD < lsn)
            lz_rows_fetch(&n->rows, lz_wal_get(&n->log->wal, n->applied + 1 + LZ_ROWS_AHEAD)->key);
        show(d, n, ++n->applied);
    }
    if (n->serial != NULL)
        lz_serial_show(n->serial, n->applied);
}

void lz_visible_given_up(struct lz_database *d, const struct lz_task *t)
{
    uint64_t lsn = lz_database_commit_lsn(t);
    struct lz_database_node *n = &d->nodes[t->server - d->first];
    if (lsn <= n->applied || !lz_visible_is_late(d))
        return;
    struct lz_wal_record *r = lz_wal_get(&n->log->wal, lsn);
    do { // and the rest of its transaction
        show(d, n, lsn);
        r->is_seen = true;
        r = lz_wal_get(&n->log->wal, --lsn);
    } while (r != NULL && r->more && lsn > n->applied);
}
