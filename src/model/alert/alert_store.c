#include "model/alert/alert_store.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/alert/alert_ring.h"
#include "model/alert/alert_scrape.h"

struct lz_alert_kept {
    struct lz_alert_export what; // of what a rule writes the labels alone
    struct lz_alert_ring ring;
    int64_t reach_ms;   // WRITTEN: how long somebody looks back to it
    int64_t written_ms; // its last sample that is none of its end
    bool is_there;      // its last sample was one
    uint32_t writers;   // WRITTEN: evaluations that have yet to end it
};

// Who asks, and what rules will write.
struct asking {
    const struct lz_promql_query *query;
    struct lz_promql_reach reach;
};

struct promised {
    const char *name;
    lz_time interval;
};

struct lz_alert_store {
    struct lz_world *world;
    lz_time interval;
    struct lz_promql_scratch lasting, scratch;
    struct lz_alert_export *exports; // all there are for the rule that asks; in `scratch`
    uint32_t export_count;
    struct lz_alert_kept *all;
    uint32_t count, cap;
    struct lz_alert_kept **written; // behind `all`, in the order of their labels
    uint32_t written_count, written_cap;
    struct asking *asking;
    uint32_t asking_count, asking_cap;
    struct promised *promised;
    uint32_t promised_count, promised_cap;
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
    const struct lz_alert_store *store = ctx;
    return store->count + store->written_count;
}

static const struct lz_alert_kept *series_at(const struct lz_alert_store *store, uint32_t series)
{
    LZ_ASSERT(series < store->count + store->written_count);
    return series < store->count ? &store->all[series] : store->written[series - store->count];
}

static struct lz_promql_labels labels(void *ctx, uint32_t series)
{
    return series_at(ctx, series)->what.labels;
}

static const struct lz_promql_point *samples(void *ctx, uint32_t series, int64_t after_ms,
                                             int64_t until_ms, struct lz_promql_scratch *s,
                                             uint32_t *out_count)
{
    (void)s; // nothing is copied
    return lz_alert_ring_range(&series_at(ctx, series)->ring, after_ms, until_ms, out_count);
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

struct lz_arena *lz_alert_store_arena(const struct lz_alert_store *store)
{
    return store->world->arena;
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

// The i-th of all names there are; NULL behind the last.
static const char *known_name(const struct lz_alert_store *store, uint32_t i)
{
    if (i < store->export_count)
        return name_of(&store->exports[i]);
    i -= store->export_count;
    return i < store->promised_count ? store->promised[i].name : NULL;
}

static bool refuse_name(const struct lz_alert_store *store, const char *name, struct lz_err *err)
{
    const char *nearest = NULL, *other = NULL;
    size_t best = 0;
    for (uint32_t i = 0; (other = known_name(store, i)) != NULL; i++) {
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

// Whether anything exported under that name has the label; `others` are those that it has.
static bool has_label(const struct lz_alert_store *store, const char *name, const char *label,
                      struct lz_str *others)
{
    struct lz_promql_groups seen;
    lz_promql_groups_init(&seen, (struct lz_promql_scratch *)(uintptr_t)&store->scratch);
    for (uint32_t i = 0; i < store->export_count; i++) {
        const struct lz_promql_labels *l = &store->exports[i].labels;
        for (uint32_t k = 0; strcmp(name_of(&store->exports[i]), name) == 0 && k < l->count; k++) {
            const struct lz_promql_label as_name = {l->all[k].name, "x"};
            const struct lz_promql_labels one = {&as_name, 1};
            bool fresh = false;
            if (strcmp(l->all[k].name, label) == 0)
                return true;
            lz_promql_groups_add(&seen, &one, &fresh);
            if (fresh && strcmp(l->all[k].name, LZ_PROMQL_NAME) != 0)
                lz_str_addf(others, "%s%s", others->len > 0 ? ", " : "", l->all[k].name);
        }
    }
    return false;
}

// A label that nothing has selects nothing, and a rule that selects nothing never fires. Of what
// rules write nobody knows.
static bool check_labels(struct lz_alert_store *store, const struct lz_promql_wanted *wanted,
                         struct lz_err *err)
{
    struct lz_str others;
    bool ok = true;
    for (uint32_t i = 0; wanted->name != NULL && ok && i < wanted->needs.count; i++) {
        lz_str_init(&others);
        ok = has_label(store, wanted->name, wanted->needs.all[i], &others) || others.len == 0 ||
             lz_fail(err, LZ_ENOENT, "`expr`: %s has no label %s; it has %s", wanted->name,
                     wanted->needs.all[i], others.text);
        lz_str_finish(&others);
    }
    return ok;
}

static bool check_names(struct lz_alert_store *store, const struct lz_promql_query *q,
                        struct lz_err *err)
{
    const struct lz_promql_wanted *wanted = NULL;
    uint32_t n = lz_promql_query_wanted(q, &store->scratch, &wanted);
    for (uint32_t i = 0; i < n; i++) {
        bool known = wanted[i].name == NULL;
        const char *other = NULL;
        for (uint32_t k = 0; !known && (other = known_name(store, k)) != NULL; k++)
            known = strcmp(other, wanted[i].name) == 0;
        if (!known)
            return refuse_name(store, wanted[i].name, err);
        if (!check_labels(store, &wanted[i], err))
            return false;
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

static struct lz_alert_kept *kept_of(struct lz_alert_store *store, const struct lz_alert_export *x)
{
    for (uint32_t i = 0; i < store->count; i++)
        if (store->all[i].what.metric == x->metric &&
            lz_promql_labels_compare(&store->all[i].what.labels, &x->labels) == 0)
            return &store->all[i];
    store->all = lz_grow(store->world->arena, store->all, &store->cap, store->count + 1,
                         sizeof(*store->all));
    store->all[store->count] = (struct lz_alert_kept){.what = *x};
    store->all[store->count].what.labels = copied(store, &x->labels);
    add_target(store, x->of);
    store->all[store->count].what.windows =
        x->metric == 0 ? 1
                       : lz_alert_scrape_windows(lz_metrics_def(store->world->metrics, x->metric),
                                                 store->interval);
    lz_alert_export_heed(store->world, &store->all[store->count].what);
    return &store->all[store->count++];
}

static int64_t reach_of(const struct lz_alert_store *store, const struct lz_promql_reach *reach)
{
    int64_t end_ms = ms_of(store->world->end);
    int64_t from_ms = reach->from_ms > 0 ? reach->from_ms : 0;
    if (from_ms < end_ms && end_ms - from_ms > reach->back_ms) // what `@` names is kept to the end
        return end_ms - from_ms;
    return reach->back_ms;
}

// How many samples, one each `interval`, that is.
static bool held_of(int64_t reach_ms, lz_time interval, uint32_t *held, struct lz_err *err)
{
    int64_t count = reach_ms / (interval / LZ_MS > 0 ? interval / LZ_MS : 1) + 2;
    if (count > LZ_ALERT_SAMPLES_MAX)
        return lz_fail(err, LZ_EFULL,
                       "`expr` looks back %gs, which holds %lld scrapes; %d are allowed",
                       (double)reach_ms / 1e3, (long long)count, LZ_ALERT_SAMPLES_MAX);
    *held = (uint32_t)count;
    return true;
}

static void ask(struct lz_alert_store *store, const struct lz_promql_query *q)
{
    for (uint32_t i = 0; i < store->asking_count; i++)
        if (store->asking[i].query == q)
            return;
    store->asking = lz_grow(store->world->arena, store->asking, &store->asking_cap,
                            store->asking_count + 1, sizeof(*store->asking));
    store->asking[store->asking_count++] = (struct asking){q, lz_promql_query_reach(q)};
}

// Of what rules write nothing is kept before it is written; but it must have room then.
static bool check_promised(struct lz_alert_store *store, const struct lz_promql_query *q,
                           int64_t reach_ms, struct lz_err *err)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < store->promised_count; i++)
        if (lz_promql_query_takes(q, store->promised[i].name) &&
            !held_of(reach_ms, store->promised[i].interval, &held, err))
            return false;
    return true;
}

bool lz_alert_store_is_asked(struct lz_alert_store *store, const char *name)
{
    for (uint32_t i = 0; i < store->asking_count; i++)
        if (lz_promql_query_takes(store->asking[i].query, name))
            return true;
    return false;
}

static void list_exports(struct lz_alert_store *store, bool has_up)
{
    lz_promql_scratch_reset(&store->scratch);
    store->export_count =
        lz_alert_export_all(store->world, &store->scratch, has_up, &store->exports);
}

void lz_alert_store_settle(struct lz_alert_store *store)
{
    LZ_ASSERT(!store->is_settled);
    list_exports(store, lz_alert_store_is_asked(store, LZ_ALERT_EXPORT_UP_NAME));
    store->is_settled = true;
}

bool lz_alert_store_want(struct lz_alert_store *store, const struct lz_promql_query *q,
                         struct lz_err *err)
{
    const struct lz_promql_reach reach = lz_promql_query_reach(q);
    int64_t reach_ms = reach_of(store, &reach);
    uint32_t held = 0;
    if (!store->is_settled) {
        list_exports(store, lz_promql_query_takes(q, LZ_ALERT_EXPORT_UP_NAME));
        if (!check_names(store, q, err))
            return false;
    }
    ask(store, q);
    if (!check_promised(store, q, reach_ms, err))
        return false;
    for (uint32_t i = 0; i < store->export_count; i++) {
        const struct lz_alert_export *x = &store->exports[i];
        if (!lz_promql_query_wants(q, &x->labels))
            continue;
        if (store->count == LZ_ALERT_STORE_SERIES_MAX)
            return lz_fail(err, LZ_EFULL, "`expr` selects more than %d series",
                           LZ_ALERT_STORE_SERIES_MAX);
        struct lz_alert_kept *k = kept_of(store, x);
        if (!held_of(reach_ms, store->interval, &held, err))
            return false;
        lz_alert_ring_widen(&k->ring, held);
    }
    return true;
}

void lz_alert_store_promise(struct lz_alert_store *store, const char *name, lz_time interval)
{
    LZ_ASSERT(!store->world->running && interval > 0);
    store->promised = lz_grow(store->world->arena, store->promised, &store->promised_cap,
                              store->promised_count + 1, sizeof(*store->promised));
    store->promised[store->promised_count++] = (struct promised){name, interval};
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

// ---------------------------------------------------------------- what rules write

// Where it is among those, or would be.
static uint32_t place_of(const struct lz_alert_store *store, const struct lz_promql_labels *l)
{
    uint32_t from = 0, until = store->written_count;
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        if (lz_promql_labels_compare(&store->written[middle]->what.labels, l) < 0)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

// How long somebody looks back to it; -1: nobody selects it.
static int64_t asked_back(const struct lz_alert_store *store, const struct lz_promql_labels *l)
{
    int64_t most = -1;
    for (uint32_t i = 0; i < store->asking_count; i++) {
        int64_t reach = reach_of(store, &store->asking[i].reach);
        if (reach > most && lz_promql_query_wants(store->asking[i].query, l))
            most = reach;
    }
    return most;
}

static size_t labels_size(const struct lz_promql_labels *l)
{
    size_t size = l->count * sizeof(*l->all) + 1;
    for (uint32_t i = 0; i < l->count; i++)
        size += strlen(l->all[i].name) + strlen(l->all[i].value) + 2;
    return size;
}

static const char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *begin = memcpy(*at, text, size);
    *at += size;
    return begin;
}

// In one piece, which is given back with the series.
static struct lz_promql_labels labels_kept(struct lz_arena *arena, const struct lz_promql_labels *l)
{
    struct lz_promql_label *all = lz_arena_alloc(arena, labels_size(l));
    char *at = (char *)(all + l->count);
    for (uint32_t i = 0; i < l->count; i++) {
        all[i].name = put_text(&at, l->all[i].name);
        all[i].value = put_text(&at, l->all[i].value);
    }
    return (struct lz_promql_labels){all, l->count};
}

bool lz_alert_store_find(struct lz_alert_store *store, const struct lz_promql_labels *labels,
                         lz_time interval, struct lz_alert_kept **out, struct lz_err *err)
{
    struct lz_arena *arena = store->world->arena;
    uint32_t at = place_of(store, labels), held = 0;
    *out = at < store->written_count ? store->written[at] : NULL;
    if (*out != NULL && lz_promql_labels_compare(&(*out)->what.labels, labels) == 0)
        return true;
    *out = NULL;
    int64_t reach_ms = asked_back(store, labels);
    if (reach_ms < 0)
        return true;
    if (store->count + store->written_count >= LZ_ALERT_STORE_SERIES_MAX)
        return lz_fail(err, LZ_EFULL, "rules write and select more than %d series",
                       LZ_ALERT_STORE_SERIES_MAX);
    if (!held_of(reach_ms, interval, &held, err))
        return false;
    struct lz_alert_kept *k = lz_arena_alloc(arena, sizeof(*k));
    k->what.labels = labels_kept(arena, labels);
    k->reach_ms = reach_ms;
    k->written_ms = -1;
    lz_alert_ring_widen(&k->ring, held);
    store->written = lz_grow(arena, store->written, &store->written_cap, store->written_count + 1,
                             sizeof(struct lz_alert_kept *));
    memmove(&store->written[at + 1], &store->written[at],
            (store->written_count - at) * sizeof(struct lz_alert_kept *));
    store->written[at] = k;
    store->written_count++;
    *out = k;
    return true;
}

// Two that write it at their own times make more than either, and ends count, too: what somebody
// looks back to stays.
static void put(struct lz_alert_store *store, struct lz_alert_kept *k, int64_t now, double value)
{
    uint32_t held = k->ring.held + k->ring.held / 4 + 1;
    if (lz_alert_ring_first_ms(&k->ring) > now - k->reach_ms && held <= LZ_ALERT_SAMPLES_MAX)
        lz_alert_ring_widen(&k->ring, k->ring.count == k->ring.held ? held : k->ring.held);
    lz_alert_ring_put(store->world->arena, &k->ring, now, value);
}

bool lz_alert_store_write(struct lz_alert_store *store, struct lz_alert_kept *k, double value)
{
    int64_t now = ms_of(lz_sim_now(store->world->sim));
    if (k->written_ms == now)
        return false;
    put(store, k, now, value);
    k->written_ms = now;
    k->is_there = true;
    k->writers++;
    return true;
}

void lz_alert_store_end(struct lz_alert_store *store, struct lz_alert_kept *k)
{
    int64_t now = ms_of(lz_sim_now(store->world->sim));
    LZ_ASSERT(k->writers > 0);
    k->writers--;
    if (!k->is_there || k->written_ms == now)
        return;
    put(store, k, now, lz_promql_stale());
    k->is_there = false;
}

void lz_alert_store_tidy(struct lz_alert_store *store)
{
    struct lz_arena *arena = store->world->arena;
    int64_t now = ms_of(lz_sim_now(store->world->sim));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < store->written_count; i++) {
        struct lz_alert_kept *k = store->written[i];
        if (k->is_there || k->writers > 0 || now - lz_alert_ring_last_ms(&k->ring) <= k->reach_ms) {
            store->written[kept++] = k;
            continue;
        }
        lz_arena_free(arena, (void *)(uintptr_t)k->what.labels.all, labels_size(&k->what.labels));
        lz_alert_ring_free(arena, &k->ring);
        lz_arena_free(arena, k, sizeof(*k));
    }
    store->written_count = kept;
}

// ---------------------------------------------------------------- scrapes

void lz_alert_store_scrape(struct lz_alert_store *store, lz_component_id of, bool is_lost)
{
    int64_t now = ms_of(lz_sim_now(store->world->sim));
    for (uint32_t i = 0; i < store->count; i++) {
        struct lz_alert_kept *k = &store->all[i];
        double value = 0.0;
        if (k->what.of != of)
            continue;
        bool is_up = k->what.kind == LZ_ALERT_EXPORT_UP; // which is there because a scrape failed
        bool has = (!is_lost || is_up) && lz_alert_export_read(store->world, &k->what, &value);
        if (is_lost)
            value = 0.0;
        if (has || k->is_there)
            lz_alert_ring_put(store->world->arena, &k->ring, now, has ? value : lz_promql_stale());
        k->is_there = has;
    }
}
