#include <math.h>

#include "promql/functions.h"
#include "promql/kahan.h"
#include "promql/quantile.h"

typedef struct lz_promql_range range;

static double *values_of(const range *r)
{
    double *values = lz_promql_scratch_alloc(r->eval->scratch, (r->count + 1) * sizeof(*values));
    for (uint32_t i = 0; i < r->count; i++)
        values[i] = r->points[i].value;
    return values;
}

static bool over_sum(const range *r, double *out)
{
    struct lz_promql_kahan k = {0.0, 0.0};
    for (uint32_t i = 0; i < r->count; i++)
        lz_promql_kahan_add(&k, r->points[i].value);
    *out = lz_promql_kahan_value(&k);
    return true;
}

static bool over_avg(const range *r, double *out)
{
    *out = lz_promql_mean(values_of(r), r->count);
    return true;
}

static bool over_count(const range *r, double *out)
{
    *out = (double)r->count;
    return true;
}

static bool over_present(const range *r, double *out)
{
    (void)r;
    *out = 1.0;
    return true;
}

static bool over_last(const range *r, double *out)
{
    *out = r->points[r->count - 1].value;
    return true;
}

static bool over_first(const range *r, double *out)
{
    *out = r->points[0].value;
    return true;
}

// The last of those that are equal, as Prometheus' ts_of_ functions have it.
static uint32_t extreme(const range *r, double sign)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < r->count; i++)
        if (sign * r->points[i].value >= sign * r->points[at].value || isnan(r->points[at].value))
            at = i;
    return at;
}

static bool over_max(const range *r, double *out)
{
    *out = r->points[extreme(r, 1.0)].value;
    return true;
}

static bool over_min(const range *r, double *out)
{
    *out = r->points[extreme(r, -1.0)].value;
    return true;
}

static bool instant(const range *r, uint32_t i, double *out)
{
    *out = (double)r->points[i].t_ms / 1000.0;
    return true;
}

static bool over_ts_max(const range *r, double *out)
{
    return instant(r, extreme(r, 1.0), out);
}

static bool over_ts_min(const range *r, double *out)
{
    return instant(r, extreme(r, -1.0), out);
}

static bool over_ts_first(const range *r, double *out)
{
    return instant(r, 0, out);
}

static bool over_ts_last(const range *r, double *out)
{
    return instant(r, r->count - 1, out);
}

static bool over_stdvar(const range *r, double *out)
{
    struct lz_promql_kahan mean = {0.0, 0.0}, sum = {0.0, 0.0};
    for (uint32_t i = 0; i < r->count; i++) {
        double delta = r->points[i].value - (mean.sum + mean.rest);
        lz_promql_kahan_add(&mean, delta / ((double)i + 1.0));
        lz_promql_kahan_add(&sum, delta * (r->points[i].value - (mean.sum + mean.rest)));
    }
    *out = (sum.sum + sum.rest) / (double)r->count;
    return true;
}

static bool over_stddev(const range *r, double *out)
{
    over_stdvar(r, out);
    *out = sqrt(*out);
    return true;
}

static bool over_quantile(const range *r, double *out)
{
    *out = lz_promql_quantile(r->args[0], values_of(r), r->count);
    return true;
}

// The median of how far values are from their median.
static bool over_mad(const range *r, double *out)
{
    double *values = values_of(r), median = lz_promql_quantile(0.5, values, r->count);
    if (isnan(values[0])) { // sorted: what is no number is first
        *out = values[0];
        return true;
    }
    for (uint32_t i = 0; i < r->count; i++)
        values[i] = fabs(values[i] - median);
    *out = lz_promql_quantile(0.5, values, r->count);
    return true;
}

// Least squares, of time since `origin`; false where all values are the same but infinite.
static void regress(const range *r, int64_t origin_ms, double *slope, double *intercept)
{
    struct lz_promql_kahan x = {0, 0}, y = {0, 0}, xy = {0, 0}, xx = {0, 0};
    bool is_constant = true;
    for (uint32_t i = 0; i < r->count; i++) {
        double t = (double)(r->points[i].t_ms - origin_ms) / 1000.0, v = r->points[i].value;
        is_constant = is_constant && v == r->points[0].value;
        lz_promql_kahan_add(&x, t);
        lz_promql_kahan_add(&y, v);
        lz_promql_kahan_add(&xy, t * v);
        lz_promql_kahan_add(&xx, t * t);
    }
    if (is_constant) {
        bool is_finite = !isinf(r->points[0].value);
        *slope = is_finite ? 0.0 : (double)NAN;
        *intercept = is_finite ? r->points[0].value : (double)NAN;
        return;
    }
    double n = (double)r->count, sx = x.sum + x.rest, sy = y.sum + y.rest;
    double covariance = xy.sum + xy.rest - sx * sy / n, variance = xx.sum + xx.rest - sx * sx / n;
    *slope = covariance / variance;
    *intercept = sy / n - *slope * sx / n;
}

static bool over_deriv(const range *r, double *out)
{
    double intercept = 0.0;
    if (r->count < 2)
        return false;
    regress(r, r->points[0].t_ms, out, &intercept);
    return true;
}

static bool over_predict(const range *r, double *out)
{
    double slope = 0.0, intercept = 0.0;
    if (r->count < 2)
        return false;
    regress(r, r->now_ms, &slope, &intercept);
    *out = slope * r->args[0] + intercept;
    return true;
}

// Holt's: of the level, and of how it grows.
static bool over_smoothing(const range *r, double *out)
{
    for (int i = 0; i < 2; i++)
        if (!(r->args[i] > 0.0 && r->args[i] < 1.0)) {
            lz_promql_blame(r->eval->fault, r->call->args[i + 1], LZ_ERANGE,
                            "a smoothing factor is between 0 and 1, got %g", r->args[i]);
            return false;
        }
    if (r->count < 2)
        return false;
    double before = 0.0, level = r->points[0].value, trend = r->points[1].value - level;
    for (uint32_t i = 1; i < r->count; i++) {
        if (i > 1)
            trend = r->args[1] * (level - before) + (1.0 - r->args[1]) * trend;
        before = level;
        level = r->args[0] * r->points[i].value + (1.0 - r->args[0]) * (level + trend);
    }
    *out = level;
    return true;
}

#define M LZ_PROMQL_VECTOR

static const struct lz_promql_function rows[] = {
    {"avg_over_time", "m", M, .over = over_avg},
    {"count_over_time", "m", M, .over = over_count},
    {"deriv", "m", M, .over = over_deriv},
    {"double_exponential_smoothing", "mss", M, .over = over_smoothing},
    {"first_over_time", "m", M, .over = over_first, .keeps_name = true},
    {"holt_winters", "mss", M, .over = over_smoothing},
    {"last_over_time", "m", M, .over = over_last, .keeps_name = true},
    {"mad_over_time", "m", M, .over = over_mad},
    {"max_over_time", "m", M, .over = over_max},
    {"min_over_time", "m", M, .over = over_min},
    {"predict_linear", "ms", M, .over = over_predict},
    {"present_over_time", "m", M, .over = over_present},
    {"quantile_over_time", "sm", M, .over = over_quantile},
    {"stddev_over_time", "m", M, .over = over_stddev},
    {"stdvar_over_time", "m", M, .over = over_stdvar},
    {"sum_over_time", "m", M, .over = over_sum},
    {"ts_of_first_over_time", "m", M, .over = over_ts_first},
    {"ts_of_last_over_time", "m", M, .over = over_ts_last},
    {"ts_of_max_over_time", "m", M, .over = over_ts_max},
    {"ts_of_min_over_time", "m", M, .over = over_ts_min},
};

struct lz_promql_rows lz_promql_rows_over(void)
{
    return (struct lz_promql_rows){rows, sizeof(rows) / sizeof(rows[0])};
}
