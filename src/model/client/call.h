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
 * Retries: backoff.h says when, budget.h how many. Breakers (breaker.h) and throttling
 * (throttle.h) keep attempts from being made. A call may be made several times side by
 * side: hedged, tied, fanned out (legs.h).
 *
 * Thought live: health checks from the calling component (every `every`, `fails` in
 * a row take a replica out, `passes` bring it back), and a reset or refused
 * connection takes it out at once. When none is left all are tried.
 *
 * `by_endpoints`, it has no opinion of its own, as what calls by kube-proxy: who is an endpoint
 * (life.h) is asked, again and again if it refuses, until the news of its leaving is here; and when
 * none is left a call is refused at once (kubernetes.io, "Virtual IPs and Service Proxies": traffic
 * to a Service without endpoints is rejected).
 */
#ifndef LZ_MODEL_CLIENT_CALL_H
#define LZ_MODEL_CLIENT_CALL_H

#include "model/client/backoff.h"
#include "model/client/balance.h"
#include "model/client/breaker.h"
#include "model/client/budget.h"
#include "model/client/throttle.h"
#include "model/net/tcp.h"
#include "model/traffic/request.h"
#include "model/world.h"

typedef uint32_t lz_edge_id;
typedef uint16_t lz_op; /* an operation name, such as "GET /price"; 0: none given */

struct lz_health_opts {
    lz_time every;     /* default 1 s */
    lz_time timeout;   /* default 1 s */
    uint32_t fails;    /* default 3 */
    uint32_t passes;   /* default 2 */
    bool by_endpoints; /* nothing is checked, and nobody taken out for a refusal */
};

#define LZ_HEDGE_ATTEMPTS_MAX 5 /* as gRPC's maxAttempts */
#define LZ_FAN_OUT_MAX 10000

/* Another request to another replica when the first is late; see legs.h. */
struct lz_hedge_opts {
    uint32_t attempts; /* in all, the first included; 0: no hedging */
    lz_time after;     /* how long to wait before the next */
    double quantile;   /* or until this share of answers would have come; 0: `after` says */
    bool tied;         /* the replica that begins first tells the others */
    bool leave;        /* losers are not cancelled */
};
#define LZ_CALL_SIZE 512u           /* bytes of a request */
#define LZ_CALL_RESPONSE_SIZE 1024u /* of an answer */
#define LZ_CALL_BYTES_MAX (1ull << 40)

/* Of each calling instance, over all it calls. */
struct lz_pool_opts {
    bool is_on;
    bool is_cold;         /* none is open when the run begins */
    uint32_t max;         /* 0: as many as it takes */
    lz_time idle_timeout; /* 0: never */
    lz_time max_age;      /* 0: any */
};

struct lz_edge_opts {
    lz_component_id from, to;
    double fresh;            /* share of calls over a connection of their own, opened for them */
    const char *op;          /* NULL: none */
    lz_time timeout;         /* of each attempt; 0 means 60 s */
    uint32_t retries;        /* further attempts after the first */
    lz_time overall_timeout; /* of the call, retries and waits included; 0: none */
    struct lz_backoff_opts backoff; /* base 0 means 100 ms, max 0 means 10 s */
    uint32_t retry_outcomes;        /* bits by enum lz_outcome; with none and no status: all */
    const uint16_t *retry_statuses; /* in the arena */
    uint32_t retry_status_count;
    struct lz_budget_opts budget; /* of retries */
    struct lz_breaker_opts breaker;
    struct lz_throttle_opts throttle;
    struct lz_hedge_opts hedge;
    uint32_t fan_out;   /* times it is made, side by side; 0 means once */
    uint32_t enough;    /* of them, so many good answers are; 0 means all */
    uint32_t bulkhead;  /* calls in flight at once, per calling instance; 0: no limit */
    bool single_flight; /* a call takes the answer of one with its key that is under way */
    bool stream;        /* its caller goes on with the first byte of the answer, see stream.h */
    bool cancel;        /* a timeout cancels the work */
    /* Of a declared call that is a transaction: its statements, before COMMIT; with `session`. */
    uint16_t reads, writes;
    uint8_t isolation; /* enum lz_isolation, see txn.h */
    bool session;      /* a call's key is a session's number: see lz_session_ops in task.h */
    uint32_t priority; /* one more than its class, of which 0 is served first; 0: its caller's */
    struct lz_balance_opts balance;
    struct lz_health_opts health;
    uint64_t size;          /* bytes of a request; 0 means 512, a balancer's is what it was sent */
    uint64_t response_size; /* bytes of an answer; 0 means 1 KiB, a balancer's as above */
    struct lz_tcp_opts tcp;
    struct lz_pool_opts pool;
    lz_time ttl;         /* to a cache: of what is set; 0: the cache's */
    uint64_t entry_size; /* to a cache or a store: of what is set; 0: theirs */
    bool consistent;     /* to a store: a read that misses nothing */
    double beta;         /* to a cache: of early recomputation, see through.h; 0: none */
    uint32_t through;    /* an edge to a cache that is asked first, see through.h; 0: none */
};

/* A call that is one of several, and what becomes of its failure. */
struct lz_call_member {
    lz_edge_id edge;
    lz_edge_id fallback; /* made in its place when it has failed; 0: none */
    bool is_optional;    /* its failure, and its fallback's, is left out of the answer */
};

/* A way to make calls side by side: all must be good. `members` must outlive the run. */
lz_edge_id lz_call_bundle(struct lz_world *w, lz_component_id from,
                          const struct lz_call_member *members, uint32_t count);

void lz_calls_init(struct lz_world *w);
bool lz_call_edge(struct lz_world *w, const struct lz_edge_opts *opts, lz_edge_id *id,
                  struct lz_err *err) LZ_MUST_CHECK;

lz_op lz_call_op(struct lz_world *w, const char *name); /* interned */
/* The ways to call there are, 1 .. count. */
uint32_t lz_call_edge_count(const struct lz_world *w);
const struct lz_edge_opts *lz_call_edge_opts(const struct lz_world *w, lz_edge_id id);

const char *lz_call_op_name(const struct lz_world *w, lz_op op); /* "" for 0 */

/* The series behind amplification(a, b): attempts on `b`, and requests of `a`, of one edge pair. */
lz_metric lz_call_amplification(struct lz_world *w, lz_component_id a, lz_component_id b);

/*
 * What every component that calls can measure of its calls: retries, hedges, breakers. The
 * series are made when `name` is one of them and asked for before the run.
 */
const struct lz_metric_info *lz_call_metrics(size_t *count);
void lz_call_measure(struct lz_world *w, lz_component_id component, const char *name);

/* What a finished call hands to whoever made it. */
struct lz_call_result {
    enum lz_outcome outcome;
    uint16_t status;
    uint64_t value;   /* of a read: what the store had, see value.h; 0 if nothing */
    uint32_t answer;  /* what the answer brought beside it, see argument.h; 0: nothing */
    lz_time first;    /* when its first byte came, of one that streams; 0: with the last */
    bool is_pairs;    /* `answer` is keys and values, see struct lz_cache_pair */
    bool is_degraded; /* good, but not by what was called first: a fallback, or left out */
    bool is_no;       /* good, but what a cache or a store had to say was no: not there, ... */
};

/* The callee's failure, and not an error that the caller made (4xx)? */
static inline bool lz_call_failed(const struct lz_call_result *r)
{
    if (r->outcome == LZ_OUTCOME_OK)
        return false;
    return r->outcome != LZ_OUTCOME_ERROR || r->status >= 500;
}

/* Would a call that has retries left be made again after this? */
bool lz_call_is_retried(const struct lz_edge_opts *o, const struct lz_call_result *result);

#endif
