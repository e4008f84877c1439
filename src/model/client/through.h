/*
 * through.h — cache-aside: a call that looks into a cache first; for model/ only.
 *
 *   a read    get ──hit──▶ answered                     a write   load ──▶ del ──▶ answered
 *              └─miss──▶ load ──▶ set ──▶ answered
 *
 * Load is the call as it was declared, with its own timeout, retries, breaker. A cache that does
 * not answer is left out: the load is made, and nothing is set. Whether it reads is said by the
 * operation's first word, as for a database. With `single_flight` calls of one replica about the
 * same key share all of it.
 *
 * Early recomputation (XFetch): with `beta` a get that finds an entry is told to make it anew when
 *
 *   now - cost * beta * ln(U) >= when it runs out,    U uniform in (0, 1]
 *
 * where cost is what its load took. A hot key is then made anew, before it runs out, by e^(1/beta)
 * callers on average, however many ask (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic
 * Cache Stampede Prevention", VLDB 2015). An early load that fails leaves its caller with what the
 * cache had.
 *
 * The edge of such a call makes no attempt itself: get, load, set and del are edges of their own.
 */
#ifndef LZ_MODEL_CLIENT_THROUGH_H
#define LZ_MODEL_CLIENT_THROUGH_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

struct lz_through {
    lz_edge_id get, set, del, load;
    bool reads;
};

/* What is left to the edge itself of what its call says; the rest is its load's. */
struct lz_edge_opts lz_through_outer(const struct lz_edge_opts *opts);

bool lz_through_create(struct lz_world *w, struct lz_edge *e, const struct lz_edge_opts *opts,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Begin; the call has its legs. One of them has ended. */
void lz_through_begin(struct lz_world *w, const struct lz_edge *e, struct lz_call *c);
void lz_through_ended(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result);

/* What it took to make what this call sets, in microseconds; 0: it is no part of such a call. */
uint32_t lz_through_cost(const struct lz_world *w, const struct lz_call *c);

#endif
