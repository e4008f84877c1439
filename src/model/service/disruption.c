#include "model/service/disruption.h"

#include "base/check.h"
#include "model/node/life.h"
#include "model/service/rollout.h"

bool lz_disruption_check(const struct lz_disruption_opts *o, struct lz_err *err)
{
    LZ_ASSERT(o->is_on);
    const char *name = o->is_min ? "min_available" : "max_unavailable";
    if (!(o->amount.value >= 0.0) || (o->amount.is_percent && o->amount.value > 100.0))
        return lz_fail(err, LZ_ERANGE,
                       "disruption_budget: %s must be between 0%% and 100%%, got %g%%", name,
                       o->amount.value);
    if (o->amount.value > LZ_SERVICE_REPLICAS_MAX)
        return lz_fail(err, LZ_ERANGE, "disruption_budget: %s must be at most %d, got %g", name,
                       LZ_SERVICE_REPLICAS_MAX, o->amount.value);
    return true;
}

struct lz_disruption lz_disruption_of(const struct lz_disruption_opts *o, uint32_t expected,
                                      uint32_t healthy)
{
    LZ_ASSERT(o->is_on);
    struct lz_disruption d = {.expected = expected, .healthy = healthy};
    uint32_t amount = lz_amount_of(o->amount, expected, true);
    d.least = o->is_min ? amount : expected > amount ? expected - amount : 0;
    d.allowed = expected > 0 && healthy > d.least ? healthy - d.least : 0;
    return d;
}

static const struct lz_service *service_of(const struct lz_world *w, lz_instance_id id)
{
    lz_component_id c = lz_instance_get(w, id)->component;
    return c < w->services->cap ? w->services->all[c] : NULL;
}

bool lz_disruption_is_on(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_service *s = service_of(w, id);
    return s != NULL && s->opts.disruption.is_on;
}

static bool is_healthy(const struct lz_world *w, const struct lz_service *s, lz_instance_id id)
{
    return lz_service_replica(s, id)->is_known && !lz_life_is_told(w, id);
}

struct lz_disruption lz_disruption_look(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_service *s = service_of(w, id);
    uint32_t there = 0, healthy = 0;
    for (uint32_t n = 0; n < s->slots; n++) {
        if (s->pods != NULL && !lz_pods_is_active(lz_pods_at(s, n)))
            continue;
        there++;
        healthy += is_healthy(w, s, s->first + n);
    }
    uint32_t expected = s->rollout != NULL ? lz_rollout_desired(s) : there;
    return lz_disruption_of(&s->opts.disruption, expected, healthy);
}

bool lz_disruption_allows(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    struct lz_disruption d = lz_disruption_look(w, id);
    if (is_healthy(w, service_of(w, id), id))
        return d.allowed > 0;
    bool is_pending = !lz_instance_runs(i) && (i->is_unpulled || i->is_away);
    return is_pending || (d.healthy >= d.least && d.least > 0);
}
