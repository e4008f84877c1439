#include "model/client/budget.h"

#include "base/check.h"

static int64_t micro(double tokens)
{
    LZ_ASSERT(tokens >= 0.0 && tokens <= LZ_BUDGET_TOKENS_MAX);
    return (int64_t)(tokens * 1e6 + 0.5);
}

static void add(struct lz_budget *b, const struct lz_budget_opts *o, double tokens)
{
    b->tokens += micro(tokens);
    if (b->tokens > micro(o->tokens))
        b->tokens = micro(o->tokens);
}

struct lz_budget lz_budget_full(const struct lz_budget_opts *o)
{
    return (struct lz_budget){.tokens = micro(o->tokens)};
}

void lz_budget_called(struct lz_budget *b, const struct lz_budget_opts *o)
{
    add(b, o, o->per_call);
}

void lz_budget_ended(struct lz_budget *b, const struct lz_budget_opts *o, bool failed,
                     bool was_retry)
{
    if (!failed) {
        add(b, o, was_retry && o->refund ? o->cost : o->per_success);
        return;
    }
    b->tokens -= micro(o->per_failure);
    if (b->tokens < 0)
        b->tokens = 0;
}

bool lz_budget_take(struct lz_budget *b, const struct lz_budget_opts *o, bool after_timeout)
{
    if (o->of_active > 0.0) {
        double limit = o->of_active * (double)b->active;
        if (limit < (double)o->at_least)
            limit = (double)o->at_least;
        if ((double)b->retrying >= limit)
            return false;
    }
    if (!(o->tokens > 0.0))
        return true;
    int64_t cost = micro(after_timeout && o->timeout_cost > 0.0 ? o->timeout_cost : o->cost);
    if (b->tokens < cost || (o->above > 0.0 && b->tokens <= micro(o->above)))
        return false;
    b->tokens -= cost;
    return true;
}
