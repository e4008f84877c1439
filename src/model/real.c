#include "model/real.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/node/instance.h"
#include "model/place.h"
#include "model/service/task.h"

struct series {
    struct lz_measure measure; // first: LZ_MEASURE_AT counts from here
    lz_series up, restarts, value;
};

#define UP_ROW                                                                                     \
    {                                                                                              \
        "up", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, offsetof(struct series, up), 0, 0,                     \
            "1 while it was found to work, else 0"                                                 \
    }

static const struct lz_measure_row process_rows[] = {
    LZ_MEASURE_ROWS,
    UP_ROW,
    {"restarts", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, offsetof(struct series, restarts), 0, 0,
     "times it was started again"},
};
static const struct lz_measure_row endpoint_rows[] = {LZ_MEASURE_ROWS, UP_ROW};
static const struct lz_measure_row probe_rows[] = {
    {"rate", LZ_VIEW_RATE, LZ_UNIT_RATE, LZ_MEASURE_AT(outcomes), 0, 0, "times asked per second"},
    {"errors.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, LZ_MEASURE_AT(failed), LZ_MEASURE_AT(outcomes),
     0, "share of the times that it was not as it should be"},
    {"success.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, LZ_MEASURE_AT(ok), LZ_MEASURE_AT(outcomes), 0,
     "share of the times that it was as it should be"},
    LZ_MEASURE_QUANTILES("latency", LZ_MEASURE_AT(latency), "time from asking to the answer"),
    UP_ROW,
    {"value", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, offsetof(struct series, value), 0, 0,
     "the number that it last gave"},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct real {
    struct lz_measure *measure; // NULL: not observed
    struct series *own;         // of the four kinds
    lz_instance_id leader;      // 0: not known
};

struct lz_reals {
    struct lz_reals_face face; // first: real.h looks here
    struct real *all;          // 1 .. component_count, as far as there are any
    uint32_t cap;
};

static struct lz_reals *reals_of(struct lz_world *w)
{
    if (w->reals == NULL)
        w->reals = lz_arena_alloc(w->arena, sizeof(*w->reals));
    return w->reals;
}

static struct real *real_of(struct lz_world *w, lz_component_id id)
{
    struct lz_reals *rs = reals_of(w);
    LZ_ASSERT(id >= 1 && id <= w->component_count);
    rs->all = lz_grow(w->arena, rs->all, &rs->cap, w->component_count + 1, sizeof(*rs->all));
    return &rs->all[id];
}

void lz_real_live(struct lz_world *w)
{
    LZ_ASSERT(w->component_count == 0);
    reals_of(w)->face.is_live = true;
}

void lz_real_leads(struct lz_world *w, lz_component_id component, lz_instance_id instance)
{
    LZ_ASSERT(lz_real_is_live(w));
    LZ_ASSERT(lz_instance_get(w, instance)->component == component);
    real_of(w, component)->leader = instance;
}

lz_instance_id lz_real_leader(const struct lz_world *w, lz_component_id component)
{
    return w->reals != NULL && component < w->reals->cap ? w->reals->all[component].leader : 0;
}

static void ignore(struct lz_world *w, lz_instance_id id)
{
    (void)w;
    (void)id;
}

static void ignore_death(struct lz_world *w, lz_instance_id id, bool silent)
{
    (void)w;
    (void)id;
    (void)silent;
}

// Its real process does what these would.
static const struct lz_instance_ops instance_ops = {
    .died = ignore_death, .started = ignore, .stopped = ignore, .resumed = ignore};

// Nothing of the model is ever sent to it.
static const struct lz_server_ops server_ops;

// A rule is evaluated in any run, from what is observed.
static bool is_of_rule(const struct lz_world *w, lz_metric id)
{
    lz_component_id of = lz_metrics_component(w->metrics, id);
    return of != 0 && lz_world_component(w, of)->kind >= LZ_COMPONENT_ALERT;
}

static void hide_all(struct lz_world *w, lz_metric first)
{
    size_t count = lz_metrics_count(w->metrics);
    for (lz_metric id = first; id <= count; id++)
        if (!lz_metrics_is_hidden(w->metrics, id) && !is_of_rule(w, id))
            lz_metrics_hide(w->metrics, id);
}

static void define(struct lz_world *w, lz_component_id id, enum lz_component_kind kind)
{
    struct series *s = real_of(w, id)->own = lz_arena_alloc(w->arena, sizeof(*s));
    lz_metric first = (lz_metric)lz_metrics_count(w->metrics) + 1;
    lz_measure_init(w, &s->measure);
    s->up = lz_metrics_gauge(w->metrics, 0.0);
    s->restarts = lz_metrics_counter(w->metrics);
    s->value = lz_metrics_gauge(w->metrics, 0.0);
    if (kind == LZ_COMPONENT_PROCESS)
        lz_measure_define(w, id, "", process_rows, COUNT(process_rows), s);
    else if (kind == LZ_COMPONENT_ENDPOINT)
        lz_measure_define(w, id, "", endpoint_rows, COUNT(endpoint_rows), s);
    else if (kind == LZ_COMPONENT_PROBE)
        lz_measure_define(w, id, "", probe_rows, COUNT(probe_rows), s);
    hide_all(w, first);
}

bool lz_real_create(struct lz_world *w, const char *name, enum lz_component_kind kind,
                    uint32_t line, lz_component_id *id, struct lz_err *err)
{
    LZ_ASSERT(kind >= LZ_COMPONENT_PROCESS && kind <= LZ_COMPONENT_PROMETHEUS);
    if (!lz_world_add(w, name, kind, line, id, err))
        return false;
    bool can_be_hit = kind == LZ_COMPONENT_PROCESS || kind == LZ_COMPONENT_ENDPOINT;
    if (can_be_hit && lz_real_is_live(w))
        lz_instances_add(w, *id, 1, &(struct lz_spread){.host = lz_place_edge_host(w, 0)},
                         &instance_ops);
    if (can_be_hit && lz_real_is_live(w)) // traffic may be declared to go there
        lz_task_serve(w, *id, &server_ops);
    define(w, *id, kind);
    return true;
}

lz_metric lz_real_query(struct lz_world *w, lz_component_id prometheus, const char *name)
{
    LZ_ASSERT(lz_world_component(w, prometheus)->kind == LZ_COMPONENT_PROMETHEUS);
    const struct lz_metric_def def = {.name = lz_arena_strdup(w->arena, name),
                                      .view = LZ_VIEW_LEVEL,
                                      .unit = LZ_UNIT_COUNT,
                                      .a = lz_metrics_gauge(w->metrics, 0.0)};
    lz_metric id = lz_metrics_define(w->metrics, prometheus, &def);
    lz_metrics_hide(w->metrics, id);
    return id;
}

void lz_real_hide(struct lz_world *w)
{
    LZ_ASSERT(lz_real_is_live(w));
    hide_all(w, 1);
}

// What requests alone tell, whoever sees them.
static const char *const measured[] = {
    "rate",        "goodput",     "errors.ratio", "errors.rate", "success.ratio",
    "shed.ratio",  "in_flight",   "latency.mean", "latency.p50", "latency.p90",
    "latency.p95", "latency.p99", "latency.p999", "latency.max"};

bool lz_real_is_measured(const char *metric)
{
    for (size_t i = 0; i < COUNT(measured); i++)
        if (strcmp(measured[i], metric) == 0)
            return true;
    return false;
}

// The series behind the views that each kind has of its requests, whatever struct holds them.
static lz_series series_of(const struct lz_world *w, lz_component_id id, const char *metric)
{
    lz_metric m = lz_metrics_find(w->metrics, id, metric);
    return m != 0 ? lz_metrics_def(w->metrics, m)->a : 0;
}

static lz_series or_new_counter(struct lz_world *w, lz_series s)
{
    return s != 0 ? s : lz_metrics_counter(w->metrics);
}

struct lz_measure *lz_real_observe(struct lz_world *w, lz_component_id id)
{
    struct real *r = real_of(w, id);
    if (r->measure != NULL)
        return r->measure;
    lz_series latency = series_of(w, id, "latency.p99");
    lz_metric errors = lz_metrics_find(w->metrics, id, "errors.ratio");
    if (latency == 0 || errors == 0)
        return NULL;
    struct lz_measure *m = r->measure = lz_arena_alloc(w->arena, sizeof(*m));
    lz_series in_flight = series_of(w, id, "in_flight");
    *m = (struct lz_measure){
        .outcomes = lz_metrics_def(w->metrics, errors)->b,
        .failed = lz_metrics_def(w->metrics, errors)->a,
        .ok = or_new_counter(w, series_of(w, id, "success.ratio")),
        .refused = or_new_counter(w, series_of(w, id, "shed.ratio")),
        .latency = latency,
        .in_flight = in_flight != 0 ? in_flight : lz_metrics_tally(w->metrics),
    };
    m->outcomes_on = lz_metrics_series(w->metrics, m->outcomes, LZ_WINDOW_COUNTER);
    m->ok_on = lz_metrics_series(w->metrics, m->ok, LZ_WINDOW_COUNTER);
    m->latency_on = lz_metrics_series(w->metrics, m->latency, LZ_WINDOW_HIST);
    m->in_flight_on = lz_metrics_series(w->metrics, m->in_flight, LZ_WINDOW_GAUGE);
    for (size_t i = 0; i < COUNT(measured); i++) {
        lz_metric metric = lz_metrics_find(w->metrics, id, measured[i]);
        if (metric != 0 && lz_metrics_is_hidden(w->metrics, metric))
            lz_metrics_show(w->metrics, metric, lz_sim_now(w->sim), 0.0);
    }
    return m;
}

void lz_real_arrived(struct lz_world *w, lz_component_id id)
{
    struct lz_measure *m = real_of(w, id)->measure;
    if (m != NULL)
        lz_measure_arrived(w, m);
}

void lz_real_answered(struct lz_world *w, lz_component_id id, enum lz_outcome outcome,
                      lz_time latency)
{
    struct lz_measure *m = real_of(w, id)->measure;
    reals_of(w)->face.observations++;
    if (m == NULL)
        return;
    if (outcome == LZ_OUTCOME_OK)
        lz_measure_answered(w, m, latency);
    else
        lz_measure_left(w, m, outcome, latency);
}

void lz_real_refused(struct lz_world *w, lz_component_id id)
{
    struct lz_measure *m = real_of(w, id)->measure;
    reals_of(w)->face.observations++;
    if (m != NULL)
        lz_measure_refused(w, m);
}

// A level, from its first reading on.
static void set_level(struct lz_world *w, lz_metric metric, double value)
{
    LZ_ASSERT(metric != 0);
    lz_time now = lz_sim_now(w->sim);
    if (lz_metrics_is_hidden(w->metrics, metric))
        lz_metrics_show(w->metrics, metric, now, value);
    else
        lz_metrics_set(w->metrics, lz_metrics_def(w->metrics, metric)->a, now, value);
}

void lz_real_up(struct lz_world *w, lz_component_id id, bool is_up)
{
    set_level(w, lz_metrics_find(w->metrics, id, "up"), is_up ? 1.0 : 0.0);
    lz_metric restarts = lz_metrics_find(w->metrics, id, "restarts");
    if (restarts != 0 && lz_metrics_is_hidden(w->metrics, restarts))
        lz_metrics_show(w->metrics, restarts, lz_sim_now(w->sim), 0.0);
}

void lz_real_restarted(struct lz_world *w, lz_component_id id)
{
    struct series *s = real_of(w, id)->own;
    LZ_ASSERT(s != NULL);
    lz_metrics_add(w->metrics, s->restarts, 1);
}

void lz_real_probed(struct lz_world *w, lz_component_id id, bool is_good, lz_time latency)
{
    LZ_ASSERT(latency >= 0);
    LZ_ASSERT(lz_world_component(w, id)->kind == LZ_COMPONENT_PROBE);
    if (lz_real_observe(w, id) == NULL)
        return;
    lz_real_arrived(w, id);
    lz_real_answered(w, id, is_good ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR, latency);
}

void lz_real_value(struct lz_world *w, lz_metric metric, double value)
{
    reals_of(w)->face.observations++;
    set_level(w, metric, value);
}

void lz_real_doubt(struct lz_world *w, const char *why)
{
    struct lz_reals *rs = reals_of(w);
    if (rs->face.doubt == NULL)
        rs->face.doubt = lz_arena_strdup(w->arena, why);
}

const struct lz_metric_info *lz_real_process_metrics(size_t *count)
{
    static struct lz_metric_info infos[COUNT(process_rows)];
    return lz_measure_infos(process_rows, COUNT(process_rows), infos, count);
}

const struct lz_metric_info *lz_real_endpoint_metrics(size_t *count)
{
    static struct lz_metric_info infos[COUNT(endpoint_rows)];
    return lz_measure_infos(endpoint_rows, COUNT(endpoint_rows), infos, count);
}

const struct lz_metric_info *lz_real_probe_metrics(size_t *count)
{
    static struct lz_metric_info infos[COUNT(probe_rows)];
    return lz_measure_infos(probe_rows, COUNT(probe_rows), infos, count);
}

// Its queries are metrics of their own, named by the scenario.
const struct lz_metric_info *lz_real_prometheus_metrics(size_t *count)
{
    static const struct lz_metric_info none[1];
    *count = 0;
    return none;
}
