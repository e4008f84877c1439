#include "model/alert/alert_export.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/exposition.h"
#include "model/alert/alert_scrape.h"
#include "model/node/instance.h"
#include "model/real.h"
#include "model/service/pods.h"

#define NAME_MAX_BYTES 200

// Of Prometheus' client libraries (DefBuckets), and two below them: here much takes 1 ms.
static const struct {
    const char *le;
    int64_t ns;
} buckets[] = {
    {"0.001", LZ_MS},      {"0.0025", 2500000},  {"0.005", 5 * LZ_MS},  {"0.01", 10 * LZ_MS},
    {"0.025", 25 * LZ_MS}, {"0.05", 50 * LZ_MS}, {"0.1", 100 * LZ_MS},  {"0.25", 250 * LZ_MS},
    {"0.5", 500 * LZ_MS},  {"1", LZ_S},          {"2.5", 2500 * LZ_MS}, {"5", 5 * LZ_S},
    {"10", 10 * LZ_S},     {"+Inf", INT64_MAX},
};
#define BUCKETS (sizeof(buckets) / sizeof(buckets[0]))

static const char *name_of(struct lz_promql_scratch *s, const char *name, const char *unit)
{
    struct lz_str out;
    lz_str_init(&out);
    lz_exposition_name(&out, name, unit);
    const char *text = lz_promql_scratch_text(s, out.text, out.len);
    lz_str_finish(&out);
    return text;
}

static const char *unit_name(enum lz_unit unit)
{
    return lz_exposition_unit(unit == LZ_UNIT_SECONDS ? "s"
                              : unit == LZ_UNIT_BYTES ? "B"
                              : unit == LZ_UNIT_RATIO ? "ratio"
                              : unit == LZ_UNIT_RATE  ? "/s"
                                                      : "");
}

// ---------------------------------------------------------------- what there is

struct list {
    const struct lz_world *w;
    struct lz_promql_scratch *scratch;
    struct lz_promql_groups seen;
    struct lz_alert_export *all;
    uint32_t count, cap;
};

static void add_with(struct list *l, const char *name, const struct lz_promql_label *more,
                     struct lz_alert_export x)
{
    struct lz_promql_labels labels = {0};
    bool fresh = false;
    if (x.of == 0)
        x.of = lz_metrics_component(l->w->metrics, x.metric);
    labels = lz_promql_labels_set(l->scratch, &labels, "component",
                                  lz_world_component(l->w, x.of)->name);
    labels = lz_promql_labels_set(l->scratch, &labels, LZ_PROMQL_NAME, name);
    if (more != NULL)
        labels = lz_promql_labels_set(l->scratch, &labels, more->name, more->value);
    lz_promql_groups_add(&l->seen, &labels, &fresh);
    if (!fresh) // seven quantiles are of one histogram
        return;
    x.labels = labels;
    l->all = lz_promql_scratch_grow(l->scratch, l->all, &l->cap, l->count + 1, sizeof(*l->all));
    l->all[l->count++] = x;
}

static void add(struct list *l, const char *name, struct lz_alert_export x)
{
    add_with(l, name, NULL, x);
}

// "errors" of errors.rate; `rate` and `ratio` alone are about requests.
static void stem_of(const char *name, char out[NAME_MAX_BYTES])
{
    const char *dot = strrchr(name, '.');
    bool is_alone = strcmp(name, "rate") == 0 || strcmp(name, "ratio") == 0;
    bool is_view = dot != NULL && (strcmp(dot, ".rate") == 0 || strcmp(dot, ".ratio") == 0);
    size_t len = is_view ? (size_t)(dot - name) : strlen(name);
    snprintf(out, NAME_MAX_BYTES, "%.*s", (int)(is_alone ? 8 : len), is_alone ? "requests" : name);
}

static void add_counter(struct list *l, lz_metric id, const char *stem, const char *end,
                        lz_series series)
{
    char name[NAME_MAX_BYTES + 16];
    snprintf(name, sizeof(name), "%s_%s", stem, end);
    const struct lz_metric_def *def = lz_metrics_def(l->w->metrics, id);
    add(l, name_of(l->scratch, name, ""),
        (struct lz_alert_export){
            .kind = LZ_ALERT_EXPORT_TOTAL,
            .metric = id,
            .series = series,
            .unit = def->view == LZ_VIEW_TOTAL && def->unit == LZ_UNIT_SECONDS ? 1e9 : 1.0});
}

static void add_histogram(struct list *l, lz_metric id, const struct lz_metric_def *def)
{
    const char *dot = strrchr(def->name, '.');
    char stem[NAME_MAX_BYTES], name[NAME_MAX_BYTES + 16];
    size_t len = dot != NULL ? (size_t)(dot - def->name) : strlen(def->name);
    struct lz_alert_export x = {.metric = id, .series = def->a, .unit = 1.0};
    if (def->unit == LZ_UNIT_SECONDS)
        x.unit = 1e9;
    snprintf(stem, sizeof(stem), "%.*s", (int)len, def->name);
    const char *base = name_of(l->scratch, stem, unit_name(def->unit));
    for (size_t i = 0; i < BUCKETS && def->unit == LZ_UNIT_SECONDS; i++) {
        snprintf(name, sizeof(name), "%s_bucket", base);
        x.kind = LZ_ALERT_EXPORT_BUCKET;
        x.bound = buckets[i].ns;
        add_with(l, lz_promql_scratch_text(l->scratch, name, strlen(name)),
                 &(struct lz_promql_label){"le", buckets[i].le}, x);
    }
    x.kind = LZ_ALERT_EXPORT_SUM;
    snprintf(name, sizeof(name), "%s_sum", base);
    add(l, lz_promql_scratch_text(l->scratch, name, strlen(name)), x);
    x.kind = LZ_ALERT_EXPORT_SEEN;
    snprintf(name, sizeof(name), "%s_count", base);
    add(l, lz_promql_scratch_text(l->scratch, name, strlen(name)), x);
}

// Of a component's ratio or rate of that name; 0: it does not count that.
static lz_series counted(const struct list *l, lz_component_id of, const char *name)
{
    lz_metric id = lz_world_metric(l->w, of, name);
    return id != 0 ? lz_metrics_def(l->w->metrics, id)->a : 0;
}

// How requests ended, each in one way: what failed is refusals and timeouts too.
static void add_outcomes(struct list *l, lz_metric id, const struct lz_metric_def *def)
{
    lz_component_id of = lz_metrics_component(l->w->metrics, id);
    lz_series ok = counted(l, of, "success.ratio"), refused = counted(l, of, "shed.ratio");
    lz_series timeout = counted(l, of, "timeouts.rate");
    if (strcmp(def->name, "errors.ratio") != 0 || ok == 0)
        return;
    const struct {
        const char *outcome;
        lz_series all, less[LZ_ALERT_EXPORT_LESS_MAX];
    } ends[] = {{"ok", ok, {0}},
                {"failed", def->a, {refused, timeout}},
                {"refused", refused, {0}},
                {"timeout", timeout, {0}}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends[i].all != 0)
            add_with(l, "lorenz_outcomes_total",
                     &(struct lz_promql_label){"outcome", ends[i].outcome},
                     (struct lz_alert_export){.kind = LZ_ALERT_EXPORT_TOTAL,
                                              .metric = id,
                                              .series = ends[i].all,
                                              .less = {ends[i].less[0], ends[i].less[1]},
                                              .unit = 1.0});
}

static void add_parts(struct list *l, lz_metric id, const struct lz_metric_def *def)
{
    char stem[NAME_MAX_BYTES];
    stem_of(def->name, stem);
    switch (def->view) {
    case LZ_VIEW_LEVEL:
        return;
    case LZ_VIEW_RATE:
    case LZ_VIEW_TOTAL:
        add_counter(l, id, stem, "total", def->a);
        return;
    case LZ_VIEW_RATIO:
        add_counter(l, id, stem, "total", def->a);
        add_counter(l, id, stem, "of_total", def->b);
        add_outcomes(l, id, def);
        return;
    case LZ_VIEW_MEAN:
    case LZ_VIEW_MAX:
    case LZ_VIEW_QUANTILE:
        add_histogram(l, id, def);
        return;
    }
}

// What is scraped by itself: a link is measured by those at its ends, a topic by its broker, and
// what rules do is Prometheus' own.
static bool is_target(const struct lz_component *c)
{
    return c->kind != LZ_COMPONENT_LINK && c->kind != LZ_COMPONENT_TOPIC &&
           c->kind != LZ_COMPONENT_ALERT && c->kind != LZ_COMPONENT_RULE;
}

static void add_up(struct list *l, lz_component_id of)
{
    const struct lz_component *c = lz_world_component(l->w, of);
    char name[NAME_MAX_BYTES];
    struct lz_alert_export x = {.kind = LZ_ALERT_EXPORT_UP, .of = of, .unit = 1.0};
    if ((c->kind >= LZ_COMPONENT_PROCESS && c->kind <= LZ_COMPONENT_PROMETHEUS)) {
        x.metric = lz_world_metric(l->w, of, "up");
        x.series = x.metric != 0 ? lz_metrics_def(l->w->metrics, x.metric)->a : 0;
    }
    for (uint32_t i = 0; i < c->instance_count || i == 0; i++) {
        snprintf(name, sizeof(name), "%s", c->name);
        if (c->instance_count > 0) {
            x.instance = c->instances_first + i;
            lz_instance_describe(l->w, x.instance, name, sizeof(name));
        }
        add_with(l, LZ_ALERT_EXPORT_UP_NAME,
                 &(struct lz_promql_label){"instance",
                                           lz_promql_scratch_text(l->scratch, name, strlen(name))},
                 x);
    }
}

uint32_t lz_alert_export_all(const struct lz_world *w, struct lz_promql_scratch *s, bool has_up,
                             struct lz_alert_export **out)
{
    struct list l = {.w = w, .scratch = s};
    lz_promql_groups_init(&l.seen, s);
    for (lz_metric id = 1; id <= lz_metrics_count(w->metrics); id++) {
        const struct lz_metric_def *def = lz_metrics_def(w->metrics, id);
        if (lz_metrics_component(w->metrics, id) == 0)
            continue;
        bool is_level = lz_alert_scrape_is_level(def);
        bool is_total = def->view == LZ_VIEW_TOTAL;
        struct lz_alert_export x = {.metric = id, .series = def->a, .unit = 1.0};
        x.kind = is_level   ? LZ_ALERT_EXPORT_LEVEL
                 : is_total ? LZ_ALERT_EXPORT_TOTAL
                            : LZ_ALERT_EXPORT_WINDOW;
        if (is_total && def->unit == LZ_UNIT_SECONDS)
            x.unit = 1e9;
        add(&l, name_of(s, def->name, unit_name(def->unit)), x);
        add_parts(&l, id, def);
    }
    for (lz_component_id of = 1; has_up && of <= w->component_count; of++)
        if (is_target(lz_world_component(w, of)))
            add_up(&l, of);
    *out = l.all;
    return l.count;
}

// ---------------------------------------------------------------- what is read

void lz_alert_export_heed(const struct lz_world *w, const struct lz_alert_export *x)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(x->windows > 0);
    if (x->kind == LZ_ALERT_EXPORT_UP && x->metric == 0)
        return;
    if (x->kind == LZ_ALERT_EXPORT_WINDOW)
        lz_metrics_keep(w->metrics, x->metric, x->windows);
    else
        lz_metrics_heed(w->metrics, x->series);
    for (int i = 0; i < LZ_ALERT_EXPORT_LESS_MAX; i++)
        if (x->less[i] != 0)
            lz_metrics_heed(w->metrics, x->less[i]);
}

static uint64_t total_of(const struct lz_metrics *m, const struct lz_alert_export *x)
{
    uint64_t total = lz_metrics_total(m, x->series);
    for (int i = 0; i < LZ_ALERT_EXPORT_LESS_MAX; i++) {
        uint64_t less = x->less[i] != 0 ? lz_metrics_total(m, x->less[i]) : 0;
        LZ_ASSERT(less <= total);
        total -= less;
    }
    return total;
}

// A process that starts, stops, stands still or is gone does not answer. A place in which there is
// no replica is no target. In a live run nobody knows what a model's processes do.
static bool read_up(const struct lz_world *w, const struct lz_alert_export *x, double *out)
{
    bool is_observed = x->metric != 0;
    if (is_observed && lz_metrics_is_hidden(w->metrics, x->metric))
        return false;
    if (!is_observed &&
        (lz_real_is_live(w) || (x->instance != 0 && lz_pods_is_empty(w, x->instance))))
        return false;
    *out = is_observed ? lz_metrics_level(w->metrics, x->series)
           : x->instance == 0 || lz_instance_is_up(lz_instance_get(w, x->instance)) ? 1.0
                                                                                    : 0.0;
    return true;
}

bool lz_alert_export_read(const struct lz_world *w, const struct lz_alert_export *x, double *out)
{
    const struct lz_metrics *m = w->metrics;
    if (x->kind == LZ_ALERT_EXPORT_UP)
        return read_up(w, x, out);
    if (lz_metrics_is_hidden(m, x->metric))
        return false;
    struct lz_sample v = {.present = true};
    switch (x->kind) {
    case LZ_ALERT_EXPORT_WINDOW:
        v = lz_metrics_window(m, x->metric, x->windows);
        *out = v.value;
        return v.present;
    case LZ_ALERT_EXPORT_LEVEL:
        *out = lz_metrics_level(m, x->series);
        return true;
    case LZ_ALERT_EXPORT_TOTAL:
        *out = (double)total_of(m, x) / x->unit;
        return true;
    case LZ_ALERT_EXPORT_BUCKET:
        *out = (double)lz_metrics_at_most(m, x->series, x->bound);
        return true;
    case LZ_ALERT_EXPORT_SUM:
        *out = lz_metrics_sum(m, x->series) / x->unit;
        return true;
    case LZ_ALERT_EXPORT_SEEN:
        *out = (double)lz_metrics_seen(m, x->series);
        return true;
    case LZ_ALERT_EXPORT_UP:
        break;
    }
    LZ_ASSERT(false);
    return false;
}
