/*
 * dist.h — the distributions, by the parameters people know.
 *
 * Durations are nanoseconds. A distribution is a small value that may be copied;
 * `hyperexponential` and `empirical` point to a table in the run's arena. Kind 0 means "not
 * given", so that an options struct can tell. Draws are never negative.
 */
#ifndef LZ_SIM_DIST_H
#define LZ_SIM_DIST_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "sim/draw.h"
#include "sim/time.h"

#define LZ_DIST_VALUE_MAX 1e18              /* what a parameter may be: 31 years */
#define LZ_DIST_TIME_MAX ((lz_time)1 << 60) /* longer draws are cut to this: 36 years */
#define LZ_DIST_SHAPE_MIN 0.1               /* alpha and shape */
#define LZ_DIST_SHAPE_MAX 1e6
#define LZ_DIST_SKEW_MAX 20.0
#define LZ_DIST_POINTS_MAX 65536u

enum lz_dist_kind {
    LZ_DIST_NONE,
    LZ_DIST_CONSTANT,         /* a = value */
    LZ_DIST_UNIFORM,          /* a = from, b = to */
    LZ_DIST_EXPONENTIAL,      /* a = mean */
    LZ_DIST_NORMAL,           /* a = mean, b = sd; truncated at zero by redrawing */
    LZ_DIST_LOGNORMAL,        /* a = p50, b = p99; sigma = ln(b/a) / 2.3263... */
    LZ_DIST_PARETO,           /* a = min, b = alpha */
    LZ_DIST_WEIBULL,          /* a = scale, b = shape */
    LZ_DIST_GAMMA,            /* a = mean, b = shape */
    LZ_DIST_HYPEREXPONENTIAL, /* table of (share, mean) */
    LZ_DIST_ZIPF,             /* a = n, b = skew; yields 1 .. n */
    LZ_DIST_EMPIRICAL,        /* table of (quantile, value), linear between, constant outside */
};

struct lz_dist_point {
    double at; /* share or cumulative quantile, 0 to 1 */
    double value;
};

struct lz_dist {
    enum lz_dist_kind kind;
    uint32_t count;                     /* points */
    double a, b;                        /* as given */
    double c, d, e;                     /* derived: sigma, mu, ... */
    const struct lz_dist_point *points; /* in the arena; NULL unless count > 0 */
};

/* Parameters as in the enum. False when they are out of range; the message says which. */
bool lz_dist_make(struct lz_dist *out, enum lz_dist_kind kind, double a, double b,
                  struct lz_err *err) LZ_MUST_CHECK;

/* HYPEREXPONENTIAL or EMPIRICAL; the points are copied. */
bool lz_dist_make_table(struct lz_dist *out, enum lz_dist_kind kind, struct lz_arena *arena,
                        const struct lz_dist_point *points, size_t count,
                        struct lz_err *err) LZ_MUST_CHECK;

/* Every value times `factor` > 0; a table's points are copied. What has no unit (zipf) stays. */
void lz_dist_scale(struct lz_dist *out, const struct lz_dist *dist, double factor,
                   struct lz_arena *arena);

static inline struct lz_dist lz_dist_constant(lz_time value_ns)
{
    return (struct lz_dist){.kind = LZ_DIST_CONSTANT, .a = (double)value_ns};
}

/* One draw as a real number >= 0. */
double lz_dist_value(const struct lz_dist *dist, struct lz_draw *draw);

/* One draw as a duration, rounded half up to nanoseconds. A constant takes no randomness. */
lz_time lz_dist_time(const struct lz_dist *dist, struct lz_draw *draw);

/* The same for who begins a draw for it and needs no other number. */
lz_time lz_dist_time_once(const struct lz_dist *dist, uint64_t run_key, uint64_t owner,
                          enum lz_purpose purpose, uint64_t counter);

/* INFINITY for a pareto with alpha <= 1. */
double lz_dist_mean(const struct lz_dist *dist);

/* "lognormal", ... as in scenarios. */
const char *lz_dist_name(enum lz_dist_kind kind);

#endif
