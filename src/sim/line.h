/*
 * line.h — events of the few delays that many events have, in the order they are due.
 *
 * Most events of most scenarios are messages over a few links of constant latency. What is
 * scheduled with one delay is due in the order of scheduling: it is appended to that delay's line
 * and nobody has to look for its place. The kernel compares the first event of all lines with the
 * first of its queue; its order is (time, rank) as everywhere, so that nothing changes by an event
 * being in a line.
 *
 * Of two events due at one instant, that of the longer delay was scheduled first. So lines stand
 * by their delays, the longest first, and a line's *key*, its first event's time over its place,
 * says which comes first without a look at ranks. Keys are kept in order (line_keys.h). Behind its
 * last event a line has one at LZ_LINES_NEVER, so that a line which is empty has a key too.
 *
 * Lines are few: with more than LZ_LINES_MAX delays the others' events go to the queue, and once
 * time comes near LZ_LINES_UNTIL all do. Nobody can cancel an event of a line.
 *
 * Invariants: `keys` are those of all lines, in order, and then such as are no line's, at
 * LZ_LINES_NEVER; `first_at` is the time of the first; a place of each ring is free.
 *
 * 32 bytes an event; all memory is the arena's.
 */
#ifndef LZ_SIM_LINE_H
#define LZ_SIM_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "sim/line_keys.h"
#include "sim/time.h"

#define LZ_LINES_MAX LZ_LINE_KEYS
#define LZ_LINES_PLACE_BITS 3
#define LZ_LINES_UNTIL (1ll << 57) /* 4.5 years: of delays, and of runs */
#define LZ_LINES_NEVER (2 * LZ_LINES_UNTIL)
#define LZ_LINES_BIAS (1ull << 62)

typedef uint8_t lz_line; /* events of one delay; 0: none */

struct lz_line_event {
    lz_time at;
    uint64_t rank;
    uint64_t payload;
    uint32_t entity;
};

struct lz_line_ring {
    lz_time delay;
    uint32_t first, last; /* they count: where each is, `mask` says */
    uint32_t mask;        /* one less than its places, which are a power of two */
    uint32_t room;        /* for so many; 0: nothing is to come in any more */
    struct lz_line_event *ring;
};

struct lz_lines {
    struct lz_line_keys keys;
    lz_time first_at; /* the first key's: soon looked at, so not by way of vectors */
    struct lz_line_ring all[LZ_LINES_MAX + 1]; /* 1 ..: by place */
    uint8_t places[LZ_LINES_MAX + 1];          /* 1 ..: of a line */
    uint32_t count;
    bool is_closed; /* lz_lines_close */
    struct lz_arena *arena;
};

void lz_lines_init(struct lz_lines *ls, struct lz_arena *arena);

/* The same for the same delay; 0 if it has none. */
lz_line lz_lines_find(struct lz_lines *ls, lz_time delay);

void lz_lines_widen(struct lz_lines *ls, lz_line line); /* it is full */

/* Time is about to pass LZ_LINES_UNTIL: what is there goes out, but nothing comes in any more. */
void lz_lines_close(struct lz_lines *ls);

size_t lz_lines_bytes(const struct lz_lines *ls);

/* When the first event of all is due: LZ_LINES_NEVER if there is none. */
static inline lz_time lz_lines_at(const struct lz_lines *ls)
{
    return ls->first_at;
}

static inline struct lz_line_ring *lz_lines_ring(struct lz_lines *ls, lz_line line)
{
    LZ_ASSERT(line - 1u < ls->count);
    return &ls->all[ls->places[line]];
}

static inline uint64_t lz_lines_key(lz_time at, uint32_t place)
{
    return LZ_LINES_BIAS + ((uint64_t)at << LZ_LINES_PLACE_BITS | place);
}

static inline lz_time lz_lines_time(uint64_t key)
{
    return (lz_time)((key - LZ_LINES_BIAS) >> LZ_LINES_PLACE_BITS);
}

static inline uint32_t lz_lines_place(uint64_t key)
{
    return key & ((1u << LZ_LINES_PLACE_BITS) - 1);
}

/* The first of all; something old if there is none. */
static inline const struct lz_line_event *lz_lines_first(const struct lz_lines *ls)
{
    const struct lz_line_ring *l = &ls->all[lz_lines_place(ls->keys.all[0])];
    return &l->ring[l->first & l->mask];
}

/*
 * One more. The line is not full, and no rank is higher. False: the first of all is the one it was.
 */
static inline bool lz_lines_push(struct lz_lines *ls, struct lz_line_ring *l,
                                 struct lz_line_event e)
{
    bool was_empty = l->last == l->first;
    l->ring[l->last++ & l->mask] = e;
    l->ring[l->last & l->mask].at = LZ_LINES_NEVER;
    if (was_empty) {
        lz_line_keys_enter(&ls->keys, lz_lines_key(e.at, (uint32_t)(l - ls->all)));
        lz_time sooner = 0 - (lz_time)(e.at < ls->first_at); // all bits, or none: no jump
        ls->first_at ^= (ls->first_at ^ e.at) & sooner;
    }
    return was_empty;
}

/* It stays where it is until something is pushed. */
static inline const struct lz_line_event *lz_lines_take(struct lz_lines *ls)
{
    uint32_t place = lz_lines_place(ls->keys.all[0]);
    struct lz_line_ring *l = &ls->all[place];
    LZ_ASSERT(l->first != l->last);
    const struct lz_line_event *e = &l->ring[l->first++ & l->mask];
    lz_line_keys_change(&ls->keys, lz_lines_key(l->ring[l->first & l->mask].at, place));
    ls->first_at = lz_lines_time(ls->keys.all[0]);
    return e;
}

static inline size_t lz_lines_held(const struct lz_lines *ls)
{
    size_t held = 0;
    for (uint32_t i = 1; i <= ls->count; i++)
        held += ls->all[i].last - ls->all[i].first;
    return held;
}

#endif
