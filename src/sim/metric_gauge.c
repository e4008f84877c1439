// Levels: gauges, tallies and shares.
#include "base/check.h"
#include "sim/metric_state.h"

double lz_metric_level_of(const struct lz_metric_series *s)
{
    if (!s->face->is_tally)
        return s->face->u.gauge.level;
    return ((double)s->face->u.tally.level + s->share.rest) / s->share.whole;
}

// From here on the sum and the extremes are of what comes.
static void restart_tally(struct lz_metric_series *s, lz_time now)
{
    struct lz_tally *t = &s->face->u.tally;
    t->low = t->high = t->level;
    t->moved = 0 - (uint64_t)now * (uint64_t)t->level;
    s->share.since = now;
}

void lz_metric_gauge_open(const struct lz_metrics *m, struct lz_metric_series *s)
{
    if (s->face->is_tally) {
        restart_tally(s, m->start);
        s->share.is_parted = false;
        s->level_start = lz_metric_level_of(s);
    } else {
        struct lz_gauge *g = &s->face->u.gauge;
        g->sum = 0.0;
        g->low = g->high = s->level_start = g->level;
        g->since = m->start;
    }
}

// A tally in this window up to `now`.
static struct lz_gauge tally_until(const struct lz_metric_series *s, lz_time now)
{
    const struct lz_tally *t = &s->face->u.tally;
    const struct lz_metric_share *p = &s->share;
    double area = (double)((uint64_t)now * (uint64_t)t->level + t->moved);
    struct lz_gauge g = {.level = lz_metric_level_of(s),
                         .sum = (area + p->rest * (double)(now - p->since)) / p->whole,
                         .low = ((double)t->low + p->rest) / p->whole,
                         .high = ((double)t->high + p->rest) / p->whole,
                         .since = now};
    if (p->is_parted) {
        g.sum += p->sum;
        g.low = p->low < g.low ? p->low : g.low;
        g.high = p->high > g.high ? p->high : g.high;
    }
    return g;
}

// A gauge in this window up to `now`.
static struct lz_gauge gauge_until(const struct lz_metric_series *s, lz_time now)
{
    if (s->face->is_tally)
        return tally_until(s, now);
    struct lz_gauge g = s->face->u.gauge;
    g.sum += g.level * (double)(now - g.since);
    g.since = now;
    return g;
}

// What there is of a share: whole things, which are counted, and what is beside them.
struct parts {
    int64_t count;
    double rest;
};

// Differences of sums leave dust, which is nothing.
static struct parts parts_of(double there)
{
    struct parts p = {.count = (int64_t)(there + 1e-9)};
    p.rest = there - (double)p.count;
    if (p.rest < 1e-9)
        p.rest = 0.0;
    return p;
}

// Both parts at once: an old count with a new rest is a level that never was, and would stay among
// the extremes.
static void set_share(struct lz_metrics *m, lz_series id, lz_time now, double whole,
                      struct parts there)
{
    struct lz_metric_series *s = &m->series[id];
    LZ_ASSERT(s->face->is_tally);
    LZ_ASSERT(whole > 0.0 && there.count >= 0);
    if (!lz_metrics_hears(m, s->face))
        return;
    struct lz_gauge g = tally_until(s, now);
    s->share = (struct lz_metric_share){.whole = whole,
                                        .rest = there.rest,
                                        .is_parted = true,
                                        .sum = g.sum,
                                        .low = g.low,
                                        .high = g.high};
    s->face->u.tally.level = there.count;
    restart_tally(s, now);
}

void lz_metrics_set_whole(struct lz_metrics *m, lz_series share, lz_time now, double whole)
{
    const struct lz_metric_series *s = &m->series[share];
    struct parts there = {.count = s->face->u.tally.level, .rest = s->share.rest};
    if (__builtin_islessgreater(s->share.whole, whole))
        set_share(m, share, now, whole, there);
}

void lz_metrics_move_share(struct lz_metrics *m, lz_series share, lz_time now, double by)
{
    struct lz_series_face *face = lz_metrics_series(m, share, LZ_WINDOW_GAUGE);
    if (!lz_metrics_hears(m, face))
        return;
    const struct lz_metric_share *p = &m->series[share].share;
    struct parts there = parts_of((double)face->u.tally.level + p->rest + by);
    if (__builtin_islessgreater(p->rest, there.rest))
        set_share(m, share, now, p->whole, there);
    else
        lz_metrics_count_on(m, face, now, there.count);
}

void lz_metrics_set(struct lz_metrics *m, lz_series gauge, lz_time now, double level)
{
    struct lz_series_face *face = lz_metrics_series(m, gauge, LZ_WINDOW_GAUGE);
    const struct lz_metric_share *p = &m->series[gauge].share;
    if (face->is_tally)
        lz_metrics_move_share(m, gauge, now,
                              level * p->whole - (double)face->u.tally.level - p->rest);
    else
        lz_metrics_set_on(m, face, now, level);
}

void lz_metric_gauge_begin(struct lz_metrics *m, struct lz_metric_series *s, lz_time now,
                           double level)
{
    if (!lz_metrics_hears(m, s->face))
        return;
    if (s->face->is_tally) {
        struct parts there = parts_of(level * s->share.whole);
        s->face->u.tally.level = there.count;
        s->share.rest = there.rest;
        s->share.is_parted = false;
        restart_tally(s, m->start);
    } else {
        s->face->u.gauge = (struct lz_gauge){.level = level,
                                             .sum = level * (double)(now - m->start),
                                             .low = level,
                                             .high = level,
                                             .since = now};
    }
    s->level_start = s->whole_low = s->whole_high = level;
    s->whole_sum = 0.0;
    s->whole_until = s->whole_from = m->start;
}

struct lz_window lz_metric_gauge_close(const struct lz_metrics *m, struct lz_metric_series *s,
                                       lz_time now)
{
    const struct lz_gauge g = gauge_until(s, now);
    struct lz_window w = {.index = m->closed};
    w.u.level.mean = g.sum / (double)(now - m->start);
    w.u.level.low = g.low;
    w.u.level.high = g.high;
    w.u.level.end = g.level;
    s->whole_sum += s->level_start * (double)(m->start - s->whole_until) + g.sum;
    s->whole_until = now;
    if (g.low < s->whole_low)
        s->whole_low = g.low;
    if (g.high > s->whole_high)
        s->whole_high = g.high;
    return w;
}
