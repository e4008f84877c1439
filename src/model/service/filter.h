/*
 * filter.h — what happens to requests at a replica's door: delays, answers in its place.
 *
 * A filter is at a set of instances and touches the requests that match it: of a path, of a
 * method, a share of them by their own draw, the first so many, every nth. An operation such as
 * "GET /price" is the method GET and the path /price; one without a method is a path. A path that
 * ends in * matches what begins like it.
 *
 *   DELAY     the request comes in later
 *   ABORT     it is answered with `outcome` and `status`, and never comes in
 *   LIMIT     the same, if it exceeds a rate; one bucket for all instances of the filter. What
 *             does not may be held back by it (limit.h), and comes in later
 *   REPLACE   it is worked on, and answered something else than the replica meant to
 *   HOLD      its answer leaves later
 *
 * An outcome of RESET says that the connection breaks: before the work (ABORT), which is then never
 * done, or in place of the answer (REPLACE), of which its caller knows nothing.
 *
 * A fault stands before the server, as a proxy does: what it answers itself is no answer of the
 * server's, and is neither replaced nor held. What a gateway's limit answers is.
 *
 * As in a chain of Envoy's: all delays add up, then the first of the others that says no decides,
 * in the order in which they were added; of several REPLACE the last decides, but what is broken
 * stays so. Instances without a filter cost one comparison.
 */
#ifndef LZ_MODEL_SERVICE_FILTER_H
#define LZ_MODEL_SERVICE_FILTER_H

#include "model/service/limit.h"
#include "model/service/task.h"
#include "model/world.h"

enum lz_filter_act {
    LZ_FILTER_DELAY,
    LZ_FILTER_ABORT,
    LZ_FILTER_LIMIT,
    LZ_FILTER_REPLACE,
    LZ_FILTER_HOLD,
};

struct lz_filter {
    enum lz_filter_act act;
    const char *path, *method; /* NULL: any */
    bool is_fault;             /* it stands before the server */
    double ratio;              /* share of those, by their own draw */
    uint32_t first, nth;       /* only so many; only every nth; 0: all */
    uint16_t of_status;        /* REPLACE, HOLD: only answers that have it; 0: any */
    struct lz_dist add;        /* DELAY, HOLD */
    enum lz_outcome outcome;   /* the others */
    uint16_t status;
    const char *body;      /* REPLACE: instead of the answer's value; NULL: as it was */
    struct lz_limit limit; /* LIMIT */
    uint64_t owner;        /* of its draws */
    uint64_t *touched;     /* counts the requests it touched */
    lz_series series;      /* counts them too; 0: none */
    lz_series held;        /* LIMIT: counts those that it held back; 0: none */
};

void lz_filters_init(struct lz_world *w);

uint32_t lz_filter_add(struct lz_world *w, const struct lz_filter *f, const lz_instance_id *at,
                       uint32_t count);
void lz_filter_remove(struct lz_world *w, uint32_t id);
void lz_filter_set_limit(struct lz_world *w, uint32_t id, double rate, double burst); /* of LIMIT */

static inline bool lz_filter_is_any(const struct lz_world *w)
{
    return (w->unusual & LZ_UNUSUAL_FILTERS) != 0;
}

/* What a request meets at the door: an answer instead, or so long to wait, by limits. */
struct lz_filter_verdict {
    enum lz_outcome outcome; /* PENDING: it may come in */
    uint16_t status;
    bool is_fault; /* it is not the server who answers */
    lz_time wait;
};

/* For task.c: how long the request is held; whether it is answered instead; what is answered, and
   how much later. */
lz_time lz_filter_delay(struct lz_world *w, const struct lz_task *t);
struct lz_filter_verdict lz_filter_judge(struct lz_world *w, const struct lz_task *t);
lz_time lz_filter_answer(struct lz_world *w, struct lz_task *t, enum lz_outcome *outcome,
                         uint16_t *status);

/* Does the operation's name match? For tests, and for whoever else has a path. */
bool lz_filter_matches(const char *op, const char *method, const char *path);

#endif
