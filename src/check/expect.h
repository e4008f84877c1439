/*
 * expect.h — inside check/: one expectation while the run goes on.
 *
 * Each temporal operator is a row of two functions over this state. `second` looks at
 * the windows that have just closed and remembers what it must; `decide` turns what is
 * remembered into a result as if the run ended at `now`, and changes nothing, so that
 * it may be asked at any time and again later.
 *
 * Marks keep their own instant in the journal. Operators do not look at them each
 * second but only when they decide.
 */
#ifndef LZ_CHECK_EXPECT_H
#define LZ_CHECK_EXPECT_H

#include "check/anchor.h"
#include "check/check.h"
#include "check/matcher.h"

struct lz_checks;

/* A sample worth remembering. */
struct lz_moment {
    lz_time at; /* -1: there was none */
    double value;
    double gap; /* how far it stayed from violating, as a share of the limit */
};

/* eventually: a run of matching windows without a break. */
struct lz_streak {
    lz_time start; /* of its first window; -1: the latest window did not match */
    double value;  /* in that window */
    lz_time end;   /* of its latest window */
};

struct lz_expect {
    struct lz_expect_opts opts;
    struct lz_expect_result result;
    const struct lz_temporal_op *op;
    uint32_t over; /* windows */
    bool whole;    /* slo: over the whole run */
    struct lz_scope_state *during, *except;
    lz_time anchor; /* eventually: -1 until it happens */

    uint64_t in_scope;      /* windows that lay in scope */
    uint64_t samples;       /* of them, those with a sample */
    struct lz_moment first; /* violation (always, never, slo) or match (sometimes) */
    struct lz_moment worst; /* nearest to violating; sometimes: nearest to matching */
    struct lz_moment latest;

    struct lz_streak streak;
    lz_time longest;   /* streak since the anchor */
    lz_time recovered; /* -1: not yet */
    double recovered_value;
    double baseline_sum; /* recovers_to: of the windows before the anchor's fault */
    uint64_t baseline_count;
    bool baseline_closed;
};

struct lz_temporal_op {
    const char *word;  /* "always" */
    bool takes_scopes; /* during, except */
    bool takes_marks;
    void (*second)(struct lz_checks *c, struct lz_expect *e, lz_time now);
    void (*decide)(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                   struct lz_expect_result *r);
};

extern const struct lz_temporal_op lz_temporal_always, lz_temporal_never, lz_temporal_sometimes,
    lz_temporal_at_end, lz_temporal_eventually, lz_temporal_slo, lz_temporal_recorded;

struct lz_checks {
    struct lz_world *world;
    struct lz_faults *faults;
    struct lz_expect **items; /* 0 .. count - 1; ids are one more */
    uint32_t count, cap;
    lz_time judged; /* the latest instant at which seconds were judged */
};

/* The latest `over` windows of an expectation, ending at `now`, begin here. */
static inline lz_time lz_expect_window_start(const struct lz_expect *e, lz_time now)
{
    return now - (lz_time)e->over * LZ_METRIC_WINDOW;
}

/* What recovers_to compares with; LZ_NO_VALUE while it is not known. */
double lz_expect_baseline(const struct lz_expect *e);

#endif
