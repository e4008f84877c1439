#include "model/cache/persist.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/persist_state.h"
#include "model/node/disk.h"
#include "model/node/life.h"
#include "model/world_kinds.h"

static struct lz_persist *of(const struct lz_cache *c, uint32_t node)
{
    return node < c->nodes ? c->node[node].persist : NULL;
}

void lz_persist_plan(struct lz_persist_at at, lz_time when, enum lz_persist_step step, uint64_t id)
{
    LZ_ASSERT(id < 1ull << LZ_PERSIST_STEP_SHIFT);
    lz_sim_at(at.w->sim, when, at.w->caches->persist, at.c->first + at.node,
              (uint64_t)step << LZ_PERSIST_STEP_SHIFT | id);
}

void lz_persist_ask_disk(struct lz_persist_at at, uint64_t id, enum lz_persist_step done)
{
    lz_instance_id node = at.c->first + at.node;
    uint64_t owner = lz_draw_index(lz_draw_index(at.c->path, at.node + 1), id);
    lz_disk_start(
        at.w, node,
        &(struct lz_disk_request){.op = LZ_DISK_FSYNC,
                                  .owner = owner,
                                  .done = at.w->caches->persist,
                                  .failed = at.w->caches->persist_failed,
                                  .payload = (uint64_t)done << LZ_PERSIST_STEP_SHIFT | id});
}

void lz_persist_fine(const struct lz_persist_at *at, bool *has_failed, const char *what)
{
    if (*has_failed)
        lz_instance_note(at->w, at->c->first + at->node, "persists", "%s, and takes writes again",
                         what);
    *has_failed = false;
}

void lz_persist_misconf(const struct lz_persist_at *at, bool *has_failed, const char *what)
{
    if (!*has_failed)
        lz_instance_note(at->w, at->c->first + at->node, "misconf",
                         "%s, and takes no more writes (MISCONF)", what);
    *has_failed = true;
}

// ---- being measured, and answers that wait

void lz_persist_measure(const struct lz_persist_at *at)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < at->c->nodes; n++) {
        const struct lz_persist *p = at->c->node[n].persist;
        if (!at->c->node[n].leads)
            continue;
        struct lz_persist_at there = {at->w, at->c, n};
        sum += at->c->opts.persist.appendonly ? p->written - lz_aof_durable(&there, p)
                                              : p->acked - p->saved_acked;
    }
    lz_metrics_set(at->w->metrics, at->c->series.unflushed, lz_sim_now(at->w->sim), (double)sum);
}

bool lz_persist_holds(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                      enum lz_outcome outcome, uint16_t status)
{
    struct lz_persist *p = of(c, t->server - c->first);
    if (p == NULL || t->state != LZ_TASK_WORKING)
        return false;
    if (!p->is_forking && !p->is_stuck && !(lz_aof_is_always(c) && p->written > p->synced))
        return false;
    p->held = lz_grow(w->arena, p->held, &p->held_cap, p->held_count + 1, sizeof(*p->held));
    p->held[p->held_count++] = (struct lz_persist_held){
        .task = lz_pool_id(t), .number = p->written, .outcome = outcome, .status = status};
    return true;
}

// Who has given up meanwhile is not there any more.
void lz_persist_release(const struct lz_persist_at *at, struct lz_persist *p)
{
    uint64_t until = lz_aof_is_always(at->c) ? p->synced : UINT64_MAX;
    while (!p->is_forking && !p->is_stuck && p->held_first < p->held_count &&
           p->held[p->held_first].number <= until) {
        struct lz_persist_held h = p->held[p->held_first++];
        struct lz_task *t = lz_task_find(at->w, h.task);
        if (t != NULL)
            lz_cache_answer_now(at->w, at->c, t, h.outcome, h.status);
    }
    if (p->held_first == p->held_count)
        p->held_first = p->held_count = 0;
}

// ---- ends and beginnings of a process

// Of acknowledged writes, whose clients were answered.
static uint64_t answered(const struct lz_cache *c, const struct lz_persist *p)
{
    return lz_aof_is_always(c) ? p->synced : p->is_stuck ? p->stuck_at : UINT64_MAX;
}

static void stop_all(struct lz_persist *p)
{
    if (p->saving != 0)
        lz_keyspace_clear(p->child);
    p->due = p->flushing = p->save_due = p->saving = p->loading = 0;
    p->is_postponed = p->is_stuck = p->is_forking = p->has_failed = p->has_unsaved = false;
    p->is_leaving = false;
    p->held_first = p->held_count = 0;
}

static void lose_power(const struct lz_persist_at *at, struct lz_persist *p)
{
    lz_instance_id id = at->c->first + at->node;
    if (at->c->opts.persist.appendonly) {
        uint64_t lost = lz_aof_take_back(p, p->files, lz_aof_durable(at, p), p->answered,
                                         lz_sim_now(at->w->sim));
        p->lost += lost;
        lz_aof_is_sure(p);
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
    const struct lz_persist_at at = {w, c, node};
    bool had_read = p->loading == 0;
    if (had_read)
        p->answered = answered(c, p);
    stop_all(p);
    if (!c->opts.persist.appendonly) { // what was in memory goes, and is no change
        lz_keyspace_swap(p->child, c->node[node].keys);
        lz_keyspace_clear(p->child);
    } else if (had_read) {
        lz_keyspace_swap(p->files, c->node[node].keys);
        p->lost += lz_aof_take_back(p, p->files, p->paged, p->answered, lz_sim_now(w->sim));
    }
    if (is_lost)
        lose_power(&at, p);
}

void lz_persist_powerless(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    const struct lz_persist_at at = {w, c, node};
    if (p != NULL)
        lose_power(&at, p);
}

// What it has is what was read: of who led, what that lacks is lost.
static void settle(const struct lz_persist_at *at, struct lz_persist *p)
{
    struct lz_cache_node *n = &at->c->node[at->node];
    uint64_t lost = at->c->opts.persist.appendonly ? p->lost : p->acked - p->saved_acked;
    p->lost = 0;
    p->acked = p->saved_acked = 0;
    p->dirty = 0;
    p->saved_at = lz_sim_now(at->w->sim);
    if (n->leads && !n->is_replaced)
        lz_cache_lacks(at->w, at->c, at->node, lost);
    lz_persist_measure(at);
}

static void loaded(struct lz_persist_at at, struct lz_persist *p)
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
        lz_aof_plan(at, p);
    lz_cache_account(at.w, at.c, at.node);
    lz_operate_arm(at.w, at.c, at.node);
}

void lz_persist_started(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL)
        return;
    const struct lz_persist_at at = {w, c, node};
    double ns = (double)lz_keyspace_bytes_used(p->files) / c->opts.persist.load_rate * 1e9;
    p->flush_began = -1;
    if (lz_keyspace_count(p->files) == 0) {
        settle(&at, p);
        return;
    }
    p->loading = ++p->ids;
    lz_persist_plan(at, lz_sim_now(w->sim) + (lz_time)(ns + 0.5), LZ_PERSIST_LOADED, p->loading);
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
    lz_aof_is_sure(p);
    if (c->opts.persist.appendonly)
        lz_keyspace_clear(p->files);
    else
        lz_keyspace_copy(p->files, c->node[node].keys);
    (void)w;
}

// ---- a process that was told to end (SHUTDOWN): with `save` it saves, and flushes what it has

void lz_persist_leave(struct lz_persist_at at, struct lz_persist *p)
{
    if (!p->is_leaving || p->saving != 0 || p->has_unsaved)
        return;
    if (at.c->opts.persist.appendonly && !lz_aof_leaves(at, p))
        return;
    p->is_leaving = false;
    lz_life_idle(at.w, at.c->first + at.node);
}

void lz_persist_stopping(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL || p->is_leaving || p->loading != 0)
        return;
    const struct lz_persist_at at = {w, c, node};
    p->is_leaving = true;
    p->has_unsaved = false; // it is tried once more
    if (c->opts.persist.save > 0)
        lz_rdb_leave(at, p);
    else
        lz_persist_leave(at, p);
}

bool lz_persist_is_leaving(const struct lz_cache *c, uint32_t node)
{
    const struct lz_persist *p = of(c, node);
    return p != NULL && p->is_leaving;
}

// ---- what happens

static void on_change(void *ctx, uint64_t key, const struct lz_entry *old)
{
    const struct lz_persist_at *at = ctx;
    struct lz_persist *p = at->c->node[at->node].persist;
    p->dirty++;
    lz_rdb_want(*at, p);
    if (at->c->opts.persist.appendonly)
        lz_aof_append(*at, p, key, old);
}

void lz_persist_acked(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_persist *p = of(c, node);
    if (p == NULL)
        return;
    p->acked++;
    if (p->count > 0)
        p->changes[p->first + p->count - 1].is_acked = true;
    lz_persist_measure(&(struct lz_persist_at){w, c, node});
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
    const struct lz_persist_at at = {w, c, entity - c->first};
    struct lz_persist *p = c->node[at.node].persist;
    uint64_t id = payload & ((1ull << LZ_PERSIST_STEP_SHIFT) - 1);
    const enum lz_persist_step step = (enum lz_persist_step)(payload >> LZ_PERSIST_STEP_SHIFT);
    if (step == LZ_PERSIST_LOADED && id == p->loading)
        loaded(at, p);
    else if (step <= LZ_PERSIST_STUCK && id == (step == LZ_PERSIST_FLUSH ? p->due : p->flushing))
        lz_aof_step(at, p, step);
    else if (step > LZ_PERSIST_STUCK && step < LZ_PERSIST_LOADED &&
             id == (step == LZ_PERSIST_SAVE ? p->save_due : p->saving))
        lz_rdb_step(at, p, step);
}

static void on_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->persist_failed, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    const struct lz_persist_at at = {w, c, entity - c->first};
    struct lz_persist *p = c->node[at.node].persist;
    uint64_t id = payload & ((1ull << LZ_PERSIST_STEP_SHIFT) - 1);
    if (id == p->flushing)
        lz_aof_failed(at, p);
    else if (id == p->saving)
        lz_rdb_failed(at, p);
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
        struct lz_persist_at *at = lz_arena_alloc(w->arena, sizeof(*at));
        *at = (struct lz_persist_at){w, c, n};
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
