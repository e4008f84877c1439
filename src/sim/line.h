/*
 * line.h — events of the few delays that many events have, in the order they are due.
 *
 * Most events of most scenarios are messages over a few links of constant latency. What is
 * scheduled with one delay is due in the order of scheduling: it is appended to that delay's line
 * and nobody has to look for its place. The kernel compares the first event of all lines with the
 * first of its queue; its order is (time, rank) as everywhere, so that nothing changes by an event
 * being in a line.
 *
 * Lines are few, for all are looked at when an event was taken out of one: with more than
 * LZ_LINES_MAX delays the others' events go to the queue. Nobody can cancel an event of a line.
 *
 * Invariants: heads[i] is the time of line i's first event, LZ_FOREVER if it has none; `next` is
 * the line whose first event comes first, and `at` when that is: LZ_FOREVER if there is none.
 *
 * 32 bytes an event; all memory is the arena's.
 */
#ifndef LZ_SIM_LINE_H
#define LZ_SIM_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "sim/time.h"

#define LZ_LINES_MAX 6

typedef uint8_t lz_line; /* events of one delay; 0: none */

struct lz_line_event {
    lz_time at;
    uint64_t rank;
    uint64_t payload;
    uint32_t entity;
};

struct lz_line_ring {
    lz_time delay;
    uint32_t first, count, cap; /* cap is a power of two */
    struct lz_line_event *ring;
};

struct lz_lines {
    lz_time at;
    uint32_t next;
    uint32_t count;
    lz_time heads[LZ_LINES_MAX + 1];
    struct lz_line_ring all[LZ_LINES_MAX + 1]; /* 1 .. */
    struct lz_arena *arena;
};

void lz_lines_init(struct lz_lines *ls, struct lz_arena *arena);

/* The same for the same delay; 0 if there are too many others. */
lz_line lz_lines_find(struct lz_lines *ls, lz_time delay);

void lz_lines_widen(struct lz_lines *ls, lz_line line); /* it is full */
void lz_lines_choose(struct lz_lines *ls);              /* its first has been taken out */
size_t lz_lines_bytes(const struct lz_lines *ls);

static inline bool lz_lines_is_full(const struct lz_lines *ls, lz_line line)
{
    const struct lz_line_ring *l = &ls->all[(size_t)line];
    LZ_ASSERT(line - 1u < ls->count);
    return l->count == l->cap;
}

/* The place of one more, which is due at `at`. The line is not full, and no rank is higher. */
static inline struct lz_line_event *lz_lines_push(struct lz_lines *ls, lz_line line, lz_time at)
{
    size_t i = line;
    struct lz_line_ring *l = &ls->all[i];
    struct lz_line_event *e = &l->ring[(l->first + l->count) & (l->cap - 1)];
    e->at = at;
    if (l->count++ > 0)
        return e;
    ls->heads[i] = at;
    if (at < ls->at) { // at the same instant the other was scheduled first
        ls->at = at;
        ls->next = (uint32_t)i;
    }
    return e;
}

static inline const struct lz_line_event *lz_lines_first(const struct lz_lines *ls)
{
    const struct lz_line_ring *l = &ls->all[ls->next];
    LZ_ASSERT(l->count > 0);
    return &l->ring[l->first];
}

/* It stays where it is until something is pushed. */
static inline const struct lz_line_event *lz_lines_take(struct lz_lines *ls)
{
    struct lz_line_ring *l = &ls->all[ls->next];
    LZ_ASSERT(l->count > 0);
    const struct lz_line_event *e = &l->ring[l->first];
    l->first = (l->first + 1) & (l->cap - 1);
    ls->heads[ls->next] = --l->count > 0 ? l->ring[l->first].at : LZ_FOREVER;
    if (ls->count > 1)
        lz_lines_choose(ls);
    else
        ls->at = ls->heads[1];
    return e;
}

static inline size_t lz_lines_held(const struct lz_lines *ls)
{
    size_t held = 0;
    for (uint32_t i = 1; i <= ls->count; i++)
        held += ls->all[i].count;
    return held;
}

#endif
