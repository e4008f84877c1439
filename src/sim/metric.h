/*
 * metric.h — what is measured, in windows of one second.
 *
 * Two layers. A *series* is what the model feeds: a counter (adds up), a gauge
 * (a level, weighted by time; a *tally* is one of whole things that come and go, which costs
 * a third of it; a *share* is a tally given as a part of so many) or a histogram (log-linear,
 * mergeable, integer counts, at most 1 % relative error). A *metric* is what people name: a view on
 * one or two series of a component, such as the ratio of two counters or the 99th
 * percentile of a histogram. `web.latency.p99` is metric "latency.p99" of
 * component "web".
 *
 * Windows are [k s, k+1 s). lz_metrics_roll closes the current one; the kernel's
 * owner calls it at every whole second. Closed windows are kept twice: the last
 * `keep` of them exactly (for judging `over` several windows), and all of them for
 * the record, where the width doubles past LZ_METRIC_WINDOWS_MAX so that memory
 * does not grow with the run.
 *
 * Absence: ratios and quantiles have no sample in a window without events. Rates,
 * gauges and counters always have one. Counters are cumulative since the start;
 * every other whole-run value begins at lz_metrics_begin (the end of warm-up).
 *
 * Units: under LZ_UNIT_SECONDS, histograms and totals of counters are fed nanoseconds and give
 * seconds; gauges are fed seconds. Everything else is given as it was fed.
 *
 * Attention: of a run of which only the verdict is kept nobody looks at most series. After
 * lz_metrics_attend those without a kept metric (lz_metrics_keep) are *deaf*: what they are fed is
 * forgotten. Who reads one all the same is told nothing that is true, and lz_metrics_missed says
 * so: the run has to be done again with all of them.
 *
 * Ownership: all in the arena; nothing is freed before the run ends.
 */
#ifndef LZ_SIM_METRIC_H
#define LZ_SIM_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "sim/hist.h"
#include "sim/time.h"
#include "sim/window.h"

#define LZ_METRIC_WINDOWS_MAX 4096
#define LZ_METRIC_WINDOW LZ_S

typedef uint32_t lz_series; /* 0 is never issued */
typedef uint32_t lz_metric; /* 0 is never issued */

enum lz_view {
    LZ_VIEW_RATE = 1, /* counter a, per second of window */
    LZ_VIEW_RATIO,    /* counter a / counter b; no sample when b did not move */
    LZ_VIEW_TOTAL,    /* counter a, cumulative since the start */
    LZ_VIEW_LEVEL,    /* gauge a: time-weighted mean, with low and high */
    LZ_VIEW_MEAN,     /* histogram a */
    LZ_VIEW_MAX,
    LZ_VIEW_QUANTILE, /* histogram a at `q` */
};

enum lz_unit {
    LZ_UNIT_COUNT,
    LZ_UNIT_RATIO,   /* 0 to 1 */
    LZ_UNIT_SECONDS, /* histograms and counters in nanoseconds, gauges and values in seconds */
    LZ_UNIT_RATE,    /* per second */
    LZ_UNIT_BYTES,
};

struct lz_metric_def {
    const char *name; /* "latency.p99"; must outlive the run */
    enum lz_view view;
    enum lz_unit unit;
    lz_series a, b;
    double q;
};

/*
 * What is used for a time, and at an instant wholly or not at all: a `cpu`, a `busy`. Memory, a
 * leader or a version's share are ratios that have a level.
 */
bool lz_metric_is_use(const struct lz_metric_def *def);

/* One value with its extremes; `low` and `high` equal `value` unless it is a gauge. */
struct lz_sample {
    bool present;
    double value, low, high; /* base units: seconds, ratio, per second, count */
    uint64_t count;          /* events behind it */
};

struct lz_metrics;

struct lz_metrics *lz_metrics_create(struct lz_arena *arena);

lz_series lz_metrics_counter(struct lz_metrics *m);
lz_series lz_metrics_gauge(struct lz_metrics *m, double level);
lz_series lz_metrics_tally(struct lz_metrics *m);               /* a gauge that begins with none */
lz_series lz_metrics_share(struct lz_metrics *m, double whole); /* a tally, by `whole` */
lz_series lz_metrics_hist(struct lz_metrics *m);

/* What the model feeds, in the current window. It never moves. */
struct lz_gauge {
    double level, sum, low, high; /* now; over the window: times ns, and the extremes */
    lz_time since;                /* `sum` is complete up to here */
};

/*
 * The area under a level that moves by d at t is the sum of -d t, plus the level times the end:
 * one sum for each move. It is exact: of integers, whatever wraps around on the way.
 */
struct lz_tally {
    int64_t level, low, high;
    uint64_t moved; /* modulo 2^64: the sum of -d t, the level at the window's start as its first */
};

/*
 * What a histogram is fed waits in a row and is counted many at a time: each value goes to a place
 * of its own in an array that is larger than what a processor has at hand.
 */
#define LZ_SERIES_ROW 64u

struct lz_observed {
    int64_t *next, *end; /* of `row`; NULL while the series is not touched */
    int64_t *row;        /* of LZ_SERIES_ROW once there was a value */
    struct lz_hist hist; /* of this window, without those */
};

/* In the current window. */
enum lz_series_state {
    LZ_SERIES_IDLE,
    LZ_SERIES_TOUCHED, /* it has been fed */
    LZ_SERIES_DEAF,    /* as in every other: see above */
};

struct lz_series_face {
    uint8_t kind;  /* enum lz_window_kind */
    uint8_t state; /* enum lz_series_state */
    bool is_tally; /* of a gauge */
    lz_series id;
    uint64_t nones; /* HIST: values of 0 in this window that it does not have yet */
    union {
        uint64_t total; /* COUNTER: since the start */
        struct lz_gauge gauge;
        struct lz_tally tally;
        struct lz_observed observed;
    } u;
};

/* It begins metric.c's own struct; several for each step of a request look here. */
struct lz_metrics_face {
    struct lz_series_face **all; /* 1 .. */
    uint32_t series_count;
};

/* The first of a window: it has to be closed. */
void lz_metrics_touch(struct lz_metrics *m, lz_series id);

/* Whoever feeds it asks first, which makes it a touched one. */
static inline bool lz_metrics_hears(struct lz_metrics *m, const struct lz_series_face *s)
{
    if (__builtin_expect(s->state == LZ_SERIES_TOUCHED, 1))
        return true;
    if (s->state == LZ_SERIES_DEAF)
        return false;
    lz_metrics_touch(m, s->id);
    return true;
}

/* For who has something to find out before it could feed it. */
static inline bool lz_metrics_is_deaf(const struct lz_series_face *s)
{
    return s->state == LZ_SERIES_DEAF;
}

static inline struct lz_series_face *lz_metrics_series(const struct lz_metrics *m, lz_series id,
                                                       enum lz_window_kind kind)
{
    const struct lz_metrics_face *face = (const struct lz_metrics_face *)m;
    LZ_ASSERT(id - 1u < face->series_count);
    struct lz_series_face *s = face->all[id];
    LZ_ASSERT(s->kind == kind);
    return s;
}

/*
 * What is fed at every step of every request is fed by the address of its series, which never
 * changes: `_on` instead of by number.
 */
static inline void lz_metrics_add_on(struct lz_metrics *m, struct lz_series_face *s, uint64_t n)
{
    if (!lz_metrics_hears(m, s))
        return;
    s->u.total += n;
}

static inline void lz_metrics_add(struct lz_metrics *m, lz_series counter, uint64_t n)
{
    lz_metrics_add_on(m, lz_metrics_series(m, counter, LZ_WINDOW_COUNTER), n);
}

/* A level set to what it is changes nothing, and half of all are. */
static inline void lz_metrics_set_on(struct lz_metrics *m, struct lz_series_face *s, lz_time now,
                                     double level)
{
    struct lz_gauge *g = &s->u.gauge;
    LZ_ASSERT(!s->is_tally);
    if (!__builtin_islessgreater(g->level, level))
        return;
    if (!lz_metrics_hears(m, s))
        return;
    lz_time passed = now - g->since;
    LZ_ASSERT(passed >= 0);
    g->sum += g->level * (double)passed;
    g->since = now;
    g->level = level;
    g->low = level < g->low ? level : g->low;
    g->high = level > g->high ? level : g->high;
}

/* A level that somebody else has measured: of a tally too. */
void lz_metrics_set(struct lz_metrics *m, lz_series gauge, lz_time now, double level);

/* More of what a tally counts, and fewer. */
static inline void lz_metrics_enter_on(struct lz_metrics *m, struct lz_series_face *s, lz_time now,
                                       uint32_t n)
{
    struct lz_tally *t = &s->u.tally;
    if (!lz_metrics_hears(m, s))
        return;
    LZ_ASSERT(s->is_tally);
    t->moved -= (uint64_t)now * n;
    t->level += n;
    if (t->level > t->high)
        t->high = t->level;
}

static inline void lz_metrics_leave_on(struct lz_metrics *m, struct lz_series_face *s, lz_time now,
                                       uint32_t n)
{
    struct lz_tally *t = &s->u.tally;
    if (!lz_metrics_hears(m, s))
        return;
    t->moved += (uint64_t)now * n;
    t->level -= n;
    LZ_ASSERT(t->level >= 0);
    if (t->level < t->low)
        t->low = t->level;
}

/* So many are there now. */
static inline void lz_metrics_count_on(struct lz_metrics *m, struct lz_series_face *s, lz_time now,
                                       int64_t level)
{
    struct lz_tally *t = &s->u.tally;
    if (t->level == level || !lz_metrics_hears(m, s))
        return;
    LZ_ASSERT(s->is_tally && level >= 0);
    t->moved -= (uint64_t)now * (uint64_t)(level - t->level);
    t->level = level;
    t->low = level < t->low ? level : t->low;
    t->high = level > t->high ? level : t->high;
}

/*
 * Of a share, what changes seldom: how many there would be if it were 1, and by how much there is
 * more, or less, where that is no whole thing. Sums are exact between two such changes.
 */
void lz_metrics_set_whole(struct lz_metrics *m, lz_series share, lz_time now, double whole);
void lz_metrics_move_share(struct lz_metrics *m, lz_series share, lz_time now, double by);

/* Where the row has no room: of this window yet, or any more. */
void lz_metrics_observe_row(struct lz_metrics *m, struct lz_series_face *s, int64_t value);

static inline void lz_metrics_observe_on(struct lz_metrics *m, struct lz_series_face *s,
                                         int64_t value) /* >= 0 */
{
    struct lz_observed *o = &s->u.observed;
    if (__builtin_expect(o->next != o->end, 1))
        *o->next++ = value;
    else if (!lz_metrics_is_deaf(s))
        lz_metrics_observe_row(m, s, value);
}

/* A value of 0, as most waits are: they are counted by themselves until the window is closed. */
static inline void lz_metrics_observe_none_on(struct lz_metrics *m, struct lz_series_face *s)
{
    if (!lz_metrics_hears(m, s))
        return;
    s->nones++;
}

static inline void lz_metrics_observe(struct lz_metrics *m, lz_series hist, int64_t value)
{
    lz_metrics_observe_on(m, lz_metrics_series(m, hist, LZ_WINDOW_HIST), value);
}

/* Right now. */
double lz_metrics_level(const struct lz_metrics *m, lz_series gauge);

/* Since the start. */
uint64_t lz_metrics_total(const struct lz_metrics *m, lz_series counter);

/*
 * What a histogram has seen up to now since lz_metrics_begin, which empties it: how many, how many
 * of these were at most `value`, and their sum.
 */
uint64_t lz_metrics_seen(const struct lz_metrics *m, lz_series hist);
uint64_t lz_metrics_at_most(const struct lz_metrics *m, lz_series hist, int64_t value);
double lz_metrics_sum(const struct lz_metrics *m, lz_series hist);

static inline void lz_metrics_move(struct lz_metrics *m, lz_series gauge, lz_time now, double by)
{
    if (!lz_metrics_is_deaf(lz_metrics_series(m, gauge, LZ_WINDOW_GAUGE)))
        lz_metrics_set(m, gauge, now, lz_metrics_level(m, gauge) + by);
}

/* Name a view on a component's series. A component's names are unique. */
lz_metric lz_metrics_define(struct lz_metrics *m, uint32_t component,
                            const struct lz_metric_def *def);
lz_metric lz_metrics_find(const struct lz_metrics *m, uint32_t component, const char *name);
size_t lz_metrics_count(const struct lz_metrics *m); /* metrics are 1 .. count, as defined */
const struct lz_metric_def *lz_metrics_def(const struct lz_metrics *m, lz_metric id);
uint32_t lz_metrics_component(const struct lz_metrics *m, lz_metric id);

/* Of a component's series: counts, windows for judging, the record. */
size_t lz_metrics_bytes(const struct lz_metrics *m, uint32_t component);

/*
 * What nobody observes has no sample, instead of a level of 0. A level that is shown by its first
 * reading begins with it: the window that the reading falls into is all at that value, and none
 * before it has a sample. Others are merely shown.
 */
void lz_metrics_hide(struct lz_metrics *m, lz_metric id);
void lz_metrics_show(struct lz_metrics *m, lz_metric id, lz_time now, double level);
bool lz_metrics_is_hidden(const struct lz_metrics *m, lz_metric id);

/* Judging `id` needs its last `windows` windows exactly. */
void lz_metrics_keep(struct lz_metrics *m, lz_metric id, uint32_t windows);

/* The model reads the series itself, by its level or total. */
void lz_metrics_heed(struct lz_metrics *m, lz_series id);

/* Only what is kept or heeded will be read: before anything is fed. */
void lz_metrics_attend(struct lz_metrics *m);
bool lz_metrics_missed(const struct lz_metrics *m); /* and another was */

/* Close the window that ends at `now`, a whole second. */
void lz_metrics_roll(struct lz_metrics *m, lz_time now);

/* Warm-up is over: whole-run values begin here. */
void lz_metrics_begin(struct lz_metrics *m, lz_time now);

/* The last `over` closed windows as one sample (fewer at the start of the run). */
struct lz_sample lz_metrics_window(const struct lz_metrics *m, lz_metric id, uint32_t over);

/* Since lz_metrics_begin up to the last roll (totals: since the start, up to now). */
struct lz_sample lz_metrics_whole(const struct lz_metrics *m, lz_metric id);

/* The record: window `i` of `id`, oldest first, each `width` long, the first at `start`. */
size_t lz_metrics_windows(const struct lz_metrics *m, lz_metric id);
lz_time lz_metrics_width(const struct lz_metrics *m);
struct lz_sample lz_metrics_stored(const struct lz_metrics *m, lz_metric id, size_t i);

#endif
