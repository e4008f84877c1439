/*
 * limits.h — what a caller of ours does not send: breaker, throttle, bulkhead, retry budget.
 *
 * The same machines as a simulated caller's (model/client: breaker.h, throttle.h, budget.h), fed
 * with what really came back. The requests of one `traffic` are one caller's: there is one breaker,
 * one budget. An attempt that is not let through is rejected at once and goes nowhere.
 *
 *     lz_limits_begun      a request begins        lz_limits_admit    may this attempt be sent?
 *     lz_limits_ended      it is over              lz_limits_result   what came of it
 *                                                  lz_limits_forget   or nobody will know
 *                                                  lz_limits_may_retry
 */
#ifndef LZ_LIVE_LOAD_LIMITS_H
#define LZ_LIVE_LOAD_LIMITS_H

#include "model/client/breaker.h"
#include "model/client/budget.h"
#include "model/client/call.h"
#include "model/client/throttle.h"

struct lz_limits {
    const struct lz_edge_opts *opts;
    struct lz_breaker breaker;
    struct lz_throttle throttle;
    struct lz_budget budget;
};

/* `opts` and the arena outlive it. */
void lz_limits_init(struct lz_limits *l, const struct lz_edge_opts *opts, struct lz_arena *arena);

void lz_limits_begun(struct lz_limits *l);
void lz_limits_ended(struct lz_limits *l, uint32_t attempts);

/* `pass` is for lz_limits_result. `draw` is of the attempt. */
bool lz_limits_admit(struct lz_limits *l, uint32_t attempt, lz_time now, struct lz_draw *draw,
                     uint8_t *pass);
void lz_limits_result(struct lz_limits *l, uint32_t attempt, lz_time now, uint8_t pass,
                      const struct lz_call_result *result);

/* An attempt that was admitted will have no result: nobody waits for it any more. */
void lz_limits_forget(struct lz_limits *l, uint8_t pass);

/* After attempt number `attempt`, which has failed: is there a budget for another? Takes its cost.
 */
bool lz_limits_may_retry(struct lz_limits *l, uint32_t attempt, enum lz_outcome outcome);

/* Is there a budget for another request beside the one under way? Takes its cost. */
bool lz_limits_may_hedge(struct lz_limits *l);

#endif
