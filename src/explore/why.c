#include "explore/why.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "explore/brief.h"
#include "explore/crew.h"
#include "explore/why_moment.h"

struct asking {
    const struct lz_why_opts *opts;
    struct lz_why_point *points; // those being looked at, one after another
};

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct asking *a = ctx;
    const struct lz_worker_run_opts opts = {
        .source = a->opts->source,
        .params = a->opts->params,
        .version = a->opts->version,
        .seed = a->opts->seed,
        .order = a->opts->order,
        .events_max = a->opts->events_max,
        .future = job % a->opts->futures + 1,
        .future_at = a->points[job / a->opts->futures].at,
        .is_brief = true,
    };
    lz_worker_run(&opts, message);
}

// A run that crashed, or did not come to its end, says nothing.
static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct asking *a = ctx;
    struct lz_why_point *p = &a->points[job / a->opts->futures];
    struct lz_brief b;
    if (r->end != LZ_CREW_DONE || !lz_brief_read(&r->message, &b))
        return true;
    for (size_t i = 0; i < b.expectation_count; i++) {
        const struct lz_brief_expectation *e = &b.expectations[i];
        if (strcmp(e->name, a->opts->name) != 0 || b.stopped)
            continue;
        p->futures++;
        p->failed += e->verdict == LZ_VERDICT_FAIL;
    }
    lz_brief_finish(&b);
    return true;
}

static bool ask(const struct lz_why_opts *opts, struct lz_why_point *points, size_t count,
                int *signal, struct lz_err *err)
{
    struct asking a = {.opts = opts, .points = points};
    const struct lz_crew_opts crew = {
        .jobs = count * opts->futures,
        .workers = opts->workers,
        .timeout_ns = opts->timeout_ns,
        .ctx = &a,
        .work = work,
        .done = done,
    };
    return lz_crew_run(&crew, signal, err);
}

static bool is_open(const struct lz_why_point *p)
{
    return p->futures > 0 && (double)p->failed < LZ_WHY_CERTAIN * (double)p->futures;
}

// The index of the last point that is open; `count` if none is.
static size_t last_open(const struct lz_why *w)
{
    for (size_t i = w->count; i-- > 0;)
        if (is_open(&w->points[i]))
            return i;
    return w->count;
}

static void find_step(struct lz_why *w, int64_t until)
{
    size_t i = last_open(w);
    w->has_step = i < w->count;
    if (!w->has_step)
        return;
    w->open = w->points[i].at;
    w->decided = i + 1 < w->count ? w->points[i + 1].at : until;
}

// The last instant of the run's own at which it was open still: what fired there decided.
static bool find_moment(const struct lz_why_opts *opts, struct lz_why *out, struct lz_err *err)
{
    int64_t *instants;
    size_t count;
    if (!lz_why_moment_instants(opts, out->open, out->decided, &instants, &count, err))
        return false;
    size_t low = 0, high = count; // open at `low`, decided at `high`
    bool ok = true;
    while (ok && out->signal == 0 && high - low > 1) {
        struct lz_why_point p = {.at = instants[low + (high - low) / 2]};
        ok = ask(opts, &p, 1, &out->signal, err);
        if (is_open(&p))
            low += (high - low) / 2;
        else
            high = low + (high - low) / 2;
    }
    out->has_moment = ok && out->signal == 0 && count > 0;
    if (out->has_moment) {
        out->moment = instants[low];
        ok = lz_why_moment_fired(opts, out->moment, out, err);
    }
    free(instants);
    return ok;
}

bool lz_why_run(const struct lz_why_opts *opts, struct lz_why *out, struct lz_err *err)
{
    LZ_ASSERT(opts->until >= 0 && opts->futures > 0 && opts->workers >= 1);
    *out = (struct lz_why){0};
    for (size_t i = 0; i < LZ_WHY_INSTANTS; i++) {
        int64_t at = opts->until / LZ_WHY_INSTANTS * (int64_t)i;
        if (i == 0 || at > out->points[out->count - 1].at)
            out->points[out->count++].at = at;
    }
    if (!ask(opts, out->points, out->count, &out->signal, err))
        return false;
    find_step(out, opts->until);
    while (out->signal == 0 && out->has_step && out->decided - out->open > LZ_WHY_STEP_NS &&
           out->count < LZ_WHY_POINTS_MAX) {
        size_t at = last_open(out) + 1;
        memmove(&out->points[at + 1], &out->points[at], (out->count - at) * sizeof(out->points[0]));
        out->points[at] = (struct lz_why_point){.at = out->open + (out->decided - out->open) / 2};
        out->count++;
        if (!ask(opts, &out->points[at], 1, &out->signal, err))
            return false;
        find_step(out, opts->until);
    }
    if (out->signal == 0 && out->has_step && out->decided - out->open <= LZ_WHY_STEP_NS)
        return find_moment(opts, out, err);
    return true;
}
