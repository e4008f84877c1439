#include "model/service/codel.h"

#include <math.h>

#include "base/check.h"

// RFC 8289 section 4.3.
static lz_time control_law(const struct lz_codel *c, const struct lz_codel_opts *o, lz_time t)
{
    LZ_ASSERT(c->count > 0);
    return t + (lz_time)((double)o->interval / sqrt((double)c->count) + 0.5);
}

// Whether the wait has been above target for an interval (there: dodequeue).
static bool is_bad(struct lz_codel *c, const struct lz_codel_opts *o, lz_time now, bool is_good)
{
    if (is_good) {
        c->first_above = 0;
        return false;
    }
    if (c->first_above == 0) {
        c->first_above = now + o->interval;
        return false;
    }
    return now >= c->first_above;
}

bool lz_codel_drops(struct lz_codel *c, const struct lz_codel_opts *o, lz_time now, lz_time wait,
                    bool is_last)
{
    LZ_ASSERT(o->target > 0 && o->interval > 0);
    LZ_ASSERT(wait >= 0);
    bool bad = is_bad(c, o, now, wait < o->target || is_last);
    bool follows = c->has_dropped;
    c->has_dropped = false;
    if (c->is_dropping && !bad) {
        c->is_dropping = false;
        return false;
    }
    if (c->is_dropping) {
        if (follows)
            c->drop_next = control_law(c, o, c->drop_next);
        if (now < c->drop_next)
            return false;
        c->count++;
        c->has_dropped = true;
        return true;
    }
    if (!bad)
        return false;
    c->is_dropping = true;
    // It left dropping not long ago: go on at about the rate that worked then.
    uint32_t delta = c->count - c->last_count;
    bool is_recent = delta > 1 && now - c->drop_next < 16 * o->interval;
    c->count = is_recent ? delta : 1;
    c->last_count = c->count;
    c->drop_next = control_law(c, o, now);
    return true;
}
