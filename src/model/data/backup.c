#include "model/data/backup.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/data/backup_state.h"
#include "model/net/net.h"
#include "model/world_kinds.h"

// Faults in force, of all databases.
struct lz_backup_effects {
    struct lz_backup_effect *all;
    uint32_t count, cap;
};

#define PATH_OF_BACKUPS (1ull << 48) // above any LSN

lz_time lz_backup_copy_time(const struct lz_backups *b)
{
    double ns = b->opts.size / b->opts.throughput * 1e9;
    return ns < (double)LZ_DIST_TIME_MAX ? (lz_time)(ns + 0.5) : LZ_DIST_TIME_MAX;
}

bool lz_backup_can_reach(struct lz_world *w, const struct lz_database *d)
{
    if (d->backups->opts.to == 0)
        return true;
    const struct lz_component *to = lz_world_component(w, d->backups->opts.to);
    for (uint32_t i = 0; i < to->instance_count; i++) {
        lz_instance_id at = to->instances_first + i;
        lz_time took;
        uint64_t owner = lz_draw_index(d->path, PATH_OF_BACKUPS + i);
        if (lz_instance_is_up(lz_instance_get(w, at)) &&
            lz_net_round_trip(w, d->first + d->primary, at, owner, ++d->backups->asked, &took))
            return true;
    }
    return false;
}

static bool is_touched(const struct lz_world *w, const struct lz_database *d, bool by_failing)
{
    const struct lz_backup_effects *es = w->backup_effects;
    bool is = false;
    for (uint32_t i = 0; es != NULL && i < es->count; i++) {
        const struct lz_backup_effect *e = &es->all[i];
        if (e->touched == NULL || !(by_failing ? e->fails : e->corrupts) ||
            (e->of != d->id && e->of != d->backups->opts.to))
            continue;
        is = true;
        (*e->touched)++;
    }
    return is;
}

// Records up to the oldest backup are of no use.
static void drop_records(struct lz_backups *b)
{
    uint64_t oldest = b->base_count > 0 ? b->bases[0].lsn : 0;
    uint32_t gone = 0;
    while (gone < b->record_count && b->records[gone].lsn <= oldest) {
        if (b->records[gone].change.image != NULL)
            lz_image_release((struct lz_image *)b->records[gone].change.image);
        gone++;
    }
    if (gone == 0)
        return;
    b->record_count -= gone;
    memmove(b->records, &b->records[gone], b->record_count * sizeof(*b->records));
}

static void drop_base(struct lz_database *d, uint32_t i)
{
    struct lz_backups *b = d->backups;
    struct lz_engine *e = d->nodes[d->primary].engine;
    e->ops->drop(e, b->bases[i].snapshot);
    b->base_count--;
    memmove(&b->bases[i], &b->bases[i + 1], (b->base_count - i) * sizeof(b->bases[0]));
}

void lz_backup_drop_since(struct lz_database *d, uint64_t lsn)
{
    struct lz_backups *b = d->backups;
    while (b->base_count > 0 && b->bases[b->base_count - 1].lsn > lsn)
        drop_base(d, b->base_count - 1);
    while (b->record_count > 0 && b->records[b->record_count - 1].lsn > lsn) {
        struct lz_backup_record *r = &b->records[--b->record_count];
        if (r->change.image != NULL)
            lz_image_release((struct lz_image *)r->change.image);
    }
    if (b->archived > lsn)
        b->archived = lsn;
}

static void failed(struct lz_world *w, struct lz_database *d)
{
    lz_metrics_add(w->metrics, d->series.backups_failed, 1);
}

static void finish(struct lz_world *w, struct lz_database *d)
{
    struct lz_backups *b = d->backups;
    b->is_running = false;
    struct lz_backup_base *base = &b->bases[b->base_count - 1];
    bool is_lost = is_touched(w, d, true) || !lz_backup_can_reach(w, d);
    if (is_lost) {
        drop_base(d, b->base_count - 1);
        failed(w, d);
        return;
    }
    base->is_complete = true;
    base->is_corrupt = is_touched(w, d, false);
    lz_metrics_add(w->metrics, d->series.backups, 1);
    while (b->base_count > b->opts.keep)
        drop_base(d, 0);
    drop_records(b);
    lz_backup_measure(w, d);
}

void lz_backup_begin(struct lz_world *w, struct lz_database *d)
{
    struct lz_backups *b = d->backups;
    lz_instance_id primary = d->first + d->primary;
    if (b->is_running || b->restore.is_on)
        return;
    if (!lz_instance_has_begun(lz_instance_get(w, primary)) || !lz_backup_can_reach(w, d)) {
        failed(w, d);
        return;
    }
    struct lz_database_node *n = &d->nodes[d->primary];
    b->bases[b->base_count++] =
        (struct lz_backup_base){.snapshot = n->engine->ops->save(n->engine),
                                .lsn = d->sql == NULL && d->multi == NULL ? n->applied : n->lsn,
                                .at = lz_sim_now(w->sim)};
    b->is_running = true;
    lz_time took = lz_backup_copy_time(b);
    if (took == 0)
        finish(w, d);
    else
        lz_sim_at(w->sim, lz_sim_now(w->sim) + took, b->done, d->id,
                  b->bases[b->base_count - 1].lsn);
}

static void on_full(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    lz_backup_begin(w, d);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + d->backups->opts.full, d->backups->full, entity, 0);
}

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    const struct lz_backups *b = d->backups;
    // It may have been dropped with its timeline.
    if (b->is_running && b->base_count > 0 && b->bases[b->base_count - 1].lsn == payload)
        finish(w, d);
    else
        d->backups->is_running = false;
}

static void on_archive(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    struct lz_backups *b = d->backups;
    lz_instance_id primary = d->first + d->primary;
    bool is_lost = is_touched(w, d, true) || !lz_backup_can_reach(w, d) ||
                   !lz_instance_has_begun(lz_instance_get(w, primary));
    if (!is_lost && !b->restore.is_on) {
        b->archived = d->log.flushed;
        b->archived_at = lz_sim_now(w->sim);
    }
    lz_backup_measure(w, d);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + b->opts.archive, b->archive, entity, 0);
}

void lz_backup_wrote(struct lz_world *w, struct lz_database *d, uint64_t lsn)
{
    struct lz_backups *b = d->backups;
    const struct lz_wal_record *r = lz_wal_get(&d->log.wal, lsn);
    LZ_ASSERT(r != NULL);
    b->records =
        lz_grow(w->arena, b->records, &b->record_cap, b->record_count + 1, sizeof(*b->records));
    b->records[b->record_count++] = (struct lz_backup_record){
        .lsn = lsn,
        .change = {.lsn = lsn,
                   .key = r->key,
                   .value = r->value,
                   .image = lz_image_hold((struct lz_image *)r->image)},
        .at = r->at,
    };
}

void lz_backup_acked(struct lz_database *d, uint64_t first, uint64_t last)
{
    struct lz_backups *b = d->backups;
    for (uint32_t i = b->record_count; i > 0 && b->records[i - 1].lsn >= first; i--)
        if (b->records[i - 1].lsn <= last)
            b->records[i - 1].acked = true;
}

void lz_backup_cut(struct lz_database *d, uint64_t lsn)
{
    lz_backup_drop_since(d, lsn);
}

// The newest moment that could be had again.
static lz_time recoverable(const struct lz_backups *b)
{
    lz_time newest = 0;
    bool is_any = false;
    for (uint32_t i = 0; i < b->base_count; i++)
        if (b->bases[i].is_complete && !b->bases[i].is_corrupt) {
            newest = b->bases[i].at;
            is_any = true;
        }
    if (is_any && b->opts.archive > 0 && b->archived_at > newest)
        return b->archived_at;
    return newest;
}

void lz_backup_measure(struct lz_world *w, struct lz_database *d)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, d->series.rpo, now, (double)(now - recoverable(d->backups)) / 1e9);
}

uint32_t lz_backup_disturb(struct lz_world *w, const struct lz_backup_effect *effect)
{
    LZ_ASSERT(effect->of != 0 && effect->touched != NULL);
    if (w->backup_effects == NULL)
        w->backup_effects = lz_arena_alloc(w->arena, sizeof(*w->backup_effects));
    struct lz_backup_effects *es = w->backup_effects;
    uint32_t i = 0;
    while (i < es->count && es->all[i].touched != NULL)
        i++;
    es->all = lz_grow(w->arena, es->all, &es->cap, i + 1, sizeof(*es->all));
    es->all[i] = *effect;
    es->count = i + 1 > es->count ? i + 1 : es->count;
    return i + 1;
}

void lz_backup_undo(struct lz_world *w, uint32_t effect)
{
    struct lz_backup_effects *es = w->backup_effects;
    LZ_ASSERT(es != NULL && effect >= 1 && effect <= es->count);
    LZ_ASSERT(es->all[effect - 1].touched != NULL);
    es->all[effect - 1] = (struct lz_backup_effect){0};
}

bool lz_backup_is_any(const struct lz_world *w, lz_component_id of)
{
    for (lz_component_id id = 1; id < w->databases->cap; id++) {
        const struct lz_database *d = w->databases->all[id];
        if (d != NULL && d->backups != NULL && (id == of || d->backups->opts.to == of))
            return true;
    }
    return false;
}

static void fill_defaults(struct lz_backup_opts *o)
{
    if (o->full == 0)
        o->full = 24 * 3600 * LZ_S;
    if (o->keep == 0)
        o->keep = 7;
    if (!(o->throughput > 0.0))
        o->throughput = 200e6;
    if (!(o->replay_rate > 0.0))
        o->replay_rate = 5.0;
}

bool lz_backup_declare(struct lz_world *w, lz_component_id database,
                       const struct lz_backup_opts *opts, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, database);
    LZ_ASSERT(!w->running);
    if (opts->keep > LZ_BACKUP_KEEP_MAX)
        return lz_fail(err, LZ_EFULL, "backup: keep must be at most %d, got %u", LZ_BACKUP_KEEP_MAX,
                       opts->keep);
    struct lz_backups *b = d->backups = lz_arena_alloc(w->arena, sizeof(*b));
    b->opts = *opts;
    fill_defaults(&b->opts);
    if (lz_backup_copy_time(b) >= b->opts.full)
        return lz_fail(err, LZ_ERANGE,
                       "backup: copying takes %.4g s, longer than from one full backup to the "
                       "next: raise throughput or full",
                       (double)lz_backup_copy_time(b) / 1e9);
    b->full = lz_sim_kind(w->sim, "backup.full", on_full, w);
    b->done = lz_sim_kind(w->sim, "backup.done", on_done, w);
    b->archive = lz_sim_kind(w->sim, "backup.archive", on_archive, w);
    lz_restores_init(w, b);
    struct lz_database_node *n = &d->nodes[d->primary];
    b->bases[b->base_count++] = (struct lz_backup_base){
        .snapshot = n->engine->ops->save(n->engine), .lsn = n->lsn, .is_complete = true};
    lz_sim_at(w->sim, b->opts.full, b->full, database, 0);
    if (b->opts.archive > 0)
        lz_sim_at(w->sim, b->opts.archive, b->archive, database, 0);
    if (b->opts.drill > 0)
        lz_sim_at(w->sim, b->opts.drill, b->drill_begin, database, 0);
    return true;
}

size_t lz_backup_bytes(const struct lz_database *d)
{
    const struct lz_backups *b = d->backups;
    return b != NULL ? sizeof(*b) + (size_t)b->record_cap * sizeof(*b->records) : 0;
}
