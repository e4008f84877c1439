/*
 * inner.h — the load as its own files see it: load.c (what is sent, when, its end), request.c (one
 * request of a traffic, made once or as a race), flight.c (its attempts, one after another),
 * history.c (what a request is in a history), condition.c (attempts that write only what they
 * read).
 *
 *   request ──▶ flight ──▶ attempt, backoff, attempt ...     the first good answer is the request's
 *          └──▶ flight (a hedge, later) ──▶ attempt ...      what else is under way is given up
 */
#ifndef LZ_LIVE_LOAD_INNER_H
#define LZ_LIVE_LOAD_INNER_H

#include "live/load/fetch.h"
#include "live/load/limits.h"
#include "live/load/load.h"
#include "live/loop.h"
#include "live/probe/command.h"
#include "model/client/lateness.h"
#include "model/history/recorder_real.h"
#include "model/history/recorder_tell.h"
#include "model/traffic/request.h"

/* Kinds of trouble, each told once for a traffic: outcomes of fetch.h, and error answers. */
#define LZ_LOAD_TROUBLES (LZ_FETCH_FAILED + 2)
#define LZ_LOAD_TROUBLE_STATUS (LZ_FETCH_FAILED + 1)

#define LZ_LOAD_CONDITION 512u /* "If-Match: " and the longest ETag that is understood */

struct lz_load_way;

/* One of the real things that the callee is. */
struct lz_load_leg {
    struct lz_fetch *fetch; /* NULL: a program is run */
    struct lz_fetch *look;  /* of a conditional write, what reads before it; NULL: nothing does */
    lz_component_id server;
    lz_instance_id instance;
};

/* A request of a traffic, from its arrival to its answer. */
struct lz_load_request {
    struct lz_load_request *next, *before;
    struct lz_load_way *way;
    struct lz_flight *flights; /* that have not ended */
    struct lz_loop_timer hedge;
    lz_request_id id;
    uint64_t path, who;
    lz_time intended;
    struct lz_blanks blanks;
    struct lz_recorder_real record; /* in a history; `op` 0: none */
    uint32_t read;                  /* of all accounts; 0: none */
    uint32_t send;                  /* of a record; 0: none */
    bool is_recorded;
    uint32_t begun, failed; /* flights */
    uint32_t attempts;      /* of all of them, that have left */
};

/* One way to get its answer, from the first attempt to the last. */
struct lz_flight {
    struct lz_flight *next, *before; /* of the request, or of what goes on without one */
    struct lz_load_request *of;      /* NULL: nobody waits for it any more */
    struct lz_load_way *way;
    const struct lz_load_leg *leg; /* of the attempt */
    struct lz_fetch_run *run;      /* of HTTP */
    struct lz_command *command;    /* neither: it waits for its next attempt */
    struct lz_loop_timer again;
    uint64_t path;
    lz_time sent;    /* the attempt */
    lz_time stepped; /* what is under way of it: of a conditional write, its read or its write */
    lz_time waited;  /* before it */
    uint32_t attempt;
    uint32_t place;                 /* among the request's, from 0 */
    uint8_t pass;                   /* of the breaker */
    struct lz_recorder_real record; /* of a conditional write, its step under way */
    lz_time until;                  /* likewise: then the attempt's time is up */
    bool is_fresh;                  /* likewise: each by a connection of its own */
    char condition[LZ_LOAD_CONDITION];
};

/* Of one traffic. */
struct lz_load_way {
    struct lz_load *load;
    struct lz_load_leg *legs; /* attempts go round */
    size_t leg_count, leg_next;
    const char *const *argv;         /* NULL: HTTP */
    uint32_t commands, commands_max; /* that run */
    int net_fd;                      /* where they do */
    lz_time late_after;
    struct lz_edge_opts opts;
    struct lz_limits limits;
    struct lz_lateness lateness;   /* a hedge's quantile */
    enum lz_breaker_state breaker; /* as it was last told */
    const struct lz_component *users;
    const char *name;
    lz_component_id traffic;
    lz_component_id to; /* whose history its requests are of: its callee, or the topic */
    lz_op op;
    struct lz_load_request *waiting, *waiting_last; /* to be sent at the next turn, oldest first */
    struct lz_load_request *flying;                 /* all others */
    struct lz_flight *left;                         /* flights of nobody */
    struct lz_load_count count;
    bool wants_http2, has_blanks, is_to_topic;
    bool is_told[LZ_LOAD_TROUBLES], is_version_told, is_unread_told;
};

struct lz_load {
    struct lz_live *live;
    struct lz_loop *loop;
    struct lz_world *world;
    struct lz_loop_timer start; /* sends what waits */
    struct lz_load_way **ways;
    size_t way_count;
    struct lz_load_request *idle;
    struct lz_flight *idle_flights;
    bool has_ended;
};

/* load.c: who waits for a program to end may be sent now. */
void lz_load_wake(struct lz_load *load);

/* request.c */
struct lz_load_request *lz_load_request_take(struct lz_load *load);
void lz_load_request_send(struct lz_load_request *r, lz_time now);
void lz_load_request_drop(struct lz_load_request *r); /* forgotten, as all it has under way */
/* A flight of it has ended, and is gone; `seen` is what the answer says. */
void lz_load_request_flown(struct lz_load_request *r, uint32_t place,
                           const struct lz_call_result *result, const struct lz_fetch_result *said);
lz_time lz_load_request_deadline(const struct lz_load_request *r);

/* history.c: an attempt leaves now, and the request is in the history from then on; the request is
 * over. `said` is its answer; NULL: there was none. */
void lz_load_history_leaves(struct lz_load_request *r);
void lz_load_history_over(struct lz_load_request *r, const struct lz_call_result *result,
                          const struct lz_fetch_result *said);
/* What an answer's body says, without blanks around it. */
lz_value lz_load_history_value(struct lz_world *w, enum lz_recorder_f f,
                               const struct lz_fetch_result *said);

/* condition.c: the attempt begins; what was written is over. */
void lz_condition_begin(struct lz_flight *f, lz_time patience, bool is_fresh);
void lz_condition_over(struct lz_flight *f, const struct lz_call_result *result);

/* flight.c */
void lz_flight_begin(struct lz_load_request *r, lz_time now);
void lz_flight_cancel(struct lz_flight *f);  /* what is under way ends, nobody is told */
void lz_flight_abandon(struct lz_flight *f); /* it goes on, nobody is told */
void lz_flight_answered(void *flight, const struct lz_fetch_result *result); /* an attempt is */

#endif
