#include "explore/why_ask.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "explore/brief.h"
#include "explore/crew.h"

struct asking {
    const struct lz_why_opts *opts;
    const struct lz_why_question *question;
};

// In the child.
struct redrawing {
    const struct lz_why_anew *anew;
    uint64_t future;
    struct lz_why_clock clock;
};

static uint64_t key_of(void *ctx, const struct lz_draw_watch_id *id, uint64_t key)
{
    const struct redrawing *r = ctx;
    if (!lz_why_clock_is_at(&r->clock, r->anew->at))
        return key;
    for (size_t i = 0; i < r->anew->count; i++) {
        const struct lz_draw_watch_id *one = &r->anew->ids[i];
        if (one->owner == id->owner && one->purpose == id->purpose && one->counter == id->counter)
            return lz_hash_mix(key, r->future);
    }
    return key;
}

static void prepare(void *ctx)
{
    ((struct redrawing *)ctx)->clock.now = NULL;
}

static void begin(void *ctx, struct lz_sim *sim, const struct lz_world *world)
{
    (void)world;
    ((struct redrawing *)ctx)->clock.now = lz_sim_clock(sim);
}

struct lz_worker_run_opts lz_why_again(const struct lz_why_opts *opts)
{
    return (struct lz_worker_run_opts){
        .source = opts->source,
        .params = opts->params,
        .version = opts->version,
        .seed = opts->seed,
        .swarm = opts->swarm,
        .order = opts->order,
        .events_max = opts->events_max,
        .is_brief = true,
    };
}

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct asking *a = ctx;
    const struct lz_why_question *q = a->question;
    struct redrawing redrawing = {.anew = q->anew, .future = job % a->opts->futures + 1};
    const struct lz_draw_watch watch = {.ctx = &redrawing, .key = key_of};
    struct lz_worker_run_opts opts = lz_why_again(a->opts);
    opts.without = q->without;
    opts.future = redrawing.future;
    opts.future_at = q->points[job / a->opts->futures].at;
    opts.prepare = prepare;
    opts.watch = begin;
    opts.watch_ctx = &redrawing;
    lz_draw_watch_now = q->anew != NULL ? &watch : NULL;
    lz_worker_run(&opts, message);
    lz_draw_watch_now = NULL;
}

// A run that crashed, or did not come to its end, says nothing.
static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    const struct asking *a = ctx;
    struct lz_why_point *p = &a->question->points[job / a->opts->futures];
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

bool lz_why_ask(const struct lz_why_opts *opts, const struct lz_why_question *question, int *signal,
                struct lz_err *err)
{
    LZ_ASSERT(question->count > 0);
    struct asking a = {.opts = opts, .question = question};
    const struct lz_crew_opts crew = {
        .jobs = question->count * opts->futures,
        .workers = opts->workers,
        .timeout_ns = opts->timeout_ns,
        .ctx = &a,
        .work = work,
        .done = done,
    };
    return lz_crew_run(&crew, signal, err);
}

bool lz_why_is_open(const struct lz_why_point *p)
{
    return p->futures > 0 && (double)p->failed < LZ_WHY_CERTAIN * (double)p->futures;
}
