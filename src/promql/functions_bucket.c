#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "promql/functions.h"
#include "promql/quantile.h"

typedef struct lz_promql_eval eval;
typedef struct lz_promql_call call;
typedef struct lz_promql_value value;

struct histogram {
    struct lz_promql_bucket *all;
    uint32_t count, cap;
};

struct histograms {
    struct lz_promql_groups keys; // labels without le
    struct histogram *all;
    uint32_t cap;
};

static bool read_bound(const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return text[0] != '\0' && *end == '\0';
}

// Elements whose le is no number are left out, as Prometheus does.
static void collect(eval *e, const value *v, struct histograms *out)
{
    static const char *const names[] = {"le"};
    const struct lz_promql_names le = {names, 1};
    *out = (struct histograms){.cap = 0};
    lz_promql_groups_init(&out->keys, e->scratch);
    for (uint32_t i = 0; i < v->count; i++) {
        double bound = 0.0;
        if (!read_bound(lz_promql_labels_get(&v->all[i].labels, "le"), &bound))
            continue;
        struct lz_promql_labels key = lz_promql_labels_drop(e->scratch, &v->all[i].labels, &le);
        bool fresh = false;
        uint32_t at = lz_promql_groups_add(&out->keys, &key, &fresh);
        out->all =
            lz_promql_scratch_grow(e->scratch, out->all, &out->cap, at + 1, sizeof(*out->all));
        struct histogram *h = &out->all[at];
        if (fresh)
            *h = (struct histogram){.cap = 0};
        h->all = lz_promql_scratch_grow(e->scratch, h->all, &h->cap, h->count + 1, sizeof(*h->all));
        h->all[h->count++] = (struct lz_promql_bucket){bound, v->all[i].value};
    }
}

static struct lz_promql_series *add(eval *e, value *out, const struct lz_promql_labels *labels)
{
    struct lz_promql_series *s = lz_promql_value_add(e, out);
    s->labels = *labels;
    s->drops_name = true;
    return s;
}

// histogram_quantile(q, buckets)
static bool fn_quantile(eval *e, const call *c, value *out)
{
    struct histograms hs;
    collect(e, &c->args[1], &hs);
    for (uint32_t i = 0; i < hs.keys.count; i++)
        add(e, out, &hs.keys.all[i])->value =
            lz_promql_bucket_quantile(c->args[0].scalar, hs.all[i].all, hs.all[i].count);
    return true;
}

// As OpenMetrics writes a quantile: with a point, always.
static const char *show_quantile(eval *e, double q)
{
    const char *text = lz_promql_number(e->scratch, q);
    if (strpbrk(text, ".NI") != NULL)
        return text;
    char *with_point = lz_promql_scratch_alloc(e->scratch, strlen(text) + 3);
    memcpy(with_point, text, strlen(text));
    memcpy(with_point + strlen(text), ".0", 2);
    return with_point;
}

// histogram_quantiles(buckets, label, q...)
static bool fn_quantiles(eval *e, const call *c, value *out)
{
    if (c->args[1].text[0] == '\0')
        return lz_promql_blame(e->fault, c->node->args[1], LZ_EINVAL, "a label's name, got \"\"");
    for (uint32_t q = 2; q < c->count; q++) {
        struct histograms hs;
        collect(e, &c->args[0], &hs);
        for (uint32_t i = 0; i < hs.keys.count; i++) {
            struct lz_promql_labels l = lz_promql_labels_set(
                e->scratch, &hs.keys.all[i], c->args[1].text, show_quantile(e, c->args[q].scalar));
            add(e, out, &l)->value =
                lz_promql_bucket_quantile(c->args[q].scalar, hs.all[i].all, hs.all[i].count);
        }
    }
    return true;
}

// histogram_fraction(lower, upper, buckets)
static bool fn_fraction(eval *e, const call *c, value *out)
{
    struct histograms hs;
    collect(e, &c->args[2], &hs);
    for (uint32_t i = 0; i < hs.keys.count; i++)
        add(e, out, &hs.keys.all[i])->value = lz_promql_bucket_fraction(
            c->args[0].scalar, c->args[1].scalar, hs.all[i].all, hs.all[i].count);
    return true;
}

#define V LZ_PROMQL_VECTOR

static const struct lz_promql_function rows[] = {
    {"histogram_fraction", "ssv", V, .whole = fn_fraction},
    {"histogram_quantile", "sv", V, .whole = fn_quantile},
    {"histogram_quantiles", "vtss*", V, .whole = fn_quantiles},
};

struct lz_promql_rows lz_promql_rows_bucket(void)
{
    return (struct lz_promql_rows){rows, sizeof(rows) / sizeof(rows[0])};
}
