#include "promql/functions.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/math.h"
#include "base/sort.h"

typedef struct lz_promql_eval eval;
typedef struct lz_promql_call call;
typedef struct lz_promql_value value;

const struct lz_promql_function *lz_promql_function_find(const char *name)
{
    struct lz_promql_rows tables[] = {lz_promql_rows_plain(),  lz_promql_rows_over(),
                                      lz_promql_rows_rate(),   lz_promql_rows_label(),
                                      lz_promql_rows_bucket(), lz_promql_rows_date()};
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (uint32_t i = 0; i < tables[t].count; i++)
            if (strcmp(tables[t].all[i].name, name) == 0)
                return &tables[t].all[i];
    return NULL;
}

// Letters put in, left out or changed.
static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[40];
    size_t la = strlen(a), lb = strlen(b);
    if (la >= 40 || lb >= 40)
        return 99;
    for (uint32_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        uint32_t diagonal = row[0];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= lb; j++) {
            uint32_t best = diagonal + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[lb];
}

const char *lz_promql_function_nearest(const char *name)
{
    const char *nearest = NULL;
    uint32_t best = 8;
    for (uint32_t i = 0; lz_promql_function_name(i) != NULL; i++) {
        const char *known = lz_promql_function_name(i);
        uint32_t d = 2 * distance(name, known) + (strncmp(known, name, strlen(name)) != 0);
        if (d < best) {
            best = d;
            nearest = known;
        }
    }
    return nearest;
}

// ---------------------------------------------------------------- each value by itself

static double fn_sgn(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

static double fn_rad(double x)
{
    return x * M_PI / 180.0;
}

static double fn_deg(double x)
{
    return x * 180.0 / M_PI;
}

static double fn_sinh(double x)
{
    double a = fabs(x);
    double v = a < 1.0    ? (lz_math_expm1(a) - lz_math_expm1(-a)) / 2.0
               : a < 700. ? (lz_math_exp(a) - lz_math_exp(-a)) / 2.0
                          : lz_math_exp(a / 2.0) * (lz_math_exp(a / 2.0) / 2.0);
    return x < 0.0 ? -v : v;
}

static double fn_cosh(double x)
{
    double a = fabs(x);
    return a < 700. ? (lz_math_exp(a) + lz_math_exp(-a)) / 2.0
                    : lz_math_exp(a / 2.0) * (lz_math_exp(a / 2.0) / 2.0);
}

static double fn_tanh(double x)
{
    if (fabs(x) > 22.0)
        return x > 0.0 ? 1.0 : -1.0;
    double t = lz_math_expm1(2.0 * x);
    return t / (t + 2.0);
}

static double fn_asinh(double x)
{
    double a = fabs(x);
    double v =
        a > 1e8 ? lz_math_log(a) + M_LN2 : lz_math_log1p(a + a * a / (1.0 + sqrt(a * a + 1.0)));
    return x < 0.0 ? -v : v;
}

static double fn_acosh(double x)
{
    if (x < 1.0)
        return (double)NAN;
    return x > 1e8 ? lz_math_log(x) + M_LN2 : lz_math_log1p(x - 1.0 + sqrt((x - 1.0) * (x + 1.0)));
}

static double fn_atanh(double x)
{
    return lz_math_log1p(2.0 * x / (1.0 - x)) / 2.0;
}

// ---------------------------------------------------------------- values and scalars

// Go's math.Max and math.Min: what is no number stays so.
static double most_of(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b;
}

static double least_of(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : a < b ? a : b;
}

static double rounded(double x, const double *args)
{
    double inverse = 1.0 / args[0];
    return floor(x * inverse + 0.5) / inverse;
}

static double clamped(double x, const double *args)
{
    return most_of(args[0], least_of(args[1], x));
}

static double clamped_max(double x, const double *args)
{
    return least_of(args[0], x);
}

static double clamped_min(double x, const double *args)
{
    return most_of(args[0], x);
}

static bool each(eval *e, const call *c, value *out, double (*fn)(double, const double *))
{
    double args[2] = {c->count > 1 ? c->args[1].scalar : 1.0,
                      c->count > 2 ? c->args[2].scalar : 0.};
    for (uint32_t i = 0; i < c->args[0].count; i++) {
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        *s = c->args[0].all[i];
        s->value = fn(s->value, args);
        s->drops_name = true;
    }
    return true;
}

static bool fn_round(eval *e, const call *c, value *out)
{
    return each(e, c, out, rounded);
}

static bool fn_clamp(eval *e, const call *c, value *out)
{
    return c->args[2].scalar < c->args[1].scalar || each(e, c, out, clamped);
}

static bool fn_clamp_max(eval *e, const call *c, value *out)
{
    return each(e, c, out, clamped_max);
}

static bool fn_clamp_min(eval *e, const call *c, value *out)
{
    return each(e, c, out, clamped_min);
}

// ---------------------------------------------------------------- between scalars and vectors

static bool fn_scalar(eval *e, const call *c, value *out)
{
    (void)e;
    out->scalar = c->args[0].count == 1 ? c->args[0].all[0].value : (double)NAN;
    return true;
}

static bool fn_vector(eval *e, const call *c, value *out)
{
    lz_promql_value_add(e, out)->value = c->args[0].scalar;
    return true;
}

static bool fn_time(eval *e, const call *c, value *out)
{
    (void)e;
    out->scalar = (double)c->now_ms / 1000.0;
    return true;
}

static bool fn_pi(eval *e, const call *c, value *out)
{
    (void)e;
    (void)c;
    out->scalar = M_PI;
    return true;
}

static bool fn_max_of(eval *e, const call *c, value *out)
{
    (void)e;
    out->scalar = most_of(c->args[0].scalar, c->args[1].scalar);
    return true;
}

static bool fn_min_of(eval *e, const call *c, value *out)
{
    (void)e;
    out->scalar = least_of(c->args[0].scalar, c->args[1].scalar);
    return true;
}

// Of an evaluation at one instant.
static bool fn_nothing(eval *e, const call *c, value *out)
{
    (void)e;
    (void)c;
    out->scalar = 0.0;
    return true;
}

// Of a selector when its sample was taken, of anything else now.
static bool fn_timestamp(eval *e, const call *c, value *out)
{
    bool is_selector = lz_promql_node_bare(c->node->args[0])->kind == LZ_PROMQL_NODE_SELECTOR;
    for (uint32_t i = 0; i < c->args[0].count; i++) {
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        *s = c->args[0].all[i];
        s->value = (double)(is_selector ? s->t_ms : c->now_ms) / 1000.0;
        s->drops_name = true;
    }
    return true;
}

// ---------------------------------------------------------------- order

static int by_sign(const void *a, const void *b, void *ctx)
{
    double sign = *(const double *)ctx;
    double x = sign * ((const struct lz_promql_series *)a)->value;
    double y = sign * ((const struct lz_promql_series *)b)->value;
    if (isnan(x) || isnan(y))
        return isnan(x) == isnan(y) ? 0 : isnan(x) ? 1 : -1;
    return x < y ? -1 : x > y;
}

static bool sorted(const call *c, value *out, double sign)
{
    *out = c->args[0];
    if (out->count > 0)
        lz_sort(out->all, out->count, sizeof(*out->all), by_sign, &sign);
    return true;
}

static bool fn_sort(eval *e, const call *c, value *out)
{
    (void)e;
    return sorted(c, out, 1.0);
}

static bool fn_sort_desc(eval *e, const call *c, value *out)
{
    (void)e;
    return sorted(c, out, -1.0);
}

// ---------------------------------------------------------------- what is not there

// The labels that a selector says for certain.
static struct lz_promql_labels told_labels(eval *e, const struct lz_promql_node *n)
{
    struct lz_promql_labels l = {0};
    if (n->kind != LZ_PROMQL_NODE_SELECTOR && n->kind != LZ_PROMQL_NODE_RANGE)
        return l;
    for (uint32_t i = 0; i < n->matcher_count; i++) {
        const struct lz_promql_matcher *m = &n->matchers[i];
        bool again = false;
        for (uint32_t j = 0; j < i; j++)
            again = again || (strcmp(n->matchers[j].name, m->name) == 0 &&
                              n->matchers[j].kind == LZ_PROMQL_MATCH_EQUAL);
        if (strcmp(m->name, LZ_PROMQL_NAME) != 0)
            l = lz_promql_labels_set(e->scratch, &l, m->name,
                                     m->kind == LZ_PROMQL_MATCH_EQUAL && !again ? m->value : "");
    }
    return l;
}

static bool fn_absent(eval *e, const call *c, value *out)
{
    if (c->args[0].count > 0)
        return true;
    struct lz_promql_series *s = lz_promql_value_add(e, out);
    s->labels = told_labels(e, lz_promql_node_bare(c->node->args[0]));
    s->value = 1.0;
    return true;
}

#define V LZ_PROMQL_VECTOR
#define S LZ_PROMQL_SCALAR

static const struct lz_promql_function rows[] = {
    {"abs", "v", V, .of = fabs},
    {"absent", "v", V, .whole = fn_absent},
    {"absent_over_time", "m", V, .whole = fn_absent},
    {"acos", "v", V, .of = lz_math_acos},
    {"acosh", "v", V, .of = fn_acosh},
    {"asin", "v", V, .of = lz_math_asin},
    {"asinh", "v", V, .of = fn_asinh},
    {"atan", "v", V, .of = lz_math_atan},
    {"atanh", "v", V, .of = fn_atanh},
    {"ceil", "v", V, .of = ceil},
    {"clamp", "vss", V, .whole = fn_clamp},
    {"clamp_max", "vs", V, .whole = fn_clamp_max},
    {"clamp_min", "vs", V, .whole = fn_clamp_min},
    {"cos", "v", V, .of = lz_math_cos},
    {"cosh", "v", V, .of = fn_cosh},
    {"deg", "v", V, .of = fn_deg},
    {"end", "", S, .whole = fn_time},
    {"exp", "v", V, .of = lz_math_exp},
    {"floor", "v", V, .of = floor},
    {"ln", "v", V, .of = lz_math_log},
    {"log10", "v", V, .of = lz_math_log10},
    {"log2", "v", V, .of = lz_math_log2},
    {"max_of", "ss", S, .whole = fn_max_of},
    {"min_of", "ss", S, .whole = fn_min_of},
    {"pi", "", S, .whole = fn_pi},
    {"rad", "v", V, .of = fn_rad},
    {"range", "", S, .whole = fn_nothing},
    {"round", "v?s", V, .whole = fn_round},
    {"scalar", "v", S, .whole = fn_scalar},
    {"sgn", "v", V, .of = fn_sgn},
    {"sin", "v", V, .of = lz_math_sin},
    {"sinh", "v", V, .of = fn_sinh},
    {"sort", "v", V, .whole = fn_sort},
    {"sort_desc", "v", V, .whole = fn_sort_desc},
    {"sqrt", "v", V, .of = sqrt},
    {"start", "", S, .whole = fn_time},
    {"step", "", S, .whole = fn_nothing},
    {"tan", "v", V, .of = lz_math_tan},
    {"tanh", "v", V, .of = fn_tanh},
    {"time", "", S, .whole = fn_time},
    {"timestamp", "v", V, .whole = fn_timestamp},
    {"vector", "s", V, .whole = fn_vector},
};

struct lz_promql_rows lz_promql_rows_plain(void)
{
    return (struct lz_promql_rows){rows, sizeof(rows) / sizeof(rows[0])};
}

// ---------------------------------------------------------------- a call

static bool call_each(eval *e, const call *c, value *out)
{
    const struct lz_promql_function *f = c->node->function;
    for (uint32_t i = 0; i < c->args[0].count; i++) {
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        *s = c->args[0].all[i];
        s->value = f->of(s->value);
        s->drops_name = true;
    }
    return true;
}

static bool call_over(eval *e, const call *c, value *out)
{
    const struct lz_promql_function *f = c->node->function;
    struct lz_promql_range r = {.now_ms = c->now_ms, .eval = e, .call = c->node};
    const value *m = NULL;
    uint32_t scalars = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->args[i].type == LZ_PROMQL_MATRIX) {
            m = &c->args[i];
            r.stretch = lz_promql_node_bare(c->node->args[i])->when.stretch;
        } else {
            LZ_ASSERT(scalars < 2);
            r.args[scalars++] = c->args[i].scalar;
        }
    }
    LZ_ASSERT(m != NULL);
    r.from_ms = m->from_ms;
    r.until_ms = m->until_ms;
    for (uint32_t i = 0; i < m->count; i++) {
        double result = 0.0;
        r.points = m->all[i].points;
        r.count = m->all[i].count;
        if (!f->over(&r, &result))
            continue;
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        s->labels = m->all[i].labels;
        s->drops_name = m->all[i].drops_name || !f->keeps_name;
        s->value = result;
        s->t_ms = c->now_ms;
    }
    return e->fault->err.msg[0] == '\0';
}

bool lz_promql_eval_call(eval *e, const struct lz_promql_node *n, int64_t now_ms, value *out)
{
    const struct lz_promql_function *f = n->function;
    value *args = lz_promql_scratch_alloc(e->scratch, (n->arg_count + 1) * sizeof(*args));
    for (uint32_t i = 0; i < n->arg_count; i++)
        if (!lz_promql_eval_node(e, n->args[i], now_ms, &args[i]))
            return false;
    call c = {.node = n, .args = args, .count = n->arg_count, .now_ms = now_ms};
    out->type = f->returns;
    bool ok = f->of != NULL     ? call_each(e, &c, out)
              : f->over != NULL ? call_over(e, &c, out)
                                : f->whole(e, &c, out);
    out->type = f->returns;
    return ok;
}
