/* cmd_shrink.c — `lorenz shrink`: the smallest scenario that still fails in the same way. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/minimise.h"
#include "cli/runs.h"
#include "cli/session.h"
#include "report/run.h"

struct shrink_flags {
    struct lz_flags common;
    const char *name;
    const char *output;
    uint64_t runs;
};

static bool take_name(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct shrink_flags *)into)->name = value;
    return true;
}

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct shrink_flags *)into)->output = value;
    return true;
}

static bool take_runs(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 1, 1000000, &((struct shrink_flags *)into)->runs, err);
}

static const struct lz_opt options[] = {
    {"expectation", 'e', "NAME", "what must go on failing (default the first that fails)",
     take_name},
    {"runs", 0, "N", "how many may be tried (default 500)", take_runs},
    {"output", 'o', "FILE", "where the scenario goes (default min/NAME-SEED.lua beside it)",
     take_output},
    {"seed", 0, "N", "of a PATH (default 1)", lz_flags_seed},
    {"swarm", 0, NULL, "the run was one of a swarm", lz_flags_swarm},
    {"order", 0, "ORDER", "of a PATH: in which messages arrived", lz_flags_order},
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"case", 0, "NAME=VALUE,...", "the case that fails", lz_flags_case},
    {"timeout", 0, "DURATION", "wall-clock limit of each run (default 300s)", lz_flags_timeout},
    {"max-events", 0, "N", "event budget of each run (default ten times the first's)",
     lz_flags_events},
    LZ_FLAGS_MACHINE_BASE,
    LZ_FLAGS_SHOW,
};

static enum lz_exit status_of(enum lz_minimise_end end, int signal)
{
    switch (end) {
    case LZ_MINIMISE_DONE:
        return LZ_EXIT_OK;
    case LZ_MINIMISE_PASSES:
        return LZ_EXIT_NOTHING;
    case LZ_MINIMISE_FAILED:
        return LZ_EXIT_BUG;
    case LZ_MINIMISE_UNWRITTEN:
        return LZ_EXIT_WRITE;
    case LZ_MINIMISE_STOPPED:
        return lz_exit_signal(signal);
    }
    return LZ_EXIT_BUG;
}

static enum lz_exit shrink(const struct shrink_flags *f, struct lz_minimise_opts *opts,
                           struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    const struct lz_report_style style = {.ascii = term.ascii, .width = term.width};
    struct lz_str text;
    int signal;
    lz_str_init(&text);
    opts->flags = &f->common;
    opts->style = &style;
    opts->name = f->name;
    opts->output = f->output;
    opts->runs_max = (size_t)f->runs;
    enum lz_minimise_end end = lz_minimise_run(opts, &text, &signal);
    if (end == LZ_MINIMISE_PASSES)
        fprintf(stderr, "lorenz shrink: %s", text.text);
    else
        lz_out_write(out, text.text, text.len);
    lz_str_finish(&text);
    return status_of(end, signal);
}

// A recorded run has all that made it but the files it used.
static enum lz_exit shrink_run(const struct shrink_flags *f, const char *name, struct lz_out *out)
{
    struct lz_runs_file file;
    struct lz_select_pairs params = {0};
    struct lz_err err;
    if (!lz_runs_open_again(name, &file, &err)) {
        fprintf(stderr, "lorenz shrink: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    sqlite3_stmt *q = lz_run_ask(file.report, "select name, value from param", 0, 0);
    while (lz_run_next(&q))
        lz_select_pairs_put(&params, lz_run_text(q, 0), lz_run_text(q, 1));
    struct lz_minimise_opts opts = {
        .source = {.path = file.report->file,
                   .text = file.report->source,
                   .len = strlen(file.report->source)},
        .params = &params,
        .seed = file.report->seed,
        .manner = lz_runs_manner(file.report),
    };
    enum lz_exit status = shrink(f, &opts, out);
    lz_select_pairs_free(&params);
    lz_runs_close(&file);
    return status;
}

// The first case that fails.
static enum lz_exit shrink_cases(const struct shrink_flags *f, struct lz_suite *suite,
                                 struct lz_out *out)
{
    enum lz_exit status = LZ_EXIT_NOTHING;
    const struct lz_token *token = f->common.has_token ? &f->common.token : NULL;
    for (size_t i = 0; i < suite->run_count && status == LZ_EXIT_NOTHING; i++) {
        const struct lz_suite_run *run = &suite->runs[i];
        const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
        bool is_meant =
            token == NULL ||
            lz_token_make(token->seed, s->listing.text_hash).scenario == token->scenario;
        if (!is_meant)
            continue;
        if (run->of == NULL) {
            fputs(s->listing.diagnostics != NULL ? s->listing.diagnostics : "", stderr);
            fprintf(stderr, "lorenz shrink: %s does not load\n", s->path);
            return LZ_EXIT_SCENARIO;
        }
        struct lz_minimise_opts opts = {
            .source = {.path = s->path, .text = s->text, .len = s->len},
            .params = &run->of->params,
            .seed = run->seed,
            .manner = {.swarm = suite->opts.swarm, .order = suite->opts.order},
        };
        status = shrink(f, &opts, out);
    }
    if (status == LZ_EXIT_NOTHING && token != NULL)
        fprintf(stderr, "lorenz shrink: no scenario of that token fails; name its path, or the "
                        "case with --case\n");
    return status;
}

static enum lz_exit shrink_paths(const struct shrink_flags *f, const struct lz_opts_rest *paths,
                                 struct lz_out *out)
{
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status = lz_session_open(&f->common, paths, false, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    status = suite->run_count == 0 ? lz_session_nothing(&f->common, "shrink")
                                   : shrink_cases(f, suite, out);
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);
    return len > tail && strcmp(text + len - tail, end) == 0;
}

static enum lz_exit choose(struct shrink_flags *f, struct lz_opts_rest *rest, struct lz_out *out)
{
    struct lz_err err;
    if (rest->count == 0) {
        fprintf(stderr, "lorenz shrink: name a run, a token or a scenario\n"
                        "help: lorenz shrink db_failover-1\n");
        return LZ_EXIT_USAGE;
    }
    if (lz_token_is_meant(rest->items[0])) {
        if (!lz_flags_seed(&f->common, rest->items[0], &err)) {
            fprintf(stderr, "lorenz shrink: %s\n", err.msg);
            return LZ_EXIT_USAGE;
        }
        const struct lz_opts_rest paths = {rest->items + 1, rest->count - 1};
        return shrink_paths(f, &paths, out);
    }
    if (ends_in(rest->items[0], ".lua"))
        return shrink_paths(f, rest, out);
    if (rest->count > 1) {
        fprintf(stderr, "lorenz shrink: one run at a time, got %zu\n", rest->count);
        return LZ_EXIT_USAGE;
    }
    return shrink_run(f, rest->items[0], out);
}

static enum lz_exit cmd_shrink(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct shrink_flags flags = {0};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &rest, &status))
        status = choose(&flags, &rest, out);
    free(rest.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_shrink = {
    .name = "shrink",
    .args = "RUN|TOKEN|PATH [PATH...]",
    .summary = "make a failing scenario as small as it can be and still fail alike",
    .about =
        "Make a failing scenario smaller for as long as the same expectation fails with the same\n"
        "seed: leave out what it is not about (other cases and expectations, faults, components,\n"
        "fields), then make times, magnitudes, traffic and replicas smaller. What is left is a\n"
        "scenario that runs, in min/NAME-SEED.lua beside the one it is made from.\n\n"
        "RUN is a run file, or its name in .lorenz/runs (\"db_failover-1\"); TOKEN is what a run\n"
        "was printed with, looked for in the PATHs (default scenarios); a PATH alone is run with\n"
        "--seed and --case. A sweep that fails does this by itself for its first failure.\n\n"
        "Exit status: 0 it is smaller, 2 it does not load, 4 usage, 5 it does not fail, 70\n"
        "internal error, 74 it could not be written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_shrink,
};
