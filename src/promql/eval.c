#include "promql/eval.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "promql/functions.h"

#define STEP_MS 60000 // of a subquery that says none, as nobody said how often is evaluated

// Prometheus' StaleNaN; its ordinary NaN ends in 1.
#define STALE_BITS 0x7ff0000000000002ull

double lz_promql_stale(void)
{
    uint64_t bits = STALE_BITS;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

bool lz_promql_is_stale(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits == STALE_BITS;
}

const char *lz_promql_type_name(enum lz_promql_type type)
{
    return type == LZ_PROMQL_SCALAR   ? "scalar"
           : type == LZ_PROMQL_VECTOR ? "instant vector"
           : type == LZ_PROMQL_MATRIX ? "range vector"
                                      : "text";
}

bool lz_promql_blame(struct lz_promql_fault *fault, const struct lz_promql_node *n,
                     enum lz_errc code, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fault->at = n->at;
    fault->len = n->len > 0 ? n->len : 1;
    return lz_fail(&fault->err, code, "%s", text);
}

struct lz_promql_series *lz_promql_value_add(struct lz_promql_eval *e, struct lz_promql_value *v)
{
    v->all = lz_promql_scratch_grow(e->scratch, v->all, &v->cap, v->count + 1, sizeof(*v->all));
    v->all[v->count] = (struct lz_promql_series){0};
    return &v->all[v->count++];
}

struct lz_promql_labels lz_promql_nameless(struct lz_promql_eval *e,
                                           const struct lz_promql_labels *l)
{
    static const char *const names[] = {LZ_PROMQL_NAME, "__type__", "__unit__"};
    const struct lz_promql_names dropped = {names, e->opts->drops_type_labels ? 3 : 1};
    return lz_promql_labels_drop(e->scratch, l, &dropped);
}

bool lz_promql_eval_spend(struct lz_promql_eval *e, const struct lz_promql_node *n, uint64_t count)
{
    e->looked_at += count;
    if (e->scratch->total > e->began_with + LZ_PROMQL_BYTES_MAX)
        return lz_promql_blame(e->fault, n, LZ_EFULL,
                               "more than %zu MiB of memory taken: shorter ranges, longer steps or "
                               "fewer series",
                               LZ_PROMQL_BYTES_MAX >> 20);
    if (e->looked_at <= LZ_PROMQL_SAMPLES_MAX)
        return true;
    return lz_promql_blame(e->fault, n, LZ_EFULL,
                           "more than %d samples looked at: shorter ranges, longer steps or fewer "
                           "series",
                           LZ_PROMQL_SAMPLES_MAX);
}

bool lz_promql_eval_unique(struct lz_promql_eval *e, const struct lz_promql_node *n,
                           const struct lz_promql_value *v)
{
    struct lz_promql_groups seen;
    lz_promql_groups_init(&seen, e->scratch);
    for (uint32_t i = 0; i < v->count; i++) {
        bool fresh = false;
        lz_promql_groups_add(&seen, &v->all[i].labels, &fresh);
        if (!fresh)
            return lz_promql_blame(e->fault, n, LZ_EEXIST,
                                   "two elements of the result are called %s",
                                   lz_promql_labels_show(e->scratch, &v->all[i].labels));
    }
    return true;
}

// ---------------------------------------------------------------- series

struct lz_promql_selected {
    const struct lz_promql_node *selector;
    uint32_t *series, count, cap;
    struct lz_promql_selected *next;
};

static bool matches(const struct lz_promql_matcher *m, const char *value)
{
    if (m->kind == LZ_PROMQL_MATCH_EQUAL || m->kind == LZ_PROMQL_MATCH_NOT_EQUAL)
        return (strcmp(value, m->value) == 0) == (m->kind == LZ_PROMQL_MATCH_EQUAL);
    return lz_promql_regex_matches(m->regex, value) == (m->kind == LZ_PROMQL_MATCH_REGEX);
}

bool lz_promql_matchers_match(const struct lz_promql_node *selector,
                              const struct lz_promql_labels *labels)
{
    for (uint32_t i = 0; i < selector->matcher_count; i++) {
        const struct lz_promql_matcher *m = &selector->matchers[i];
        if (!matches(m, lz_promql_labels_get(labels, m->name)))
            return false;
    }
    return true;
}

// Once an evaluation: a subquery asks a selector at each of its steps.
static const struct lz_promql_selected *select_series(struct lz_promql_eval *e,
                                                      const struct lz_promql_node *n)
{
    for (struct lz_promql_selected *s = e->selected; s != NULL; s = s->next)
        if (s->selector == n)
            return s;
    const struct lz_promql_store *store = e->opts->store;
    struct lz_promql_selected *s = lz_promql_scratch_alloc(e->scratch, sizeof(*s));
    s->selector = n;
    s->next = e->selected;
    e->selected = s;
    for (uint32_t i = 0; i < store->count(store->ctx); i++) {
        struct lz_promql_labels labels = store->labels(store->ctx, i);
        if (!lz_promql_matchers_match(n, &labels))
            continue;
        s->series = lz_promql_scratch_grow(e->scratch, s->series, &s->cap, s->count + 1,
                                           sizeof(*s->series));
        s->series[s->count++] = i;
    }
    return s;
}

static int64_t instant_of(const struct lz_promql_eval *e, const struct lz_promql_when *when,
                          int64_t now_ms)
{
    int64_t at = when->at == LZ_PROMQL_AT_TIME  ? when->at_ms
                 : when->at == LZ_PROMQL_AT_NOW ? e->opts->at_ms
                                                : now_ms;
    return at - when->offset_ms;
}

// Between the samples on both sides of `t`, each no further off than the lookback; the nearest
// where there is one only. What falls has been reset: a counter goes on from 0.
static bool between(const struct lz_promql_point *points, uint32_t count, int64_t t, double *out)
{
    uint32_t after = 0;
    while (after < count && points[after].t_ms < t)
        after++;
    if (after < count && points[after].t_ms == t) {
        *out = points[after].value;
    } else if (after == 0) {
        return false;
    } else if (after == count) {
        *out = points[after - 1].value;
    } else {
        const struct lz_promql_point *a = &points[after - 1], *b = &points[after];
        *out = a->value +
               (b->value - a->value) * ((double)(t - a->t_ms) / (double)(b->t_ms - a->t_ms));
    }
    return true;
}

static const struct lz_promql_point *fresh_points(struct lz_promql_eval *e, uint32_t series,
                                                  int64_t after, int64_t until, uint32_t *count)
{
    const struct lz_promql_store *store = e->opts->store;
    const struct lz_promql_point *points =
        store->samples(store->ctx, series, after, until, e->scratch, count);
    uint32_t stale = 0;
    for (uint32_t i = 0; i < *count; i++)
        stale += lz_promql_is_stale(points[i].value);
    if (stale == 0)
        return points;
    struct lz_promql_point *kept = lz_promql_scratch_alloc(e->scratch, *count * sizeof(*kept));
    uint32_t n = 0;
    for (uint32_t i = 0; i < *count; i++)
        if (!lz_promql_is_stale(points[i].value))
            kept[n++] = points[i];
    *count = n;
    return kept;
}

static bool smoothed_at(struct lz_promql_eval *e, uint32_t series, int64_t t,
                        struct lz_promql_point *out)
{
    uint32_t count = 0;
    const struct lz_promql_point *points =
        fresh_points(e, series, t - e->lookback_ms, t + e->lookback_ms, &count);
    out->t_ms = t;
    return between(points, count, t, &out->value);
}

static bool last_at(struct lz_promql_eval *e, uint32_t series, int64_t t,
                    struct lz_promql_point *out)
{
    const struct lz_promql_store *store = e->opts->store;
    uint32_t count = 0;
    const struct lz_promql_point *points =
        store->samples(store->ctx, series, t - e->lookback_ms, t, e->scratch, &count);
    if (count == 0 || lz_promql_is_stale(points[count - 1].value))
        return false;
    *out = points[count - 1];
    return true;
}

static bool eval_selector(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                          struct lz_promql_value *out)
{
    const struct lz_promql_store *store = e->opts->store;
    const struct lz_promql_selected *s = select_series(e, n);
    int64_t t = instant_of(e, &n->when, now_ms);
    for (uint32_t i = 0; i < s->count; i++) {
        struct lz_promql_point p;
        bool has = n->when.stretch == LZ_PROMQL_SMOOTHED ? smoothed_at(e, s->series[i], t, &p)
                                                         : last_at(e, s->series[i], t, &p);
        if (!has)
            continue;
        struct lz_promql_series *v = lz_promql_value_add(e, out);
        v->labels = store->labels(store->ctx, s->series[i]);
        v->value = p.value;
        v->t_ms = p.t_ms;
    }
    return lz_promql_eval_spend(e, n, s->count);
}

static bool eval_range(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                       struct lz_promql_value *out)
{
    const struct lz_promql_store *store = e->opts->store;
    const struct lz_promql_selected *s = select_series(e, n);
    out->until_ms = instant_of(e, &n->when, now_ms);
    out->from_ms = out->until_ms - n->range_ms;
    // anchored and smoothed see a sample beyond the ends, which stands for what was there.
    bool is_plain = n->when.stretch == LZ_PROMQL_PLAIN;
    int64_t after = out->from_ms - (is_plain ? 0 : e->lookback_ms);
    int64_t until = out->until_ms + (n->when.stretch == LZ_PROMQL_SMOOTHED ? e->lookback_ms : 0);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t count = 0;
        const struct lz_promql_point *points = fresh_points(e, s->series[i], after, until, &count);
        if (!lz_promql_eval_spend(e, n, count + 1))
            return false;
        if (count == 0)
            continue;
        struct lz_promql_series *v = lz_promql_value_add(e, out);
        v->labels = store->labels(store->ctx, s->series[i]);
        v->points = points;
        v->count = count;
    }
    return true;
}

// ---------------------------------------------------------------- subqueries

struct steps {
    struct lz_promql_groups groups;
    struct lz_promql_value *out;
    uint32_t *caps, caps_cap;
};

static void add_step(struct lz_promql_eval *e, struct steps *st, const struct lz_promql_series *v,
                     int64_t t)
{
    bool fresh = false;
    uint32_t i = lz_promql_groups_add(&st->groups, &v->labels, &fresh);
    if (fresh) {
        struct lz_promql_series *new = lz_promql_value_add(e, st->out);
        new->labels = v->labels;
        st->caps =
            lz_promql_scratch_grow(e->scratch, st->caps, &st->caps_cap, i + 1, sizeof(*st->caps));
        st->caps[i] = 0;
    }
    struct lz_promql_series *s = &st->out->all[i];
    struct lz_promql_point *points = lz_promql_scratch_grow(
        e->scratch, (void *)(uintptr_t)s->points, &st->caps[i], s->count + 1, sizeof(*points));
    points[s->count] = (struct lz_promql_point){t, v->value};
    s->points = points;
    s->count++;
    s->drops_name = s->drops_name || v->drops_name;
}

// Multiples of the step in (t - range, t], as if they were scraped.
static bool eval_subquery(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                          struct lz_promql_value *out)
{
    int64_t usual = e->opts->step_ms > 0 ? e->opts->step_ms : STEP_MS;
    int64_t step = n->step_ms > 0 ? n->step_ms : usual;
    out->until_ms = instant_of(e, &n->when, now_ms);
    out->from_ms = out->until_ms - n->range_ms;
    int64_t first = step * (out->from_ms / step);
    while (first <= out->from_ms)
        first += step;
    if ((out->until_ms - first) / step >= LZ_PROMQL_STEPS_MAX)
        return lz_promql_blame(e->fault, n, LZ_EFULL,
                               "a subquery of more than %d steps: a shorter range or a longer step",
                               LZ_PROMQL_STEPS_MAX);
    struct steps st = {.out = out};
    lz_promql_groups_init(&st.groups, e->scratch);
    for (int64_t t = first; t <= out->until_ms; t += step) {
        struct lz_promql_value v = {0};
        if (!lz_promql_eval_node(e, n->args[0], t, &v) || !lz_promql_eval_spend(e, n, v.count + 1))
            return false;
        for (uint32_t i = 0; i < v.count; i++)
            add_step(e, &st, &v.all[i], t);
    }
    return true;
}

// ---------------------------------------------------------------- all kinds

static bool eval_minus(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                       struct lz_promql_value *out)
{
    if (!lz_promql_eval_node(e, n->args[0], now_ms, out))
        return false;
    out->scalar = -out->scalar;
    for (uint32_t i = 0; i < out->count; i++) {
        out->all[i].value = -out->all[i].value;
        out->all[i].drops_name = true;
    }
    return true;
}

const struct lz_promql_node *lz_promql_node_bare(const struct lz_promql_node *n)
{
    while (n->kind == LZ_PROMQL_NODE_PAREN)
        n = n->args[0];
    return n;
}

// True also where nothing has lost its name.
static bool drop_names(struct lz_promql_eval *e, const struct lz_promql_node *n,
                       struct lz_promql_value *v)
{
    bool any = false;
    for (uint32_t i = 0; i < v->count; i++) {
        struct lz_promql_series *s = &v->all[i];
        if (!s->drops_name)
            continue;
        s->labels = lz_promql_nameless(e, &s->labels);
        s->drops_name = false;
        any = true;
    }
    return !any || lz_promql_eval_unique(e, n, v);
}

static bool eval_kind(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                      struct lz_promql_value *out)
{
    *out = (struct lz_promql_value){.type = n->type};
    if (!lz_promql_eval_spend(e, n, 0))
        return false;
    switch (n->kind) {
    case LZ_PROMQL_NODE_NUMBER:
        out->scalar = n->number;
        return true;
    case LZ_PROMQL_NODE_STRING:
        out->text = n->text;
        return true;
    case LZ_PROMQL_NODE_SELECTOR:
        return eval_selector(e, n, now_ms, out);
    case LZ_PROMQL_NODE_RANGE:
        return eval_range(e, n, now_ms, out);
    case LZ_PROMQL_NODE_SUBQUERY:
        return eval_subquery(e, n, now_ms, out);
    case LZ_PROMQL_NODE_CALL:
        return lz_promql_eval_call(e, n, now_ms, out);
    case LZ_PROMQL_NODE_AGGREGATE:
        return lz_promql_eval_aggregate(e, n, now_ms, out);
    case LZ_PROMQL_NODE_BINARY:
        return lz_promql_eval_binary(e, n, now_ms, out);
    case LZ_PROMQL_NODE_UNARY:
        return eval_minus(e, n, now_ms, out);
    case LZ_PROMQL_NODE_PAREN:
        return lz_promql_eval_node(e, n->args[0], now_ms, out);
    }
    LZ_ASSERT(false);
    return false;
}

bool lz_promql_eval_node(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                         struct lz_promql_value *out)
{
    return eval_kind(e, n, now_ms, out) && (e->opts->drops_names_late || drop_names(e, n, out));
}

bool lz_promql_eval(const struct lz_promql_query *q, const struct lz_promql_eval_opts *opts,
                    struct lz_promql_scratch *s, struct lz_promql_value *out,
                    struct lz_promql_fault *fault)
{
    LZ_ASSERT(opts->store != NULL && opts->lookback_ms >= 0 && opts->step_ms >= 0);
    *fault = (struct lz_promql_fault){0};
    struct lz_promql_eval e = {
        .query = q,
        .opts = opts,
        .scratch = s,
        .began_with = s->total,
        .fault = fault,
        .lookback_ms = opts->lookback_ms > 0 ? opts->lookback_ms : LZ_PROMQL_LOOKBACK_MS,
    };
    struct lz_promql_value v;
    if (!lz_promql_eval_node(&e, q->root, opts->at_ms, &v))
        return false;
    if (!drop_names(&e, q->root, &v) || !lz_promql_eval_unique(&e, q->root, &v))
        return false;
    *out = v;
    return true;
}
