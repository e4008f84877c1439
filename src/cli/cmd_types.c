#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/types.h"
#include "script/docs.h"

struct types {
    const char *print; // "library" or "config"; NULL: write both
};

static bool take_print(void *into, const char *value, struct lz_err *err)
{
    if (strcmp(value, "library") != 0 && strcmp(value, "config") != 0)
        return lz_fail(err, LZ_EINVAL, "expected library or config, got \"%s\"", value);
    ((struct types *)into)->print = value;
    return true;
}

static const struct lz_opt options[] = {
    {"print", 0, "library|config", "print one of the files, write none", take_print},
};

static enum lz_exit print_file(const char *name, struct lz_out *out)
{
    struct lz_docs *docs = lz_docs_create();
    bool library = strcmp(name, "library") == 0;
    lz_out_text(out, library ? lz_docs_types(docs) : lz_docs_types_config(docs));
    lz_docs_destroy(docs);
    return LZ_EXIT_OK;
}

static enum lz_exit write_files(const char *folder, struct lz_out *out)
{
    struct lz_err err;
    if (!lz_types_write(folder, &err)) {
        fprintf(stderr, "lorenz types: %s\n", err.msg);
        return LZ_EXIT_WRITE;
    }
    lz_out_textf(out, "wrote %s/config.json\nwrote %s/library/lorenz.lua\n", folder, folder);
    return LZ_EXIT_OK;
}

static enum lz_exit cmd_types(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest folders;
    struct types flags = {0};
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &flags, &folders);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && folders.count > 1) {
        fprintf(stderr, "lorenz types: one folder, got %zu\n", folders.count);
        fprintf(stderr, "help: lorenz help types\n");
    } else if (outcome == LZ_OPTS_OK) {
        const char *folder = folders.count > 0 ? folders.items[0] : LZ_TYPES_FOLDER;
        status = flags.print != NULL ? print_file(flags.print, out) : write_files(folder, out);
    }
    free(folders.items);
    return status;
}

const struct lz_cmd lz_cmd_types = {
    .name = "types",
    .args = "[FOLDER]",
    .summary = "write the language as types for editors",
    .about =
        "Write the language as types for LuaLS, the Lua language server, into FOLDER (default\n"
        ".lorenz/types): library/lorenz.lua with all words, fields, faults and metrics, and\n"
        "config.json, which makes the folder an addon. What `lorenz init` writes into\n"
        ".luarc.json points there.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_types,
};
