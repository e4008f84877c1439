#include <math.h>

#include "base/check.h"
#include "promql/functions.h"

typedef struct lz_promql_range range;

// ---------------------------------------------------------------- plain ranges

// How far beyond its samples the range is taken to go on as they do: to its ends, unless they are
// further off than the next sample would be; a counter not to before it was 0 (functions.go,
// extrapolatedRate).
static double extrapolation(const range *r, double grown, bool is_counter)
{
    const struct lz_promql_point *from = &r->points[0], *to = &r->points[r->count - 1];
    double sampled = (double)(to->t_ms - from->t_ms) / 1000.0;
    double apart = sampled / (double)(r->count - 1), threshold = apart * 1.1;
    double before = (double)(from->t_ms - r->from_ms) / 1000.0;
    double after = (double)(r->until_ms - to->t_ms) / 1000.0;
    if (before >= threshold)
        before = apart / 2.0;
    if (is_counter && grown > 0.0 && from->value >= 0.0) {
        double to_zero = sampled * (from->value / grown);
        before = to_zero < before ? to_zero : before;
    }
    if (after >= threshold)
        after = apart / 2.0;
    return (sampled + before + after) / sampled;
}

static double grown_by(const range *r, bool is_counter)
{
    double grown = r->points[r->count - 1].value - r->points[0].value;
    for (uint32_t i = 1; i < r->count && is_counter; i++)
        if (r->points[i].value < r->points[i - 1].value)
            grown += r->points[i - 1].value;
    return grown;
}

// ---------------------------------------------------------------- anchored and smoothed ones

static int64_t lookback(const range *r)
{
    return r->eval->lookback_ms;
}

// What a counter that fell goes on from: 0.
static double interpolate(const struct lz_promql_point *a, const struct lz_promql_point *b,
                          int64_t t, bool is_counter, bool is_left)
{
    double from = a->value, to = b->value;
    double share = (double)(t - a->t_ms) / (double)(b->t_ms - a->t_ms);
    if (is_counter && to < from) {
        // On the left it was about to begin anew; on the right what it had grown to still counts,
        // unless both ends lie between the same two samples.
        if (is_left)
            from = 0.0;
        else
            to += from;
    }
    return from + (to - from) * share;
}

// The samples with one at each end of the range: the last before it stands for its beginning
// (anchored), or the line through both sides (smoothed). 0: none in the range.
static uint32_t pinned(const range *r, bool is_counter, struct lz_promql_point *out)
{
    bool smooth = r->stretch == LZ_PROMQL_SMOOTHED;
    uint32_t first = 0, end = 0, n = 0;
    while (first < r->count && r->points[first].t_ms <= r->from_ms)
        first++;
    while (end < r->count && r->points[end].t_ms <= r->until_ms)
        end++;
    if (end == 0 || (!smooth && end == first))
        return 0;
    if (smooth && first == r->count)
        return 0;
    const struct lz_promql_point *p = r->points;
    double left = first > 0 ? p[first - 1].value : p[first].value;
    if (smooth && first > 0 && first < r->count)
        left = interpolate(&p[first - 1], &p[first], r->from_ms, is_counter, true);
    out[n++] = (struct lz_promql_point){r->from_ms, left};
    for (uint32_t i = first; i < end; i++)
        if (p[i].t_ms < r->until_ms)
            out[n++] = p[i];
    double right = p[end - 1].value;
    if (smooth && end < r->count && p[end - 1].t_ms < r->until_ms)
        right = interpolate(&p[end - 1], &p[end], r->until_ms, is_counter, end == first);
    out[n++] = (struct lz_promql_point){r->until_ms, right};
    return n;
}

static bool stretched(const range *r, bool is_counter, bool is_rate, double *out)
{
    struct lz_promql_point *p =
        lz_promql_scratch_alloc(r->eval->scratch, (r->count + 3) * sizeof(*p));
    range pinned_range = *r;
    pinned_range.points = p;
    pinned_range.count = pinned(r, is_counter, p);
    LZ_ASSERT(lookback(r) > 0);
    if (pinned_range.count < 2)
        return false;
    *out = grown_by(&pinned_range, is_counter);
    if (is_rate)
        *out /= (double)(r->until_ms - r->from_ms) / 1000.0;
    return true;
}

// ---------------------------------------------------------------- functions

static bool grow(const range *r, bool is_counter, bool is_rate, double *out)
{
    if (r->stretch != LZ_PROMQL_PLAIN)
        return stretched(r, is_counter, is_rate, out);
    if (r->count < 2)
        return false;
    double grown = grown_by(r, is_counter);
    double factor = extrapolation(r, grown, is_counter);
    if (is_rate)
        factor /= (double)(r->until_ms - r->from_ms) / 1000.0;
    *out = grown * factor;
    return true;
}

static bool over_rate(const range *r, double *out)
{
    return grow(r, true, true, out);
}

static bool over_increase(const range *r, double *out)
{
    return grow(r, true, false, out);
}

static bool over_delta(const range *r, double *out)
{
    return grow(r, false, false, out);
}

// Of the last two samples.
static bool over_irate(const range *r, double *out)
{
    if (r->count < 2)
        return false;
    const struct lz_promql_point *a = &r->points[r->count - 2], *b = a + 1;
    if (b->t_ms == a->t_ms)
        return false;
    double grown = b->value < a->value ? b->value : b->value - a->value;
    *out = grown / ((double)(b->t_ms - a->t_ms) / 1000.0);
    return true;
}

static bool over_idelta(const range *r, double *out)
{
    if (r->count < 2)
        return false;
    *out = r->points[r->count - 1].value - r->points[r->count - 2].value;
    return true;
}

// What an anchored range begins with: the last sample at or before its beginning.
static range begun(const range *r)
{
    range b = *r;
    if (r->stretch != LZ_PROMQL_ANCHORED)
        return b;
    while (b.count > 1 && b.points[1].t_ms <= r->from_ms) {
        b.points++;
        b.count--;
    }
    if (b.count == 1 && b.points[0].t_ms <= r->from_ms)
        b.count = 0;
    return b;
}

static bool over_changes(const range *all, double *out)
{
    range r = begun(all);
    double changes = 0.0;
    for (uint32_t i = 1; i < r.count; i++) {
        double a = r.points[i - 1].value, b = r.points[i].value;
        changes += a != b && !(isnan(a) && isnan(b)) ? 1.0 : 0.0;
    }
    *out = changes;
    return r.count > 0;
}

static bool over_resets(const range *all, double *out)
{
    range r = begun(all);
    double resets = 0.0;
    for (uint32_t i = 1; i < r.count; i++)
        resets += r.points[i].value < r.points[i - 1].value ? 1.0 : 0.0;
    *out = resets;
    return r.count > 0;
}

#define M LZ_PROMQL_VECTOR

static const struct lz_promql_function rows[] = {
    {"changes", "m", M, .over = over_changes}, {"delta", "m", M, .over = over_delta},
    {"idelta", "m", M, .over = over_idelta},   {"increase", "m", M, .over = over_increase},
    {"irate", "m", M, .over = over_irate},     {"rate", "m", M, .over = over_rate},
    {"resets", "m", M, .over = over_resets},
};

struct lz_promql_rows lz_promql_rows_rate(void)
{
    return (struct lz_promql_rows){rows, sizeof(rows) / sizeof(rows[0])};
}
