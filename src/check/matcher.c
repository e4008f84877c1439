#include "check/matcher.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"

#define TOLERANCE 1e-12
#define TEXT_MAX 64

// The good values: everything between the ends. An end that is `open` is itself no good.
struct interval {
    double low, high;
    bool open;
};

static const struct lz_metric_def *definition(const struct lz_world *w, const struct lz_matcher *m)
{
    LZ_ASSERT(lz_matcher_is_metric(m));
    return lz_metrics_def(w->metrics, m->metric);
}

bool lz_matcher_is_metric(const struct lz_matcher *m)
{
    return m->mark == NULL && m->script == NULL;
}

bool lz_matcher_is_counter(const struct lz_world *w, const struct lz_matcher *m)
{
    return lz_matcher_is_metric(m) && definition(w, m)->view == LZ_VIEW_TOTAL;
}

// Named for trouble: more of it is worse, whatever its unit.
bool lz_matcher_lower_is_better(const struct lz_metric_def *def)
{
    static const char *const troubles[] = {"errors", "shed", "queue", "lag"};
    if (def->unit == LZ_UNIT_SECONDS)
        return true;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        size_t len = strlen(troubles[i]);
        bool begins = strncmp(def->name, troubles[i], len) == 0;
        if (begins && (def->name[len] == '.' || def->name[len] == '\0'))
            return true;
    }
    return false;
}

bool lz_matcher_check(const struct lz_world *w, const struct lz_matcher *m, struct lz_err *err)
{
    if (m->mark != NULL && m->mark[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "a mark needs a name");
    if (!lz_matcher_is_metric(m))
        return true;
    if (m->metric == 0 || m->metric > lz_metrics_count(w->metrics))
        return lz_fail(err, LZ_ENOENT, "no such metric: number %u", m->metric);
    if (m->compare < LZ_BELOW || m->compare > LZ_RECOVERS_TO)
        return lz_fail(err, LZ_EINVAL, "no such comparison: number %d", (int)m->compare);
    if (!isfinite(m->limit) || !isfinite(m->limit_b))
        return lz_fail(err, LZ_ERANGE, "a limit must be a number, got %g", m->limit);
    if (m->compare == LZ_BETWEEN && m->limit > m->limit_b)
        return lz_fail(err, LZ_ERANGE, "between needs the lower end first, got %g and %g", m->limit,
                       m->limit_b);
    if (m->compare == LZ_RECOVERS_TO && !(m->limit > 0.0))
        return lz_fail(err, LZ_ERANGE, "recovers_to must be above 0 %%, got %g", m->limit);
    return true;
}

static struct interval interval_of(const struct lz_world *w, const struct lz_matcher *m,
                                   double baseline)
{
    switch (m->compare) {
    case LZ_BELOW:
        return (struct interval){-HUGE_VAL, m->limit, true};
    case LZ_ABOVE:
        return (struct interval){m->limit, HUGE_VAL, true};
    case LZ_AT_LEAST:
        return (struct interval){m->limit, HUGE_VAL, false};
    case LZ_AT_MOST:
        return (struct interval){-HUGE_VAL, m->limit, false};
    case LZ_EQUALS:
        return (struct interval){m->limit, m->limit, false};
    case LZ_BETWEEN:
        return (struct interval){m->limit, m->limit_b, false};
    case LZ_RECOVERS_TO:
        break;
    }
    LZ_ASSERT(m->compare == LZ_RECOVERS_TO);
    LZ_ASSERT(!isnan(baseline));
    if (lz_matcher_lower_is_better(definition(w, m)))
        return (struct interval){-HUGE_VAL, baseline / m->limit, false};
    return (struct interval){m->limit * baseline, HUGE_VAL, false};
}

// How far `value` lies on the good side of one end, as a share of it.
static double room(double inward, double end)
{
    if (isinf(end))
        return HUGE_VAL;
    double scale = end == 0.0 ? 1.0 : fabs(end);
    return fabs(inward) <= TOLERANCE * scale ? 0.0 : inward / scale;
}

struct lz_judged lz_matcher_judge(const struct lz_world *w, const struct lz_matcher *m,
                                  const struct lz_sample *sample, enum lz_judge how,
                                  double baseline)
{
    struct lz_judged j = {.value = LZ_NO_VALUE, .distance = LZ_NO_VALUE};
    if (!sample->present || (m->compare == LZ_RECOVERS_TO && isnan(baseline)))
        return j;
    struct interval good = interval_of(w, m, baseline);
    LZ_ASSERT(good.low <= good.high);

    // `near_low` is the end of the span that is held against the low end of what is good.
    double near_low = sample->value, near_high = sample->value;
    if (how == LZ_JUDGE_ADVERSE) {
        near_low = sample->low;
        near_high = sample->high;
    } else if (how == LZ_JUDGE_FAVOURABLE) {
        near_low = sample->high;
        near_high = sample->low;
    }
    double above_low = room(near_low - good.low, good.low);
    double below_high = room(good.high - near_high, good.high);

    j.present = true;
    j.distance = above_low < below_high ? above_low : below_high;
    j.value = above_low < below_high ? near_low : near_high;
    j.matches = good.open ? j.distance > 0.0 : j.distance >= 0.0;
    return j;
}

struct lz_sample lz_matcher_sample(const struct lz_world *w, const struct lz_matcher *m,
                                   uint32_t over)
{
    LZ_ASSERT(over > 0);
    const struct lz_metric_def *def = definition(w, m);
    if (def->view != LZ_VIEW_TOTAL)
        return lz_metrics_window(w->metrics, m->metric, over);
    // What has been counted stays counted: no window to wait for.
    uint64_t total = lz_metrics_total(w->metrics, def->a);
    double value = (double)total / (def->unit == LZ_UNIT_SECONDS ? 1e9 : 1.0);
    return (struct lz_sample){
        .present = true, .value = value, .low = value, .high = value, .count = total};
}

struct lz_judged lz_matcher_now(const struct lz_world *w, const struct lz_matcher *m, uint32_t over,
                                enum lz_judge how, double baseline)
{
    LZ_ASSERT(m->mark == NULL);
    if (m->script != NULL) {
        bool yes = m->script(m->script_ctx, m->script_ref);
        return (struct lz_judged){
            .present = true, .matches = yes, .value = LZ_NO_VALUE, .distance = yes ? 1.0 : -1.0};
    }
    struct lz_sample sample = lz_matcher_sample(w, m, over);
    return lz_matcher_judge(w, m, &sample, how, baseline);
}

void lz_matcher_format(const struct lz_world *w, const struct lz_matcher *m, double value,
                       char *out, size_t size)
{
    if (lz_matcher_is_metric(m))
        lz_format_value(out, size, value, definition(w, m)->unit);
    else
        snprintf(out, size, "%s", "false");
}

static void describe_recovery(const struct lz_world *w, const struct lz_matcher *m, double baseline,
                              const char *share, char *out, size_t size)
{
    if (isnan(baseline)) {
        snprintf(out, size, "recovers to %s", share);
        return;
    }
    struct interval good = interval_of(w, m, baseline);
    bool falls = isinf(good.low);
    char bound[TEXT_MAX], mean[TEXT_MAX];
    lz_matcher_format(w, m, falls ? good.high : good.low, bound, sizeof(bound));
    lz_matcher_format(w, m, baseline, mean, sizeof(mean));
    snprintf(out, size, "%s %s (%s of %s)", falls ? "at most" : "at least", bound, share, mean);
}

void lz_matcher_describe(const struct lz_world *w, const struct lz_matcher *m, double baseline,
                         char *out, size_t size)
{
    static const char *const words[] = {
        [LZ_BELOW] = "below",     [LZ_ABOVE] = "above",     [LZ_AT_LEAST] = "at least",
        [LZ_AT_MOST] = "at most", [LZ_EQUALS] = "equal to", [LZ_BETWEEN] = "between",
    };
    if (m->mark != NULL) {
        snprintf(out, size, "happened \"%s\"", m->mark);
        return;
    }
    if (m->script != NULL) {
        snprintf(out, size, "true");
        return;
    }
    char limit[TEXT_MAX], limit_b[TEXT_MAX];
    if (m->limit_text != NULL)
        snprintf(limit, sizeof(limit), "%s", m->limit_text);
    else if (m->compare == LZ_RECOVERS_TO)
        lz_format_ratio(limit, sizeof(limit), m->limit);
    else
        lz_matcher_format(w, m, m->limit, limit, sizeof(limit));

    if (m->compare == LZ_RECOVERS_TO) {
        describe_recovery(w, m, baseline, limit, out, size);
    } else if (m->compare == LZ_BETWEEN && m->limit_text == NULL) {
        lz_matcher_format(w, m, m->limit_b, limit_b, sizeof(limit_b));
        snprintf(out, size, "between %s and %s", limit, limit_b);
    } else {
        snprintf(out, size, "%s %s", words[m->compare], limit);
    }
}

void lz_matcher_name(const struct lz_world *w, const struct lz_matcher *m, char *out, size_t size)
{
    if (m->mark != NULL) {
        snprintf(out, size, "the mark \"%s\"", m->mark);
    } else if (m->script != NULL) {
        snprintf(out, size, "the check");
    } else {
        const struct lz_component *on = lz_world_component(w, m->component);
        snprintf(out, size, "%s.%s", on->name, definition(w, m)->name);
    }
}
