#include "model/data/checkpoint.h"

#include "base/check.h"
#include "base/hash.h"
#include "model/data/database_state.h"
#include "model/data/sql/replay.h"
#include "model/node/disk.h"

#define TICK (100 * LZ_MS)

struct lz_checkpoints {
    struct lz_checkpoint_opts opts;
    lz_kind due, tick, written;
    uint32_t *touched; // by page: the checkpoint since which it was changed
    uint32_t number;   // of the latest one
    uint32_t dirty;    // pages changed since it began
    lz_time began;
    uint64_t turn; // timers of an older one are void
    double since;  // bytes of log since it began
    double unflushed;
    double owed, each; // pages that are still to be written, and in each tick
    double fraction;   // of a page, that is to be written next
    uint64_t writes;   // ever: counts their draws
};

static lz_instance_id leader(const struct lz_database *d)
{
    return d->first + d->primary;
}

static void arm(struct lz_world *w, const struct lz_database *d)
{
    const struct lz_checkpoints *c = d->checkpoints;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + c->opts.timeout, c->due, d->id, c->turn);
}

// What an earlier one has not written yet is written with this one's.
static void begin(struct lz_world *w, struct lz_database *d, lz_series counts)
{
    struct lz_checkpoints *c = d->checkpoints;
    lz_time now = lz_sim_now(w->sim), took = now - c->began;
    bool is_idle = !(c->owed > 0.0);
    double ticks = c->opts.completion_target * (double)took / (double)TICK;
    c->owed += c->dirty;
    c->each = ticks > 1.0 ? c->owed / ticks : c->owed;
    c->number++;
    c->dirty = 0;
    c->since = 0.0;
    c->began = now;
    c->turn++;
    if (d->retain != NULL)
        lz_retain_checkpoint_began(d);
    lz_metrics_add(w->metrics, counts, 1);
    arm(w, d);
    if (is_idle && c->owed > 0.0)
        lz_sim_at(w->sim, now + TICK, c->tick, d->id, 0);
    else if (is_idle && d->retain != NULL)
        lz_retain_checkpoint_ended(w, d);
}

static void on_due(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    if (d->checkpoints->turn == payload)
        begin(w, d, d->series.checkpoints);
}

static void write_page(struct lz_world *w, struct lz_database *d)
{
    struct lz_checkpoints *c = d->checkpoints;
    c->writes++;
    lz_metrics_add(w->metrics, d->series.checkpoint_pages, 1);
    if (!lz_disk_is_felt(w, leader(d)))
        return;
    uint64_t owner = lz_draw_index(lz_draw_name(d->path, "checkpoint"), c->writes);
    lz_disk_start(w, leader(d),
                  &(struct lz_disk_request){.op = LZ_DISK_WRITE,
                                            .is_in_place = true,
                                            .owner = owner,
                                            .done = c->written,
                                            .failed = c->written});
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    struct lz_checkpoints *c = d->checkpoints;
    if (!lz_instance_has_begun(lz_instance_get(w, leader(d)))) {
        c->owed = c->fraction = 0.0; // with its memory; recovery writes it
        return;
    }
    for (c->fraction += c->each; c->fraction >= 1.0 && c->owed > 0.0; c->fraction -= 1.0) {
        write_page(w, d);
        c->owed -= 1.0;
    }
    if (c->owed > 0.0) {
        lz_sim_at(w->sim, lz_sim_now(w->sim) + TICK, c->tick, entity, 0);
        return;
    }
    c->owed = c->fraction = 0.0;
    if (d->retain != NULL)
        lz_retain_checkpoint_ended(w, d);
}

// The page has been written, or could not be: the next checkpoint has it again.
static void on_written(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)ctx;
    (void)entity;
    (void)payload;
}

struct change {
    struct lz_checkpoints *c;
    double bytes;
    uint32_t full;
};

static void touch(void *ctx, uint64_t key)
{
    struct change *o = ctx;
    struct lz_checkpoints *c = o->c;
    uint32_t *page = &c->touched[lz_hash_mix(key, 7) % c->opts.pages];
    o->bytes += c->opts.record_bytes;
    if (*page == c->number)
        return;
    *page = c->number;
    c->dirty++;
    if (c->opts.no_full_pages)
        return;
    o->full++;
    o->bytes += LZ_CHECKPOINT_PAGE;
}

double lz_checkpoint_wrote(struct lz_world *w, struct lz_database *d, uint64_t key,
                           const struct lz_image *image)
{
    struct lz_checkpoints *c = d->checkpoints;
    struct change o = {.c = c};
    if (image != NULL)
        lz_replay_each_key(image, touch, &o);
    else
        touch(&o, key);
    c->since += o.bytes;
    c->unflushed += o.bytes;
    lz_metrics_add(w->metrics, d->series.wal_bytes, (uint64_t)(o.bytes + 0.5));
    lz_metrics_add(w->metrics, d->series.wal_full_pages, o.full);
    if (c->since >= c->opts.max_wal_size / (1.0 + c->opts.completion_target))
        begin(w, d, d->series.checkpoints_requested);
    return o.bytes;
}

lz_time lz_checkpoint_flush(struct lz_database *d)
{
    struct lz_checkpoints *c = d->checkpoints;
    double bytes = c->unflushed;
    c->unflushed = 0.0;
    return c->opts.bandwidth > 0.0 ? (lz_time)(bytes / c->opts.bandwidth * 1e9 + 0.5) : 0;
}

void lz_checkpoint_promoted(struct lz_world *w, struct lz_database *d)
{
    struct lz_checkpoints *c = d->checkpoints;
    c->dirty = 0; // the old leader's
    c->owed = c->fraction = 0.0;
    c->unflushed = 0.0;
    begin(w, d, d->series.checkpoints_requested);
}

static bool check(const struct lz_database *d, const struct lz_checkpoint_opts *o,
                  struct lz_err *err)
{
    if (d->multi != NULL || d->agree != NULL)
        return lz_fail(err, LZ_EINVAL,
                       "checkpoint is about the log of one primary: leave it out with replication "
                       "= \"multi\" or \"raft\"");
    if (o->completion_target < 0.0 || o->completion_target > 1.0)
        return lz_fail(err, LZ_ERANGE,
                       "completion_target is a share of the time between checkpoints, 0 to 1, got "
                       "%g",
                       o->completion_target);
    if (o->pages > LZ_CHECKPOINT_PAGES_MAX)
        return lz_fail(err, LZ_EFULL, "pages must be at most %u (80 GB), got %u",
                       LZ_CHECKPOINT_PAGES_MAX, o->pages);
    return true;
}

bool lz_checkpoint_declare(struct lz_world *w, lz_component_id id,
                           const struct lz_checkpoint_opts *opts, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running && d->checkpoints == NULL);
    if (!check(d, opts, err))
        return false;
    struct lz_checkpoints *c = d->checkpoints = lz_arena_alloc(w->arena, sizeof(*c));
    struct lz_checkpoint_opts *o = &c->opts;
    *o = *opts;
    o->timeout = o->timeout > 0 ? o->timeout : 300 * LZ_S;
    o->completion_target = o->completion_target > 0.0 ? o->completion_target : 0.9;
    o->max_wal_size = o->max_wal_size > 0.0 ? o->max_wal_size : 1073741824.0;
    o->pages = o->pages > 0 ? o->pages : 100000;
    o->record_bytes = o->record_bytes > 0.0 ? o->record_bytes : 128.0;
    c->touched = lz_arena_alloc(w->arena, o->pages * sizeof(*c->touched));
    c->number = 1;
    c->due = lz_sim_kind(w->sim, "checkpoint", on_due, w);
    c->tick = lz_sim_kind(w->sim, "checkpoint.tick", on_tick, w);
    c->written = lz_sim_kind(w->sim, "checkpoint.written", on_written, w);
    arm(w, d);
    return true;
}

size_t lz_checkpoint_bytes(const struct lz_database *d)
{
    const struct lz_checkpoints *c = d->checkpoints;
    return c != NULL ? sizeof(*c) + c->opts.pages * sizeof(*c->touched) : 0;
}
