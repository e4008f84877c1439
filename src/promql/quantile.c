#include "promql/quantile.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/sort.h"

#define SAME_WITHIN 1e-12 // counts that differ by less are one count, and some rounding

int lz_promql_by_value(const void *a, const void *b, void *ctx)
{
    double x = *(const double *)a, y = *(const double *)b;
    (void)ctx;
    bool has_x = !isnan(x), has_y = !isnan(y);
    if (!has_x || !has_y)
        return (int)has_x - (int)has_y;
    return x < y ? -1 : x > y;
}

double lz_promql_quantile(double q, double *values, uint32_t count)
{
    if (count == 0 || isnan(q))
        return (double)NAN;
    if (q < 0.0 || q > 1.0)
        return q < 0.0 ? -(double)INFINITY : (double)INFINITY;
    lz_sort(values, count, sizeof(*values), lz_promql_by_value, NULL);
    double rank = q * ((double)count - 1.0);
    double lower = fmax(0.0, floor(rank)), upper = fmin((double)count - 1.0, lower + 1.0);
    double weight = rank - floor(rank);
    return values[(uint32_t)lower] * (1.0 - weight) + values[(uint32_t)upper] * weight;
}

static int by_bound(const void *a, const void *b, void *ctx)
{
    double x = ((const struct lz_promql_bucket *)a)->bound;
    double y = ((const struct lz_promql_bucket *)b)->bound;
    (void)ctx;
    return x < y ? -1 : x > y;
}

// In order, one for each bound. False: the last is not that of everything.
static bool prepare(struct lz_promql_bucket *b, uint32_t *count)
{
    if (*count == 0)
        return false;
    lz_sort(b, *count, sizeof(*b), by_bound, NULL);
    if (!(isinf(b[*count - 1].bound) && b[*count - 1].bound > 0.0))
        return false;
    uint32_t last = 0;
    for (uint32_t i = 1; i < *count; i++) {
        if (b[i].bound == b[last].bound)
            b[last].count += b[i].count;
        else
            b[++last] = b[i];
    }
    *count = last + 1;
    return true;
}

static bool almost_equal(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return true;
    double sum = fabs(a) + fabs(b), apart = fabs(a - b);
    if (a == 0.0 || b == 0.0 || sum < DBL_MIN)
        return apart < SAME_WITHIN * DBL_MIN;
    return apart / fmin(sum, DBL_MAX) < SAME_WITHIN;
}

// Buckets were not read at one instant, and rates of them are rounded: counts must not fall.
static void make_monotonic(struct lz_promql_bucket *b, uint32_t count)
{
    double before = b[0].count;
    for (uint32_t i = 1; i < count; i++) {
        if (b[i].count < before || almost_equal(before, b[i].count))
            b[i].count = before;
        before = b[i].count;
    }
}

double lz_promql_bucket_quantile(double q, struct lz_promql_bucket *b, uint32_t count)
{
    if (isnan(q))
        return (double)NAN;
    if (q < 0.0 || q > 1.0)
        return q < 0.0 ? -(double)INFINITY : (double)INFINITY;
    if (!prepare(b, &count) || count < 2)
        return (double)NAN;
    make_monotonic(b, count);
    double all = b[count - 1].count, rank = q * all;
    if (all == 0.0)
        return (double)NAN;
    uint32_t at = 0;
    while (at < count - 1 && !(b[at].count >= rank))
        at++;
    if (at == count - 1)
        return b[count - 2].bound;
    if (at == 0 && b[0].bound <= 0.0)
        return b[0].bound;
    double from = at > 0 ? b[at - 1].bound : 0.0, below = at > 0 ? b[at - 1].count : 0.0;
    return from + (b[at].bound - from) * ((rank - below) / (b[at].count - below));
}

// How many are at most `v`, by the bucket that it lies in; a bucket without an end below counts
// as a whole, one without an end above not at all.
static double rank_of(const struct lz_promql_bucket *b, uint32_t count, double v)
{
    double rank = 0.0, from = -(double)INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 && b[0].bound > 0.0)
            from = 0.0;
        if (from >= v)
            return rank;
        if (b[i].bound > v) {
            if (isinf(from))
                return b[i].count;
            return rank + (b[i].count - rank) * (v - from) / (b[i].bound - from);
        }
        rank = b[i].count;
        from = b[i].bound;
    }
    return b[count - 1].count;
}

double lz_promql_bucket_fraction(double lower, double upper, struct lz_promql_bucket *b,
                                 uint32_t count)
{
    if (!prepare(b, &count))
        return (double)NAN;
    make_monotonic(b, count);
    double all = b[count - 1].count;
    if (all == 0.0 || isnan(all) || isnan(lower) || isnan(upper))
        return (double)NAN;
    if (lower >= upper)
        return 0.0;
    double to = fmin(rank_of(b, count, upper), all), from = fmin(rank_of(b, count, lower), all);
    return (to - from) / all;
}
