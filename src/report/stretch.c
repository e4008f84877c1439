#include "report/stretch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define QUIET (5 * LZ_S) // so long without a violation ends a stretch
#define PAD_MIN (5 * LZ_S)

bool lz_stretch_violates(const struct lz_run_expectation *e, double value)
{
    switch (e->violates[0]) {
    case 'a':
        return value > e->limit_value;
    case 'b':
        return value < e->limit_value;
    case 'o':
        return value < e->limit_value || value > e->limit_b;
    default:
        return false;
    }
}

double lz_stretch_adverse(const struct lz_run_expectation *e, const struct lz_run_point *p)
{
    if (e->violates[0] == 'b' || (e->violates[0] == 'o' && p->low < e->limit_value))
        return p->low;
    return e->violates[0] != '\0' ? p->high : p->value;
}

// Short interruptions belong to it: an overload breathes.
static lz_time end_of_violation(const struct lz_report_run *run, const struct lz_run_expectation *e)
{
    struct lz_run_point *points;
    size_t count = lz_run_points(run, e->metric, e->at, LZ_FOREVER, &points);
    lz_time last = e->at + LZ_METRIC_WINDOW;
    for (size_t i = 0; i < count && points[i].start - last < QUIET; i++)
        if (lz_stretch_violates(e, lz_stretch_adverse(e, &points[i])))
            last = points[i].start + points[i].width;
    free(points);
    return last;
}

// Since when it has been as it is at the end: a counter's first step too far, a level's last. What
// was good in its last window, as a ratio of the whole run may be, is about all of it.
static lz_time start_of_end(const struct lz_report_run *run, const struct lz_run_expectation *e)
{
    struct lz_run_point *points;
    size_t count = lz_run_points(run, e->metric, run->warmup_ns, LZ_FOREVER, &points);
    lz_time first = run->virtual_ns;
    for (size_t i = count; i > 0 && first - points[i - 1].start - points[i - 1].width < QUIET; i--)
        if (lz_stretch_violates(e, lz_stretch_adverse(e, &points[i - 1])))
            first = points[i - 1].start;
    free(points);
    return first < run->virtual_ns ? first : run->warmup_ns;
}

struct lz_stretch lz_stretch_of(const struct lz_report_run *run, const struct lz_run_expectation *e)
{
    struct lz_stretch s = {run->warmup_ns, run->virtual_ns};
    bool is_watched = strcmp(e->temporal, "always") == 0 || strcmp(e->temporal, "never") == 0;
    if (e->deadline >= 0 && e->within > 0) {
        s.from = e->deadline - e->within;
        s.to = e->at > e->deadline ? e->at : e->deadline;
    } else if (is_watched && e->at >= 0) {
        s.from = e->at;
        s.to = e->metric > 0 ? end_of_violation(run, e) : e->at + LZ_METRIC_WINDOW;
    } else if (strcmp(e->temporal, "history") == 0 && e->at >= 0) {
        s.from = s.to = e->at;
    } else if (strcmp(e->temporal, "at_end") == 0 && e->metric > 0) {
        s.from = start_of_end(run, e);
    }
    if (s.from < 0)
        s.from = 0;
    if (s.to <= s.from)
        s.to = s.from + LZ_METRIC_WINDOW;
    LZ_ASSERT(s.from < s.to);
    return s;
}

struct lz_stretch lz_stretch_wider(const struct lz_report_run *run, const struct lz_stretch *s)
{
    lz_time pad = (s->to - s->from) / 4;
    if (pad < PAD_MIN)
        pad = PAD_MIN;
    lz_time end = run->virtual_ns > s->to ? run->virtual_ns : s->to;
    struct lz_stretch wide = {
        .from = s->from > pad ? s->from - pad : 0,
        .to = end - s->to > pad ? s->to + pad : end,
    };
    wide.from -= wide.from % LZ_S;
    wide.to += (LZ_S - wide.to % LZ_S) % LZ_S;
    LZ_ASSERT(wide.from <= s->from);
    LZ_ASSERT(wide.from < wide.to);
    return wide;
}
