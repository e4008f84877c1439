#include "model/client/through.h"

#include "base/check.h"
#include "model/cache/cache.h"
#include "model/client/legs.h"
#include "model/data/database.h"
#include "model/service/argument.h"

#define PATH_OF_THROUGH (1u << 19) /* above any number of attempts */
#define COST_MAX_US UINT32_MAX

// legs->good says what is under way; the ids after that of the leg are scratch.
enum { LOOKING = 1, LOADING, SETTING, REMOVING };
enum { LEG, HAD, VALUE, SINCE };

struct lz_edge_opts lz_through_outer(const struct lz_edge_opts *opts)
{
    return (struct lz_edge_opts){
        .from = opts->from,
        .to = opts->to,
        .op = opts->op,
        .timeout = opts->timeout,
        .single_flight = opts->single_flight,
        .through = opts->through,
    };
}

static bool add(struct lz_world *w, const struct lz_edge_opts *opts, const char *op, lz_edge_id *id,
                struct lz_err *err)
{
    struct lz_edge_opts o = *opts;
    o.op = op;
    return lz_call_edge(w, &o, id, err);
}

bool lz_through_create(struct lz_world *w, struct lz_edge *e, const struct lz_edge_opts *opts,
                       struct lz_err *err)
{
    LZ_ASSERT(e->through == NULL);
    struct lz_edge_opts cache = lz_edge_get(w, opts->through)->opts, load = *opts;
    LZ_ASSERT(lz_world_component(w, cache.to)->kind == LZ_COMPONENT_CACHE);
    struct lz_through *t = lz_arena_alloc(w->arena, sizeof(*t));
    cache.balance = (struct lz_balance_opts){0}; // it decides itself who is asked
    load.through = 0;
    load.single_flight = false;
    t->get = opts->through;
    t->reads = lz_database_is_read(opts->op != NULL ? opts->op : "get");
    if (!add(w, &cache, "set", &t->set, err) || !add(w, &cache, "del", &t->del, err) ||
        !lz_call_edge(w, &load, &t->load, err))
        return false;
    lz_legs_create(w, e);
    e->through = t;
    e->is_watched = true;
    return true;
}

static void launch(struct lz_world *w, struct lz_call *c, uint32_t step, lz_argument_id argument)
{
    const struct lz_through *t = lz_edge_get(w, c->edge)->through;
    const lz_edge_id edges[] = {
        [LOOKING] = t->get, [LOADING] = t->load, [SETTING] = t->set, [REMOVING] = t->del};
    c->legs->good = step;
    c->legs->begun = 1;
    if (step == LOADING)
        c->legs->ids[SINCE] = (uint64_t)lz_sim_now(w->sim);
    c->legs->ids[LEG] = lz_client_begin(
        w, &(struct lz_client_begin){
               .edge = edges[step],
               .client = c->client,
               .owner_kind = LZ_OWNER_THROUGH,
               .owner = lz_pool_id(c),
               .request = c->request,
               .path = step == LOADING ? c->path : lz_draw_index(c->path, PATH_OF_THROUGH + step),
               .key = c->key,
               .argument = argument,
               .parent_call = c->parent,
               .op = step == LOADING ? c->op : 0,
           });
}

void lz_through_begin(struct lz_world *w, const struct lz_edge *e, struct lz_call *c)
{
    LZ_ASSERT(c->state == LZ_CALL_SPLIT && c->legs->begun == 0);
    c->legs->ids[HAD] = 0;
    if (e->through->reads)
        launch(w, c, LOOKING, 0);
    else
        launch(w, c, LOADING, lz_argument_of_call(w, c));
}

// What was found answers, unless it is time to make it anew.
static void looked(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result)
{
    bool is_answered = result->outcome == LZ_OUTCOME_OK;
    bool has = is_answered && !result->is_no;
    c->legs->failed = !is_answered;
    c->legs->ids[HAD] = has;
    c->legs->ids[VALUE] = result->value;
    if (has && result->status != LZ_CACHE_EARLY)
        lz_legs_end(w, c, result);
    else
        launch(w, c, LOADING, lz_argument_of_call(w, c));
}

static void loaded(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result)
{
    struct lz_legs *legs = c->legs;
    bool is_good = result->outcome == LZ_OUTCOME_OK && !result->is_no;
    if (!is_good && result->outcome != LZ_OUTCOME_OK && legs->ids[HAD]) {
        lz_legs_end(w, c,
                    &(struct lz_call_result){.outcome = LZ_OUTCOME_OK,
                                             .status = 200,
                                             .value = legs->ids[VALUE],
                                             .is_degraded = true});
        return;
    }
    if (!is_good || legs->failed) {
        lz_legs_end(w, c, result);
        return;
    }
    legs->ids[SINCE] = (uint64_t)lz_sim_now(w->sim) - legs->ids[SINCE];
    legs->ids[VALUE] = result->value;
    if (!lz_edge_get(w, c->edge)->through->reads) {
        launch(w, c, REMOVING, 0);
        return;
    }
    lz_argument_id argument = result->value != 0 ? lz_argument_value(w, result->value) : 0;
    launch(w, c, SETTING, argument);
    lz_argument_drop(w, argument);
}

void lz_through_ended(struct lz_world *w, struct lz_call *c, const struct lz_call_result *result)
{
    switch (c->legs->good) {
    case LOOKING:
        looked(w, c, result);
        return;
    case LOADING:
        loaded(w, c, result);
        return;
    default: // whether it could be kept is not its caller's business
        lz_legs_end(w, c,
                    &(struct lz_call_result){
                        .outcome = LZ_OUTCOME_OK, .status = 200, .value = c->legs->ids[VALUE]});
    }
}

uint32_t lz_through_cost(const struct lz_world *w, const struct lz_call *c)
{
    if (c->owner_kind != LZ_OWNER_THROUGH)
        return 0;
    const struct lz_call *owner = lz_client_find(w, c->owner);
    LZ_ASSERT(owner != NULL && owner->legs_kind == LZ_LEGS_THROUGH);
    if (owner->legs->good != SETTING)
        return 0;
    uint64_t us = owner->legs->ids[SINCE] / LZ_US;
    return us < 1 ? 1 : us < COST_MAX_US ? (uint32_t)us : COST_MAX_US;
}
