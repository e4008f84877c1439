/*
 * client_state.h — what the parts of a call under way share; for model/ only.
 *
 *   client.c    attempts, timeouts
 *   ending.c    how attempts end, and calls: told, tried again, given up
 *   connect.c   the connection an attempt needs before it can send
 *   legs.c      calls made several times side by side
 *   flight.c    calls that take the answer of one under way
 *   inherit.c   deadline and priority, from the request it is made for
 *   guard.c     whether an attempt may be made: breaker, throttling, retry budget
 *   span.c      what an attempt's time went into
 *   plain.c     most calls: all of it in one go
 *
 * An attempt's events carry its *turn*: a paused client's events are replayed late, in their
 * order; one that an earlier one has made pointless must be recognised.
 */
#ifndef LZ_MODEL_CLIENT_CLIENT_STATE_H
#define LZ_MODEL_CLIENT_CLIENT_STATE_H

#include "base/check.h"
#include "base/pool.h"
#include "model/client/client.h"

enum lz_call_state {
    LZ_CALL_PICK,       /* about to make an attempt */
    LZ_CALL_RESOLVING,  /* waiting to be told what a name means */
    LZ_CALL_WAITING,    /* for one of the server's connections */
    LZ_CALL_IN_LINE,    /* for one of the pool's */
    LZ_CALL_CONNECTING, /* opening one */
    LZ_CALL_SENT,
    LZ_CALL_BACKOFF,
    LZ_CALL_SPLIT,     /* its legs are under way, see legs.h */
    LZ_CALL_FOLLOWING, /* waiting for the answer of another, see flight.h */
    LZ_CALL_REJECTED,  /* by a breaker or throttling: it ends at this instant */
};

enum lz_legs_kind { LZ_LEGS_NONE, LZ_LEGS_RACE, LZ_LEGS_FAN, LZ_LEGS_BUNDLE, LZ_LEGS_THROUGH };

struct lz_edge;
struct lz_edge_pair;
struct lz_legs;
struct lz_flight;

#define LZ_PATH_OF_FALLBACKS (1u << 17) /* above any number of calls a service makes in a row */

struct lz_call {
    struct lz_pool_head head;
    uint64_t owner;
    lz_request_id request; /* 0 once its request has stopped waiting for it */
    uint64_t path, key;
    struct lz_task *waits;    /* who `owner` is, of straight.c; NULL: to be looked up */
    struct lz_chain timeouts; /* is_listed: among those of its delay */
    lz_time begun;            /* the call */
    lz_time started;          /* the attempt */
    union {
        lz_task_id task;   /* SENT: of the attempt under way */
        lz_event_id timer; /* before: connecting, backing off */
        struct lz_legs *legs;
    };
    union {
        lz_event_id timeout;
        uint64_t timeout_rank; /* is_listed */
    };
    union {
        lz_time connected;        /* it has a connection, perhaps still to be opened */
        struct lz_flight *flight; /* FOLLOWING; NULL: it is about to lead */
    };
    union {
        lz_time sent;
        struct {
            uint32_t prev, next;
        } line; /* FOLLOWING: of those that do */
    };
    lz_time waited;            /* before this attempt */
    struct lz_edge_pair *pair; /* that plain.c sent it by; else NULL */
    uint32_t ways; /* of the world, while it is on its way as plain.h has it; 0: otherwise */
    lz_edge_id edge;
    lz_instance_id client, server;
    uint32_t number, parent; /* within the request */
    uint16_t attempt;
    uint8_t tries; /* to connect */
    uint8_t trips; /* of the handshake that are through */
    lz_op op;
    uint8_t state; /* enum lz_call_state */
    uint8_t turn;  /* counts attempts' ends: an event of an earlier turn is stale */
    uint8_t owner_kind;
    bool has_connection : 1; /* of a limited number */
    bool is_listed : 1;      /* its timeout is kept here, see lz_client_arm */
    uint8_t legs_kind : 4;   /* enum lz_legs_kind */
    uint8_t hops : 4;        /* attempts that somebody sent on to another: no retries */
    uint8_t pass;            /* generation of the breaker that let the attempt through */
};

_Static_assert(sizeof(struct lz_call) == LZ_HOP_CALL_BYTES, "as hop.h has it");

/* Attempts without those that were sent on. */
static inline uint16_t lz_client_attempts(const struct lz_call *c)
{
    LZ_ASSERT(c->attempt >= c->hops);
    return c->attempt - c->hops;
}

/* Timeouts of all edges that have the same. */
struct lz_client_timers {
    struct lz_sim_timers list; /* of calls */
    struct lz_client_timers *next;
};

struct lz_clients {
    struct lz_client_timers *timers;
    lz_kind timeout, connect, again, fail, resolved;
    lz_kind keepalive, last_probe; /* 0: nobody asked for it */
    lz_kind hedge;                 /* 0: nobody does */
};

static inline struct lz_call *lz_client_find(const struct lz_world *w, uint64_t call)
{
    return lz_hop_find_call(&((const struct lz_tasks_face *)w->tasks)->hops, call);
}

static inline struct lz_call *lz_client_at(const struct lz_world *w, uint32_t index)
{
    return lz_hop_call(lz_hop_at(&((const struct lz_tasks_face *)w->tasks)->hops, index));
}

/* It has ended. */
static inline void lz_client_give(struct lz_world *w, struct lz_call *c)
{
    lz_hop_give_call(&((struct lz_tasks_face *)w->tasks)->hops, c);
}

#define LZ_CALL_INDEX_BITS 24 /* of a token; above it the turn, above that the generation */

/* What this turn's timers carry. */
static inline uint64_t lz_client_token(const struct lz_call *c)
{
    LZ_ASSERT(c->head.index < 1u << LZ_CALL_INDEX_BITS);
    return (uint64_t)c->head.gen << 32 | (uint64_t)c->turn << LZ_CALL_INDEX_BITS | c->head.index;
}

/* The call whose turn it still is; NULL if the event has come too late. */
static inline struct lz_call *lz_client_find_turn(const struct lz_world *w, uint64_t token)
{
    uint64_t id = token & ~((uint64_t)0xff << LZ_CALL_INDEX_BITS);
    struct lz_call *c = lz_client_find(w, id);
    return c != NULL && lz_client_token(c) == token ? c : NULL;
}

/* Of a call that was just made; else lz_client_arm. */
static inline void lz_client_list(struct lz_world *w, struct lz_sim_timers *list, struct lz_call *c)
{
    c->is_listed = true;
    c->timeout_rank = lz_sim_next_rank(w->sim, list->lane);
    lz_chain_append(&list->armed, &c->timeouts);
    lz_sim_timers_armed(w->sim, list);
}

/* The timeout of an attempt that begins now, after the delay of the list; see sim.h. */
static inline void lz_client_arm(struct lz_world *w, struct lz_sim_timers *list, struct lz_call *c)
{
    LZ_ASSERT(!c->is_listed);
    LZ_ASSERT(c->started == lz_sim_now(w->sim));
    lz_client_list(w, list, c);
}

static inline void lz_client_unlist(struct lz_call *c)
{
    LZ_ASSERT(c->is_listed);
    lz_chain_remove(&c->timeouts);
    c->is_listed = false;
    c->timeout = 0;
}

/* For plain.c: whoever made a call, which is gone already. */
struct lz_client_told {
    enum lz_client_owner kind;
    uint64_t owner, call;
    lz_time took;
};
void lz_client_tell(struct lz_world *w, const struct lz_client_told *told,
                    const struct lz_call_result *result);

/* The same for a task. */
static inline void lz_client_tell_task(struct lz_world *w, const struct lz_client_told *told,
                                       const struct lz_call_result *result)
{
    struct lz_task *t = lz_task_find(w, told->owner);
    LZ_ASSERT(t != NULL); /* a task that goes away drops its call */
    LZ_ASSERT(t->child == told->call);
    t->child = 0;
    t->child_ns += told->took;
    lz_task_ops_at(w, t->server)->called(w, t, result);
}

/* For plain.c: nobody can be asked; the attempt ends at this instant, but not before this returns.
 */
void lz_client_fail_soon(struct lz_world *w, struct lz_call *c);

/* To a cache or a store: the task knows by what edge it was sent. */
void lz_client_ask(const struct lz_world *w, const struct lz_call *c, struct lz_task *t);

/* For connect.c: the connection is open, the attempt goes on its way. */
void lz_client_send(struct lz_world *w, struct lz_call *c);

/* For legs.c: the call ends; forget one, and cancel its work or not. */
void lz_client_end(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result);

/* An attempt is over, with this result: the call ends, or waits for another attempt. */
void lz_client_attempt_end(struct lz_world *w, struct lz_call *c,
                           const struct lz_call_result *result);

/* The attempt no longer holds anything: timers, its connection, its place in line. */
void lz_client_release(struct lz_world *w, struct lz_call *c, bool is_answered);

/* An attempt whose server is known by its edge: pick it, and get a connection to it. */
void lz_client_route(struct lz_world *w, struct lz_call *c);
/* The same for one that has been in line for its caller's own pool: to a server, now. */
void lz_client_reach(struct lz_world *w, struct lz_call *c);

/* False if there is no time left: the attempt is over at this instant, and nothing is sent. */
bool lz_client_arm_timeout(struct lz_world *w, struct lz_edge *e, struct lz_call *c);

/* A fan's and a bundle's legs are calls of their own; a race is one call, whatever it sends. */
bool lz_client_is_one_call(const struct lz_edge *e, const struct lz_call *c);
void lz_client_give_up(struct lz_world *w, uint64_t call, bool cancels);

/* For flight.c: the answer of the call that was followed. */
void lz_client_shared(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result);

/* For connect.c: nobody listens there; nobody answers there. */
void lz_client_refused(struct lz_world *w, struct lz_call *c);
void lz_client_unreachable(struct lz_world *w, struct lz_call *c);

/* For connect.c: its certificate is not valid. */
void lz_client_distrusts(struct lz_world *w, struct lz_call *c);

#endif
