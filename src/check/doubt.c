#include "check/doubt.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "check/matcher.h"
#include "model/alert/alert.h"

#define TEXT_MAX 32

// By when it looks.
static bool is_scoped_by_failed(const struct lz_world *w, const struct lz_scope *scopes,
                                uint32_t count, struct lz_alert_failure *out)
{
    for (uint32_t i = 0; i < count; i++)
        if (lz_alerts_has_failed(w, 0, scopes[i].after.mark, out))
            return true;
    return false;
}

// By what it compares, too, and what it waits for.
static bool is_about_failed(const struct lz_world *w, const struct lz_expect_opts *e,
                            struct lz_alert_failure *out)
{
    const struct lz_matcher *m = &e->matcher;
    bool has_metric = lz_matcher_is_metric(m) && m->metric != 0;
    lz_component_id of = has_metric ? lz_metrics_component(w->metrics, m->metric) : 0;
    return lz_alerts_has_failed(w, of, m->mark, out) ||
           lz_alerts_has_failed(w, 0, e->after.mark, out) ||
           is_scoped_by_failed(w, e->during, e->during_count, out) ||
           is_scoped_by_failed(w, e->except, e->except_count, out);
}

void lz_doubt_alerts(const struct lz_world *w, const struct lz_expect_opts *e,
                     struct lz_expect_result *r)
{
    struct lz_alert_failure f;
    char at[TEXT_MAX];
    if (w->alerts == NULL || !is_about_failed(w, e, &f))
        return;
    LZ_ASSERT(f.why != NULL && f.at >= 0);
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    r->margin = LZ_NO_VALUE;
    r->value = LZ_NO_VALUE;
    r->at = -1;
    r->details = NULL;
    r->spare[0] = '\0';
    snprintf(r->actual, sizeof(r->actual), "not judged");
    lz_format_instant(at, sizeof(at), f.at);
    int size = snprintf(r->why, sizeof(r->why), "rule %.40s failed at %s: %s", f.name, at, f.why);
    char *advice = strstr(r->why, "; ");
    if (size >= (int)sizeof(r->why) && advice != NULL)
        *advice = '\0'; // rather than half of it
}
