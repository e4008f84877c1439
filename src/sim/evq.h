/*
 * evq.h — the future-event list: a hierarchical timing wheel over a short sorted run.
 *
 * Entries pop in exactly (time, rank) order. The wheel has 11 levels of 64 slots; an entry's
 * level is the highest base-64 digit in which its time differs from `base`, its slot that
 * digit. Slots are lists of small chunks, each entry appended. Only the nearest few entries
 * are sorted, in an array (`near`) that stays in the first cache level:
 *
 *   push ──┬─ before near_end ──▶ near (sorted) ──▶ pop
 *          └─ else ──▶ wheel ──open the nearest slot──▶ near, if at most 126,
 *                        ▲                              else one level down
 *                        └── spill: near grew past its limit ──┘
 *
 * A slot of up to 14 is sorted as numbers, by minimum and maximum, one of up to 126 by counting
 * the digits of the level below: neither jumps where it would be guessed wrong. Opening up to
 * 252 or 672 at once took fewer instructions and no less time; dealing all that had more than
 * 14 took a third longer at 1e6 pending, where a slot of 64 ns holds 64.
 *
 * Equals in a slot are in the order of their ranks, for that is the order of adding, and filing
 * keeps it from level to level; but a lane's alarm, and what comes first on an instant, have a
 * rank that is older than the moment they are added: they are marked late, and a slot that
 * holds one is sorted by rank.
 *
 * While few are pending, all of them are near: when the run is used up and no more than
 * LZ_EVQ_GATHER are left, the wheel is emptied into it. Most scenarios have a few dozen pending,
 * milliseconds apart, and spent two thirds of their queue's time on slots of one or two.
 *
 * An event is known by its index and generation, odd while it is pending. Cancelling makes the
 * generation even; the entry is dropped when it surfaces, or when dead ones outnumber the living.
 *
 * Other structures, ns per pop + push at 1e3 / 1e5 / 1e6 pending on one machine: binary heap
 * 33 / 79 / 230, 4-ary heap 31 / 59 / 150, calendar queue 22 / 33 / 80, ladder queue
 * 24 / 70 / 187, radix heap 31 / 38 / 43, such a wheel 24 / 28 / 31. tests/unit/test_evq.c
 * holds it against a 4-ary heap.
 *
 * Invariants:
 *   (1) base <= the time of every entry in the wheel; near_end <= it too;
 *   (2) every entry in `near` is before near_end, and they are in order;
 *   (3) an entry at level l has the digits of `base` above l;
 *   (4) base <= near_end, and base <= the latest `limit` that was peeked at.
 *
 * At most 2^29 chunks and 2^32 events. Indices, not pointers: a fork needs no fixing. All
 * memory is the arena's: 24 bytes an event, 18 an entry.
 */
#ifndef LZ_SIM_EVQ_H
#define LZ_SIM_EVQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "sim/time.h"

#define LZ_EVQ_LEVELS 11
#define LZ_EVQ_SLOTS 64
#define LZ_EVQ_CHUNK 7     /* entries; a chunk is two cache lines */
#define LZ_EVQ_NEAR_MAX 64 /* spill past it, unless equals are many */
#define LZ_EVQ_NEAR_KEPT 8 /* by a spill */
#define LZ_EVQ_NEAR_FEW 12 /* are looked through one by one */
#define LZ_EVQ_SOME 18     /* chunks: a slot of at most so many is sorted at once */
#define LZ_EVQ_GATHER 96   /* so few need no wheel; twice as many do again */

/* What a pending entry stands for. */
struct lz_evq_event {
    uint64_t payload;
    uint64_t rank; /* breaks ties; unique among the pending */
    uint32_t entity;
    uint32_t gen;
};

struct lz_evq_entry {
    lz_time at;
    uint32_t event;
    uint32_t is_late; /* 1: its rank is older than the moment it was added */
};

struct lz_evq_chunk {
    struct lz_evq_entry entries[LZ_EVQ_CHUNK]; /* filled from the last to the first */
    uint32_t
        next[4]; /* the chunk after this one in its list, and a guess at the three after that */
};

_Static_assert(sizeof(struct lz_evq_event) == 24, "an event is as small as it can be");
_Static_assert(sizeof(struct lz_evq_chunk) == 128, "a chunk is two cache lines");

struct lz_evq {
    struct lz_arena *arena;
    struct lz_evq_event *events; /* 1 .. */
    uint32_t event_used, event_cap, event_free;
    uint32_t live, dead;

    struct lz_evq_entry *near; /* near_first .. near_last - 1 */
    uint32_t near_first, near_last, near_cap;
    uint32_t near_limit;
    uint64_t near_end; /* up to 2^63: the wheel is empty */

    lz_time base;
    uint64_t occupied[LZ_EVQ_LEVELS];
    uint32_t levels; /* bit per level with an occupied slot */
    /* Newest chunk << 3 | places left in it; 0: empty. Older chunks are full. */
    uint32_t slots[LZ_EVQ_LEVELS][LZ_EVQ_SLOTS];
    struct lz_evq_chunk *chunks; /* 1 .. */
    uint32_t chunk_used, chunk_cap, chunk_free;
};

void lz_evq_init(struct lz_evq *q, struct lz_arena *arena);

/* Assert the invariants; slow, for tests. */
void lz_evq_check(const struct lz_evq *q);

/* Slow paths of the inline functions below. */
void lz_evq_grow_events(struct lz_evq *q); /* so that one is free */

/* Where an event that was just made belongs. Gives `id` back: its caller can end by a jump. */
uint64_t lz_evq_put(struct lz_evq *q, struct lz_evq_entry e, uint64_t id);
bool lz_evq_open(struct lz_evq *q, lz_time limit); /* false: nothing is due by `limit` */
void lz_evq_purge(struct lz_evq *q);

static inline bool lz_evq_before(const struct lz_evq *q, const struct lz_evq_entry *a,
                                 const struct lz_evq_entry *b)
{
    if (__builtin_expect(a->at != b->at, 1))
        return a->at < b->at;
    return q->events[a->event].rank < q->events[b->event].rank;
}

static inline bool lz_evq_is_live(const struct lz_evq *q, uint32_t event)
{
    return (q->events[event].gen & 1u) != 0;
}

/*
 * A new event, known by its index; there must be a free one. It is pending, but not in the
 * queue until lz_evq_put, which must follow at once.
 */
static inline uint32_t lz_evq_make(struct lz_evq *q, uint64_t rank, uint32_t entity,
                                   uint64_t payload)
{
    uint32_t i = q->event_free;
    struct lz_evq_event *event = &q->events[i];
    q->event_free = event->entity;
    event->payload = payload;
    event->rank = rank;
    event->entity = entity;
    event->gen++;
    q->live++;
    return i;
}

/* The index of the new event, which with its generation makes a handle. No rank is newer. */
static inline uint32_t lz_evq_add(struct lz_evq *q, lz_time at, uint64_t rank, uint32_t entity,
                                  uint64_t payload)
{
    LZ_ASSERT(at >= 0);
    if (q->event_free == 0)
        lz_evq_grow_events(q);
    uint32_t i = lz_evq_make(q, rank, entity, payload);
    return (uint32_t)lz_evq_put(q, (struct lz_evq_entry){.at = at, .event = i}, i);
}

/* The same with a rank that may be older than those of events that were added before. */
static inline uint32_t lz_evq_add_late(struct lz_evq *q, lz_time at, uint64_t rank, uint32_t entity,
                                       uint64_t payload)
{
    LZ_ASSERT(at >= 0);
    if (q->event_free == 0)
        lz_evq_grow_events(q);
    uint32_t i = lz_evq_make(q, rank, entity, payload);
    return (uint32_t)lz_evq_put(q, (struct lz_evq_entry){.at = at, .event = i, .is_late = 1}, i);
}

/* The event's place may be used again. */
static inline void lz_evq_release(struct lz_evq *q, uint32_t i)
{
    struct lz_evq_event *event = &q->events[i];
    event->gen += event->gen & 1u; // a cancelled one is even already
    event->entity = q->event_free;
    q->event_free = i;
}

/* The same for one that is pending. */
static inline void lz_evq_release_live(struct lz_evq *q, uint32_t i)
{
    struct lz_evq_event *event = &q->events[i];
    event->gen++;
    event->entity = q->event_free;
    q->event_free = i;
}

/*
 * The next entry if it is due by `limit`, else NULL; it stays where it is, but only until
 * something is added or cancelled.
 */
static inline const struct lz_evq_entry *lz_evq_peek(struct lz_evq *q, lz_time limit)
{
    for (;;) {
        if (q->near_first == q->near_last &&
            ((uint64_t)limit < q->near_end || !lz_evq_open(q, limit)))
            return NULL;
        const struct lz_evq_entry *e = &q->near[q->near_first];
        if (e->at > limit)
            return NULL;
        if (lz_evq_is_live(q, e->event))
            return e;
        q->dead--;
        q->near_first++;
        lz_evq_release(q, e->event);
    }
}

/*
 * The newest entries of the slot that will be opened next, for fetching what they will need: so
 * many of them, in no order. Some may have been cancelled.
 */
static inline const struct lz_evq_entry *lz_evq_ahead(const struct lz_evq *q, uint32_t *count)
{
    *count = 0;
    if (q->levels == 0)
        return NULL;
    uint32_t level = (uint32_t)__builtin_ctz(q->levels);
    uint32_t place = q->slots[level][__builtin_ctzll(q->occupied[level])];
    *count = LZ_EVQ_CHUNK - (place & 7u);
    return &q->chunks[place >> 3].entries[place & 7u];
}

/* Remove what lz_evq_peek just showed, and give back what it stood for. */
static inline struct lz_evq_event lz_evq_take(struct lz_evq *q)
{
    uint32_t i = q->near[q->near_first++].event;
    struct lz_evq_event event = q->events[i];
    LZ_ASSERT((event.gen & 1u) != 0);
    q->live--;
    lz_evq_release(q, i);
    return event;
}

/* `gen` is the low 31 bits of the event's generation. False if it is not pending. */
static inline bool lz_evq_cancel(struct lz_evq *q, uint32_t i, uint32_t gen)
{
    LZ_ASSERT(i > 0 && i < q->event_used);
    struct lz_evq_event *event = &q->events[i];
    if ((event->gen & 0x7fffffffu) != gen || (gen & 1u) == 0)
        return false;
    event->gen++;
    q->live--;
    if (++q->dead > q->live + 4096)
        lz_evq_purge(q);
    return true;
}

#endif
