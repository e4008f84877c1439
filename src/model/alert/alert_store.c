#include "model/alert/alert_store.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/alert/alert_ring.h"
#include "model/alert/alert_scrape.h"

struct kept {
    struct lz_alert_export what;
    struct lz_alert_ring ring;
    bool is_there; // its last sample was one
};

struct lz_alert_store {
    struct lz_world *world;
    lz_time interval;
    struct lz_promql_scratch lasting, scratch;
    struct lz_alert_export *exports; // all there are for the rule that asks; in `scratch`
    uint32_t export_count;
    struct kept *all;
    uint32_t count, cap;
    bool is_settled; // `exports` are those of the whole run
    lz_component_id *targets;
    uint32_t target_count, target_cap;
    struct lz_promql_store samples;
};

static int64_t ms_of(lz_time t)
{
    return t / LZ_MS;
}

// ---------------------------------------------------------------- for PromQL

static uint32_t count(void *ctx)
{
    return ((struct lz_alert_store *)ctx)->count;
}

static struct lz_promql_labels labels(void *ctx, uint32_t series)
{
    struct lz_alert_store *store = ctx;
    LZ_ASSERT(series < store->count);
    return store->all[series].what.labels;
}

static const struct lz_promql_point *samples(void *ctx, uint32_t series, int64_t after_ms,
                                             int64_t until_ms, struct lz_promql_scratch *s,
                                             uint32_t *out_count)
{
    struct lz_alert_store *store = ctx;
    LZ_ASSERT(series < store->count);
    (void)s; // nothing is copied
    return lz_alert_ring_range(&store->all[series].ring, after_ms, until_ms, out_count);
}

struct lz_alert_store *lz_alert_store_create(struct lz_world *w, lz_time interval)
{
    LZ_ASSERT(interval > 0);
    struct lz_alert_store *store = lz_arena_alloc(w->arena, sizeof(*store));
    store->world = w;
    store->interval = interval;
    lz_promql_scratch_init(&store->lasting, w->arena);
    lz_promql_scratch_init(&store->scratch, w->arena);
    store->samples = (struct lz_promql_store){
        .ctx = store, .count = count, .labels = labels, .samples = samples};
    return store;
}

const struct lz_promql_store *lz_alert_store_samples(const struct lz_alert_store *store)
{
    return &store->samples;
}

struct lz_promql_scratch *lz_alert_store_scratch(struct lz_alert_store *store)
{
    return &store->scratch;
}

// ---------------------------------------------------------------- what is wanted

static const char *name_of(const struct lz_alert_export *x)
{
    return lz_promql_labels_get(&x->labels, LZ_PROMQL_NAME);
}

// How many letters two names have in common at their beginnings and at their ends.
static size_t in_common(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), n = 0, m = 0;
    while (n < la && n < lb && a[n] == b[n])
        n++;
    while (m < la - n && m < lb - n && a[la - 1 - m] == b[lb - 1 - m])
        m++;
    return n + m;
}

static bool refuse_name(const struct lz_alert_store *store, const char *name, struct lz_err *err)
{
    const char *nearest = NULL;
    size_t best = 0;
    for (uint32_t i = 0; i < store->export_count; i++) {
        const char *other = name_of(&store->exports[i]);
        size_t same = 2 * in_common(name, other);
        same = same > strlen(other) ? same - strlen(other) : 0;
        if (same > best) {
            best = same;
            nearest = other;
        }
    }
    if (nearest == NULL)
        return lz_fail(err, LZ_ENOENT, "`expr`: no component has the metric %s", name);
    return lz_fail(err, LZ_ENOENT,
                   "`expr`: no component has the metric %s; the nearest is %s, and `lorenz explain "
                   "alert` says how metrics are called",
                   name, nearest);
}

static bool check_names(struct lz_alert_store *store, const struct lz_promql_query *q,
                        struct lz_err *err)
{
    const struct lz_promql_wanted *wanted = NULL;
    uint32_t n = lz_promql_query_wanted(q, &store->scratch, &wanted);
    for (uint32_t i = 0; i < n; i++) {
        bool known = wanted[i].name == NULL;
        for (uint32_t k = 0; k < store->export_count && !known; k++)
            known = strcmp(name_of(&store->exports[k]), wanted[i].name) == 0;
        if (!known)
            return refuse_name(store, wanted[i].name, err);
    }
    return true;
}

static void add_target(struct lz_alert_store *store, lz_component_id of)
{
    for (uint32_t i = 0; i < store->target_count; i++)
        if (store->targets[i] == of)
            return;
    store->targets = lz_grow(store->world->arena, store->targets, &store->target_cap,
                             store->target_count + 1, sizeof(*store->targets));
    store->targets[store->target_count++] = of;
}

static struct lz_promql_labels copied(struct lz_alert_store *store,
                                      const struct lz_promql_labels *l)
{
    struct lz_promql_label *all =
        lz_promql_scratch_alloc(&store->lasting, (l->count + 1) * sizeof(*all));
    for (uint32_t i = 0; i < l->count; i++)
        all[i] = (struct lz_promql_label){
            lz_promql_scratch_text(&store->lasting, l->all[i].name, strlen(l->all[i].name)),
            lz_promql_scratch_text(&store->lasting, l->all[i].value, strlen(l->all[i].value))};
    return (struct lz_promql_labels){all, l->count};
}

static struct kept *kept_of(struct lz_alert_store *store, const struct lz_alert_export *x)
{
    for (uint32_t i = 0; i < store->count; i++)
        if (store->all[i].what.metric == x->metric &&
            lz_promql_labels_compare(&store->all[i].what.labels, &x->labels) == 0)
            return &store->all[i];
    store->all = lz_grow(store->world->arena, store->all, &store->cap, store->count + 1,
                         sizeof(*store->all));
    store->all[store->count] = (struct kept){.what = *x};
    store->all[store->count].what.labels = copied(store, &x->labels);
    add_target(store, x->of);
    store->all[store->count].what.windows =
        lz_alert_scrape_windows(lz_metrics_def(store->world->metrics, x->metric), store->interval);
    lz_alert_export_heed(store->world, &store->all[store->count].what);
    return &store->all[store->count++];
}

static bool widen(struct lz_alert_store *store, struct kept *k, const struct lz_promql_reach *reach,
                  struct lz_err *err)
{
    int64_t end_ms = ms_of(store->world->end), reach_ms = reach->back_ms;
    int64_t from_ms = reach->from_ms > 0 ? reach->from_ms : 0;
    if (from_ms < end_ms && end_ms - from_ms > reach_ms) // what `@` names is kept to the end
        reach_ms = end_ms - from_ms;
    int64_t held = reach_ms / (store->interval / LZ_MS > 0 ? store->interval / LZ_MS : 1) + 2;
    if (held > LZ_ALERT_SAMPLES_MAX)
        return lz_fail(err, LZ_EFULL,
                       "`expr` looks back %gs, which holds %lld scrapes; %d are allowed",
                       (double)reach_ms / 1e3, (long long)held, LZ_ALERT_SAMPLES_MAX);
    lz_alert_ring_widen(&k->ring, (uint32_t)held);
    return true;
}

static void list_exports(struct lz_alert_store *store)
{
    lz_promql_scratch_reset(&store->scratch);
    store->export_count = lz_alert_export_all(store->world, &store->scratch, &store->exports);
}

void lz_alert_store_settle(struct lz_alert_store *store)
{
    LZ_ASSERT(!store->is_settled);
    list_exports(store);
    store->is_settled = true;
}

bool lz_alert_store_want(struct lz_alert_store *store, const struct lz_promql_query *q,
                         struct lz_err *err)
{
    if (!store->is_settled) {
        list_exports(store);
        if (!check_names(store, q, err))
            return false;
    }
    const struct lz_promql_reach reach = lz_promql_query_reach(q);
    for (uint32_t i = 0; i < store->export_count; i++) {
        const struct lz_alert_export *x = &store->exports[i];
        if (!lz_promql_query_wants(q, &x->labels))
            continue;
        if (store->count == LZ_ALERT_STORE_SERIES_MAX)
            return lz_fail(err, LZ_EFULL, "`expr` selects more than %d series",
                           LZ_ALERT_STORE_SERIES_MAX);
        if (!widen(store, kept_of(store, x), &reach, err))
            return false;
    }
    return true;
}

lz_component_id lz_alert_store_target(const struct lz_alert_store *store, uint32_t i)
{
    return i < store->target_count ? store->targets[i] : 0;
}

bool lz_alert_store_is_of(const struct lz_alert_store *store, const struct lz_promql_query *q,
                          lz_component_id of)
{
    for (uint32_t i = 0; i < store->count; i++)
        if (store->all[i].what.of == of && lz_promql_query_wants(q, &store->all[i].what.labels))
            return true;
    return false;
}

// ---------------------------------------------------------------- scrapes

void lz_alert_store_scrape(struct lz_alert_store *store, lz_component_id of, bool is_lost)
{
    int64_t now = ms_of(lz_sim_now(store->world->sim));
    for (uint32_t i = 0; i < store->count; i++) {
        struct kept *k = &store->all[i];
        double value = 0.0;
        if (k->what.of != of)
            continue;
        bool has = !is_lost && lz_alert_export_read(store->world, &k->what, &value);
        if (has || k->is_there)
            lz_alert_ring_put(store->world->arena, &k->ring, now, has ? value : lz_promql_stale());
        k->is_there = has;
    }
}
