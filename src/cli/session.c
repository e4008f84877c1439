#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/browse.h"
#include "cli/notify.h"
#include "cli/sweep_out.h"
#include "cli/watch.h"
#include "explore/seeds.h"
#include "record/record.h"
#include "report/report.h"
#include "script/seed.h"

struct session {
    const struct lz_flags *flags;
    struct lz_out *out;
    struct lz_suite *suite;
    struct lz_report_style style;
    struct lz_report_run **reports; // of the runs that finished, in order
    char **paths;                   // of their run files; NULL: not kept
    size_t finished;
    size_t printed; // reports that have been printed
    bool silent;    // a format has standard output for itself
    bool save_failed;
    struct lz_progress progress;
    size_t failed; /* of those that finished */
    struct lz_exit_set codes;
};

static void say(const char *text)
{
    fprintf(stderr, "lorenz: %s\n", text);
}

static void forward(const char *said)
{
    if (said != NULL)
        fputs(said, stderr);
}

static enum lz_exit nothing_matched(const struct lz_opts_rest *paths)
{
    fprintf(stderr, "lorenz: nothing matched: no scenario (*.lua) in %s\n",
            paths->count > 0 ? paths->items[0] : LZ_SELECT_DEFAULT);
    fprintf(stderr, "help: name a file or a folder: lorenz run PATH\n");
    return LZ_EXIT_NOTHING;
}

enum lz_exit lz_session_nothing(const struct lz_flags *flags, const char *command)
{
    const struct lz_subset *subset = &flags->subset;
    fprintf(stderr,
            "lorenz %s: nothing matched: no scenario has a case with what is asked for by%s"
            "%s%s%s\n",
            command, flags->cases.count > 0 ? " --case" : "", subset->names != NULL ? " -k" : "",
            subset->tag_count > 0 ? " -t" : "", subset->shards > 0 ? " --shard" : "");
    fprintf(stderr, "help: names, cases and tags are listed by: lorenz list\n");
    return LZ_EXIT_NOTHING;
}

static bool select_runs(const struct lz_flags *flags, struct lz_suite *suite, struct lz_err *err)
{
    struct lz_str told;
    lz_str_init(&told);
    bool ok = lz_subset_apply(&flags->subset, suite, LZ_SESSION_FAILED, &told, err);
    if (ok && told.len > 0)
        fprintf(stderr, "lorenz: %s", told.text);
    lz_str_finish(&told);
    return ok;
}

enum lz_exit lz_session_open(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                             bool build, struct lz_select_files *files, struct lz_suite **suite)
{
    struct lz_err err;
    *files = (struct lz_select_files){0};
    if (!lz_select_find(paths->items, paths->count, files, &err)) {
        say(err.msg);
        return LZ_EXIT_USAGE;
    }
    if (files->count == 0)
        return nothing_matched(paths);
    const struct lz_suite_opts opts = {
        .files = files,
        .sets = &flags->sets,
        .cases = &flags->cases,
        .version = LZ_VERSION,
        .seed = flags->seed,
        .events_max = flags->events_max,
        .traces = flags->traces_given ? &flags->traces : NULL,
        .swarm = flags->swarm ? LZ_MANNER_SWARM : 0.0,
        .order = flags->order,
        .timeout_ns = flags->timeout_ns,
        .twin = flags->twin,
        .workers = flags->jobs,
        .fail_max = flags->fail_max,
        .build = build,
        .is_live = flags->is_live,
        .colour = build && lz_term_look(&flags->term, STDOUT_FILENO).colour,
    };
    enum lz_exit status = LZ_EXIT_OK;
    struct lz_suite *made = NULL;
    if (!lz_suite_create(&opts, &made, &err)) {
        say(err.msg);
        status = LZ_EXIT_USAGE;
    } else if (!lz_suite_list(made, &err)) {
        say(err.msg);
        status = LZ_EXIT_BUG;
    } else if (made->signal != 0) {
        status = lz_exit_signal(made->signal);
    } else if (!select_runs(flags, made, &err)) {
        say(err.msg);
        status = LZ_EXIT_USAGE;
    }
    if (status != LZ_EXIT_OK) {
        lz_suite_destroy(made);
        lz_select_free(files);
        return status;
    }
    *suite = made;
    return LZ_EXIT_OK;
}

// The command that runs this case again.
static void add_command(struct lz_str *text, const struct session *s,
                        const struct lz_suite_run *run)
{
    lz_str_addf(text, "lorenz run %s", s->suite->scenarios[run->scenario].path);
    lz_sweep_out_option(run, text);
    char order[LZ_ORDER_TEXT_SIZE];
    lz_order_write(&s->suite->opts.order, order);
    lz_str_addf(text, " --seed %" PRIu64 "%s%s", run->seed, order[0] != '\0' ? " --order " : "",
                order);
}

// A bug of ours: say so at once, and leave a note that can be sent to someone.
static void note_crash(struct session *s, const struct lz_suite_run *run, const char *problem,
                       const char *said)
{
    struct lz_str note, path;
    struct lz_err err;
    lz_str_init(&note);
    lz_str_init(&path);
    lz_str_addf(&note, "lorenz %s\n", LZ_VERSION);
    add_command(&note, s, run);
    lz_str_addf(&note, "\n%s\n\n%s", problem, said != NULL ? said : "");
    lz_str_addf(&path, LZ_SESSION_CRASHES "/%s.txt", run->name);
    fprintf(stderr, "lorenz: %s: %s\n", s->suite->scenarios[run->scenario].path, problem);
    if (lz_out_folder(LZ_SESSION_CRASHES, &err) &&
        lz_out_file(path.text, note.text, note.len, &err))
        fprintf(stderr, "help: what is known of it is in %s\n", path.text);
    else
        say(err.msg);
    lz_str_finish(&path);
    lz_str_finish(&note);
}

static bool is_kept(const struct session *s, const struct lz_suite_run *run)
{
    switch (s->flags->keep) {
    case LZ_FLAGS_KEEP_ALL:
        return true;
    case LZ_FLAGS_KEEP_FAILED:
        return run->code != LZ_EXIT_OK;
    case LZ_FLAGS_KEEP_NONE:
        return false;
    }
    return true;
}

// One failure is said; the folder or the disk will not be better for the next.
static char *save(struct session *s, const struct lz_suite_run *run)
{
    struct lz_str path;
    struct lz_err err;
    lz_str_init(&path);
    lz_str_addf(&path, LZ_SESSION_RUNS "/%s.lzrun", run->name);
    if (lz_out_folder(LZ_SESSION_RUNS, &err) &&
        lz_record_save(path.text, run->record.image, run->record.size, &err))
        return lz_str_take(&path);
    if (!s->save_failed)
        say(err.msg);
    s->save_failed = true;
    lz_exit_add(&s->codes, LZ_EXIT_WRITE);
    lz_str_finish(&path);
    return NULL;
}

static void print(struct session *s, struct lz_str *text)
{
    lz_progress_clear(&s->progress);
    if (!s->silent)
        lz_out_write(s->out, text->text, text->len);
    lz_str_finish(text);
}

// The cases of one scenario are printed together, so that equal ones can be summed up.
static void print_finished(struct session *s)
{
    LZ_ASSERT(s->printed <= s->finished);
    if (s->printed == s->finished)
        return;
    struct lz_str text;
    lz_str_init(&text);
    lz_report_text_runs(&text, &s->style, s->reports + s->printed, s->finished - s->printed);
    print(s, &text);
    s->printed = s->finished;
}

static bool run_done(void *ctx, struct lz_suite *suite, size_t index)
{
    struct session *s = ctx;
    struct lz_suite_run *run = &suite->runs[index];
    const struct lz_suite_scenario *scenario = &suite->scenarios[run->scenario];
    bool first = index == 0 || suite->runs[index - 1].scenario != run->scenario;
    bool last = index + 1 == suite->run_count || suite->runs[index + 1].scenario != run->scenario;
    const char *problem = run->problem != NULL ? run->problem : scenario->problem;
    const char *said = run->said != NULL ? run->said : scenario->said;
    lz_progress_clear(&s->progress);
    forward(first ? scenario->said : NULL);
    forward(run->said);
    if (run->code == LZ_EXIT_BUG)
        note_crash(s, run, problem != NULL ? problem : "the record makes no sense", said);
    lz_exit_add(&s->codes, run->code);
    if (run->record.stopped)
        lz_exit_add(&s->codes, LZ_EXIT_BUDGET);
    if (run->report == NULL)
        return true;

    char *path = is_kept(s, run) ? save(s, run) : NULL;
    lz_report_set_path(run->report, path);
    s->paths[s->finished] = path;
    if (run->code == LZ_EXIT_FAILED && path != NULL && s->flags->first_failed != NULL &&
        s->flags->first_failed[0] == '\0')
        snprintf(s->flags->first_failed, LZ_FLAGS_PATH_MAX, "%s", path);
    s->reports[s->finished++] = run->report;
    s->failed += run->code == LZ_EXIT_FAILED;
    if (last)
        print_finished(s);
    if (suite->run_count > 1)
        lz_progress_tell(&s->progress, index + 1, suite->run_count, s->failed);
    return true;
}

// Where GitHub runs this: annotations follow the text, the summary goes where it wants it.
static void write_github(struct session *s, const struct lz_report_options *options)
{
    const char *actions = getenv("GITHUB_ACTIONS"), *path = getenv("GITHUB_STEP_SUMMARY");
    if (actions == NULL || strcmp(actions, "true") != 0 || s->silent)
        return;
    struct lz_str text;
    lz_str_init(&text);
    lz_report_format_find("github")->write(&text, options, s->reports, s->finished);
    lz_out_write(s->out, text.text, text.len);
    lz_str_clear(&text);
    FILE *file = path != NULL && path[0] != '\0' ? fopen(path, "ab") : NULL;
    lz_report_format_find("summary")->write(&text, options, s->reports, s->finished);
    bool ok = file == NULL || fwrite(text.text, 1, text.len, file) == text.len;
    if ((file != NULL && fclose(file) != 0) || !ok || (path != NULL && path[0] && file == NULL)) {
        fprintf(stderr, "lorenz: cannot write %s\n", path);
        lz_exit_add(&s->codes, LZ_EXIT_WRITE);
    }
    lz_str_finish(&text);
}

// Into the JSON go all codes; what is about to fail here can only change the status.
static void write_outputs(struct session *s)
{
    int codes[LZ_EXIT_KINDS];
    const struct lz_report_options options = {
        .version = LZ_VERSION,
        .seed = s->flags->seed,
        .exit_code = (int)lz_exit_worst(&s->codes, s->flags->report_only),
        .exit_codes = codes,
        .exit_code_count = lz_exit_list(&s->codes, codes),
        .epoch_s = s->flags->epoch_s,
    };
    struct lz_err err;
    if (s->flags->opens && !lz_out_folder(LZ_SESSION_FOLDER, &err))
        say(err.msg); // the page says it again, and changes the status
    if (!lz_flags_write_outputs(s->flags, &options, s->reports, s->finished, s->out))
        lz_exit_add(&s->codes, LZ_EXIT_WRITE);
    write_github(s, &options);
}

static void say_compared(const struct session *s)
{
    size_t compared = 0;
    for (size_t i = 0; i < s->suite->run_count; i++)
        compared += s->suite->runs[i].record.compared;
    fprintf(stderr, "lorenz: %zu of %zu runs were compared with a second, %s one\n", compared,
            s->suite->run_count, s->flags->twin == LZ_TWIN_SHAKEN ? "shaken" : "plain");
}

// A run that was not reached says nothing about what failed before.
static int has_failed(const void *ctx, size_t index)
{
    const struct session *s = ctx;
    const struct lz_suite_run *run = &s->suite->runs[index];
    if (run->report == NULL && run->problem == NULL)
        return -1;
    return run->code != LZ_EXIT_OK && run->code != LZ_EXIT_INCONCLUSIVE;
}

static void remember(struct session *s)
{
    struct lz_err err;
    if (s->flags->keep == LZ_FLAGS_KEEP_NONE)
        return; // nothing is to be left behind
    if (!lz_out_folder(LZ_SESSION_FOLDER, &err) ||
        !lz_subset_remember(s->suite, LZ_SESSION_FAILED, has_failed, s, &err)) {
        if (!s->save_failed)
            say(err.msg);
        lz_exit_add(&s->codes, LZ_EXIT_WRITE);
    }
}

static void notify(const struct session *s, enum lz_exit status)
{
    char summary[120];
    size_t held = 0;
    if (s->flags->notify == NULL)
        return;
    for (size_t i = 0; i < s->suite->run_count; i++)
        held += s->suite->runs[i].report != NULL && s->suite->runs[i].code == LZ_EXIT_OK;
    snprintf(summary, sizeof(summary), "%zu of %zu runs held", held, s->suite->run_count);
    const struct lz_notify notice = {.command = "run",
                                     .verdict = lz_exit_word(status),
                                     .summary = summary,
                                     .seed = s->flags->seed,
                                     .exit_code = (int)status};
    lz_notify_send(s->flags->notify, &notice);
}

static void show_page(const struct session *s)
{
    const char *page = s->flags->opens && s->failed > 0 ? lz_flags_page(s->flags) : NULL;
    if (page != NULL && !lz_browse(page))
        fprintf(stderr,
                "lorenz: no browser was found to open %s: set BROWSER, or DISPLAY and xdg-open\n",
                page);
}

static enum lz_exit carry_out(struct session *s)
{
    struct lz_suite *suite = s->suite;
    struct lz_str text;
    struct lz_err err;
    lz_str_init(&text);
    lz_report_text_head(&text, &s->style, s->flags->seed, suite->run_scenarios, suite->run_count);
    print(s, &text);
    if (suite->real_scenarios > 0 && !s->flags->quiet)
        fprintf(stderr, "lorenz: %zu more can only be run against real programs: lorenz live\n",
                suite->real_scenarios);

    if (!lz_suite_run(suite, run_done, s, &err)) {
        say(err.msg);
        lz_exit_add(&s->codes, LZ_EXIT_BUG);
    }
    print_finished(s);
    lz_progress_clear(&s->progress);
    if (s->flags->twin != LZ_TWIN_NONE)
        say_compared(s);
    remember(s);
    write_outputs(s);
    enum lz_exit status = lz_exit_worst(&s->codes, s->flags->report_only);
    if (suite->signal != 0) {
        status = lz_exit_signal(suite->signal);
        fprintf(stderr, "lorenz: stopped by SIG%s: %zu of %zu runs finished\n",
                sigabbrev_np(suite->signal), s->finished, suite->run_count);
    }
    lz_str_init(&text);
    lz_report_text_end(&text, &s->style, s->reports, s->finished, (int)status);
    print(s, &text);
    notify(s, status);
    show_page(s);
    return status;
}

// The run goes on: to see whether it is still the same may be what is wanted.
void lz_session_compare(const struct lz_token *token, const struct lz_suite *suite)
{
    if (token->engine != lz_token_engine())
        fprintf(stderr,
                "lorenz: the token is of another engine (%012" PRIx64 "; this is %012" PRIx64
                "):\n        the run may differ from the one it was printed with\n",
                token->engine, lz_token_engine());
    for (size_t i = 0; i < suite->scenario_count; i++) {
        const struct lz_suite_scenario *s = &suite->scenarios[i];
        struct lz_token here = lz_token_make(token->seed, s->listing.text_hash);
        if (s->code == LZ_EXIT_OK && here.scenario != token->scenario)
            fprintf(stderr,
                    "lorenz: the token is of another scenario, or of another text of it\n"
                    "        (%012" PRIx64 "; %s is %012" PRIx64 ")\n",
                    token->scenario, s->path, here.scenario);
    }
}

static enum lz_exit run_suite(const struct lz_flags *flags, struct lz_suite *suite,
                              struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&flags->term, STDOUT_FILENO);
    struct session s = {
        .flags = flags,
        .out = out,
        .suite = suite,
        .style = {.colour = term.colour,
                  .ascii = term.ascii,
                  .width = term.width,
                  .seed = flags->seed,
                  .quiet = flags->quiet,
                  .verbose = flags->verbose},
        .reports = lz_mem_alloc(suite->run_count * sizeof(struct lz_report_run *)),
        .paths = lz_mem_alloc(suite->run_count * sizeof(char *)),
    };
    for (size_t i = 0; i < flags->output_count; i++)
        s.silent = s.silent || strcmp(flags->outputs[i].path, "-") == 0;

    // Where there is no terminal its results, which are printed as they come, say how far it is.
    s.progress = lz_progress_begin(
        flags->quiet && flags->progress == LZ_PROGRESS_AUTO ? LZ_PROGRESS_NONE : flags->progress,
        LZ_PROGRESS_NONE, &flags->term);
    enum lz_exit status = carry_out(&s);
    if (flags->verbose > 0)
        fprintf(stderr, "lorenz: %zu run%s in %.2f s of wall time, %u at once\n", s.finished,
                s.finished == 1 ? "" : "s",
                (double)(lz_progress_wall_ns() - s.progress.begun_ns) / 1e9, flags->jobs);
    for (size_t i = 0; i < s.finished; i++)
        free(s.paths[i]);
    free(s.paths);
    free(s.reports);
    return status;
}

// Those that are run anyhow, of the run's own seed and in its manner, are left out.
static size_t drop_same(const struct lz_suite *suite, struct lz_subset_saved *saved, size_t count)
{
    const struct lz_manner manner = {.swarm = suite->opts.swarm, .order = suite->opts.order};
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (saved[i].seed != suite->runs[saved[i].run].seed ||
            !lz_manner_is_equal(&saved[i].manner, &manner))
            saved[kept++] = saved[i];
    return kept;
}

// Seeds that failed once come first, unless one is asked for: then it alone is meant.
static bool add_saved(const struct lz_flags *flags, struct lz_suite *suite)
{
    struct lz_subset_saved *saved = NULL;
    size_t count = 0;
    struct lz_str told;
    struct lz_err err;
    if (flags->no_saved || flags->seed_given)
        return true;
    lz_str_init(&told);
    bool ok = lz_seeds_load(suite, &saved, &count, &told, &err);
    fputs(told.text, stderr);
    lz_str_finish(&told);
    if (ok)
        lz_subset_saved_first(suite, saved, drop_same(suite, saved, count));
    else
        say(err.msg);
    free(saved);
    return ok;
}

static enum lz_exit run_once(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                             struct lz_out *out)
{
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status = lz_session_open(flags, paths, false, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    if (!lz_seed_is_pinnable())
        say("the seed of this Lua's hash cannot be pinned: `lorenz doctor` says what that means, "
            "and\n        `lorenz run --shake` whether it does something to your scenarios");
    if (flags->has_token)
        lz_session_compare(&flags->token, suite);
    if (!add_saved(flags, suite))
        status = LZ_EXIT_USAGE;
    else
        lz_subset_shard(&flags->subset, suite);
    if (status == LZ_EXIT_OK && suite->run_count == 0)
        status = lz_session_nothing(flags, "run");
    else if (status == LZ_EXIT_OK)
        status = run_suite(flags, suite, out);
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

struct watched {
    const struct lz_flags *flags;
    const struct lz_opts_rest *paths;
    struct lz_out *out;
};

static enum lz_exit run_watched(void *ctx)
{
    const struct watched *w = ctx;
    return run_once(w->flags, w->paths, w->out);
}

enum lz_exit lz_session_run(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                            struct lz_out *out)
{
    struct watched watched = {flags, paths, out};
    return lz_watch_run(flags, paths, run_watched, &watched);
}
