#include "model/data/standby.h"

#include "base/check.h"
#include "model/node/disk.h"

struct lz_standbys {
    lz_kind log, written, flushed, applied;
    lz_kind due, failed; // a flush that the disk takes part in
};

// Beside the nodes, among the owners of a record's draws.
#define WRITE_OF 0x200u
#define FLUSH_OF 0x300u
#define APPLY_OF 0x400u
#define DISK_OF 0x500u

#define RETRY_AFTER (5 * LZ_S) // wal_retrieve_retry_interval

static lz_time draw(struct lz_world *w, const struct lz_database *d, const struct lz_dist *dist,
                    uint64_t lsn, uint32_t owner)
{
    if (dist->kind == LZ_DIST_NONE)
        return 0;
    uint64_t path = lz_draw_index(lz_draw_index(d->path, lsn), owner);
    struct lz_draw one = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_LOG, 0);
    return lz_dist_time(dist, &one);
}

lz_kind lz_standby_kind(const struct lz_world *w)
{
    return w->standbys->log;
}

void lz_standby_set(struct lz_database_node *n, uint64_t lsn)
{
    n->lsn = n->flushed = n->applied = n->way.sent = n->way.shipped = lsn;
    n->way.catch_first = n->way.catch_last = 0;
    n->rows_engine.lsn = lsn;
    lz_standby_died(n);
}

void lz_standby_died(struct lz_database_node *n)
{
    n->epoch++;
    n->round = n->applying = 0;
    if (n->serial != NULL)
        lz_serial_show(n->serial, UINT64_MAX); // they were another role's
    n->is_rejoining = false;
    if (n->flushed > n->lsn)
        n->flushed = n->lsn;
    if (n->applied > n->lsn)
        n->applied = n->lsn;
}

// A row map finds no conflicts, and is never broken.
static void apply_rows(struct lz_database_node *n, uint64_t lsn)
{
    const struct lz_wal *wal = &n->log->wal;
    for (uint64_t l = n->applied + 1; l <= lsn; l++) {
        const struct lz_wal_record *r = lz_wal_get(wal, l);
        LZ_ASSERT(r != NULL && r->image == NULL);
        if (l + LZ_ROWS_AHEAD <= lsn)
            lz_rows_fetch(&n->rows, lz_wal_get(wal, l + LZ_ROWS_AHEAD)->key);
        lz_rows_put(&n->rows, r->key, l, r->value);
    }
    n->rows_engine.lsn = n->applied = lsn;
}

static void apply(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn)
{
    struct lz_database_node *n = &d->nodes[node];
    if (n->engine == &n->rows_engine.base) {
        apply_rows(n, lsn);
        return;
    }
    for (uint64_t l = n->applied + 1; l <= lsn; l++) {
        const struct lz_wal_record *r = lz_wal_get(&n->log->wal, l);
        struct lz_change change = {.lsn = l, .key = r->key, .value = r->value, .image = r->image};
        struct lz_conflicts conflicts = {0}; // of rows that are not as they were on the primary
        n->engine->ops->apply(n->engine, &change, &conflicts);
        if (conflicts.count > 0)
            lz_metrics_add(w->metrics, d->series.conflicts, conflicts.count);
        if (n->engine->ops->lsn(n->engine) < l)
            n->is_stale = true; // its file is broken: it is rebuilt
    }
    n->applied = lsn;
}

void lz_standby_catch_up(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    if (d->nodes[node].applied < d->nodes[node].lsn)
        apply(w, d, node, d->nodes[node].lsn);
}

lz_time lz_standby_backlog(const struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    if (d->replication.apply_time.kind == LZ_DIST_NONE || n->applied >= n->lsn)
        return 0;
    double mean = lz_dist_mean(&d->replication.apply_time);
    double all = mean * (double)(n->lsn - n->applied);
    return all < (double)LZ_DIST_TIME_MAX ? (lz_time)all : LZ_DIST_TIME_MAX;
}

static void apply_next(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_database_node *n = &d->nodes[node];
    if (n->applying != 0 || n->applied >= n->flushed)
        return;
    if (d->replication.apply_time.kind == LZ_DIST_NONE) {
        apply(w, d, node, n->flushed);
        return;
    }
    n->applying = n->applied + 1;
    lz_time took = draw(w, d, &d->replication.apply_time, n->applying, APPLY_OF + node);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + took, w->standbys->applied, d->first + node, n->epoch);
}

void lz_standby_go_on(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_database_node *n = &d->nodes[node];
    LZ_ASSERT(n->round == 0 && n->applying == 0);
    n->flushed = n->lsn;
    n->way.sent = n->way.shipped = n->lsn;
    n->way.catch_first = n->way.catch_last = 0;
    apply_next(w, d, node);
}

static void on_applied(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->standbys->applied, payload))
        return;
    uint32_t node = entity - d->first;
    struct lz_database_node *n = &d->nodes[node];
    if (n->epoch != payload)
        return;
    uint64_t lsn = n->applying;
    if (lz_wal_get(&n->log->wal, lsn)->more) { // its rows are seen with the last of them
        n->applying = lsn + 1;
        lz_time took = draw(w, d, &d->replication.apply_time, n->applying, APPLY_OF + node);
        lz_sim_at(w->sim, lz_sim_now(w->sim) + took, w->standbys->applied, entity, n->epoch);
        return;
    }
    n->applying = 0;
    apply(w, d, node, lsn);
    if (d->replication.commit == LZ_COMMIT_REMOTE_APPLY)
        lz_database_confirm(w, d, node, lsn);
    else if (n->applied == n->flushed)
        lz_database_measure_lag(w, d);
    apply_next(w, d, node);
}

static void flushed(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn)
{
    struct lz_database_node *n = &d->nodes[node];
    enum lz_commit_level level = d->replication.commit;
    LZ_ASSERT(lsn > n->flushed);
    n->flushed = lsn;
    lz_disk_flushed(w, d->first + node, lsn);
    apply_next(w, d, node);
    bool is_applied = n->applied == lsn;
    if (level == LZ_COMMIT_REMOTE_APPLY ? is_applied : level != LZ_COMMIT_REMOTE_WRITE)
        lz_database_confirm(w, d, node, lsn);
}

static bool takes_time(const struct lz_database *d)
{
    return d->replication.wal_flush.kind != LZ_DIST_NONE ||
           d->replication.standby_write.kind != LZ_DIST_NONE;
}

static void ask_disk(struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    uint64_t owner = lz_draw_index(lz_draw_index(d->path, n->round), DISK_OF + node);
    lz_disk_start(w, d->first + node,
                  &(struct lz_disk_request){.op = LZ_DISK_FSYNC,
                                            .is_in_place = d->retain != NULL,
                                            .owner = owner,
                                            .done = w->standbys->flushed,
                                            .failed = w->standbys->failed,
                                            .payload = n->epoch});
}

// The write is part of the flush, which therefore ends no sooner.
static void begin_round(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_database_node *n = &d->nodes[node];
    const struct lz_replication_opts *o = &d->replication;
    bool is_written = o->commit == LZ_COMMIT_REMOTE_WRITE;
    bool is_felt = lz_disk_is_felt(w, d->first + node);
    if (!takes_time(d) && !is_felt) {
        if (is_written)
            lz_database_confirm(w, d, node, n->lsn);
        flushed(w, d, node, n->lsn);
        return;
    }
    LZ_ASSERT(n->round == 0);
    n->round = n->lsn;
    lz_time now = lz_sim_now(w->sim);
    lz_time write = draw(w, d, &o->standby_write, n->round, WRITE_OF + node);
    lz_time flush = draw(w, d, &o->wal_flush, n->round, FLUSH_OF + node);
    if (is_written)
        lz_sim_at(w->sim, now + write, w->standbys->written, d->first + node, n->epoch);
    lz_time took = flush > write ? flush : write;
    if (is_felt && took == 0)
        ask_disk(w, d, node);
    else
        lz_sim_at(w->sim, now + took, is_felt ? w->standbys->due : w->standbys->flushed,
                  d->first + node, n->epoch);
}

static void on_due(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->standbys->due, payload))
        return;
    if (d->nodes[entity - d->first].epoch == payload)
        ask_disk(w, d, entity - d->first);
}

// Its receiver ends, and another begins where it was.
static void on_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + RETRY_AFTER, w->standbys->due, entity, payload);
}

static void on_written(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->standbys->written, payload))
        return;
    const struct lz_database_node *n = &d->nodes[entity - d->first];
    if (n->epoch == payload && n->round != 0)
        lz_database_confirm(w, d, entity - d->first, n->round);
}

static void on_flushed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->standbys->flushed, payload))
        return;
    uint32_t node = entity - d->first;
    struct lz_database_node *n = &d->nodes[node];
    if (n->epoch != payload)
        return;
    uint64_t lsn = n->round;
    n->round = 0;
    flushed(w, d, node, lsn);
    if (n->lsn > lsn)
        begin_round(w, d, node);
}

/*
 * The usual: one record, the next after those that it has, and none beyond it has come. False: it
 * is for lz_wal_arrived.
 */
static inline bool is_next(const struct lz_database_node *n, uint32_t node, uint64_t lsn)
{
    struct lz_wal *wal = &n->log->wal;
    struct lz_wal_record *r = lz_wal_get(wal, lsn);
    if (r == NULL || lsn != n->lsn + 1 || n->lsn < wal->base || n->way.catch_last == lsn)
        return false;
    const struct lz_wal_record *behind = lz_wal_get(wal, lsn + 1);
    bool is_alone = behind == NULL || (behind->arrived >> node & 1) == 0;
    if (r->batch > 1 || r->more || !is_alone)
        return false;
    r->arrived |= 1ull << node;
    return true;
}

static uint64_t arrived(const struct lz_database_node *n, uint32_t node, uint64_t lsn)
{
    if (is_next(n, node, lsn))
        return lsn;
    uint64_t first = lz_database_first_of(n->log, &n->way, lsn);
    return lz_wal_arrived(&n->log->wal, node, n->lsn, first, lsn);
}

static void on_log(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->standbys->log, payload))
        return;
    uint32_t node = entity - d->first;
    struct lz_database_node *n = &d->nodes[node];
    bool has_process = lz_instance_has_begun(lz_instance_get(w, entity));
    if (!has_process || n->is_stale || n->log->leader == node ||
        !lz_log_is_current(n->log, payload))
        return;
    uint64_t before = n->lsn;
    n->lsn = arrived(n, node, lz_log_lsn_of(payload));
    if (n->lsn > before && n->round == 0)
        begin_round(w, d, node);
}

void lz_standby_init(struct lz_world *w)
{
    w->standbys = lz_arena_alloc(w->arena, sizeof(*w->standbys));
    w->standbys->log = lz_sim_kind(w->sim, "log", on_log, w);
    w->standbys->written = lz_sim_kind(w->sim, "standby.written", on_written, w);
    w->standbys->flushed = lz_sim_kind(w->sim, "standby.flushed", on_flushed, w);
    w->standbys->applied = lz_sim_kind(w->sim, "standby.applied", on_applied, w);
    w->standbys->due = lz_sim_kind(w->sim, "standby.due", on_due, w);
    w->standbys->failed = lz_sim_kind(w->sim, "standby.failed", on_failed, w);
}
