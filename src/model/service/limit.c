#include "model/service/limit.h"

#include <math.h>

#include "base/check.h"

void lz_limit_init(struct lz_limit *l, enum lz_limit_kind kind, double rate, double burst,
                   lz_time now)
{
    LZ_ASSERT(rate > 0.0);
    LZ_ASSERT(burst >= (kind == LZ_LIMIT_TOKENS ? 1.0 : 0.0));
    *l = (struct lz_limit){.kind = kind,
                           .rate = rate,
                           .burst = burst,
                           .level = kind == LZ_LIMIT_TOKENS ? burst : -1.0,
                           .at_once = (double)INFINITY,
                           .last = now};
}

void lz_limit_set(struct lz_limit *l, double rate, double burst, lz_time now)
{
    LZ_ASSERT(rate > 0.0 && now >= l->last);
    double flow = (double)(now - l->last) / (double)LZ_S * l->rate;
    if (l->kind == LZ_LIMIT_TOKENS)
        l->level = l->level + flow < burst ? l->level + flow : burst;
    else
        l->level = l->level - flow > -1.0 ? l->level - flow : -1.0;
    l->rate = rate;
    l->burst = burst;
    l->last = now;
}

static bool take_token(struct lz_limit *l, double gained)
{
    double level = l->level + gained;
    if (level > l->burst)
        level = l->burst;
    l->level = level;
    if (level < 1.0)
        return false;
    l->level = level - 1.0;
    return true;
}

// excess = max(0, excess - rate * elapsed + 1); above burst it is refused and nothing changes. The
// first request leaves an excess of 0, which is what a level of -1 makes of it.
static bool leak(struct lz_limit *l, double leaked)
{
    double excess = l->level - leaked + 1.0;
    if (excess < 0.0)
        excess = 0.0;
    if (excess > l->burst)
        return false;
    l->level = excess;
    return true;
}

bool lz_limit_take(struct lz_limit *l, lz_time now)
{
    LZ_ASSERT(now >= l->last);
    double flow = (double)(now - l->last) / (double)LZ_S * l->rate;
    bool passes = l->kind == LZ_LIMIT_TOKENS ? take_token(l, flow) : leak(l, flow);
    // A refused request leaves a leaky bucket as it was, the time of its level too.
    if (passes || l->kind == LZ_LIMIT_TOKENS)
        l->last = now;
    return passes;
}

void lz_limit_hold(struct lz_limit *l, double at_once)
{
    LZ_ASSERT(l->kind == LZ_LIMIT_LEAKY);
    LZ_ASSERT(at_once >= 0.0);
    l->at_once = at_once;
}

// ngx_http_limit_req_account: (excess - delay) / rate, the excess being what there is with it.
lz_time lz_limit_wait(const struct lz_limit *l)
{
    if (!(l->level > l->at_once))
        return 0;
    LZ_ASSERT(l->kind == LZ_LIMIT_LEAKY && l->level <= l->burst);
    return (lz_time)((l->level - l->at_once) / l->rate * (double)LZ_S + 0.5);
}
