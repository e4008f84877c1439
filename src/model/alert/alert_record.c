#include "model/alert/alert_record.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/alert/alert_state.h"
#include "model/journal.h"
#include "model/measure.h"

static const struct lz_measure_row rows[] = {
    {"value", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, offsetof(struct lz_alert_record_series, value), 0, 0,
     "what it found at its last evaluation, of several elements the greatest; none while it finds "
     "none"},
    {"elements", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, offsetof(struct lz_alert_record_series, elements), 0,
     0, "elements that it found at its last evaluation"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_alert_record_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROWS];
    return lz_measure_infos(rows, ROWS, infos, count);
}

bool lz_alert_record_promise(struct lz_world *w, const char *record, lz_time every,
                             struct lz_err *err)
{
    uint32_t group = 0;
    if (!lz_alerts_join(w, every, &group, err))
        return false;
    lz_alert_store_promise(lz_alerts_store(w->alerts), record, w->alerts->groups[group].interval);
    return true;
}

bool lz_alert_record_create(struct lz_world *w, const struct lz_alert_record_opts *opts,
                            lz_component_id *id, struct lz_err *err)
{
    struct lz_alert_record r = {.opts = *opts};
    LZ_ASSERT(!w->running && opts->expr != NULL && opts->record != NULL);
    if (opts->labels.count > LZ_ALERT_LABELS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d labels, got %u", LZ_ALERT_LABELS_MAX,
                       opts->labels.count);
    if (!lz_alerts_join(w, opts->every, &r.group, err))
        return false;
    struct lz_alerts *as = w->alerts;
    r.expr = lz_alert_expr_create(lz_alerts_store(as), opts->expr, err);
    if (r.expr == NULL || !lz_world_add(w, opts->name, LZ_COMPONENT_RULE, opts->line, &r.id, err))
        return false;
    r.opts.name = lz_world_component(w, r.id)->name;
    r.series = (struct lz_alert_record_series){.value = lz_metrics_gauge(w->metrics, 0.0),
                                               .elements = lz_metrics_gauge(w->metrics, 0.0)};
    lz_measure_define(w, r.id, "", rows, ROWS, &r.series);
    r.value = lz_world_metric(w, r.id, "value");
    lz_metrics_hide(w->metrics, r.value);
    as->records =
        lz_grow(w->arena, as->records, &as->record_cap, as->record_count + 1, sizeof(*as->records));
    as->records[as->record_count++] = r;
    *id = r.id;
    return true;
}

// ---------------------------------------------------------------- evaluations

static void fail(struct lz_alerts *as, struct lz_alert_record *r, const char *why)
{
    if (r->why_failed != NULL)
        return;
    r->why_failed = lz_arena_strdup(as->world->arena, why);
    r->failed_at = lz_sim_now(as->world->sim);
    lz_journal_add(as->world, &(struct lz_journal_entry){.kind = "alert", .component = r->id},
                   "%s is not evaluated: %s", r->opts.name, why);
    lz_alerts_doubt(as, r);
}

void lz_alert_record_settle(struct lz_alerts *as, struct lz_alert_record *r)
{
    struct lz_err err;
    if (!lz_alert_expr_settle(r->expr, &err))
        fail(as, r, err.msg);
}

void lz_alert_record_start(struct lz_alerts *as, struct lz_alert_record *r)
{
    lz_alert_write_init(&r->writer, as->store, as->groups[r->group].interval, r->opts.record, NULL);
}

static struct lz_promql_labels labels_of(struct lz_alerts *as, const struct lz_alert_record *r,
                                         const struct lz_promql_labels *element)
{
    struct lz_promql_scratch *s = lz_alert_store_scratch(as->store);
    struct lz_promql_labels out = lz_promql_labels_set(s, element, LZ_PROMQL_NAME, r->opts.record);
    for (uint32_t i = 0; i < r->opts.labels.count; i++)
        out =
            lz_promql_labels_set(s, &out, r->opts.labels.all[i].name, r->opts.labels.all[i].value);
    return out;
}

// The rule's labels in place; false where two elements are the same with them.
static bool relabel(struct lz_alerts *as, const struct lz_alert_record *r,
                    struct lz_promql_value *v)
{
    struct lz_promql_groups seen;
    lz_promql_groups_init(&seen, lz_alert_store_scratch(as->store));
    for (uint32_t i = 0; i < v->count; i++) {
        bool fresh = false;
        v->all[i].labels = labels_of(as, r, &v->all[i].labels);
        lz_promql_groups_add(&seen, &v->all[i].labels, &fresh);
        if (!fresh)
            return false;
    }
    return true;
}

static void measure(struct lz_alerts *as, struct lz_alert_record *r,
                    const struct lz_promql_value *v, lz_time now)
{
    struct lz_metrics *m = as->world->metrics;
    double most = (double)NAN;
    for (uint32_t i = 0; i < v->count; i++)
        if (isfinite(v->all[i].value) && !(v->all[i].value <= most))
            most = v->all[i].value;
    lz_metrics_set(m, r->series.elements, now, v->count);
    bool is_hidden = lz_metrics_is_hidden(m, r->value);
    if (isnan(most) && !is_hidden)
        lz_metrics_hide(m, r->value);
    else if (!isnan(most) && is_hidden)
        lz_metrics_show(m, r->value, now, most);
    else if (!isnan(most))
        lz_metrics_set(m, r->series.value, now, most);
}

void lz_alert_record_evaluate(struct lz_alerts *as, struct lz_alert_record *r,
                              const struct lz_alert_expr_when *when)
{
    struct lz_promql_value v;
    struct lz_promql_fault fault;
    struct lz_err err;
    if (!lz_alert_expr_evaluate(r->expr, when, &v, &fault)) {
        fail(as, r, fault.err.msg);
        return;
    }
    if (!relabel(as, r, &v)) {
        fail(as, r, "two elements are the same series once they have the rule's labels");
        return;
    }
    measure(as, r, &v, when->now);
    bool ok = true;
    for (uint32_t i = 0; i < v.count && ok; i++)
        ok = lz_alert_write_sample(&r->writer, &v.all[i].labels, v.all[i].value, &err);
    if (!ok)
        fail(as, r, err.msg);
    lz_alert_write_done(&r->writer);
}
