#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/sort.h"
#include "promql/functions.h"
#include "promql/kahan.h"
#include "promql/quantile.h"

typedef struct lz_promql_eval eval;
typedef struct lz_promql_node node;

// ---------------------------------------------------------------- of a group's values

static double agg_sum(const double *v, uint32_t count, double param)
{
    struct lz_promql_kahan k = {v[0], 0.0};
    (void)param;
    for (uint32_t i = 1; i < count; i++)
        lz_promql_kahan_add(&k, v[i]);
    return lz_promql_kahan_value(&k);
}

static double agg_avg(const double *v, uint32_t count, double param)
{
    (void)param;
    return lz_promql_mean(v, count);
}

static double agg_count(const double *v, uint32_t count, double param)
{
    (void)v;
    (void)param;
    return (double)count;
}

static double agg_group(const double *v, uint32_t count, double param)
{
    (void)v;
    (void)count;
    (void)param;
    return 1.0;
}

static double agg_min(const double *v, uint32_t count, double param)
{
    double least = v[0];
    (void)param;
    for (uint32_t i = 1; i < count; i++)
        if (v[i] < least || isnan(least))
            least = v[i];
    return least;
}

static double agg_max(const double *v, uint32_t count, double param)
{
    double most = v[0];
    (void)param;
    for (uint32_t i = 1; i < count; i++)
        if (v[i] > most || isnan(most))
            most = v[i];
    return most;
}

// Welford's.
static double agg_stdvar(const double *v, uint32_t count, double param)
{
    double mean = v[0], sum = isfinite(v[0]) ? 0.0 : (double)NAN;
    (void)param;
    for (uint32_t i = 1; i < count; i++) {
        double delta = v[i] - mean;
        mean += delta / ((double)i + 1.0);
        sum += delta * (v[i] - mean);
    }
    return sum / (double)count;
}

static double agg_stddev(const double *v, uint32_t count, double param)
{
    return sqrt(agg_stdvar(v, count, param));
}

static double agg_quantile(const double *v, uint32_t count, double param)
{
    return lz_promql_quantile(param, (double *)(uintptr_t)v, count); // the group's own copy
}

// ---------------------------------------------------------------- groups

struct group {
    double *values;
    uint32_t *elements;
    uint32_t count, cap, element_cap;
    bool drops_name;
};

struct grouping {
    struct lz_promql_groups keys;
    struct group *all;
    uint32_t cap;
};

static struct lz_promql_labels key_of(eval *e, const node *n, const struct lz_promql_labels *l)
{
    if (!n->is_without)
        return lz_promql_labels_keep(e->scratch, l, &n->by);
    struct lz_promql_labels bare = lz_promql_nameless(e, l);
    return lz_promql_labels_drop(e->scratch, &bare, &n->by);
}

static void group_all(eval *e, const node *n, const struct lz_promql_value *in,
                      struct grouping *out)
{
    *out = (struct grouping){.cap = 0};
    lz_promql_groups_init(&out->keys, e->scratch);
    for (uint32_t i = 0; i < in->count; i++) {
        bool fresh = false;
        struct lz_promql_labels key = key_of(e, n, &in->all[i].labels);
        uint32_t at = lz_promql_groups_add(&out->keys, &key, &fresh);
        out->all =
            lz_promql_scratch_grow(e->scratch, out->all, &out->cap, at + 1, sizeof(*out->all));
        struct group *g = &out->all[at];
        if (fresh)
            *g = (struct group){.cap = 0};
        g->values = lz_promql_scratch_grow(e->scratch, g->values, &g->cap, g->count + 1,
                                           sizeof(*g->values));
        g->elements = lz_promql_scratch_grow(e->scratch, g->elements, &g->element_cap, g->count + 1,
                                             sizeof(*g->elements));
        g->values[g->count] = in->all[i].value;
        g->elements[g->count++] = i;
        g->drops_name = g->drops_name || in->all[i].drops_name;
    }
}

// ---------------------------------------------------------------- some of a group's elements

#define INT64_LIMIT 9.2e18

static double signed_of(bool is_top, double value)
{
    return is_top ? value : -value;
}

struct ranked {
    const struct group *group;
    bool is_top;
};

// What is no number comes last; equal ones stay as they came.
static int by_rank(const void *a, const void *b, void *ctx)
{
    const struct ranked *r = ctx;
    double x = signed_of(r->is_top, r->group->values[*(const uint32_t *)a]);
    double y = signed_of(r->is_top, r->group->values[*(const uint32_t *)b]);
    if (isnan(x) || isnan(y))
        return isnan(x) == isnan(y) ? 0 : isnan(x) ? 1 : -1;
    return x > y ? -1 : x < y;
}

static bool read_count(eval *e, const node *n, double param, uint32_t *out)
{
    if (isnan(param) || fabs(param) > INT64_LIMIT)
        return lz_promql_blame(e->fault, n->args[0], LZ_ERANGE,
                               "how many %s takes must be a whole number of 64 bits, got %g",
                               n->aggregate->name, param);
    *out = param < 1.0 ? 0 : param < 4e9 ? (uint32_t)param : UINT32_MAX;
    return true;
}

static bool some_of(eval *e, const node *n, const struct lz_promql_value *in, double param,
                    struct lz_promql_value *out)
{
    uint32_t most = 0;
    struct grouping groups;
    if (!read_count(e, n, param, &most))
        return false;
    group_all(e, n, in, &groups);
    bool is_first = strcmp(n->aggregate->name, "limitk") == 0;
    for (uint32_t g = 0; g < groups.keys.count; g++) {
        struct group *group = &groups.all[g];
        struct ranked by = {group, strcmp(n->aggregate->name, "topk") == 0};
        uint32_t *order = lz_promql_scratch_alloc(e->scratch, group->count * sizeof(*order));
        for (uint32_t i = 0; i < group->count; i++)
            order[i] = i;
        if (!is_first)
            lz_sort(order, group->count, sizeof(*order), by_rank, &by);
        for (uint32_t i = 0; i < group->count && i < most; i++)
            *lz_promql_value_add(e, out) = in->all[group->elements[order[i]]];
    }
    return true;
}

static bool some_by_number(eval *e, const node *n, const struct lz_promql_value *in,
                           const struct lz_promql_value *param, struct lz_promql_value *out)
{
    return some_of(e, n, in, param->scalar, out);
}

// A label more, with the value as text; then they are counted.
static bool count_values(eval *e, const node *n, const struct lz_promql_value *in,
                         const struct lz_promql_value *param, struct lz_promql_value *out)
{
    struct lz_promql_groups keys;
    lz_promql_groups_init(&keys, e->scratch);
    if (param->text[0] == '\0')
        return lz_promql_blame(e->fault, n->args[0], LZ_EINVAL, "a label's name, got \"\"");
    for (uint32_t i = 0; i < in->count; i++) {
        bool fresh = false;
        struct lz_promql_labels key = key_of(e, n, &in->all[i].labels);
        key = lz_promql_labels_set(e->scratch, &key, param->text,
                                   lz_promql_number(e->scratch, in->all[i].value));
        uint32_t at = lz_promql_groups_add(&keys, &key, &fresh);
        if (fresh)
            *lz_promql_value_add(e, out) = (struct lz_promql_series){.labels = key};
        out->all[at].value += 1.0;
        out->all[at].drops_name = out->all[at].drops_name || in->all[i].drops_name;
    }
    return true;
}

static const struct lz_promql_aggregate aggregates[] = {
    {"sum", 0, NULL, agg_sum},
    {"avg", 0, NULL, agg_avg},
    {"count", 0, NULL, agg_count},
    {"group", 0, NULL, agg_group},
    {"min", 0, NULL, agg_min},
    {"max", 0, NULL, agg_max},
    {"stddev", 0, NULL, agg_stddev},
    {"stdvar", 0, NULL, agg_stdvar},
    {"quantile", 's', NULL, agg_quantile},
    {"topk", 's', some_by_number, NULL},
    {"bottomk", 's', some_by_number, NULL},
    {"limitk", 's', some_by_number, NULL},
    {"count_values", 't', count_values, NULL},
};
#define AGGREGATES (sizeof(aggregates) / sizeof(aggregates[0]))

const struct lz_promql_aggregate *lz_promql_aggregate_find(const char *name)
{
    for (size_t i = 0; i < AGGREGATES; i++)
        if (strcasecmp(aggregates[i].name, name) == 0)
            return &aggregates[i];
    return NULL;
}

static const char *aggregate_name(uint32_t i)
{
    return i < AGGREGATES ? aggregates[i].name : NULL;
}

const char *lz_promql_function_name(uint32_t i)
{
    struct lz_promql_rows tables[] = {lz_promql_rows_plain(),  lz_promql_rows_over(),
                                      lz_promql_rows_rate(),   lz_promql_rows_label(),
                                      lz_promql_rows_bucket(), lz_promql_rows_date()};
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        if (i < tables[t].count)
            return tables[t].all[i].name;
        i -= tables[t].count;
    }
    return aggregate_name(i);
}

bool lz_promql_eval_aggregate(eval *e, const node *n, int64_t now_ms, struct lz_promql_value *out)
{
    struct lz_promql_value param = {0}, in;
    uint32_t last = n->arg_count - 1;
    if (last == 1 && !lz_promql_eval_node(e, n->args[0], now_ms, &param))
        return false;
    if (!lz_promql_eval_node(e, n->args[last], now_ms, &in) ||
        !lz_promql_eval_spend(e, n, in.count))
        return false;
    if (n->aggregate->of != NULL)
        return n->aggregate->of(e, n, &in, &param, out);
    struct grouping groups;
    group_all(e, n, &in, &groups);
    for (uint32_t i = 0; i < groups.keys.count; i++) {
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        s->labels = groups.keys.all[i];
        s->drops_name = groups.all[i].drops_name;
        s->t_ms = now_ms;
        s->value = n->aggregate->value(groups.all[i].values, groups.all[i].count, param.scalar);
    }
    return true;
}
