/*
 * traffic.h — users: requests that come whether the system is ready or not, or people who wait.
 *
 * Open loop: intended send times follow the arrival process (arrival.h) and latency counts
 * from the intended time, so that a stalled system cannot hide its queue (coordinated
 * omission). Each arrival is one request, a batch of them, or a user's session: requests one
 * after another, each a think time after the answer before it. That is the "partly-open"
 * system of Schroeder, Wierman and Harchol-Balter, "Open Versus Closed: A Cautionary Tale"
 * (NSDI 2006), who show how much the three differ under load.
 *
 * Closed loop: a fixed number of users, each of whom thinks, asks, and waits for the answer
 * (user.h). A system that is slow gets fewer requests. There is no intended time other than
 * the time of sending, so latency is what a user waits and no more. A user who is answered in
 * no time and thinks none takes a millisecond all the same.
 *
 * Users stand at the edge, 15 ms from everything, unless they are `local`.
 */
#ifndef LZ_MODEL_TRAFFIC_TRAFFIC_H
#define LZ_MODEL_TRAFFIC_TRAFFIC_H

#include "model/broker/producer.h"
#include "model/client/call.h"
#include "model/world.h"
#include "sim/shape.h"

#define LZ_TRAFFIC_USERS_MAX 10000000u /* of one closed traffic; 64 bytes each */
#define LZ_TRAFFIC_BATCH_MAX 100000u

struct lz_traffic_opts {
    const char *name;
    uint32_t line;
    lz_component_id to;
    struct lz_shape rate;     /* requests per second, or with sessions: sessions per second */
    bool constant;            /* evenly spaced; the default is a Poisson process */
    struct lz_dist gaps;      /* between two arrivals, in place of `rate`: a renewal process */
    uint32_t batch;           /* requests that arrive at once, `rate` / `batch` times a second */
    uint32_t users;           /* closed loop, if above 0; `rate` and `gaps` are ignored */
    struct lz_dist think;     /* of users and in sessions: from an answer to the next request */
    uint32_t session;         /* requests of a session; 0: no sessions, or `leave` ends them */
    double leave;             /* chance that a session ends with a request; 0: see `session` */
    struct lz_edge_opts edge; /* op, timeout, retries, balance; `from` and `to` are ignored */
    struct lz_producer_opts produce; /* to a topic */
    struct lz_dist keys; /* what a request is about; NONE: its user's, or its own ordinal */
    uint32_t near;       /* the region next to which they stand; 0: as near to all */
    bool local; /* users stand beside what they call: no network at all (queueing theory) */
};

void lz_traffics_init(struct lz_world *w);
bool lz_traffic_create(struct lz_world *w, const struct lz_traffic_opts *opts, lz_component_id *id,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Requests sent since the start, those that faults added too. */
uint64_t lz_traffic_sent(const struct lz_world *w, lz_component_id id);

/* For producer.c: a record that was sent has been written, or has not. */
struct lz_traffic_record {
    lz_time latency; /* from the intended time */
    enum lz_outcome outcome;
    uint32_t agent; /* the user who waits for it; 0: nobody does */
    bool is_bot;
};
void lz_traffic_recorded(struct lz_world *w, lz_component_id id,
                         const struct lz_traffic_record *record);

/*
 * Who sends a traffic's requests in the model's place: a live run. Everything before and after
 * stays: arrivals, users, sessions, what is measured. From within the event of the arrival `send`
 * is called with the request, which is open until lz_traffic_called (client.h) ends it.
 */
struct lz_traffic_sending {
    lz_component_id traffic;
    uint64_t request; /* a lz_request_id */
    uint64_t path;    /* owner of its draws */
    uint64_t key;     /* what it is about, by `keys` */
    uint64_t ordinal;
    uint64_t who; /* a user who does one thing after another, of all traffics; 0: nobody */
    lz_time intended;
};
struct lz_traffic_sender {
    void (*send)(void *ctx, const struct lz_traffic_sending *sending);
    void *ctx;
};
void lz_traffic_send_by(struct lz_world *w, lz_component_id id,
                        const struct lz_traffic_sender *sender);

/* How the traffic calls: its timeout, retries, backoff, with defaults filled in. */
const struct lz_edge_opts *lz_traffic_edge(const struct lz_world *w, lz_component_id id);

/*
 * Faults: more arrivals at a traffic, from now on. They have draws of their own and shift
 * nobody's. `touched` counts the requests. The id ends it. A closed loop has no rate that a
 * `factor` could multiply.
 */
struct lz_traffic_surge {
    lz_component_id traffic;
    double factor;        /* this many times the rate in all; 0: by `rate` */
    struct lz_shape rate; /* requests per second more, its time counted from now */
    lz_time ramp;         /* grows from nothing over this time */
    bool are_bots;        /* nobody waits for them: they count in no metric of the users' */
    uint64_t path;        /* owner of its draws */
    uint64_t *touched;
};
uint32_t lz_traffic_surge(struct lz_world *w, const struct lz_traffic_surge *surge);
void lz_traffic_calm(struct lz_world *w, uint32_t id);
bool lz_traffic_is_closed(const struct lz_world *w, lz_component_id id);

/* Whom the traffic calls. */
lz_component_id lz_traffic_to(const struct lz_world *w, lz_component_id id);

/* What traffic measures. */
const struct lz_metric_info *lz_traffic_metrics(size_t *count);

#endif
