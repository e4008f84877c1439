/*
 * evq.h — the future-event list: a hierarchical timing wheel over a short sorted run.
 *
 * Entries pop in exactly (time, rank) order. The wheel has six levels of 4096 slots; an entry's
 * level is the highest digit of 12 bits in which its time differs from `base`, its slot that
 * digit. A slot has places for seven event numbers; when they are taken, all seven move to a chunk
 * behind it. Only the nearest few entries are sorted, in an array (`near`) that stays in the first
 * cache level:
 *
 *   push ──┬─ before near_end ──▶ near (sorted) ──▶ pop
 *          └─ else ──▶ wheel ──open the nearest slots──▶ near, if at most 112, or 8190 of
 *                        ▲                              the second level; else one level down
 *                        └── spill: near grew past its limit ──┘
 *
 * Nearly all that is filed is filed once, for a slot is 1 / 4096 of what its level spans; with
 * levels of 64 slots it was twice or three times. Filing and sorting have next to nothing to
 * guess, and that is worth more than instructions: where an entry goes is no jump, as many slots
 * as hold sixteen together are opened at a time (evq_open.c), and sorted as numbers by a network
 * (keys.h). Of the second level, where 12 bits of time differ in a slot, thousands are sorted by
 * counting (evq_many.c) while their events are fetched.
 *
 * Equals in a slot are in the order of their ranks, for that is the order of adding, and filing
 * keeps it from level to level; but a lane's alarm, and what comes first on an instant, have a
 * rank that is older than the moment they are added: they are marked late, and slots that
 * hold one are sorted by rank.
 *
 * While few are pending, all of them are near: when the run is used up and no more than
 * LZ_EVQ_GATHER are left, the wheel is emptied into it. Most scenarios have a few dozen pending,
 * milliseconds apart. A level's table is made when something is first filed there.
 *
 * An event is known by its index and generation, odd while it is pending. Cancelling makes the
 * generation even; the entry is dropped when it surfaces, or when dead ones outnumber the living.
 *
 * Other structures, ns per pop + push at 1e3 / 1e5 / 1e6 pending on one machine: binary heap
 * 33 / 79 / 230, 4-ary heap 31 / 59 / 150, calendar queue 22 / 33 / 80, ladder queue
 * 24 / 70 / 187, radix heap 31 / 38 / 43, a wheel of 64 slots a level 24 / 28 / 31.
 * tests/unit/test_evq_heap.c holds this one against a 4-ary heap.
 *
 * Invariants:
 *   (1) base <= the time of every entry in the wheel; near_end <= it too;
 *   (2) every entry in `near` is before near_end, and they are in order;
 *   (3) an entry at level l has the digits of `base` above l;
 *   (4) base <= near_end, and base <= the latest `limit` that was peeked at;
 *   (5) next_at and next_rank are those of the first of `near`.
 *
 * At most 2^29 chunks and 2^32 events. Indices, not pointers: a fork needs no fixing. All
 * memory is the arena's: 32 bytes an event, at most 5 an entry in a chunk, 128 KiB a level that is
 * used, of which pages that nobody files into cost nothing, and up to 512 KiB for the run and what
 * sorts it, once thousands fell into one slot.
 */
#ifndef LZ_SIM_EVQ_H
#define LZ_SIM_EVQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "sim/time.h"

#define LZ_EVQ_BITS 12 /* of a digit */
#define LZ_EVQ_LEVELS 6
#define LZ_EVQ_SLOTS (1u << LZ_EVQ_BITS)
#define LZ_EVQ_WORDS (LZ_EVQ_SLOTS / 64)
#define LZ_EVQ_CHUNK 7           /* event numbers */
#define LZ_EVQ_NEAR_FIRST 256    /* places of the run to begin with */
#define LZ_EVQ_NEAR_MAX 64       /* spill past it, unless equals are many */
#define LZ_EVQ_NEAR_KEPT 8       /* by a spill */
#define LZ_EVQ_NEAR_FEW 12       /* are looked through one by one */
#define LZ_EVQ_NEAR_MANY 256     /* to join more than these is dear: each moves a part of them */
#define LZ_EVQ_CHUNK_FIRST 4     /* so that of a slot with chunks `tail` is more than it may hold */
#define LZ_EVQ_GATHER 96         /* so few need no wheel; twice as many do again */
#define LZ_EVQ_LATE (1ull << 63) /* of `when` */

/* What a pending entry stands for. */
struct lz_evq_event {
    uint64_t payload;
    uint64_t rank; /* breaks ties; unique among the pending */
    uint32_t entity;
    uint32_t gen;
    uint64_t when; /* its time, and above it whether it is late */
};

_Static_assert(sizeof(struct lz_evq_event) == 32, "two events to a cache line");

/* One of the sorted run. */
struct lz_evq_entry {
    lz_time at;
    uint32_t event;
    uint32_t is_late; /* 1: its rank is older than the moment it was added */
};

/*
 * A slot, or a full chunk of what was filed there before: event numbers, oldest first. `tail` is
 * the chunk before this one (0: none), times 8, and in a slot how many it has itself.
 */
struct lz_evq_chunk {
    uint32_t events[LZ_EVQ_CHUNK];
    uint32_t tail;
};

_Static_assert(sizeof(struct lz_evq_chunk) == 32, "a slot is half a cache line");

/* Which slots of a level hold something, and which words of these bits are not 0. */
struct lz_evq_bits {
    uint64_t words_used;
    uint64_t words[LZ_EVQ_WORDS];
};

struct lz_evq {
    struct lz_arena *arena;
    struct lz_evq_event *events; /* 1 .. */
    uint32_t event_used, event_cap, event_free;
    uint32_t live, dead;

    struct lz_evq_entry *near; /* near_first .. near_last - 1 */
    uint32_t near_first, near_last, near_cap;
    uint32_t near_limit;
    uint32_t near_joins; /* into the midst of many: so many more, and they are spilled */
    uint64_t near_end;   /* up to 2^63: the wheel is empty */
    lz_time next_at;     /* of the first of the run; LZ_FOREVER: it is empty */
    uint64_t next_rank;

    lz_time base;
    uint32_t levels; /* bit per level with an occupied slot */
    uint32_t chunk_used, chunk_cap, chunk_free;
    struct lz_evq_chunk *chunks; /* LZ_EVQ_CHUNK_FIRST .. */
    uint64_t *spare;             /* where evq_many.c sorts */
    uint32_t spare_cap;
    /* A level that was never used has one slot, which is full, and no bit of a digit. */
    struct lz_evq_chunk *slots[LZ_EVQ_LEVELS];
    uint32_t digits[LZ_EVQ_LEVELS];
    struct lz_evq_chunk no_slots;
    struct lz_evq_bits occupied[LZ_EVQ_LEVELS];
};

void lz_evq_init(struct lz_evq *q, struct lz_arena *arena);

/* Assert the invariants; slow, for tests. */
void lz_evq_check(const struct lz_evq *q);

/* Slow paths of the inline functions below; they give `id` back, so that one can end by a jump. */
void lz_evq_grow_events(struct lz_evq *q); /* so that one is free */
uint64_t lz_evq_file_anew(struct lz_evq *q, lz_time at, uint32_t event, uint64_t id);
uint64_t lz_evq_put_near(struct lz_evq *q, struct lz_evq_entry e, uint64_t id);
bool lz_evq_open(struct lz_evq *q, lz_time limit); /* false: nothing is due by `limit` */
void lz_evq_purge(struct lz_evq *q);

/*
 * The run's first has changed. Its time and rank lie apart, and are known before it is its turn:
 * whether a line is before it, and who handles it, nobody can guess, and what was guessed wrong is
 * seen as soon as these are there.
 */
static inline void lz_evq_look(struct lz_evq *q)
{
    if (q->near_first == q->near_last) {
        q->next_at = LZ_FOREVER;
        return;
    }
    const struct lz_evq_entry *e = &q->near[q->near_first];
    q->next_at = e->at;
    q->next_rank = q->events[e->event].rank;
}

/* For evq_open.c and evq_many.c. */
void lz_evq_sort_near(struct lz_evq *q);
void lz_evq_mark_late(struct lz_evq *q);
void lz_evq_widen_near(struct lz_evq *q, uint32_t count); /* to `count` entries at least */

/*
 * The events of a slot of the second level, which starts at `base`, into the run, which is empty.
 * The slot is cleared by its caller. False if they are too many: then nothing was done. `after` is
 * a chunk of the slot that comes next, or 0.
 */
bool lz_evq_sort_many(struct lz_evq *q, const struct lz_evq_chunk *slot, uint32_t after);

static inline bool lz_evq_before(const struct lz_evq *q, const struct lz_evq_entry *a,
                                 const struct lz_evq_entry *b)
{
    if (__builtin_expect(a->at != b->at, 1))
        return a->at < b->at;
    return q->events[a->event].rank < q->events[b->event].rank;
}

static inline lz_time lz_evq_at(const struct lz_evq *q, uint32_t event)
{
    return (lz_time)(q->events[event].when & ~LZ_EVQ_LATE);
}

static inline bool lz_evq_is_live(const struct lz_evq *q, uint32_t event)
{
    return (q->events[event].gen & 1u) != 0;
}

/* The digit in which two times differ, which is the level of the one if the other is `base`. */
static inline uint32_t lz_evq_level(lz_time a, lz_time b)
{
    uint64_t differs = (uint64_t)a ^ (uint64_t)b;
    return (63u - (uint32_t)__builtin_clzll(differs | 1)) / LZ_EVQ_BITS;
}

/*
 * Into the wheel; not before `base`. Nobody could guess whether a slot is empty, so that its bit is
 * set in any case; that a word of bits is, or a slot full, is rare.
 */
static inline uint64_t lz_evq_file(struct lz_evq *q, lz_time at, uint32_t event, uint64_t id)
{
    uint32_t level = lz_evq_level(at, q->base);
    uint32_t slot = (uint32_t)((uint64_t)at >> (LZ_EVQ_BITS * level)) & q->digits[level];
    struct lz_evq_chunk *s = &q->slots[level][slot];
    uint64_t *word = &q->occupied[level].words[slot / 64];
    uint32_t count = s->tail & 7u;
    if (*word == 0 || count == LZ_EVQ_CHUNK)
        return lz_evq_file_anew(q, at, event, id);
    *word |= 1ull << slot % 64;
    s->events[count] = event;
    s->tail++;
    return id;
}

/* Where an event that was just made belongs. */
static inline uint64_t lz_evq_put(struct lz_evq *q, struct lz_evq_entry e, uint64_t id)
{
    if ((uint64_t)e.at < q->near_end)
        return lz_evq_put_near(q, e, id);
    return lz_evq_file(q, e.at, e.event, id);
}

/*
 * A new event, known by its index; there must be a free one. It is pending, but not in the
 * queue until lz_evq_put, which must follow at once.
 */
static inline uint32_t lz_evq_make(struct lz_evq *q, uint64_t when, uint64_t rank, uint32_t entity,
                                   uint64_t payload)
{
    uint32_t i = q->event_free;
    struct lz_evq_event *event = &q->events[i];
    q->event_free = event->entity;
    event->payload = payload;
    event->rank = rank;
    event->entity = entity;
    event->gen++;
    event->when = when;
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
    uint32_t i = lz_evq_make(q, (uint64_t)at, rank, entity, payload);
    return (uint32_t)lz_evq_put(q, (struct lz_evq_entry){.at = at, .event = i}, i);
}

/* The same with a rank that may be older than those of events that were added before. */
static inline uint32_t lz_evq_add_late(struct lz_evq *q, lz_time at, uint64_t rank, uint32_t entity,
                                       uint64_t payload)
{
    LZ_ASSERT(at >= 0);
    if (q->event_free == 0)
        lz_evq_grow_events(q);
    uint32_t i = lz_evq_make(q, (uint64_t)at | LZ_EVQ_LATE, rank, entity, payload);
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
        lz_evq_look(q);
    }
}

/*
 * Some of the events that follow those that are near, for fetching what they will need: so many
 * of them, in no order. Some may have been cancelled.
 */
#define LZ_EVQ_AHEAD 16
uint32_t lz_evq_ahead(const struct lz_evq *q, uint32_t events[LZ_EVQ_AHEAD]);

/* Remove what lz_evq_peek just showed, and give back what it stood for. */
static inline struct lz_evq_event lz_evq_take(struct lz_evq *q)
{
    uint32_t i = q->near[q->near_first++].event;
    struct lz_evq_event event = q->events[i];
    LZ_ASSERT((event.gen & 1u) != 0);
    q->live--;
    lz_evq_release(q, i);
    lz_evq_look(q);
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
