/*
 * line.h — events of the few delays that many events have, in the order they are due.
 *
 * Most events of most scenarios are messages over a few links of constant latency. What is
 * scheduled with one delay is due in the order of scheduling: it is appended to that delay's line
 * and nobody has to look for its place. The kernel compares the first event of all lines with the
 * first of its queue; its order is (time, rank) as everywhere, so that nothing changes by an event
 * being in a line.
 *
 * Lines are few, for those that are not empty are kept in order of their first events: with more
 * than LZ_LINES_MAX delays the others' events go to the queue. Nobody can cancel an event of a
 * line.
 *
 * Invariants: heads[0] .. heads[waiting - 1] are the lines that are not empty, by the time and rank
 * of their first events; behind them stands a head at LZ_FOREVER.
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

struct lz_line_head {
    lz_time at; /* of its first event */
    uint32_t line;
};

struct lz_lines {
    struct lz_line_head heads[LZ_LINES_MAX + 1];
    uint32_t waiting; /* lines that are not empty */
    uint32_t count;
    struct lz_line_ring all[LZ_LINES_MAX + 1]; /* 1 .. */
    struct lz_arena *arena;
};

void lz_lines_init(struct lz_lines *ls, struct lz_arena *arena);

/* The same for the same delay; 0 if there are too many others. */
lz_line lz_lines_find(struct lz_lines *ls, lz_time delay);

void lz_lines_widen(struct lz_lines *ls, lz_line line); /* it is full */
size_t lz_lines_bytes(const struct lz_lines *ls);

/* When the first event of all is due: LZ_FOREVER if there is none. */
static inline lz_time lz_lines_at(const struct lz_lines *ls)
{
    return ls->heads[0].at;
}

static inline bool lz_lines_is_full(const struct lz_lines *ls, lz_line line)
{
    const struct lz_line_ring *l = &ls->all[(size_t)line];
    LZ_ASSERT(line - 1u < ls->count);
    return l->count == l->cap;
}

/* A line that was empty has an event, with the highest rank of all, at `at`. */
static inline void lz_lines_enter(struct lz_lines *ls, uint32_t line, lz_time at)
{
    uint32_t i = ls->waiting++;
    ls->heads[i + 1].at = LZ_FOREVER;
    for (; i > 0 && ls->heads[i - 1].at > at; i--)
        ls->heads[i] = ls->heads[i - 1];
    ls->heads[i] = (struct lz_line_head){.at = at, .line = line};
}

/* The place of one more, which is due at `at`. The line is not full, and no rank is higher. */
static inline struct lz_line_event *lz_lines_push(struct lz_lines *ls, lz_line line, lz_time at)
{
    struct lz_line_ring *l = &ls->all[(size_t)line];
    struct lz_line_event *e = &l->ring[(l->first + l->count) & (l->cap - 1)];
    e->at = at;
    if (l->count++ == 0)
        lz_lines_enter(ls, line, at);
    return e;
}

static inline const struct lz_line_event *lz_lines_first(const struct lz_lines *ls)
{
    const struct lz_line_ring *l = &ls->all[ls->heads[0].line];
    LZ_ASSERT(l->count > 0);
    return &l->ring[l->first];
}

/* Does the line of this head come before an event of that time and rank? */
static inline bool lz_lines_is_before(const struct lz_lines *ls, const struct lz_line_head *head,
                                      const struct lz_line_event *e)
{
    if (__builtin_expect(head->at != e->at, 1))
        return head->at < e->at;
    const struct lz_line_ring *l = &ls->all[head->line];
    return head->at < LZ_FOREVER && l->ring[l->first].rank < e->rank;
}

/* It stays where it is until something is pushed. */
static inline const struct lz_line_event *lz_lines_take(struct lz_lines *ls)
{
    struct lz_line_head *head = ls->heads;
    uint32_t line = head->line;
    struct lz_line_ring *l = &ls->all[line];
    LZ_ASSERT(l->count > 0);
    const struct lz_line_event *e = &l->ring[l->first];
    l->first = (l->first + 1) & (l->cap - 1);
    if (--l->count == 0) {
        ls->waiting--;
        do
            head[0] = head[1];
        while ((head++)->at < LZ_FOREVER);
        return e;
    }
    const struct lz_line_event *next = &l->ring[l->first];
    for (; lz_lines_is_before(ls, head + 1, next); head++)
        head[0] = head[1];
    *head = (struct lz_line_head){.at = next->at, .line = line};
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
