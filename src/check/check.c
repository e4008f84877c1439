#include "check/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "check/doubt.h"
#include "check/expect.h"
#include "check/format.h"
#include "model/journal.h"

static const struct lz_temporal_op *const ops[] = {
    [LZ_ALWAYS] = &lz_temporal_always,         [LZ_NEVER] = &lz_temporal_never,
    [LZ_EVENTUALLY] = &lz_temporal_eventually, [LZ_AT_END] = &lz_temporal_at_end,
    [LZ_SOMETIMES] = &lz_temporal_sometimes,   [LZ_SLO] = &lz_temporal_slo,
};
_Static_assert(sizeof(ops) / sizeof(ops[0]) == LZ_HISTORY, "an operator for each before history");

// A history's operator comes with it: most who check anything record nothing.
static const struct lz_temporal_op *op_of(const struct lz_expect_opts *opts)
{
    return opts->temporal == LZ_HISTORY ? opts->op : ops[opts->temporal];
}

const char *lz_check_verdict_name(enum lz_verdict verdict)
{
    static const char *const names[] = {
        [LZ_VERDICT_PASS] = "pass",
        [LZ_VERDICT_INCONCLUSIVE] = "inconclusive",
        [LZ_VERDICT_FAIL] = "fail",
    };
    LZ_ASSERT(verdict <= LZ_VERDICT_FAIL);
    return names[verdict];
}

struct lz_checks *lz_checks_create(struct lz_world *w, struct lz_faults *faults)
{
    LZ_ASSERT(w != NULL);
    LZ_ASSERT(w->metrics != NULL);
    struct lz_checks *c = lz_arena_alloc(w->arena, sizeof(*c));
    c->world = w;
    c->faults = faults;
    c->judged = -1; // the first second may be 0, when nothing has closed yet
    return c;
}

static bool check_scopes(const struct lz_checks *c, const struct lz_scope *scopes, uint32_t count,
                         const char *word, struct lz_err *err)
{
    LZ_ASSERT(LZ_IMPLIES(count > 0, scopes != NULL));
    for (uint32_t i = 0; i < count; i++) {
        if (scopes[i].lasting < 0)
            return lz_fail(err, LZ_ERANGE, "%s: `lasting` must not be negative", word);
        if (!lz_anchor_check(c, &scopes[i].after, err))
            return lz_fail_in(err, "%s", word);
    }
    return true;
}

// The time that is judged; 0 if the world does not say when it ends.
static lz_time judged_time(const struct lz_checks *c)
{
    const struct lz_world *w = c->world;
    return w->end > w->warmup ? w->end - w->warmup : 0;
}

static bool check_over(const struct lz_checks *c, const struct lz_expect_opts *opts,
                       struct lz_err *err)
{
    char text[64], room[64];
    if (opts->over < 0 || opts->over % LZ_METRIC_WINDOW != 0)
        return lz_fail(err, LZ_ERANGE, "`over` must be whole seconds, got %s",
                       lz_format_duration(text, sizeof(text), opts->over));
    if (opts->over > LZ_CHECK_OVER_MAX && opts->temporal != LZ_SLO)
        return lz_fail(err, LZ_ERANGE, "`over` must be at most %s, got %s",
                       lz_format_duration(room, sizeof(room), LZ_CHECK_OVER_MAX),
                       lz_format_duration(text, sizeof(text), opts->over));
    lz_time judged = judged_time(c);
    if (judged > 0 && opts->over > judged && opts->temporal != LZ_SLO)
        return lz_fail(err, LZ_ERANGE, "`over` is %s, but only %s are judged after warm-up",
                       lz_format_duration(text, sizeof(text), opts->over),
                       lz_format_duration(room, sizeof(room), judged));
    return true;
}

// recovers_to needs an undisturbed time to compare with, at least as long as what must hold.
static bool check_baseline(const struct lz_checks *c, const struct lz_expect_opts *opts,
                           struct lz_err *err)
{
    char have[64], need[64];
    if (opts->temporal != LZ_EVENTUALLY || opts->after.kind == LZ_ANCHOR_NONE)
        return lz_fail(err, LZ_EINVAL,
                       "recovers_to belongs to `eventually` with `after`: it compares with the "
                       "time before that");
    struct lz_anchor disturbance = lz_anchor_before(&opts->after);
    lz_time start = lz_anchor_planned(c, &disturbance);
    if (start < 0)
        return true; // judged when it happens
    lz_time baseline = start > c->world->warmup ? start - c->world->warmup : 0;
    lz_time least = opts->holding > LZ_METRIC_WINDOW ? opts->holding : LZ_METRIC_WINDOW;
    if (baseline < least)
        return lz_fail(err, LZ_ERANGE,
                       "recovers_to needs a baseline of at least %s between warm-up and the "
                       "disturbance, got %s",
                       lz_format_duration(need, sizeof(need), least),
                       lz_format_duration(have, sizeof(have), baseline));
    return true;
}

static bool check_eventually(const struct lz_checks *c, const struct lz_expect_opts *opts,
                             struct lz_err *err)
{
    bool given = opts->within != 0 || opts->holding != 0 || opts->after.kind != LZ_ANCHOR_NONE;
    if (opts->temporal != LZ_EVENTUALLY) {
        if (given)
            return lz_fail(err, LZ_EINVAL,
                           "`after`, `within` and `holding` belong to `eventually`, not to `%s`",
                           op_of(opts)->word);
        return true;
    }
    if (opts->within <= 0)
        return lz_fail(err, LZ_EINVAL, "`eventually` needs `within`, a deadline");
    if (opts->holding < 0)
        return lz_fail(err, LZ_ERANGE, "`holding` must not be negative");
    return lz_anchor_check(c, &opts->after, err) || lz_fail_in(err, "after");
}

static bool check_slo(const struct lz_checks *c, const struct lz_expect_opts *opts,
                      struct lz_err *err)
{
    const struct lz_matcher *m = &opts->matcher;
    if (!lz_matcher_is_metric(m) || m->metric == 0 ||
        m->metric > lz_metrics_count(c->world->metrics))
        return lz_fail(err, LZ_EINVAL, "an slo needs an error ratio");
    if (lz_metrics_def(c->world->metrics, m->metric)->unit != LZ_UNIT_RATIO)
        return lz_fail(err, LZ_EINVAL, "an slo needs an error ratio, and %s is none",
                       lz_metrics_def(c->world->metrics, m->metric)->name);
    if (!(opts->objective > 0.0 && opts->objective < 1.0))
        return lz_fail(err, LZ_ERANGE, "objective must be above 0 %% and below 100 %%, got %g %%",
                       opts->objective * 100.0);
    return true;
}

static bool check_matcher(const struct lz_checks *c, const struct lz_expect_opts *opts,
                          struct lz_err *err)
{
    const struct lz_matcher *m = &opts->matcher;
    const struct lz_temporal_op *op = op_of(opts);
    if (opts->temporal == LZ_SLO)
        return check_slo(c, opts, err);
    if (opts->temporal == LZ_HISTORY)
        return true; // it has none
    if (!lz_matcher_check(c->world, m, err))
        return false;
    if (m->mark != NULL && !op->takes_marks)
        return lz_fail(err, LZ_EINVAL, "`%s` does not take happened \"%s\"", op->word, m->mark);
    if (m->mark != NULL && opts->holding != 0)
        return lz_fail(err, LZ_EINVAL, "a mark has nothing to hold: it has happened or it has not");
    if (lz_matcher_is_metric(m) && m->compare == LZ_RECOVERS_TO)
        return check_baseline(c, opts, err);
    return true;
}

static bool check_opts(const struct lz_checks *c, const struct lz_expect_opts *opts,
                       struct lz_err *err)
{
    if (opts->name == NULL || opts->name[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "an expectation needs a name, a sentence");
    for (uint32_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i]->opts.name, opts->name) == 0)
            return lz_fail(err, LZ_EEXIST, "there is already an expectation \"%s\"", opts->name);
    if (c->count == LZ_CHECK_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d expectations", LZ_CHECK_MAX);
    if (opts->temporal < LZ_ALWAYS || opts->temporal > LZ_HISTORY)
        return lz_fail(err, LZ_EINVAL, "no such operator: number %d", (int)opts->temporal);
    if (!op_of(opts)->takes_scopes && (opts->during_count > 0 || opts->except_count > 0))
        return lz_fail(err, LZ_EINVAL, "`%s` takes neither `during` nor `except`",
                       op_of(opts)->word);
    return check_eventually(c, opts, err) && check_matcher(c, opts, err) &&
           check_over(c, opts, err) &&
           check_scopes(c, opts->during, opts->during_count, "during", err) &&
           check_scopes(c, opts->except, opts->except_count, "except", err);
}

static char *copy_text(struct lz_arena *arena, const char *text)
{
    return text != NULL ? lz_arena_strdup(arena, text) : NULL;
}

// Scopes are copied, names and marks in them too: what a script passed may be collected.
static struct lz_scope_state *copy_scopes(struct lz_arena *arena, const struct lz_scope **scopes,
                                          uint32_t count)
{
    if (count == 0) {
        *scopes = NULL;
        return NULL;
    }
    struct lz_scope *copies = lz_arena_alloc(arena, count * sizeof(*copies));
    struct lz_scope_state *states = lz_arena_alloc(arena, count * sizeof(*states));
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = (*scopes)[i];
        copies[i].after.mark = copy_text(arena, copies[i].after.mark);
        states[i] = (struct lz_scope_state){.scope = copies[i], .start = -1, .end = -1};
    }
    *scopes = copies;
    return states;
}

static void copy_opts(struct lz_arena *arena, struct lz_expect *e,
                      const struct lz_expect_opts *opts)
{
    e->opts = *opts;
    e->opts.name = copy_text(arena, opts->name);
    e->opts.because = copy_text(arena, opts->because);
    e->opts.matcher.limit_text = copy_text(arena, opts->matcher.limit_text);
    e->opts.matcher.mark = copy_text(arena, opts->matcher.mark);
    e->opts.after.mark = copy_text(arena, opts->after.mark);
    e->during = copy_scopes(arena, &e->opts.during, opts->during_count);
    e->except = copy_scopes(arena, &e->opts.except, opts->except_count);
}

static struct lz_expect_result no_result(void)
{
    struct lz_expect_result r = {.verdict = LZ_VERDICT_INCONCLUSIVE,
                                 .margin = LZ_NO_VALUE,
                                 .value = LZ_NO_VALUE,
                                 .at = -1,
                                 .deadline = -1};
    return r;
}

// How many windows it looks at together; `over` means nothing to what only grows.
static void set_windows(struct lz_checks *c, struct lz_expect *e)
{
    const struct lz_matcher *m = &e->opts.matcher;
    e->over = 1;
    if (!lz_matcher_is_metric(m))
        return;
    lz_doubt_heed(c->world, m);
    if (lz_matcher_is_counter(c->world, m)) {
        lz_metrics_keep(c->world->metrics, m->metric, 1);
        return;
    }
    lz_time judged = judged_time(c);
    lz_time over = e->opts.over;
    e->whole = e->opts.temporal == LZ_SLO &&
               (over == 0 || over > LZ_CHECK_OVER_MAX || (judged > 0 && over >= judged));
    if (over > 0 && !e->whole)
        e->over = (uint32_t)(over / LZ_METRIC_WINDOW);
    lz_metrics_keep(c->world->metrics, m->metric, e->over);
}

bool lz_check_expect(struct lz_checks *c, const struct lz_expect_opts *opts, lz_expect_id *id,
                     struct lz_err *err)
{
    LZ_ASSERT(c != NULL);
    LZ_ASSERT(opts != NULL);
    if (!check_opts(c, opts, err))
        return false;

    struct lz_arena *arena = c->world->arena;
    struct lz_expect *e = lz_arena_alloc(arena, sizeof(*e));
    copy_opts(arena, e, opts);
    e->op = op_of(opts);
    e->anchor = -1;
    e->recovered = -1;
    e->first.at = e->worst.at = e->latest.at = -1;
    e->latest.value = LZ_NO_VALUE;
    e->streak.start = -1;
    e->result = no_result();
    snprintf(e->result.why, sizeof(e->result.why), "the run is not over");
    set_windows(c, e);

    c->items = lz_grow(arena, c->items, &c->cap, c->count + 1, sizeof(struct lz_expect *));
    c->items[c->count++] = e;
    *id = c->count;
    LZ_ASSERT(e->over > 0);
    return true;
}

bool lz_check_matches(struct lz_checks *c, const struct lz_matcher *m, lz_time over, lz_time since)
{
    LZ_ASSERT(over >= 0 && since >= 0);
    if (m->mark != NULL)
        return lz_journal_marked_from(c->world, m->mark, m->comes_again ? since : 0) >= 0;
    if (lz_matcher_is_metric(m) && m->compare == LZ_RECOVERS_TO)
        return false; // there is nothing it could have recovered from
    uint32_t windows = over > LZ_METRIC_WINDOW ? (uint32_t)(over / LZ_METRIC_WINDOW) : 1;
    struct lz_judged j = lz_matcher_now(c->world, m, windows, LZ_JUDGE_VALUE, LZ_NO_VALUE);
    return j.present && j.matches;
}

void lz_checks_second(struct lz_checks *c, lz_time now)
{
    LZ_ASSERT(now % LZ_METRIC_WINDOW == 0);
    LZ_ASSERT(now > c->judged);
    for (uint32_t i = 0; i < c->count; i++)
        c->items[i]->op->second(c, c->items[i], now);
    c->judged = now;
}

// A run may end between two whole seconds. Windows that did not close are not judged, but
// what has been counted or marked since the last one has happened.
static void judge_rest(struct lz_checks *c, lz_time now)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct lz_expect *e = c->items[i];
        const struct lz_matcher *m = &e->opts.matcher;
        bool counted = e->op->takes_scopes && lz_matcher_is_counter(c->world, m);
        if (counted || m->mark != NULL)
            e->op->second(c, e, now);
    }
    c->judged = now;
}

void lz_checks_finish(struct lz_checks *c, lz_time now)
{
    LZ_ASSERT(now >= c->judged);
    if (now > c->judged)
        judge_rest(c, now);
    for (uint32_t i = 0; i < c->count; i++) {
        struct lz_expect *e = c->items[i];
        struct lz_expect_result r = no_result();
        e->op->decide(c, e, now, &r);
        lz_doubt_alerts(c->world, &e->opts, &r);
        lz_doubt_soon(c, e, now, &r);
        lz_doubt_unasked(c->world, &e->opts.matcher, &r);
        LZ_ASSERT((r.verdict == LZ_VERDICT_INCONCLUSIVE) == (r.why[0] != '\0'));
        e->result = r;
    }
}

size_t lz_check_count(const struct lz_checks *c)
{
    return c->count;
}

const struct lz_expect_opts *lz_check_opts(const struct lz_checks *c, lz_expect_id id)
{
    LZ_ASSERT(id >= 1);
    LZ_ASSERT(id <= c->count);
    return &c->items[id - 1]->opts;
}

const struct lz_expect_result *lz_check_result(const struct lz_checks *c, lz_expect_id id)
{
    LZ_ASSERT(id >= 1);
    LZ_ASSERT(id <= c->count);
    return &c->items[id - 1]->result;
}
