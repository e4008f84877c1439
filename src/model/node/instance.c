#include "model/node/instance.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/pool.h"
#include "model/cache/cache.h"
#include "model/journal.h"
#include "model/net/bus.h"
#include "model/net/connect.h"
#include "model/node/disk.h"
#include "model/node/life.h"
#include "model/node/nodes.h"
#include "model/node/rss.h"
#include "model/service/pods.h"
#include "model/store/store.h"
#include "model/world_kinds.h"

// An event that arrived at a paused process and waits for it to go on.
struct deferred {
    struct lz_pool_head head;
    uint32_t next; // of the last: the first
    lz_kind kind;
    uint64_t payload;
};

struct lz_instances {
    struct lz_instances_face face; // first: the getters look here
    uint32_t cap;
    struct lz_pool deferred;
    struct lz_spread *spreads; // by component
    uint32_t spread_cap;
};

void lz_instances_init(struct lz_world *w)
{
    w->instances = lz_arena_alloc(w->arena, sizeof(*w->instances));
    lz_pool_init(&w->instances->deferred, w->arena, sizeof(struct deferred));
}

void lz_instances_add(struct lz_world *w, lz_component_id component, uint32_t count,
                      const struct lz_spread *spread, const struct lz_instance_ops *ops)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(count > 0);
    struct lz_instances *is = w->instances;
    struct lz_component *c = &w->components[component];
    LZ_ASSERT(c->instance_count == 0);
    is->face.all = lz_grow(w->arena, is->face.all, &is->cap, is->face.count + count + 1,
                           sizeof(*is->face.all));
    c->instances_first = is->face.count + 1;
    c->instance_count = count;
    is->spreads =
        lz_grow(w->arena, is->spreads, &is->spread_cap, component + 1, sizeof(*is->spreads));
    is->spreads[component] = *spread;
    for (uint32_t i = 0; i < count; i++)
        is->face.all[++is->face.count] = (struct lz_instance){
            .component = component,
            .ordinal = i + 1,
            .host = lz_place_assign(w, spread, i),
            .incarnation = 1,
            .ops = ops,
        };
    for (uint32_t i = 0; i < count; i++) { // all have long been up
        struct lz_instance *one = lz_instance_get(w, c->instances_first + i);
        one->imaged = one->host;
    }
}

void lz_instances_keep(struct lz_world *w, lz_component_id component, void *whole, void *first_part,
                       size_t stride)
{
    const struct lz_component *c = &w->components[component];
    LZ_ASSERT(whole != NULL && first_part != NULL);
    for (uint32_t n = 0; n < c->instance_count; n++) {
        struct lz_instance *i = lz_instance_get(w, c->instances_first + n);
        LZ_ASSERT(i->component == component && i->whole == NULL);
        i->whole = whole;
        i->part = (char *)first_part + n * stride;
    }
}

void lz_instance_prepare(struct lz_world *w, lz_instance_id id)
{
    LZ_ASSERT(!w->running);
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(i->state == LZ_INSTANCE_UP && i->kills == 0);
    i->kills = 1;
    i->state = LZ_INSTANCE_DEAD;
    w->ways++;
    i->is_away = true;
    i->imaged = 0;
}

const struct lz_spread *lz_instance_spread(const struct lz_world *w, lz_component_id component)
{
    LZ_ASSERT(component < w->instances->spread_cap);
    return &w->instances->spreads[component];
}

uint32_t lz_instance_count(const struct lz_world *w)
{
    return w->instances->face.count;
}

void lz_instance_describe(const struct lz_world *w, lz_instance_id id, char *out, size_t size)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    const struct lz_component *c = lz_world_component(w, i->component);
    if (c->instance_count == 1)
        snprintf(out, size, "%s", c->name);
    else
        snprintf(out, size, "%s[%u]", c->name, i->ordinal);
}

uint64_t lz_instance_path(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    return lz_draw_index(lz_world_component(w, i->component)->path, i->ordinal);
}

static uint8_t wanted_state(const struct lz_instance *i)
{
    if (i->downs > 0)
        return LZ_INSTANCE_LOST;
    if (i->kills > 0 || i->is_ended || i->is_unpulled)
        return LZ_INSTANCE_DEAD;
    if (i->pauses > 0)
        return LZ_INSTANCE_PAUSED;
    if (i->is_starting)
        return LZ_INSTANCE_STARTING;
    return i->is_stopping ? LZ_INSTANCE_STOPPING : LZ_INSTANCE_UP;
}

static void drop_deferred(struct lz_world *w, struct lz_instance *i)
{
    struct lz_pool *pool = &w->instances->deferred;
    const uint32_t last = i->deferred_last;
    i->deferred_last = 0;
    for (uint32_t at = last; at != 0;) {
        struct deferred *d = lz_pool_at(pool, at);
        at = d->next != last ? d->next : 0;
        lz_pool_give(pool, d);
    }
}

// It never happens: the process has ended.
static void lose_deferred(struct lz_world *w, struct lz_instance *i)
{
    uint32_t at = i->deferred_last;
    if (at == 0)
        return;
    do {
        at = ((struct deferred *)lz_pool_at(&w->instances->deferred, at))->next;
        const struct deferred *d = lz_pool_at(&w->instances->deferred, at);
        lz_bus_drop(w, d->kind, d->payload);
    } while (at != i->deferred_last);
    drop_deferred(w, i);
}

// What waited at a paused process happens now, in the order it came.
static void replay_deferred(struct lz_world *w, lz_instance_id id, struct lz_instance *i)
{
    uint32_t at = i->deferred_last;
    if (at == 0)
        return;
    do {
        at = ((struct deferred *)lz_pool_at(&w->instances->deferred, at))->next;
        const struct deferred *d = lz_pool_at(&w->instances->deferred, at);
        lz_sim_soon(w->sim, d->kind, id, d->payload);
    } while (at != i->deferred_last);
    drop_deferred(w, i);
}

void lz_instance_note(struct lz_world *w, lz_instance_id id, const char *kind, const char *fmt, ...)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    char who[256], what[LZ_JOURNAL_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    lz_instance_describe(w, id, who, sizeof(who));
    lz_journal_add(
        w, &(struct lz_journal_entry){.component = i->component, .instance = id, .kind = kind},
        "%s %s", who, what);
}

static void end_process(struct lz_world *w, lz_instance_id id, bool is_lost)
{
    struct lz_instance *i = lz_instance_get(w, id);
    lose_deferred(w, i);
    i->pauses = 0;
    i->is_starting = i->is_stopping = false;
    lz_instance_note(w, id, is_lost ? "lost" : "dead", "%s",
                     is_lost ? "is gone without a word" : "ended");
    i->ops->died(w, id, is_lost);
    lz_disk_ended(w, id, is_lost);
    lz_connect_forget(w, id);
    lz_life_ended(w, id);
}

// A process has ended before its host: what it wrote was still in the system's memory, and the
// disk's.
static void lose_power(struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance_ops *ops = lz_instance_get(w, id)->ops;
    if (ops->powerless != NULL)
        ops->powerless(w, id);
    lz_disk_ended(w, id, true);
}

static void begin_process(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    i->incarnation++;
    i->imaged = i->host;
    i->is_starting = lz_life_begun(w, id);
    lz_rss_begun(w, id);
    i->state = wanted_state(i);
    lz_instance_note(w, id, "started", i->is_starting ? "is starting" : "started");
    i->ops->started(w, id);
    if (!i->is_starting)
        lz_life_serves(w, id);
}

// The same process, but it stands still, goes on, or listens, or not.
static void turn_process(struct lz_world *w, lz_instance_id id, enum lz_instance_state from)
{
    struct lz_instance *i = lz_instance_get(w, id);
    if (i->state == LZ_INSTANCE_PAUSED) {
        lz_instance_note(w, id, "paused", "stands still");
        i->ops->stopped(w, id);
    } else if (from == LZ_INSTANCE_PAUSED) {
        lz_instance_note(w, id, "resumed", "goes on");
        i->ops->resumed(w, id);
        replay_deferred(w, id, i);
    } else if (i->state == LZ_INSTANCE_STOPPING) {
        lz_instance_note(w, id, "stopping", "is stopping");
    } else {
        LZ_ASSERT(from == LZ_INSTANCE_STARTING && i->state == LZ_INSTANCE_UP);
        lz_instance_note(w, id, "started", "started");
    }
    if (i->ops->turned != NULL)
        i->ops->turned(w, id);
}

/*
 * The one place where an instance changes state. Ending a process is `died`; beginning one is
 * `started` with the next incarnation; everything else keeps what the process has.
 */
bool lz_instance_settle(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    enum lz_instance_state from = i->state;
    bool had_process = lz_instance_runs(i);
    i->state = wanted_state(i);
    if (i->state == from)
        return false;
    w->ways++;
    bool has_process = lz_instance_runs(i);
    if (!had_process && has_process && i->ops->may_start != NULL && !i->ops->may_start(w, id)) {
        i->is_unpulled = true;
        i->state = wanted_state(i);
        if (from == LZ_INSTANCE_LOST)
            lz_life_found_dead(w, id);
        return i->state != from;
    }
    if (had_process && !has_process)
        end_process(w, id, i->state == LZ_INSTANCE_LOST);
    else if (!had_process && has_process)
        begin_process(w, id);
    else if (had_process)
        turn_process(w, id, from);
    else if (from == LZ_INSTANCE_LOST)
        lz_life_found_dead(w, id);
    else if (i->state == LZ_INSTANCE_LOST)
        lose_power(w, id);
    w->ways++; // it may be the next process of it by now
    lz_world_reconsider(w);
    lz_cache_reconsider(w);
    lz_store_reconsider(w);
    return true;
}

bool lz_instance_kill(struct lz_world *w, lz_instance_id id)
{
    lz_instance_get(w, id)->kills++;
    return lz_instance_settle(w, id);
}

bool lz_instance_restart(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(i->kills > 0);
    i->kills--;
    return lz_instance_settle(w, id);
}

bool lz_instance_pulled(struct lz_world *w, lz_instance_id id)
{
    lz_instance_get(w, id)->is_unpulled = false;
    return lz_instance_settle(w, id);
}

bool lz_instance_pause(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    if (!lz_instance_runs(i))
        return false;
    i->pauses++;
    return lz_instance_settle(w, id);
}

bool lz_instance_resume(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(i->pauses > 0);
    i->pauses--;
    return lz_instance_settle(w, id);
}

bool lz_instance_lose(struct lz_world *w, lz_instance_id id)
{
    lz_instance_get(w, id)->downs++;
    return lz_instance_settle(w, id);
}

bool lz_instance_return(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(i->downs > 0);
    i->downs--;
    bool has_changed = lz_instance_settle(w, id);
    if (!lz_nodes_has(w, i->host))
        lz_pods_hear(w); // of a node, nodes.c says when it is heard of
    return has_changed;
}

void lz_instance_keep(struct lz_world *w, lz_instance_id id, lz_kind kind, uint64_t payload)
{
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(i->state == LZ_INSTANCE_PAUSED);
    struct lz_pool *pool = &w->instances->deferred;
    struct deferred *d = lz_pool_take(pool);
    d->kind = kind;
    d->payload = payload;
    struct deferred *last = i->deferred_last != 0 ? lz_pool_at(pool, i->deferred_last) : d;
    d->next = last != d ? last->next : d->head.index;
    last->next = d->head.index;
    i->deferred_last = d->head.index;
}
