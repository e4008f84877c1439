#include "explore/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/math.h"
#include "base/mem.h"
#include "explore/crew.h"
#include "explore/exit.h"
#include "report/run.h"

struct comparing {
    const struct lz_compare_opts *opts;
    struct lz_compare_result *out;
    struct lz_brief first; // the first side's, until the second's is there
};

static char *copy(const char *text)
{
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

// ---------------------------------------------------------------- how sure

double lz_compare_split(uint64_t n, uint64_t k)
{
    LZ_ASSERT(k <= n);
    uint64_t few = k < n - k ? k : n - k;
    if (n == 0 || 2 * few == n)
        return 1.0;
    double sum = 0.0;
    for (uint64_t i = 0; i <= few; i++)
        sum += lz_math_exp(lz_math_lgamma((double)n + 1.0) - lz_math_lgamma((double)i + 1.0) -
                           lz_math_lgamma((double)(n - i) + 1.0) - (double)n * lz_math_log(2.0));
    return fmin(1.0, 2.0 * sum);
}

// Student's quantile from the normal one (Abramowitz and Stegun 26.7.5).
static double student(double p, double nu)
{
    double z = lz_math_normal_quantile(p), s = z * z;
    double g1 = z * (s + 1.0) / 4.0;
    double g2 = z * (5.0 * s * s + 16.0 * s + 3.0) / 96.0;
    double g3 = z * (3.0 * s * s * s + 19.0 * s * s + 17.0 * s - 15.0) / 384.0;
    return z + g1 / nu + g2 / (nu * nu) + g3 / (nu * nu * nu);
}

// ---------------------------------------------------------------- one pair

static struct lz_compare_expectation *expectation(struct lz_compare_result *c, const char *name,
                                                  size_t at)
{
    if (at < c->expectation_count && strcmp(c->expectations[at].name, name) == 0)
        return &c->expectations[at];
    for (size_t i = 0; i < c->expectation_count; i++)
        if (strcmp(c->expectations[i].name, name) == 0)
            return &c->expectations[i];
    c->expectations =
        lz_mem_resize(c->expectations, (c->expectation_count + 1) * sizeof(*c->expectations));
    c->expectations[c->expectation_count] = (struct lz_compare_expectation){
        .name = copy(name), .actual = {copy(""), copy("")}, .p = 1.0};
    return &c->expectations[c->expectation_count++];
}

static struct lz_compare_metric *metric(struct lz_compare_result *c,
                                        const struct lz_brief_metric *m, size_t at)
{
    if (at < c->metric_count && strcmp(c->metrics[at].name, m->name) == 0)
        return &c->metrics[at];
    for (size_t i = 0; i < c->metric_count; i++)
        if (strcmp(c->metrics[i].name, m->name) == 0)
            return &c->metrics[i];
    c->metrics = lz_mem_resize(c->metrics, (c->metric_count + 1) * sizeof(*c->metrics));
    c->metrics[c->metric_count] =
        (struct lz_compare_metric){.name = copy(m->name), .unit = copy(m->unit)};
    return &c->metrics[c->metric_count++];
}

static const struct lz_brief_expectation *find(const struct lz_brief *b, const char *name)
{
    for (size_t i = 0; i < b->expectation_count; i++)
        if (strcmp(b->expectations[i].name, name) == 0)
            return &b->expectations[i];
    return NULL;
}

static double value_of(const struct lz_brief *b, const char *name, size_t at)
{
    if (at < b->metric_count && strcmp(b->metrics[at].name, name) == 0)
        return b->metrics[at].value;
    for (size_t i = 0; i < b->metric_count; i++)
        if (strcmp(b->metrics[i].name, name) == 0)
            return b->metrics[i].value;
    return (double)NAN;
}

static void pair_expectations(struct lz_compare_result *c, const struct lz_brief *const sides[2])
{
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s]->expectation_count; i++) {
            const struct lz_brief_expectation *mine = &sides[s]->expectations[i];
            struct lz_compare_expectation *e = expectation(c, mine->name, i);
            const struct lz_brief_expectation *other = find(sides[1 - s], mine->name);
            bool has_failed = mine->verdict == LZ_VERDICT_FAIL;
            e->runs[s]++;
            e->failed[s] += has_failed;
            free(e->actual[s]);
            e->actual[s] = copy(mine->actual);
            if (s == 1 && other != NULL) {
                bool had_failed = other->verdict == LZ_VERDICT_FAIL;
                e->better += had_failed && !has_failed;
                e->worse += has_failed && !had_failed;
            }
        }
    }
}

static void pair_metrics(struct lz_compare_result *c, const struct lz_brief *const sides[2])
{
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s]->metric_count; i++) {
            const struct lz_brief_metric *mine = &sides[s]->metrics[i];
            struct lz_compare_metric *m = metric(c, mine, i);
            double other = value_of(sides[1 - s], mine->name, i);
            if (!isfinite(mine->value))
                continue;
            m->seen[s]++;
            m->all[s] += mine->value;
            m->paired[s] += isfinite(other) ? mine->value : 0.0;
            if (s == 1 && isfinite(other)) {
                double difference = mine->value - other;
                m->pairs++;
                m->sum += difference;
                m->squares += difference * difference;
            }
        }
    }
}

// ---------------------------------------------------------------- all pairs

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct comparing *c = ctx;
    const struct lz_compare_side *side = &c->opts->sides[job % 2];
    const struct lz_worker_run_opts opts = {
        .source = side->source,
        .params = side->params,
        .version = c->opts->version,
        .seed = c->opts->first + job / 2,
        .events_max = c->opts->events_max,
        .is_brief = true,
        .is_measured = true,
    };
    lz_worker_run(&opts, message);
}

static void note_broken(struct lz_compare_result *c, int side, const char *why)
{
    c->is_broken[side] = true;
    if (c->why[side] == NULL)
        c->why[side] = copy(why);
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct comparing *c = ctx;
    struct lz_brief b = {0};
    int side = (int)(job % 2);
    if (r->end != LZ_CREW_DONE || !lz_brief_read(&r->message, &b)) {
        note_broken(c->out, side,
                    r->end == LZ_CREW_TIMED_OUT ? "the wall-clock limit was reached" : r->how);
    } else {
        enum lz_exit code = lz_exit_verdict(b.verdict);
        c->out->failed[side] += code != LZ_EXIT_OK && code != LZ_EXIT_INCONCLUSIVE;
        if (b.events == 0)
            note_broken(c->out, side, b.why);
    }
    if (side == 0) {
        c->first = b;
    } else {
        const struct lz_brief *const sides[2] = {&c->first, &b};
        c->out->seeds++;
        c->out->equal += c->first.trace == b.trace && b.events > 0;
        pair_expectations(c->out, sides);
        pair_metrics(c->out, sides);
        lz_brief_finish(&c->first);
        lz_brief_finish(&b);
    }
    return !c->out->is_broken[side];
}

static void conclude_expectation(struct lz_compare_expectation *e,
                                 const struct lz_compare_result *c, double confidence)
{
    e->p = lz_compare_split(e->better + e->worse, e->worse);
    bool is_sure = c->seeds == 1 ? e->better + e->worse > 0 : e->p < 1.0 - confidence;
    if (e->runs[1] == 0 || e->runs[0] == 0)
        e->change = e->runs[1] == 0 ? LZ_COMPARE_ONLY_FIRST : LZ_COMPARE_ONLY_SECOND;
    else if (is_sure)
        e->change = e->worse > e->better ? LZ_COMPARE_WORSE : LZ_COMPARE_BETTER;
}

static void conclude_metric(struct lz_compare_metric *m, double confidence)
{
    for (int s = 0; s < 2; s++)
        m->mean[s] = m->pairs > 0     ? m->paired[s] / (double)m->pairs
                     : m->seen[s] > 0 ? m->all[s] / (double)m->seen[s]
                                      : (double)NAN;
    double n = (double)m->pairs, mean = n > 0.0 ? m->sum / n : 0.0;
    m->low = m->high = mean;
    if (m->pairs > 1) {
        double variance = fmax(0.0, (m->squares - n * mean * mean) / (n - 1.0));
        double half = student(0.5 + confidence / 2.0, n - 1.0) * sqrt(variance / n);
        m->low = mean - half;
        m->high = mean + half;
    }
    m->differs = m->pairs > 0 && (m->low > 0.0 || m->high < 0.0);
}

// ---------------------------------------------------------------- the first event

static void twin_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct comparing *c = ctx;
    const struct lz_worker_run_opts opts = {
        .source = c->opts->sides[0].source,
        .params = c->opts->sides[0].params,
        .version = c->opts->version,
        .seed = c->opts->first,
        .events_max = c->opts->events_max,
        .twin = LZ_TWIN_PLAIN,
        .other = &c->opts->sides[1].source,
        .other_params = c->opts->sides[1].params,
    };
    (void)job;
    lz_worker_run(&opts, message);
}

static bool twin_done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct comparing *c = ctx;
    struct lz_worker_record record;
    struct lz_report_run *run;
    struct lz_err err;
    (void)job;
    if (r->end != LZ_CREW_DONE || !lz_worker_record_read(&r->message, &record))
        return true;
    if (lz_report_open(record.image, record.size, &run, &err)) {
        if (strcmp(run->verdict, "diverged") == 0)
            c->out->first_event = copy(run->error);
        lz_report_close(run);
    }
    free(record.image);
    return true;
}

bool lz_compare_run(const struct lz_compare_opts *opts, struct lz_compare_result *out,
                    struct lz_err *err)
{
    LZ_ASSERT(opts->first <= opts->last && opts->workers >= 1);
    LZ_ASSERT(opts->confidence > 0.0 && opts->confidence < 1.0);
    *out = (struct lz_compare_result){0};
    struct comparing c = {.opts = opts, .out = out};
    struct lz_crew_opts crew = {
        .jobs = 2 * (opts->last - opts->first + 1),
        .workers = opts->workers,
        .timeout_ns = opts->timeout_ns,
        .ctx = &c,
        .work = work,
        .done = done,
    };
    bool ok = lz_crew_run(&crew, &out->signal, err);
    lz_brief_finish(&c.first);
    bool is_single = opts->first == opts->last && !out->is_broken[0] && !out->is_broken[1];
    if (ok && is_single && out->signal == 0) {
        crew.jobs = 1;
        crew.work = twin_work;
        crew.done = twin_done;
        ok = lz_crew_run(&crew, &out->signal, err);
    }
    for (size_t i = 0; i < out->expectation_count; i++)
        conclude_expectation(&out->expectations[i], out, opts->confidence);
    for (size_t i = 0; i < out->metric_count; i++)
        conclude_metric(&out->metrics[i], opts->confidence);
    if (!ok)
        lz_compare_finish(out);
    return ok;
}

void lz_compare_finish(struct lz_compare_result *c)
{
    for (size_t i = 0; i < c->expectation_count; i++) {
        free(c->expectations[i].name);
        free(c->expectations[i].actual[0]);
        free(c->expectations[i].actual[1]);
    }
    for (size_t i = 0; i < c->metric_count; i++) {
        free(c->metrics[i].name);
        free(c->metrics[i].unit);
    }
    free(c->expectations);
    free(c->metrics);
    free(c->first_event);
    free(c->why[0]);
    free(c->why[1]);
    *c = (struct lz_compare_result){0};
}
