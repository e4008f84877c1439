#include "model/data/retain.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/data/backup_state.h"
#include "model/data/database_state.h"
#include "model/data/leader.h"
#include "model/node/disk.h"
#include "model/node/life.h"

struct lz_retain {
    struct lz_retain_opts opts;
    lz_kind panic, copy;
    uint64_t *firsts;       // of each segment from `base` on: its first record's LSN
    uint64_t base, current; // segments, by number: the oldest, and the one that is written
    uint32_t cap;
    double filled;                         // bytes of the one that is written
    uint64_t redo;                         // the latest checkpoint began in this one
    uint64_t lost, copied;                 // nodes, as bits: have lost their way; are to be copied
    uint64_t full;                         // have no room for their log's next segment
    uint64_t taken[LZ_DATABASE_NODES_MAX]; // segments on each node's disk, beside its `used`
};

static uint64_t *first_of(const struct lz_retain *r, uint64_t segment)
{
    LZ_ASSERT(segment >= r->base && segment <= r->current);
    return &r->firsts[segment - r->base];
}

// In which of those that are there the record is; one that is removed is before the oldest.
static uint64_t segment_of(const struct lz_retain *r, uint64_t lsn)
{
    uint64_t segment = r->current;
    while (segment > r->base && *first_of(r, segment) > lsn)
        segment--;
    return segment;
}

static void measure(struct lz_world *w, const struct lz_database *d)
{
    const struct lz_retain *r = d->retain;
    double kept = (double)(r->current - r->base + 1) * LZ_RETAIN_SEGMENT;
    lz_metrics_set(w->metrics, d->series.wal_kept, lz_sim_now(w->sim), kept);
}

// ---- room

static void stop(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_retain *r = d->retain;
    r->full |= 1ull << node;
    lz_sim_soon(w->sim, r->panic, d->first + node,
                lz_instance_get(w, d->first + node)->incarnation);
}

static void on_panic(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    const struct lz_database *d = lz_database_here(w, entity);
    const struct lz_instance *i = lz_instance_get(w, entity);
    if (i->incarnation != payload || !lz_instance_has_begun(i))
        return;
    lz_metrics_add(w->metrics, d->series.wal_panics, 1);
    (void)lz_life_crash(w, entity, "PANIC: no space left on device for its log's next segment");
}

static void take(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t segments)
{
    struct lz_retain *r = d->retain;
    if (lz_disk_take(w, d->first + node, (double)segments * LZ_RETAIN_SEGMENT)) {
        r->taken[node] += segments;
        r->full &= ~(1ull << node);
    } else {
        stop(w, d, node);
    }
}

static void give(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t segments)
{
    struct lz_retain *r = d->retain;
    uint64_t back = segments < r->taken[node] ? segments : r->taken[node];
    r->taken[node] -= back;
    lz_disk_give(w, d->first + node, (double)back * LZ_RETAIN_SEGMENT);
}

void lz_retain_started(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_retain *r = d->retain;
    bool is_wiped = node != d->primary && d->failover.rejoin == LZ_REJOIN_REBUILD;
    if (is_wiped) {
        give(w, d, node, r->taken[node]);
        r->full &= ~(1ull << node);
    } else if ((r->full >> node & 1) != 0) {
        take(w, d, node, 1);
    }
    if (node != d->primary || (r->full >> node & 1) != 0)
        return;
    lz_retain_checkpoint_began(d); // the end of recovery is one
    lz_retain_checkpoint_ended(w, d);
}

// ---- what is kept

static void begin_segment(struct lz_world *w, struct lz_retain *r, uint64_t first)
{
    uint32_t count = (uint32_t)(r->current - r->base) + 1;
    r->firsts = lz_grow(w->arena, r->firsts, &r->cap, count + 1, sizeof(*r->firsts));
    r->current++;
    *first_of(r, r->current) = first;
}

void lz_retain_wrote(struct lz_world *w, struct lz_database *d, uint64_t lsn, double bytes)
{
    struct lz_retain *r = d->retain;
    r->filled += bytes;
    if (r->filled < LZ_RETAIN_SEGMENT)
        return;
    uint64_t begun = 0;
    for (; r->filled >= LZ_RETAIN_SEGMENT; r->filled -= LZ_RETAIN_SEGMENT, begun++)
        begin_segment(w, r, lsn + 1);
    take(w, d, d->primary, begun);
    measure(w, d);
}

static bool is_followed_by(const struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    bool is_lost = (d->retain->lost >> node & 1) != 0;
    return node != d->primary && n->log == &d->log && !n->has_led && n->own_records == 0 &&
           !is_lost;
}

// The next record that it has to be sent.
static uint64_t next_of(const struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    return (n->is_rejoining ? n->copied_to : n->flushed) + 1;
}

static bool is_archived(const struct lz_database *d)
{
    return d->backups != NULL && d->backups->opts.archive > 0;
}

static uint64_t segments_of(double bytes)
{
    return (uint64_t)(bytes / LZ_RETAIN_SEGMENT);
}

// So many before the one that is written now.
static uint64_t before_current(const struct lz_retain *r, double bytes)
{
    uint64_t segments = segments_of(bytes);
    return segments < r->current ? r->current - segments : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// KeepLogSeg: the oldest that is kept.
static uint64_t oldest(const struct lz_database *d)
{
    const struct lz_retain *r = d->retain;
    uint64_t slots = r->current, cut = r->redo;
    for (uint32_t n = 0; n < d->opts.nodes && r->opts.slots; n++)
        if (is_followed_by(d, n))
            slots = least(slots, segment_of(r, next_of(d, n)));
    if (r->opts.slot_keep > 0.0) {
        uint64_t limit = before_current(r, r->opts.slot_keep);
        slots = slots < limit ? limit : slots;
    }
    cut = least(cut, slots);
    cut = least(cut, before_current(r, r->opts.keep));
    if (is_archived(d))
        cut = least(cut, segment_of(r, d->backups->archived + 1));
    return cut > r->base ? cut : r->base;
}

static void lose(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_retain *r = d->retain;
    r->lost |= 1ull << node;
    r->copied &= ~(1ull << node);
    d->nodes[node].is_stale = true;
    lz_metrics_add(w->metrics, d->series.standbys_lost, 1);
    lz_instance_note(w, d->first + node, "wal_removed",
                     "needs log that %s[%u] has removed: it must be copied anew", d->opts.name,
                     d->primary + 1);
    if (r->opts.copy_after > 0)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + r->opts.copy_after, r->copy, d->first + node, 0);
}

void lz_retain_checkpoint_began(struct lz_database *d)
{
    d->retain->redo = d->retain->current;
}

void lz_retain_checkpoint_ended(struct lz_world *w, struct lz_database *d)
{
    struct lz_retain *r = d->retain;
    uint64_t cut = oldest(d);
    for (uint32_t n = 0; n < d->opts.nodes && !is_archived(d); n++)
        if (is_followed_by(d, n) && !d->nodes[n].is_rejoining && next_of(d, n) < *first_of(r, cut))
            lose(w, d, n);
    cut = oldest(d); // slots that were given up keep nothing any more
    if (cut == r->base)
        return;
    uint64_t removed = cut - r->base;
    memmove(r->firsts, &r->firsts[removed], (r->current - cut + 1) * sizeof(*r->firsts));
    r->base = cut;
    give(w, d, d->primary, removed);
    measure(w, d);
}

// ---- another leads

void lz_retain_cut(struct lz_database *d, uint64_t lsn)
{
    struct lz_retain *r = d->retain;
    while (r->current > r->base && *first_of(r, r->current) > lsn + 1)
        r->current--;
    if (*first_of(r, r->current) > lsn + 1)
        *first_of(r, r->current) = lsn + 1;
    r->redo = least(r->redo, r->current);
}

void lz_retain_promoted(struct lz_world *w, struct lz_database *d)
{
    struct lz_retain *r = d->retain;
    uint64_t cut = least(r->redo, before_current(r, r->opts.keep));
    if (cut > r->base) {
        memmove(r->firsts, &r->firsts[cut - r->base], (r->current - cut + 1) * sizeof(*r->firsts));
        r->base = cut;
    }
    begin_segment(w, r, d->log.flushed + 1);
    r->filled = 0.0;
    r->lost &= ~(1ull << d->primary);
    r->copied &= ~(1ull << d->primary);
    give(w, d, d->primary, r->taken[d->primary]);
    take(w, d, d->primary, r->current - r->base + 1);
    measure(w, d);
}

void lz_retain_rejoined(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_retain *r = d->retain;
    r->lost &= ~(1ull << node);
    r->copied &= ~(1ull << node);
    give(w, d, node, r->taken[node]);
}

// ---- copies

static void on_copy(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    struct lz_retain *r = d->retain;
    uint64_t bit = 1ull << (entity - d->first);
    if ((r->lost & bit) == 0)
        return; // it leads now
    r->copied |= bit;
    lz_database_reconsider(w);
}

bool lz_retain_can_follow(const struct lz_database *d, uint32_t node)
{
    const struct lz_retain *r = d->retain;
    return (((r->lost & ~r->copied) | r->full) >> node & 1) == 0;
}

double lz_retain_copies(const struct lz_database *d, uint32_t node)
{
    return (d->retain->copied >> node & 1) != 0 ? d->retain->opts.copy_bytes : 0.0;
}

double lz_retain_copy_rate(const struct lz_database *d)
{
    return d->retain->opts.copy_rate;
}

bool lz_retain_is_full(const struct lz_database *d, uint32_t node)
{
    return (d->retain->full >> node & 1) != 0;
}

// ---- declaring

static bool check(const struct lz_database *d, const struct lz_retain_opts *o, struct lz_err *err)
{
    if (d->checkpoints == NULL)
        return lz_fail(err, LZ_EINVAL,
                       "wal is about what a checkpoint removes of the log: give checkpoint = {} "
                       "too");
    if (o->slot_keep > 0.0 && !o->slots)
        return lz_fail(err, LZ_EINVAL,
                       "max_slot_wal_keep_size limits what slots keep: give slots = true too");
    return true;
}

bool lz_retain_declare(struct lz_world *w, lz_component_id id, const struct lz_retain_opts *opts,
                       struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running && d->retain == NULL);
    if (!check(d, opts, err))
        return false;
    struct lz_retain *r = d->retain = lz_arena_alloc(w->arena, sizeof(*r));
    r->opts = *opts;
    if (!(r->opts.copy_rate > 0.0))
        r->opts.copy_rate = 200e6;
    r->firsts = lz_grow(w->arena, NULL, &r->cap, 1, sizeof(*r->firsts));
    r->firsts[0] = 1;
    r->panic = lz_sim_kind(w->sim, "wal.panic", on_panic, w);
    r->copy = lz_sim_kind(w->sim, "wal.copy", on_copy, w);
    measure(w, d);
    return true;
}

size_t lz_retain_bytes(const struct lz_database *d)
{
    const struct lz_retain *r = d->retain;
    return r != NULL ? sizeof(*r) + r->cap * sizeof(*r->firsts) : 0;
}
