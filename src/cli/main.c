#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "cli/cmd.h"
#include "cli/near.h"
#include "model/data/sql/library.h"

// Alphabetical; tests/tidy/tidy.lua checks.
static const struct lz_cmd *const commands[] = {
    &lz_cmd_check,   &lz_cmd_compare, &lz_cmd_completions, &lz_cmd_config,
    &lz_cmd_doctor,  &lz_cmd_explain, &lz_cmd_help,        &lz_cmd_init,
    &lz_cmd_list,    &lz_cmd_live,    &lz_cmd_man,         &lz_cmd_mutate,
    &lz_cmd_new,     &lz_cmd_plan,    &lz_cmd_recover,     &lz_cmd_repl,
    &lz_cmd_replay,  &lz_cmd_report,  &lz_cmd_run,         &lz_cmd_shrink,
    &lz_cmd_sql,     &lz_cmd_sweep,   &lz_cmd_types,       &lz_cmd_verify_history,
    &lz_cmd_version, &lz_cmd_why,
};
static const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct lz_cmd *lz_cmd_get(size_t i)
{
    return i < command_count ? commands[i] : NULL;
}

const struct lz_cmd *lz_cmd_find(const char *name)
{
    LZ_ASSERT(name != NULL);
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

enum lz_exit lz_cmd_unknown(const char *name)
{
    fprintf(stderr, "lorenz: there is no command \"%s\"\n", name);
    struct lz_near near = {.word = name};
    for (size_t i = 0; i < command_count; i++)
        lz_near_offer(&near, commands[i]->name);
    if (near.name != NULL)
        fprintf(stderr, "help: a command with a similar name exists: %s\n", near.name);
    fprintf(stderr, "help: the commands are listed by: lorenz help\n");
    return LZ_EXIT_USAGE;
}

static enum lz_exit dispatch(struct lz_out *out, int argc, char **argv)
{
    const char *name = argc >= 2 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const struct lz_cmd *cmd = lz_cmd_find(name);
    if (cmd == NULL && name[0] == '-') {
        fprintf(stderr, "lorenz: there is no option %s before a command\n", name);
        fprintf(stderr, "usage: lorenz COMMAND [OPTIONS] [ARGUMENTS]\n");
        return LZ_EXIT_USAGE;
    }
    if (cmd == NULL)
        return lz_cmd_unknown(name);
    char *alone[] = {(char *)"lorenz", NULL};
    return argc >= 2 ? cmd->run(cmd, out, argc - 1, argv + 1) : cmd->run(cmd, out, 1, alone);
}

int main(int argc, char **argv)
{
    lz_library_init(); // before anybody uses SQLite
    struct lz_out out;
    lz_out_init(&out);
    enum lz_exit status = dispatch(&out, argc, argv);
    if (out.error != 0) {
        fprintf(stderr, "lorenz: cannot write standard output: %s\n", strerror(out.error));
        if (status != LZ_EXIT_BUG && status < LZ_EXIT_SIGNAL)
            status = LZ_EXIT_WRITE;
    }
    return (int)status;
}
