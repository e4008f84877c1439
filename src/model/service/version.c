#include "model/service/version.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/journal.h"
#include "model/service/rollout.h"

struct series {
    struct lz_measure m; // first: the offsets of its rows count from here
    lz_series share;
};

struct version {
    const char *name;
    enum lz_version_fails fails;
    struct series series;
    double error_ratio; // as declared
    double routed;      // by the scenario
    double weight;      // in force
};

// What a fault does to the route (share) or to a version (loss).
struct effect {
    uint32_t id;
    uint32_t number;
    double share;
    struct lz_version_loss loss;
};

struct lz_versions {
    struct version all[LZ_VERSIONS_MAX + 1]; // 1 .. count
    uint32_t count;
    uint32_t first;         // 0: the service as it is declared
    struct effect *effects; // in the order in which they began
    uint32_t effect_count, effect_cap;
    uint32_t last_id;
};

static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"share", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, offsetof(struct series, share), 0, 0,
     "weight of its route: share of the service's requests that are sent to it; with a rollout, of "
     "its ready replicas"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_version_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

static struct version *version_at(const struct lz_service *s, uint32_t number)
{
    LZ_ASSERT(s->versions != NULL);
    LZ_ASSERT(number >= 1 && number <= s->versions->count);
    return &s->versions->all[number];
}

static void make_series(struct lz_world *w, struct lz_service *s, struct version *v)
{
    char prefix[64];
    snprintf(prefix, sizeof(prefix), "version[%s].", v->name);
    lz_measure_init(w, &v->series.m);
    v->series.share = lz_metrics_gauge(w->metrics, 0.0);
    lz_measure_define(w, s->id, prefix, rows, ROW_COUNT, &v->series);
}

bool lz_version_add(struct lz_world *w, lz_component_id service, const struct lz_version_opts *opts,
                    uint32_t *number, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_service *s = lz_service_at(w, service);
    if (opts->fails != LZ_VERSION_FAILS_NOT && s->rollout == NULL)
        return lz_fail(err, LZ_EINVAL,
                       "version %s `fails`, which a rollout would find: give %s rollout = {}",
                       opts->name, s->opts.name);
    if (opts->has_error_ratio && !(opts->error_ratio >= 0.0 && opts->error_ratio <= 1.0))
        return lz_fail(err, LZ_ERANGE, "error_ratio must be between 0 and 1, got %g",
                       opts->error_ratio);
    if (strlen(opts->name) == 0 || strlen(opts->name) > LZ_VERSION_NAME_MAX)
        return lz_fail(err, LZ_ERANGE, "a version's name has 1 to %d bytes, \"%s\" has %zu",
                       LZ_VERSION_NAME_MAX, opts->name, strlen(opts->name));
    if (s->versions == NULL) {
        s->versions = lz_arena_alloc(w->arena, sizeof(*s->versions));
        struct lz_service_build *own = s->builds;
        s->builds = lz_arena_alloc(w->arena, (LZ_VERSIONS_MAX + 1) * sizeof(*s->builds));
        s->builds[0] = *own;
    }
    struct lz_versions *vs = s->versions;
    if (vs->count == LZ_VERSIONS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d versions of a service", LZ_VERSIONS_MAX);
    struct version *v = &vs->all[++vs->count];
    v->name = lz_arena_strdup(w->arena, opts->name);
    v->fails = opts->fails;
    v->error_ratio = opts->has_error_ratio ? opts->error_ratio : s->opts.error_ratio;
    struct lz_service_build *b = &s->builds[vs->count];
    *b = s->builds[0];
    b->error_ratio = v->error_ratio;
    if (opts->service_time.kind != LZ_DIST_NONE)
        b->service_time = opts->service_time;
    if (opts->cpu_time.kind != LZ_DIST_NONE)
        b->cpu_time = opts->cpu_time;
    make_series(w, s, v);
    *number = vs->count;
    return true;
}

// The weights in force: what is routed, with each takeover on top of those before it.
static void weigh(struct lz_world *w, struct lz_service *s)
{
    struct lz_versions *vs = s->versions;
    double rest = 1.0;
    for (uint32_t i = 1; i <= vs->count; i++) {
        vs->all[i].weight = i == vs->first ? 0.0 : vs->all[i].routed;
        rest -= vs->all[i].weight;
    }
    if (vs->first != 0)
        vs->all[vs->first].weight = rest > 0.0 ? rest : 0.0;
    for (uint32_t e = 0; e < vs->effect_count; e++) {
        double share = vs->effects[e].share;
        if (!(share > 0.0))
            continue;
        for (uint32_t i = 1; i <= vs->count; i++)
            vs->all[i].weight *= 1.0 - share;
        vs->all[vs->effects[e].number].weight += share;
    }
    for (uint32_t i = 1; i <= vs->count && (s->rollout == NULL || !w->running); i++)
        lz_metrics_set(w->metrics, vs->all[i].series.share, lz_sim_now(w->sim), vs->all[i].weight);
}

void lz_version_set_first(struct lz_world *w, lz_component_id service, uint32_t number)
{
    LZ_ASSERT(!w->running);
    struct lz_service *s = lz_service_at(w, service);
    LZ_ASSERT(version_at(s, number)->name != NULL);
    s->versions->first = number;
    if (s->rollout != NULL)
        lz_rollout_set_first(s, number);
    weigh(w, s);
}

uint32_t lz_version_find(const struct lz_world *w, lz_component_id service, const char *name)
{
    const struct lz_versions *vs = lz_service_at(w, service)->versions;
    for (uint32_t i = 1; vs != NULL && i <= vs->count; i++)
        if (strcmp(vs->all[i].name, name) == 0)
            return i;
    return 0;
}

// "v1 95%, v2 5%", of those that serve anything; the journal cuts what is too long.
static void describe(const struct lz_versions *vs, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 1; i <= vs->count && len + 1 < size; i++) {
        if (!(vs->all[i].weight > 0.0))
            continue;
        int n = snprintf(out + len, size - len, "%s%s %.4g%%", len > 0 ? ", " : "", vs->all[i].name,
                         vs->all[i].weight * 100.0);
        len += n > 0 ? (size_t)n : 0;
    }
}

bool lz_version_route(struct lz_world *w, lz_component_id service, const double *shares,
                      uint32_t count, struct lz_err *err)
{
    struct lz_service *s = lz_service_at(w, service);
    struct lz_versions *vs = s->versions;
    if (vs == NULL)
        return lz_fail(err, LZ_EINVAL, "%s has no versions to route to", s->opts.name);
    if (s->rollout != NULL)
        return lz_fail(err, LZ_EINVAL,
                       "%s is rolled out: its requests go by what its pods are made from; write "
                       "%s:deploy \"%s\"",
                       s->opts.name, s->opts.name, vs->all[1].name);
    LZ_ASSERT(count == vs->count);
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        LZ_ASSERT(shares[i] >= 0.0 && shares[i] <= 1.0);
        sum += shares[i];
    }
    if (sum > 1.0 + 1e-9)
        return lz_fail(err, LZ_ERANGE, "the shares of %s add up to %.6g%%, at most 100%% is there",
                       s->opts.name, sum * 100.0);
    for (uint32_t i = 0; i < count; i++)
        vs->all[i + 1].routed = shares[i];
    weigh(w, s);
    char text[100];
    describe(vs, text, sizeof(text));
    lz_journal_add(w, &(struct lz_journal_entry){.component = s->id, .kind = "route"},
                   "%s routes %s", s->opts.name, text[0] != '\0' ? text : "to no version");
    return true;
}

// A version's build: as declared, made worse by what is active.
static void worsen(struct lz_service *s, uint32_t number)
{
    const struct lz_versions *vs = s->versions;
    double factor = 1.0, right = 1.0 - vs->all[number].error_ratio;
    bool is_worse = false;
    for (uint32_t e = 0; e < vs->effect_count; e++) {
        const struct lz_version_loss *l = &vs->effects[e].loss;
        if (vs->effects[e].number != number || !(l->factor > 0.0))
            continue;
        factor *= l->factor;
        right *= 1.0 - l->error_ratio;
        is_worse = true;
    }
    s->builds[number].factor = factor;
    s->builds[number].error_ratio = is_worse ? 1.0 - right : vs->all[number].error_ratio;
}

static uint32_t add_effect(struct lz_world *w, struct lz_versions *vs, const struct effect *effect)
{
    vs->effects =
        lz_grow(w->arena, vs->effects, &vs->effect_cap, vs->effect_count + 1, sizeof(*vs->effects));
    vs->effects[vs->effect_count] = *effect;
    vs->effects[vs->effect_count++].id = ++vs->last_id;
    return vs->last_id;
}

static uint32_t find_effect(const struct lz_versions *vs, uint32_t id)
{
    uint32_t e = 0;
    while (e < vs->effect_count && vs->effects[e].id != id)
        e++;
    LZ_ASSERT(e < vs->effect_count);
    return e;
}

uint32_t lz_version_take(struct lz_world *w, lz_component_id service, uint32_t number, double share,
                         uint64_t *touched)
{
    LZ_ASSERT(share >= 0.0 && share <= 1.0);
    struct lz_service *s = lz_service_at(w, service);
    LZ_ASSERT(version_at(s, number)->name != NULL);
    struct effect e = {.number = number, .share = share, .loss = {.touched = touched}};
    uint32_t id = add_effect(w, s->versions, &e);
    weigh(w, s);
    return id;
}

void lz_version_set_share(struct lz_world *w, lz_component_id service, uint32_t id, double share)
{
    LZ_ASSERT(share >= 0.0 && share <= 1.0);
    struct lz_service *s = lz_service_at(w, service);
    s->versions->effects[find_effect(s->versions, id)].share = share;
    weigh(w, s);
}

uint32_t lz_version_degrade(struct lz_world *w, lz_component_id service, uint32_t number,
                            const struct lz_version_loss *loss)
{
    LZ_ASSERT(loss->factor > 0.0);
    LZ_ASSERT(loss->error_ratio >= 0.0 && loss->error_ratio <= 1.0);
    struct lz_service *s = lz_service_at(w, service);
    LZ_ASSERT(version_at(s, number)->name != NULL);
    uint32_t id = add_effect(w, s->versions, &(struct effect){.number = number, .loss = *loss});
    worsen(s, number);
    return id;
}

void lz_version_undo(struct lz_world *w, lz_component_id service, uint32_t id)
{
    struct lz_service *s = lz_service_at(w, service);
    struct lz_versions *vs = s->versions;
    uint32_t at = find_effect(vs, id), number = vs->effects[at].number;
    vs->effect_count--;
    for (uint32_t e = at; e < vs->effect_count; e++)
        vs->effects[e] = vs->effects[e + 1];
    worsen(s, number);
    weigh(w, s);
}

lz_metric lz_version_metric(const struct lz_world *w, lz_component_id service, uint32_t number,
                            const char *name)
{
    char full[160];
    const struct version *v = version_at(lz_service_at(w, service), number);
    snprintf(full, sizeof(full), "version[%s].%s", v->name, name);
    return lz_metrics_find(w->metrics, service, full);
}

void lz_version_counted(struct lz_world *w, const struct lz_service *s, const uint32_t *ready)
{
    struct lz_versions *vs = s->versions;
    uint32_t all = ready[0];
    for (uint32_t i = 1; i <= vs->count; i++)
        all += ready[i];
    for (uint32_t i = 1; i <= vs->count; i++)
        lz_metrics_set(w->metrics, vs->all[i].series.share, lz_sim_now(w->sim),
                       all > 0 ? (double)ready[i] / (double)all : 0.0);
}

const char *lz_version_name(const struct lz_service *s, uint32_t number)
{
    return version_at(s, number)->name;
}

enum lz_version_fails lz_version_fails(const struct lz_service *s, uint32_t number)
{
    return version_at(s, number)->fails;
}

void lz_version_began(const struct lz_service *s, uint32_t number)
{
    const struct lz_versions *vs = s->versions;
    for (uint32_t e = 0; vs != NULL && e < vs->effect_count; e++)
        if (vs->effects[e].number == number && vs->effects[e].loss.touched != NULL)
            (*vs->effects[e].loss.touched)++;
}

// One number against the weights, those of the first version last: a share that grows keeps
// the requests it had.
static uint32_t choose(struct lz_world *w, const struct lz_versions *vs, const struct lz_task *t)
{
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_VERSION, 0);
    double u = lz_draw_unit(&draw);
    double sum = 0.0;
    for (uint32_t i = 1; i <= vs->count; i++) {
        sum += i != vs->first ? vs->all[i].weight : 0.0;
        if (i != vs->first && u < sum)
            return i;
    }
    return vs->first;
}

void lz_version_arrived(struct lz_world *w, struct lz_service *s, struct lz_task *t)
{
    struct lz_versions *vs = s->versions;
    t->version = s->rollout != NULL ? lz_pods_at(s, t->server - s->first)->version
                                    : (uint8_t)choose(w, vs, t);
    for (uint32_t e = 0; e < vs->effect_count; e++)
        if (vs->effects[e].number == t->version && vs->effects[e].loss.touched != NULL)
            (*vs->effects[e].loss.touched)++;
    if (t->version != 0)
        lz_measure_arrived(w, &vs->all[t->version].series.m);
}

void lz_version_left(struct lz_world *w, struct lz_service *s, const struct lz_task *t,
                     enum lz_outcome outcome)
{
    if (t->version != 0)
        lz_measure_left(w, &version_at(s, t->version)->series.m, outcome,
                        lz_sim_now(w->sim) - t->arrived);
}
