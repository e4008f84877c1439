/*
 * version.h — builds of a service, and which share of its requests each of them serves.
 *
 * A service may be declared with *versions*. A request is served by one of them, drawn when it
 * arrives by the weights of the *route* in force, as a mesh splits traffic (Istio's weighted
 * destinations, Envoy's weighted clusters): independently of the replica, of other requests and
 * of other attempts of the same one. What a route leaves over goes to the version that serves
 * at first, or to the service as it is declared, where none is named.
 *
 * The draw is one number in [0, 1) against the weights in the order of the versions' names, so
 * that raising one share keeps all requests it had: those of 5 % are among those of 25 %.
 *
 * Where the service is rolled out there is no route: a request is served by the version that the
 * replica is made from.
 *
 * Faults take a route over, or make a version worse; undoing one recomputes from what the
 * scenario routed and the faults still active, in the order in which they began.
 */
#ifndef LZ_MODEL_SERVICE_VERSION_H
#define LZ_MODEL_SERVICE_VERSION_H

#include "model/service/service.h"

struct lz_service;

#define LZ_VERSIONS_MAX 64     /* of one service */
#define LZ_VERSION_NAME_MAX 40 /* bytes */

/* Why its pods never serve, where the service is rolled out (rollout.h). */
enum lz_version_fails {
    LZ_VERSION_FAILS_NOT,
    LZ_VERSION_FAILS_READINESS, /* the readiness probe */
    LZ_VERSION_FAILS_START,     /* the process ends as it starts: CrashLoopBackOff */
    LZ_VERSION_FAILS_IMAGE,     /* there is no image: ErrImagePull */
};

struct lz_version_opts {
    const char *name;
    enum lz_version_fails fails;
    bool has_error_ratio;        /* else the service's */
    double error_ratio;          /* of its answers that are errors by themselves */
    struct lz_dist service_time; /* NONE: the service's */
    struct lz_dist cpu_time;     /* NONE: the service's */
};

struct lz_version_loss {
    double factor;      /* 1: none */
    double error_ratio; /* 0: none */
    uint64_t *touched;
};

/* In the order of their names; the first is number 1. */
bool lz_version_add(struct lz_world *w, lz_component_id service, const struct lz_version_opts *opts,
                    uint32_t *number, struct lz_err *err) LZ_MUST_CHECK;

/* The version that serves what no route gives to another. Before the run begins. */
void lz_version_set_first(struct lz_world *w, lz_component_id service, uint32_t number);

/* 0 if there is none of that name. */
uint32_t lz_version_find(const struct lz_world *w, lz_component_id service, const char *name);

/* shares[i] of the requests go to version i + 1, the rest to the first. */
bool lz_version_route(struct lz_world *w, lz_component_id service, const double *shares,
                      uint32_t count, struct lz_err *err) LZ_MUST_CHECK;

/*
 * Faults; the id undoes them. A takeover sends `share` of whatever was routed to the version
 * instead, and may be told another share; a degradation makes its work take `factor` times as
 * long and lets `error_ratio` of its answers turn out wrong. `touched` counts the requests that
 * the version served meanwhile.
 */
uint32_t lz_version_take(struct lz_world *w, lz_component_id service, uint32_t number, double share,
                         uint64_t *touched);
void lz_version_set_share(struct lz_world *w, lz_component_id service, uint32_t id, double share);
uint32_t lz_version_degrade(struct lz_world *w, lz_component_id service, uint32_t number,
                            const struct lz_version_loss *loss);
void lz_version_undo(struct lz_world *w, lz_component_id service, uint32_t id);

/* Where the service is rolled out: so many of the ready replicas are made from each number, 0 for
   the service as declared. Requests go by that. */
void lz_version_counted(struct lz_world *w, const struct lz_service *s, const uint32_t *ready);

const char *lz_version_name(const struct lz_service *s, uint32_t number);
enum lz_version_fails lz_version_fails(const struct lz_service *s, uint32_t number);

/* A pod is made from it: who degraded it has touched something. */
void lz_version_began(const struct lz_service *s, uint32_t number);

/* The metrics of a version, named "version[v2].errors.ratio"; 0 if there is no such metric. */
lz_metric lz_version_metric(const struct lz_world *w, lz_component_id service, uint32_t number,
                            const char *name);

/* What a version measures. */
const struct lz_metric_info *lz_version_metrics(size_t *count);

#endif
