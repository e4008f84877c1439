#include "explore/shrink_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"

#define REFUSED_PER_RUN 40 // texts that do not load are cheap, but not for nothing

void lz_shrink_try_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct lz_shrink_search *s = ctx;
    const struct lz_worker_run_opts opts = {
        .source = {.path = s->opts->source.path,
                   .text = s->texts[job].text,
                   .len = s->texts[job].len},
        .params = s->opts->params,
        .version = s->opts->version,
        .seed = s->opts->seed,
        .events_max = s->events_max,
        .swarm = s->opts->swarm,
        .order = s->opts->order,
        .is_brief = true,
    };
    lz_worker_run(&opts, message);
}

static const struct lz_brief_expectation *find(const struct lz_brief *b, const char *name)
{
    for (size_t i = 0; i < b->expectation_count; i++)
        if (strcmp(b->expectations[i].name, name) == 0)
            return &b->expectations[i];
    return NULL;
}

bool lz_shrink_try_is_failure(const struct lz_brief *b, const struct lz_brief_expectation *e)
{
    return strcmp(b->verdict, "fail") == 0 && e->verdict == LZ_VERDICT_FAIL && !e->warn;
}

static enum lz_shrink_outcome judge(const struct lz_shrink_search *s, const struct lz_brief *b)
{
    bool is_error = strcmp(b->verdict, "error") == 0;
    if (is_error && b->events == 0)
        return LZ_SHRINK_UNLOADABLE;
    if (s->error != NULL) {
        size_t len = strlen(s->error);
        bool is_like =
            is_error && strncmp(b->why, s->error, len) == 0 && strchr("\n", b->why[len]) != NULL;
        return is_like                           ? LZ_SHRINK_LIKE
               : strcmp(b->verdict, "pass") == 0 ? LZ_SHRINK_PASSES
                                                 : LZ_SHRINK_OTHER;
    }
    const struct lz_brief_expectation *e = find(b, s->out->name);
    if (e != NULL && lz_shrink_try_is_failure(b, e))
        return LZ_SHRINK_LIKE;
    return e != NULL && e->verdict == LZ_VERDICT_PASS ? LZ_SHRINK_PASSES : LZ_SHRINK_OTHER;
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct lz_shrink_search *s = ctx;
    struct lz_brief b;
    s->outcomes[job] = LZ_SHRINK_OTHER;
    if (r->end == LZ_CREW_DONE && lz_brief_read(&r->message, &b)) {
        s->outcomes[job] = judge(s, &b);
        lz_brief_finish(&b);
    }
    bool is_run = s->outcomes[job] != LZ_SHRINK_UNLOADABLE;
    s->out->runs += is_run;
    s->out->refused += !is_run;
    if (s->opts->progress != NULL)
        s->opts->progress(s->opts->ctx, s->out->runs, s->doing);
    return s->outcomes[job] != s->wanted;
}

// The first of the texts whose outcome is the wanted one, or `count`.
size_t lz_shrink_try(struct lz_shrink_search *s, size_t count)
{
    size_t most = s->opts->runs_max > 0 ? s->opts->runs_max : LZ_SHRINK_RUNS;
    if (s->out->runs >= most || s->out->refused >= REFUSED_PER_RUN * most) {
        s->out->is_cut_short = s->is_over = true;
        return count;
    }
    for (size_t i = 0; i < count; i++)
        s->outcomes[i] = LZ_SHRINK_UNTRIED;
    const struct lz_crew_opts crew = {
        .jobs = count,
        .workers = s->opts->workers,
        .timeout_ns = s->opts->timeout_ns,
        .ctx = s,
        .work = lz_shrink_try_work,
        .done = done,
    };
    bool ok = lz_crew_run(&crew, &s->out->signal, s->err);
    s->is_broken = !ok;
    s->is_over = s->is_over || !ok || s->out->signal != 0;
    size_t i = 0;
    while (i < count && s->outcomes[i] != s->wanted)
        i++;
    return i;
}

void lz_shrink_write_text(struct lz_shrink_search *s, size_t at)
{
    lz_str_clear(&s->texts[at]);
    lz_cut_write(&s->cut, &s->texts[at]);
}

/*
 * Whether each of the faults that are left is needed. A smaller system may fail with fewer of them,
 * which would be another failure than the one that was found ("slippage"): such a change is
 * refused. Told of the state of the cut as it is.
 */
bool lz_shrink_needs_all(struct lz_shrink_search *s)
{
    for (size_t at = 0; at < s->guarded_count && !s->is_over; at += LZ_SHRINK_BATCH) {
        size_t n = 0;
        for (; n < LZ_SHRINK_BATCH && at + n < s->guarded_count; n++) {
            lz_cut_set(&s->cut, s->guarded[at + n], "");
            lz_shrink_write_text(s, n);
            lz_cut_set(&s->cut, s->guarded[at + n], NULL);
        }
        if (lz_shrink_try(s, n) < n)
            return false;
    }
    return !s->is_over;
}
