/*
 * guard.h — what stands between a caller and its next attempt; for model/ only.
 *
 * A bulkhead (so many calls at once), adaptive throttling and a circuit breaker may reject an
 * attempt before it is made; a retry budget may keep one from being made again. A rejected attempt
 * ends its call at once, refused with status 503: it never was on its way, is no attempt on the
 * callee, and is not retried.
 *
 * An edge with none of them has no `struct lz_guard`. State is kept per calling instance and
 * dies with its process.
 */
#ifndef LZ_MODEL_CLIENT_GUARD_H
#define LZ_MODEL_CLIENT_GUARD_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

struct lz_guard_client {
    uint32_t incarnation; /* of the process it belongs to; 0: it has not called yet */
    struct lz_budget budget;
    struct lz_breaker breaker;
    struct lz_throttle *throttle; /* NULL unless it throttles */
};

struct lz_guard {
    struct lz_guard_client *clients;
};

bool lz_guard_is_needed(const struct lz_edge_opts *opts);
bool lz_guard_check(const struct lz_edge_opts *opts, struct lz_err *err) LZ_MUST_CHECK;
void lz_guard_create(struct lz_world *w, struct lz_edge *e);
size_t lz_guard_bytes(const struct lz_edge *e);

/* The call begins; its end is told by lz_guard_ended, however it comes. */
void lz_guard_begun(struct lz_world *w, struct lz_edge *e, const struct lz_call *c);
void lz_guard_ended(struct lz_world *w, struct lz_edge *e, const struct lz_call *c);

/* May the attempt be made? If so, lz_guard_result or lz_guard_forget follows. */
bool lz_guard_admit(struct lz_world *w, struct lz_edge *e, struct lz_call *c);
void lz_guard_result(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                     const struct lz_call_result *result);
void lz_guard_forget(struct lz_world *w, struct lz_edge *e, const struct lz_call *c);

/* May one be made beside those under way? Costs the budget what a retry does. */
bool lz_guard_may_hedge(struct lz_world *w, struct lz_edge *e, const struct lz_call *c);

/* May the attempt that ended so be made again? */
bool lz_guard_may_retry(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                        enum lz_outcome outcome);

#endif
