#include "live/load/limits.h"

#include "base/check.h"

void lz_limits_init(struct lz_limits *l, const struct lz_edge_opts *opts, struct lz_arena *arena)
{
    *l = (struct lz_limits){.opts = opts, .budget = lz_budget_full(&opts->budget)};
    if (opts->breaker.on)
        lz_breaker_init(&l->breaker, &opts->breaker, arena);
}

void lz_limits_begun(struct lz_limits *l)
{
    l->budget.active++;
    if (l->opts->budget.on)
        lz_budget_called(&l->budget, &l->opts->budget);
}

void lz_limits_ended(struct lz_limits *l, uint32_t attempts)
{
    LZ_ASSERT(l->budget.active > 0);
    l->budget.active--;
    if (attempts > 1 && l->budget.retrying > 0)
        l->budget.retrying--;
}

bool lz_limits_admit(struct lz_limits *l, uint32_t attempt, lz_time now, struct lz_draw *draw,
                     uint8_t *pass)
{
    const struct lz_edge_opts *o = l->opts;
    *pass = l->breaker.generation;
    if (o->bulkhead > 0 && attempt == 1 && l->budget.active > o->bulkhead)
        return false;
    if (o->throttle.on) {
        double p = lz_throttle_rejects(&l->throttle, &o->throttle, now);
        if (p > 0.0 && lz_draw_unit(draw) < p) {
            lz_throttle_asked(&l->throttle, &o->throttle, now);
            return false;
        }
    }
    if (!o->breaker.on)
        return true;
    bool may = lz_breaker_admit(&l->breaker, &o->breaker, now);
    *pass = l->breaker.generation;
    return may;
}

// Whoever answers has accepted, unless the answer is that it has no room.
static bool was_accepted(const struct lz_call_result *result)
{
    if (result->outcome == LZ_OUTCOME_OK)
        return true;
    return result->outcome == LZ_OUTCOME_ERROR && result->status != 429 && result->status != 503;
}

void lz_limits_result(struct lz_limits *l, uint32_t attempt, lz_time now, uint8_t pass,
                      const struct lz_call_result *result)
{
    const struct lz_edge_opts *o = l->opts;
    bool failed = lz_call_failed(result);
    if (o->throttle.on) {
        lz_throttle_asked(&l->throttle, &o->throttle, now);
        if (was_accepted(result))
            lz_throttle_accepted(&l->throttle, &o->throttle, now);
    }
    if (o->budget.on)
        lz_budget_ended(&l->budget, &o->budget, failed, attempt > 1);
    if (o->breaker.on)
        lz_breaker_result(&l->breaker, &o->breaker, now, pass, failed);
}

void lz_limits_forget(struct lz_limits *l, uint8_t pass)
{
    if (l->opts->breaker.on)
        lz_breaker_forget(&l->breaker, pass);
}

bool lz_limits_may_retry(struct lz_limits *l, uint32_t attempt, enum lz_outcome outcome)
{
    struct lz_budget *b = &l->budget;
    if (!l->opts->budget.on)
        return true;
    if (attempt > 1 && b->retrying > 0)
        b->retrying--; // the one that has just ended
    bool may = lz_budget_take(b, &l->opts->budget, outcome == LZ_OUTCOME_TIMEOUT);
    if (may || attempt > 1)
        b->retrying++; // lz_limits_ended takes it back
    return may;
}

bool lz_limits_may_hedge(struct lz_limits *l)
{
    return !l->opts->budget.on || lz_budget_take(&l->budget, &l->opts->budget, false);
}
