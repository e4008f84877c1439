#include <stdio.h>
#include <stdlib.h>

#include "cli/cmd.h"
#include "cli/session.h"

static const struct lz_opt options[] = {
    {"seed", 0, "N|TOKEN|random", "what all chance is drawn from (default 1)", lz_flags_seed},
    {"verify", 0, NULL, "run twice, and compare every event", lz_flags_verify},
    {"shake", 0, NULL, "the same, with all that must not matter changed", lz_flags_shake},
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"case", 0, "NAME=VALUE,...", "only cases with these values", lz_flags_case},
    {"output", 'o', "FORMAT=FILE", "also write the results as json; - is stdout", lz_flags_output},
    {"quiet", 'q', NULL, "one line per scenario and the summary", lz_flags_quiet},
    {"verbose", 'v', NULL, "more of everything, and wall times on stderr", lz_flags_verbose},
    {"color", 0, "WHEN", "auto, always or never", lz_flags_color},
    {"ascii", 0, NULL, "nothing but 7-bit characters", lz_flags_ascii},
    {"width", 0, "N", "columns of the output", lz_flags_width},
    {"jobs", 'j', "N|auto", "runs at once; results never depend on it", lz_flags_jobs},
    {"timeout", 0, "DURATION", "wall-clock limit of each run (default 300s)", lz_flags_timeout},
    {"max-events", 0, "N", "event budget of each run", lz_flags_events},
    {"keep", 0, "WHICH", "run files to keep: all, failed or none", lz_flags_keep},
    {"report-only", 0, NULL, "failed and inconclusive runs do not fail the command",
     lz_flags_report_only},
    {"exitfirst", 'x', NULL, "stop after the first failed run", lz_flags_exitfirst},
    {"maxfail", 0, "N", "stop after N failed runs", lz_flags_maxfail},
};

static enum lz_exit cmd_run(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
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
        status = lz_session_run(&flags, &paths, out);
    }
    free(paths.items);
    lz_flags_finish(&flags);
    return status;
}

const struct lz_cmd lz_cmd_run = {
    .name = "run",
    .args = "[PATH...]",
    .summary = "run scenarios once for each of their cases, and judge them",
    .about = "Run scenarios once for each of their cases, and judge them. A PATH is a file or a\n"
             "folder; without one it is ./scenarios. Each run is recorded in .lorenz/runs.\n\n"
             "Exit status: 0 all held, 1 an expectation failed, 2 a scenario is wrong,\n"
             "3 inconclusive, 4 usage, 5 nothing matched, 6 not reproducible,\n"
             "7 a budget was used up,\n"
             "70 internal error, 74 a result could not be written, 130 interrupted.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_run,
};
