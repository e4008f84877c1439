// The operators that judge window by window, and the one that looks only at the end.
// eventually and slo, which have more to remember, are in files of their own.

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "check/expect.h"
#include "check/format.h"
#include "model/journal.h"

#define TEXT_MAX 64
#define MATCHER_MAX 80
#define ROUNDING 1e-9      // 0.29 * 100 is a little less than 29
#define GAP_SHOWN_MAX 10.0 // "1000 % spare" tells nobody anything

static bool in_scope(const struct lz_expect *e, lz_time start, lz_time end)
{
    if (e->opts.during_count > 0 && !lz_anchor_within(e->during, e->opts.during_count, start, end))
        return false;
    return !lz_anchor_touches(e->except, e->opts.except_count, start, end);
}

// Notices scopes; true if the latest windows of `e` are to be judged.
static bool enters_scope(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    lz_anchor_follow(c, e->during, e->opts.during_count, now);
    lz_anchor_follow(c, e->except, e->opts.except_count, now);
    lz_time start = lz_expect_window_start(e, now);
    if (start < c->world->warmup || !in_scope(e, start, now))
        return false;
    e->in_scope++;
    return true;
}

// The newest second of the windows is what a person looks at.
static struct lz_moment moment(const struct lz_judged *j, double gap, lz_time now)
{
    LZ_ASSERT(j->present);
    return (struct lz_moment){.at = now - LZ_METRIC_WINDOW, .value = j->value, .gap = gap};
}

// What always and never share: `violates` is which answer of the matcher is a violation.
static void watch(struct lz_checks *c, struct lz_expect *e, lz_time now, bool violates)
{
    if (!enters_scope(c, e, now) || e->opts.matcher.mark != NULL)
        return;
    enum lz_judge how = violates ? LZ_JUDGE_FAVOURABLE : LZ_JUDGE_ADVERSE;
    struct lz_judged j = lz_matcher_now(c->world, &e->opts.matcher, e->over, how, LZ_NO_VALUE);
    if (!j.present)
        return;
    e->samples++;

    bool violated = j.matches == violates;
    double gap = violates ? -j.distance : j.distance;
    if (violated && gap >= 0.0)
        gap = -DBL_MIN; // exactly on a limit that is itself no good
    LZ_ASSERT(LZ_IMPLIES(!violated, gap >= 0.0));

    struct lz_moment m = moment(&j, gap, now);
    if (violated && e->first.at < 0)
        e->first = m;
    if (e->worst.at < 0 || gap < e->worst.gap)
        e->worst = m;
    e->latest = m;
}

static void always_second(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    watch(c, e, now, false);
}

static void never_second(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    watch(c, e, now, true);
}

static void sometimes_second(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    if (!enters_scope(c, e, now) || e->opts.matcher.mark != NULL)
        return;
    struct lz_judged j =
        lz_matcher_now(c->world, &e->opts.matcher, e->over, LZ_JUDGE_FAVOURABLE, LZ_NO_VALUE);
    if (!j.present)
        return;
    e->samples++;
    struct lz_moment m = moment(&j, j.distance, now);
    if (j.matches && e->first.at < 0)
        e->first = m;
    if (e->worst.at < 0 || m.gap > e->worst.gap)
        e->worst = m;
    e->latest = m;
}

// at_end looks once, when it decides; the windows are only counted.
static void at_end_second(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    (void)enters_scope(c, e, now);
}

static void describe_expected(const struct lz_checks *c, const struct lz_expect *e,
                              struct lz_expect_result *r)
{
    char matcher[MATCHER_MAX];
    lz_matcher_describe(c->world, &e->opts.matcher, LZ_NO_VALUE, matcher, sizeof(matcher));
    snprintf(r->expected, sizeof(r->expected), "%s %s", e->op->word, matcher);
}

// Nothing was judged: says why. An anchor that never happened explains the most.
static void decide_unjudged(const struct lz_checks *c, const struct lz_expect *e,
                            struct lz_expect_result *r)
{
    LZ_ASSERT(e->samples == 0);
    char name[MATCHER_MAX];
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    snprintf(r->actual, sizeof(r->actual), "no sample");
    for (uint32_t i = 0; i < e->opts.during_count && e->in_scope == 0; i++) {
        if (e->during[i].start < 0) {
            lz_anchor_describe_missing(c, &e->during[i].scope.after, r->why, sizeof(r->why));
            return;
        }
    }
    if (e->in_scope == 0) {
        snprintf(r->why, sizeof(r->why), "no whole window lay in scope");
        return;
    }
    lz_matcher_name(c->world, &e->opts.matcher, name, sizeof(name));
    snprintf(r->why, sizeof(r->why), "no sample: %s measured nothing in the %llu windows judged",
             name, (unsigned long long)e->in_scope);
}

// "29 % spare" or "12 % over". Nothing where there is no share to speak of: a limit of
// 0, an exact value, a script's answer.
static void describe_spare(const struct lz_expect *e, double gap, struct lz_expect_result *r)
{
    const struct lz_matcher *m = &e->opts.matcher;
    bool has_share = lz_matcher_is_metric(m) && m->compare != LZ_EQUALS &&
                     (m->limit != 0.0 || m->compare == LZ_BETWEEN);
    if (has_share || gap < 0.0)
        r->margin = gap;
    if (!has_share || fabs(gap) >= GAP_SHOWN_MAX)
        return;
    if (gap >= 0.0) {
        snprintf(r->spare, sizeof(r->spare), "%.0f %% spare", floor(gap * 100.0 + ROUNDING));
        return;
    }
    double beyond = ceil(-gap * 100.0 - ROUNDING);
    if (gap == -DBL_MIN)
        snprintf(r->spare, sizeof(r->spare), "at the limit");
    else if (m->compare == LZ_BETWEEN)
        snprintf(r->spare, sizeof(r->spare), "%.0f %% %s", beyond,
                 e->op == &lz_temporal_never ? "inside" : "outside");
    else
        snprintf(r->spare, sizeof(r->spare), "%.0f %% %s", beyond,
                 r->value > m->limit ? "over" : "under");
}

// A mark is instants, of which the first in scope counts. Warm-up does not hide it, because a
// script set it on purpose.
static lz_time marked_in_scope(const struct lz_checks *c, const struct lz_expect *e)
{
    lz_time at = lz_journal_marked(c->world, e->opts.matcher.mark);
    while (at >= 0 && !in_scope(e, at, at + 1))
        at = lz_journal_marked_from(c->world, e->opts.matcher.mark, at + 1);
    return at;
}

static void decide_mark(const struct lz_checks *c, const struct lz_expect *e, bool wanted,
                        struct lz_expect_result *r)
{
    char at[TEXT_MAX];
    lz_time marked = marked_in_scope(c, e);
    r->samples = e->in_scope;
    if (marked < 0 && e->in_scope == 0) {
        decide_unjudged(c, e, r);
        return;
    }
    r->at = marked;
    r->verdict = (marked >= 0) == wanted ? LZ_VERDICT_PASS : LZ_VERDICT_FAIL;
    if (marked < 0)
        snprintf(r->actual, sizeof(r->actual), "never happened");
    else
        snprintf(r->actual, sizeof(r->actual), "at %s", lz_format_instant(at, sizeof(at), marked));
}

static void describe_watched(const struct lz_checks *c, const struct lz_expect *e,
                             struct lz_expect_result *r)
{
    const struct lz_matcher *m = &e->opts.matcher;
    bool failed = e->first.at >= 0;
    char value[TEXT_MAX], at[TEXT_MAX], first[TEXT_MAX];
    lz_matcher_format(c->world, m, e->worst.value, value, sizeof(value));
    lz_format_instant(at, sizeof(at), e->worst.at);

    if (!lz_matcher_is_metric(m)) {
        lz_format_instant(first, sizeof(first), e->first.at < 0 ? 0 : e->first.at);
        if (failed)
            snprintf(r->actual, sizeof(r->actual), "%s at %s",
                     e->op == &lz_temporal_never ? "true" : "false", first);
        else
            snprintf(r->actual, sizeof(r->actual), "%s",
                     e->op == &lz_temporal_never ? "never true" : "true");
        return;
    }
    bool is_plain = m->compare == LZ_EQUALS || lz_matcher_is_counter(c->world, m);
    if (!failed && is_plain)
        snprintf(r->actual, sizeof(r->actual), "%s", value);
    else if (failed && e->first.at != e->worst.at)
        snprintf(r->actual, sizeof(r->actual), "worst %s at %s, first at %s", value, at,
                 lz_format_instant(first, sizeof(first), e->first.at));
    else
        snprintf(r->actual, sizeof(r->actual), "worst %s at %s", value, at);
}

static void watched_decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                           struct lz_expect_result *r)
{
    (void)now;
    describe_expected(c, e, r);
    if (e->opts.matcher.mark != NULL) {
        decide_mark(c, e, false, r);
        return;
    }
    r->samples = e->samples;
    if (e->samples == 0) {
        decide_unjudged(c, e, r);
        return;
    }
    LZ_ASSERT(e->worst.at >= 0);
    r->verdict = e->first.at >= 0 ? LZ_VERDICT_FAIL : LZ_VERDICT_PASS;
    r->at = e->first.at >= 0 ? e->first.at : e->worst.at;
    r->value = e->worst.value;
    describe_watched(c, e, r);
    describe_spare(e, e->worst.gap, r);
    LZ_ASSERT(LZ_IMPLIES(r->verdict == LZ_VERDICT_FAIL, r->margin < 0.0));
}

static void sometimes_unseen(const struct lz_checks *c, const struct lz_expect *e,
                             struct lz_expect_result *r)
{
    char value[TEXT_MAX], at[TEXT_MAX], matcher[MATCHER_MAX];
    const struct lz_matcher *m = &e->opts.matcher;
    lz_matcher_describe(c->world, m, LZ_NO_VALUE, matcher, sizeof(matcher));
    lz_matcher_format(c->world, m, e->worst.value, value, sizeof(value));
    lz_format_instant(at, sizeof(at), e->worst.at);
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    r->at = -1;
    if (!lz_matcher_is_metric(m))
        snprintf(r->actual, sizeof(r->actual), "never");
    else if (lz_matcher_is_counter(c->world, m))
        snprintf(r->actual, sizeof(r->actual), "%s", value);
    else
        snprintf(r->actual, sizeof(r->actual), "nearest %s at %s", value, at);
    snprintf(r->why, sizeof(r->why), "it was never %s", matcher);
}

static void sometimes_decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                             struct lz_expect_result *r)
{
    (void)now;
    char value[TEXT_MAX], at[TEXT_MAX];
    const struct lz_matcher *m = &e->opts.matcher;
    describe_expected(c, e, r);
    if (m->mark != NULL) {
        decide_mark(c, e, true, r);
        if (r->verdict == LZ_VERDICT_FAIL) { // unseen is untested, not wrong
            r->verdict = LZ_VERDICT_INCONCLUSIVE;
            snprintf(r->why, sizeof(r->why), "the mark \"%s\" was never set", m->mark);
        }
        return;
    }
    r->samples = e->samples;
    if (e->samples == 0) {
        decide_unjudged(c, e, r);
        return;
    }
    r->value = e->first.at >= 0 ? e->first.value : e->worst.value;
    if (lz_matcher_is_metric(m))
        r->margin = e->worst.gap;
    if (e->first.at < 0) {
        sometimes_unseen(c, e, r);
        return;
    }
    r->verdict = LZ_VERDICT_PASS;
    r->at = e->first.at;
    lz_format_instant(at, sizeof(at), e->first.at);
    lz_matcher_format(c->world, m, e->first.value, value, sizeof(value));
    if (lz_matcher_is_metric(m))
        snprintf(r->actual, sizeof(r->actual), "%s at %s", value, at);
    else
        snprintf(r->actual, sizeof(r->actual), "at %s", at);
}

// What is in use for a time has no level worth naming, only a mean: of the last window.
static bool is_use(const struct lz_checks *c, const struct lz_matcher *m)
{
    return lz_matcher_is_metric(m) &&
           lz_metric_is_use(lz_metrics_def(c->world->metrics, m->metric));
}

static bool is_level(const struct lz_checks *c, const struct lz_matcher *m)
{
    return lz_matcher_is_metric(m) &&
           lz_metrics_def(c->world->metrics, m->metric)->view == LZ_VIEW_LEVEL;
}

// The whole run as one value; what has a value at every instant (counters, levels) as it
// stands at the end; with `over`, the last stretch of the run.
static struct lz_judged judge_end(const struct lz_checks *c, const struct lz_expect *e)
{
    const struct lz_matcher *m = &e->opts.matcher;
    const struct lz_metrics *metrics = c->world->metrics;
    if (!lz_matcher_is_metric(m) || lz_matcher_is_counter(c->world, m) || is_use(c, m) ||
        e->opts.over > 0)
        return lz_matcher_now(c->world, m, e->over, LZ_JUDGE_VALUE, LZ_NO_VALUE);
    struct lz_sample sample;
    if (is_level(c, m)) {
        sample = lz_metrics_window(metrics, m->metric, e->over);
        sample.value = lz_metrics_level(metrics, lz_metrics_def(metrics, m->metric)->a);
        sample.low = sample.high = sample.value;
    } else {
        sample = lz_metrics_whole(metrics, m->metric);
    }
    return lz_matcher_judge(c->world, m, &sample, LZ_JUDGE_VALUE, LZ_NO_VALUE);
}

// What a script answered, in its own words if it has some.
static void describe_answer(const struct lz_matcher *m, bool yes, struct lz_expect_result *r)
{
    const char *says = m->script_says != NULL ? m->script_says(m->script_ctx) : NULL;
    snprintf(r->actual, sizeof(r->actual), "%s", says != NULL ? says : yes ? "true" : "false");
}

static void at_end_decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                          struct lz_expect_result *r)
{
    const struct lz_matcher *m = &e->opts.matcher;
    describe_expected(c, e, r);
    if (m->mark != NULL) {
        decide_mark(c, e, true, r);
        return;
    }
    struct lz_judged j = {.value = LZ_NO_VALUE};
    bool warm = now > c->world->warmup && lz_expect_window_start(e, now) >= c->world->warmup;
    if (warm)
        j = judge_end(c, e);
    if (!j.present) {
        decide_unjudged(c, e, r);
        return;
    }
    r->samples = 1;
    r->at = now;
    r->value = j.value;
    r->verdict = j.matches ? LZ_VERDICT_PASS : LZ_VERDICT_FAIL;
    if (lz_matcher_is_metric(m))
        lz_matcher_format(c->world, m, j.value, r->actual, sizeof(r->actual));
    else
        describe_answer(m, j.matches, r);
    describe_spare(e, !j.matches && j.distance >= 0.0 ? -DBL_MIN : j.distance, r);
}

const struct lz_temporal_op lz_temporal_always = {
    .word = "always",
    .takes_scopes = true,
    .second = always_second,
    .decide = watched_decide,
};

const struct lz_temporal_op lz_temporal_never = {
    .word = "never",
    .takes_scopes = true,
    .takes_marks = true,
    .second = never_second,
    .decide = watched_decide,
};

const struct lz_temporal_op lz_temporal_sometimes = {
    .word = "sometimes",
    .takes_scopes = true,
    .takes_marks = true,
    .second = sometimes_second,
    .decide = sometimes_decide,
};

const struct lz_temporal_op lz_temporal_at_end = {
    .word = "at the end",
    .takes_marks = true,
    .second = at_end_second,
    .decide = at_end_decide,
};
