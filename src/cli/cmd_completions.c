#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/complete.h"

static const struct {
    const char *name;
    void (*write)(struct lz_str *out);
} shells[] = {
    {"bash", lz_complete_bash},
    {"zsh", lz_complete_zsh},
    {"fish", lz_complete_fish},
};

static enum lz_exit print(const char *shell, struct lz_out *out)
{
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].name, shell) != 0)
            continue;
        struct lz_str script;
        lz_str_init(&script);
        shells[i].write(&script);
        lz_out_text(out, script.text);
        lz_str_finish(&script);
        return LZ_EXIT_OK;
    }
    fprintf(stderr, "lorenz completions: the shell is bash, zsh or fish, got \"%s\"\n", shell);
    fprintf(stderr, "help: lorenz help completions\n");
    return LZ_EXIT_USAGE;
}

static enum lz_exit cmd_completions(const struct lz_cmd *cmd, struct lz_out *out, int argc,
                                    char **argv)
{
    const struct lz_opts opts = {.command = cmd->name};
    struct lz_opts_rest rest;
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, NULL, &rest);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && rest.count != 1) {
        fprintf(stderr, "lorenz completions: one shell is needed, got %zu\n", rest.count);
        fprintf(stderr, "help: lorenz help completions\n");
    } else if (outcome == LZ_OPTS_OK) {
        status = print(rest.items[0], out);
    }
    free(rest.items);
    return status;
}

const struct lz_cmd lz_cmd_completions = {
    .name = "completions",
    .args = "bash|zsh|fish",
    .summary = "print what makes a shell complete lorenz commands",
    .about =
        "Print what makes a shell complete lorenz commands, options and topics. To use it now:\n\n"
        "    bash   source <(lorenz completions bash)\n"
        "    zsh    source <(lorenz completions zsh)\n"
        "    fish   lorenz completions fish | source\n\n"
        "An installed lorenz has put it where the shells look for it.",
    .run = cmd_completions,
};
