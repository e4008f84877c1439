#include "check/alerting.h"

#include "base/check.h"
#include "check/matcher.h"

static bool judge(const struct lz_world *w, const void *limit, const struct lz_sample *sample)
{
    struct lz_judged j = lz_matcher_judge(w, limit, sample, LZ_JUDGE_VALUE, LZ_NO_VALUE);
    return j.present && j.matches;
}

static bool check(const struct lz_world *w, const struct lz_matcher *m, struct lz_err *err)
{
    if (!lz_matcher_is_metric(m) || m->compare == LZ_RECOVERS_TO)
        return lz_fail(err, LZ_EINVAL,
                       "an alert compares a metric with a limit, which marks and recovers_to do "
                       "not");
    return lz_matcher_check(w, m, err);
}

bool lz_alerting_create(struct lz_world *w, const struct lz_alerting_opts *opts,
                        lz_component_id *id, struct lz_err *err)
{
    if (opts->expr == NULL &&
        (opts->condition_count == 0 || opts->condition_count > LZ_ALERT_CONDITIONS_MAX))
        return lz_fail(err, LZ_ERANGE, "1 to %d conditions, got %u", LZ_ALERT_CONDITIONS_MAX,
                       opts->condition_count);
    LZ_ASSERT(opts->conditions != NULL || opts->condition_count == 0);
    struct lz_alert_condition conditions[LZ_ALERT_CONDITIONS_MAX] = {0};
    struct lz_matcher *matchers =
        lz_arena_alloc(w->arena, (opts->condition_count + 1) * sizeof(*matchers));
    for (uint32_t i = 0; i < opts->condition_count; i++) {
        matchers[i] = opts->conditions[i].matcher;
        if (!check(w, &matchers[i], err))
            return false;
        conditions[i] = (struct lz_alert_condition){
            .metric = matchers[i].metric,
            .of = lz_metrics_component(w->metrics, matchers[i].metric),
            .over = opts->conditions[i].over,
            .limit = &matchers[i],
        };
    }
    return lz_alert_create(w,
                           &(struct lz_alert_opts){.name = opts->name,
                                                   .line = opts->line,
                                                   .because = opts->because,
                                                   .labels = opts->labels,
                                                   .pending = opts->pending,
                                                   .keep_firing = opts->keep_firing,
                                                   .every = opts->every,
                                                   .expr = opts->expr,
                                                   .conditions = conditions,
                                                   .condition_count = opts->condition_count,
                                                   .judge = judge},
                           id, err);
}
