/*
 * limit.h — rate limits: the token bucket, and the leaky bucket as nginx has it.
 *
 *   token bucket   fills by `rate` up to `burst`; a request takes a token or is refused
 *   leaky bucket   holds the excess over `rate`, at most `burst`; a request that would make it
 *                  overflow is refused (ngx_http_limit_req_module). An empty bucket takes one
 *                  request more than `burst`: the one that is let through at once.
 *
 * What is in a leaky bucket is let through at once ("nodelay"), or waits until the rate allows it:
 * of the excess only `at_once` does not wait (nginx's "delay="; 0, its default, all waits).
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
    double rate;    /* per second, above 0 */
    double burst;   /* tokens: at least 1; leaky: at least 0 */
    double level;   /* tokens there are; leaky: the excess */
    double at_once; /* leaky: how much of the excess passes without waiting; INFINITY: all */
    lz_time last;   /* when the level was that */
};

void lz_limit_init(struct lz_limit *l, enum lz_limit_kind kind, double rate, double burst,
                   lz_time now);

/* Another rate from now on; tokens there are stay, up to the burst. */
void lz_limit_set(struct lz_limit *l, double rate, double burst, lz_time now);

/* May one more request pass now? It is counted if it may. */
bool lz_limit_take(struct lz_limit *l, lz_time now);

/* A leaky bucket holds back what is in it beyond so much; a new one does not. */
void lz_limit_hold(struct lz_limit *l, double at_once);

/* How long the request that has just passed is to wait. */
lz_time lz_limit_wait(const struct lz_limit *l);

#endif
