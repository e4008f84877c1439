/*
 * order.h — which of several messages that are under way arrives first.
 *
 * Without it they arrive when the network says, in one order per seed, and what happens 50 us apart
 * nearly always happens in the same order. Exploring holds each delivery back for less than a
 * stated window, never longer, so that deliveries closer than that come in orders the same network
 * might as well have had:
 *
 *   random   each conversation has its turn once in half a window, at an instant that is drawn anew
 *            for each half
 *   pct      each channel (sender and receiver) has its turn once in a window, by a priority that
 *            is drawn once; at d - 1 deliveries, drawn among all, the channel concerned falls
 *            behind all others (Burckhardt and others, "A randomized scheduler with probabilistic
 *            guarantees of finding bugs", ASPLOS 2010). Of n channels with k deliveries that wait
 *            for the same window, an order that d constraints describe is met with a probability
 *            of at least 1 / (n k^(d-1)); tests/unit/test_order.c holds it to that.
 *
 * A message fires at the first turn of its conversation at or after the instant it is there: so
 * what was sent later in one conversation does not overtake, and what one delivery causes can still
 * come before another delivery of the same window.
 *
 * Draws are keyed by the paths of channel and conversation, as all draws are: leaving something out
 * or declaring something more shifts nobody else's turns. Change points alone, which a pct of depth
 * 2 or more has, are numbers of deliveries of the whole run, and fall elsewhere. Time itself,
 * timers and what a process does are as they were.
 */
#ifndef LZ_SIM_ORDER_H
#define LZ_SIM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "sim/time.h"

#define LZ_ORDER_WINDOW_NS LZ_MS  /* unless it is said */
#define LZ_ORDER_WINDOW_MIN LZ_US /* shorter ones hold nothing that is not equal */
#define LZ_ORDER_WINDOW_MAX (10 * LZ_S)
#define LZ_ORDER_DEPTH 3 /* unless it is said */
#define LZ_ORDER_DEPTH_MAX 16
#define LZ_ORDER_TEXT_SIZE 48

enum lz_order_kind {
    LZ_ORDER_FIFO, /* as the network says */
    LZ_ORDER_RANDOM,
    LZ_ORDER_PCT,
    LZ_ORDER_COUNT, /* as the network says, but counted: how many there are for a pct */
};

struct lz_order_opts {
    enum lz_order_kind kind;
    lz_time window;
    uint32_t depth; /* d, of a pct */
    uint64_t steps; /* k, of a pct: deliveries of the whole run; 0: not known yet */
};

struct lz_order;

/* "fifo", "random", "pct", "pct:4", or with its steps "pct:4/81920"; each but the first with a
   window behind it: "random@500us". */
bool lz_order_parse(const char *text, struct lz_order_opts *out, struct lz_err *err) LZ_MUST_CHECK;

/* The same back, shortest: "pct:3@1ms", "" for fifo. `text` has LZ_ORDER_TEXT_SIZE. Returns it. */
const char *lz_order_write(const struct lz_order_opts *opts, char *text);

/* NULL for fifo: who has none pays nothing. */
struct lz_order *lz_order_create(struct lz_arena *arena, const struct lz_order_opts *opts);

/* Deliveries so far. */
uint64_t lz_order_steps(const struct lz_order *order);

struct lz_order_message {
    uint32_t from, to;     /* as they are numbered: for who watches draws, they decide nothing */
    uint64_t channel;      /* from whom to whom, as a path */
    uint64_t conversation; /* what keeps its order between the two, as a path; 0: all that is not */
};

/* When a message that is there at `due` is delivered. `key` is the run's. */
lz_time lz_order_turn(struct lz_order *order, uint64_t key, const struct lz_order_message *m,
                      lz_time due);

#endif
