/*
 * call.h — the client's side of a request: edges, attempts, timeouts, retries.
 *
 * An *edge* is a declared way to call: from a component to a component, with an
 * operation, a timeout, retries, backoff, a retry budget and a balancing policy.
 * A *call* is one use of an edge; it makes attempts until one succeeds or no retry
 * is left. An attempt picks a replica thought live, connects if its connection is
 * not warm, sends a message, and waits for the answer until the timeout.
 *
 * A timed-out attempt is not gone: its message is on the way or its work goes on
 * (unless the edge cancels); only the wait for a connection is abandoned.
 *
 *   pick ─▶ (wait for a connection) ─▶ (connect) ─▶ sent ─▶ answered ─▶ done
 *                     │                    │          │         │
 *                     └── timeout, reset, refused, error answer ┴─▶ backoff ─▶ pick
 *                                                                └▶ done (failed)
 *
 * Retries: exponential, times 2, capped at 10 s, full jitter unless "none". A retry
 * budget is a token bucket per calling instance: each first attempt adds its share,
 * at most 10 tokens; each retry takes one.
 *
 * Thought live: health checks from the calling component (every `every`, `fails` in
 * a row take a replica out, `passes` bring it back), and a reset or refused
 * connection takes it out at once. When none is left all are tried.
 */
#ifndef LZ_MODEL_CALL_H
#define LZ_MODEL_CALL_H

#include "model/balance.h"
#include "model/request.h"
#include "model/world.h"

typedef uint32_t lz_edge_id;
typedef uint16_t lz_op; /* an operation name, such as "GET /price"; 0: none given */

struct lz_health_opts {
    lz_time every;   /* default 1 s */
    lz_time timeout; /* default 1 s */
    uint32_t fails;  /* default 3 */
    uint32_t passes; /* default 2 */
};

struct lz_edge_opts {
    lz_component_id from, to;
    const char *op;      /* NULL: none */
    lz_time timeout;     /* of each attempt; 0 means 60 s */
    uint32_t retries;    /* further attempts after the first */
    lz_time backoff;     /* before the first retry; 0 means 100 ms */
    bool no_jitter;      /* default is full jitter */
    double retry_budget; /* share of first attempts; 0 means no budget: always retry */
    bool cancel;         /* a timeout cancels the work */
    struct lz_balance_opts balance;
    struct lz_health_opts health;
};

void lz_calls_init(struct lz_world *w);
bool lz_call_edge(struct lz_world *w, const struct lz_edge_opts *opts, lz_edge_id *id,
                  struct lz_err *err) LZ_MUST_CHECK;

lz_op lz_call_op(struct lz_world *w, const char *name);          /* interned */
const char *lz_call_op_name(const struct lz_world *w, lz_op op); /* "" for 0 */

/* The series behind amplification(a, b): attempts on `b`, and requests of `a`, of one edge pair. */
lz_metric lz_call_amplification(struct lz_world *w, lz_component_id a, lz_component_id b);

/* What a finished call hands to whoever made it. */
struct lz_call_result {
    enum lz_outcome outcome;
    uint16_t status;
    uint64_t value; /* of a read: what the store had; 0 if nothing */
};

#endif
