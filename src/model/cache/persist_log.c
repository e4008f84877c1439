#include "base/check.h"
#include "base/grow.h"
#include "model/cache/persist_state.h"
#include "model/node/disk.h"
#include "model/node/life.h"
#include "model/world_kinds.h"

#define EVERY LZ_S             // of everysec, and of another try
#define STUCK_AFTER (2 * LZ_S) // that changes wait for a flush beside
#define KERNEL (30 * LZ_S)     // dirty_expire_centisecs

static struct lz_persist_change *change_at(struct lz_persist *p, uint64_t number)
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

uint64_t lz_aof_durable(const struct lz_persist_at *at, const struct lz_persist *p)
{
    uint64_t flush = lz_disk_durable(at->w, at->c->first + at->node, p->flushes);
    return flush > p->marked ? p->marks[flush - p->marked - 1] : p->sure;
}

static void note_flushed(const struct lz_persist_at *at, struct lz_persist *p)
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

void lz_aof_is_sure(struct lz_persist *p)
{
    p->sure = p->synced = p->paged = p->written;
    p->first = p->count = p->mark_count = 0;
    p->marked = p->flushes;
}

uint64_t lz_aof_take_back(struct lz_persist *p, struct lz_keyspace *keys, uint64_t number,
                          uint64_t answered, lz_time now)
{
    uint64_t lost = 0;
    for (; p->written > number; p->written--, p->count--) {
        const struct lz_persist_change *c = change_at(p, p->written);
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

// ---- flushes

void lz_aof_plan(struct lz_persist_at at, struct lz_persist *p)
{
    lz_time now = lz_sim_now(at.w->sim), when = now;
    if (at.c->opts.persist.appendfsync == LZ_APPENDFSYNC_NO)
        when = now + KERNEL;
    else if (!lz_aof_is_always(at.c) && p->flush_began >= 0)
        when = p->flush_began + EVERY > now ? p->flush_began + EVERY : now;
    p->due = ++p->ids;
    lz_persist_plan(at, when, LZ_PERSIST_FLUSH, p->due);
}

// The process does not wait for a disk that takes no time.
static void wait(struct lz_persist_at at, struct lz_persist *p)
{
    if (lz_aof_is_always(at.c) && p->flushing == 0 &&
        !lz_disk_is_felt(at.w, at.c->first + at.node)) {
        lz_aof_is_sure(p);
        return;
    }
    if (p->flushing == 0) {
        p->paged = p->written;
        if (p->due == 0)
            lz_aof_plan(at, p);
    } else if (!p->is_postponed && at.c->opts.persist.appendfsync == LZ_APPENDFSYNC_EVERYSEC) {
        p->is_postponed = true;
        lz_persist_plan(at, lz_sim_now(at.w->sim) + STUCK_AFTER, LZ_PERSIST_STUCK, p->flushing);
    }
}

static void flushed(struct lz_persist_at at, struct lz_persist *p)
{
    p->flushing = 0;
    p->is_stuck = p->is_postponed = false;
    note_flushed(&at, p);
    p->paged = p->written;
    lz_persist_fine(&at, &p->has_failed, "has written its append-only file");
    if (p->written > p->synced)
        lz_aof_plan(at, p);
    lz_persist_measure(&at);
    lz_persist_release(&at, p);
    lz_persist_leave(at, p);
}

void lz_aof_failed(struct lz_persist_at at, struct lz_persist *p)
{
    p->flushing = 0;
    p->is_stuck = p->is_postponed = false;
    if (lz_aof_is_always(at.c)) {
        lz_life_crash(at.w, at.c->first + at.node,
                      "cannot write its append-only file (appendfsync = \"always\")");
        return;
    }
    lz_persist_misconf(&at, &p->has_failed, "cannot write its append-only file");
    p->due = ++p->ids;
    lz_persist_plan(at, lz_sim_now(at.w->sim) + EVERY, LZ_PERSIST_FLUSH, p->due);
    lz_persist_release(&at, p);
    lz_persist_leave(at, p);
}

static void begin_flush(struct lz_persist_at at, struct lz_persist *p)
{
    p->due = 0;
    p->flushing = ++p->ids;
    p->flushing_to = p->paged = p->written;
    p->flush_began = lz_sim_now(at.w->sim);
    if (lz_disk_is_felt(at.w, at.c->first + at.node))
        lz_persist_ask_disk(at, p->flushing, LZ_PERSIST_FLUSHED);
    else
        flushed(at, p);
}

// What cannot be flushed then is left as it is ("Error ... writing the AOF during exit").
bool lz_aof_leaves(struct lz_persist_at at, struct lz_persist *p)
{
    if (p->written == p->synced || p->has_failed)
        return true;
    if (p->flushing == 0)
        begin_flush(at, p);
    return false;
}

void lz_aof_append(struct lz_persist_at at, struct lz_persist *p, uint64_t key,
                   const struct lz_entry *old)
{
    uint32_t end = p->first + p->count;
    if (p->first > 0 && 2 * p->first >= end) { // half of it is forgotten
        for (uint32_t i = 0; i < p->count; i++)
            p->changes[i] = p->changes[p->first + i];
        p->first = 0;
        end = p->count;
    }
    p->changes = lz_grow(at.w->arena, p->changes, &p->cap, end + 1, sizeof(*p->changes));
    struct lz_persist_change *c = &p->changes[end];
    *c = (struct lz_persist_change){.before = {.key = key}, .was_there = old != NULL};
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
    wait(at, p);
}

void lz_aof_step(struct lz_persist_at at, struct lz_persist *p, enum lz_persist_step step)
{
    if (step == LZ_PERSIST_FLUSH) {
        begin_flush(at, p);
    } else if (step == LZ_PERSIST_FLUSHED) {
        flushed(at, p);
    } else {
        LZ_ASSERT(step == LZ_PERSIST_STUCK);
        p->is_stuck = true;
        p->stuck_at = p->written;
    }
}
