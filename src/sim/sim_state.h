/*
 * sim_state.h — the kernel as sim.c and lane.c keep it. Nobody else looks in here.
 *
 * lane.c has the timers: those of one delay stand in a lane, and the queue knows the first of
 * each. sim.c has all the rest, and what fires them.
 */
#ifndef LZ_SIM_SIM_STATE_H
#define LZ_SIM_SIM_STATE_H

#include "base/check.h"
#include "sim/evq.h"
#include "sim/line.h"
#include "sim/sim.h"

#define LZ_SIM_ALARM 0           /* in the queue: a lane's nearest timer may be due */
#define LZ_SIM_LISTED UINT32_MAX /* in place of a timer's number */
#define LZ_SIM_GEN 0x7fffffffu   /* of a generation: what an id has room for */

// Kinds that others have made have numbers behind it, those up to it are handlers beside theirs.
#define LZ_SIM_ALSO 8

// Due at this instant, in order.
struct lz_sim_ready {
    uint64_t payload;
    uint64_t rank;
    uint32_t entity;
};

struct lz_sim_timer {
    lz_time at;
    uint64_t rank; // with the lane where an event has its kind
    uint64_t payload;
    uint32_t entity; // while free: the next free one
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct lz_sim_timer) == 28,
               "with its generation, two timers to a cache line");

struct lz_sim_turn {
    uint32_t timer, gen; // of another generation: it was cancelled
};

/*
 * Timers of one delay, in the order they were armed, which is the order they are due:
 * turns[first] .. turns[last - 1]. Those that were cancelled stay until the row is full, and
 * are then left out; a list of links took three cache misses to cancel one of many, and even a
 * count of the living in each lane would take one, for a timer's lane is known by the timer.
 * The queue holds at most one alarm for a lane, at the head's time and sequence when it was
 * set. The head may be cancelled under it: then the alarm, when it comes, moves on to the
 * new head, and nobody notices.
 */
struct lz_sim_lane {
    lz_time delay;
    lz_kind kind;
    bool has_alarm;
    uint32_t first, last, cap;
    struct lz_sim_turn *turns;
    struct lz_sim_timers *list; // instead: kept by their owner, has_alarm too
};

struct lz_sim {
    struct lz_sim_face face; // first: the getters look here
    uint64_t trace;
    uint64_t fired;
    uint64_t fired_max;
    uint64_t fired_limit; // of the usual way; 0: stopped, or watched
    uint64_t first_seq;
    uint64_t run_key, seed;
    bool stop;
    bool foresees;       // some kind is foreseen
    uint32_t foresee_at; // of the near: more of many are foreseen when it is their turn
    struct lz_arena *arena;
    const char **kind_names;
    uint32_t kind_count, kind_cap, name_cap, also_count;
    struct lz_sim_ready *ready; // a ring; cap is a power of two
    uint32_t ready_first, ready_count, ready_cap;
    struct lz_sim_lane *lanes; // 1 ..
    uint32_t lane_count, lane_cap;
    struct lz_sim_timer *timers; // 1 ..
    // Theirs, odd while armed. Apart, for cancelling one, which is what happens to most, reads
    // nothing else, and those of 1e5 timers stay in the second cache level.
    uint32_t *timer_gens;
    uint32_t timer_used, timer_cap, timer_gen_cap, timer_free, timers_armed;
    lz_sim_watch_fn *watch;
    void *watch_ctx;
    lz_kind future;
    struct lz_check_note note;
    struct lz_evq queue;
};

// The timer that an alarm of the queue was set for, LZ_SIM_LISTED if its owner keeps it, or 0 if it
// was cancelled meanwhile.
uint32_t lz_lane_due(const struct lz_sim *sim, const struct lz_evq_event *alarm);

// The queue's first event is an alarm: takes it out, and sets it for the lane's new head.
void lz_lane_move_alarm(struct lz_sim *sim);

static inline void lz_lane_disarm(struct lz_sim *sim, uint32_t i)
{
    LZ_ASSERT((sim->timer_gens[i] & 1u) != 0);
    sim->timer_gens[i]++;
    sim->timers[i].entity = sim->timer_free;
    sim->timer_free = i;
    sim->timers_armed--;
}

#endif
