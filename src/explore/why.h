/*
 * why.h — when a failure became certain: the chance of failing, had chance gone on otherwise.
 *
 * From an instant on all draws are taken anew (lz_sim_set_future); before it the run is what it
 * was. Of so many futures of that instant some fail, and the share of them is what was still open
 * then. First at instants spread evenly before the failure; then the step over LZ_WHY_CERTAIN,
 * after which it was bound to happen, is bisected.
 *
 * Then the events between the last open instant and the first that is decided are looked at: the
 * same question, asked before each of so many that halve what is left, ends at the one instant at
 * which chance decided. What fired at it is the draw's or the message's: an arrival, a message
 * that came, work that was drawn, a timer.
 *
 * The draws of that instant are then made anew by themselves, all others and the rest of the past
 * staying what they were: half of them, and half of that half (Zeller, "Isolating cause-effect
 * chains from computer programs", FSE 2002), down to the one draw that makes the end open again.
 * Where several decided together, how many is told.
 *
 * What was scheduled (faults, scripts) happens in every future: only chance is drawn anew. A run
 * that was never open is asked two more questions: was it decided as the world was built (what
 * chaos brought, when a fault comes), and which of its faults does it not fail without.
 */
#ifndef LZ_EXPLORE_WHY_H
#define LZ_EXPLORE_WHY_H

#include "explore/worker.h"

#define LZ_WHY_INSTANTS 16
#define LZ_WHY_POINTS_MAX 64
#define LZ_WHY_CERTAIN 0.9
#define LZ_WHY_STEP_NS INT64_C(10000000) /* the step is not bisected further by time */
#define LZ_WHY_EVENTS_MAX 20000          /* in a step; of more only the step is told */
#define LZ_WHY_FIRED_MAX 8               /* at the instant that decided */
#define LZ_WHY_DRAWS_MAX 4096            /* at it; of more none is sought */
#define LZ_WHY_FAULTS_MAX 64             /* that are left out one by one */
#define LZ_WHY_BUILT (-1)                /* as an instant: before the first, as it was built */

struct lz_why_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *params;
    const char *version;
    const char *name; /* the expectation */
    uint64_t seed;
    struct lz_order_opts order; /* as the run had it */
    double swarm;               /* likewise */
    size_t faults;              /* the run's, in order */
    int64_t until;              /* when it failed */
    uint64_t futures;           /* of each instant */
    unsigned workers;
    int64_t timeout_ns;
    uint64_t events_max;
};

struct lz_why_point {
    int64_t at;
    uint64_t futures, failed;
};

/* What fired at the instant that decided. */
struct lz_why_event {
    char kind[40], where[80]; /* where: an instance, "" if the event is about none */
};

/* The draw that decided. */
struct lz_why_draw {
    char owner[96];   /* "users/1508/users>web/1" */
    char purpose[48]; /* "service time" */
    char value[64];   /* "812ms"; "0.0004": of what a share is drawn for, a number from 0 to 1 */
    uint64_t counter;
    struct lz_why_point anew; /* drawn anew by itself */
};

struct lz_why {
    struct lz_why_point points[LZ_WHY_POINTS_MAX]; /* by time */
    size_t count;
    bool has_step;         /* it was open once, and then was not */
    int64_t open, decided; /* the last instant at which it was open, the first when it was not */
    bool has_moment; /* the instant after which it was bound to happen is one of the run's own */
    int64_t moment;  /* or LZ_WHY_BUILT */
    size_t draws;    /* made at it */
    size_t together; /* of them are the fewest that were found to decide; 1: `draw` */
    struct lz_why_draw draw;
    struct lz_why_event fired[LZ_WHY_FIRED_MAX];
    size_t fired_count, fired_total;
    /* If it was never open: with each of the faults left out. */
    struct lz_why_point without[LZ_WHY_FAULTS_MAX];
    size_t without_count;
    int signal;
};

/* False: no child could be made. */
bool lz_why_run(const struct lz_why_opts *opts, struct lz_why *out,
                struct lz_err *err) LZ_MUST_CHECK;

#endif
