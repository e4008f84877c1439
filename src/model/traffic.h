/*
 * traffic.h — users: requests that come whether the system is ready or not.
 *
 * Open loop: intended send times follow the arrival process, and latency counts from
 * the intended time, so that a stalled system cannot hide its queue (coordinated
 * omission). Users stand at the edge, 15 ms from everything.
 */
#ifndef LZ_MODEL_TRAFFIC_H
#define LZ_MODEL_TRAFFIC_H

#include "model/call.h"
#include "model/world.h"

struct lz_traffic_opts {
    const char *name;
    uint32_t line;
    lz_component_id to;
    double rate;              /* requests per second */
    bool constant;            /* evenly spaced; the default is a Poisson process */
    struct lz_edge_opts edge; /* op, timeout, retries, balance; `from` and `to` are ignored */
    struct lz_dist keys;      /* what a request is about; NONE: each its own ordinal */
    bool local; /* users stand beside what they call: no network at all (queueing theory) */
};

void lz_traffics_init(struct lz_world *w);
bool lz_traffic_create(struct lz_world *w, const struct lz_traffic_opts *opts, lz_component_id *id,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Requests sent, and answered in time and well, since the start. */
uint64_t lz_traffic_sent(const struct lz_world *w, lz_component_id id);

/* What traffic measures. */
const struct lz_metric_info *lz_traffic_metrics(size_t *count);

#endif
