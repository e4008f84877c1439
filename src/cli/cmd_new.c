#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/skeleton.h"
#include "explore/select.h"

#define NAME_MAX_LEN 100

// A file's stem: it becomes part of run files' names, and a leading "_" would hide it.
static bool is_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN && strspn(name, letters) == len && name[0] != '_' &&
           name[0] != '-';
}

static enum lz_exit write_scenario(const char *name, struct lz_out *out)
{
    struct lz_str path, text;
    struct lz_err err;
    lz_str_init(&path);
    lz_str_init(&text);
    lz_str_addf(&path, LZ_SELECT_DEFAULT "/%s.lua", name);
    lz_skeleton_scenario(&text, name);
    enum lz_exit status = LZ_EXIT_OK;
    switch (lz_skeleton_write(".", path.text, text.text, &err)) {
    case LZ_SKELETON_WROTE:
        lz_out_textf(out, "wrote  %s\n\nNext:\n\n    lorenz run %s\n", path.text, path.text);
        break;
    case LZ_SKELETON_KEPT:
        fprintf(stderr, "lorenz new: %s is there already, and stays as it is\n", path.text);
        fprintf(stderr, "help: choose another name, or lorenz run %s\n", path.text);
        status = LZ_EXIT_USAGE;
        break;
    case LZ_SKELETON_FAILED:
        fprintf(stderr, "lorenz new: %s\n", err.msg);
        status = LZ_EXIT_WRITE;
        break;
    }
    lz_str_finish(&text);
    lz_str_finish(&path);
    return status;
}

static enum lz_exit begin(const struct lz_opts_rest *names, struct lz_out *out)
{
    if (names->count != 1) {
        fprintf(stderr, "lorenz new: one name is needed, got %zu\n", names->count);
        fprintf(stderr, "help: lorenz new checkout\n");
        return LZ_EXIT_USAGE;
    }
    if (!is_name(names->items[0])) {
        fprintf(stderr,
                "lorenz new: a name has letters, digits, - and _, begins with a letter or digit "
                "and\nis at most %d long, got \"%s\"\n",
                NAME_MAX_LEN, names->items[0]);
        fprintf(stderr, "help: lorenz new checkout\n");
        return LZ_EXIT_USAGE;
    }
    return write_scenario(names->items[0], out);
}

static enum lz_exit cmd_new(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {.command = cmd->name};
    struct lz_opts_rest names;
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, NULL, &names);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK) {
        status = begin(&names, out);
    }
    free(names.items);
    return status;
}

const struct lz_cmd lz_cmd_new = {
    .name = "new",
    .args = "NAME",
    .summary = "write a scenario to begin with: scenarios/NAME.lua",
    .about = "Write a scenario to begin with into scenarios/NAME.lua. It passes as it is. A file\n"
             "that is there already is kept.\n\n"
             "Exit status: 0, 4 usage, 74 if it could not be written.",
    .run = cmd_new,
};
