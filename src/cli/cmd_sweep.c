#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/emit.h"
#include "cli/minimise.h"
#include "cli/notify.h"
#include "cli/session.h"
#include "cli/sweep_formats.h"
#include "cli/sweep_out.h"
#include "cli/watch.h"
#include "explore/blocks.h"
#include "explore/seeds.h"
#include "record/record.h"

#define SEEDS_DEFAULT 100
#define SHRINK_RUNS 200 // of the shrinking that follows by itself
#define RECORDED_MAX 10 // failures whose first seed is recorded

/* The shared flags come first: their readers are given a struct lz_flags. */
struct flags {
    struct lz_flags common;
    struct lz_flags_seeds seeds;
    double confidence, max_rate;
    bool no_save, no_shrink;
    struct {
        lz_sweep_format_fn *write;
        const char *path;
    } outputs[LZ_SWEEP_FORMATS_MAX];
    size_t output_count;
    bool is_silent; // a format has standard output for itself
    const char *part;
    struct lz_emit emit;
};

static bool take_seeds(void *into, const char *value, struct lz_err *err)
{
    return lz_flags_read_seeds(&((struct flags *)into)->seeds, value, err);
}

static bool take_confidence(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_share(value, &((struct flags *)into)->confidence, err);
}

static bool take_max_rate(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_share(value, &((struct flags *)into)->max_rate, err);
}

static bool take_no_save(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct flags *)into)->no_save = true;
    return true;
}

static bool take_no_shrink(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct flags *)into)->no_shrink = true;
    return true;
}

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    struct flags *f = into;
    size_t len = strcspn(value, "=");
    lz_sweep_format_fn *write = lz_sweep_format_find(value, len);
    bool is_part = len == 5 && memcmp(value, "sweep", 5) == 0;
    if (value[len] != '=' || value[len + 1] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected FORMAT=FILE, got \"%s\"", value);
    const char *path = value + len + 1;
    if (is_part && strcmp(path, "-") != 0) {
        f->part = path;
        return true;
    }
    if (write == NULL)
        return lz_fail(err, LZ_ENOENT,
                       "a sweep is written as %s, or as sweep=FILE, a part to be merged; not as "
                       "\"%.*s\"",
                       lz_sweep_format_names, (int)len, value);
    if (f->output_count == LZ_SWEEP_FORMATS_MAX)
        return lz_fail(err, LZ_EFULL, "given more than %d times", LZ_SWEEP_FORMATS_MAX);
    if (f->is_silent && strcmp(path, "-") == 0)
        return lz_fail(err, LZ_EINVAL, "only one format can go to standard output");
    f->is_silent = f->is_silent || strcmp(path, "-") == 0;
    f->outputs[f->output_count].write = write;
    f->outputs[f->output_count++].path = path;
    return true;
}

static bool take_blocks(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 1, LZ_SUBSET_SHARDS_MAX, &((struct flags *)into)->emit.blocks,
                          err);
}

static bool take_emit(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct flags *)into)->emit.folder = value;
    return true;
}

static const struct lz_opt options[] = {
    {"seeds", 0, "N|FIRST..LAST", "seeds to run (default the scenario's, or 100)", take_seeds},
    {"confidence", 0, "P", "how sure the interval and the decision are (default 95%)",
     take_confidence},
    {"max-rate", 0, "P", "stop when it is certain that fewer, or more, runs fail", take_max_rate},
    {"no-save", 0, NULL, "do not save failing seeds", take_no_save},
    {"no-shrink", 0, NULL, "do not make the first failure smaller", take_no_shrink},
    LZ_FLAGS_SELECT,
    LZ_FLAGS_STOP,
    LZ_FLAGS_RUNS,
    {"output", 'o', "FORMAT=FILE",
     "also as github, html, json, junit, ndjson, tap; sweep: a part to merge", take_output},
    {"blocks", 0, "N", "run nothing: write N blocks to be run elsewhere", take_blocks},
    {"emit", 0, "FOLDER", "where --blocks writes them", take_emit},
    {"notify", 0, "URL", "post the verdict; slack:URL, alertmanager:URL", lz_flags_notify},
    LZ_FLAGS_PROGRESS,
    LZ_FLAGS_MACHINE,
    LZ_FLAGS_SHOW,
};

static void progress(void *ctx, uint64_t done, uint64_t total, uint64_t failed)
{
    lz_progress_tell(ctx, done, total, failed);
}

// The run's name with this seed in place of the suite's.
static void keep_record(void *ctx, const struct lz_sweep_failure *failure,
                        const struct lz_worker_record *record)
{
    struct lz_sweep *sweep = ctx;
    const char *name = sweep->opts.suite->runs[failure->run].name;
    const char *dash = strrchr(name, '-');
    struct lz_str path;
    struct lz_err err;
    lz_str_init(&path);
    lz_str_add(&path, LZ_SESSION_RUNS "/");
    lz_str_add_n(&path, name, (size_t)(dash - name));
    lz_str_addf(&path, "-%" PRIu64 ".lzrun", failure->seed);
    if (!lz_out_folder(LZ_SESSION_RUNS, &err) ||
        !lz_record_save(path.text, record->image, record->size, &err)) {
        fprintf(stderr, "lorenz sweep: %s\n", err.msg);
        lz_exit_add(&sweep->codes, LZ_EXIT_WRITE);
    }
    lz_str_finish(&path);
}

// What the user finds afterwards: seeds to be run again, records of the first of each kind.
static enum lz_exit keep(const struct flags *f, struct lz_sweep *sweep, struct lz_str *text)
{
    struct lz_err err;
    enum lz_exit status = LZ_EXIT_OK;
    size_t added = 0;
    bool ok = f->no_save || lz_seeds_save(sweep, &added, &err);
    if (ok && f->common.keep != LZ_FLAGS_KEEP_NONE)
        ok = lz_sweep_record(sweep, RECORDED_MAX, keep_record, sweep, &err);
    if (!ok) {
        fprintf(stderr, "lorenz sweep: %s\n", err.msg);
        status = LZ_EXIT_WRITE;
    }
    if (added > 0) {
        char *path = lz_seeds_path(sweep->opts.suite->scenarios[0].path);
        lz_str_addf(text, "\nsaved %zu seed%s to %s%s (commit it)\n", added, added == 1 ? "" : "s",
                    path, sweep->opts.suite->run_scenarios > 1 ? " and its neighbours" : "");
        free(path);
    }
    return status;
}

static bool deliver(const struct flags *f, const struct lz_sweep *sweep, enum lz_exit status,
                    struct lz_out *out)
{
    bool all = true;
    for (size_t i = 0; i < f->output_count; i++) {
        struct lz_str text;
        struct lz_err err;
        lz_str_init(&text);
        f->outputs[i].write(sweep, status, &text);
        bool ok = true;
        if (strcmp(f->outputs[i].path, "-") == 0)
            lz_out_write(out, text.text, text.len);
        else
            ok = lz_out_file(f->outputs[i].path, text.text, text.len, &err);
        if (!ok)
            fprintf(stderr, "lorenz sweep: %s\n", err.msg);
        all = all && ok;
        lz_str_finish(&text);
    }
    return all;
}

static void print(const struct flags *f, struct lz_out *out, const struct lz_str *text)
{
    if (!f->is_silent)
        lz_out_write(out, text->text, text->len);
}

// A case has failed if any of its seeds has; without a run nothing is known.
static int has_failed(const void *ctx, size_t run)
{
    const struct lz_sweep *s = ctx;
    bool has_run = false;
    for (size_t i = 0; i < s->case_count; i++)
        has_run = has_run || (s->cases[i].run == run && s->cases[i].runs > 0);
    for (size_t i = 0; i < s->failing_count; i++)
        if (s->failing[i].run == run)
            return 1;
    return has_run ? 0 : -1;
}

static enum lz_exit remember(const struct lz_sweep *sweep)
{
    struct lz_err err;
    if (lz_out_folder(LZ_SESSION_FOLDER, &err) &&
        lz_subset_remember(sweep->opts.suite, LZ_SESSION_FAILED, has_failed, sweep, &err))
        return LZ_EXIT_OK;
    fprintf(stderr, "lorenz sweep: %s\n", err.msg);
    return LZ_EXIT_WRITE;
}

// The first failure that is one, as small as it can be in a fair number of runs.
static enum lz_exit shrink(const struct flags *f, struct lz_sweep *sweep,
                           const struct lz_report_style *style, struct lz_str *text)
{
    const struct lz_suite *suite = sweep->opts.suite;
    size_t i = 0;
    while (i < sweep->failure_count &&
           (sweep->failures[i].is_xfail || sweep->failures[i].code != LZ_EXIT_FAILED))
        i++;
    if (i == sweep->failure_count || f->no_shrink || f->common.keep == LZ_FLAGS_KEEP_NONE)
        return LZ_EXIT_OK;
    const struct lz_sweep_failure *failure = &sweep->failures[i];
    const struct lz_suite_run *run = &suite->runs[failure->run];
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    const struct lz_minimise_opts opts = {
        .flags = &f->common,
        .style = style,
        .source = {.path = s->path, .text = s->text, .len = s->len},
        .params = &run->of->params,
        .seed = failure->seed,
        .manner = failure->manner,
        .name = failure->name,
        .runs_max = SHRINK_RUNS,
    };
    lz_str_addf(text, "\nshrinking %c: ", (char)('A' + (i < 26 ? i : 25)));
    enum lz_minimise_end end = lz_minimise_run(&opts, text, &sweep->signal);
    return end == LZ_MINIMISE_UNWRITTEN ? LZ_EXIT_WRITE
           : end == LZ_MINIMISE_FAILED  ? LZ_EXIT_BUG
                                        : LZ_EXIT_OK;
}

static void notify(const struct flags *f, const struct lz_sweep *sweep, enum lz_exit status)
{
    char summary[120];
    if (f->common.notify == NULL)
        return;
    snprintf(summary, sizeof(summary), "%" PRIu64 " of %" PRIu64 " runs, %" PRIu64 " failed",
             sweep->done, sweep->total, sweep->failed);
    const struct lz_notify notice = {.command = "sweep",
                                     .verdict = lz_exit_word(status),
                                     .summary = summary,
                                     .seed = f->seeds.first,
                                     .exit_code = (int)status};
    lz_notify_send(f->common.notify, &notice);
}

static enum lz_exit finish(const struct flags *f, struct lz_sweep *sweep,
                           const struct lz_report_style *style, struct lz_out *out)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_sweep_out_text(sweep, style, &text);
    if (sweep->signal == 0)
        lz_exit_add(&sweep->codes, keep(f, sweep, &text));
    if (sweep->signal == 0)
        lz_exit_add(&sweep->codes, shrink(f, sweep, style, &text));
    if (f->common.keep != LZ_FLAGS_KEEP_NONE)
        lz_exit_add(&sweep->codes, remember(sweep));
    enum lz_exit status = lz_exit_worst(&sweep->codes, f->common.report_only);
    if (sweep->signal != 0)
        status = lz_exit_signal(sweep->signal);
    if (!deliver(f, sweep, status, out))
        status = LZ_EXIT_WRITE;
    lz_str_addf(&text, "\n%" PRIu64 " of %" PRIu64 " runs%s, %" PRIu64 " failed   exit %d\n",
                sweep->done, sweep->total,
                sweep->signal != 0 ? ", stopped"
                : sweep->decided   ? ", decided"
                                   : "",
                sweep->failed, (int)status);
    print(f, out, &text);
    notify(f, sweep, status);
    lz_str_finish(&text);
    return status;
}

static size_t take_shard(const struct lz_subset *subset, struct lz_subset_saved *saved,
                         size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (subset->shards == 0 || i % subset->shards == subset->shard - 1)
            saved[kept++] = saved[i];
    return kept;
}

static void keep_brief(void *ctx, const struct lz_sweep_kept *kept)
{
    lz_blocks_keep(ctx, kept);
}

static enum lz_exit sweep_suite(const struct flags *f, struct lz_suite *suite, struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    const struct lz_report_style style = {
        .ascii = term.ascii, .width = term.width, .quiet = f->common.quiet};
    struct lz_progress watch =
        lz_progress_begin(f->common.progress, LZ_PROGRESS_COUNTER, &f->common.term);
    struct lz_subset_saved *saved = NULL;
    struct lz_str text;
    struct lz_err err;
    lz_str_init(&text);
    struct lz_sweep_opts opts = {.suite = suite,
                                 .first = f->seeds.first,
                                 .last = f->seeds.last,
                                 .shard = f->common.subset.shard,
                                 .shards = f->common.subset.shards,
                                 .confidence = f->confidence,
                                 .max_rate = f->max_rate,
                                 .fail_max = f->common.fail_max,
                                 .ctx = &watch,
                                 .progress = progress};
    if (!f->common.no_saved && !lz_seeds_load(suite, &saved, &opts.saved_count, &text, &err)) {
        fprintf(stderr, "lorenz sweep: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    fputs(text.text, stderr);
    lz_str_clear(&text);
    opts.saved_count = take_shard(&f->common.subset, saved, opts.saved_count);
    opts.saved = saved;
    lz_sweep_out_head(&opts, &style, &text);
    print(f, out, &text);
    lz_str_finish(&text);
    struct lz_sweep sweep;
    struct lz_blocks_part *part = lz_blocks_begin();
    opts.kept_ctx = part;
    opts.kept = f->part != NULL ? keep_brief : NULL;
    bool ok = lz_sweep_run(&opts, &sweep, &err);
    lz_progress_clear(&watch);
    if (!ok)
        fprintf(stderr, "lorenz sweep: %s\n", err.msg);
    if (f->common.verbose > 0)
        fprintf(stderr, "lorenz: %" PRIu64 " runs, %" PRIu64 " events, %.2f s, %u at once\n",
                sweep.done, sweep.events, (double)(lz_progress_wall_ns() - watch.begun_ns) / 1e9,
                f->common.jobs);
    // A part that was stopped is no part.
    bool is_whole = ok && sweep.signal == 0;
    if (!lz_blocks_end(part, &opts, is_whole ? f->part : NULL, &err)) {
        fprintf(stderr, "lorenz sweep: %s\n", err.msg);
        lz_exit_add(&sweep.codes, LZ_EXIT_WRITE);
    }
    enum lz_exit status = finish(f, &sweep, &style, out);
    lz_sweep_finish(&sweep);
    free(saved);
    return ok ? status : LZ_EXIT_BUG;
}

// A scenario that does not load has no cases to sweep: `run` says what is wrong with it.
static enum lz_exit all_loaded(const struct lz_suite *suite)
{
    struct lz_exit_set codes = {0};
    for (size_t i = 0; i < suite->scenario_count; i++) {
        const struct lz_suite_scenario *s = &suite->scenarios[i];
        if (s->code == LZ_EXIT_OK)
            continue;
        fputs(s->said != NULL ? s->said : "", stderr);
        fputs(s->listing.diagnostics != NULL ? s->listing.diagnostics : "", stderr);
        fprintf(stderr, "lorenz sweep: %s does not load%s%s\n", s->path,
                s->problem != NULL ? ": " : "", s->problem != NULL ? s->problem : "");
        lz_exit_add(&codes, s->code);
    }
    return lz_exit_worst(&codes, false);
}

// The most that a scenario asks for; to decide, enough for that and more where something fails.
static uint64_t default_seeds(const struct flags *f, const struct lz_suite *suite)
{
    if (f->max_rate > 0.0)
        return 20 * lz_certain_runs(f->max_rate, f->confidence);
    uint64_t most = 0;
    for (size_t i = 0; i < suite->scenario_count; i++)
        most = suite->scenarios[i].listing.seeds > most ? suite->scenarios[i].listing.seeds : most;
    return most > 0 ? most : SEEDS_DEFAULT;
}

struct watched {
    struct flags *flags;
    const struct lz_opts_rest *paths;
    struct lz_out *out;
};

static enum lz_exit sweep_once(void *ctx)
{
    struct watched *w = ctx;
    struct flags *f = w->flags;
    const struct lz_opts_rest *paths = w->paths;
    struct lz_out *out = w->out;
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status = lz_session_open(&f->common, paths, false, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    if (f->seeds.last == 0 && f->seeds.first == 0) {
        f->seeds.first = 1;
        f->seeds.last = default_seeds(f, suite);
    }
    status = all_loaded(suite);
    if (status == LZ_EXIT_OK)
        status = suite->run_count == 0 ? lz_session_nothing(&f->common, "sweep")
                                       : sweep_suite(f, suite, out);
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

static enum lz_exit emit(const struct flags *f, struct lz_out *out)
{
    struct lz_err err;
    if (f->emit.folder == NULL || f->emit.blocks == 0) {
        fprintf(stderr, "lorenz sweep: --blocks N and --emit FOLDER go together\n");
        return LZ_EXIT_USAGE;
    }
    if (!lz_emit_write(&f->emit, &err)) {
        fprintf(stderr, "lorenz sweep: %s\n", err.msg);
        return LZ_EXIT_WRITE;
    }
    lz_out_textf(out,
                 "%" PRIu64 " blocks in %s\n"
                 "  here       parallel < %s/commands.txt\n"
                 "  in Slurm   sbatch --array=1-%" PRIu64 " %s/block\n"
                 "  then       lorenz report %s\n",
                 f->emit.blocks, f->emit.folder, f->emit.folder, f->emit.blocks, f->emit.folder,
                 f->emit.folder);
    return LZ_EXIT_OK;
}

static enum lz_exit sweep(struct flags *f, const struct lz_opts_rest *paths, struct lz_out *out)
{
    if (f->emit.blocks > 0 || f->emit.folder != NULL)
        return emit(f, out);
    struct watched watched = {f, paths, out};
    return lz_watch_run(&f->common, paths, sweep_once, &watched);
}

static enum lz_exit cmd_sweep(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct flags flags = {.confidence = 0.95, .emit = {.argc = argc, .argv = argv}};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &paths, &status))
        status = sweep(&flags, &paths, out);
    free(paths.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_sweep = {
    .name = "sweep",
    .args = "[PATH...]",
    .summary = "run scenarios under many seeds, and say how sure that makes",
    .about =
        "Run each case of each scenario under many seeds. The table says how often it failed\n"
        "and, by Clopper and Pearson's interval, what is known of the rate of failure: 500 runs\n"
        "without one mean below 0.6 %, 95 % sure, and never \"never\". Failures are grouped by\n"
        "the expectations that failed; narrow passes are listed.\n\n"
        "With --max-rate the sweep stops as soon as it is certain that fewer, or more, runs\n"
        "fail; the test may be looked at after every run, so nothing is gained by luck.\n\n"
        "Failing seeds are appended to seeds/NAME.seeds beside the scenario: commit it, and\n"
        "they are run first from then on. The first seed of each failure is recorded. A run that\n"
        "this machine ended (killed, no memory, --timeout) is told of, and its seed not saved.\n\n"
        "--order lets messages that are closer than a window (1ms) arrive in other orders: by\n"
        "chance (random), or with a bound on how often an order of so many constraints is met\n"
        "(pct:3; Burckhardt and others, 2010). The token says it, so that a run comes back.\n\n"
        "Which faults came, touched something and ended is counted too; what never did has not\n"
        "been tested. An expectation that something happens `sometimes` holds if one seed shows "
        "it.\n\n"
        "--shard I/N takes every N-th seed, so that N machines share the work.\n\n"
        "Exit status: 0 none failed (or certainly fewer than --max-rate), 1 some did,\n"
        "2 a scenario is wrong, 3 inconclusive or undecided, 4 usage, 5 nothing matched,\n"
        "7 a budget was used up, 70 internal error, 74 a result could not be written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_sweep,
};
