#include "explore/suite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"

#define NAME_LEN_MAX 200           // of the 255 a file name may have
#define SOURCE_SIZE_MAX (16 << 20) // no one writes 16 MiB of scenario; a device never ends

static bool read_text(const char *path, char **text, size_t *len, struct lz_err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    struct lz_str all;
    lz_str_init(&all);
    char chunk[4096];
    size_t n;
    while (all.len <= SOURCE_SIZE_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        lz_str_add_n(&all, chunk, n);
    bool failed = ferror(file) != 0;
    int reason = errno;
    fclose(file);
    if (failed || all.len > SOURCE_SIZE_MAX) {
        lz_str_finish(&all);
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path,
                       failed ? strerror(reason) : "larger than 16 MiB");
    }
    *len = all.len;
    *text = lz_str_take(&all);
    return true;
}

bool lz_suite_create(const struct lz_suite_opts *opts, struct lz_suite **out, struct lz_err *err)
{
    LZ_ASSERT(opts->files != NULL && opts->sets != NULL && opts->cases != NULL);
    LZ_ASSERT(opts->workers >= 1);
    lz_script_warm(); // for all the children
    size_t count = opts->files->count;
    struct lz_suite *suite = lz_mem_alloc(sizeof(*suite));
    *suite = (struct lz_suite){.opts = *opts};
    suite->scenarios = lz_mem_alloc((count + 1) * sizeof(suite->scenarios[0]));
    for (size_t i = 0; i < count; i++) {
        struct lz_suite_scenario *s = &suite->scenarios[suite->scenario_count];
        *s = (struct lz_suite_scenario){.path = opts->files->paths[i]};
        if (!read_text(s->path, &s->text, &s->len, err)) {
            lz_suite_destroy(suite);
            return false;
        }
        suite->scenario_count++;
    }
    *out = suite;
    return true;
}

static void finish_run(struct lz_suite_run *run)
{
    lz_report_close(run->report);
    free(run->record.image);
    free(run->name);
    free(run->problem);
    free(run->said);
}

void lz_suite_destroy(struct lz_suite *suite)
{
    if (suite == NULL)
        return;
    for (size_t i = 0; i < suite->run_count; i++)
        finish_run(&suite->runs[i]);
    for (size_t i = 0; i < suite->scenario_count; i++) {
        lz_worker_listing_free(&suite->scenarios[i].listing);
        free(suite->scenarios[i].text);
        free(suite->scenarios[i].problem);
        free(suite->scenarios[i].said);
    }
    free(suite->runs);
    free(suite->scenarios);
    free(suite);
}

static struct lz_worker_source source_of(const struct lz_suite_scenario *s)
{
    return (struct lz_worker_source){.path = s->path, .text = s->text, .len = s->len};
}

// What happened to a child that left no message, for people.
static char *explain(const struct lz_suite *suite, const struct lz_crew_result *r, const char *what)
{
    struct lz_str text;
    lz_str_init(&text);
    if (r->end == LZ_CREW_TIMED_OUT)
        lz_str_addf(&text, "%s took longer than %g s of wall time", what,
                    (double)suite->opts.timeout_ns / 1e9);
    else
        lz_str_addf(&text, "%s crashed (%s)%s", what,
                    r->how[0] != '\0' ? r->how : "a message nobody understands", lz_crew_cause(r));
    return lz_str_take(&text);
}

static char *take_said(struct lz_crew_result *r)
{
    return r->said.len > 0 ? lz_str_take(&r->said) : NULL;
}

static enum lz_exit trouble_code(enum lz_script_trouble trouble)
{
    switch (trouble) {
    case LZ_SCRIPT_OK:
        return LZ_EXIT_OK;
    case LZ_SCRIPT_WRONG:
    case LZ_SCRIPT_RUNAWAY:
        return LZ_EXIT_SCENARIO;
    case LZ_SCRIPT_MEMORY:
        return LZ_EXIT_BUDGET;
    case LZ_SCRIPT_TICKED:
        return LZ_EXIT_BUG; // a worker runs it again
    }
    return LZ_EXIT_BUG;
}

static void list_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct lz_suite *suite = ctx;
    const struct lz_worker_list_opts opts = {
        .source = source_of(&suite->scenarios[job]),
        .sets = suite->opts.sets,
        .build = suite->opts.build,
        .colour = suite->opts.colour,
    };
    lz_worker_list(&opts, message);
}

static bool list_done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct lz_suite *suite = ctx;
    LZ_ASSERT(job < suite->scenario_count);
    struct lz_suite_scenario *s = &suite->scenarios[job];
    if (r->end == LZ_CREW_DONE && lz_worker_listing_read(&r->message, &s->listing)) {
        s->code = trouble_code(s->listing.trouble);
    } else {
        s->code = r->end == LZ_CREW_TIMED_OUT ? LZ_EXIT_BUDGET : LZ_EXIT_BUG;
        s->problem = explain(suite, r, "loading the scenario");
    }
    s->said = take_said(r);
    return true;
}

static void add_clean(struct lz_str *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len && out->len < NAME_LEN_MAX; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr("._+%", c) == NULL))
            c = '_';
        lz_str_add_char(out, c);
    }
}

void lz_suite_case_text(const struct lz_worker_case *c, const char *between, struct lz_str *out)
{
    for (size_t i = 0; i < c->params.count; i++)
        lz_str_addf(out, "%s%s=%s", i > 0 ? between : "", c->params.items[i].name,
                    c->params.items[i].value);
}

static bool name_taken(const struct lz_suite *suite, const char *name)
{
    for (size_t i = 0; i < suite->run_count; i++) {
        if (strcmp(suite->runs[i].name, name) == 0)
            return true;
    }
    return false;
}

// File stem, values of the case, seed. Names are given in order, before anything runs,
// so the same command gives the same names.
char *lz_suite_name_run(const struct lz_suite *suite, const struct lz_suite_run *run)
{
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    const struct lz_worker_case *c = run->of;
    const char *base = strrchr(s->path, '/');
    base = base != NULL ? base + 1 : s->path;
    size_t len = strlen(base);
    if (len > 4 && strcmp(base + len - 4, ".lua") == 0)
        len -= 4;
    struct lz_str name;
    lz_str_init(&name);
    add_clean(&name, base, len);
    for (size_t i = 0; c != NULL && i < c->params.count; i++) {
        lz_str_add_char(&name, '-');
        add_clean(&name, c->params.items[i].value, strlen(c->params.items[i].value));
    }
    lz_str_addf(&name, "-%" PRIu64, run->seed);
    size_t plain_len = name.len;
    for (int n = 2; name_taken(suite, name.text); n++) {
        struct lz_str next;
        lz_str_init(&next);
        lz_str_add_n(&next, name.text, plain_len);
        lz_str_addf(&next, "~%d", n);
        lz_str_finish(&name);
        name = next;
    }
    return lz_str_take(&name);
}

static void add_run(struct lz_suite *suite, size_t scenario, const struct lz_worker_case *c)
{
    struct lz_suite_run run = {.scenario = scenario, .of = c, .seed = suite->opts.seed};
    run.name = lz_suite_name_run(suite, &run);
    suite->runs = lz_mem_resize(suite->runs, (suite->run_count + 1) * sizeof(suite->runs[0]));
    suite->runs[suite->run_count++] = run;
}

// A scenario that does not load is a run whatever cases were asked for: which ones it
// would have had is not known.
static void expand(struct lz_suite *suite, size_t scenario)
{
    const struct lz_suite_scenario *s = &suite->scenarios[scenario];
    size_t before = suite->run_count;
    if (s->code != LZ_EXIT_OK)
        add_run(suite, scenario, NULL);
    // Among others it is left to `lorenz live`; alone, the run says why it cannot be.
    if (s->code == LZ_EXIT_OK && s->listing.is_real && suite->scenario_count > 1 &&
        !suite->opts.is_live) {
        suite->real_scenarios++;
        return;
    }
    for (size_t i = 0; s->code == LZ_EXIT_OK && i < s->listing.case_count; i++) {
        const struct lz_worker_case *c = &s->listing.cases[i];
        if (lz_select_matches(suite->opts.cases, &c->params))
            add_run(suite, scenario, c);
    }
    suite->run_scenarios += suite->run_count > before;
}

bool lz_suite_list(struct lz_suite *suite, struct lz_err *err)
{
    const struct lz_crew_opts opts = {
        .jobs = suite->scenario_count,
        .workers = suite->opts.workers,
        .timeout_ns = suite->opts.timeout_ns,
        .ctx = suite,
        .work = list_work,
        .done = list_done,
    };
    if (!lz_crew_run(&opts, &suite->signal, err))
        return false;
    for (size_t i = 0; suite->signal == 0 && i < suite->scenario_count; i++)
        expand(suite, i);
    return true;
}

static const struct lz_select_pairs no_params;

static struct lz_worker_run_opts run_opts(const struct lz_suite *suite,
                                          const struct lz_suite_run *run)
{
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    struct lz_worker_run_opts opts = {
        .source = source_of(s),
        .params = run->of != NULL ? &run->of->params : &no_params,
        .xfail = run->of != NULL && run->of->xfail,
        .ordinal = run->of != NULL ? (uint64_t)(run->of - s->listing.cases) : 0,
        .version = suite->opts.version,
        .seed = run->seed,
        .events_max = suite->opts.events_max,
        .traces = suite->opts.traces,
        .swarm = run->is_saved ? run->manner.swarm : suite->opts.swarm,
        .order = run->is_saved ? run->manner.order : suite->opts.order,
        .twin = suite->opts.twin,
        .scenario = s->listing.scenario,
    };
    if (s->code == LZ_EXIT_BUDGET)
        opts.stop = s->problem != NULL ? "wall" : "memory";
    else if (s->code != LZ_EXIT_OK)
        opts.error = s->problem != NULL ? s->problem : s->listing.diagnostics;
    return opts;
}

static void run_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct lz_suite *suite = ctx;
    const struct lz_worker_run_opts opts = run_opts(suite, &suite->runs[job]);
    lz_worker_run(&opts, message);
}

// The child left nothing: the parent says in its place what became of the run.
static bool record_loss(struct lz_suite *suite, struct lz_suite_run *run,
                        const struct lz_crew_result *r, struct lz_err *err)
{
    struct lz_worker_run_opts opts = run_opts(suite, run);
    run->problem = explain(suite, r, "the run");
    run->code = r->end == LZ_CREW_TIMED_OUT ? LZ_EXIT_BUDGET : LZ_EXIT_BUG;
    opts.stop = run->code == LZ_EXIT_BUDGET ? "wall" : NULL;
    opts.error = run->code == LZ_EXIT_BUDGET ? NULL : run->problem;
    return lz_worker_record_absent(&opts, &run->record, err);
}

static bool run_done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct lz_suite *suite = ctx;
    LZ_ASSERT(job < suite->run_count);
    struct lz_suite_run *run = &suite->runs[job];
    LZ_ASSERT(run->report == NULL);
    struct lz_err err;
    bool ok = true;
    run->code = suite->scenarios[run->scenario].code;
    if (r->end != LZ_CREW_DONE || !lz_worker_record_read(&r->message, &run->record))
        ok = record_loss(suite, run, r, &err);
    run->said = take_said(r);
    ok = ok && lz_report_open(run->record.image, run->record.size, &run->report, &err);
    if (!ok) {
        run->code = LZ_EXIT_BUG;
        run->problem = lz_mem_resize(run->problem, sizeof(err.msg));
        memcpy(run->problem, err.msg, sizeof(err.msg));
    } else if (run->code == LZ_EXIT_OK) {
        run->code = lz_exit_verdict(lz_report_verdict(run->report));
    }
    suite->failed += run->code != LZ_EXIT_OK && run->code != LZ_EXIT_INCONCLUSIVE;
    bool more = suite->done(suite->done_ctx, suite, job);
    return more && (suite->opts.fail_max == 0 || suite->failed < suite->opts.fail_max);
}

bool lz_suite_run(struct lz_suite *suite, bool (*done)(void *ctx, struct lz_suite *s, size_t run),
                  void *ctx, struct lz_err *err)
{
    LZ_ASSERT(done != NULL && suite->signal == 0);
    suite->done = done;
    suite->done_ctx = ctx;
    const struct lz_crew_opts opts = {
        .jobs = suite->run_count,
        .workers = suite->opts.workers,
        .timeout_ns = suite->opts.timeout_ns,
        .ctx = suite,
        .work = run_work,
        .done = run_done,
    };
    return lz_crew_run(&opts, &suite->signal, err);
}
