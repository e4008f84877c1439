#include "base/check.h"
#include "model/service/service_state.h"

#define LOOK LZ_S /* utilization is a mean over at least so long */

static void give_rules(struct lz_world *w, struct lz_service *s)
{
    struct lz_service_rules *all = lz_arena_alloc(w->arena, s->slots * sizeof(*all));
    for (uint32_t i = 0; i < s->slots; i++) {
        all[i].admission.tokens = s->opts.rate_limit.burst;
        all[i].vegas.limit = s->opts.adaptive_limit.initial;
        if (s->opts.queue.preemptive)
            all[i].working =
                lz_arena_alloc(w->arena, LZ_PRIORITIES * sizeof(struct lz_queue_class));
        s->replicas[i].rules = &all[i];
    }
}

bool lz_admission_declare(struct lz_world *w, struct lz_service *s, struct lz_err *err)
{
    const struct lz_shed_opts *shed = &s->opts.shed;
    struct lz_rate_limit_opts *limit = &s->opts.rate_limit;
    if (!(shed->cpu >= 0.0 && shed->cpu <= 1.0))
        return lz_fail(err, LZ_ERANGE, "shed: cpu must be between 0%% and 100%%, got %g%%",
                       shed->cpu * 100.0);
    if (shed->queue_age < 0)
        return lz_fail(err, LZ_ERANGE, "shed: queue_age must be positive");
    if (!(limit->rate >= 0.0 && limit->rate <= 1e9))
        return lz_fail(err, LZ_ERANGE, "rate_limit: rate must be between 0/s and 1e9/s, got %g/s",
                       limit->rate);
    if (!(limit->burst > 0.0))
        limit->burst = limit->rate > 1.0 ? limit->rate : 1.0;
    if (limit->burst < 1.0 || limit->burst > 1e9)
        return lz_fail(err, LZ_ERANGE, "rate_limit: burst must be between 1 and 1e9, got %g",
                       limit->burst);
    if (limit->status == 0)
        limit->status = 429;
    struct lz_adaptive_limit_opts *adaptive = &s->opts.adaptive_limit;
    if (adaptive->initial == 0)
        adaptive->initial = adaptive->max > 0 && adaptive->max < 20 ? adaptive->max : 20;
    if (adaptive->max > 0 && adaptive->initial > adaptive->max)
        return lz_fail(err, LZ_ERANGE, "adaptive_limit: initial (%u) is above max (%u)",
                       adaptive->initial, adaptive->max);
    s->keeps_cpu = s->keeps_cpu || shed->cpu > 0.0;
    s->has_admission = shed->in_flight > 0 || shed->cpu > 0.0 || shed->queue_age > 0 ||
                       limit->rate > 0.0 || adaptive->max > 0;
    if (s->has_admission || s->opts.queue.policy == LZ_QUEUE_CODEL || s->opts.queue.preemptive ||
        s->opts.autoscale.max > 0)
        give_rules(w, s);
    return true;
}

static bool takes_token(struct lz_admission *a, const struct lz_rate_limit_opts *limit, lz_time now)
{
    a->tokens += (double)(now - a->filled) / 1e9 * limit->rate;
    a->filled = now;
    if (a->tokens > limit->burst)
        a->tokens = limit->burst;
    // Sums of many small steps fall short of a whole token by their rounding.
    if (a->tokens < 1.0 - 1e-9)
        return false;
    a->tokens -= 1.0;
    return true;
}

// Seen when somebody comes: a mean since the last look, which is at least a second ago.
static double cpu_of(struct lz_world *w, const struct lz_service *s, struct lz_service_replica *r)
{
    struct lz_admission *a = &r->rules->admission;
    lz_time now = lz_sim_now(w->sim);
    if (now - a->looked >= LOOK) {
        lz_level_settle_cpu(w, r);
        a->cpu = (r->rules->use.ns - a->cpu_used_ns) / ((double)(now - a->looked) * s->cores);
        a->cpu_used_ns = r->rules->use.ns;
        a->looked = now;
    }
    return a->cpu;
}

uint16_t lz_admission_check(struct lz_world *w, const struct lz_service *s,
                            struct lz_service_replica *r)
{
    LZ_ASSERT(s->has_admission);
    const struct lz_shed_opts *shed = &s->opts.shed;
    if (shed->in_flight > 0 && r->busy + r->queue_len >= shed->in_flight)
        return 503;
    if (s->opts.adaptive_limit.max > 0 && r->busy + r->queue_len >= r->rules->vegas.limit)
        return 503;
    if (shed->queue_age > 0 && lz_queue_age(w, r) >= shed->queue_age)
        return 503;
    if (shed->cpu > 0.0 && cpu_of(w, s, r) >= shed->cpu)
        return 503;
    const struct lz_rate_limit_opts *limit = &s->opts.rate_limit;
    if (limit->rate > 0.0 && !takes_token(&r->rules->admission, limit, lz_sim_now(w->sim)))
        return limit->status;
    return 0;
}

void lz_admission_answered(struct lz_world *w, const struct lz_service *s,
                           struct lz_service_replica *r, const struct lz_task *t)
{
    LZ_ASSERT(s->opts.adaptive_limit.max > 0);
    uint64_t owner = lz_draw_index(lz_world_component(w, s->id)->path, t->server - s->first);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_PATIENCE, r->rules->vegas.probes);
    lz_vegas_sample(&r->rules->vegas, s->opts.adaptive_limit.max, lz_sim_now(w->sim) - t->arrived,
                    r->busy + r->queue_len, 0.5 + 0.5 * lz_draw_unit(&draw));
}
