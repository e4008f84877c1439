/*
 * caller.h — what is measured of a component as a caller; for model/ only.
 *
 * Retries, hedged requests, shared answers, rejections by breaker or throttle, ejections: counted
 * over all the ways a component calls. The series are made when a way to call can do one of these,
 * or when somebody asks for the metric; otherwise they cost nothing.
 */
#ifndef LZ_MODEL_CLIENT_CALLER_H
#define LZ_MODEL_CLIENT_CALLER_H

#include "model/client/edge.h"

struct lz_caller {
    lz_series calls; /* of the edges that are measured: not retries, not hedges */
    lz_series retries, hedges, wins, rejected, shared;
    lz_series opened, open;       /* breakers */
    lz_series ejections, ejected; /* replicas */
    uint32_t open_count, ejected_count;
};

const struct lz_metric_info *lz_caller_metrics(size_t *count);

/* Begin to measure, if `name` is one of these metrics (NULL: whatever it is). */
void lz_caller_measure(struct lz_world *w, lz_component_id component, const char *name);

/* NULL while nobody measures. */
struct lz_caller *lz_caller_of(const struct lz_world *w, lz_component_id component);

enum lz_caller_event {
    LZ_CALLER_CALL,
    LZ_CALLER_RETRY,
    LZ_CALLER_HEDGE,
    LZ_CALLER_WIN, /* a hedge was quicker */
    LZ_CALLER_REJECTED,
    LZ_CALLER_SHARED, /* it took the answer of another */
};

/* Something happened on an edge; nothing is done while nobody measures. */
void lz_caller_count(struct lz_world *w, const struct lz_edge *e, enum lz_caller_event event);

/* A breaker left (+1) or went back to (-1) closed; a replica was ejected (+1) or is back (-1). */
void lz_caller_breaker(struct lz_world *w, const struct lz_edge *e, int change);
void lz_caller_ejected(struct lz_world *w, const struct lz_edge *e, int change);

#endif
