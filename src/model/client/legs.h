/*
 * legs.h — a call made several times side by side: hedged, tied, fanned out; for model/ only.
 *
 * Such a call makes no attempt itself. It has *legs*, calls of the same edge of which it is the
 * owner, and ends when enough of them have:
 *
 *   a race    The first leg is the request; when it has taken `after` (a time, or a quantile of
 *             what answers took in the last ten seconds) another is sent to another replica, and so
 * on up to `attempts`. A leg that fails brings the next one forward (gRPC A6). The first good
 *             answer wins. Losers are cancelled unless `leave` (Dean and Barroso, "The Tail at
 *             Scale", CACM 56(2), 2013: hedged requests). *Tied*: the replica that begins
 *             first tells the others, which forget theirs if it still waits in the queue.
 *
 *   a fan     All legs at once, each a call of its own with retries and hedging; good when
 *             `enough` are, failed as soon as that cannot be.
 *
 *   a bundle  Calls of other edges at once, its *members*: good when all are that may not be left
 *             out. One that fails may have a fallback, which takes its place.
 *
 *   cache-aside  One after another: see through.h.
 *
 * A leg keeps the draws that the plain call would have had if it is the first of a race; so
 * hedging shifts nobody.
 */
#ifndef LZ_MODEL_CLIENT_LEGS_H
#define LZ_MODEL_CLIENT_LEGS_H

#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/client/lateness.h"

struct lz_legs {
    struct lz_legs *next_free; /* of its edge and kind */
    lz_event_id timer;         /* of the next leg of a race */
    uint32_t begun, good, failed;
    uint64_t ids[]; /* 0: has ended */
};

/* What an edge keeps for the legs of its calls. */
struct lz_hedging {
    struct lz_legs *free_races, *free_fans;
    lz_lane lane; /* of the time to wait; 0: it is a quantile */
    struct lz_lateness lateness;
};

bool lz_legs_is_needed(const struct lz_edge_opts *opts);
bool lz_legs_check(const struct lz_edge_opts *opts, struct lz_err *err) LZ_MUST_CHECK;
void lz_legs_create(struct lz_world *w, struct lz_edge *e);

/* Begin the call as a race or a fan if its edge says so; false if it is a plain one. */
bool lz_legs_begin(struct lz_world *w, struct lz_edge *e, struct lz_call *c);

/* The call is over: with what has not ended yet, its legs are given up. */
void lz_legs_end(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result);

/* A leg of `owner` has ended. */
void lz_legs_ended(struct lz_world *w, uint64_t owner, uint64_t leg,
                   const struct lz_call_result *result);

/* The call is given up: so are its legs. Nobody is told. */
void lz_legs_drop(struct lz_world *w, struct lz_call *c, bool cancels);
void lz_legs_orphan(struct lz_world *w, struct lz_call *c);

/* The servers that the other legs of its race are at; returns how many. */
uint32_t lz_legs_others(const struct lz_world *w, const struct lz_call *leg, lz_instance_id *out);

/* An answer took so long, or at least so long. */
void lz_legs_took(struct lz_world *w, struct lz_edge *e, lz_time took);

/* A tied task has begun: the others of its race are told, server to server. */
void lz_legs_task_began(struct lz_world *w, const struct lz_task *t);

#endif
