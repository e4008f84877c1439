#include "model/cache/persist.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache_state.h"
#include "model/node/disk.h"
#include "model/node/life.h"
#include "model/world_kinds.h"

/*
 * Changes are numbered. With an AOF one is made, then with the system, then flushed, and at last
 * surely on the disk, so that
 *
 *   sure <= synced <= paged <= written
 *
 * and what was there before each that is not sure is known. A disk counts flushes, not changes:
 * `marks` say up to which change each went that it may still take back, the latest always among
 * them, as it may be torn.
 */

#define EVERY LZ_S               // of everysec, and of another try
#define STUCK_AFTER (2 * LZ_S)   // that changes wait for a flush beside
#define KERNEL (30 * LZ_S)       // dirty_expire_centisecs
#define SAVE_AGAIN (5 * LZ_S)    // CONFIG_BGSAVE_RETRY_DELAY
#define FORK_NS_PER_BYTE 12.8e-3 // 12.8 ms a GB
#define STEP_SHIFT 56

enum step { FLUSH, FLUSHED, STUCK, SAVE, FORKED, WRITTEN, SAVED, LOADED };

struct change {
    struct lz_put before;
    bool was_there, is_acked;
};

struct held {
    uint64_t task, number; // of the latest change then
    enum lz_outcome outcome;
    uint16_t status;
};

struct lz_persist {
    struct lz_keyspace *files; // what is read at a start; with an AOF only while no process has it
    struct lz_keyspace *child; // a snapshot on its way
    struct change *changes;    // after `sure`
    uint32_t first, count, cap;
    uint64_t sure, synced, paged, written;
    uint64_t *marks; // of the flushes after the `marked`-th
    uint32_t mark_count, mark_cap;
    uint64_t marked, flushes;
    uint64_t ids; // of what is under way; 0 where nothing is:
    uint64_t due, flushing, save_due, saving, loading;
    uint64_t flushing_to, stuck_at;
    lz_time flush_began, saved_at;
    uint64_t dirty, child_dirty; // changes since the last snapshot; in the one under way
    uint64_t acked, child_acked, saved_acked; // writes; of them in the snapshot under way; the last
    uint64_t lost;                            // acknowledged writes that the files lack
    bool is_postponed, is_stuck, is_forking;
    bool has_failed, has_unsaved; // the latest flush; the latest snapshot
    struct held *held;
    uint32_t held_first, held_count, held_cap;
};

struct at {
    struct lz_world *w;
    struct lz_cache *c;
    uint32_t node;
};

static struct lz_persist *of(const struct lz_cache *c, uint32_t node)
{
    return node < c->nodes ? c->node[node].persist : NULL;
}

static void plan(struct at at, lz_time when, enum step step, uint64_t id)
{
    LZ_ASSERT(id < 1ull << STEP_SHIFT);
    lz_sim_at(at.w->sim, when, at.w->caches->persist, at.c->first + at.node,
              (uint64_t)step << STEP_SHIFT | id);
}

// ---- what is sure, and taking back what is not

static struct change *change_at(struct lz_persist *p, uint64_t number)
{
    LZ_ASSERT(number > p->sure && number <= p->written);
    return &p->changes[p->first + (number - p->sure - 1)];
}

static void forget(struct lz_persist *p, uint64_t until)
{
    uint32_t gone = (uint32_t)(until - p->sure);
    LZ_ASSERT(gone <= p->count);
    p->sure = until;
    p->first += gone;
    p->count -= gone;
    if (p->count == 0)
        p->first = 0;
}

// Up to which change the disk has it, were the power lost now.
static uint64_t durable(const struct at *at, const struct lz_persist *p)
{
    uint64_t flush = lz_disk_durable(at->w, at->c->first + at->node, p->flushes);
    return flush > p->marked ? p->marks[flush - p->marked - 1] : p->sure;
}

static void note_flushed(const struct at *at, struct lz_persist *p)
{
    lz_instance_id id = at->c->first + at->node;
    p->marks = lz_grow(at->w->arena, p->marks, &p->mark_cap, p->mark_count + 1, sizeof(*p->marks));
    p->marks[p->mark_count++] = p->flushing_to;
    p->synced = p->flushing_to;
    lz_disk_flushed(at->w, id, ++p->flushes);
    uint64_t flush = lz_disk_durable(at->w, id, p->flushes);
    flush = flush < p->flushes ? flush : p->flushes - 1;
    if (flush <= p->marked)
        return;
    uint32_t gone = (uint32_t)(flush - p->marked);
    forget(p, p->marks[gone - 1]);
    for (uint32_t i = gone; i < p->mark_count; i++)
        p->marks[i - gone] = p->marks[i];
    p->mark_count -= gone;
    p->marked = flush;
}

// All that was made is on the disk.
static void is_sure(struct lz_persist *p)
{
    p->sure = p->synced = p->paged = p->written;
    p->first = p->count = p->mark_count = 0;
    p->marked = p->flushes;
}

// Changes after `number` were never made; how many of those up to `answered` a client believes in.
static uint64_t take_back(struct lz_persist *p, struct lz_keyspace *keys, uint64_t number,
                          uint64_t answered, lz_time now)
{
    uint64_t lost = 0;
    for (; p->written > number; p->written--, p->count--) {
        const struct change *c = change_at(p, p->written);
        if (c->was_there)
            lz_keyspace_put(keys, &c->before, now);
        else
            lz_keyspace_remove(keys, c->before.key, now);
        lost += c->is_acked && p->written <= answered;
    }
    p->paged = p->paged < number ? p->paged : number;
    p->synced = p->synced < number ? p->synced : number;
    return lost;
}

// ---- being measured, and answers that wait

static void measure(const struct at *at)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < at->c->nodes; n++) {
        const struct lz_persist *p = at->c->node[n].persist;
        if (!at->c->node[n].leads)
            continue;
        struct at there = {at->w, at->c, n};
        sum += at->c->opts.persist.appendonly ? p->written - durable(&there, p)
                                              : p->acked - p->saved_acked;
    }
    lz_metrics_set(at->w->metrics, at->c->series.unflushed, lz_sim_now(at->w->sim), (double)sum);
}

static bool is_always(const struct lz_cache *c)
{
    return c->opts.persist.appendonly && c->opts.persist.appendfsync == LZ_APPENDFSYNC_ALWAYS;
}

bool lz_persist_holds(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                      enum lz_outcome outcome, uint16_t status)
{
    struct lz_persist *p = of(c, t->server - c->first);
    if (p == NULL || t->state != LZ_TASK_WORKING)
        return false;
    if (!p->is_forking && !p->is_stuck && !(is_always(c) && p->written > p->synced))
        return false;
    p->held = lz_grow(w->arena, p->held, &p->held_cap, p->held_count + 1, sizeof(*p->held));
    p->held[p->held_count++] = (struct held){
        .task = lz_pool_id(t), .number = p->written, .outcome = outcome, .status = status};
    return true;
}

// Who has given up meanwhile is not there any more.
static void release(const struct at *at, struct lz_persist *p)
{
    uint64_t until = is_always(at->c) ? p->synced : UINT64_MAX;
    while (!p->is_forking && !p->is_stuck && p->held_first < p->held_count &&
           p->held[p->held_first].number <= until) {
        struct held h = p->held[p->held_first++];
        struct lz_task *t = lz_task_find(at->w, h.task);
        if (t != NULL)
            lz_cache_answer_now(at->w, at->c, t, h.outcome, h.status);
    }
    if (p->held_first == p->held_count)
        p->held_first = p->held_count = 0;
}

// ---- the append-only file

static void plan_flush(struct at at, struct lz_persist *p)
{
    lz_time now = lz_sim_now(at.w->sim), when = now;
    if (at.c->opts.persist.appendfsync == LZ_APPENDFSYNC_NO)
        when = now + KERNEL;
    else if (!is_always(at.c) && p->flush_began >= 0)
        when = p->flush_began + EVERY > now ? p->flush_began + EVERY : now;
    p->due = ++p->ids;
    plan(at, when, FLUSH, p->due);
}

// The process does not wait for a disk that takes no time.
static void append(struct at at, struct lz_persist *p)
{
    if (is_always(at.c) && p->flushing == 0 && !lz_disk_is_felt(at.w, at.c->first + at.node)) {
        is_sure(p);
        return;
    }
    if (p->flushing == 0) {
        p->paged = p->written;
        if (p->due == 0)
            plan_flush(at, p);
    } else if (!p->is_postponed && at.c->opts.persist.appendfsync == LZ_APPENDFSYNC_EVERYSEC) {
        p->is_postponed = true;
        plan(at, lz_sim_now(at.w->sim) + STUCK_AFTER, STUCK, p->flushing);
    }
}

static void fine(const struct at *at, bool *has_failed, const char *what)
{
    if (*has_failed)
        lz_instance_note(at->w, at->c->first + at->node, "persists", "%s, and takes writes again",
                         what);
    *has_failed = false;
}

static void misconf(const struct at *at, bool *has_failed, const char *what)
{
    if (!*has_failed)
        lz_instance_note(at->w, at->c->first + at->node, "misconf",
                         "%s, and takes no more writes (MISCONF)", what);
    *has_failed = true;
}

static void flushed(struct at at, struct lz_persist *p)
{
    p->flushing = 0;
    p->is_stuck = p->is_postponed = false;
    note_flushed(&at, p);
    p->paged = p->written;
    fine(&at, &p->has_failed, "has written its append-only file");
    if (p->written > p->synced)
        plan_flush(at, p);
    measure(&at);
    release(&at, p);
}

static void flush_failed(struct at at, struct lz_persist *p)
{
    p->flushing = 0;
    p->is_stuck = p->is_postponed = false;
    if (is_always(at.c)) {
        lz_life_crash(at.w, at.c->first + at.node,
                      "cannot write its append-only file (appendfsync = \"always\")");
        return;
    }
    misconf(&at, &p->has_failed, "cannot write its append-only file");
    p->due = ++p->ids;
    plan(at, lz_sim_now(at.w->sim) + EVERY, FLUSH, p->due);
    release(&at, p);
}

static void ask_disk(struct at at, uint64_t id, enum step done)
{
    lz_instance_id node = at.c->first + at.node;
    uint64_t owner = lz_draw_index(lz_draw_index(at.c->path, at.node + 1), id);
    lz_disk_start(at.w, node,
                  &(struct lz_disk_request){.op = LZ_DISK_FSYNC,
                                            .owner = owner,
                                            .done = at.w->caches->persist,
                                            .failed = at.w->caches->persist_failed,
                                            .payload = (uint64_t)done << STEP_SHIFT | id});
}

static void begin_flush(struct at at, struct lz_persist *p)
{
    p->due = 0;
    p->flushing = ++p->ids;
    p->flushing_to = p->paged = p->written;
    p->flush_began = lz_sim_now(at.w->sim);
    if (lz_disk_is_felt(at.w, at.c->first + at.node))
        ask_disk(at, p->flushing, FLUSHED);
    else
        flushed(at, p);
}

// ---- snapshots

static void want_save(struct at at, struct lz_persist *p)
{
    const struct lz_persist_opts *o = &at.c->opts.persist;
    if (o->save == 0 || p->saving != 0 || p->save_due != 0 || p->dirty < o->save_changes)
        return;
    lz_time now = lz_sim_now(at.w->sim), when = p->saved_at + o->save;
    p->save_due = ++p->ids;
    plan(at, when > now ? when : now, SAVE, p->save_due);
}

static void begin_save(struct at at, struct lz_persist *p)
{
    const struct lz_keyspace *keys = at.c->node[at.node].keys;
    p->save_due = 0;
    p->saving = ++p->ids;
    p->child_acked = p->acked;
    p->child_dirty = p->dirty;
    p->is_forking = true;
    lz_keyspace_copy(p->child, keys);
    double ns = (double)lz_keyspace_bytes_used(keys) * FORK_NS_PER_BYTE;
    plan(at, lz_sim_now(at.w->sim) + (lz_time)(ns + 0.5), FORKED, p->saving);
}

static void forked(struct at at, struct lz_persist *p)
{
    double bytes = (double)lz_keyspace_bytes_used(p->child);
    double ns = bytes / at.c->opts.persist.save_rate * 1e9;
    p->is_forking = false;
    plan(at, lz_sim_now(at.w->sim) + (lz_time)(ns + 0.5), WRITTEN, p->saving);
    release(&at, p);
}

static void saved(struct at at, struct lz_persist *p)
{
    p->saving = 0;
    p->dirty -= p->child_dirty;
    p->saved_acked = p->child_acked;
    p->saved_at = lz_sim_now(at.w->sim);
    if (!at.c->opts.persist.appendonly) {
        lz_disk_flushed(at.w, at.c->first + at.node, ++p->flushes);
        lz_keyspace_swap(p->files, p->child);
    }
    lz_keyspace_clear(p->child);
    fine(&at, &p->has_unsaved, "has saved a snapshot");
    want_save(at, p);
    measure(&at);
}

static void save_failed(struct at at, struct lz_persist *p)
{
    p->saving = 0;
    lz_keyspace_clear(p->child);
    misconf(&at, &p->has_unsaved, "cannot save a snapshot");
    p->save_due = ++p->ids;
    plan(at, lz_sim_now(at.w->sim) + SAVE_AGAIN, SAVE, p->save_due);
}

static void snapshot_written(struct at at, struct lz_persist *p)
{
    if (lz_disk_is_felt(at.w, at.c->first + at.node))
        ask_disk(at, p->saving, SAVED);
    else
        saved(at, p);
}

// ---- ends and beginnings of a process

// Of acknowledged writes, whose clients were answered.
static uint64_t answered(const struct lz_cache *c, const struct lz_persist *p)
{
    return is_always(c) ? p->synced : p->is_stuck ? p->stuck_at : UINT64_MAX;
}

static void stop_all(struct lz_persist *p)
{
    if (p->saving != 0)
        lz_keyspace_clear(p->child);
    p->due = p->flushing = p->save_due = p->saving = p->loading = 0;
    p->is_postponed = p->is_stuck = p->is_forking = p->has_failed = p->has_unsaved = false;
    p->held_first = p->held_count = 0;
}

static void lose_power(const struct at *at, struct lz_persist *p, uint64_t until)
{
    lz_instance_id id = at->c->first + at->node;
    if (at->c->opts.persist.appendonly) {
        uint64_t lost = take_back(p, p->files, durable(at, p), until, lz_sim_now(at->w->sim));
        p->lost += lost;
        is_sure(p);
        if (lost > 0)
            lz_instance_note(at->w, id, "lost", "its disk lacks %llu acknowledged writes",
                             (unsigned long long)lost);
    } else if (lz_disk_durable(at->w, id, p->flushes) < p->flushes) {
        lz_keyspace_clear(p->files);
        p->saved_acked = 0;
        lz_instance_note(at->w, id, "lost", "its snapshot is not whole");
    }
    lz_disk_is_whole(at->w, id);
}

void lz_persist_ended(struct lz_world *w, struct lz_cache *c, uint32_t node, bool is_lost)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL)
        return;
    const struct at at = {w, c, node};
    uint64_t until = answered(c, p);
    bool had_read = p->loading == 0;
    stop_all(p);
    if (!c->opts.persist.appendonly) { // what was in memory goes, and is no change
        lz_keyspace_swap(p->child, c->node[node].keys);
        lz_keyspace_clear(p->child);
    } else if (had_read) {
        lz_keyspace_swap(p->files, c->node[node].keys);
        p->lost += take_back(p, p->files, p->paged, until, lz_sim_now(w->sim));
    }
    if (is_lost)
        lose_power(&at, p, until);
}

void lz_persist_powerless(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    const struct at at = {w, c, node};
    if (p != NULL)
        lose_power(&at, p, UINT64_MAX);
}

// What it has is what was read: of who led, what that lacks is lost.
static void settle(const struct at *at, struct lz_persist *p)
{
    struct lz_cache_node *n = &at->c->node[at->node];
    uint64_t lost = at->c->opts.persist.appendonly ? p->lost : p->acked - p->saved_acked;
    p->lost = 0;
    p->acked = p->saved_acked = 0;
    p->dirty = 0;
    p->saved_at = lz_sim_now(at->w->sim);
    if (n->leads && !n->is_replaced)
        lz_cache_lacks(at->w, at->c, at->node, lost);
    measure(at);
}

static void loaded(struct at at, struct lz_persist *p)
{
    struct lz_cache_node *n = &at.c->node[at.node];
    p->loading = 0;
    if (at.c->opts.persist.appendonly)
        lz_keyspace_swap(n->keys, p->files);
    else
        lz_keyspace_copy(n->keys, p->files);
    lz_instance_note(at.w, at.c->first + at.node, "loaded", "has read %u keys",
                     lz_keyspace_count(n->keys));
    settle(&at, p);
    if (p->written > p->synced && p->due == 0)
        plan_flush(at, p);
    lz_cache_account(at.w, at.c, at.node);
    lz_operate_arm(at.w, at.c, at.node);
}

void lz_persist_started(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL)
        return;
    const struct at at = {w, c, node};
    double ns = (double)lz_keyspace_bytes_used(p->files) / c->opts.persist.load_rate * 1e9;
    p->flush_began = -1;
    if (lz_keyspace_count(p->files) == 0) {
        settle(&at, p);
        return;
    }
    p->loading = ++p->ids;
    plan(at, lz_sim_now(w->sim) + (lz_time)(ns + 0.5), LOADED, p->loading);
}

// A replica that is sent everything writes it to its files before it goes on.
void lz_persist_copied(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL)
        return;
    p->loading = 0;
    p->lost = p->dirty = 0;
    p->acked = p->saved_acked = 0;
    is_sure(p);
    if (c->opts.persist.appendonly)
        lz_keyspace_clear(p->files);
    else
        lz_keyspace_copy(p->files, c->node[node].keys);
    (void)w;
}

// ---- what happens

static void on_change(void *ctx, uint64_t key, const struct lz_entry *old)
{
    const struct at *at = ctx;
    struct lz_persist *p = at->c->node[at->node].persist;
    p->dirty++;
    want_save(*at, p);
    if (!at->c->opts.persist.appendonly)
        return;
    uint32_t end = p->first + p->count;
    if (p->first > 0 && 2 * p->first >= end) { // half of it is forgotten
        for (uint32_t i = 0; i < p->count; i++)
            p->changes[i] = p->changes[p->first + i];
        p->first = 0;
        end = p->count;
    }
    p->changes = lz_grow(at->w->arena, p->changes, &p->cap, end + 1, sizeof(*p->changes));
    struct change *c = &p->changes[end];
    *c = (struct change){.before = {.key = key}, .was_there = old != NULL};
    if (old != NULL)
        c->before = (struct lz_put){.key = key,
                                    .value = old->value,
                                    .version = old->version,
                                    .expires = old->expires,
                                    .cost = old->cost,
                                    .size = old->size,
                                    .bytes = old->bytes};
    p->count++;
    p->written++;
    append(*at, p);
}

void lz_persist_acked(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL)
        return;
    p->acked++;
    if (p->count > 0)
        p->changes[p->first + p->count - 1].is_acked = true;
    measure(&(struct at){w, c, node});
}

bool lz_persist_is_loading(const struct lz_cache *c, uint32_t node)
{
    const struct lz_persist *p = of(c, node);
    return p != NULL && p->loading != 0;
}

bool lz_persist_refuses_writes(const struct lz_cache *c, uint32_t node)
{
    const struct lz_persist *p = of(c, node);
    return p != NULL && (p->has_failed || p->has_unsaved);
}

// What was under way of a process that has ended has another number than what is now.
static void on_step(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->persist, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    const struct at at = {w, c, entity - c->first};
    struct lz_persist *p = c->node[at.node].persist;
    uint64_t id = payload & ((1ull << STEP_SHIFT) - 1);
    switch ((enum step)(payload >> STEP_SHIFT)) {
    case FLUSH:
        if (id == p->due)
            begin_flush(at, p);
        return;
    case FLUSHED:
        if (id == p->flushing)
            flushed(at, p);
        return;
    case STUCK:
        if (id == p->flushing) {
            p->is_stuck = true;
            p->stuck_at = p->written;
        }
        return;
    case SAVE:
        if (id == p->save_due)
            begin_save(at, p);
        return;
    case FORKED:
        if (id == p->saving)
            forked(at, p);
        return;
    case WRITTEN:
        if (id == p->saving)
            snapshot_written(at, p);
        return;
    case SAVED:
        if (id == p->saving)
            saved(at, p);
        return;
    case LOADED:
        if (id == p->loading)
            loaded(at, p);
        return;
    }
}

static void on_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->persist_failed, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    const struct at at = {w, c, entity - c->first};
    struct lz_persist *p = c->node[at.node].persist;
    uint64_t id = payload & ((1ull << STEP_SHIFT) - 1);
    if (id == p->flushing)
        flush_failed(at, p);
    else if (id == p->saving)
        save_failed(at, p);
}

static void fill_defaults(struct lz_persist_opts *o)
{
    if (o->save_changes == 0)
        o->save_changes = 1;
    if (!(o->save_rate > 0.0))
        o->save_rate = 150e6;
    if (!(o->load_rate > 0.0))
        o->load_rate = 200e6;
}

void lz_persist_create(struct lz_world *w, struct lz_cache *c)
{
    struct lz_caches *cs = w->caches;
    fill_defaults(&c->opts.persist);
    if (cs->persist == 0) {
        cs->persist = lz_sim_kind(w->sim, "cache.persist", on_step, w);
        cs->persist_failed = lz_sim_kind(w->sim, "cache.persist_failed", on_failed, w);
    }
    for (uint32_t n = 0; n < c->nodes; n++) {
        struct lz_persist *p = lz_arena_alloc(w->arena, sizeof(*p));
        struct at *at = lz_arena_alloc(w->arena, sizeof(*at));
        *at = (struct at){w, c, n};
        c->node[n].persist = p;
        p->files = lz_keyspace_create(lz_keyspace_options(c->node[n].keys));
        if (c->opts.persist.save > 0)
            p->child = lz_keyspace_create(lz_keyspace_options(c->node[n].keys));
        p->flush_began = -1;
        lz_keyspace_on_change(c->node[n].keys, on_change, at);
    }
    lz_disk_serves(w, c->id);
}

size_t lz_persist_bytes(const struct lz_cache *c, uint32_t node)
{
    const struct lz_persist *p = of(c, node);
    if (p == NULL)
        return 0;
    return sizeof(*p) + lz_keyspace_memory(p->files) +
           (p->child != NULL ? lz_keyspace_memory(p->child) : 0) + p->cap * sizeof(*p->changes) +
           p->held_cap * sizeof(*p->held);
}
