// An SLO: a share of requests that must succeed, and so a budget of those that may fail.
//
// The objective 99.5 % leaves 0.5 % of requests as budget; an error ratio of 0.2 % has
// used 40 % of it. Over the whole run the budget is only known at its end, when all
// requests are counted: an early error costs a lot of the few requests so far and little
// of them all. Over a sliding window it is known each second, and once is enough to fail.

#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "check/expect.h"
#include "check/format.h"

#define TEXT_MAX 64
#define NAME_MAX 80
#define ROUNDING 1e-9 // 0.29 * 100 is a little less than 29
#define LEFT_SHOWN_MIN (-10.0)

static double budget_left(const struct lz_expect *e, double error_ratio)
{
    LZ_ASSERT(e->opts.objective > 0.0);
    LZ_ASSERT(e->opts.objective < 1.0);
    double budget = 1.0 - e->opts.objective;
    double left = 1.0 - error_ratio / budget;
    return fabs(left) <= 1e-9 ? 0.0 : left; // used up to the last request is not overdrawn
}

static struct lz_sample sample_of(const struct lz_checks *c, const struct lz_expect *e)
{
    lz_metric metric = e->opts.matcher.metric;
    return e->whole ? lz_metrics_whole(c->world->metrics, metric)
                    : lz_metrics_window(c->world->metrics, metric, e->over);
}

static void slo_second(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    if (lz_expect_window_start(e, now) < c->world->warmup)
        return;
    e->in_scope++;
    struct lz_sample s = sample_of(c, e);
    if (!s.present)
        return;
    e->samples++;
    struct lz_moment m = {
        .at = now - LZ_METRIC_WINDOW, .value = s.value, .gap = budget_left(e, s.value)};
    e->latest = m;
    if (e->worst.at < 0 || m.gap < e->worst.gap)
        e->worst = m;
    if (m.gap < 0.0 && e->first.at < 0)
        e->first = m;
    // Later successes may pay a whole run's early errors back.
    if (e->whole && m.gap >= 0.0)
        e->first.at = -1;
}

static void describe_budget(const struct lz_expect *e, const struct lz_moment *m,
                            struct lz_expect_result *r)
{
    char success[TEXT_MAX], objective[TEXT_MAX], at[TEXT_MAX];
    lz_format_ratio(success, sizeof(success), 1.0 - m->value);
    lz_format_ratio(objective, sizeof(objective), e->opts.objective);
    if (e->whole)
        snprintf(r->actual, sizeof(r->actual), "%s of %s", success, objective);
    else
        snprintf(r->actual, sizeof(r->actual), "worst %s of %s at %s", success, objective,
                 lz_format_instant(at, sizeof(at), m->at));
    if (m->gap >= 0.0)
        snprintf(r->spare, sizeof(r->spare), "%.0f %% of budget left",
                 floor(m->gap * 100.0 + ROUNDING));
    else if (m->gap > LEFT_SHOWN_MIN)
        snprintf(r->spare, sizeof(r->spare), "%.0f %% of budget used",
                 ceil((1.0 - m->gap) * 100.0 - ROUNDING));
    else
        snprintf(r->spare, sizeof(r->spare), "budget used %.0f times", floor(1.0 - m->gap));
}

static void slo_decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                       struct lz_expect_result *r)
{
    (void)now;
    char text[TEXT_MAX], name[NAME_MAX];
    lz_format_ratio(text, sizeof(text), e->opts.objective);
    if (e->whole)
        snprintf(r->expected, sizeof(r->expected), "%s over the whole run", text);
    else
        snprintf(r->expected, sizeof(r->expected), "%s over %s", text,
                 lz_format_duration(name, sizeof(name), e->opts.over));
    r->samples = e->samples;
    if (e->samples == 0) {
        lz_matcher_name(c->world, &e->opts.matcher, name, sizeof(name));
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "no sample");
        snprintf(r->why, sizeof(r->why),
                 "no sample: %s measured nothing in the %llu windows judged", name,
                 (unsigned long long)e->in_scope);
        return;
    }
    const struct lz_moment *m = e->whole ? &e->latest : &e->worst;
    r->verdict = m->gap < 0.0 ? LZ_VERDICT_FAIL : LZ_VERDICT_PASS;
    LZ_ASSERT((r->verdict == LZ_VERDICT_FAIL) == (e->first.at >= 0));
    r->at = e->first.at >= 0 ? e->first.at : m->at;
    r->value = 1.0 - m->value;
    r->margin = m->gap;
    describe_budget(e, m, r);
}

const struct lz_temporal_op lz_temporal_slo = {
    .word = "slo",
    .second = slo_second,
    .decide = slo_decide,
};
