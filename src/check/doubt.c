#include "check/doubt.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "check/matcher.h"
#include "model/alert/alert.h"
#include "model/real.h"

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

static void not_judged(struct lz_expect_result *r)
{
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    r->margin = LZ_NO_VALUE;
    r->value = LZ_NO_VALUE;
    r->at = -1;
    r->details = NULL;
    r->spare[0] = '\0';
    snprintf(r->actual, sizeof(r->actual), "not judged");
}

void lz_doubt_alerts(const struct lz_world *w, const struct lz_expect_opts *e,
                     struct lz_expect_result *r)
{
    struct lz_alert_failure f;
    char at[TEXT_MAX];
    if (w->alerts == NULL || !is_about_failed(w, e, &f))
        return;
    LZ_ASSERT(f.why != NULL && f.at >= 0);
    not_judged(r);
    lz_format_instant(at, sizeof(at), f.at);
    int size = snprintf(r->why, sizeof(r->why), "rule %.40s failed at %s: %s", f.name, at, f.why);
    char *advice = strstr(r->why, "; ");
    if (size >= (int)sizeof(r->why) && advice != NULL)
        *advice = '\0'; // rather than half of it
}

void lz_doubt_soon(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                   struct lz_expect_result *r)
{
    const char *mark = e->opts.matcher.mark, *rule = "";
    char needs_text[TEXT_MAX], seen[TEXT_MAX];
    if (r->verdict != LZ_VERDICT_PASS || e->opts.temporal != LZ_NEVER || mark == NULL)
        return;
    lz_time patience = lz_alerts_patience(c->world, mark, &rule);
    lz_time latest = lz_anchor_latest(e->during, e->opts.during_count, now);
    if (patience < latest || patience == 0)
        return;
    not_judged(r);
    snprintf(r->why, sizeof(r->why),
             "%.60s is true for %s before it fires, and this looks no further than %s: look longer",
             rule, lz_format_duration(needs_text, sizeof(needs_text), patience),
             lz_format_instant(seen, sizeof(seen), latest));
}

// What each is about has to be there for it to mean anything, and is counted beside it. Of a ratio
// it is what the ratio is of.
#define NOTHING_TAKEN(metric, then)                                                                \
    {                                                                                              \
        metric, "acked", "nothing was acknowledged by %s, so that " then                           \
    }
#define NOTHING_ASKED(metric)                                                                      \
    {                                                                                              \
        metric, "errors.ratio", "nothing was asked of %s, so that nothing could be counted"        \
    }
#define NOTHING_WORKED(metric)                                                                     \
    {                                                                                              \
        metric, "batches", "%s worked on nothing, so that nothing could be counted"                \
    }
static const struct {
    const char *metric, *counted, *why;
} needs[] = {
    NOTHING_TAKEN("lost_acks", "there was nothing to lose"),
    NOTHING_TAKEN("lost_updates", "there was nothing to lose"),
    NOTHING_TAKEN("lost", "there was nothing to lose"),
    NOTHING_TAKEN("stale_reads", "no read could miss it"),
    {"stale_reads", "reads", "nothing was read from %s, so that no read could miss a write"},
    {"duplicates", "appended", "nothing was written to %s, so that nothing could come twice"},
    {"expired", "appended", "nothing was written to %s, so that nothing could run out"},
    NOTHING_TAKEN("conflicts", "nothing could conflict"),
    NOTHING_TAKEN("diverged", "no two copies could differ"),
    NOTHING_TAKEN("lag.records", "no copy could lag"),
    NOTHING_TAKEN("lag.time", "no copy could lag"),
    NOTHING_TAKEN("deadlocks", "nothing could be locked"),
    NOTHING_TAKEN("evictions", "nothing could be evicted"),
    NOTHING_ASKED("expired"),
    NOTHING_ASKED("stale_tokens"),
    NOTHING_ASKED("lock_timeouts"),
    NOTHING_ASKED("serialization_failures"),
    NOTHING_ASKED("connections.refused"),
    NOTHING_ASKED("handshakes.refused"),
    NOTHING_ASKED("pool.timeouts"),
    NOTHING_ASKED("turned_away.cross_slot"),
    NOTHING_ASKED("turned_away.down"),
    NOTHING_ASKED("turned_away.try_again"),
    NOTHING_ASKED("throttled"),
    NOTHING_ASKED("errors.rate"),
    NOTHING_ASKED("timeouts.rate"),
    {"transactions.cancelled", "transactions", "no transaction was made at %s"},
    {"transactions.fenced", "transactions.committed", "no transaction was made at %s"},
    NOTHING_WORKED("duplicates"),
    NOTHING_WORKED("failed"),
    NOTHING_WORKED("lost"),
    NOTHING_WORKED("lag.records"),
    NOTHING_WORKED("lag.time"),
    NOTHING_WORKED("transactions.aborted"),
    {"failed_lookups", "hit_ratio",
     "nobody asked for %s, so that nothing could be answered wrongly"},
    {"stale_answers", "hit_ratio",
     "nobody asked for %s, so that nothing could be answered wrongly"},
    {"backups.failed", "backups", "no backup of %s was due, so that none could fail"},
    {"rto", "drills", "%s was neither restored nor drilled, so that nothing took any time"},
    {"drills.failed", "drills", "no drill of %s was due, so that none could fail"},
};
#define NEED_COUNT (sizeof(needs) / sizeof(needs[0]))

// The counter that a row asks of what `m` takes; 0: none, or none that a live run counts.
static lz_series needed(const struct lz_world *w, const struct lz_matcher *m, size_t need)
{
    if (!lz_matcher_is_metric(m) || m->metric == 0 || lz_real_is_live(w) ||
        strcmp(lz_metrics_def(w->metrics, m->metric)->name, needs[need].metric) != 0)
        return 0;
    lz_component_id of = lz_metrics_component(w->metrics, m->metric);
    lz_metric counted = lz_metrics_find(w->metrics, of, needs[need].counted);
    if (counted == 0)
        return 0;
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, counted);
    return def->view == LZ_VIEW_RATIO ? def->b : def->a;
}

void lz_doubt_heed(struct lz_world *w, const struct lz_matcher *m)
{
    for (size_t i = 0; i < NEED_COUNT; i++) {
        lz_series counter = needed(w, m, i);
        if (counter != 0)
            lz_metrics_heed(w->metrics, counter);
    }
}

// What is there was counted, whoever asked. Of a level the value that decided says so.
static bool has_counted(const struct lz_world *w, const struct lz_matcher *m,
                        const struct lz_expect_result *r)
{
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, m->metric);
    bool is_total = def->view == LZ_VIEW_TOTAL || def->view == LZ_VIEW_RATE;
    return is_total ? lz_metrics_total(w->metrics, def->a) > 0
                    : r->value > 0.0; // of none it is false
}

void lz_doubt_unasked(const struct lz_world *w, const struct lz_matcher *m,
                      struct lz_expect_result *r)
{
    if (r->verdict != LZ_VERDICT_PASS)
        return;
    for (size_t i = 0; i < NEED_COUNT; i++) {
        lz_series counter = needed(w, m, i);
        if (counter == 0 || lz_metrics_total(w->metrics, counter) > 0)
            continue;
        if (has_counted(w, m, r))
            return; // acks = "none": what nobody acknowledged counts as lost all the same
        lz_component_id of = lz_metrics_component(w->metrics, m->metric);
        not_judged(r);
        snprintf(r->why, sizeof(r->why), needs[i].why, lz_world_component(w, of)->name);
        return;
    }
}
