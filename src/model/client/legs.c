#include "model/client/legs.h"

#include "base/check.h"
#include "model/client/caller.h"
#include "model/client/guard.h"
#include "model/client/through.h"
#include "model/node/instance.h"
#include "model/service/argument.h"
#include "model/service/task.h"

#define PATH_OF_LEGS (1u << 20) /* above any number of attempts */

bool lz_legs_is_needed(const struct lz_edge_opts *o)
{
    return o->hedge.attempts > 1 || o->fan_out > 1;
}

bool lz_legs_check(const struct lz_edge_opts *o, struct lz_err *err)
{
    const struct lz_hedge_opts *h = &o->hedge;
    if (h->attempts > LZ_HEDGE_ATTEMPTS_MAX)
        return lz_fail(err, LZ_ERANGE, "hedge: attempts must be at most %d, got %u",
                       LZ_HEDGE_ATTEMPTS_MAX, h->attempts);
    if (h->attempts == 1)
        return lz_fail(err, LZ_ERANGE, "hedge: attempts must be at least 2, got 1");
    if (h->after < 0 || !(h->quantile >= 0.0 && h->quantile < 1.0))
        return lz_fail(err, LZ_ERANGE, "hedge: after must be a time or a quantile below 1");
    if (h->attempts > 1 && h->after > 0 && o->timeout > 0 && h->after >= o->timeout)
        return lz_fail(err, LZ_ERANGE,
                       "hedge: after must be below the timeout, or nothing is ever hedged");
    if (o->fan_out > LZ_FAN_OUT_MAX)
        return lz_fail(err, LZ_ERANGE, "fan_out must be at most %d, got %u", LZ_FAN_OUT_MAX,
                       o->fan_out);
    if (o->enough > (o->fan_out > 1 ? o->fan_out : 1))
        return lz_fail(err, LZ_ERANGE, "enough must be at most fan_out (%u), got %u",
                       o->fan_out > 1 ? o->fan_out : 1, o->enough);
    return true;
}

static void on_hedge(void *ctx, uint32_t entity, uint64_t payload);

void lz_legs_create(struct lz_world *w, struct lz_edge *e)
{
    struct lz_hedging *h = e->hedging = lz_arena_alloc(w->arena, sizeof(*h));
    lz_lateness_init(&h->lateness, w->arena);
    if (w->clients->hedge == 0)
        w->clients->hedge = lz_sim_kind(w->sim, "hedge", on_hedge, w);
    if (e->opts.hedge.attempts > 1 && e->opts.hedge.after > 0)
        h->lane = lz_sim_lane(w->sim, e->opts.hedge.after, w->clients->hedge);
}

static struct lz_legs *take(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    bool is_race = c->legs_kind == LZ_LEGS_RACE;
    struct lz_legs **list = is_race ? &e->hedging->free_races : &e->hedging->free_fans;
    uint32_t most = is_race ? LZ_HEDGE_ATTEMPTS_MAX : e->opts.fan_out;
    if (e->members != NULL)
        most = 2 * e->member_count; // and whether each has fallen back
    if (e->through != NULL)
        most = 4; // one at a time, and what is known by then
    struct lz_legs *legs = *list;
    if (legs == NULL)
        legs = lz_arena_alloc(w->arena, sizeof(*legs) + most * sizeof(legs->ids[0]));
    else
        *list = legs->next_free;
    *legs = (struct lz_legs){0};
    return legs;
}

static void give(struct lz_edge *e, struct lz_call *c)
{
    struct lz_legs **list =
        c->legs_kind == LZ_LEGS_RACE ? &e->hedging->free_races : &e->hedging->free_fans;
    c->legs->next_free = *list;
    *list = c->legs;
    c->legs = NULL;
    c->legs_kind = LZ_LEGS_NONE;
}

static void launch(struct lz_world *w, const struct lz_call *c)
{
    struct lz_legs *legs = c->legs;
    uint32_t k = legs->begun++;
    bool is_race = c->legs_kind == LZ_LEGS_RACE;
    struct lz_client_begin begin = {
        .edge = c->edge,
        .client = c->client,
        .owner_kind = is_race ? LZ_OWNER_RACE : LZ_OWNER_FAN,
        .owner = lz_pool_id(c),
        .request = c->request,
        .path = is_race && k == 0 ? c->path : lz_draw_index(c->path, PATH_OF_LEGS + k),
        .key = c->key,
        .argument = lz_argument_of_call(w, c),
        .parent_call = c->parent,
        .op = c->op,
        .begun = c->begun,
    };
    legs->ids[k] = lz_client_begin(w, &begin);
}

// As the call would be made if it were made alone, and not one of a bundle.
static void launch_member(struct lz_world *w, const struct lz_call *c, lz_edge_id edge, uint32_t k)
{
    struct lz_legs *legs = c->legs;
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    bool is_fallback = edge != e->members[k].edge;
    legs->ids[e->member_count + k] = is_fallback;
    struct lz_client_begin begin = {
        .edge = edge,
        .client = c->client,
        .owner_kind = LZ_OWNER_BUNDLE,
        .owner = lz_pool_id(c),
        .request = c->request,
        .path = lz_draw_index(c->path, is_fallback ? LZ_PATH_OF_FALLBACKS + k : k),
        .key = c->key,
        .argument = lz_argument_of_call(w, c),
        .parent_call = c->parent,
        .op = c->op,
    };
    legs->ids[k] = lz_client_begin(w, &begin);
}

// A member has ended: true if all of them have, or one has that may not fail.
static bool member_ended(struct lz_world *w, struct lz_call *c, uint32_t k,
                         struct lz_call_result *result)
{
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_call_member *m = &e->members[k];
    struct lz_legs *legs = c->legs;
    bool good = result->outcome == LZ_OUTCOME_OK, has_fallen_back = legs->ids[e->member_count + k];
    if (!good && m->fallback != 0 && !has_fallen_back) {
        launch_member(w, c, m->fallback, k);
        return false;
    }
    if (!good && !m->is_optional)
        return true;
    legs->good++;
    legs->failed += !good || has_fallen_back; // here: not as it should have been
    *result = (struct lz_call_result){
        .outcome = LZ_OUTCOME_OK, .status = 200, .is_degraded = legs->failed > 0};
    return legs->good == e->member_count;
}

static void arm(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    if (c->legs->begun == e->opts.hedge.attempts)
        return;
    if (e->hedging->lane != 0) {
        c->legs->timer = lz_sim_arm(w->sim, e->hedging->lane, c->client, lz_pool_id(c));
        return;
    }
    if (e->hedging->lateness.late > 0)
        c->legs->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + e->hedging->lateness.late,
                                   w->clients->hedge, c->client, lz_pool_id(c));
}

// Another leg, if the race has one left and its budget allows.
static bool hedge(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    lz_time limit = e->opts.overall_timeout;
    if (c->legs->begun == e->opts.hedge.attempts ||
        (limit > 0 && lz_sim_now(w->sim) - c->begun >= limit) || !lz_guard_may_hedge(w, e, c))
        return false;
    lz_caller_count(w, e, LZ_CALLER_HEDGE);
    launch(w, c);
    arm(w, e, c);
    return true;
}

static void on_hedge(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_call *c = lz_client_find(w, payload);
    if (c == NULL || c->legs_kind != LZ_LEGS_RACE ||
        lz_instance_defer(w, entity, w->clients->hedge, payload))
        return;
    c->legs->timer = 0;
    hedge(w, lz_edge_get(w, c->edge), c);
}

bool lz_legs_begin(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    LZ_ASSERT(e->hedging != NULL);
    bool is_leg = c->owner_kind == LZ_OWNER_FAN || c->owner_kind == LZ_OWNER_RACE;
    if (e->through != NULL)
        c->legs_kind = LZ_LEGS_THROUGH;
    else if (e->members != NULL)
        c->legs_kind = LZ_LEGS_BUNDLE;
    else if (e->opts.fan_out > 1 && !is_leg)
        c->legs_kind = LZ_LEGS_FAN;
    else if (e->opts.hedge.attempts > 1 && c->owner_kind != LZ_OWNER_RACE)
        c->legs_kind = LZ_LEGS_RACE;
    else
        return false;
    c->state = LZ_CALL_SPLIT;
    c->legs = take(w, e, c);
    if (c->legs_kind == LZ_LEGS_THROUGH) {
        lz_through_begin(w, e, c);
        return true;
    }
    if (c->legs_kind == LZ_LEGS_RACE) {
        launch(w, c);
        arm(w, e, c);
        return true;
    }
    for (uint32_t k = 0; k < e->member_count; k++)
        launch_member(w, c, e->members[k].edge, c->legs->begun++);
    for (uint32_t k = 0; k < e->opts.fan_out && e->members == NULL; k++)
        launch(w, c);
    return true;
}

void lz_legs_drop(struct lz_world *w, struct lz_call *c, bool cancels)
{
    struct lz_legs *legs = c->legs;
    lz_sim_cancel(w->sim, legs->timer);
    for (uint32_t k = 0; k < legs->begun; k++) {
        if (legs->ids[k] == 0)
            continue;
        lz_client_orphan(w, legs->ids[k]);
        if (c->legs_kind == LZ_LEGS_BUNDLE || c->legs_kind == LZ_LEGS_THROUGH)
            lz_client_drop(w, legs->ids[k]); // cancelled if its own edge says so
        else
            lz_client_give_up(w, legs->ids[k], cancels);
    }
    give(lz_edge_get(w, c->edge), c);
}

void lz_legs_orphan(struct lz_world *w, struct lz_call *c)
{
    for (uint32_t k = 0; k < c->legs->begun; k++)
        if (c->legs->ids[k] != 0)
            lz_client_orphan(w, c->legs->ids[k]);
}

// Its place among the legs; the first is 0.
static uint32_t place_of(const struct lz_legs *legs, uint64_t leg)
{
    uint32_t k = 0;
    while (k < legs->begun && legs->ids[k] != leg)
        k++;
    LZ_ASSERT(k < legs->begun);
    return k;
}

// What the losers would have taken is not known, only that it is more: without them the
// quantile would be one of the quick, and fall with every race.
static void count_losers(struct lz_world *w, struct lz_edge *e, const struct lz_legs *legs)
{
    for (uint32_t k = 0; k < legs->begun; k++) {
        const struct lz_call *leg = lz_client_find(w, legs->ids[k]);
        if (leg != NULL && leg->state == LZ_CALL_SENT)
            lz_legs_took(w, e, lz_sim_now(w->sim) - leg->started);
    }
}

void lz_legs_end(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    bool is_race = c->legs_kind == LZ_LEGS_RACE;
    if (is_race)
        count_losers(w, e, c->legs);
    lz_legs_drop(w, c, e->opts.cancel || (is_race && !e->opts.hedge.leave));
    lz_client_end(w, c, result);
}

void lz_legs_ended(struct lz_world *w, uint64_t owner, uint64_t leg,
                   const struct lz_call_result *result)
{
    struct lz_call *c = lz_client_find(w, owner);
    LZ_ASSERT(c != NULL && c->state == LZ_CALL_SPLIT); // an owner that goes drops its legs
    struct lz_edge *e = lz_edge_get(w, c->edge);
    struct lz_legs *legs = c->legs;
    bool is_race = c->legs_kind == LZ_LEGS_RACE;
    bool good = result->outcome == LZ_OUTCOME_OK;
    uint32_t k = place_of(legs, leg);
    legs->ids[k] = 0;
    if (c->legs_kind == LZ_LEGS_THROUGH) {
        lz_through_ended(w, c, result);
        return;
    }
    if (c->legs_kind == LZ_LEGS_BUNDLE) {
        struct lz_call_result whole = *result;
        if (member_ended(w, c, k, &whole))
            lz_legs_end(w, c, &whole);
        return;
    }
    legs->good += good;
    legs->failed += !good;
    if (is_race && good) {
        if (k > 0)
            lz_caller_count(w, e, LZ_CALLER_WIN);
        lz_legs_end(w, c, result);
        return;
    }
    if (is_race) {
        lz_sim_cancel(w->sim, legs->timer);
        legs->timer = 0;
        bool more = hedge(w, e, c);
        if (!more && legs->failed == legs->begun)
            lz_legs_end(w, c, result);
        return;
    }
    uint32_t enough = e->opts.enough > 0 ? e->opts.enough : e->opts.fan_out;
    if (legs->good == enough || legs->failed > e->opts.fan_out - enough)
        lz_legs_end(w, c, result);
}

uint32_t lz_legs_others(const struct lz_world *w, const struct lz_call *leg, lz_instance_id *out)
{
    if (leg->owner_kind != LZ_OWNER_RACE)
        return 0;
    const struct lz_call *c = lz_client_find(w, leg->owner);
    LZ_ASSERT(c != NULL && c->legs_kind == LZ_LEGS_RACE);
    uint32_t count = 0;
    for (uint32_t k = 0; k < c->legs->begun; k++) {
        const struct lz_call *other = lz_client_find(w, c->legs->ids[k]);
        if (other != NULL && other != leg && other->server != 0)
            out[count++] = other->server;
    }
    return count;
}

void lz_legs_took(struct lz_world *w, struct lz_edge *e, lz_time took)
{
    double quantile = e->opts.hedge.quantile;
    if (quantile > 0.0)
        lz_lateness_took(&e->hedging->lateness, quantile, lz_sim_now(w->sim), took);
}

void lz_legs_task_began(struct lz_world *w, const struct lz_task *t)
{
    const struct lz_call *leg = lz_client_find(w, t->call);
    if (leg == NULL || leg->owner_kind != LZ_OWNER_RACE || leg->state != LZ_CALL_SENT ||
        leg->task != lz_pool_id(t))
        return; // nobody waits for it any more
    const struct lz_call *c = lz_client_find(w, leg->owner);
    LZ_ASSERT(c != NULL && c->legs_kind == LZ_LEGS_RACE);
    for (uint32_t k = 0; k < c->legs->begun; k++) {
        const struct lz_call *other = lz_client_find(w, c->legs->ids[k]);
        if (other != NULL && other != leg && other->state == LZ_CALL_SENT)
            lz_task_send_untie(w, t->server, other->task);
    }
}
