#include "sim/shape.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "base/math.h"

#define NS 1e9
#define TWO_PI 6.283185307179586
#define SECONDS_MAX 4e9 // later than any run ends: never
#define STEPS_MAX 200   // of the search on a sine; bisection alone needs about 90

static double seconds(lz_time t)
{
    return (double)t / NS;
}

// `x` seconds after `from`.
static lz_time later(lz_time from, double x)
{
    if (!(x < SECONDS_MAX) || from > LZ_FOREVER - (lz_time)(SECONDS_MAX * NS))
        return LZ_FOREVER;
    return from + (lz_time)(x * NS + 0.5);
}

static bool check_rate(double rate, struct lz_err *err)
{
    if (rate >= 0.0 && rate <= LZ_SHAPE_RATE_MAX)
        return true;
    return lz_fail(err, LZ_ERANGE, "a rate must be between 0/s and 1e9/s, got %g/s", rate);
}

bool lz_shape_constant(struct lz_shape *out, double rate, struct lz_err *err)
{
    if (!check_rate(rate, err))
        return false;
    *out = (struct lz_shape){.kind = LZ_SHAPE_CONSTANT, .mean = rate};
    return true;
}

bool lz_shape_sine(struct lz_shape *out, double mean, double amplitude, lz_time period,
                   struct lz_err *err)
{
    if (!check_rate(mean, err) || !check_rate(amplitude, err) || !check_rate(mean + amplitude, err))
        return false;
    if (amplitude > mean)
        return lz_fail(err, LZ_ERANGE,
                       "amplitude must be at most the mean (%g/s), or the rate falls below zero, "
                       "got %g/s",
                       mean, amplitude);
    if (period <= 0)
        return lz_fail(err, LZ_ERANGE, "period must be above 0s");
    *out = (struct lz_shape){
        .kind = LZ_SHAPE_SINE, .mean = mean, .amplitude = amplitude, .period = period};
    return true;
}

// Where the piece ends; LZ_FOREVER for the last one of a shape that does not come again.
static lz_time end_of(const struct lz_shape *s, uint32_t i)
{
    if (i + 1 < s->count)
        return s->points[i + 1].at;
    return s->period > 0 ? s->period : LZ_FOREVER;
}

static double rate_in(const struct lz_shape_point *p, lz_time at)
{
    double rate = p->rate + p->slope * seconds(at - p->at);
    return rate > 0.0 ? rate : 0.0; // a slope that ends at zero may miss it by a rounding
}

static bool check_points(const struct lz_shape *s, struct lz_err *err)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct lz_shape_point *p = &s->points[i];
        lz_time end = end_of(s, i);
        if (p->at < 0 || end <= p->at)
            return lz_fail(err, LZ_EINVAL, "each point must be later than the one before");
        if (!check_rate(p->rate, err))
            return false;
        if (p->slope == 0.0)
            continue;
        if (end == LZ_FOREVER)
            return lz_fail(err, LZ_EINVAL, "the last point must be level: its slope has no end");
        double last = p->rate + p->slope * seconds(end - p->at);
        if (!(last >= -1e-6 * p->rate && last <= LZ_SHAPE_RATE_MAX * (1 + 1e-9)))
            return lz_fail(err, LZ_ERANGE, "a rate must be between 0/s and 1e9/s, got %g/s", last);
    }
    return true;
}

bool lz_shape_pieces(struct lz_shape *out, struct lz_arena *arena,
                     const struct lz_shape_point *points, size_t count, lz_time period,
                     struct lz_err *err)
{
    if (count == 0 || count > LZ_SHAPE_POINTS_MAX)
        return lz_fail(err, LZ_ERANGE, "a shape has from 1 to %u points, got %zu",
                       LZ_SHAPE_POINTS_MAX, count);
    struct lz_shape s = {
        .kind = LZ_SHAPE_PIECES, .count = (uint32_t)count, .period = period, .points = points};
    if (period < 0 || (period > 0 && points[0].at != 0))
        return lz_fail(err, LZ_EINVAL, "a period begins with a point at 0s");
    if (!check_points(&s, err))
        return false;
    s.points =
        memcpy(lz_arena_alloc(arena, count * sizeof(*points)), points, count * sizeof(*points));
    *out = s;
    return true;
}

// The last piece that begins at or before `at`; -1: none does.
static int64_t piece_at(const struct lz_shape *s, lz_time at)
{
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->points[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return (int64_t)low - 1;
}

double lz_shape_rate(const struct lz_shape *s, lz_time at)
{
    LZ_ASSERT(at >= 0);
    if (s->kind == LZ_SHAPE_CONSTANT)
        return s->mean;
    if (s->kind == LZ_SHAPE_SINE)
        return s->mean +
               s->amplitude * lz_math_sin(TWO_PI * seconds(at % s->period) / seconds(s->period));
    lz_time in = s->period > 0 ? at % s->period : at;
    int64_t i = piece_at(s, in);
    return i < 0 ? 0.0 : rate_in(&s->points[i], in);
}

// ---------------------------------------------------------------- pieces

// The area of piece `i` from `from` on, at most to `to`.
static double area_in(const struct lz_shape *s, uint32_t i, lz_time from, lz_time to)
{
    const struct lz_shape_point *p = &s->points[i];
    lz_time end = end_of(s, i) < to ? end_of(s, i) : to;
    lz_time begin = p->at > from ? p->at : from;
    if (begin >= end)
        return 0.0;
    return 0.5 * (rate_in(p, begin) + rate_in(p, end)) * seconds(end - begin);
}

// Within one turn of the pieces: 0 <= from <= to <= period, if there is one.
static double area_of_turn(const struct lz_shape *s, lz_time from, lz_time to)
{
    double area = 0.0;
    int64_t first = piece_at(s, from);
    for (uint32_t i = first > 0 ? (uint32_t)first : 0; i < s->count && s->points[i].at < to; i++)
        area += area_in(s, i, from, to);
    return area;
}

// Where the area since `from` reaches `*area` within this turn; LZ_FOREVER, and what is left, if
// it does not.
static lz_time after_in_turn(const struct lz_shape *s, lz_time from, double *area)
{
    int64_t first = piece_at(s, from);
    for (uint32_t i = first > 0 ? (uint32_t)first : 0; i < s->count; i++) {
        const struct lz_shape_point *p = &s->points[i];
        lz_time begin = p->at > from ? p->at : from, end = end_of(s, i);
        double here = end == LZ_FOREVER ? (double)INFINITY : area_in(s, i, from, end);
        double rate = rate_in(p, begin);
        if (end == LZ_FOREVER && rate == 0.0)
            return LZ_FOREVER;
        if (*area > here) {
            *area -= here;
            continue;
        }
        // rate x + slope x^2 / 2 = area, by the root that keeps its digits when slope is small.
        double root =
            sqrt(rate * rate + 2.0 * p->slope * *area > 0.0 ? rate * rate + 2.0 * p->slope * *area
                                                            : 0.0);
        return later(begin, 2.0 * *area / (rate + root));
    }
    return LZ_FOREVER;
}

static lz_time after_pieces(const struct lz_shape *s, lz_time from, double area)
{
    if (s->period == 0)
        return after_in_turn(s, from, &area);
    lz_time turn = from - from % s->period;
    lz_time at = after_in_turn(s, from - turn, &area);
    if (at != LZ_FOREVER)
        return turn + at;
    double whole = area_of_turn(s, 0, s->period);
    double turns = whole > 0.0 ? floor(area / whole) : (double)INFINITY;
    if (!(turns * seconds(s->period) < SECONDS_MAX))
        return LZ_FOREVER;
    area -= turns * whole;
    turn += ((lz_time)turns + 1) * s->period;
    if (area <= 0.0)
        return turn;
    at = after_in_turn(s, 0, &area);
    // A rounding may leave a last bit of area for the turn after.
    return at != LZ_FOREVER ? turn + at : turn + s->period;
}

// ---------------------------------------------------------------- sine

/*
 * The area of `x` seconds from phase `a` (radians) on is
 *
 *     mean x + (amplitude / w) (cos a - cos(a + w x))
 *
 * and the difference of cosines is written as 2 sin(a + w x / 2) sin(w x / 2), which keeps
 * its digits when x is small beside the period.
 */
static double sine_area(const struct lz_shape *s, double a, double x)
{
    double w = TWO_PI / seconds(s->period), half = 0.5 * w * x;
    return s->mean * x + s->amplitude / w * 2.0 * lz_math_sin(a + half) * lz_math_sin(half);
}

// Newton's method between bounds that bisection narrows: the area grows everywhere.
static double sine_after(const struct lz_shape *s, double a, double area)
{
    double w = TWO_PI / seconds(s->period), swing = 2.0 * s->amplitude / w;
    double low = (area - swing) / s->mean, high = (area + swing) / s->mean;
    if (low < 0.0)
        low = 0.0;
    double x = area / (s->mean + s->amplitude * lz_math_sin(a) + 1e-300);
    for (int step = 0; step < STEPS_MAX && high - low > 1e-10; step++) {
        if (!(x > low && x < high))
            x = 0.5 * (low + high);
        double miss = sine_area(s, a, x) - area;
        if (miss > 0.0)
            high = x;
        else
            low = x;
        double rate = s->mean + s->amplitude * lz_math_sin(a + w * x);
        double next = x - miss / rate; // infinite in a trough of zero: bisected above
        if (fabs(next - x) < 1e-10)
            return next;
        x = next;
    }
    return 0.5 * (low + high);
}

lz_time lz_shape_after(const struct lz_shape *s, lz_time from, double area)
{
    LZ_ASSERT(from >= 0 && area >= 0.0);
    switch (s->kind) {
    case LZ_SHAPE_CONSTANT:
        return s->mean > 0.0 ? later(from, area / s->mean) : LZ_FOREVER;
    case LZ_SHAPE_PIECES:
        return after_pieces(s, from, area);
    case LZ_SHAPE_SINE:
        if (!(s->mean > 0.0))
            return LZ_FOREVER;
        double phase = TWO_PI * seconds(from % s->period) / seconds(s->period);
        return later(from, sine_after(s, phase, area));
    }
    LZ_UNREACHABLE("a shape is one of ours");
    return LZ_FOREVER;
}

double lz_shape_area(const struct lz_shape *s, lz_time from, lz_time to)
{
    LZ_ASSERT(from >= 0 && from <= to);
    if (s->kind == LZ_SHAPE_CONSTANT)
        return s->mean * seconds(to - from);
    if (s->kind == LZ_SHAPE_SINE)
        return sine_area(s, TWO_PI * seconds(from % s->period) / seconds(s->period),
                         seconds(to - from));
    if (s->period == 0)
        return area_of_turn(s, from, to);
    lz_time first = from / s->period, last = to / s->period;
    if (first == last)
        return area_of_turn(s, from % s->period, to % s->period);
    return area_of_turn(s, from % s->period, s->period) +
           (double)(last - first - 1) * area_of_turn(s, 0, s->period) +
           area_of_turn(s, 0, to % s->period);
}
