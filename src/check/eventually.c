// eventually: it becomes true by `after + within`, and stays for `holding`.
//
//                 matches                          held for `holding`,
//     ┌────────┐  ────────▶  ┌────────┐            anchor has happened   ┌───────────┐
//     │ broken │             │ streak │  ──────────────────────────────▶ │ recovered │
//     └────────┘  ◀────────  └────────┘                                  └───────────┘
//              no match, no sample
//
// follow_streak makes the moves between the left two, settle the last one, which is for
// good: the first streak that lasts long enough is the answer, in time or too late.
// Nothing is decided before the end of the run, so that a late recovery is still measured.

#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "check/expect.h"
#include "check/format.h"
#include "model/journal.h"

#define TEXT_MAX 64
#define MATCHER_MAX 80

static bool has_baseline(const struct lz_expect *e)
{
    return lz_matcher_is_metric(&e->opts.matcher) && e->opts.matcher.compare == LZ_RECOVERS_TO;
}

double lz_expect_baseline(const struct lz_expect *e)
{
    if (!has_baseline(e) || !e->baseline_closed || e->baseline_count == 0)
        return LZ_NO_VALUE;
    return e->baseline_sum / (double)e->baseline_count;
}

// The mean of the one-second windows from warm-up to the start of the anchor's fault.
// Windows that end at or before the fault's planned start count, the one it falls into not.
static void follow_baseline(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    if (!has_baseline(e) || e->baseline_closed)
        return;
    struct lz_anchor disturbance = lz_anchor_before(&e->opts.after);
    lz_time start = lz_anchor_instant(c, &disturbance, now);
    if (start >= 0 && now > start) {
        e->baseline_closed = true;
        return;
    }
    if (now - LZ_METRIC_WINDOW < c->world->warmup)
        return;
    struct lz_sample s = lz_matcher_sample(c->world, &e->opts.matcher, 1);
    if (s.present) {
        e->baseline_sum += s.value;
        e->baseline_count++;
    }
}

// A streak that began before the anchor counts from the anchor.
static lz_time counts_from(const struct lz_expect *e)
{
    LZ_ASSERT(e->streak.start >= 0);
    LZ_ASSERT(e->anchor >= 0);
    return e->streak.start > e->anchor ? e->streak.start : e->anchor;
}

static void follow_streak(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    enum lz_judge how = e->opts.holding > 0 ? LZ_JUDGE_ADVERSE : LZ_JUDGE_FAVOURABLE;
    struct lz_judged j =
        lz_matcher_now(c->world, &e->opts.matcher, e->over, how, lz_expect_baseline(e));
    lz_time start = lz_expect_window_start(e, now);
    if (e->anchor >= 0 && start >= e->anchor) {
        e->in_scope++;
        e->samples += j.present;
    }
    if (j.present)
        e->latest = (struct lz_moment){.at = now - LZ_METRIC_WINDOW, .value = j.value};
    if (!j.present || !j.matches) {
        e->streak = (struct lz_streak){.start = -1};
        return;
    }
    if (e->streak.start < 0)
        e->streak = (struct lz_streak){.start = start, .value = j.value};
    e->streak.end = now;
    LZ_ASSERT(e->streak.start < e->streak.end);
}

// At least one window must lie wholly after the anchor: what matched before it is no
// evidence of what came after.
static void settle(struct lz_expect *e, lz_time now)
{
    if (e->anchor < 0 || e->streak.start < 0)
        return;
    lz_time from = counts_from(e);
    lz_time held = e->streak.end - from;
    if (held > e->longest)
        e->longest = held;
    if (lz_expect_window_start(e, now) < e->anchor || held < e->opts.holding)
        return;
    e->recovered = from;
    e->recovered_value = e->streak.value;
    LZ_ASSERT(e->recovered >= e->anchor);
}

static void eventually_second(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    if (e->anchor < 0)
        e->anchor = lz_anchor_instant(c, &e->opts.after, now);
    if (e->opts.matcher.mark != NULL || e->recovered >= 0)
        return;
    follow_baseline(c, e, now);
    if (lz_expect_window_start(e, now) < c->world->warmup)
        return;
    follow_streak(c, e, now);
    settle(e, now);
}

static void describe_expected(const struct lz_checks *c, const struct lz_expect *e,
                              struct lz_expect_result *r)
{
    char matcher[MATCHER_MAX], text[TEXT_MAX];
    const char *preposition = r->deadline >= 0 ? "by" : "within";
    lz_matcher_describe(c->world, &e->opts.matcher, lz_expect_baseline(e), matcher,
                        sizeof(matcher));
    if (r->deadline >= 0)
        lz_format_instant(text, sizeof(text), r->deadline);
    else
        lz_format_duration(text, sizeof(text), e->opts.within);
    int n = snprintf(r->expected, sizeof(r->expected), "%s %s %s", matcher, preposition, text);
    if (e->opts.holding > 0 && n > 0 && (size_t)n < sizeof(r->expected))
        snprintf(r->expected + n, sizeof(r->expected) - (size_t)n, ", holding %s",
                 lz_format_duration(text, sizeof(text), e->opts.holding));
}

// It became true at `at`, which may be too late.
static void decide_recovered(const struct lz_expect *e, lz_time at, struct lz_expect_result *r)
{
    char text[TEXT_MAX];
    LZ_ASSERT(at >= e->anchor);
    lz_time left = r->deadline - at;
    bool in_time = left >= 0;
    r->verdict = in_time ? LZ_VERDICT_PASS : LZ_VERDICT_FAIL;
    r->at = at;
    r->margin = (double)left / (double)e->opts.within;
    if (at == e->anchor)
        snprintf(r->actual, sizeof(r->actual), "at once");
    else
        snprintf(r->actual, sizeof(r->actual), "%s %s", in_time ? "after" : "took",
                 lz_format_duration(text, sizeof(text), at - e->anchor));
    lz_format_duration(text, sizeof(text), in_time ? left : -left);
    snprintf(r->spare, sizeof(r->spare), "%s %s", text, in_time ? "spare" : "too late");
}

// The deadline is past and it never held. No margin is worse than never.
static void decide_never(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                         struct lz_expect_result *r)
{
    char text[TEXT_MAX], longest[TEXT_MAX];
    LZ_ASSERT(now >= r->deadline);
    double margin = -(double)(now - r->deadline) / (double)e->opts.within;
    r->verdict = LZ_VERDICT_FAIL;
    r->at = r->deadline;
    r->value = e->latest.value;
    r->margin = margin < -1.0 ? margin : -1.0;
    lz_matcher_format(c->world, &e->opts.matcher, e->latest.value, text, sizeof(text));
    if (e->longest > 0 && e->opts.holding > 0)
        snprintf(r->actual, sizeof(r->actual), "never held, at most %s",
                 lz_format_duration(longest, sizeof(longest), e->longest));
    else if (lz_matcher_is_metric(&e->opts.matcher))
        snprintf(r->actual, sizeof(r->actual), "never, still %s at the end", text);
    else
        snprintf(r->actual, sizeof(r->actual), "never");
}

// The run ended with a streak that might have been the answer.
static void decide_cut_short(const struct lz_expect *e, struct lz_expect_result *r)
{
    char text[TEXT_MAX];
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    r->at = counts_from(e);
    snprintf(r->actual, sizeof(r->actual), "cut short");
    if (e->opts.holding > 0)
        snprintf(r->why, sizeof(r->why), "the run ended before it had held for %s",
                 lz_format_duration(text, sizeof(text), e->opts.holding));
    else
        snprintf(r->why, sizeof(r->why), "the run ended before a whole window had passed");
}

static void decide_early_end(lz_time now, struct lz_expect_result *r)
{
    char end[TEXT_MAX], deadline[TEXT_MAX];
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    snprintf(r->actual, sizeof(r->actual), "not yet");
    snprintf(r->why, sizeof(r->why), "the run ended at %s, before its deadline %s",
             lz_format_instant(end, sizeof(end), now),
             lz_format_instant(deadline, sizeof(deadline), r->deadline));
}

// A mark has nothing to hold. One from before the anchor is no answer to what came there; without
// an anchor any is, also of warm-up, because a script set it on purpose.
static void decide_mark(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                        struct lz_expect_result *r)
{
    lz_time from = e->opts.after.kind != LZ_ANCHOR_NONE ? e->anchor : 0;
    lz_time marked = lz_journal_marked_from(c->world, e->opts.matcher.mark, from);
    if (marked >= 0) {
        decide_recovered(e, marked > e->anchor ? marked : e->anchor, r);
    } else if (now < r->deadline) {
        decide_early_end(now, r);
    } else {
        r->verdict = LZ_VERDICT_FAIL;
        r->at = r->deadline;
        r->margin = -1.0;
        snprintf(r->actual, sizeof(r->actual), "never happened");
    }
}

// Reasons why what was seen cannot be judged, most telling first.
static bool decide_unjudged(const struct lz_checks *c, const struct lz_expect *e,
                            struct lz_expect_result *r)
{
    char name[MATCHER_MAX];
    lz_matcher_name(c->world, &e->opts.matcher, name, sizeof(name));
    struct lz_anchor disturbance = lz_anchor_before(&e->opts.after);
    lz_time undisturbed = lz_anchor_instant(c, &disturbance, LZ_FOREVER) - c->world->warmup;
    if (has_baseline(e) && (undisturbed < e->opts.holding || e->baseline_count == 0)) {
        snprintf(r->why, sizeof(r->why),
                 "no baseline: %s measured too little between warm-up and what disturbed it", name);
    } else if (e->samples == 0) {
        snprintf(r->why, sizeof(r->why),
                 "no sample: %s measured nothing in the %llu windows after the anchor", name,
                 (unsigned long long)e->in_scope);
    } else {
        return false;
    }
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    snprintf(r->actual, sizeof(r->actual), "no sample");
    return true;
}

static void eventually_decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                              struct lz_expect_result *r)
{
    lz_time anchor = e->anchor >= 0 ? e->anchor : lz_anchor_planned(c, &e->opts.after);
    if (anchor >= 0)
        r->deadline = anchor + e->opts.within;
    r->samples = e->samples;
    describe_expected(c, e, r);
    if (e->anchor < 0) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "no sample");
        lz_anchor_describe_missing(c, &e->opts.after, r->why, sizeof(r->why));
        return;
    }
    if (e->opts.matcher.mark != NULL) {
        decide_mark(c, e, now, r);
        return;
    }
    if (e->recovered >= 0) {
        decide_recovered(e, e->recovered, r);
        r->value = e->recovered_value;
        return;
    }
    bool streak = e->streak.start >= 0;
    if (streak && counts_from(e) <= r->deadline)
        decide_cut_short(e, r);
    else if (now < r->deadline && (e->samples > 0 || e->in_scope == 0))
        decide_early_end(now, r);
    else if (decide_unjudged(c, e, r))
        return;
    else if (streak)
        decide_recovered(e, counts_from(e), r);
    else
        decide_never(c, e, now, r);
}

const struct lz_temporal_op lz_temporal_eventually = {
    .word = "eventually",
    .takes_marks = true,
    .second = eventually_second,
    .decide = eventually_decide,
};
