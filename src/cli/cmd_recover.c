#include <stdio.h>
#include <stdlib.h>

#include "cli/cmd.h"
#include "live/recover.h"

static bool take_aside(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    *(bool *)into = true;
    return true;
}

static const struct lz_opt options[] = {
    {"set-aside", 0, NULL, "rename logs that are damaged, so that live runs can begin again",
     take_aside},
};

static enum lz_exit recover(struct lz_out *out)
{
    struct lz_recovery r;
    struct lz_err err;
    enum lz_exit status = LZ_EXIT_OK;
    if (!lz_recover(&r, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        status = LZ_EXIT_WRITE;
    } else {
        lz_out_text(out, r.said.text);
        if (r.running > 0)
            lz_out_textf(out, "%s is under way (process %d), and was left alone\n", r.running_name,
                         (int)r.running_pid);
        if (r.damaged > 0) {
            fprintf(stderr, "help: look at what is left, then: lorenz recover --set-aside\n");
            status = LZ_EXIT_WRITE;
        } else if (r.recovered == 0) {
            lz_out_text(out, "there is nothing to undo\n");
        }
    }
    lz_str_finish(&r.said);
    return status;
}

static enum lz_exit cmd_recover(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest rest;
    struct lz_err err;
    bool is_aside = false;
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &is_aside, &rest);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && rest.count > 0) {
        fprintf(stderr, "lorenz recover: takes no arguments, got \"%s\"\n", rest.items[0]);
    } else if (outcome == LZ_OPTS_OK && is_aside && !lz_recover_set_aside(&err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        status = LZ_EXIT_WRITE;
    } else if (outcome == LZ_OPTS_OK) {
        status = recover(out);
    }
    free(rest.items);
    return status;
}

const struct lz_cmd lz_cmd_recover = {
    .name = "recover",
    .args = "",
    .summary = "undo what a live run left that was killed",
    .about =
        "Undo what live runs left that did not end by themselves: processes that still run\n"
        "or stand still, limits, files, mounts, cgroups. A watchdog does that within a second\n"
        "of a run's death; this is for when it was killed too. `lorenz live` does the same\n"
        "before it begins.\n\n"
        "Exit status: 0 nothing is left, 4 usage, 74 a log is damaged, or not all of it could\n"
        "be undone.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_recover,
};
