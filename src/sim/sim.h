/*
 * sim.h — the kernel: virtual time, and what happens next.
 *
 * An event is (time, kind, entity, payload). A kind is registered once with the
 * function that handles it; entity and payload are numbers the kind's owner
 * understands (an instance and a request, say). Events hold no pointers, so the
 * trace hash, a running 64-bit hash over every event that fires, means the same
 * thing on every machine, and a fork needs no fixing.
 *
 * Order is (time, sequence), the sequence being the order of scheduling across
 * all four ways to schedule:
 *
 *   lz_sim_at      any instant; a hierarchical timing wheel (evq.h)
 *   lz_sim_soon    this instant, after what is already due; a ready ring
 *   lz_sim_after   one of the few delays that many events have, and that nobody cancels: O(1)
 *   lz_sim_arm     a timer of constant duration; a FIFO lane, O(1) to arm and cancel,
 *                  at most three places of 8 bytes for each that is armed: for timeouts,
 *                  which mostly never fire. Who has a record for each may keep the timer in it
 *                  (struct lz_sim_timers): then it costs the kernel nothing
 *
 * Invariants: now never decreases; an event never fires before it was scheduled;
 * a handle is never reused for another event while someone could still hold it
 * (slot and generation).
 *
 * Ownership: everything is in the arena that was handed in.
 */
#ifndef LZ_SIM_SIM_H
#define LZ_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/chain.h"
#include "base/check.h"
#include "sim/draw.h"
#include "sim/line.h"
#include "sim/time.h"

typedef uint16_t lz_kind;     /* event kind; 0 is never issued */
typedef uint16_t lz_lane;     /* timer lane; 0 is never issued */
typedef uint64_t lz_event_id; /* pending event or timer; 0 means "none" */

typedef void lz_event_fn(void *ctx, uint32_t entity, uint64_t payload);

/* What fired, for whoever watches (--verify, the REPL, tests). */
struct lz_event {
    lz_time at;
    lz_kind kind;
    uint32_t entity;
    uint64_t payload;
};
typedef void lz_sim_watch_fn(void *ctx, const struct lz_event *event);

enum lz_sim_stop {
    LZ_SIM_RUNNING,
    LZ_SIM_ENDED,       /* reached the end time */
    LZ_SIM_EVENTS_USED, /* event budget */
    LZ_SIM_STOPPED,     /* lz_sim_stop was called */
};

struct lz_sim;

struct lz_sim_opts {
    struct lz_arena *arena;
    uint64_t seed;       /* base seed, for messages */
    uint64_t run_key;    /* what draws are keyed by */
    uint64_t events_max; /* budget; 0 means unlimited */
};

struct lz_sim *lz_sim_create(const struct lz_sim_opts *opts);

/* For the kernel: what a kind is. */
struct lz_sim_kind {
    lz_event_fn *fn;
    void *ctx;
    lz_event_fn *foresee; /* NULL: nobody does */
    lz_kind as;           /* what it is to everybody else, mostly itself */
    uint32_t traced;      /* that one's number in the trace */
};

/*
 * What is read at every step begins the kernel's own struct; read it by the getters. Who handles
 * the first event of the lines is known before it is its turn: that it was guessed wrong is seen at
 * once then, and not after six loads that wait for each other.
 */
struct lz_sim_face {
    lz_time now;
    uint64_t key;
    uint64_t ranks; /* of the next that is scheduled, without kind or lane */
    struct lz_lines lines;
    struct lz_sim_kind *kinds; /* 1 .. */
    lz_event_fn *line_fn;
    lz_kind line_kind;
};

static inline lz_time lz_sim_now(const struct lz_sim *sim)
{
    return ((const struct lz_sim_face *)sim)->now;
}

/* Where lz_sim_now is read from, for as long as the simulation lives. */
static inline const lz_time *lz_sim_clock(const struct lz_sim *sim)
{
    return &((const struct lz_sim_face *)sim)->now;
}

/* The current run key. */
static inline uint64_t lz_sim_key(const struct lz_sim *sim)
{
    return ((const struct lz_sim_face *)sim)->key;
}

/*
 * A rank is a sequence number over 16 bits of kind or lane. The tie-break: first come, first
 * served. A strategy that explores other orders would put a number of its own above the sequence
 * here, and send lz_sim_soon through the queue.
 */
#define LZ_SIM_SEQ_SHIFT 16
static inline uint64_t lz_sim_next_rank(struct lz_sim *sim, uint32_t low)
{
    struct lz_sim_face *face = (struct lz_sim_face *)sim;
    uint64_t rank = face->ranks | low;
    bool is_over = __builtin_add_overflow(face->ranks, 1ull << LZ_SIM_SEQ_SHIFT, &face->ranks);
    LZ_ASSERT(!is_over); /* 130 days at 25 million a second */
    return rank;
}

struct lz_arena *lz_sim_arena(const struct lz_sim *sim);
uint64_t lz_sim_seed(const struct lz_sim *sim);
uint64_t lz_sim_events(const struct lz_sim *sim); /* fired so far */
uint64_t lz_sim_trace(const struct lz_sim *sim);  /* trace hash so far */
size_t lz_sim_pending(const struct lz_sim *sim);  /* without timers that their owners keep */
size_t lz_sim_bytes(const struct lz_sim *sim);    /* of what was pending, at the most */

/* From `at` on, draws come from future number `future` of the same run; 0 is the original. */
void lz_sim_set_future(struct lz_sim *sim, lz_time at, uint64_t future);

/* `name` appears in traces and must outlive the run. */
lz_kind lz_sim_kind(struct lz_sim *sim, const char *name, lz_event_fn *fn, void *ctx);
bool lz_sim_has_kind(const struct lz_sim *sim, uint32_t number);
const char *lz_sim_kind_name(const struct lz_sim *sim, lz_kind kind);

/*
 * Another handler for some events of a kind: to everybody but who schedules them, and to the trace,
 * they are of `kind`. For a handler that would have to find out first which of few cases it has,
 * where who schedules the event knows. There are few; a kind is foreseen before it has them.
 */
lz_kind lz_sim_kind_also(struct lz_sim *sim, lz_kind kind, lz_event_fn *fn);

/*
 * `fn` is told of an event of this kind some time before it fires, or is cancelled, or not at all:
 * it may fetch into the cache what the event will need, and must change nothing.
 */
void lz_sim_foresee(struct lz_sim *sim, lz_kind kind, lz_event_fn *fn);

/* The first event of the lines may be another. */
static inline void lz_sim_look(struct lz_sim_face *face)
{
    face->line_kind = (lz_kind)lz_lines_first(&face->lines)->rank;
    face->line_fn = face->kinds[face->line_kind].fn;
}

/*
 * A line for events that fire after `delay` > 0, the same for the same delay; 0 if it has none, see
 * line.h. In order with all else, as if by lz_sim_at.
 */
lz_line lz_sim_line(struct lz_sim *sim, lz_time delay);
void lz_sim_after_more(struct lz_sim *sim, lz_line line, lz_kind kind, uint32_t entity,
                       uint64_t payload); /* whose line is full, or closed */
static inline void lz_sim_after(struct lz_sim *sim, lz_line line, lz_kind kind, uint32_t entity,
                                uint64_t payload)
{
    struct lz_sim_face *face = (struct lz_sim_face *)sim;
    struct lz_line_ring *l = lz_lines_ring(&face->lines, line);
    if (__builtin_expect(l->last - l->first >= l->room, 0)) {
        lz_sim_after_more(sim, line, kind, entity, payload);
        return;
    }
    LZ_ASSERT(kind != 0);
    const struct lz_line_event e = {.at = face->now + l->delay,
                                    .rank = lz_sim_next_rank(sim, kind),
                                    .payload = payload,
                                    .entity = entity};
    if (lz_lines_push(&face->lines, l, e))
        lz_sim_look(face);
}

/* Fire at `at`, which must not lie in the past. */
lz_event_id lz_sim_at(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                      uint64_t payload);

/*
 * Fire at `at` before everything else that falls on that instant, whenever it was scheduled:
 * for what closes the books on a whole second.
 */
void lz_sim_at_first(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                     uint64_t payload);

/* Fire at this instant, after everything already due at it. Cannot be cancelled. */
void lz_sim_soon(struct lz_sim *sim, lz_kind kind, uint32_t entity, uint64_t payload);

/* The lane for timers of `delay` that fire as `kind`; made on first use. */
lz_lane lz_sim_lane(struct lz_sim *sim, lz_time delay, lz_kind kind);
lz_event_id lz_sim_arm(struct lz_sim *sim, lz_lane lane, uint32_t entity, uint64_t payload);

/*
 * Timers of one delay that are kept in records of their owner, in a list in the order they were
 * armed. To arm one is to append its record, with a rank by lz_sim_next_rank and the list's lane,
 * and to call lz_sim_timers_armed; to cancel it, to take the record out: of that the kernel learns
 * when it asks for the first of the list, at the time at which the one was due that was the first
 * when it last asked.
 */
struct lz_sim_due {
    lz_time at;
    uint64_t rank;
    uint32_t entity;
    uint64_t payload;
};

struct lz_sim_timers {
    lz_lane lane;
    bool has_alarm;
    struct lz_chain armed; /* records of their owner */
    lz_time delay;
    void *ctx;
    void (*head)(void *ctx, const struct lz_sim_timers *list, struct lz_sim_due *due);
    void (*take)(void *ctx, struct lz_sim_timers *list); /* the first, which fires: out of it */
};

/* Give the list its lane; it must outlive the run. All but its lane is set. */
void lz_sim_timers_add(struct lz_sim *sim, struct lz_sim_timers *list, lz_kind kind);
void lz_sim_timers_alarm(struct lz_sim *sim, struct lz_sim_timers *list);
static inline void lz_sim_timers_armed(struct lz_sim *sim, struct lz_sim_timers *list)
{
    LZ_ASSERT(!lz_chain_is_empty(&list->armed));
    if (!list->has_alarm)
        lz_sim_timers_alarm(sim, list);
}

/* Forget a pending event or timer. False if it has fired or been cancelled; 0 is allowed. */
bool lz_sim_cancel(struct lz_sim *sim, lz_event_id id);

/* For who foresees: that event or timer is going to be cancelled. */
void lz_sim_foresee_cancel(const struct lz_sim *sim, lz_event_id id);

/* Run until `end` (events at `end` itself fire), a budget, or lz_sim_stop. */
enum lz_sim_stop lz_sim_run(struct lz_sim *sim, lz_time end);
void lz_sim_stop(struct lz_sim *sim);

/* Watch every event before it is handled; NULL stops watching. */
void lz_sim_watch(struct lz_sim *sim, lz_sim_watch_fn *fn, void *ctx);

/* Mix a value that is not an event into the trace hash: a result, a metric's final value. */
void lz_sim_trace_add(struct lz_sim *sim, uint64_t value);

#endif
