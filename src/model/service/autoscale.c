#include "model/service/autoscale.h"

#include <stdio.h>

#include "base/check.h"
#include "model/journal.h"
#include "model/service/platform.h"
#include "model/service/pod_order.h"
#include "model/service/rollout.h"

struct lz_autoscale {
    lz_time looked, decided;
    uint64_t answered; // by all replicas, at the last look
    uint64_t looks;
    struct lz_scaling rules;
};

// Kubernetes counts use in whole percent, amounts in thousandths.
static double whole(double amount, double parts)
{
    return (double)(int64_t)(amount * parts + 1e-9);
}

static double ratio_of(const struct lz_autoscale_view *v, double used, uint32_t replicas)
{
    double parts = v->is_pods ? 1000.0 : 100.0;
    return whole(used / (double)replicas, parts) / whole(v->target, parts);
}

static uint32_t round_up(double replicas)
{
    if (replicas >= (double)UINT32_MAX)
        return UINT32_MAX;
    uint32_t whole = (uint32_t)replicas;
    return (double)whole < replicas ? whole + 1 : whole;
}

static bool is_near(const struct lz_autoscale_view *v, double ratio)
{
    return ratio >= 1.0 - v->down && ratio <= 1.0 + v->up;
}

uint32_t lz_autoscale_desired(const struct lz_autoscale_view *v)
{
    LZ_ASSERT(v->target > 0.0);
    LZ_ASSERT(v->used >= 0.0);
    uint32_t current = v->current > 0 ? v->current : v->ready + v->starting + v->missing;
    if (v->ready == 0)
        return current; // nothing is known
    double ratio = ratio_of(v, v->used, v->ready);
    bool is_up = ratio > 1.0;
    bool with_starting = v->starting > 0 && is_up;
    if (!with_starting && v->missing == 0)
        return is_near(v, ratio) ? current : round_up(ratio * v->ready);
    uint32_t counted = v->ready + (with_starting ? v->starting : 0);
    counted += v->is_pods || is_up || ratio < 1.0 ? v->missing : 0;
    double missing_use = v->is_pods || v->target > 1.0 ? v->target : 1.0;
    double used = v->used + (ratio < 1.0 ? missing_use * v->missing : 0.0);
    double cautious = ratio_of(v, used, counted);
    if (is_near(v, cautious) || (ratio < 1.0 && cautious > 1.0) || (is_up && cautious < 1.0))
        return current;
    uint32_t desired = round_up(cautious * counted);
    if ((cautious < 1.0 && desired > current) || (cautious > 1.0 && desired < current))
        return current;
    return desired;
}

static bool check_targets(const struct lz_autoscale_opts *o, struct lz_err *err)
{
    if (!o->by_hand && o->target_cpu <= 0.0 && o->target_rate <= 0.0 && o->target_in_flight <= 0.0)
        return lz_fail(err, LZ_EINVAL,
                       "autoscale: it needs something to aim at: target_cpu, target_rate or "
                       "target_in_flight");
    if (!(o->target_cpu <= 0.0) && !(o->target_cpu >= 0.01 && o->target_cpu <= 1.0))
        return lz_fail(err, LZ_ERANGE,
                       "autoscale: target_cpu must be between 1%% and 100%%, got %g%%",
                       o->target_cpu * 100.0);
    const struct {
        const char *name;
        double value;
    } amounts[] = {{"target_rate", o->target_rate}, {"target_in_flight", o->target_in_flight}};
    for (int i = 0; i < 2; i++)
        if (amounts[i].value > 0.0 && !(amounts[i].value >= 0.001 && amounts[i].value <= 1e9))
            return lz_fail(err, LZ_ERANGE,
                           "autoscale: %s must be between 0.001 and 1e9 a replica, got %g",
                           amounts[i].name, amounts[i].value);
    return true;
}

static bool check_rules(const char *name, const struct lz_scaling_rules *r, lz_time every,
                        struct lz_err *err)
{
    lz_time longest = r->window;
    if (r->window < 0 || r->window > LZ_SCALING_WINDOW_MAX)
        return lz_fail(err, LZ_ERANGE,
                       "autoscale: stabilization_window of %s must be between 0s and 1h, got %gs",
                       name, (double)r->window / 1e9);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct lz_scaling_policy *p = &r->policies[i];
        if (!(p->value > 0.0 && p->value <= 1e9))
            return lz_fail(err, LZ_ERANGE,
                           "autoscale: policy %u of %s must allow more than nothing and at most "
                           "1e9, got %g%s",
                           i + 1, name, p->value, p->is_percent ? "%" : " pods");
        if (p->period <= 0 || p->period > LZ_SCALING_PERIOD_MAX)
            return lz_fail(err, LZ_ERANGE,
                           "autoscale: the period of policy %u of %s must be above 0s and at most "
                           "30m, got %gs",
                           i + 1, name, (double)p->period / 1e9);
        longest = p->period > longest ? p->period : longest;
    }
    if (longest / every > LZ_AUTOSCALE_MARKS_MAX)
        return lz_fail(err, LZ_EFULL,
                       "autoscale: %s looks back over %lld looks, %d at most: look less often "
                       "(period) or back less far",
                       name, (long long)(longest / every), LZ_AUTOSCALE_MARKS_MAX);
    return true;
}

bool lz_autoscale_check(struct lz_autoscale_opts *o, uint32_t replicas, struct lz_err *err)
{
    LZ_ASSERT(o->max > 0);
    if (o->min == 0)
        o->min = 1;
    if (o->max > LZ_SERVICE_REPLICAS_MAX)
        return lz_fail(err, LZ_EFULL, "autoscale: max must be at most %d, got %u",
                       LZ_SERVICE_REPLICAS_MAX, o->max);
    if (o->min > o->max)
        return lz_fail(err, LZ_ERANGE, "autoscale: min (%u) is above max (%u)", o->min, o->max);
    if (!check_targets(o, err))
        return false;
    if (o->period == 0)
        o->period = LZ_AUTOSCALE_PERIOD;
    if (o->startup < 0 || o->cooldown < 0 || o->period < 0)
        return lz_fail(err, LZ_ERANGE, "autoscale: times must be positive");
    if (replicas != 0 && (replicas < o->min || replicas > o->max))
        return lz_fail(err, LZ_ERANGE,
                       "autoscale: it begins with %u replicas, and may have %u to %u", replicas,
                       o->min, o->max);
    return o->is_simple || (check_rules("scale_up", &o->up, o->period, err) &&
                            check_rules("scale_down", &o->down, o->period, err));
}

// What there is, and what CPU it used since the last look; how many requests its ready replicas
// have.
static struct lz_autoscale_view look(struct lz_world *w, struct lz_service *s, uint64_t *held)
{
    struct lz_autoscale_view view = {.target = s->opts.autoscale.target_cpu};
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < s->slots; i++) {
        struct lz_pod *pod = lz_pods_at(s, i);
        struct lz_service_replica *r = &s->replicas[i];
        if (pod->state == LZ_POD_STARTING)
            view.starting++;
        if (pod->state != LZ_POD_SERVING)
            continue;
        lz_level_settle_cpu(w, r);
        lz_time since = pod->since > s->scale->looked ? pod->since : s->scale->looked;
        double used = r->rules->use.ns - pod->used_ns;
        pod->used_ns = r->rules->use.ns;
        if (!lz_instance_has_begun(lz_instance_get(w, s->first + i)) || now == since) {
            view.missing++;
            continue;
        }
        view.ready++;
        *held += r->busy + r->queue_len;
        view.used += used / ((double)(now - since) * s->cores);
    }
    view.up = s->opts.autoscale.up.tolerance;
    view.down = s->opts.autoscale.down.tolerance;
    return view;
}

// A metric that was looked at: what it wants, and how one says what it was.
struct metric {
    const char *name, *unit; // name NULL: none so far
    double parts;            // shown in these
    double mean, target;
    uint32_t desired;
};

static void weigh(struct metric *most, const struct lz_autoscale_view *v, struct metric m)
{
    if (!(v->target > 0.0))
        return;
    m.desired = lz_autoscale_desired(v);
    if (most->name != NULL && m.desired <= most->desired)
        return;
    m.mean = v->ready > 0 ? v->used / v->ready : 0.0;
    m.target = v->target;
    *most = m;
}

// The metric that wants most, as Kubernetes takes it; the CPU of two that want as much.
static struct metric look_at_all(struct lz_world *w, struct lz_service *s, uint32_t *current)
{
    const struct lz_autoscale_opts *o = &s->opts.autoscale;
    lz_time now = lz_sim_now(w->sim);
    struct metric most = {0};
    uint64_t held = 0;
    struct lz_autoscale_view view = look(w, s, &held);
    view.current = s->rollout != NULL ? lz_rollout_desired(s) : 0;
    *current = view.current > 0 ? view.current : view.ready + view.starting + view.missing;
    weigh(&most, &view, (struct metric){.name = "cpu", .unit = "%", .parts = 100.0});
    view.is_pods = true;
    uint64_t answered = lz_metrics_total(w->metrics, s->series.m.outcomes);
    view.used = (double)(answered - s->scale->answered) * (double)LZ_S;
    view.used = now > s->scale->looked ? view.used / (double)(now - s->scale->looked) : 0.0;
    view.target = o->target_rate;
    weigh(&most, &view, (struct metric){.name = "rate of a replica", .unit = "/s", .parts = 1.0});
    view.used = (double)held;
    view.target = o->target_in_flight;
    weigh(&most, &view,
          (struct metric){.name = "in flight of a replica", .unit = "", .parts = 1.0});
    s->scale->answered = answered;
    s->scale->looked = now;
    LZ_ASSERT(most.name != NULL);
    return most;
}

// As people read it.
static void say(char *out, size_t size, double amount)
{
    snprintf(out, size, amount >= 10.0 ? "%.0f" : "%.2g", amount);
}

static void go(struct lz_world *w, struct lz_service *s, uint32_t current, uint32_t desired)
{
    lz_metrics_set(w->metrics, s->series.desired, lz_sim_now(w->sim), desired);
    if (s->rollout != NULL)
        lz_rollout_scale(w, s, desired);
    else if (desired > current)
        lz_pods_add(w, s, (struct lz_pods_kind){0}, desired - current);
    else
        lz_pod_order_take(w, s, 0, current - desired);
}

static void decide(struct lz_world *w, struct lz_service *s, uint32_t current, uint32_t desired,
                   const struct metric *by)
{
    char mean[32], target[32];
    say(mean, sizeof(mean), by->mean * by->parts);
    say(target, sizeof(target), by->target * by->parts);
    s->scale->decided = lz_sim_now(w->sim);
    lz_journal_add(w, &(struct lz_journal_entry){.component = s->id, .kind = "scale"},
                   "%s goes from %u to %u replicas, %s at %s%s of %s%s", s->opts.name, current,
                   desired, by->name, mean, by->unit, target, by->unit);
    go(w, s, current, desired);
}

static uint32_t within(const struct lz_autoscale_opts *o, uint32_t desired)
{
    if (desired < o->min)
        return o->min;
    return desired < o->max ? desired : o->max;
}

// What the behavior allows of it.
static uint32_t allowed(const struct lz_service *s, lz_time now, uint32_t current, uint32_t desired)
{
    const struct lz_autoscale_opts *o = &s->opts.autoscale;
    struct lz_scaling_bounds bounds = {o->min, o->max};
    uint32_t stable = lz_scaling_stabilize(&s->scale->rules, now, current, desired);
    return lz_scaling_limit(&s->scale->rules, now, current, stable, bounds);
}

static void on_look(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_service *s = lz_service_at(w, entity);
    const struct lz_autoscale_opts *o = &s->opts.autoscale;
    struct lz_scaling *rules = &s->scale->rules;
    lz_time now = lz_sim_now(w->sim);
    lz_sim_at(w->sim, now + o->period, w->services->scale, entity, 0);
    if (lz_platform_loses_sample(w, s->id, s->scale->looks++))
        return; // of what is not known nothing is decided
    uint32_t current = 0;
    struct metric most = look_at_all(w, s, &current);
    if (!o->is_simple && rules->wanted.count == 0)
        lz_scaling_note(&rules->wanted, now, current); // as the controller does when it begins
    bool cools = o->is_simple && s->scale->decided > 0 && now - s->scale->decided < o->cooldown;
    uint32_t desired =
        o->is_simple ? within(o, most.desired) : allowed(s, now, current, most.desired);
    if (s->rollout == NULL && desired > current && desired - current > lz_pods_room(s))
        desired = current + lz_pods_room(s);
    if (desired != current && !cools && lz_platform_withholds(w, s->id, LZ_PLATFORM_DECIDE))
        return;
    if (!o->is_simple)
        lz_scaling_note(&rules->wanted, now, most.desired);
    if (desired == current || cools)
        return;
    if (!o->is_simple && desired > current)
        lz_scaling_note(&rules->added, now, desired - current);
    else if (!o->is_simple)
        lz_scaling_note(&rules->taken, now, current - desired);
    decide(w, s, current, desired, &most);
}

bool lz_autoscale_is_on(const struct lz_world *w, lz_component_id id)
{
    const struct lz_service *s = lz_service_at(w, id);
    return s->scale != NULL && !s->opts.autoscale.by_hand;
}

static uint32_t wanted(const struct lz_service *s)
{
    if (s->rollout != NULL)
        return lz_rollout_desired(s);
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->slots; i++)
        count += lz_pods_is_active(lz_pods_at(s, i));
    return count;
}

bool lz_autoscale_set(struct lz_world *w, lz_component_id id, uint32_t replicas, struct lz_err *err)
{
    struct lz_service *s = lz_service_at(w, id);
    LZ_ASSERT(s->scale != NULL);
    const struct lz_autoscale_opts *o = &s->opts.autoscale;
    if (replicas < o->min || replicas > o->max)
        return lz_fail(err, LZ_ERANGE, "%s may have %u to %u replicas by its `autoscale`, got %u",
                       s->opts.name, o->min, o->max, replicas);
    uint32_t current = wanted(s);
    if (s->rollout == NULL && replicas > current && replicas - current > lz_pods_room(s))
        return lz_fail(err, LZ_EFULL, "those that drain have their places still: %u are free",
                       lz_pods_room(s));
    if (replicas == current)
        return true;
    lz_journal_add(w, &(struct lz_journal_entry){.component = id, .kind = "scale"},
                   "%s goes from %u to %u replicas, as it was told", s->opts.name, current,
                   replicas);
    go(w, s, current, replicas);
    return true;
}

void lz_autoscale_init(struct lz_world *w)
{
    w->services->scale = lz_sim_kind(w->sim, "autoscale", on_look, w);
}

void lz_autoscale_create(struct lz_world *w, struct lz_service *s)
{
    LZ_ASSERT(!w->running);
    s->scale = lz_arena_alloc(w->arena, sizeof(*s->scale));
    s->keeps_cpu = true;
    if (!s->opts.autoscale.is_simple) {
        s->scale->rules.up = s->opts.autoscale.up;
        s->scale->rules.down = s->opts.autoscale.down;
        lz_scaling_create(&s->scale->rules, w->arena, s->opts.autoscale.period);
    }
    if (s->opts.autoscale.by_hand)
        return; // nobody looks
    lz_sim_at(w->sim, s->opts.autoscale.period, w->services->scale, s->id, 0);
}
