#include "model/service/scaling.h"

#include <string.h>

#include "base/check.h"

struct lz_scaling_rules lz_scaling_default(bool is_up)
{
    struct lz_scaling_rules r = {
        .window = is_up ? 0 : LZ_SCALING_DOWN_WINDOW,
        .count = 1,
        .policies = {{.is_percent = true, .value = 100.0, .period = LZ_SCALING_EVERY}},
        .tolerance = LZ_SCALING_TOLERANCE,
    };
    if (is_up)
        r.policies[r.count++] =
            (struct lz_scaling_policy){.value = LZ_SCALING_UP_PODS, .period = LZ_SCALING_EVERY};
    return r;
}

static lz_time longest_period(const struct lz_scaling_rules *r)
{
    lz_time longest = 0;
    for (uint32_t i = 0; i < r->count; i++)
        longest = r->policies[i].period > longest ? r->policies[i].period : longest;
    return longest;
}

static void make_past(struct lz_scaling_past *past, struct lz_arena *arena, lz_time span,
                      lz_time every)
{
    past->cap = (uint32_t)(span / every) + 2;
    past->marks = lz_arena_alloc(arena, past->cap * sizeof(*past->marks));
}

void lz_scaling_create(struct lz_scaling *s, struct lz_arena *arena, lz_time every)
{
    LZ_ASSERT(every > 0);
    LZ_ASSERT(s->up.count <= LZ_SCALING_POLICIES_MAX && s->down.count <= LZ_SCALING_POLICIES_MAX);
    lz_time window = s->up.window > s->down.window ? s->up.window : s->down.window;
    lz_time up = longest_period(&s->up), down = longest_period(&s->down);
    lz_time period = up > down ? up : down; // both directions look at both
    make_past(&s->wanted, arena, window, every);
    make_past(&s->added, arena, period, every);
    make_past(&s->taken, arena, period, every);
}

void lz_scaling_note(struct lz_scaling_past *past, lz_time now, uint32_t value)
{
    LZ_ASSERT(past->cap > 0);
    past->marks[past->next] = (struct lz_scaling_mark){.at = now, .value = value};
    past->next = past->next + 1 < past->cap ? past->next + 1 : 0;
    past->count += past->count < past->cap;
}

uint32_t lz_scaling_stabilize(const struct lz_scaling *s, lz_time now, uint32_t current,
                              uint32_t desired)
{
    uint32_t least = desired, most = desired;
    for (uint32_t i = 0; i < s->wanted.count; i++) {
        const struct lz_scaling_mark *m = &s->wanted.marks[i];
        if (now - m->at < s->up.window && m->value < least)
            least = m->value;
        if (now - m->at < s->down.window && m->value > most)
            most = m->value;
    }
    if (current < least)
        return least;
    return current > most ? most : current;
}

static uint64_t sum_within(const struct lz_scaling_past *past, lz_time now, lz_time period)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < past->count; i++)
        if (now - past->marks[i].at < period)
            sum += past->marks[i].value;
    return sum;
}

// How many there may be by one policy. More may have been added since than there are now.
static double by_policy(const struct lz_scaling *s, const struct lz_scaling_policy *p, lz_time now,
                        uint32_t current, bool is_up)
{
    double begun = (double)current - (double)sum_within(&s->added, now, p->period) +
                   (double)sum_within(&s->taken, now, p->period);
    double sign = is_up ? 1.0 : -1.0;
    double to = p->is_percent ? begun * (1.0 + sign * p->value / 100.0) : begun + sign * p->value;
    if (!is_up)
        return to < 0.0 ? 0.0 : (double)(int64_t)to;
    double cut = (double)(int64_t)to;
    return cut < to ? cut + 1.0 : cut;
}

// The furthest that the rules of one direction allow; `current` if nothing at all.
static double furthest(const struct lz_scaling *s, lz_time now, uint32_t current, bool is_up)
{
    const struct lz_scaling_rules *r = is_up ? &s->up : &s->down;
    double here = current, furthest = here;
    for (uint32_t i = 0; i < r->count && r->select != LZ_SCALING_DISABLED; i++) {
        double to = by_policy(s, &r->policies[i], now, current, is_up);
        bool is_further = is_up ? to > furthest : to < furthest;
        if (i == 0 || is_further == (r->select == LZ_SCALING_MAX))
            furthest = to;
    }
    if (is_up)
        return furthest > here ? furthest : here;
    return furthest < here ? furthest : here;
}

uint32_t lz_scaling_limit(const struct lz_scaling *s, lz_time now, uint32_t current,
                          uint32_t desired, struct lz_scaling_bounds bounds)
{
    LZ_ASSERT(bounds.min <= bounds.max);
    uint32_t low = bounds.min, high = bounds.max;
    if (desired > current) {
        double most = furthest(s, now, current, true);
        high = most < (double)high ? (uint32_t)most : high;
        return desired > high ? high : desired;
    }
    if (desired < current) {
        double least = furthest(s, now, current, false);
        low = least > (double)low ? (uint32_t)least : low;
        return desired < low ? low : desired;
    }
    return desired;
}
