#include "model/alert/alert_ring.h"

#include <string.h>

#include "base/check.h"

#define ROOM_FIRST 16

void lz_alert_ring_widen(struct lz_alert_ring *r, uint32_t held)
{
    LZ_ASSERT(held > 0);
    if (held > r->held)
        r->held = held;
}

// Half as much again as is held, so that it is moved once in so many samples.
static uint32_t room_most(const struct lz_alert_ring *r)
{
    return r->held + r->held / 2 + 1;
}

static void make_room(struct lz_arena *arena, struct lz_alert_ring *r)
{
    uint32_t most = room_most(r);
    if (r->first + r->count < r->room)
        return;
    if (r->room < most) {
        uint32_t room = r->room == 0 ? ROOM_FIRST : 2 * r->room;
        room = room < most ? room : most;
        r->points = lz_arena_resize(arena, r->points, r->room * sizeof(*r->points),
                                    room * sizeof(*r->points));
        r->room = room;
        return;
    }
    LZ_ASSERT(r->first > 0);
    memmove(r->points, r->points + r->first, r->count * sizeof(*r->points));
    r->first = 0;
}

void lz_alert_ring_put(struct lz_arena *arena, struct lz_alert_ring *r, int64_t t_ms, double value)
{
    LZ_ASSERT(r->held > 0);
    LZ_ASSERT(t_ms >= lz_alert_ring_last_ms(r));
    if (lz_alert_ring_last_ms(r) == t_ms)
        r->count--;
    if (r->count == r->held) {
        r->first++;
        r->count--;
    }
    make_room(arena, r);
    r->points[r->first + r->count++] = (struct lz_promql_point){t_ms, value};
    LZ_ASSERT(r->count <= r->held && r->first + r->count <= r->room);
}

// How many of its samples are not later than `t_ms`.
static uint32_t up_to(const struct lz_alert_ring *r, int64_t t_ms)
{
    uint32_t from = 0, until = r->count;
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        if (r->points[r->first + middle].t_ms <= t_ms)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

const struct lz_promql_point *lz_alert_ring_range(const struct lz_alert_ring *r, int64_t after_ms,
                                                  int64_t until_ms, uint32_t *count)
{
    uint32_t first = up_to(r, after_ms), end = up_to(r, until_ms);
    *count = end > first ? end - first : 0;
    return *count > 0 ? r->points + r->first + first : NULL;
}

int64_t lz_alert_ring_first_ms(const struct lz_alert_ring *r)
{
    return r->count > 0 ? r->points[r->first].t_ms : INT64_MIN;
}

int64_t lz_alert_ring_last_ms(const struct lz_alert_ring *r)
{
    return r->count > 0 ? r->points[r->first + r->count - 1].t_ms : INT64_MIN;
}

void lz_alert_ring_free(struct lz_arena *arena, struct lz_alert_ring *r)
{
    lz_arena_free(arena, r->points, r->room * sizeof(*r->points));
    *r = (struct lz_alert_ring){0};
}
