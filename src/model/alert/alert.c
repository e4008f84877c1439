#include "model/alert/alert_state.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/journal.h"
#include "model/measure.h"
#include "model/service/platform.h"

#define INTERVAL (15 * LZ_S) // prometheus.yml as it is shipped; the built-in one is 1 min
#define INTERVAL_MIN LZ_MS   // as Prometheus' own unit
#define INTERVAL_MAX (24 * 3600 * LZ_S)
#define RESOLVE_TIMEOUT (300 * LZ_S) // Alertmanager's defaults, from here on
#define GROUP_WAIT (30 * LZ_S)
#define GROUP_INTERVAL (300 * LZ_S)
#define REPEAT_INTERVAL (4 * 3600 * LZ_S)

static const struct lz_measure_row rows[] = {
    {"pending", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, offsetof(struct lz_alert_series, pending), 0, 0,
     "1 while it is true, but not yet for as long as it must be; with expr how many of its "
     "elements "
     "are"},
    {"firing", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, offsetof(struct lz_alert_series, firing), 0, 0,
     "1 while it fires; with expr how many of its elements do"},
    {"notifications", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, offsetof(struct lz_alert_series, notifications),
     0, 0, "notifications that came and said that it fires"},
    {"resolutions", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, offsetof(struct lz_alert_series, resolutions), 0,
     0, "notifications that came and said that it is resolved"},
    {"muted", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, offsetof(struct lz_alert_series, muted), 0, 0,
     "flushes of its group, one each group_interval, at which a silence or another alert muted it"},
};

static const struct lz_alert_route root = {.receiver = LZ_ALERT_RECEIVER,
                                           .group_wait = GROUP_WAIT,
                                           .group_interval = GROUP_INTERVAL,
                                           .repeat_interval = REPEAT_INTERVAL};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_alert_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROWS];
    return lz_measure_infos(rows, ROWS, infos, count);
}

// ---------------------------------------------------------------- the periods

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
// writes at each evaluation: no scrape lies between. Rules that come later see it at once.
static bool is_known(const struct lz_world *w, const struct lz_alert_condition *c)
{
    return c->over == 0 && lz_world_component(w, c->of)->kind == LZ_COMPONENT_ALERT &&
           lz_metrics_def(w->metrics, c->metric)->view == LZ_VIEW_LEVEL;
}

static struct lz_sample read(const struct lz_alerts *as, struct lz_alert *a, uint32_t k)
{
    const struct lz_world *w = as->world;
    const struct lz_alert_condition *c = &a->opts.conditions[k];
    if (!is_known(w, c))
        return lz_alert_scrape_read(w, &a->scrapes[k]);
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

// What it is at `now`, and what is sent of it.
static struct lz_alert_query_found look(struct lz_alerts *as, struct lz_alert *a, lz_time now)
{
    const struct lz_alert_rule_opts o = {.pending = a->opts.pending,
                                         .keep_firing = a->opts.keep_firing,
                                         .interval = as->opts.evaluation_interval};
    if (a->query != NULL)
        return lz_alert_query_evaluate(a->query, &o, now);
    enum lz_alert_state is = lz_alert_rule_evaluate(&a->rule, &o, holds(as, a), now);
    struct lz_alert_sending s;
    if (lz_alert_rule_sends(&a->rule, &o, now, &s))
        lz_alert_manager_send(as->manager, a->number, s.starts_at, s.ends_at, now);
    return (struct lz_alert_query_found){.pending = is == LZ_ALERT_PENDING,
                                         .firing = is == LZ_ALERT_FIRING};
}

static void evaluate(struct lz_alerts *as, struct lz_alert *a, lz_time now)
{
    struct lz_world *w = as->world;
    struct lz_alert_query_found found = look(as, a, now);
    lz_metrics_set(w->metrics, a->series.pending, now, found.pending);
    lz_metrics_set(w->metrics, a->series.firing, now, found.firing);
    if ((found.firing > 0) != a->was_firing)
        lz_alert_tell(w, a, a->was_firing ? a->resolved : a->fired);
    a->was_firing = found.firing > 0;
}

static void on_evaluate(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    (void)payload;
    struct lz_alerts *as = ctx;
    again(as, as->opts.evaluation_interval, as->evaluate, 0);
    for (uint32_t i = 1; i <= as->count; i++)
        evaluate(as, &as->all[i], lz_sim_now(as->world->sim));
}

static void on_flush(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_alerts *as = ctx;
    lz_alert_manager_flush(as->manager, entity, (uint32_t)payload, lz_sim_now(as->world->sim));
}

static void wake(void *ctx, uint32_t group, uint32_t turn, lz_time at)
{
    struct lz_alerts *as = ctx;
    lz_sim_at(as->world->sim, at, as->flush, group, turn);
}

static void on_tidy(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    (void)payload;
    struct lz_alerts *as = ctx;
    again(as, LZ_ALERT_TIDY, as->tidy, 0);
    lz_alert_manager_tidy(as->manager);
}

static lz_time phase(const struct lz_alerts *as, const char *of, uint64_t who, lz_time period)
{
    uint64_t owner = lz_draw_join(lz_draw_name(lz_draw_name(0, "monitoring"), of), who);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(as->world->sim), owner, LZ_PURPOSE_PHASE, 0);
    return (lz_time)lz_draw_below(&draw, (uint64_t)period);
}

static void add_target(struct lz_alerts *as, lz_component_id id)
{
    for (uint32_t i = 0; i < as->target_count; i++)
        if (as->targets[i].component == id)
            return;
    as->targets = lz_grow(as->world->arena, as->targets, &as->target_cap, as->target_count + 1,
                          sizeof(*as->targets));
    as->targets[as->target_count++] = (struct lz_alert_target){.component = id};
}

static void add_targets(struct lz_alerts *as, const struct lz_alert *a)
{
    lz_component_id of = 0;
    for (uint32_t i = 0; a->query != NULL && (of = lz_alert_query_about(a->query, i)) != 0; i++)
        add_target(as, of);
}

// What a rule selects is not a matter of what was declared before it.
void lz_alerts_settle(struct lz_world *w)
{
    struct lz_alerts *as = w->alerts;
    LZ_ASSERT(as != NULL && !w->running);
    if (as->store == NULL)
        return;
    lz_alert_store_settle(as->store);
    for (uint32_t i = 1; i <= as->count; i++) {
        if (as->all[i].query != NULL)
            lz_alert_query_settle(as->all[i].query);
        add_targets(as, &as->all[i]);
    }
}

void lz_alerts_start(struct lz_world *w)
{
    struct lz_alerts *as = w->alerts;
    LZ_ASSERT(as != NULL);
    if (as->count == 0)
        return;
    for (uint32_t i = 0; i < as->target_count; i++) {
        uint64_t path = lz_world_component(w, as->targets[i].component)->path;
        again(as, phase(as, "scrape", path, as->opts.scrape_interval), as->scrape, i);
    }
    again(as, phase(as, "evaluate", 0, as->opts.evaluation_interval), as->evaluate, 0);
    again(as, phase(as, "tidy", 0, LZ_ALERT_TIDY), as->tidy, 0);
}

// ---------------------------------------------------------------- before the run

static bool check_time(const char *name, lz_time t, lz_time least, lz_time most, struct lz_err *err)
{
    if (t < least || t > most)
        return lz_fail(err, LZ_ERANGE, "%s must be from %gs to %gh, got %gs", name,
                       (double)least / 1e9, (double)most / 3.6e12, (double)t / 1e9);
    return true;
}

static bool check_route(const struct lz_alert_route *r, struct lz_err *err)
{
    const lz_time most = LZ_ALERT_OVER_MAX;
    return check_time("group_wait", r->group_wait, 0, most, err) &&
           check_time("group_interval", r->group_interval, INTERVAL_MIN, most, err) &&
           check_time("repeat_interval", r->repeat_interval, INTERVAL_MIN, most, err);
}

static lz_time interval_of(lz_time said)
{
    return said != 0 ? said : INTERVAL;
}

bool lz_alerts_monitor(struct lz_world *w, const struct lz_alerts_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(!w->running && w->alerts == NULL);
    lz_time scrape = interval_of(opts->scrape_interval);
    lz_time evaluation = interval_of(opts->evaluation_interval);
    if (!check_time("scrape_interval", scrape, INTERVAL_MIN, INTERVAL_MAX, err) ||
        !check_time("evaluation_interval", evaluation, INTERVAL_MIN, INTERVAL_MAX, err))
        return false;
    for (uint32_t i = 0; i < opts->route_count; i++)
        if (!check_route(&opts->routes[i], err))
            return false;
    struct lz_alerts *as = lz_arena_alloc(w->arena, sizeof(*as));
    as->world = w;
    as->opts = *opts;
    as->opts.scrape_interval = scrape;
    as->opts.evaluation_interval = evaluation;
    as->manager = lz_alert_manager_create(&(struct lz_alert_manager_opts){
        .arena = w->arena,
        .resolve_timeout = RESOLVE_TIMEOUT,
        .routes = opts->route_count > 0 ? opts->routes : &root,
        .route_count = opts->route_count > 0 ? opts->route_count : 1,
        .inhibitions = opts->inhibitions,
        .inhibition_count = opts->inhibition_count,
        .silences = opts->silences,
        .silence_count = opts->silence_count,
        .ctx = as,
        .wake = wake,
        .notify = lz_alert_tell_notice,
        .muted = lz_alert_tell_muted,
    });
    as->scrape = lz_sim_kind(w->sim, "alert.scrape", on_scrape, as);
    as->evaluate = lz_sim_kind(w->sim, "alert.evaluate", on_evaluate, as);
    as->flush = lz_sim_kind(w->sim, "alert.flush", on_flush, as);
    as->tidy = lz_sim_kind(w->sim, "alert.tidy", on_tidy, as);
    lz_alert_tell_init(as);
    w->alerts = as;
    return true;
}

static void define(struct lz_world *w, struct lz_alert *a)
{
    a->series = (struct lz_alert_series){.pending = lz_metrics_gauge(w->metrics, 0.0),
                                         .firing = lz_metrics_gauge(w->metrics, 0.0),
                                         .notifications = lz_metrics_counter(w->metrics),
                                         .resolutions = lz_metrics_counter(w->metrics),
                                         .muted = lz_metrics_counter(w->metrics)};
    lz_measure_define(w, a->id, "", rows, ROWS, &a->series);
}

// What the rule says besides its name is copied, with alertname among the labels.
static struct lz_alert_labels labels_of(struct lz_world *w, const struct lz_alert_opts *o)
{
    struct lz_alert_label *all = lz_arena_alloc(w->arena, (o->labels.count + 1) * sizeof(*all));
    all[0] =
        (struct lz_alert_label){.name = "alertname", .value = lz_arena_strdup(w->arena, o->name)};
    for (uint32_t i = 0; i < o->labels.count; i++)
        all[i + 1] = (struct lz_alert_label){
            .name = lz_arena_strdup(w->arena, o->labels.all[i].name),
            .value = lz_arena_strdup(w->arena, o->labels.all[i].value),
        };
    return (struct lz_alert_labels){.all = all, .count = o->labels.count + 1};
}

// In full: a journal's entry is cut, what `happened` asks for is not.
static const char *mark_of(struct lz_world *w, const char *name, const char *what)
{
    size_t size = strlen(name) + strlen(what) + 2;
    char *text = lz_arena_alloc(w->arena, size);
    snprintf(text, size, "%s %s", name, what);
    return text;
}

static bool check(const struct lz_alert_opts *o, struct lz_err *err)
{
    if (o->expr == NULL &&
        (o->condition_count == 0 || o->condition_count > LZ_ALERT_CONDITIONS_MAX))
        return lz_fail(err, LZ_ERANGE, "1 to %d conditions, got %u", LZ_ALERT_CONDITIONS_MAX,
                       o->condition_count);
    if (o->labels.count > LZ_ALERT_LABELS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d labels, got %u", LZ_ALERT_LABELS_MAX,
                       o->labels.count);
    if (o->pending < 0 || o->keep_firing < 0)
        return lz_fail(err, LZ_ERANGE, "`pending` and `keep_firing_for` must not be negative");
    return true;
}

static bool begin_scrapes(struct lz_alerts *as, struct lz_alert *a,
                          struct lz_alert_condition *conditions, struct lz_err *err)
{
    const lz_time interval = as->opts.scrape_interval;
    for (uint32_t i = 0; i < a->opts.condition_count; i++) {
        struct lz_alert_condition *c = &conditions[i];
        if (c->over == 0 && lz_alert_scrape_needs_over(as->world, c->metric))
            c->over = lz_alert_scrape_preset(as->world, c->metric, interval);
        if (!lz_alert_scrape_init(as->world, &a->scrapes[i], c->metric, c->over, interval, err))
            return false;
    }
    return true;
}

static void own(struct lz_alerts *as, uint32_t number, uint32_t alert)
{
    as->owners =
        lz_grow(as->world->arena, as->owners, &as->owner_cap, number + 1, sizeof(*as->owners));
    as->owners[number] = alert;
}

// ---------------------------------------------------------------- rules in PromQL

// Of an alert that has a query: what its callbacks are told with.
struct asked {
    struct lz_alerts *alerts;
    uint32_t alert;
};

static void on_added(void *ctx, uint32_t number)
{
    const struct asked *q = ctx;
    own(q->alerts, number, q->alert);
}

static void on_failed(void *ctx, const char *why)
{
    const struct asked *q = ctx;
    struct lz_alert *a = &q->alerts->all[q->alert];
    a->why_failed = lz_arena_strdup(q->alerts->world->arena, why);
    a->failed_at = lz_sim_now(q->alerts->world->sim);
    lz_journal_add(q->alerts->world,
                   &(struct lz_journal_entry){.kind = "alert", .component = a->id},
                   "%s is not evaluated: %s", a->opts.name, why);
}

static bool is_mark_of(const struct lz_alert *a, const char *mark)
{
    return mark != NULL && (strcmp(mark, a->fired) == 0 || strcmp(mark, a->notified) == 0 ||
                            strcmp(mark, a->resolved) == 0);
}

bool lz_alerts_has_failed(const struct lz_world *w, lz_component_id of, const char *mark,
                          struct lz_alert_failure *out)
{
    const struct lz_alerts *as = w->alerts;
    for (uint32_t i = 1; as != NULL && i <= as->count; i++) {
        const struct lz_alert *a = &as->all[i];
        if (a->why_failed == NULL || (a->id != of && !is_mark_of(a, mark)))
            continue;
        *out = (struct lz_alert_failure){a->opts.name, a->why_failed, a->failed_at};
        return true;
    }
    return false;
}

static bool begin_query(struct lz_alerts *as, struct lz_alert *a, struct lz_err *err)
{
    struct asked *q = lz_arena_alloc(as->world->arena, sizeof(*q));
    struct lz_alert_labels *labels = lz_arena_alloc(as->world->arena, sizeof(*labels));
    *q = (struct asked){.alerts = as, .alert = as->count + 1};
    *labels = a->opts.labels;
    if (as->store == NULL)
        as->store = lz_alert_store_create(as->world, as->opts.scrape_interval);
    a->query = lz_alert_query_create(&(struct lz_alert_query_opts){.arena = as->world->arena,
                                                                   .store = as->store,
                                                                   .manager = as->manager,
                                                                   .expr = a->opts.expr,
                                                                   .labels = labels,
                                                                   .ctx = q,
                                                                   .added = on_added,
                                                                   .failed = on_failed},
                                     err);
    add_targets(as, a);
    return a->query != NULL;
}

bool lz_alert_create(struct lz_world *w, const struct lz_alert_opts *opts, lz_component_id *id,
                     struct lz_err *err)
{
    LZ_ASSERT(!w->running && (opts->judge != NULL || opts->expr != NULL));
    if (!check(opts, err))
        return false;
    if (w->alerts == NULL && !lz_alerts_monitor(w, &(struct lz_alerts_opts){0}, err))
        return false;
    struct lz_alerts *as = w->alerts;
    struct lz_alert a = {.opts = *opts};
    lz_alert_rule_init(&a.rule);
    size_t size = opts->condition_count * sizeof(struct lz_alert_condition);
    struct lz_alert_condition *conditions = lz_arena_alloc(w->arena, size + 1);
    a.scrapes = lz_arena_alloc(w->arena, (opts->condition_count + 1) * sizeof(*a.scrapes));
    if (size > 0)
        memcpy(conditions, opts->conditions, size);
    a.opts.conditions = conditions;
    if (!begin_scrapes(as, &a, conditions, err) ||
        !lz_world_add(w, opts->name, LZ_COMPONENT_ALERT, opts->line, &a.id, err))
        return false;
    a.opts.name = lz_world_component(w, a.id)->name;
    a.opts.labels = labels_of(w, opts);
    a.fired = mark_of(w, a.opts.name, "fired");
    a.notified = mark_of(w, a.opts.name, "notified");
    a.resolved = mark_of(w, a.opts.name, "resolved");
    if (opts->expr != NULL ? !begin_query(as, &a, err)
                           : !lz_alert_manager_add(as->manager, &a.opts.labels, &a.number, err))
        return false;
    define(w, &a);
    for (uint32_t i = 0; i < opts->condition_count; i++)
        if (!is_known(w, &conditions[i]))
            add_target(as, conditions[i].of);
    as->all = lz_grow(w->arena, as->all, &as->cap, as->count + 2, sizeof(*as->all));
    as->all[++as->count] = a;
    if (a.number > 0)
        own(as, a.number, as->count);
    *id = a.id;
    return true;
}
