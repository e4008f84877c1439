#include "model/alert/alert_state.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "model/journal.h"
#include "model/service/platform.h"

static void again(struct lz_alerts *as, lz_time period, lz_kind kind, uint32_t entity)
{
    struct lz_sim *sim = as->world->sim;
    lz_sim_at(sim, lz_sim_now(sim) + period, kind, entity, 0);
}

static void on_scrape(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_alerts *as = ctx;
    struct lz_alert_target *t = &as->targets[entity];
    again(as, as->opts.scrape_interval, as->scrape, entity);
    bool is_lost = lz_platform_loses_sample(as->world, t->component, t->scrapes++);
    if (as->store != NULL)
        lz_alert_store_scrape(as->store, t->component, is_lost);
    for (uint32_t i = 1; i <= as->count; i++)
        for (uint32_t k = 0; k < as->all[i].opts.condition_count; k++) {
            struct lz_alert_scrape *s = &as->all[i].scrapes[k];
            if (as->all[i].opts.conditions[k].of != t->component)
                continue;
            if (is_lost)
                lz_alert_scrape_miss(s);
            else
                lz_alert_scrape_take(as->world, s);
        }
}

// Whether a rule is pending or fires its own Prometheus knows, from the series ALERTS that it
// writes at each evaluation, and what one records: no scrape lies between. Rules that come later
// see it at once.
bool lz_alert_run_is_known(const struct lz_world *w, const struct lz_alert_condition *c)
{
    enum lz_component_kind kind = lz_world_component(w, c->of)->kind;
    return c->over == 0 && (kind == LZ_COMPONENT_ALERT || kind == LZ_COMPONENT_RULE) &&
           lz_metrics_def(w->metrics, c->metric)->view == LZ_VIEW_LEVEL;
}

static struct lz_sample read(const struct lz_alerts *as, struct lz_alert *a, uint32_t k)
{
    const struct lz_world *w = as->world;
    const struct lz_alert_condition *c = &a->opts.conditions[k];
    if (!lz_alert_run_is_known(w, c))
        return lz_alert_scrape_read(w, &a->scrapes[k]);
    if (lz_metrics_is_hidden(w->metrics, c->metric))
        return (struct lz_sample){0};
    double level = lz_metrics_level(w->metrics, lz_metrics_def(w->metrics, c->metric)->a);
    return (struct lz_sample){.present = true, .value = level, .low = level, .high = level};
}

static bool holds(const struct lz_alerts *as, struct lz_alert *a)
{
    for (uint32_t k = 0; k < a->opts.condition_count; k++) {
        struct lz_sample s = read(as, a, k);
        if (!s.present || !a->opts.judge(as->world, a->opts.conditions[k].limit, &s))
            return false;
    }
    return true;
}

void lz_alert_run_doubt(struct lz_alerts *as, struct lz_alert *a, const char *why)
{
    if (a->why_failed != NULL)
        return;
    a->why_failed = lz_arena_strdup(as->world->arena, why);
    a->failed_at = lz_sim_now(as->world->sim);
}

void lz_alert_run_fail(struct lz_alerts *as, struct lz_alert *a, const char *why)
{
    lz_alert_run_doubt(as, a, why);
    lz_journal_add(as->world, &(struct lz_journal_entry){.kind = "alert", .component = a->id},
                   "%s is not evaluated: %s", a->opts.name, why);
}

static void write_samples(struct lz_alerts *as, struct lz_alert *a)
{
    struct lz_err err;
    if (a->writer.store == NULL)
        return;
    lz_promql_scratch_reset(lz_alert_store_scratch(as->store));
    if (!lz_alert_write_alert(&a->writer, &a->opts.labels, &a->rule, &err))
        lz_alert_run_fail(as, a, err.msg);
    lz_alert_write_done(&a->writer);
}

// What it is now, and what is sent of it.
static struct lz_alert_query_found look(struct lz_alerts *as, struct lz_alert *a,
                                        const struct lz_alert_expr_when *when)
{
    const struct lz_alert_rule_opts o = {.pending = a->opts.pending,
                                         .keep_firing = a->opts.keep_firing,
                                         .interval = as->groups[a->group].interval};
    if (a->query != NULL)
        return lz_alert_query_evaluate(a->query, &o, when);
    enum lz_alert_state is = lz_alert_rule_evaluate(&a->rule, &o, holds(as, a), when->now);
    struct lz_alert_sending s;
    if (lz_alert_rule_sends(&a->rule, &o, when->now, &s))
        lz_alert_manager_send(as->manager, a->number, s.starts_at, s.ends_at, when->now);
    write_samples(as, a);
    return (struct lz_alert_query_found){.pending = is == LZ_ALERT_PENDING,
                                         .firing = is == LZ_ALERT_FIRING};
}

static void evaluate(struct lz_alerts *as, struct lz_alert *a,
                     const struct lz_alert_expr_when *when)
{
    struct lz_world *w = as->world;
    struct lz_alert_query_found found = look(as, a, when);
    lz_metrics_set(w->metrics, a->series.pending, when->now, found.pending);
    lz_metrics_set(w->metrics, a->series.firing, when->now, found.firing);
    if ((found.firing > 0) != a->was_firing)
        lz_alert_tell(w, a, a->was_firing ? a->resolved : a->fired);
    a->was_firing = found.firing > 0;
}

static void on_evaluate(void *ctx, uint32_t group, uint64_t payload)
{
    (void)payload;
    struct lz_alerts *as = ctx;
    LZ_ASSERT(group < as->group_count);
    // A subquery that says no step takes the global interval, whatever the group's is.
    const struct lz_alert_expr_when when = {.now = lz_sim_now(as->world->sim),
                                            .step = as->groups[0].interval};
    again(as, as->groups[group].interval, as->evaluate, group);
    for (uint32_t i = 0; i < as->record_count; i++)
        if (as->records[i].group == group)
            lz_alert_record_evaluate(as, &as->records[i], &when);
    for (uint32_t i = 1; i <= as->count; i++)
        if (as->all[i].group == group)
            evaluate(as, &as->all[i], &when);
}

static void on_flush(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_alerts *as = ctx;
    lz_alert_manager_flush(as->manager, entity, (uint32_t)payload, lz_sim_now(as->world->sim));
}

void lz_alert_run_wake(void *alerts, uint32_t group, uint32_t turn, lz_time at)
{
    struct lz_alerts *as = alerts;
    lz_sim_at(as->world->sim, at, as->flush, group, turn);
}

static void on_tidy(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    (void)payload;
    struct lz_alerts *as = ctx;
    again(as, LZ_ALERT_TIDY, as->tidy, 0);
    lz_alert_manager_tidy(as->manager);
    if (as->store != NULL)
        lz_alert_store_tidy(as->store);
}

static lz_time phase(const struct lz_alerts *as, const char *of, uint64_t who, lz_time period)
{
    uint64_t owner = lz_draw_join(lz_draw_name(lz_draw_name(0, "monitoring"), of), who);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(as->world->sim), owner, LZ_PURPOSE_PHASE, 0);
    return (lz_time)lz_draw_below(&draw, (uint64_t)period);
}

static void begin_writing(struct lz_alerts *as)
{
    for (uint32_t i = 0; i < as->record_count; i++)
        lz_alert_record_start(as, &as->records[i]);
    for (uint32_t i = 1; i <= as->count; i++) {
        struct lz_alert *a = &as->all[i];
        lz_time interval = as->groups[a->group].interval;
        if (a->query != NULL)
            lz_alert_query_start(a->query, interval);
        else
            lz_alert_write_init(&a->writer, as->store, interval, LZ_ALERT_WRITE_ALERTS,
                                LZ_ALERT_WRITE_STATE);
    }
}

void lz_alert_run_start(struct lz_alerts *as)
{
    struct lz_world *w = as->world;
    if (as->store != NULL)
        begin_writing(as);
    for (uint32_t i = 0; i < as->target_count; i++) {
        uint64_t path = lz_world_component(w, as->targets[i].component)->path;
        again(as, phase(as, "scrape", path, as->opts.scrape_interval), as->scrape, i);
    }
    for (uint32_t i = 0; i < as->group_count; i++) {
        uint64_t own = i == 0 ? 0 : (uint64_t)as->groups[i].interval;
        again(as, phase(as, "evaluate", own, as->groups[i].interval), as->evaluate, i);
    }
    again(as, phase(as, "tidy", 0, LZ_ALERT_TIDY), as->tidy, 0);
}

void lz_alert_run_init(struct lz_alerts *as)
{
    struct lz_sim *sim = as->world->sim;
    as->scrape = lz_sim_kind(sim, "alert.scrape", on_scrape, as);
    as->evaluate = lz_sim_kind(sim, "alert.evaluate", on_evaluate, as);
    as->flush = lz_sim_kind(sim, "alert.flush", on_flush, as);
    as->tidy = lz_sim_kind(sim, "alert.tidy", on_tidy, as);
}
