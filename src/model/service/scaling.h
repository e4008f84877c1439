/*
 * scaling.h — how fast replicas may follow what is wanted: a Horizontal Pod Autoscaler's `behavior`
 * (autoscaling/v2; kubernetes.io, "Horizontal Pod Autoscaling", configurable scaling behavior;
 * pkg/controller/podautoscaler/horizontal.go). Two steps between what the metrics want and what
 * is done:
 *
 *   stabilization   up: the least that was wanted within scale_up's window, down: the most within
 *                   scale_down's; so a peak or a dip shorter than the window does nothing
 *   policies        of one direction: so many pods, or so many percent, within the last `period`.
 *                   They count from where that period began: what has been added and taken away
 *                   since is in the past. `select` says whether the policy that allows most or
 *                   the one that allows least holds; DISABLED: never in that direction
 *
 * The defaults are autoscaling/v2's: up at once, by 4 pods or 100 % in 15 s, whichever is more;
 * down by 100 % in 15 s, after 300 s in which no more was wanted.
 *
 * A percentage is rounded up when it adds and cut when it takes, as there. What is `past` lies in
 * rings that hold as much as the longest window or period has looks.
 */
#ifndef LZ_MODEL_SERVICE_SCALING_H
#define LZ_MODEL_SERVICE_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "sim/time.h"

#define LZ_SCALING_POLICIES_MAX 4
#define LZ_SCALING_WINDOW_MAX (3600 * LZ_S) /* as there */
#define LZ_SCALING_PERIOD_MAX (1800 * LZ_S)
#define LZ_SCALING_TOLERANCE 0.1
#define LZ_SCALING_UP_PODS 4
#define LZ_SCALING_EVERY (15 * LZ_S)
#define LZ_SCALING_DOWN_WINDOW (300 * LZ_S)

enum lz_scaling_select { LZ_SCALING_MAX, LZ_SCALING_MIN, LZ_SCALING_DISABLED };

struct lz_scaling_policy {
    bool is_percent;
    double value; /* pods, or percent of what there was when the period began; above 0 */
    lz_time period;
};

/* Of one direction. */
struct lz_scaling_rules {
    lz_time window; /* stabilization; 0: none */
    enum lz_scaling_select select;
    uint32_t count;
    struct lz_scaling_policy policies[LZ_SCALING_POLICIES_MAX];
    double tolerance; /* a ratio of what is to what should be this near to 1 does nothing */
};

/* What a recommendation was, or by how many replicas it changed. */
struct lz_scaling_mark {
    lz_time at;
    uint32_t value;
};

/* The latest of them; more than `cap` overwrite the oldest. */
struct lz_scaling_past {
    struct lz_scaling_mark *marks;
    uint32_t cap, next, count;
};

struct lz_scaling {
    struct lz_scaling_rules up, down;
    struct lz_scaling_past wanted, added, taken;
};

/* What holds in a direction that says nothing. */
struct lz_scaling_rules lz_scaling_default(bool is_up);

/* `every`: how often it looks, so how many marks there can be. */
void lz_scaling_create(struct lz_scaling *s, struct lz_arena *arena, lz_time every);

void lz_scaling_note(struct lz_scaling_past *past, lz_time now, uint32_t value);

/* What may be wanted, of what is wanted now and was within the windows. */
uint32_t lz_scaling_stabilize(const struct lz_scaling *s, lz_time now, uint32_t current,
                              uint32_t desired);

struct lz_scaling_bounds {
    uint32_t min, max;
};

/* How far it may go at once towards `desired`, within the bounds. */
uint32_t lz_scaling_limit(const struct lz_scaling *s, lz_time now, uint32_t current,
                          uint32_t desired, struct lz_scaling_bounds bounds);

#endif
