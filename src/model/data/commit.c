#include "base/check.h"
#include "model/data/database_state.h"
#include "model/history/recorder.h"
#include "model/service/task.h"

/* Who waits until a write is safe, and how far it is: see replicate.h. */

static void acknowledge(struct lz_world *w, struct lz_database *d, struct lz_task *t, uint64_t lsn)
{
    struct lz_log *log = lz_database_log_of(d, t);
    struct lz_wal_record *r = lz_wal_get(&log->wal, lsn);
    if (r != NULL)
        r->acked = true;
    if (log == &d->log && d->opts.read_replicas)
        lz_rows_put(&d->acked_rows, r != NULL ? r->key : t->key, lsn, lsn);
    uint64_t begin = lsn; // of its transaction
    while ((r = lz_wal_get(&log->wal, begin - 1)) != NULL && r->more) {
        begin--;
        r->acked = true;
        if (log == &d->log && d->opts.read_replicas)
            lz_rows_put(&d->acked_rows, r->key, begin, begin);
    }
    if (log->is_branch)
        lz_metrics_add(w->metrics, d->series.lost_acks, lsn - begin + 1); // nobody keeps a branch
    if (log == &d->log && lsn > d->acked_last)
        d->acked_last = lsn;
    if (d->backups != NULL && log == &d->log)
        lz_backup_acked(d, begin, lsn);
    lz_metrics_add_on(w->metrics, d->series.acked_on, lsn - begin + 1);
    if (log == &d->log && d->opts.read_replicas)
        lz_reads_wrote(w, d, t->request, lsn);
    t->value = lz_value_integer((int64_t)lsn);
    lz_recorder_effect(w, t, lsn);
    lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
}

static void wait(struct lz_world *w, struct lz_log *log, struct lz_task *t, uint64_t lsn)
{
    t->rest_ns = (lz_time)lsn;
    t->queue_prev = log->commit_last;
    t->queue_next = 0;
    if (log->commit_last != 0)
        lz_task_at(w, log->commit_last)->queue_next = t->head.index;
    else
        log->commit_first = t->head.index;
    log->commit_last = t->head.index;
}

void lz_database_forget_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (lz_database_commit_lsn(t) == 0)
        return;
    struct lz_log *log = lz_database_log_of(d, t);
    t->rest_ns = 0;
    if (d->agree != NULL)
        return; // its entry finds nobody
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        log->commit_first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        log->commit_last = t->queue_prev;
}

static bool confirms(const struct lz_database *d, const struct lz_log *log, uint32_t node)
{
    return node != log->leader && d->nodes[node].log == log;
}

// ANY 1: as far as the most advanced.
static inline uint64_t any_one(const struct lz_database *d, const struct lz_log *log)
{
    const struct lz_database_node *leader = &d->nodes[log->leader];
    uint64_t best = 0;
    for (const struct lz_database_node *n = d->nodes, *end = n + d->opts.nodes; n < end; n++)
        if (n->acked > best && n->log == log && n != leader)
            best = n->acked;
    return best;
}

// ANY k: as far as the k-th of the standbys, the most advanced first.
static uint64_t any(const struct lz_database *d, const struct lz_log *log)
{
    uint64_t best[LZ_DATABASE_NODES_MAX];
    uint32_t count = 0, want = d->replication.quorum;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (!confirms(d, log, n))
            continue;
        uint32_t at = count < want ? count++ : want;
        for (; at > 0 && best[at - 1] < d->nodes[n].acked; at--)
            if (at < want)
                best[at] = best[at - 1];
        if (at < want)
            best[at] = d->nodes[n].acked;
    }
    return count == want ? best[want - 1] : 0;
}

// One that has no process is known to be gone; one that is silent is not, for a while.
static bool is_connected(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    if (n->is_stale || !lz_instance_has_begun(lz_instance_get(w, d->first + node)))
        return false;
    if (d->encrypt != NULL && !lz_encrypt_has_stream(d, node))
        return false;
    return n->silent_since < 0 ||
           lz_sim_now(w->sim) < n->silent_since + d->replication.sender_timeout;
}

// FIRST k: as far as the last of the k that come first of those connected.
static uint64_t first(const struct lz_world *w, const struct lz_database *d,
                      const struct lz_log *log)
{
    uint64_t least = UINT64_MAX;
    uint32_t want = d->replication.quorum;
    for (uint32_t i = 0; i < d->replication.priority_count && want > 0; i++) {
        uint32_t n = d->replication.priority[i] - 1u;
        if (!confirms(d, log, n) || !is_connected(w, d, n))
            continue;
        want--;
        least = d->nodes[n].acked < least ? d->nodes[n].acked : least;
    }
    return want == 0 ? least : 0;
}

static inline uint64_t safe(const struct lz_world *w, const struct lz_database *d,
                            const struct lz_log *log)
{
    if (d->replication.commit == LZ_COMMIT_ASYNC)
        return UINT64_MAX;
    if (d->replication.commit == LZ_COMMIT_LOCAL)
        return log->flushed;
    if (d->replication.priority_count > 0)
        return first(w, d, log);
    return d->replication.quorum == 1 ? any_one(d, log) : any(d, log);
}

void lz_database_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t, uint64_t lsn)
{
    struct lz_log *log = lz_database_log_of(d, t);
    bool is_local = d->replication.commit <= LZ_COMMIT_ASYNC;
    if (is_local && lsn <= safe(w, d, log))
        acknowledge(w, d, t, lsn);
    else
        wait(w, log, t, lsn);
}

void lz_database_commit_safe(struct lz_world *w, struct lz_database *d, struct lz_log *log)
{
    const struct lz_database_node *leader = &d->nodes[log->leader];
    bool hides = leader->applied < leader->lsn && lz_visible_is_late(d) &&
                 lz_instance_has_begun(lz_instance_get(w, d->first + log->leader));
    if (log->commit_first == 0 && !hides)
        return;
    uint64_t up_to = safe(w, d, log);
    if (hides && (up_to > leader->applied || leader->serial != NULL))
        lz_visible_advance(d, log, up_to);
    while (log->commit_first != 0) {
        struct lz_task *t = lz_task_at(w, log->commit_first);
        uint64_t lsn = lz_database_commit_lsn(t);
        if (lsn > up_to)
            return;
        lz_database_forget_commit(w, d, t);
        acknowledge(w, d, t, lsn);
    }
}
