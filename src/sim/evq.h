/*
 * evq.h — the future-event list: a hierarchical timing wheel over a small heap.
 *
 * Entries pop in exactly (time, sequence) order. The wheel has 11 levels of 64 slots;
 * an entry's level is the highest base-64 digit in which its time differs from `base`,
 * its slot that digit. Slots are unordered lists of small chunks. Only the nearest few
 * entries are sorted, in a 4-ary heap (`near`) that stays in the first cache level:
 *
 *   push ──┬─ before near_end ──▶ near (heap)  ──▶ pop
 *          └─ else ──▶ wheel ──open the nearest slot──▶ near, if at most 8,
 *                        ▲                              else one level down
 *                        └── spill: near grew past 64 ──┘
 *
 * Cancelling marks the event's slot; its entry is dropped when it surfaces, or when dead
 * entries outnumber the living.
 *
 * Measured against (same machine, ns per pop + push at 1e3 / 1e5 / 1e6 pending): binary
 * heap 33 / 79 / 230, 4-ary heap 31 / 59 / 150, calendar queue 22 / 33 / 80, ladder queue
 * 24 / 70 / 187, radix heap 31 / 38 / 43, this 24 / 28 / 31. tests/unit/test_evq.c holds it
 * against a sorted list.
 *
 * Invariants:
 *   (1) base <= near_end <= the time of every entry in the wheel;
 *   (2) every entry in `near` is before near_end;
 *   (3) an entry at level l has the digits of `base` above l.
 *
 * Indices, not pointers: a fork needs no fixing. All memory is the arena's.
 */
#ifndef LZ_SIM_EVQ_H
#define LZ_SIM_EVQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "sim/time.h"

#define LZ_EVQ_LEVELS 11
#define LZ_EVQ_SLOTS 64
#define LZ_EVQ_CHUNK 7
#define LZ_EVQ_NEAR_MAX 64
#define LZ_EVQ_OPEN_MAX 8

/* What a pending entry stands for. */
struct lz_evq_event {
    uint64_t payload;
    uint64_t seq;
    uint32_t entity;
    uint32_t gen; /* odd while pending */
    uint16_t kind;
    bool is_dead; /* cancelled; its entry has not surfaced yet */
    uint32_t next_free;
};

struct lz_evq_entry {
    lz_time at;
    uint32_t event;
    uint32_t unused;
};

struct lz_evq_chunk {
    struct lz_evq_entry entries[LZ_EVQ_CHUNK];
    uint32_t count;
    uint32_t next;
    uint64_t unused;
};

struct lz_evq {
    struct lz_arena *arena;
    struct lz_evq_event *events; /* 1 .. */
    uint32_t event_used, event_cap, event_free;
    uint32_t live, dead;

    struct lz_evq_entry *near;
    uint32_t near_count, near_cap;
    uint32_t near_limit; /* spill past it: LZ_EVQ_NEAR_MAX, more while equals are many */
    lz_time near_end;

    lz_time base;
    uint64_t occupied[LZ_EVQ_LEVELS];
    uint32_t levels;                             /* bit per level with an occupied slot */
    uint32_t slots[LZ_EVQ_LEVELS][LZ_EVQ_SLOTS]; /* first chunk; 0: empty */
    struct lz_evq_chunk *chunks;                 /* 1 .. */
    uint32_t chunk_used, chunk_cap, chunk_free;
};

void lz_evq_init(struct lz_evq *q, struct lz_arena *arena);

/* Slow paths of the inline functions below. */
uint32_t lz_evq_grow_events(struct lz_evq *q);
void lz_evq_grow_near(struct lz_evq *q);
void lz_evq_file(struct lz_evq *q, struct lz_evq_entry e); /* into the wheel */
void lz_evq_spill(struct lz_evq *q);
bool lz_evq_open(struct lz_evq *q); /* until `near` has something; false: nothing is left */
void lz_evq_purge(struct lz_evq *q);

static inline bool lz_evq_before(const struct lz_evq *q, const struct lz_evq_entry *a,
                                 const struct lz_evq_entry *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return q->events[a->event].seq < q->events[b->event].seq;
}

static inline void lz_evq_near_push(struct lz_evq *q, struct lz_evq_entry e)
{
    if (q->near_count == q->near_cap)
        lz_evq_grow_near(q);
    uint32_t i = q->near_count++;
    while (i > 0) {
        uint32_t up = (i - 1) / 4;
        if (!lz_evq_before(q, &e, &q->near[up]))
            break;
        q->near[i] = q->near[up];
        i = up;
    }
    q->near[i] = e;
}

static inline struct lz_evq_entry lz_evq_near_pop(struct lz_evq *q)
{
    struct lz_evq_entry first = q->near[0];
    struct lz_evq_entry e = q->near[--q->near_count];
    uint32_t n = q->near_count, i = 0;
    for (;;) {
        uint32_t child = 4 * i + 1, best = child;
        if (child >= n)
            break;
        uint32_t end = child + 4 < n ? child + 4 : n;
        for (uint32_t c = child + 1; c < end; c++)
            if (lz_evq_before(q, &q->near[c], &q->near[best]))
                best = c;
        if (!lz_evq_before(q, &q->near[best], &e))
            break;
        q->near[i] = q->near[best];
        i = best;
    }
    q->near[i] = e;
    return first;
}

/* An event to be filled in by the caller before it is pushed: kind, entity, payload, seq. */
static inline uint32_t lz_evq_new(struct lz_evq *q)
{
    uint32_t i = q->event_free;
    if (i != 0)
        q->event_free = q->events[i].next_free;
    else
        i = q->event_used < q->event_cap ? q->event_used++ : lz_evq_grow_events(q);
    struct lz_evq_event *e = &q->events[i];
    e->gen++;
    e->is_dead = false;
    return i;
}

static inline void lz_evq_free(struct lz_evq *q, uint32_t i)
{
    struct lz_evq_event *e = &q->events[i];
    if ((e->gen & 1u) != 0) // a cancelled one has been counted already
        e->gen++;
    e->next_free = q->event_free;
    q->event_free = i;
}

static inline void lz_evq_push(struct lz_evq *q, lz_time at, uint32_t event)
{
    struct lz_evq_entry e = {.at = at, .event = event};
    q->live++;
    if (at >= q->near_end) {
        lz_evq_file(q, e);
        return;
    }
    if (q->near_count >= q->near_limit) {
        lz_evq_spill(q);
        if (at >= q->near_end) {
            lz_evq_file(q, e);
            return;
        }
    }
    lz_evq_near_push(q, e);
}

/* The next entry stays where it is; NULL if there is none. Drops dead ones on the way. */
static inline const struct lz_evq_entry *lz_evq_peek(struct lz_evq *q)
{
    for (;;) {
        if (q->near_count == 0 && !lz_evq_open(q))
            return NULL;
        const struct lz_evq_entry *e = &q->near[0];
        if (!q->events[e->event].is_dead)
            return e;
        q->dead--;
        lz_evq_free(q, lz_evq_near_pop(q).event);
    }
}

/* Remove what lz_evq_peek just showed. The caller frees the event. */
static inline void lz_evq_take(struct lz_evq *q)
{
    q->live--;
    lz_evq_near_pop(q);
}

/* `gen` is the low 31 bits of the event's generation. False if it is not pending. */
static inline bool lz_evq_cancel(struct lz_evq *q, uint32_t i, uint32_t gen)
{
    LZ_ASSERT(i > 0 && i < q->event_used);
    struct lz_evq_event *e = &q->events[i];
    if ((e->gen & 0x7fffffffu) != gen || (gen & 1u) == 0)
        return false;
    e->gen++;
    e->is_dead = true;
    q->live--;
    if (++q->dead > q->live + 4096)
        lz_evq_purge(q);
    return true;
}

#endif
