#include "model/alert/alert_expr.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

struct lz_alert_expr {
    struct lz_arena *arena;
    struct lz_alert_store *store;
    struct lz_promql_scratch parsed;
    const struct lz_promql_query *query;
    lz_component_id *about;
    uint32_t about_count, about_cap;
};

static bool add_about(struct lz_alert_expr *e, lz_component_id of)
{
    for (uint32_t i = 0; i < e->about_count; i++)
        if (e->about[i] == of)
            return false;
    e->about = lz_grow(e->arena, e->about, &e->about_cap, e->about_count + 1, sizeof(*e->about));
    e->about[e->about_count++] = of;
    return true;
}

static void find_about(struct lz_alert_expr *e)
{
    lz_component_id of = 0;
    for (uint32_t i = 0; (of = lz_alert_store_target(e->store, i)) != 0; i++)
        if (lz_alert_store_is_of(e->store, e->query, of))
            (void)add_about(e, of);
}

struct lz_alert_expr *lz_alert_expr_create(struct lz_alert_store *store, const char *text,
                                           struct lz_err *err)
{
    struct lz_arena *arena = lz_alert_store_arena(store);
    struct lz_alert_expr *e = lz_arena_alloc(arena, sizeof(*e));
    struct lz_promql_fault fault;
    *e = (struct lz_alert_expr){.arena = arena, .store = store};
    lz_promql_scratch_init(&e->parsed, arena);
    if (!lz_promql_parse(&e->parsed, text, &e->query, &fault)) {
        lz_fail(err, fault.err.code, "`expr` is no PromQL, at byte %zu: %s", fault.at + 1,
                fault.err.msg);
        return NULL;
    }
    enum lz_promql_type type = lz_promql_query_type(e->query);
    if (type != LZ_PROMQL_VECTOR && type != LZ_PROMQL_SCALAR) {
        lz_fail(err, LZ_EINVAL, "`expr` must be an instant vector or a scalar, and is a %s",
                lz_promql_type_name(type));
        return NULL;
    }
    return lz_alert_expr_settle(e, err) ? e : NULL;
}

bool lz_alert_expr_settle(struct lz_alert_expr *e, struct lz_err *err)
{
    bool ok = lz_alert_store_want(e->store, e->query, err);
    find_about(e);
    return ok;
}

lz_component_id lz_alert_expr_about(const struct lz_alert_expr *e, uint32_t i)
{
    return i < e->about_count ? e->about[i] : 0;
}

bool lz_alert_expr_reads(const struct lz_alert_expr *e, const char *name)
{
    return lz_promql_query_takes(e->query, name);
}

bool lz_alert_expr_join(struct lz_alert_expr *e, const struct lz_alert_expr *other)
{
    bool is_more = false;
    for (uint32_t i = 0; e != other && i < other->about_count; i++)
        is_more = add_about(e, other->about[i]) || is_more;
    return is_more;
}

bool lz_alert_expr_evaluate(struct lz_alert_expr *e, const struct lz_alert_expr_when *when,
                            struct lz_promql_value *out, struct lz_promql_fault *fault)
{
    struct lz_promql_scratch *s = lz_alert_store_scratch(e->store);
    LZ_ASSERT(when->now >= 0 && when->step > 0);
    lz_promql_scratch_reset(s);
    const struct lz_promql_eval_opts opts = {.store = lz_alert_store_samples(e->store),
                                             .at_ms = when->now / LZ_MS,
                                             .step_ms = when->step / LZ_MS};
    if (!lz_promql_eval(e->query, &opts, s, out, fault))
        return false;
    if (out->type == LZ_PROMQL_SCALAR) {
        struct lz_promql_series *one = lz_promql_scratch_alloc(s, sizeof(*one));
        one->value = out->scalar;
        *out = (struct lz_promql_value){.type = LZ_PROMQL_VECTOR, .all = one, .count = 1, .cap = 1};
    }
    return true;
}
