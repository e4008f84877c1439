/*
 * shape.h — rates that change: requests per second as a function of time.
 *
 * A shape is the intensity r(t) of an arrival process. Arrivals are made by *inversion*: the
 * next one after an arrival at t is where the area under r from t on reaches a. With a drawn
 * from the standard exponential this is the non-homogeneous Poisson process with intensity r,
 * exactly and with one draw an arrival (Cinlar, Introduction to Stochastic Processes (1975),
 * ch. 4.7: the time change by the integral of r makes it the unit Poisson process). Thinning
 * (Lewis and Shedler 1979) would need a bound and throw draws away, as many as a quiet night
 * is quieter than the peak; inversion costs a search and a square root, for a sine a few
 * steps of Newton's method. With a = 1 arrivals are as even as the shape allows.
 *
 *   constant   always r
 *   pieces     from each point on a straight line, until the next; nothing before the first.
 *              With a period the points are the first period, and come again
 *   sine       mean + amplitude sin(2 pi t / period): starts in the middle, going up
 *
 * Rates are per second, from 0 to LZ_SHAPE_RATE_MAX everywhere. A shape is a small value that
 * may be copied; its points are in the run's arena.
 */
#ifndef LZ_SIM_SHAPE_H
#define LZ_SIM_SHAPE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "sim/time.h"

#define LZ_SHAPE_RATE_MAX 1e9
#define LZ_SHAPE_POINTS_MAX 1000000u /* two years of minutes */

enum lz_shape_kind { LZ_SHAPE_CONSTANT, LZ_SHAPE_PIECES, LZ_SHAPE_SINE };

struct lz_shape_point {
    lz_time at;
    double rate;  /* at `at`, per second */
    double slope; /* from there on, per second and second */
};

struct lz_shape {
    enum lz_shape_kind kind;
    uint32_t count;
    lz_time period; /* of a sine, or after which the pieces come again; 0: they do not */
    double mean;    /* of a constant and a sine */
    double amplitude;
    const struct lz_shape_point *points;
};

/* False when a rate is out of range or the times make no sense; the message says which. */
bool lz_shape_constant(struct lz_shape *out, double rate, struct lz_err *err) LZ_MUST_CHECK;
bool lz_shape_sine(struct lz_shape *out, double mean, double amplitude, lz_time period,
                   struct lz_err *err) LZ_MUST_CHECK;

/* Pieces: the points are copied, in order of time. With a period they begin at 0. */
bool lz_shape_pieces(struct lz_shape *out, struct lz_arena *arena,
                     const struct lz_shape_point *points, size_t count, lz_time period,
                     struct lz_err *err) LZ_MUST_CHECK;

/* Requests per second at an instant. */
double lz_shape_rate(const struct lz_shape *shape, lz_time at);

/* The first instant after `from` at which the area since `from` is `area` > 0, rounded to
 * nanoseconds; LZ_FOREVER if that never comes. */
lz_time lz_shape_after(const struct lz_shape *shape, lz_time from, double area);

/* Requests expected in an interval; from <= to. */
double lz_shape_area(const struct lz_shape *shape, lz_time from, lz_time to);

#endif
