#include <stdio.h>
#include <stdlib.h>

#include "cli/cmd.h"
#include "cli/replay.h"
#include "cli/session.h"

/* The shared flags come first: their readers are given a struct lz_flags. */
struct run_flags {
    struct lz_flags common;
    bool repl_on_fail;
};

static bool take_repl(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct run_flags *)into)->repl_on_fail = true;
    return true;
}

static const struct lz_opt options[] = {
    {"seed", 0, "N|TOKEN|random", "what all chance is drawn from (default 1)", lz_flags_seed},
    {"verify", 0, NULL, "run twice, and compare every event", lz_flags_verify},
    {"shake", 0, NULL, "the same, with all that must not matter changed", lz_flags_shake},
    LZ_FLAGS_SELECT,
    LZ_FLAGS_STOP,
    LZ_FLAGS_RUNS,
    {"output", 'o', "FORMAT=FILE", "also write this format; may be repeated, - is stdout",
     lz_flags_output},
    {"notify", 0, "URL", "post the verdict; slack:URL, alertmanager:URL", lz_flags_notify},
    {"epoch", 0, "SECONDS", "for formats with dates: what time 0 is (default 946684800)",
     lz_flags_epoch},
    {"open", 0, NULL, "show the page of what fails in a browser", lz_flags_open},
    {"repl-on-fail", 0, NULL, "explore the first run that fails, where it fails", take_repl},
    LZ_FLAGS_PROGRESS,
    LZ_FLAGS_MACHINE,
    LZ_FLAGS_SHOW,
};

static enum lz_exit cmd_run(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct run_flags f = {0};
    char failed[LZ_FLAGS_PATH_MAX] = "";
    lz_flags_init(&f.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &f, &paths, &status)) {
        f.common.first_failed = failed;
        status = lz_session_run(&f.common, &paths, out);
        // What the runs were judged to be stays the status, whatever is explored then.
        if (f.repl_on_fail && failed[0] != '\0')
            lz_repl_of_run(&f.common, failed, LZ_REPL_AT_FAILURE, out);
    }
    free(paths.items);
    lz_flags_finish(&f.common);
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
