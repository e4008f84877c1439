// Faults and expectations: what was done to the system, and what was asked of it.

#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "check/anchor.h"
#include "check/format.h"
#include "check/history/history_write.h"
#include "check/matcher.h"
#include "model/target.h"
#include "record/record_rows.h"

#define TEXT_MAX 160
#define HISTORY_OPS_MAX                                                                            \
    200000u // a longer one is judged, but not kept: it would be most of the file

void lz_record_put_faults(struct lz_record_writer *w, const struct lz_world *world,
                          const struct lz_faults *faults)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into fault values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    size_t count = lz_fault_count(faults);
    for (lz_fault_id id = 1; id <= count; id++) {
        const struct lz_fault *f = lz_fault_get(faults, id);
        char target[LZ_TARGET_TEXT_SIZE] = "";
        if (f->opts.target.kind != 0)
            lz_target_describe(world, &f->opts.target, target, sizeof(target));
        lz_record_put_id(&i, id);
        lz_record_put_text(&i, f->kind->name);
        lz_record_put_text(&i, f->name);
        lz_record_put_text(&i, target);
        lz_record_put_id(&i, f->opts.line);
        lz_record_put_time(&i, f->opts.at);
        lz_record_put_time(&i, f->started);
        lz_record_put_time(&i, f->ended);
        lz_record_put_int(&i, f->firings);
        lz_record_put_int(&i, (int64_t)f->effect);
        lz_record_put_text(&i, f->kind->effect_unit);
        lz_record_put_int(&i, f->missed);
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

// Where a value stops being good: what a plot needs to draw the limit.
struct limit {
    double value, b;
    const char *violates; // "above", "below" or "outside" [value, b]; NULL: no such line
    char text[TEXT_MAX];
};

// The mean of the undisturbed time that recovers_to compares with; NaN if there was none.
static double baseline_of(const struct lz_world *world, const struct lz_checks *checks,
                          const struct lz_expect_opts *opts)
{
    const struct lz_metrics *m = world->metrics;
    struct lz_anchor before = lz_anchor_before(&opts->after);
    lz_time until = lz_anchor_instant(checks, &before, LZ_FOREVER);
    lz_time width = lz_metrics_width(m);
    size_t windows = lz_metrics_windows(m, opts->matcher.metric);
    double sum = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < windows; i++) {
        lz_time start = (lz_time)i * width;
        if (start < world->warmup || start + width > until)
            continue;
        struct lz_sample s = lz_metrics_stored(m, opts->matcher.metric, i);
        sum += s.present ? s.value : 0.0;
        count += s.present;
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

static void find_recovery_limit(const struct lz_world *world, const struct lz_checks *checks,
                                const struct lz_expect_opts *opts, struct limit *l)
{
    const struct lz_metric_def *def = lz_metrics_def(world->metrics, opts->matcher.metric);
    bool falls = lz_matcher_lower_is_better(def);
    double baseline = baseline_of(world, checks, opts);
    if (!isfinite(baseline) || opts->matcher.limit <= 0.0)
        return;
    l->value = falls ? baseline / opts->matcher.limit : baseline * opts->matcher.limit;
    l->violates = falls ? "above" : "below";
    lz_format_value(l->text, sizeof(l->text), l->value, def->unit);
}

static void find_slo_limit(const struct lz_expect_opts *opts, struct limit *l)
{
    l->value = 1.0 - opts->objective;
    l->violates = "above";
    lz_format_ratio(l->text, sizeof(l->text), l->value);
}

static const char *bad_side(enum lz_compare compare, bool is_never)
{
    switch (compare) {
    case LZ_BELOW:
    case LZ_AT_MOST:
        return is_never ? "below" : "above";
    case LZ_ABOVE:
    case LZ_AT_LEAST:
        return is_never ? "above" : "below";
    case LZ_EQUALS:
    case LZ_BETWEEN:
        return is_never ? NULL : "outside";
    case LZ_RECOVERS_TO:
        break;
    }
    return NULL;
}

static struct limit limit_of(const struct lz_world *world, const struct lz_checks *checks,
                             const struct lz_expect_opts *opts)
{
    const struct lz_matcher *m = &opts->matcher;
    struct limit l = {.value = (double)NAN, .b = (double)NAN};
    if (!lz_matcher_is_metric(m))
        return l;
    if (opts->temporal == LZ_SLO) {
        find_slo_limit(opts, &l);
    } else if (m->compare == LZ_RECOVERS_TO) {
        find_recovery_limit(world, checks, opts, &l);
    } else {
        l.value = m->limit;
        l.b = m->compare == LZ_BETWEEN ? m->limit_b : m->limit;
        l.violates = bad_side(m->compare, opts->temporal == LZ_NEVER);
        if (m->limit_text != NULL && m->compare != LZ_BETWEEN)
            snprintf(l.text, sizeof(l.text), "%s", m->limit_text);
        else
            lz_matcher_format(world, m, m->limit, l.text, sizeof(l.text));
    }
    return l;
}

static void put_result(struct lz_record_insert *i, const struct lz_expect_result *r)
{
    lz_record_put_text(i, r->expected);
    lz_record_put_text(i, r->actual);
    lz_record_put_text(i, r->spare);
    lz_record_put_text(i, r->why);
    lz_record_put_real(i, r->margin);
    lz_record_put_real(i, r->value);
    lz_record_put_time(i, r->at);
    lz_record_put_time(i, r->deadline);
}

void lz_record_put_checks(struct lz_record_writer *w, const struct lz_world *world,
                          const struct lz_checks *checks)
{
    static const char *const temporals[] = {
        [LZ_ALWAYS] = "always",   [LZ_NEVER] = "never",         [LZ_EVENTUALLY] = "eventually",
        [LZ_AT_END] = "at_end",   [LZ_SOMETIMES] = "sometimes", [LZ_SLO] = "slo",
        [LZ_HISTORY] = "history",
    };
    struct lz_record_insert i =
        lz_record_insert(w, "insert into expectation values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                            " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    size_t count = lz_check_count(checks);
    for (lz_expect_id id = 1; id <= count; id++) {
        const struct lz_expect_opts *opts = lz_check_opts(checks, id);
        const struct lz_expect_result *r = lz_check_result(checks, id);
        struct limit l = limit_of(world, checks, opts);
        lz_record_put_id(&i, id);
        lz_record_put_text(&i, opts->name);
        lz_record_put_id(&i, opts->line);
        lz_record_put_text(&i, temporals[opts->temporal]);
        lz_record_put_id(&i, lz_matcher_is_metric(&opts->matcher) ? opts->matcher.metric : 0);
        lz_record_put_text(&i, lz_check_verdict_name(r->verdict));
        lz_record_put_text(&i, opts->warn ? "warn" : "error");
        put_result(&i, r);
        lz_record_put_id(&i, (uint64_t)opts->within);
        lz_record_put_real(&i, l.value);
        lz_record_put_real(&i, l.b);
        lz_record_put_text(&i, l.text);
        lz_record_put_text(&i, l.violates);
        lz_record_put_text(&i, opts->because);
        lz_record_put_text(&i, r->details);
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

void lz_record_put_histories(struct lz_record_writer *w, const struct lz_world *world)
{
    if (lz_recorder_at(world, 0) == NULL)
        return;
    struct lz_record_insert i = lz_record_insert(w, "insert into history values (?, ?, ?)");
    bool is_one =
        lz_recorder_at(world, 1) == NULL && lz_history_count(lz_recorder_at(world, 0)) == 1;
    struct lz_history_naming naming = {0};
    for (size_t at = 0; lz_recorder_at(world, at) != NULL; at++) {
        const struct lz_recorder *r = lz_recorder_at(world, at);
        const char *name = lz_world_component(world, r->component)->name;
        struct lz_str lines;
        lz_str_init(&lines);
        naming.key_prefix = is_one ? NULL : name;
        snprintf(naming.of, sizeof(naming.of), "%.80s", is_one ? "" : name);
        if (lz_history_lines_max(r) > HISTORY_OPS_MAX)
            lz_str_addf(&lines,
                        "{\"process\":\"lorenz\",\"type\":\"info\",\"f\":\"not-kept\","
                        "\"value\":%u}\n",
                        r->count + r->txn_count + r->send_count);
        else
            lz_history_write(world, r, &naming, &lines);
        lz_record_put_id(&i, r->component);
        lz_record_put_int(&i, r->count + r->txn_count + r->send_count);
        lz_record_put_text(&i, lines.text);
        lz_record_end_row(&i);
        lz_str_finish(&lines);
    }
    lz_record_finish(&i);
}
