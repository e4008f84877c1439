/*
 * balance.h — how a caller chooses among the replicas of what it calls.
 *
 * Balancing is the client's: every calling instance decides by what it knows itself, as a
 * sidecar or a client library does. A choice is made in steps:
 *
 *   1. who may be asked: its `subset` (SRE book ch. 20), less those that health checks or a
 *      broken connection took out (balance.c) and those it ejected itself (outlier.c);
 *   2. how near: with `zone_aware`, its own zone, then its region, then the rest, spilling
 *      over by Envoy's rule (locality.c);
 *   3. which one, by `policy` (policy.c, ring.c, maglev.c), by weights that grow while a
 *      replica starts slowly (weight.c).
 *
 * When fewer than `panic` of them are thought alive all are tried; by default when none is.
 *
 *   round_robin          in turn; with weights nginx's smooth weighted round robin
 *   random               any, in proportion to the weights
 *   least_requests       fewest (own requests in flight + 1) / weight; ties in turn
 *   power_of_two         the same among `choices` replicas drawn at random (Mitzenmacher 2001),
 *                        all different unless `replacement`; ties are random
 *   join_shortest_queue  fewest requests at the replica itself, whoever sent them, held back by a
 *                        limit or not, as if each told its length at once: a bound to compare
 *                        with; ties are random
 *   ring_hash            by the request's key on a ring with `virtual_nodes` points per replica
 *                        and unit of weight; with `load_bound` never above that much of the
 *                        mean load (Mirrokni, Thorup, Zadimoghaddam 2018)
 *   maglev               by the request's key in a table of `table_size` entries (Eisenbud et
 *                        al., NSDI 2016, section 3.4), made anew when one goes or comes
 */
#ifndef LZ_MODEL_CLIENT_BALANCE_H
#define LZ_MODEL_CLIENT_BALANCE_H

#include "model/world.h"

enum lz_balance {
    LZ_BALANCE_ROUND_ROBIN,
    LZ_BALANCE_RANDOM,
    LZ_BALANCE_LEAST_REQUESTS,
    LZ_BALANCE_POWER_OF_TWO,
    LZ_BALANCE_JOIN_SHORTEST_QUEUE,
    LZ_BALANCE_RING_HASH,
    LZ_BALANCE_MAGLEV,
};

#define LZ_BALANCE_CHOICES_MAX 16
#define LZ_BALANCE_WEIGHT_MAX 1000
#define LZ_BALANCE_POINTS_MAX (1u << 23) /* of a ring, in all; Envoy's maximum */
#define LZ_BALANCE_TABLE_MAX 5000011u    /* Envoy's maximum */

#define LZ_BALANCE_EJECTION_MAX (86400 * LZ_S)

/* A replica that came back begins with little: Envoy's slow start. */
struct lz_slow_start_opts {
    lz_time window;    /* 0: off */
    double aggression; /* weight is (elapsed / window) ^ (1 / aggression); 0 means 1 */
    double least;      /* share of its weight it begins with; 0 means 10 % */
};

/* Passive health checks: Envoy's outlier detection, with its defaults. */
struct lz_outlier_opts {
    bool on;
    uint32_t failures;    /* in a row that eject; 0 means 5 */
    lz_time every;        /* how often ejections are looked at again; 0 means 10 s */
    lz_time ejection;     /* the n-th in a row lasts n times this; 0 means 30 s */
    lz_time ejection_max; /* 0 means 300 s, or `ejection` if that is longer */
    double share_max;     /* of the replicas that may be out so, one always may; 0 means 10 % */
};

struct lz_balance_opts {
    enum lz_balance policy;
    uint32_t choices; /* power_of_two; 0 means 2 */
    bool replacement;
    const uint32_t *weights; /* of the replicas in order; NULL: 1 each. Copied. */
    uint32_t weight_count;
    uint32_t virtual_nodes; /* 0 means 160, as Ketama has */
    uint32_t table_size;    /* a prime; 0 means 65537 */
    double load_bound;      /* by which a load may exceed the mean; 0: no bound */
    bool zone_aware;
    double overprovisioning; /* 0 means 1.4 */
    double panic;            /* share thought alive below which all are tried; 0: only at none */
    uint32_t subset;         /* how many replicas each caller knows; 0: all */
    struct lz_slow_start_opts slow_start;
    struct lz_outlier_opts outliers;
};

/* Do they make sense for so many replicas? */
bool lz_balance_check(const struct lz_balance_opts *opts, uint32_t replicas,
                      struct lz_err *err) LZ_MUST_CHECK;

void lz_balance_fill_defaults(struct lz_balance_opts *opts);

#endif
