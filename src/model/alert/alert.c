#include "model/alert/alert_state.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/measure.h"

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

// ---------------------------------------------------------------- what is looked at

static void add_target(struct lz_alerts *as, lz_component_id id)
{
    for (uint32_t i = 0; i < as->target_count; i++)
        if (as->targets[i].component == id)
            return;
    as->targets = lz_grow(as->world->arena, as->targets, &as->target_cap, as->target_count + 1,
                          sizeof(*as->targets));
    as->targets[as->target_count++] = (struct lz_alert_target){.component = id};
}

static void add_targets(struct lz_alerts *as, const struct lz_alert_expr *e)
{
    lz_component_id of = 0;
    for (uint32_t i = 0; (of = lz_alert_expr_about(e, i)) != 0; i++)
        add_target(as, of);
}

// The expressions of all rules, one after the other: those that record, then alerts; NULL behind
// the last.
static struct lz_alert_expr *expr_at(const struct lz_alerts *as, uint32_t *i)
{
    for (; *i < as->record_count + as->count; (*i)++) {
        if (*i < as->record_count)
            return as->records[*i].expr;
        const struct lz_alert *a = &as->all[*i - as->record_count + 1];
        if (a->query != NULL)
            return lz_alert_query_expr(a->query);
    }
    return NULL;
}

// A rule is about what those are about whose series it reads, and so on.
static void join_about(struct lz_alerts *as)
{
    struct lz_alert_expr *e = NULL;
    bool is_more = as->record_count > 0;
    while (is_more) {
        is_more = false;
        for (uint32_t i = 0; (e = expr_at(as, &i)) != NULL; i++)
            for (uint32_t k = 0; k < as->record_count; k++)
                if (lz_alert_expr_reads(e, as->records[k].opts.record))
                    is_more = lz_alert_expr_join(e, as->records[k].expr) || is_more;
    }
}

// What a rule selects is not a matter of what was declared before it.
void lz_alerts_settle(struct lz_world *w)
{
    struct lz_alerts *as = w->alerts;
    LZ_ASSERT(as != NULL && !w->running);
    if (as->store == NULL)
        return;
    lz_alert_store_settle(as->store);
    for (uint32_t i = 0; i < as->record_count; i++)
        lz_alert_record_settle(as, &as->records[i]);
    for (uint32_t i = 1; i <= as->count; i++)
        if (as->all[i].query != NULL)
            lz_alert_query_settle(as->all[i].query);
    struct lz_alert_expr *e = NULL;
    for (uint32_t i = 0; (e = expr_at(as, &i)) != NULL; i++)
        add_targets(as, e);
    join_about(as);
}

void lz_alerts_start(struct lz_world *w)
{
    LZ_ASSERT(w->alerts != NULL);
    if (w->alerts->count + w->alerts->record_count > 0)
        lz_alert_run_start(w->alerts);
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
        .wake = lz_alert_run_wake,
        .notify = lz_alert_tell_notice,
        .muted = lz_alert_tell_muted,
    });
    as->groups = lz_grow(w->arena, NULL, &as->group_cap, 1, sizeof(*as->groups));
    as->groups[as->group_count++].interval = evaluation;
    lz_alert_run_init(as);
    lz_alert_tell_init(as);
    w->alerts = as;
    return true;
}

bool lz_alerts_join(struct lz_world *w, lz_time every, uint32_t *group, struct lz_err *err)
{
    if (every != 0 && !check_time("every", every, INTERVAL_MIN, INTERVAL_MAX, err))
        return false;
    if (w->alerts == NULL && !lz_alerts_monitor(w, &(struct lz_alerts_opts){0}, err))
        return false;
    struct lz_alerts *as = w->alerts;
    *group = 0;
    if (every == 0)
        return true;
    while (*group < as->group_count && as->groups[*group].interval != every)
        (*group)++;
    if (*group < as->group_count)
        return true;
    as->groups =
        lz_grow(w->arena, as->groups, &as->group_cap, as->group_count + 1, sizeof(*as->groups));
    as->groups[as->group_count++].interval = every;
    return true;
}

struct lz_alert_store *lz_alerts_store(struct lz_alerts *as)
{
    if (as->store != NULL)
        return as->store;
    as->store = lz_alert_store_create(as->world, as->opts.scrape_interval);
    lz_alert_store_promise(as->store, LZ_ALERT_WRITE_ALERTS, as->groups[0].interval);
    lz_alert_store_promise(as->store, LZ_ALERT_WRITE_STATE, as->groups[0].interval);
    return as->store;
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
    lz_alert_run_fail(q->alerts, &q->alerts->all[q->alert], why);
}

static bool is_mark_of(const struct lz_alert *a, const char *mark)
{
    return mark != NULL && (strcmp(mark, a->fired) == 0 || strcmp(mark, a->notified) == 0 ||
                            strcmp(mark, a->resolved) == 0);
}

lz_time lz_alerts_patience(const struct lz_world *w, const char *mark, const char **rule)
{
    const struct lz_alerts *as = w->alerts;
    for (uint32_t i = 1; as != NULL && i <= as->count; i++) {
        if (!is_mark_of(&as->all[i], mark))
            continue;
        *rule = as->all[i].opts.name;
        return as->all[i].opts.pending;
    }
    return 0;
}

// Of rules that read it and are read by others themselves the same is true.
void lz_alerts_doubt(struct lz_alerts *as, const struct lz_alert_record *r)
{
    char why[LZ_ERR_SIZE];
    snprintf(why, sizeof(why), "it reads %s, which is not evaluated: %s", r->opts.record,
             r->why_failed);
    for (uint32_t i = 1; i <= as->count; i++) {
        struct lz_alert *a = &as->all[i];
        if (a->query != NULL && lz_alert_expr_reads(lz_alert_query_expr(a->query), r->opts.record))
            lz_alert_run_doubt(as, a, why);
    }
    for (uint32_t i = 0; i < as->record_count; i++) {
        struct lz_alert_record *other = &as->records[i];
        if (other->why_failed != NULL || !lz_alert_expr_reads(other->expr, r->opts.record))
            continue;
        other->why_failed = lz_arena_strdup(as->world->arena, why);
        other->failed_at = r->failed_at;
        lz_alerts_doubt(as, other);
    }
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
    for (uint32_t i = 0; as != NULL && i < as->record_count; i++) {
        const struct lz_alert_record *r = &as->records[i];
        if (r->why_failed == NULL || r->id != of)
            continue;
        *out = (struct lz_alert_failure){r->opts.name, r->why_failed, r->failed_at};
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
    a->query = lz_alert_query_create(&(struct lz_alert_query_opts){.arena = as->world->arena,
                                                                   .store = lz_alerts_store(as),
                                                                   .manager = as->manager,
                                                                   .expr = a->opts.expr,
                                                                   .labels = labels,
                                                                   .ctx = q,
                                                                   .added = on_added,
                                                                   .failed = on_failed},
                                     err);
    if (a->query != NULL)
        add_targets(as, lz_alert_query_expr(a->query));
    return a->query != NULL;
}

bool lz_alert_create(struct lz_world *w, const struct lz_alert_opts *opts, lz_component_id *id,
                     struct lz_err *err)
{
    LZ_ASSERT(!w->running && (opts->judge != NULL || opts->expr != NULL));
    if (!check(opts, err))
        return false;
    struct lz_alert a = {.opts = *opts};
    if (!lz_alerts_join(w, opts->every, &a.group, err))
        return false;
    struct lz_alerts *as = w->alerts;
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
        if (!lz_alert_run_is_known(w, &conditions[i]))
            add_target(as, conditions[i].of);
    as->all = lz_grow(w->arena, as->all, &as->cap, as->count + 2, sizeof(*as->all));
    as->all[++as->count] = a;
    if (a.number > 0)
        own(as, a.number, as->count);
    *id = a.id;
    return true;
}
