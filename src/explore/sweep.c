#include "explore/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "explore/crew.h"

static char *copy(const char *text, size_t len)
{
    char *out = lz_mem_alloc(len + 1);
    memcpy(out, text, len);
    out[len] = '\0';
    return out;
}

// Job 0.. are the saved seeds, then seed by seed all cases.
static struct lz_subset_saved job_of(const struct lz_sweep *s, size_t job)
{
    if (job < s->opts.saved_count)
        return s->opts.saved[job];
    size_t at = job - s->opts.saved_count;
    uint64_t step = s->opts.shards > 0 ? s->opts.shards : 1;
    uint64_t from = s->opts.first + (s->opts.shards > 0 ? s->opts.shard - 1 : 0);
    const struct lz_suite_opts *opts = &s->opts.suite->opts;
    return (struct lz_subset_saved){.seed = from + step * (at / s->case_count),
                                    .run = s->cases[at % s->case_count].run,
                                    .manner = {.swarm = opts->swarm, .order = opts->order}};
}

static struct lz_worker_run_opts run_opts(const struct lz_sweep *s,
                                          const struct lz_subset_saved *what)
{
    const struct lz_suite *suite = s->opts.suite;
    const struct lz_suite_run *run = &suite->runs[what->run];
    const struct lz_suite_scenario *scenario = &suite->scenarios[run->scenario];
    return (struct lz_worker_run_opts){
        .source = {.path = scenario->path, .text = scenario->text, .len = scenario->len},
        .params = &run->of->params,
        .xfail = run->of->xfail,
        .ordinal = (uint64_t)(run->of - scenario->listing.cases),
        .version = suite->opts.version,
        .seed = what->seed,
        .events_max = suite->opts.events_max,
        .traces = s->opts.suite->opts.traces,
        .swarm = what->manner.swarm,
        .order = what->manner.order,
        .scenario = scenario->listing.scenario,
        .is_brief = true,
    };
}

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct lz_sweep *s = ctx;
    struct lz_subset_saved what = job_of(s, job);
    size_t c = (job - s->opts.saved_count) % s->case_count;
    if (job >= s->opts.saved_count && s->cases[c].decision != LZ_CERTAIN_OPEN) {
        lz_brief_write(&(struct lz_brief_facts){.verdict = "pass", .why = ""}, message);
        return; // nobody will count it
    }
    const struct lz_worker_run_opts opts = run_opts(s, &what);
    lz_worker_run(&opts, message);
}

// A run that left no brief is one all the same. What can be done about it is the second line.
static struct lz_brief absent(const struct lz_crew_result *r)
{
    bool is_late = r->end == LZ_CREW_TIMED_OUT, is_cut_off = lz_crew_is_cut_off(r);
    char why[200];
    if (is_late)
        snprintf(why, sizeof(why),
                 "the wall-clock limit was reached\n"
                 "--timeout gives it more; its seed is not saved");
    else
        snprintf(why, sizeof(why), "crashed: %s\n%s",
                 r->how[0] != '\0' ? r->how : "a message nobody understands",
                 is_cut_off ? "killed, or out of memory (-j 1 may fit); its seed is not saved"
                            : "this is a bug in lorenz, please report it");
    return (struct lz_brief){.verdict = copy(is_late ? "budget" : "crash", is_late ? 6 : 5),
                             .why = copy(why, strlen(why)),
                             .stopped = is_late,
                             .is_cut_off = is_cut_off};
}

// Which expectations, or which error: what makes two failures one.
static void make_key(const struct lz_sweep *s, const struct lz_brief *b, size_t run,
                     enum lz_verdict wanted, struct lz_sweep_failure *f)
{
    struct lz_str key;
    lz_str_init(&key);
    // The same words, of a run that lacked memory and of one that is wrong: not the same failure.
    lz_str_addf(&key, "%zu\n%s\n%d\n", s->opts.suite->runs[run].scenario, b->verdict,
                b->is_cut_off);
    for (size_t i = 0; i < b->expectation_count; i++) {
        const struct lz_brief_expectation *e = &b->expectations[i];
        if (e->verdict != wanted || e->warn)
            continue;
        lz_str_addf(&key, "%s\n", e->name);
        if (f->name == NULL) {
            f->name = copy(e->name, strlen(e->name));
            f->actual = copy(e->actual, strlen(e->actual));
        } else {
            f->others++;
        }
    }
    if (f->name == NULL) { // an error, a budget, or a fault that touched nothing
        size_t len = strcspn(b->why, "\n");
        f->name = copy(b->why, len);
        const char *help = strcmp(b->verdict, "crash") == 0 || b->is_cut_off ? b->why + len : "";
        help += *help == '\n';
        f->actual = copy(help, strlen(help));
        lz_str_add_n(&key, b->why, len);
    }
    f->key = lz_str_take(&key);
}

static void finish_failure(struct lz_sweep_failure *f)
{
    free(f->key);
    free(f->name);
    free(f->actual);
}

// The failure of this run: a known one, or a new one. Its index.
static size_t file_failure(struct lz_sweep *s, const struct lz_brief *b,
                           const struct lz_subset_saved *what, enum lz_exit code, bool is_xfail)
{
    struct lz_sweep_failure f = {.run = what->run,
                                 .seed = what->seed,
                                 .manner = what->manner,
                                 .count = 1,
                                 .code = code,
                                 .is_cut_off = b->is_cut_off,
                                 .is_xfail = is_xfail,
                                 .is_inconclusive = code == LZ_EXIT_INCONCLUSIVE};
    make_key(s, b, what->run, f.is_inconclusive ? LZ_VERDICT_INCONCLUSIVE : LZ_VERDICT_FAIL, &f);
    for (size_t i = 0; i < s->failure_count; i++) {
        if (strcmp(s->failures[i].key, f.key) != 0)
            continue;
        s->failures[i].count++;
        finish_failure(&f);
        return i;
    }
    if (s->failure_count == LZ_SWEEP_FAILURES_MAX) {
        finish_failure(&f);
        s->failures[s->failure_count - 1].count++;
        return s->failure_count - 1;
    }
    s->failures = lz_mem_resize(s->failures, (s->failure_count + 1) * sizeof(*s->failures));
    s->failures[s->failure_count] = f;
    return s->failure_count++;
}

static void keep_seed(struct lz_sweep *s, struct lz_sweep_seed seed)
{
    if (s->failing_count == LZ_SWEEP_KEPT_MAX)
        return;
    s->failing = lz_mem_resize(s->failing, (s->failing_count + 1) * sizeof(*s->failing));
    s->failing[s->failing_count++] = seed;
}

static void drop_close(struct lz_sweep *s, size_t at)
{
    free(s->closest[at].name);
    free(s->closest[at].spare);
    s->closest_count--;
    memmove(&s->closest[at], &s->closest[at + 1], (s->closest_count - at) * sizeof(s->closest[0]));
}

// Each expectation of a case stands there once, with the first seed that came closest: what holds
// with nothing to spare whatever the seed would hide all others.
static void offer_close(struct lz_sweep *s, const struct lz_brief_expectation *e, size_t run,
                        uint64_t seed)
{
    for (size_t i = 0; i < s->closest_count; i++) {
        if (s->closest[i].run != run || strcmp(s->closest[i].name, e->name) != 0)
            continue;
        if (e->margin >= s->closest[i].margin)
            return;
        drop_close(s, i);
        break;
    }
    size_t at = s->closest_count;
    while (at > 0 && e->margin < s->closest[at - 1].margin)
        at--;
    if (at == LZ_SWEEP_CLOSEST)
        return;
    if (s->closest_count == LZ_SWEEP_CLOSEST)
        drop_close(s, LZ_SWEEP_CLOSEST - 1);
    memmove(&s->closest[at + 1], &s->closest[at], (s->closest_count - at) * sizeof(s->closest[0]));
    s->closest[at] = (struct lz_sweep_close){run, seed, copy(e->name, strlen(e->name)),
                                             copy(e->spare, strlen(e->spare)), e->margin};
    s->closest_count++;
}

static void look_close(struct lz_sweep *s, const struct lz_brief *b, size_t run, uint64_t seed)
{
    for (size_t i = 0; i < b->expectation_count; i++) {
        const struct lz_brief_expectation *e = &b->expectations[i];
        if (e->verdict == LZ_VERDICT_PASS && !e->warn && !isnan(e->margin))
            offer_close(s, e, run, seed);
    }
}

static bool decide(struct lz_sweep *s, struct lz_sweep_case *c)
{
    if (s->opts.max_rate > 0.0 && !c->xfail && c->decision == LZ_CERTAIN_OPEN) {
        uint64_t known = c->passed + c->failed;
        c->decision =
            known == 0 ? LZ_CERTAIN_OPEN
                       : lz_certain_decide(known, c->failed, s->opts.max_rate, s->opts.confidence);
        c->decided_after = c->runs;
    }
    for (size_t i = 0; i < s->case_count; i++)
        if (s->cases[i].decision == LZ_CERTAIN_OPEN)
            return false;
    return s->opts.max_rate > 0.0;
}

static enum lz_exit code_of(const struct lz_brief *b)
{
    return strcmp(b->verdict, "crash") == 0 ? LZ_EXIT_BUG : lz_exit_verdict(b->verdict);
}

// One run of a seed that was not chosen.
static void count(struct lz_sweep *s, struct lz_sweep_case *c, const struct lz_brief *b,
                  struct lz_subset_saved what)
{
    bool is_xfail = strcmp(b->verdict, "xfail") == 0;
    bool is_fail = is_xfail || strcmp(b->verdict, "fail") == 0;
    bool is_pass =
        strcmp(b->verdict, "pass") == 0 || strcmp(b->verdict, "xpass") == 0 || b->is_open;
    enum lz_exit code = b->is_open ? LZ_EXIT_OK : code_of(b);
    c->runs++;
    lz_cover_add(&s->cover, s->opts.suite->runs[what.run].scenario, what.run, b);
    c->passed += is_pass;
    c->failed += is_fail;
    c->inconclusive += code == LZ_EXIT_INCONCLUSIVE;
    c->broken += !is_pass && !is_fail && code != LZ_EXIT_INCONCLUSIVE;
    s->events += b->events;
    if (is_pass) {
        look_close(s, b, what.run, what.seed);
        return;
    }
    size_t failure = file_failure(s, b, &what, code, is_xfail);
    if (code == LZ_EXIT_INCONCLUSIVE) {
        lz_exit_add(&s->codes, code);
        return;
    }
    if (is_xfail)
        return;
    s->failed++;
    keep_seed(s, (struct lz_sweep_seed){what.seed, what.run, failure, b->is_cut_off});
    // With a rate that is allowed, a failure by itself is none.
    if (!(is_fail && s->opts.max_rate > 0.0))
        lz_exit_add(&s->codes, code);
    if (b->stopped)
        lz_exit_add(&s->codes, LZ_EXIT_BUDGET);
}

static size_t case_index(const struct lz_sweep *s, size_t run)
{
    size_t i = 0;
    while (s->cases[i].run != run)
        i++;
    return i;
}

static void count_saved(struct lz_sweep *s, const struct lz_brief *b, struct lz_subset_saved what)
{
    enum lz_exit code = code_of(b);
    bool is_failed =
        code != LZ_EXIT_OK && code != LZ_EXIT_INCONCLUSIVE && strcmp(b->verdict, "xpass") != 0;
    s->saved_failed += is_failed;
    s->failed += is_failed;
    if (!is_failed)
        return;
    (void)file_failure(s, b, &what, code, false);
    // They were chosen because they fail: where some may, they decide nothing.
    if (!(code == LZ_EXIT_FAILED && s->opts.max_rate > 0.0))
        lz_exit_add(&s->codes, code);
}

// Count a run. False: everything is decided.
static bool take(struct lz_sweep *s, const struct lz_brief *b, struct lz_subset_saved what,
                 bool is_saved)
{
    s->done++;
    s->trace = lz_hash_mix(s->trace ^ b->trace, what.seed);
    if (is_saved) {
        count_saved(s, b, what);
        return true;
    }
    struct lz_sweep_case *c = &s->cases[case_index(s, what.run)];
    if (c->decision == LZ_CERTAIN_OPEN)
        count(s, c, b, what);
    s->decided = decide(s, c);
    return !s->decided;
}

static void keep(const struct lz_sweep *s, const struct lz_brief *b, const struct lz_str *message,
                 struct lz_sweep_kept kept)
{
    struct lz_str own;
    if (s->opts.kept == NULL)
        return;
    lz_str_init(&own);
    if (message == NULL) { // of a run that left nothing
        const struct lz_brief_facts facts = {
            .verdict = b->verdict, .why = b->why, .stopped = b->stopped};
        lz_brief_write(&facts, &own);
    }
    kept.brief = message != NULL ? message : &own;
    s->opts.kept(s->opts.kept_ctx, &kept);
    lz_str_finish(&own);
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct lz_sweep *s = ctx;
    struct lz_subset_saved what = job_of(s, job);
    struct lz_brief b;
    bool is_saved = job < s->opts.saved_count;
    bool is_whole = r->end == LZ_CREW_DONE && lz_brief_read(&r->message, &b);
    if (!is_whole)
        b = absent(r);
    keep(s, &b, is_whole ? &r->message : NULL,
         (struct lz_sweep_kept){
             .seed = what.seed, .run = what.run, .is_saved = is_saved, .manner = what.manner});
    bool more = take(s, &b, what, is_saved);
    lz_brief_finish(&b);
    if (s->opts.progress != NULL)
        s->opts.progress(s->opts.ctx, s->done, s->total, s->failed);
    return more && (s->opts.fail_max == 0 || s->failed < s->opts.fail_max);
}

// What the counts say, once there are no more.
static void conclude(struct lz_sweep *s)
{
    if (!lz_cover_is_whole(&s->cover))
        lz_exit_add(&s->codes, LZ_EXIT_INCONCLUSIVE);
    for (size_t i = 0; i < s->case_count; i++) {
        const struct lz_sweep_case *c = &s->cases[i];
        if (c->xfail && c->passed > 0 && c->failed == 0)
            lz_exit_add(&s->codes, LZ_EXIT_FAILED);
        if (s->opts.max_rate > 0.0 && !c->xfail) {
            if (c->decision == LZ_CERTAIN_ABOVE)
                lz_exit_add(&s->codes, LZ_EXIT_FAILED);
            else if (c->decision == LZ_CERTAIN_OPEN)
                lz_exit_add(&s->codes, LZ_EXIT_INCONCLUSIVE);
        }
    }
}

static uint64_t count_seeds(const struct lz_sweep_opts *opts)
{
    uint64_t all = opts->last - opts->first + 1;
    if (opts->shards == 0)
        return all;
    return all / opts->shards + (all % opts->shards >= opts->shard);
}

void lz_sweep_begin(const struct lz_sweep_opts *opts, struct lz_sweep *out)
{
    const struct lz_suite *suite = opts->suite;
    LZ_ASSERT(suite->run_count > 0 && opts->first <= opts->last);
    *out = (struct lz_sweep){.opts = *opts, .case_count = suite->run_count};
    out->cases = lz_mem_alloc(suite->run_count * sizeof(*out->cases));
    for (size_t i = 0; i < suite->run_count; i++) {
        LZ_ASSERT(suite->runs[i].of != NULL);
        bool xfail = suite->runs[i].of->xfail;
        // A case that is meant to fail has nothing to be decided.
        out->cases[i] = (struct lz_sweep_case){
            .run = i,
            .xfail = xfail,
            .decision = xfail && opts->max_rate > 0.0 ? LZ_CERTAIN_BELOW : LZ_CERTAIN_OPEN};
    }
    out->total = opts->saved_count + count_seeds(opts) * suite->run_count;
}

bool lz_sweep_add(struct lz_sweep *sweep, const struct lz_sweep_kept *kept)
{
    struct lz_brief b;
    bool is_read = lz_brief_read(kept->brief, &b);
    LZ_ASSERT(is_read);
    const struct lz_suite_opts *opts = &sweep->opts.suite->opts;
    struct lz_subset_saved what = {.seed = kept->seed, .run = kept->run, .manner = kept->manner};
    if (!kept->is_saved)
        what.manner = (struct lz_manner){.swarm = opts->swarm, .order = opts->order};
    bool more = take(sweep, &b, what, kept->is_saved);
    lz_brief_finish(&b);
    return more;
}

void lz_sweep_end(struct lz_sweep *sweep)
{
    conclude(sweep);
}

bool lz_sweep_run(const struct lz_sweep_opts *opts, struct lz_sweep *out, struct lz_err *err)
{
    lz_sweep_begin(opts, out);
    const struct lz_crew_opts crew = {
        .jobs = out->total,
        .workers = opts->suite->opts.workers,
        .timeout_ns = opts->suite->opts.timeout_ns,
        .ctx = out,
        .work = work,
        .done = done,
    };
    bool ok = lz_crew_run(&crew, &out->signal, err);
    lz_sweep_end(out);
    return ok;
}

struct recording {
    const struct lz_sweep *sweep;
    const struct lz_sweep_failure **failures;
    size_t count;
    lz_sweep_save_fn *save;
    void *ctx;
};

static void record_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct recording *r = ctx;
    const struct lz_sweep_failure *f = r->failures[job];
    struct lz_worker_run_opts opts = run_opts(
        r->sweep, &(struct lz_subset_saved){.seed = f->seed, .run = f->run, .manner = f->manner});
    opts.is_brief = false;
    lz_worker_run(&opts, message);
}

static bool record_done(void *ctx, size_t job, struct lz_crew_result *result)
{
    const struct recording *r = ctx;
    struct lz_worker_record record;
    if (result->end == LZ_CREW_DONE && lz_worker_record_read(&result->message, &record)) {
        r->save(r->ctx, r->failures[job], &record);
        free(record.image);
    }
    return true; // one that crashed has crashed before, and that was told
}

bool lz_sweep_record(const struct lz_sweep *sweep, size_t max, lz_sweep_save_fn *save, void *ctx,
                     struct lz_err *err)
{
    struct recording r = {.sweep = sweep, .save = save, .ctx = ctx};
    r.failures = lz_mem_alloc((sweep->failure_count + 1) * sizeof(struct lz_sweep_failure *));
    for (size_t i = 0; i < sweep->failure_count && r.count < max; i++)
        if (!sweep->failures[i].is_xfail)
            r.failures[r.count++] = &sweep->failures[i];
    const struct lz_crew_opts crew = {
        .jobs = r.count,
        .workers = sweep->opts.suite->opts.workers,
        .timeout_ns = sweep->opts.suite->opts.timeout_ns,
        .ctx = &r,
        .work = record_work,
        .done = record_done,
    };
    int signal;
    bool ok = lz_crew_run(&crew, &signal, err);
    free(r.failures);
    return ok;
}

void lz_sweep_finish(struct lz_sweep *sweep)
{
    lz_cover_finish(&sweep->cover);
    for (size_t i = 0; i < sweep->failure_count; i++)
        finish_failure(&sweep->failures[i]);
    for (size_t i = 0; i < sweep->closest_count; i++) {
        free(sweep->closest[i].name);
        free(sweep->closest[i].spare);
    }
    free(sweep->failures);
    free(sweep->failing);
    free(sweep->cases);
    *sweep = (struct lz_sweep){0};
}
