#include "model/client/guard.h"

#include "base/check.h"
#include "model/client/caller.h"
#include "model/node/instance.h"

bool lz_guard_is_needed(const struct lz_edge_opts *o)
{
    return o->budget.on || o->breaker.on || o->throttle.on || o->bulkhead > 0;
}

static void begin_process(struct lz_edge *e, struct lz_guard_client *g, uint32_t incarnation)
{
    bool *last = g->breaker.last;
    struct lz_throttle *throttle = g->throttle;
    *g = (struct lz_guard_client){.incarnation = incarnation, .throttle = throttle};
    g->budget = lz_budget_full(&e->opts.budget);
    g->breaker.last = last;
    if (throttle != NULL)
        *throttle = (struct lz_throttle){0};
}

// A new process knows nothing of what the one before it had learnt.
static struct lz_guard_client *client_of(struct lz_world *w, struct lz_edge *e,
                                         const struct lz_call *c)
{
    LZ_ASSERT(e->guard != NULL);
    struct lz_guard_client *g = &e->guard->clients[c->client - e->client_first];
    uint32_t incarnation = lz_instance_get(w, c->client)->incarnation;
    if (g->incarnation != incarnation) {
        if (g->breaker.state != LZ_BREAKER_CLOSED)
            lz_caller_breaker(w, e, -1);
        begin_process(e, g, incarnation);
    }
    return g;
}

void lz_guard_begun(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    struct lz_guard_client *g = client_of(w, e, c);
    g->budget.active++;
    if (e->opts.budget.on)
        lz_budget_called(&g->budget, &e->opts.budget);
}

void lz_guard_ended(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    // Its process may have died: then it is not counted any more.
    struct lz_guard_client *g = client_of(w, e, c);
    if (g->budget.active > 0)
        g->budget.active--;
    bool was_retrying = lz_client_attempts(c) > 1 || c->state == LZ_CALL_BACKOFF;
    if (was_retrying && g->budget.retrying > 0)
        g->budget.retrying--;
}

static void moved(struct lz_world *w, struct lz_edge *e, const struct lz_call *c,
                  enum lz_breaker_state from, enum lz_breaker_state to)
{
    static const char *const what[] = {"closed", "open", "half open"};
    if (from == to)
        return;
    if (from == LZ_BREAKER_CLOSED)
        lz_caller_breaker(w, e, 1);
    else if (to == LZ_BREAKER_CLOSED)
        lz_caller_breaker(w, e, -1);
    lz_instance_note(w, c->client, "breaker", "circuit breaker to %s is %s",
                     lz_world_component(w, e->opts.to)->name, what[to]);
}

bool lz_guard_admit(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    struct lz_guard_client *g = client_of(w, e, c);
    lz_time now = lz_sim_now(w->sim);
    if (e->opts.bulkhead > 0 && lz_client_attempts(c) == 1 && g->budget.active > e->opts.bulkhead)
        return false;
    if (g->throttle != NULL) {
        double p = lz_throttle_rejects(g->throttle, &e->opts.throttle, now);
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), c->path, LZ_PURPOSE_THROTTLE, c->attempt);
        if (p > 0.0 && lz_draw_unit(&draw) < p) {
            lz_throttle_asked(g->throttle, &e->opts.throttle, now);
            return false;
        }
    }
    if (e->opts.breaker.on) {
        enum lz_breaker_state before = g->breaker.state;
        bool may = lz_breaker_admit(&g->breaker, &e->opts.breaker, now);
        moved(w, e, c, before, g->breaker.state);
        c->pass = g->breaker.generation;
        return may;
    }
    return true;
}

// Whoever answers has accepted, unless the answer is that it has no room.
static bool was_accepted(const struct lz_call_result *result)
{
    if (result->outcome == LZ_OUTCOME_OK)
        return true;
    return result->outcome == LZ_OUTCOME_ERROR && result->status != 429 && result->status != 503;
}

void lz_guard_result(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                     const struct lz_call_result *result)
{
    struct lz_guard_client *g = client_of(w, e, c);
    lz_time now = lz_sim_now(w->sim);
    bool failed = lz_call_failed(result);
    if (g->throttle != NULL) {
        lz_throttle_asked(g->throttle, &e->opts.throttle, now);
        if (was_accepted(result))
            lz_throttle_accepted(g->throttle, &e->opts.throttle, now);
    }
    if (e->opts.budget.on)
        lz_budget_ended(&g->budget, &e->opts.budget, failed, lz_client_attempts(c) > 1);
    if (e->opts.breaker.on) {
        enum lz_breaker_state before = g->breaker.state;
        lz_breaker_result(&g->breaker, &e->opts.breaker, now, c->pass, failed);
        moved(w, e, c, before, g->breaker.state);
    }
}

void lz_guard_forget(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    if (e->opts.breaker.on)
        lz_breaker_forget(&client_of(w, e, c)->breaker, c->pass);
}

bool lz_guard_may_hedge(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    if (e->guard == NULL || !e->opts.budget.on)
        return true;
    return lz_budget_take(&client_of(w, e, c)->budget, &e->opts.budget, false);
}

bool lz_guard_may_retry(struct lz_world *w, struct lz_edge *e, struct lz_call *c,
                        enum lz_outcome outcome)
{
    if (!e->opts.budget.on)
        return true;
    struct lz_budget *b = &client_of(w, e, c)->budget;
    if (lz_client_attempts(c) > 1 && b->retrying > 0)
        b->retrying--; // the one that has just ended
    bool may = lz_budget_take(b, &e->opts.budget, outcome == LZ_OUTCOME_TIMEOUT);
    if (may || lz_client_attempts(c) > 1)
        b->retrying++; // lz_guard_ended takes it back
    return may;
}

static bool check_budget(const struct lz_budget_opts *o, struct lz_err *err)
{
    const double amounts[] = {o->tokens, o->per_call,     o->per_success, o->per_failure,
                              o->cost,   o->timeout_cost, o->above};
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
        if (!(amounts[i] >= 0.0 && amounts[i] <= LZ_BUDGET_TOKENS_MAX))
            return lz_fail(err, LZ_ERANGE, "retry_budget: tokens are between 0 and 1e9, got %g",
                           amounts[i]);
    if (!(o->tokens > 0.0) && !(o->of_active > 0.0))
        return lz_fail(err, LZ_EINVAL, "retry_budget needs tokens or of_active");
    if (o->tokens > 0.0 && (o->cost > o->tokens || o->above >= o->tokens))
        return lz_fail(err, LZ_ERANGE, "retry_budget: no retry could ever be made of %g tokens",
                       o->tokens);
    if (!(o->of_active >= 0.0 && o->of_active <= 1.0))
        return lz_fail(err, LZ_ERANGE, "retry_budget: of_active must be between 0 and 1, got %g",
                       o->of_active);
    return true;
}

static bool check_breaker(const struct lz_breaker_opts *o, struct lz_err *err)
{
    if (!(o->ratio >= 0.0 && o->ratio <= 1.0))
        return lz_fail(err, LZ_ERANGE, "breaker: ratio must be between 0 and 1, got %g", o->ratio);
    if (o->calls > LZ_BREAKER_CALLS_MAX)
        return lz_fail(err, LZ_ERANGE, "breaker: calls must be at most %d, got %u",
                       LZ_BREAKER_CALLS_MAX, o->calls);
    if (o->calls > 0 && o->over > 0)
        return lz_fail(err, LZ_EINVAL, "breaker: the last `calls` or those in `over`, not both");
    if (o->calls > 0 && o->volume > o->calls)
        return lz_fail(err, LZ_ERANGE, "breaker: volume must be at most calls (%u), got %u",
                       o->calls, o->volume);
    if (o->over < 0 || o->open < 0 || (o->over > 0 && o->over < LZ_MS))
        return lz_fail(err, LZ_ERANGE, "breaker: over must be at least 1ms");
    if (o->consecutive > 0 && !(o->ratio > 0.0) && (o->volume > 0 || o->calls > 0 || o->over > 0))
        return lz_fail(err, LZ_EINVAL,
                       "breaker: volume, calls and over are ratio's, and there "
                       "is none beside consecutive");
    return true;
}

bool lz_guard_check(const struct lz_edge_opts *o, struct lz_err *err)
{
    if (o->budget.on && !check_budget(&o->budget, err))
        return false;
    if (o->breaker.on && !check_breaker(&o->breaker, err))
        return false;
    if (o->throttle.on && !(o->throttle.k >= 0.0 && o->throttle.k <= 1e6))
        return lz_fail(err, LZ_ERANGE, "throttle: k must be between 1 and 1e6, got %g",
                       o->throttle.k);
    if (o->throttle.on && o->throttle.k > 0.0 && o->throttle.k < 1.0)
        return lz_fail(err, LZ_ERANGE,
                       "throttle: k must be at least 1, got %g: below it a healthy callee's "
                       "requests are rejected",
                       o->throttle.k);
    if (o->throttle.over < 0 || (o->throttle.over > 0 && o->throttle.over < LZ_MS))
        return lz_fail(err, LZ_ERANGE, "throttle: over must be at least 1ms");
    return true;
}

void lz_guard_create(struct lz_world *w, struct lz_edge *e)
{
    struct lz_edge_opts *o = &e->opts;
    lz_breaker_fill_defaults(&o->breaker);
    if (!(o->throttle.k > 0.0))
        o->throttle.k = 2.0;
    if (o->throttle.over == 0)
        o->throttle.over = 120 * LZ_S;
    e->guard = lz_arena_alloc(w->arena, sizeof(*e->guard));
    e->guard->clients = lz_arena_alloc(w->arena, e->client_count * sizeof(*e->guard->clients));
    for (uint32_t i = 0; i < e->client_count; i++) {
        struct lz_guard_client *g = &e->guard->clients[i];
        lz_breaker_init(&g->breaker, &o->breaker, w->arena);
        if (o->throttle.on)
            g->throttle = lz_arena_alloc(w->arena, sizeof(*g->throttle));
    }
}

size_t lz_guard_bytes(const struct lz_edge *e)
{
    if (e->guard == NULL)
        return 0;
    size_t each = sizeof(struct lz_guard_client) + e->opts.breaker.calls * sizeof(bool);
    if (e->opts.throttle.on)
        each += sizeof(struct lz_throttle);
    return sizeof(*e->guard) + e->client_count * each;
}
