/*
 * gateway.h — what a gateway or the edge of a CDN has that a balancer has not.
 *
 *   waf     a web application firewall at the door: every request is looked at for `latency`, and
 *           a share of them, the bad ones, is answered 403 without coming in
 *   limit   a bucket (limit.h) of all replicas together; what exceeds it is answered 429. A leaky
 *           one may hold back what it lets through, until the rate allows it
 *   cache   what can be answered from here: a share of the requests (`hit_ratio`), or the keys
 *           that this replica has fetched within `ttl`. A hit is no call
 *
 * It is otherwise a balancer: a service that passes its one call on. Firewall and limit are
 * filters (filter.h), so faults at the door come beside them, in the order they begin.
 */
#ifndef LZ_MODEL_SERVICE_GATEWAY_H
#define LZ_MODEL_SERVICE_GATEWAY_H

#include "model/service/limit.h"
#include "model/service/service.h"
#include "model/world.h"

struct lz_gateway_opts {
    enum lz_limit_kind algorithm;
    double limit;             /* requests per second; 0: none */
    double burst;             /* of the bucket; below 0: of one second, at least 1; leaky: none */
    bool holds;               /* a leaky one holds back what is in it, beyond `at_once` */
    double at_once;           /* of its burst */
    uint16_t limit_status;    /* of what exceeds it; 0 means 429 */
    struct lz_dist waf_delay; /* NONE: no firewall is in the way */
    double waf_blocked;       /* share of the requests */
    double hit_ratio;         /* share that is answered from here; below 0: by keys */
    bool has_cache;
    uint32_t entries; /* keys at most, per replica; 0 means 10000 */
    lz_time ttl;      /* of a key; 0: until it is pushed out */
    bool is_sliding;  /* a hit makes it new */
};

/* Give a service of kind GATEWAY what the options say. */
bool lz_gateway_equip(struct lz_world *w, lz_component_id id, const struct lz_gateway_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;

const struct lz_metric_info *lz_gateway_metrics(size_t *count);

#endif
