/*
 * limit.h — rate limits: the token bucket, and the leaky bucket as nginx has it.
 *
 *   token bucket   fills by `rate` up to `burst`; a request takes a token or is refused
 *   leaky bucket   holds the excess over `rate`, at most `burst`; a request that would make it
 *                  overflow is refused (ngx_http_limit_req_module, "nodelay"). An empty bucket
 *                  takes one request more than `burst`: the one that is let through at once.
 *
 * Both start empty of work: a full token bucket, an empty leaky one.
 */
#ifndef LZ_MODEL_SERVICE_LIMIT_H
#define LZ_MODEL_SERVICE_LIMIT_H

#include <stdbool.h>

#include "sim/time.h"

enum lz_limit_kind { LZ_LIMIT_TOKENS, LZ_LIMIT_LEAKY };

struct lz_limit {
    enum lz_limit_kind kind;
    double rate;  /* per second, above 0 */
    double burst; /* tokens: at least 1; leaky: at least 0 */
    double level; /* tokens there are; leaky: the excess */
    lz_time last; /* when the level was that */
};

void lz_limit_init(struct lz_limit *l, enum lz_limit_kind kind, double rate, double burst,
                   lz_time now);

/* Another rate from now on; tokens there are stay, up to the burst. */
void lz_limit_set(struct lz_limit *l, double rate, double burst, lz_time now);

/* May one more request pass now? It is counted if it may. */
bool lz_limit_take(struct lz_limit *l, lz_time now);

#endif
