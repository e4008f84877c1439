#include "sim/dist.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/math.h"
#include "sim/dist_row.h"

#define SHARES_SLACK 1e-6 // how far shares may add up beside 1
#define ZIPF_N_MAX 1e15   // x + 1/2 must be a double
#define P99_OF_NORMAL 2.3263478740408408

// lz_dist_name's words, and what a and b are called in scenarios. b NULL: there is none.
static const struct {
    const char *name, *a, *b;
} kinds[] = {
    [LZ_DIST_NONE] = {"none", NULL, NULL},
    [LZ_DIST_CONSTANT] = {"constant", "value", NULL},
    [LZ_DIST_UNIFORM] = {"uniform", "from", "to"},
    [LZ_DIST_EXPONENTIAL] = {"exponential", "mean", NULL},
    [LZ_DIST_NORMAL] = {"normal", "mean", "sd"},
    [LZ_DIST_LOGNORMAL] = {"lognormal", "p50", "p99"},
    [LZ_DIST_PARETO] = {"pareto", "min", "alpha"},
    [LZ_DIST_WEIBULL] = {"weibull", "scale", "shape"},
    [LZ_DIST_GAMMA] = {"gamma", "mean", "shape"},
    [LZ_DIST_HYPEREXPONENTIAL] = {"hyperexponential", NULL, NULL},
    [LZ_DIST_ZIPF] = {"zipf", "n", "skew"},
    [LZ_DIST_EMPIRICAL] = {"empirical", NULL, NULL},
};
#define KINDS_LEN (sizeof(kinds) / sizeof(kinds[0]))

const char *lz_dist_name(enum lz_dist_kind kind)
{
    LZ_ASSERT(kind < KINDS_LEN);
    return kinds[kind].name;
}

static bool check_at_least(double value, double min, enum lz_dist_kind kind, const char *field,
                           struct lz_err *err)
{
    if (value >= min && value <= LZ_DIST_VALUE_MAX)
        return true;
    const char *limit = value > LZ_DIST_VALUE_MAX ? "at most" : "at least";
    return lz_fail(err, LZ_ERANGE, "%s: %s must be %s %g, got %g", kinds[kind].name, field, limit,
                   value > LZ_DIST_VALUE_MAX ? LZ_DIST_VALUE_MAX : min, value);
}

static bool check_above_zero(double value, enum lz_dist_kind kind, const char *field,
                             struct lz_err *err)
{
    if (value > 0.0)
        return check_at_least(value, 0.0, kind, field, err);
    return lz_fail(err, LZ_ERANGE, "%s: %s must be greater than 0, got %g", kinds[kind].name, field,
                   value);
}

// Shapes this small or large would overflow or lose all digits, and nobody means them.
static bool check_shape(double value, enum lz_dist_kind kind, struct lz_err *err)
{
    if (value >= LZ_DIST_SHAPE_MIN && value <= LZ_DIST_SHAPE_MAX)
        return true;
    return lz_fail(err, LZ_ERANGE, "%s: %s must be from %g to %g, got %g", kinds[kind].name,
                   kinds[kind].b, LZ_DIST_SHAPE_MIN, LZ_DIST_SHAPE_MAX, value);
}

static bool check_zipf(double n, double skew, struct lz_err *err)
{
    if (!(n >= 1.0 && n <= ZIPF_N_MAX && n == floor(n)))
        return lz_fail(err, LZ_ERANGE, "zipf: n must be a whole number from 1 to %g, got %g",
                       ZIPF_N_MAX, n);
    if (!(skew >= 0.0 && skew <= LZ_DIST_SKEW_MAX))
        return lz_fail(err, LZ_ERANGE, "zipf: skew must be from 0 to %g, got %g", LZ_DIST_SKEW_MAX,
                       skew);
    return true;
}

static bool check(enum lz_dist_kind kind, double a, double b, struct lz_err *err)
{
    const char *a_name = kinds[kind].a, *b_name = kinds[kind].b;
    switch (kind) {
    case LZ_DIST_CONSTANT:
    case LZ_DIST_EXPONENTIAL:
        return check_at_least(a, 0.0, kind, a_name, err);
    case LZ_DIST_NORMAL:
        return check_at_least(a, 0.0, kind, a_name, err) &&
               check_at_least(b, 0.0, kind, b_name, err);
    case LZ_DIST_UNIFORM:
        if (!check_at_least(a, 0.0, kind, a_name, err) ||
            !check_at_least(b, 0.0, kind, b_name, err))
            return false;
        if (b < a)
            return lz_fail(err, LZ_ERANGE, "uniform: to must be at least from (%g), got %g", a, b);
        return true;
    case LZ_DIST_LOGNORMAL:
        if (!check_above_zero(a, kind, a_name, err) || !check_above_zero(b, kind, b_name, err))
            return false;
        if (b < a)
            return lz_fail(err, LZ_ERANGE, "lognormal: p99 must be at least p50 (%g), got %g", a,
                           b);
        return true;
    case LZ_DIST_PARETO:
    case LZ_DIST_WEIBULL:
    case LZ_DIST_GAMMA:
        return check_above_zero(a, kind, a_name, err) && check_shape(b, kind, err);
    case LZ_DIST_ZIPF:
        return check_zipf(a, b, err);
    case LZ_DIST_NONE:
    case LZ_DIST_HYPEREXPONENTIAL:
    case LZ_DIST_EMPIRICAL:
        break;
    }
    return lz_fail(err, LZ_EINVAL, "%s takes a table", kinds[kind].name);
}

// Zipf by rejection-inversion (Hormann and Derflinger, "Rejection-inversion to generate variates
// from monotone discrete distributions", TOMACS 6, 1996). h(x) = x^-skew, H its integral.

// expm1(x) / x and log1p(x) / x, which the two meet at skew 1.
static double expm1_ratio(double x)
{
    return fabs(x) > 1e-8 ? lz_math_expm1(x) / x : 1.0 + 0.5 * x;
}

static double log1p_ratio(double x)
{
    return fabs(x) > 1e-8 ? lz_math_log1p(x) / x : 1.0 - 0.5 * x;
}

static double zipf_h(double x, double skew)
{
    return lz_math_exp(-skew * lz_math_log(x));
}

static double zipf_integral(double x, double skew)
{
    double log_x = lz_math_log(x);
    return expm1_ratio((1.0 - skew) * log_x) * log_x;
}

static double zipf_inverse(double y, double skew)
{
    double t = y * (1.0 - skew);
    if (t < -1.0)
        t = -1.0; // rounding must not leave log1p's domain
    return lz_math_exp(log1p_ratio(t) * y);
}

static double zipf_draw(const struct lz_dist *dist, struct lz_draw *draw)
{
    double n = dist->a, skew = dist->b;
    if (n == 1.0)
        return 1.0;
    for (;;) {
        double u = dist->d + lz_draw_unit(draw) * (dist->c - dist->d);
        double x = zipf_inverse(u, skew);
        double k = fmin(fmax(floor(x + 0.5), 1.0), n);
        if (k - x <= dist->e || u >= zipf_integral(k + 0.5, skew) - zipf_h(k, skew))
            return k;
    }
}

static void derive(struct lz_dist *dist)
{
    double a = dist->a, b = dist->b;
    switch (dist->kind) {
    case LZ_DIST_LOGNORMAL:
        dist->c = lz_math_log(b / a) / P99_OF_NORMAL;
        break;
    case LZ_DIST_GAMMA: {
        double shape = b < 1.0 ? b + 1.0 : b;
        dist->c = shape - 1.0 / 3.0;
        dist->d = 1.0 / sqrt(9.0 * dist->c);
        dist->e = a / b;
        break;
    }
    case LZ_DIST_ZIPF:
        dist->c = zipf_integral(1.5, b) - 1.0;
        dist->d = zipf_integral(a + 0.5, b);
        dist->e = 2.0 - zipf_inverse(zipf_integral(2.5, b) - zipf_h(2.0, b), b);
        break;
    default:
        break; // the parameters as given are enough
    }
}

bool lz_dist_make(struct lz_dist *out, enum lz_dist_kind kind, double a, double b,
                  struct lz_err *err)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(kind < KINDS_LEN);
    if (!check(kind, a, b, err))
        return false;
    struct lz_dist dist = {.kind = kind, .a = a, .b = b};
    derive(&dist);
    *out = dist;
    return true;
}

static bool check_shares(const struct lz_dist_point *points, size_t count, struct lz_err *err)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!check_above_zero(points[i].at, LZ_DIST_HYPEREXPONENTIAL, "share", err) ||
            !check_at_least(points[i].value, 0.0, LZ_DIST_HYPEREXPONENTIAL, "mean", err))
            return false;
        sum += points[i].at;
    }
    if (fabs(sum - 1.0) <= SHARES_SLACK)
        return true;
    return lz_fail(err, LZ_ERANGE, "hyperexponential: shares must add up to 1, got %g", sum);
}

static bool check_quantiles(const struct lz_dist_point *points, size_t count, struct lz_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct lz_dist_point *p = &points[i];
        if (!(p->at >= 0.0 && p->at <= 1.0))
            return lz_fail(err, LZ_ERANGE, "empirical: quantile must be from 0 to 1, got %g",
                           p->at);
        if (!check_at_least(p->value, 0.0, LZ_DIST_EMPIRICAL, "value", err))
            return false;
        if (i > 0 && p->at <= p[-1].at)
            return lz_fail(err, LZ_ERANGE, "empirical: quantiles must rise, got %g after %g", p->at,
                           p[-1].at);
        if (i > 0 && p->value < p[-1].value)
            return lz_fail(err, LZ_ERANGE, "empirical: values must not fall, got %g after %g",
                           p->value, p[-1].value);
    }
    return true;
}

bool lz_dist_make_table(struct lz_dist *out, enum lz_dist_kind kind, struct lz_arena *arena,
                        const struct lz_dist_point *points, size_t count, struct lz_err *err)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(kind == LZ_DIST_HYPEREXPONENTIAL || kind == LZ_DIST_EMPIRICAL);
    size_t count_min = kind == LZ_DIST_EMPIRICAL ? 2 : 1;
    if (count < count_min)
        return lz_fail(err, LZ_EINVAL, "%s: needs at least %zu points, got %zu", kinds[kind].name,
                       count_min, count);
    if (count > LZ_DIST_POINTS_MAX)
        return lz_fail(err, LZ_EFULL, "%s: takes at most %u points, got %zu", kinds[kind].name,
                       LZ_DIST_POINTS_MAX, count);
    bool hyper = kind == LZ_DIST_HYPEREXPONENTIAL;
    if (!(hyper ? check_shares(points, count, err) : check_quantiles(points, count, err)))
        return false;

    struct lz_dist_point *copy = lz_arena_alloc(arena, count * sizeof(*copy));
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += points[i].at;
        copy[i] = (struct lz_dist_point){hyper ? sum : points[i].at, points[i].value};
    }
    if (hyper)
        copy[count - 1].at = 1.0; // whatever the rounding, the last one takes the rest
    *out = (struct lz_dist){.kind = kind, .count = (uint32_t)count, .points = copy};
    return true;
}

void lz_dist_scale(struct lz_dist *out, const struct lz_dist *dist, double factor,
                   struct lz_arena *arena)
{
    LZ_ASSERT(factor > 0.0 && dist->kind != LZ_DIST_NONE);
    struct lz_err err;
    *out = *dist;
    if (dist->kind == LZ_DIST_ZIPF)
        return;
    if (dist->count == 0) {
        bool b_too = dist->kind == LZ_DIST_UNIFORM || dist->kind == LZ_DIST_NORMAL ||
                     dist->kind == LZ_DIST_LOGNORMAL;
        bool ok = lz_dist_make(out, dist->kind, dist->a * factor,
                               b_too ? dist->b * factor : dist->b, &err);
        LZ_ASSERT(ok);
        return;
    }
    struct lz_dist_point *points = lz_arena_alloc(arena, dist->count * sizeof(*points));
    for (uint32_t i = 0; i < dist->count; i++)
        points[i] = (struct lz_dist_point){dist->points[i].at, dist->points[i].value * factor};
    out->points = points;
}

// The first point whose `at` is greater than u, or `count`.
static uint32_t first_above(const struct lz_dist *dist, double u)
{
    uint32_t low = 0, high = dist->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (dist->points[middle].at > u)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

// Outside the table nothing is known, so nothing is made up: the nearest value holds.
static double empirical_draw(const struct lz_dist *dist, struct lz_draw *draw)
{
    double u = lz_draw_unit(draw);
    uint32_t i = first_above(dist, u);
    if (i == 0)
        return dist->points[0].value;
    const struct lz_dist_point *low = &dist->points[i - 1];
    if (i == dist->count)
        return low->value;
    const struct lz_dist_point *high = &dist->points[i];
    return low->value + (high->value - low->value) * ((u - low->at) / (high->at - low->at));
}

static double hyperexponential_draw(const struct lz_dist *dist, struct lz_draw *draw)
{
    uint32_t i = first_above(dist, lz_draw_unit(draw));
    LZ_ASSERT(i < dist->count); // the last one ends at 1, and u is less
    return dist->points[i].value * lz_draw_exponential(draw);
}

// Marsaglia and Tsang, "A simple method for generating gamma variables", TOMS 26, 2000. Shapes
// below 1 by gamma(shape) = gamma(shape + 1) U^(1 / shape), where -ln U is exponential.
static double gamma_draw(const struct lz_dist *dist, struct lz_draw *draw)
{
    double c = dist->c, d = dist->d, v;
    for (;;) {
        double x = lz_draw_normal(draw);
        v = 1.0 + d * x;
        if (v <= 0.0)
            continue;
        v = v * v * v;
        if (lz_draw_exponential(draw) > c * (v - 1.0 - lz_math_log(v)) - 0.5 * x * x)
            break;
    }
    double boost = dist->b < 1.0 ? lz_math_exp(-lz_draw_exponential(draw) / dist->b) : 1.0;
    return dist->e * c * v * boost;
}

static double normal_draw(const struct lz_dist *dist, struct lz_draw *draw)
{
    for (;;) { // at worst, with mean 0, every second one is refused
        double x = dist->a + dist->b * lz_draw_normal(draw);
        if (x >= 0.0)
            return x;
    }
}

double lz_dist_value(const struct lz_dist *dist, struct lz_draw *draw)
{
    switch (dist->kind) {
    case LZ_DIST_CONSTANT:
        return dist->a;
    case LZ_DIST_UNIFORM:
        return dist->a + (dist->b - dist->a) * lz_draw_unit(draw);
    case LZ_DIST_EXPONENTIAL:
        return dist->a * lz_draw_exponential(draw);
    case LZ_DIST_NORMAL:
        return normal_draw(dist, draw);
    case LZ_DIST_LOGNORMAL:
        return dist->a * lz_math_exp(dist->c * lz_draw_normal(draw));
    case LZ_DIST_PARETO:
        return dist->a * lz_math_exp(lz_draw_exponential(draw) / dist->b);
    case LZ_DIST_WEIBULL:
        return dist->a * lz_math_pow(lz_draw_exponential(draw), 1.0 / dist->b);
    case LZ_DIST_GAMMA:
        return gamma_draw(dist, draw);
    case LZ_DIST_HYPEREXPONENTIAL:
        return hyperexponential_draw(dist, draw);
    case LZ_DIST_ZIPF:
        return zipf_draw(dist, draw);
    case LZ_DIST_EMPIRICAL:
        return empirical_draw(dist, draw);
    case LZ_DIST_NONE:
        break;
    }
    LZ_ASSERT(dist->kind != LZ_DIST_NONE); // it was never made
    return 0.0;
}

static inline lz_time time_of(double value)
{
    LZ_ASSERT(value >= 0.0);
    if (value >= (double)LZ_DIST_TIME_MAX)
        return LZ_DIST_TIME_MAX;
    // Adding 1/2 first would round 0.49999999999999994 up, and comparing would be a branch
    // that is guessed wrong every second time.
    lz_time whole = (lz_time)value;
    return whole + (lz_time)((value - (double)whole) * 2.0);
}

lz_time lz_dist_time(const struct lz_dist *dist, struct lz_draw *draw)
{
    lz_time t = time_of(lz_dist_value(dist, draw));
    if (lz_draw_watch_is_on() && dist->kind != LZ_DIST_CONSTANT)
        lz_draw_watch_duration(t);
    return t;
}

lz_time lz_dist_time_once(const struct lz_dist *dist, uint64_t run_key, uint64_t owner,
                          enum lz_purpose purpose, uint64_t counter)
{
    if (dist->kind == LZ_DIST_EXPONENTIAL && !lz_draw_watch_is_on())
        return time_of(dist->a * lz_draw_exponential_once(run_key, owner, purpose, counter));
    struct lz_draw draw = lz_draw_begin(run_key, owner, purpose, counter);
    return lz_dist_time(dist, &draw);
}

lz_time lz_dist_row_time(const struct lz_dist *dist, struct lz_draw_row *row, uint64_t run_key,
                         uint64_t counter)
{
    if (dist->kind != LZ_DIST_EXPONENTIAL || lz_draw_watch_is_on())
        return lz_dist_time_once(dist, run_key, row->owner, row->purpose, counter);
    return time_of(dist->a * lz_draw_exponential_next(row, run_key, counter));
}

// P(X < x) for a standard normal X and x >= 0, by its series at zero.
static double normal_below(double x)
{
    LZ_ASSERT(x >= 0.0);
    if (x > 9.0)
        return 1.0;
    double term = x, sum = x;
    for (double k = 3.0; term > sum * 1e-17; k += 2.0) {
        term *= x * x / k;
        sum += term;
    }
    return 0.5 + sum * lz_math_exp(-0.5 * x * x) * 0.3989422804014327;
}

static double normal_mean(double mean, double sd)
{
    if (sd == 0.0)
        return mean;
    double x = mean / sd;
    double density = lz_math_exp(-0.5 * x * x) * 0.3989422804014327; // 1 / sqrt(2 pi)
    return mean + sd * density / normal_below(x);
}

static double hyperexponential_mean(const struct lz_dist *dist)
{
    double mean = 0.0, from = 0.0;
    for (uint32_t i = 0; i < dist->count; i++) {
        mean += (dist->points[i].at - from) * dist->points[i].value;
        from = dist->points[i].at;
    }
    return mean;
}

static double empirical_mean(const struct lz_dist *dist)
{
    const struct lz_dist_point *p = dist->points;
    uint32_t final = dist->count - 1;
    double mean = p[0].at * p[0].value + (1.0 - p[final].at) * p[final].value;
    for (uint32_t i = 1; i <= final; i++)
        mean += (p[i].at - p[i - 1].at) * 0.5 * (p[i].value + p[i - 1].value);
    return mean;
}

// sum of k^(1 - skew) over sum of k^-skew. The first terms one by one, the rest by the
// midpoint integral that the sampler uses, good to about 1e-8 from there on.
static double zipf_mean(double n, double skew)
{
    double listed = fmin(n, 1000.0), up = 0.0, down = 0.0;
    for (double k = 1.0; k <= listed; k += 1.0) {
        double h = zipf_h(k, skew);
        up += k * h;
        down += h;
    }
    if (n > listed) {
        up += zipf_integral(n + 0.5, skew - 1.0) - zipf_integral(listed + 0.5, skew - 1.0);
        down += zipf_integral(n + 0.5, skew) - zipf_integral(listed + 0.5, skew);
    }
    return up / down;
}

double lz_dist_mean(const struct lz_dist *dist)
{
    switch (dist->kind) {
    case LZ_DIST_CONSTANT:
    case LZ_DIST_EXPONENTIAL:
    case LZ_DIST_GAMMA:
        return dist->a;
    case LZ_DIST_UNIFORM:
        return dist->a + 0.5 * (dist->b - dist->a);
    case LZ_DIST_NORMAL:
        return normal_mean(dist->a, dist->b);
    case LZ_DIST_LOGNORMAL:
        return dist->a * lz_math_exp(0.5 * dist->c * dist->c);
    case LZ_DIST_PARETO:
        return dist->b > 1.0 ? dist->a * dist->b / (dist->b - 1.0) : (double)INFINITY;
    case LZ_DIST_WEIBULL:
        return dist->a * lz_math_exp(lz_math_lgamma(1.0 + 1.0 / dist->b));
    case LZ_DIST_HYPEREXPONENTIAL:
        return hyperexponential_mean(dist);
    case LZ_DIST_ZIPF:
        return zipf_mean(dist->a, dist->b);
    case LZ_DIST_EMPIRICAL:
        return empirical_mean(dist);
    case LZ_DIST_NONE:
        break;
    }
    LZ_ASSERT(dist->kind != LZ_DIST_NONE); // it was never made
    return 0.0;
}
