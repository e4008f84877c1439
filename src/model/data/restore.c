#include "base/check.h"
#include "model/data/backup_state.h"
#include "model/service/task.h"
#include "model/world_kinds.h"

/* What backups are worth: restores, and drills, which are restores that change nothing. */

// One more than the place of the newest that is complete, not after `at` and before `below`.
static uint32_t base_before(const struct lz_backups *b, lz_time at, uint32_t below)
{
    for (uint32_t i = below; i > 0; i--)
        if (b->bases[i - 1].is_complete && (at < 0 || b->bases[i - 1].at <= at))
            return i;
    return 0;
}

// How far a restore gets: the last record in the archive that is not after the moment.
static uint64_t target_of(const struct lz_backups *b, const struct lz_restore *r)
{
    const struct lz_backup_base *base = &b->bases[r->base - 1];
    uint64_t lsn = base->lsn;
    for (uint32_t i = 0; i < b->record_count && b->opts.archive > 0; i++) {
        const struct lz_backup_record *one = &b->records[i];
        if (one->lsn > lsn && one->lsn <= b->archived && (r->at < 0 || one->at <= r->at))
            lsn = one->lsn;
    }
    return lsn;
}

static lz_time moment_of(const struct lz_backups *b, const struct lz_restore *r)
{
    lz_time from = b->bases[r->base - 1].at;
    if (b->opts.archive == 0 || b->archived_at < from)
        return from;
    return r->at >= 0 && r->at < b->archived_at ? r->at : b->archived_at;
}

static lz_time time_of(const struct lz_backups *b, const struct lz_restore *r)
{
    lz_time span = moment_of(b, r) - b->bases[r->base - 1].at;
    return lz_backup_copy_time(b) + (lz_time)((double)span / b->opts.replay_rate + 0.5);
}

static void measure_rto(struct lz_world *w, struct lz_database *d, const struct lz_restore *r)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, d->series.rto, now, (double)(now - r->began) / 1e9);
}

// One that cannot be read is noticed once it has been copied.
static void try_base(struct lz_world *w, const struct lz_database *d, struct lz_restore *r,
                     lz_kind kind)
{
    const struct lz_backups *b = d->backups;
    const struct lz_backup_base *base = &b->bases[r->base - 1];
    lz_time took = base->is_corrupt ? lz_backup_copy_time(b) : time_of(b, r);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + took, kind, d->id, r->number);
}

// What was acknowledged after it is not there any more.
static uint64_t count_lost(const struct lz_backups *b, uint64_t target)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < b->record_count; i++)
        lost += b->records[i].lsn > target && b->records[i].acked;
    return lost;
}

static void put_back(struct lz_world *w, struct lz_database *d, const struct lz_restore *r)
{
    struct lz_backups *b = d->backups;
    struct lz_database_node *n = &d->nodes[d->primary];
    const struct lz_backup_base *base = &b->bases[r->base - 1];
    uint64_t target = target_of(b, r), from = base->lsn, lost = count_lost(b, target);
    n->engine->ops->restore(n->engine, base->snapshot);
    for (uint32_t i = 0; i < b->record_count; i++)
        if (b->records[i].lsn > from && b->records[i].lsn <= target)
            n->engine->ops->apply(n->engine, &b->records[i].change, NULL);
    for (uint32_t i = 0; i < b->record_count && d->opts.read_replicas; i++) {
        uint64_t key = b->records[i].change.key, version = lz_rows_get(&n->rows, key);
        lz_rows_put(&d->acked_rows, key, version, version);
    }
    if (d->sql != NULL) { // its file says how far it is: not only to there
        struct lz_change none = {.lsn = n->lsn, .image = lz_image_create(w->arena, NULL, 0)};
        n->engine->ops->apply(n->engine, &none, NULL);
        lz_image_release((struct lz_image *)none.image);
    }
    if (d->multi == NULL)
        n->applied = n->lsn; // what had still to be shown is not there any more
    lz_backup_drop_since(d, target);
    for (uint32_t i = 0; i < d->opts.nodes; i++)
        if (i != d->primary)
            d->nodes[i].is_stale = d->nodes[i].must_copy = true;
    lz_metrics_add(w->metrics, d->series.lost_acks, lost);
    lz_instance_note(w, d->first + d->primary, "restored",
                     "restored to %.6gs, %llu acknowledged writes are gone",
                     (double)moment_of(b, r) / 1e9, (unsigned long long)lost);
}

static void end_restore(struct lz_world *w, struct lz_database *d, bool is_good)
{
    struct lz_backups *b = d->backups;
    b->restore.is_on = false;
    measure_rto(w, d, &b->restore);
    if (!is_good) {
        lz_metrics_add(w->metrics, d->series.restores_failed, 1);
        lz_instance_note(w, d->first + d->primary, "restore_failed",
                         "cannot be restored: no backup can be read");
        return; // and it stays as it is, until another restore
    }
    d->is_restoring = false;
    w->ways++;
    lz_metrics_set(w->metrics, d->series.restoring, lz_sim_now(w->sim), 0.0);
    lz_database_reconsider(w);
    lz_backup_begin(w, d);
}

// The primary may have died meanwhile, or lead no longer: it goes on where there is one.
static void on_restored(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    struct lz_backups *b = d->backups;
    struct lz_restore *r = &b->restore;
    if (!r->is_on || r->number != payload)
        return;
    bool is_up = lz_instance_has_begun(lz_instance_get(w, d->first + d->primary));
    if (!is_up || !lz_backup_can_reach(w, d)) {
        lz_sim_at(w->sim, lz_sim_now(w->sim) + LZ_S, b->restored, entity, payload);
        return;
    }
    if (!b->bases[r->base - 1].is_corrupt) {
        put_back(w, d, r);
        end_restore(w, d, true);
        return;
    }
    r->base = base_before(b, r->at, r->base - 1);
    if (r->base == 0)
        end_restore(w, d, false);
    else
        try_base(w, d, r, b->restored);
}

bool lz_backup_restore(struct lz_world *w, lz_component_id database, lz_time at, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, database);
    struct lz_backups *b = d->backups;
    const char *name = d->opts.name;
    if (b == NULL)
        return lz_fail(err, LZ_EINVAL, "%s has no backups: give it backup = { full = \"24h\" }",
                       name);
    if (b->restore.is_on)
        return lz_fail(err, LZ_EINVAL, "%s is being restored already", name);
    if (at > lz_sim_now(w->sim))
        return lz_fail(err, LZ_ERANGE, "%s cannot be restored to %.6gs: that is still to come",
                       name, (double)at / 1e9);
    uint32_t base = base_before(b, at, b->base_count);
    if (base == 0)
        return lz_fail(err, LZ_ERANGE, "%s has no backup of %.6gs or before: %u are kept", name,
                       (double)at / 1e9, b->opts.keep);
    b->restore = (struct lz_restore){.is_on = true,
                                     .began = lz_sim_now(w->sim),
                                     .at = at,
                                     .base = base,
                                     .number = b->restore.number + 1};
    d->is_restoring = true;
    w->ways++;
    lz_metrics_set(w->metrics, d->series.restoring, lz_sim_now(w->sim), 1.0);
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        lz_query_break_all(w, d, d->first + n, false);
    lz_instance_note(w, d->first + d->primary, "restoring", "is being restored");
    try_base(w, d, &b->restore, b->restored);
    return true;
}

static void end_drill(struct lz_world *w, struct lz_database *d, bool is_good)
{
    struct lz_backups *b = d->backups;
    b->drill.is_on = false;
    measure_rto(w, d, &b->drill);
    lz_metrics_add(w->metrics, d->series.drills, 1);
    if (is_good)
        return;
    lz_metrics_add(w->metrics, d->series.drills_failed, 1);
    lz_instance_note(w, d->first + d->primary, "drill_failed",
                     "restore drill failed: the newest backup cannot be read");
    lz_backup_begin(w, d);
}

static void on_drill(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    struct lz_backups *b = d->backups;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + b->opts.drill, b->drill_begin, entity, 0);
    if (b->drill.is_on || b->restore.is_on)
        return;
    b->drill = (struct lz_restore){.is_on = true,
                                   .began = lz_sim_now(w->sim),
                                   .at = -1,
                                   .base = base_before(b, -1, b->base_count),
                                   .number = b->drill.number + 1};
    // That none was made of late is found out too: it is not the state of today.
    bool is_old = b->drill.base == 0 || lz_sim_now(w->sim) - moment_of(b, &b->drill) >
                                            b->opts.full + lz_backup_copy_time(b);
    if (is_old || !lz_backup_can_reach(w, d))
        end_drill(w, d, false);
    else
        try_base(w, d, &b->drill, b->drilled);
}

static void on_drilled(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    const struct lz_backups *b = d->backups;
    if (!b->drill.is_on || b->drill.number != payload)
        return;
    bool is_there = b->drill.base <= b->base_count;
    end_drill(w, d, is_there && !b->bases[b->drill.base - 1].is_corrupt);
}

void lz_restores_init(struct lz_world *w, struct lz_backups *b)
{
    b->drill_begin = lz_sim_kind(w->sim, "drill", on_drill, w);
    b->restored = lz_sim_kind(w->sim, "restored", on_restored, w);
    b->drilled = lz_sim_kind(w->sim, "drilled", on_drilled, w);
}
