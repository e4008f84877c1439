#include "rule_stage.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "model/journal.h"

static const double levels[2][RULE_STAGE_STEPS] = {{75, 85, 95, 105, 105, 95, 85},
                                                   {80, 90, 100, 110, 120, 130, 140}};

static void on_step(void *ctx, uint32_t step, uint64_t payload)
{
    struct rule_stage *s = ctx;
    struct lz_metrics *m = s->w->metrics;
    if (payload == 1 && s->alert == 0)
        return;
    if (payload == 1) { // before the next step
        lz_metric p = lz_world_metric(s->w, s->alert, "pending");
        lz_metric f = lz_world_metric(s->w, s->alert, "firing");
        snprintf(s->seen[step], sizeof(s->seen[step]), "%g/%g",
                 lz_metrics_level(m, lz_metrics_def(m, p)->a),
                 lz_metrics_level(m, lz_metrics_def(m, f)->a));
        return;
    }
    for (int i = 0; i < 2; i++) {
        lz_metrics_set(m, s->level[i], lz_sim_now(s->w->sim), levels[i][step]);
        lz_metrics_add(m, s->some[i], i == 0 ? 3 : 30);
        lz_metrics_add(m, s->late[i], 1);
        lz_metrics_add(m, s->good[i], i == 0 ? 97 : 70);
        lz_metrics_add(m, s->all[i], 100);
        for (int k = 0; k < 10; k++)
            lz_metrics_observe(m, s->spread[i], k < 9 ? 20 * LZ_MS : 2 * LZ_S);
    }
}

static void define(struct rule_stage *s, int i, const char *name, enum lz_view view,
                   enum lz_unit unit, lz_series a)
{
    lz_metrics_define(s->w->metrics, s->of[i],
                      &(struct lz_metric_def){.name = name,
                                              .view = view,
                                              .unit = unit,
                                              .a = a,
                                              .b = view == LZ_VIEW_RATIO ? s->all[i] : 0});
}

void rule_stage_init(struct rule_stage *s, uint64_t key, lz_time evaluation)
{
    struct lz_err err;
    *s = (struct rule_stage){0};
    bool ok = lz_arena_create(&(struct lz_arena_opts){0}, &s->arena, &err);
    LZ_ASSERT(ok);
    s->w = lz_world_create(&(struct lz_world_opts){
        .arena = s->arena, .run_key = key, .end = RULE_STAGE_STEPS * RULE_STAGE_STEP});
    for (int i = 0; i < 2; i++) {
        ok = lz_world_add(s->w, i == 0 ? "a" : "b", LZ_COMPONENT_LINK, 1, &s->of[i], &err);
        LZ_ASSERT(ok);
        s->level[i] = lz_metrics_gauge(s->w->metrics, 0.0);
        s->some[i] = lz_metrics_counter(s->w->metrics);
        s->all[i] = lz_metrics_counter(s->w->metrics);
        s->good[i] = lz_metrics_counter(s->w->metrics);
        s->late[i] = lz_metrics_counter(s->w->metrics);
        s->spread[i] = lz_metrics_hist(s->w->metrics);
        define(s, i, "in_flight", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, s->level[i]);
        define(s, i, "errors.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, s->some[i]);
        define(s, i, "success.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, s->good[i]);
        define(s, i, "timeouts.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, s->late[i]);
        define(s, i, "rate", LZ_VIEW_RATE, LZ_UNIT_RATE, s->all[i]);
        define(s, i, "latency.p99", LZ_VIEW_MAX, LZ_UNIT_SECONDS, s->spread[i]);
    }
    s->kind = lz_sim_kind(s->w->sim, "step", on_step, s);
    for (uint32_t k = 0; k < RULE_STAGE_STEPS; k++) {
        lz_sim_at(s->w->sim, k * RULE_STAGE_STEP, s->kind, k, 0);
        lz_sim_at(s->w->sim, (k + 1) * RULE_STAGE_STEP - LZ_MS, s->kind, k, 1);
    }
    ok = lz_alerts_monitor(
        s->w, &(struct lz_alerts_opts){.scrape_interval = LZ_S, .evaluation_interval = evaluation},
        &err);
    LZ_ASSERT(ok);
}

bool rule_stage_alert(struct rule_stage *s, const char *expr, lz_time pending, struct lz_err *err)
{
    static const struct lz_alert_label page = {"severity", "page"};
    return lz_alert_create(s->w,
                           &(struct lz_alert_opts){.name = "P",
                                                   .expr = expr,
                                                   .pending = pending,
                                                   .because = "it must not",
                                                   .labels = {&page, 1}},
                           &s->alert, err);
}

uint32_t rule_stage_told(const struct rule_stage *s, const char *part)
{
    uint32_t count = 0;
    for (size_t i = 0; i < lz_journal_count(s->w); i++)
        count += strstr(lz_journal_get(s->w, i)->text, part) != NULL;
    return count;
}

void rule_stage_finish(struct rule_stage *s)
{
    lz_arena_destroy(s->arena);
}
