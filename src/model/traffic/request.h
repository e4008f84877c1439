/*
 * request.h — one user's request, from intention to final answer, and its phases.
 *
 * Wherever a request is, it is in exactly one phase: connecting, queued, worked on,
 * on the network, or waiting to retry. Each finished attempt of a call leaves a
 * *span* with its share of each phase. Spans stay with the request until it ends;
 * then they are kept (all failed and slowest up to a bound, and a keyed random
 * sample) or given back. For failed requests each component's phase times are also
 * counted exactly (series "failed.queue", ...), so that a report can say where
 * failed requests spent their time.
 */
#ifndef LZ_MODEL_TRAFFIC_REQUEST_H
#define LZ_MODEL_TRAFFIC_REQUEST_H

#include "base/pool.h"
#include "model/world.h"

enum lz_phase {
    LZ_PHASE_CONNECT,
    LZ_PHASE_QUEUE,
    LZ_PHASE_WORK,
    LZ_PHASE_NETWORK,
    LZ_PHASE_RETRY_WAIT,
    LZ_PHASES,
};

/* How an attempt or a request ended. */
enum lz_outcome {
    LZ_OUTCOME_PENDING,
    LZ_OUTCOME_OK,
    LZ_OUTCOME_ERROR,   /* an error answer */
    LZ_OUTCOME_REFUSED, /* queue full, process not there, connection limit */
    LZ_OUTCOME_RESET,   /* the connection broke */
    LZ_OUTCOME_TIMEOUT, /* the caller's patience ended */
    LZ_OUTCOMES,
};

const char *lz_request_phase_name(enum lz_phase phase);       /* "connect", ... "retry_wait" */
const char *lz_request_outcome_name(enum lz_outcome outcome); /* "ok", "error", ... */

typedef uint64_t lz_request_id; /* generation and index; 0: none */

/*
 * One attempt of one call, finished or given up. Nobody looks at most of them, so that one of the
 * usual way (span.h) leaves in place of its phases the instants they come from: request.c reckons
 * with them when it counts or keeps the span.
 */
struct lz_span {
    uint32_t next; /* in its request, latest first; 0 ends */
    lz_instance_id client;
    lz_instance_id server;     /* 0: none was reached */
    uint32_t call;             /* number of the call within the request, from 1 */
    uint32_t parent_call;      /* the call within whose work it was made; 0: the user's own */
    lz_component_id component; /* the callee */
    uint16_t attempt;          /* from 1 */
    uint16_t status;           /* HTTP-like; 0 if none */
    uint16_t op;               /* operation name, see call.h */
    uint8_t outcome;           /* PENDING: its caller gave up first */
    bool is_raw;               /* `phase` has instants, by enum lz_span_raw */
    lz_time start, end;        /* as the caller saw it */
    lz_time phase[LZ_PHASES];  /* its own share; RETRY_WAIT is the wait before it */
};

/* Of an attempt that had a connection and was answered: what a span has in place of its phases. */
enum lz_span_raw {
    LZ_SPAN_ARRIVED,
    LZ_SPAN_STARTED,
    LZ_SPAN_CHILD_NS, /* a duration: in calls of its own */
    LZ_SPAN_ANSWERED,
    LZ_SPAN_WAITED, /* a duration: the phase itself */
};

enum lz_kept_as { LZ_KEPT_FAILED, LZ_KEPT_SLOWEST, LZ_KEPT_RANDOM, LZ_KEPT_ASKED, LZ_KEPT_WAYS };

/* A request whose spans were kept. */
struct lz_trace_kept {
    lz_component_id traffic;
    uint64_t ordinal; /* of its traffic, from 1 */
    lz_time intended, end;
    enum lz_outcome outcome;
    uint16_t status;
    enum lz_kept_as kept_as;
    const struct lz_span *spans; /* in the order their attempts ended */
    uint32_t span_count;
    uint64_t priority; /* by which it was chosen */
};

#define LZ_REQUEST_TRACES_MAX 20 /* failed, slowest and random: each up to this many by default */
#define LZ_REQUEST_FAILED_MAX 100000 /* what lz_requests_keep takes */

#define LZ_REQUEST_SPANS_MAX 512 /* of one request that are kept */

/* A request that is on its way. */
struct lz_request {
    struct lz_pool_head head;
    uint64_t ordinal : 40; /* of its traffic */
    uint64_t traffic : 16; /* a lz_component_id */
    uint32_t span_first;   /* the latest */
    uint32_t span_last;    /* the first that was added, if there is one */
    uint32_t calls;        /* numbered so far */
    uint32_t agent : 31;   /* the user who waits for it, see user.c; 0: nobody comes back */
    uint32_t is_bot : 1;   /* of no user: it counts nowhere among theirs */
    lz_time intended;
};

void lz_requests_init(struct lz_world *w);

/* The series that count where the failed requests of a component's callers spent time. */
void lz_requests_measure(struct lz_world *w, lz_component_id component);

/*
 * What is read at every step begins request.c's own struct. Spans are given back all at once, with
 * the request they are of: a list of free ones, chained as a request's are, is all they need. Their
 * pool is only where they lie.
 */
struct lz_requests_face {
    struct lz_pool open;
    struct lz_pool spans;
    uint32_t span_free;
    uint32_t open_max;
};

/* Who asks, and for the how-manieth time of all. */
struct lz_request_begin {
    lz_component_id traffic;
    uint64_t ordinal; /* below 2^40 */
    lz_time intended;
    uint32_t agent; /* below 2^31 */
    bool is_bot;
};

static inline struct lz_request *lz_request_begin_as(struct lz_world *w,
                                                     const struct lz_request_begin *begin)
{
    struct lz_requests_face *face = (struct lz_requests_face *)w->requests;
    LZ_ASSERT(begin->traffic <= LZ_WORLD_COMPONENTS_MAX);
    LZ_ASSERT(begin->ordinal < 1ull << 40);
    struct lz_request *r = lz_pool_take_sized(&face->open, sizeof(*r));
    // Of all bits at once: one after the other, each would be read again for the next.
    *r = (struct lz_request){.head = r->head,
                             .ordinal = begin->ordinal & ((1ull << 40) - 1),
                             .traffic = (uint16_t)begin->traffic,
                             .agent = begin->agent & 0x7fffffffu,
                             .is_bot = begin->is_bot,
                             .intended = begin->intended};
    if (face->open.live > face->open_max)
        face->open_max = face->open.live;
    return r;
}

static inline struct lz_request *lz_request_begin(struct lz_world *w, lz_component_id traffic,
                                                  uint64_t ordinal, lz_time intended)
{
    const struct lz_request_begin begin = {
        .traffic = traffic, .ordinal = ordinal, .intended = intended};
    return lz_request_begin_as(w, &begin);
}

/* NULL if it has ended; orphaned work belongs to nobody. */
static inline struct lz_request *lz_request_find(const struct lz_world *w, lz_request_id id)
{
    const struct lz_requests_face *face = (const struct lz_requests_face *)w->requests;
    return lz_pool_find_sized(&face->open, id, sizeof(struct lz_request));
}

void lz_request_widen_spans(struct lz_world *w); /* none is free: make one */

/* A span of the request whose every field but `next` its caller sets. */
static inline struct lz_span *lz_request_take_span(struct lz_world *w, struct lz_request *r)
{
    struct lz_requests_face *face = (struct lz_requests_face *)w->requests;
    if (face->span_free == 0)
        lz_request_widen_spans(w);
    uint32_t index = face->span_free;
    struct lz_span *s = lz_pool_at_sized(&face->spans, index, sizeof(*s));
    face->span_free = s->next;
    uint32_t is_first = 0 - (uint32_t)(r->span_first == 0); // nobody could guess: no jump
    r->span_last = (r->span_last & ~is_first) | (index & is_first);
    s->next = r->span_first;
    r->span_first = index;
    return s;
}

/* The same, zeroed. */
struct lz_span *lz_request_new_span(struct lz_world *w, struct lz_request *r);

void lz_request_end(struct lz_world *w, struct lz_request *r, enum lz_outcome outcome,
                    uint16_t status);

const char *lz_request_kept_name(enum lz_kept_as as); /* "failed", ... "asked" */

/*
 * Keep this request when it ends, whatever becomes of it: of a run that is run again for its sake.
 * Ordinal 0: none. Nothing else in the world is another for it.
 */
void lz_requests_ask(struct lz_world *w, lz_component_id traffic, uint64_t ordinal);
bool lz_requests_has_asked(const struct lz_world *w); /* it has ended and is kept */

/* Before the run: how many failed ones are kept, those with the highest draws; none if it is 0. */
void lz_requests_keep(struct lz_world *w, uint32_t failed);

/* What was kept, failed first, then slowest, then random, then the one that was asked for. */
size_t lz_requests_kept(const struct lz_world *w);
const struct lz_trace_kept *lz_requests_kept_get(const struct lz_world *w, size_t i);

/* How many are open right now, and the most there were. */
uint32_t lz_requests_open(const struct lz_world *w);
uint32_t lz_requests_open_max(const struct lz_world *w);
size_t lz_requests_bytes(const struct lz_world *w); /* of them and their spans, at the most */

#endif
