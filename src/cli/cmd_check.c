#include <stdio.h>
#include <stdlib.h>

#include "cli/cmd.h"
#include "cli/session.h"

static const struct lz_opt options[] = {
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"quiet", 'q', NULL, "say only what is wrong", lz_flags_quiet},
    {"color", 0, "WHEN", "auto, always or never", lz_flags_color},
    {"jobs", 'j', "N|auto", "files at once", lz_flags_jobs},
    {"timeout", 0, "DURATION", "wall-clock limit of each file (default 300s)", lz_flags_timeout},
};

static enum lz_exit print(const struct lz_suite_scenario *s, bool quiet, struct lz_out *out)
{
    const struct lz_worker_listing *listing = &s->listing;
    if (s->said != NULL)
        fputs(s->said, stderr);
    if (s->problem != NULL)
        fprintf(stderr, "lorenz: %s: %s\n", s->path, s->problem);
    else if (s->code == LZ_EXIT_BUDGET)
        fprintf(stderr, "lorenz: %s: the memory budget was used up\n", s->path);
    else if (s->code != LZ_EXIT_OK)
        lz_out_text(out, listing->diagnostics);
    else if (!quiet)
        lz_out_textf(out, "ok  %s  %s, %zu %s\n", s->path, listing->scenario, listing->case_count,
                     listing->case_count == 1 ? "case" : "cases");
    return s->code;
}

static enum lz_exit check(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                          struct lz_out *out)
{
    struct lz_select_files files;
    struct lz_suite *suite;
    struct lz_exit_set codes = {0};
    enum lz_exit status = lz_session_open(flags, paths, true, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    for (size_t i = 0; i < suite->scenario_count; i++)
        lz_exit_add(&codes, print(&suite->scenarios[i], flags->quiet, out));
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return lz_exit_worst(&codes, false);
}

static enum lz_exit cmd_check(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest paths;
    struct lz_flags flags;
    struct lz_err err;
    lz_flags_init(&flags);
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &flags, &paths);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && !lz_flags_complete(&flags, &err)) {
        fprintf(stderr, "lorenz %s: %s\n", cmd->name, err.msg);
    } else if (outcome == LZ_OPTS_OK) {
        status = check(&flags, &paths, out);
    }
    free(paths.items);
    lz_flags_finish(&flags);
    return status;
}

const struct lz_cmd lz_cmd_check = {
    .name = "check",
    .args = "[PATH...]",
    .summary = "load and validate scenarios with all their cases; run nothing",
    .about = "Load and validate scenarios with all their cases; run nothing. A PATH is a file or\n"
             "a folder; without one it is ./scenarios.\n\n"
             "Exit status: 0 all are right, 2 one is wrong, 4 usage, 5 nothing matched.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_check,
};
